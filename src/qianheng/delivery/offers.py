"""What each plan offers on each kind of request: its best product there, and what a seen impression of it is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qianheng.core.ids import derive_seed
from qianheng.facts.opportunities import Opportunities
from qianheng.plans.plan import Goal, Plan
from qianheng.prediction.predictor import Predictor
from qianheng.prediction.space import Float, Int, Space


class Offers:
    """Tables over (plan, cell), made anew when predictions are refitted or a plan changes.

    The product is chosen by a draw from what is known (Thompson sampling: the less is known of a product, the wider
    its draw), its value is the mean of what is known.
    """

    def __init__(self, plans: Sequence[Plan], space: Space) -> None:
        self.plans, self.space = list(plans), space
        shape = (len(self.plans), space.cells)
        self.item = np.zeros(shape, np.int64)  # what is shown
        self.predicted = np.zeros(shape)  # paid GMV of a seen impression, micro-yuan
        self.kept = np.ones(shape)  # share of it that counts under the plan's goal
        self.factor = np.ones(len(self.plans))  # calibration
        self._worth = np.zeros(shape[::-1])  # [cells, plans]: rows are gathered whole
        self._predictor: Predictor | None = None

    def insert(self, row: int, plan: Plan) -> None:
        """A plan more, before the given row."""
        self.plans.insert(row, plan)
        fresh = {"item": 0, "predicted": 0.0, "kept": 1.0, "factor": 1.0}
        for name, value in fresh.items():
            setattr(self, name, np.insert(getattr(self, name), row, value, axis=0))
        self.change(row, plan)

    def change(self, row: int, plan: Plan) -> None:
        """A plan has changed: its target, goal or products may differ."""
        self.plans[row] = plan
        if self._predictor is not None:
            self._fill(row, self._predictor, np.zeros(self.space.items))
        self._price()

    def refit(self, predictor: Predictor, factor: Float, seed: int, now: int) -> None:
        """Take over refitted predictions and the calibration factor of each plan."""
        self._predictor, self.factor = predictor, factor
        draw = np.random.default_rng(derive_seed(seed, "offers", now)).standard_normal(self.space.items)
        for row in range(len(self.plans)):
            self._fill(row, predictor, draw)
        self._price()

    def worth(self, batch: Opportunities) -> Float:
        """[n, plans] calibrated value over target of an impression of each plan, micro-yuan."""
        cell = self.space.cell(batch.placement, batch.category, batch.audience)
        return self._worth[cell]

    def worth_of(self, gmv: Float) -> Float:
        """[plans] GMV of each plan → its worth: the share that counts under its goal, over its target."""
        target = np.array([float(plan.target or 1) for plan in self.plans])
        return np.asarray(gmv * self.kept.mean(axis=1) / target, float)

    def chosen(self, batch: Opportunities, row: Int, plan: Int) -> tuple[Int, Int]:
        """The product that each win (row of the batch, row of the plan) shows, and its predicted paid GMV."""
        cell = self.space.cell(batch.placement[row], batch.category[row], batch.audience[row])
        predicted = np.rint(self.predicted[plan, cell]).astype(np.int64)
        return self.space.product_of(self.item[plan, cell]), predicted

    def _fill(self, row: int, predictor: Predictor, draw: Float) -> None:
        plan = self.plans[row]
        items = self.space.item(np.array(plan.product_ids), plan.room_id is not None)
        kept = self._kept(plan, predictor)[items]
        guess = np.exp(draw * predictor.doubt() - predictor.doubt() ** 2 / 2)[items]
        best = (predictor.gmv[items] * (kept * guess)[:, None]).argmax(axis=0)
        self.item[row] = items[best]
        self.predicted[row] = predictor.gmv[items[best], np.arange(self.space.cells)]
        self.kept[row] = kept[best]

    @staticmethod
    def _kept(plan: Plan, predictor: Predictor) -> Float:
        if plan.goal is Goal.NET:
            return predictor.kept_1h
        if plan.goal is Goal.SETTLED:
            return predictor.kept_7d
        return np.ones_like(predictor.kept_1h)

    def _price(self) -> None:
        target = np.array([float(plan.target or 1) for plan in self.plans])
        self._worth = np.ascontiguousarray((self.predicted * self.kept * (self.factor / target)[:, None]).T)
