"""What each plan offers on each kind of request: its best product there, and what a seen impression of it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qianheng.core.ids import derive_seed
from qianheng.delivery.goods import Goods
from qianheng.facts.opportunities import Opportunities
from qianheng.measures.worth import Kept, worth
from qianheng.plans.plan import Plan
from qianheng.prediction.predictor import Predictor
from qianheng.prediction.space import Float, Int, Space

_ALL_KEPT = Kept(np.ones(1), np.ones(1))  # as long as nothing is predicted


@dataclass(frozen=True, slots=True)
class Parts:
    """What the worth of offers [m] is made of: worth = predicted · share · factor."""

    product_id: Int
    predicted: Float  # paid GMV of a seen impression, micro-yuan
    share: Float  # what a unit of it is worth under the plan's goal and target (see `measures.worth`)
    factor: Float  # calibration


class Offers:
    """Tables over (plan, cell), made anew when predictions are refitted or a plan changes.

    The product is chosen by a draw from what is known (Thompson sampling: the less is known of a product, the wider
    its draw), its value is the mean of what is known.
    """

    def __init__(self, plans: Sequence[Plan], space: Space, goods: Goods) -> None:
        self.plans, self.space, self.goods = list(plans), space, goods
        shape = (len(self.plans), space.cells)
        self.item = np.zeros(shape, np.int64)  # what is shown
        self.predicted = np.zeros(shape)  # paid GMV of a seen impression, micro-yuan
        self.share = np.ones(shape)  # what a unit of it is worth under the plan's goal and target
        self.likely_item = np.zeros(shape, np.int64)  # what would be shown without a draw
        self.likely_worth = np.zeros(shape)  # its worth, not calibrated
        self.factor = np.ones(len(self.plans))  # calibration
        self._worth = np.zeros(shape[::-1])  # [cells, plans]: rows are gathered whole
        self._predictor: Predictor | None = None
        self.refitted = 0  # when, UTC microseconds: the version of the predictions

    def insert(self, row: int, plan: Plan) -> None:
        """A plan more, before the given row."""
        self.plans.insert(row, plan)
        fresh = {"item": 0, "predicted": 0.0, "share": 1.0, "factor": 1.0}
        fresh |= {"likely_item": 0, "likely_worth": 0.0}
        for name, value in fresh.items():
            setattr(self, name, np.insert(getattr(self, name), row, value, axis=0))
        self.change(row, plan)

    def change(self, row: int, plan: Plan) -> float:
        """A plan has changed: its target, goal or products may differ. How much more its offers are worth now."""
        before, self.plans[row] = self._typical(row), plan
        if self._predictor is not None:
            self._fill(row, self._predictor, np.zeros(self.space.items))
        self._price()
        after = self._typical(row)
        return after / before if min(before, after) > 0 else 1.0

    def refit(self, predictor: Predictor, factor: Float, seed: int, now: int) -> None:
        """Take over refitted predictions and the calibration factor of each plan."""
        self._predictor, self.factor, self.refitted = predictor, factor, now
        draw = np.random.default_rng(derive_seed(seed, "offers", now)).standard_normal(self.space.items)
        for row in range(len(self.plans)):
            self._fill(row, predictor, draw)
        self._price()

    def worth(self, batch: Opportunities) -> Float:
        """[n, plans] calibrated worth of an impression of each plan (see `measures.worth`), micro-yuan."""
        cell = self.space.cell(batch.placement, batch.category, batch.audience)
        return self._worth[cell]

    def worth_of(self, gmv: Float) -> Float:
        """[plans] GMV of each plan → its worth under the plan's goal and target."""
        return np.asarray(gmv * self.share.mean(axis=1), float)

    def chosen(self, batch: Opportunities, row: Int, plan: Int) -> tuple[Int, Int]:
        """The product that each win (row of the batch, row of the plan) shows, and its predicted paid GMV."""
        cell = self.space.cell(batch.placement[row], batch.category[row], batch.audience[row])
        predicted = np.rint(self.predicted[plan, cell]).astype(np.int64)
        return self.space.product_of(self.item[plan, cell]), predicted

    def products(self, batch: Opportunities) -> Int:
        """[n, plans] the product that each plan would show, by its place among all products."""
        return self.item.T[self._cell(batch)] % len(self.space.product_ids)

    def relevance(self, batch: Opportunities) -> Float:
        """[n, plans] the chance of a click on what each plan would show, when it is seen."""
        cell = self._cell(batch)
        if self._predictor is None:
            return np.zeros((len(batch), len(self.plans)))
        return self._predictor.click_rate[self.item.T[cell], cell[:, None]]

    def _cell(self, batch: Opportunities) -> Int:
        return self.space.cell(batch.placement, batch.category, batch.audience)

    def parts(self, batch: Opportunities, row: Int, plan: Int) -> Parts:
        """Why each offer (row of the batch, row of the plan) is worth what it is."""
        cell = self.space.cell(batch.placement[row], batch.category[row], batch.audience[row])
        product = self.space.product_of(self.item[plan, cell])
        return Parts(product, self.predicted[plan, cell], self.share[plan, cell], self.factor[plan])

    def likeliest(self, batch: Opportunities, plan: int) -> tuple[Int, Float]:
        """[n] what a plan would show if it drew nothing, and its calibrated worth."""
        cell = self.space.cell(batch.placement, batch.category, batch.audience)
        return self.space.product_of(self.likely_item[plan, cell]), self.likely_worth[plan, cell] * self.factor[plan]

    def _fill(self, row: int, predictor: Predictor, draw: Float) -> None:
        items = self._items(self.plans[row])
        share = np.maximum(self._shares(self.plans[row], items), 0.0)
        guess = np.exp(draw * predictor.doubt() - predictor.doubt() ** 2 / 2)[items]
        expected, cells = predictor.gmv[items] * share[:, None], np.arange(self.space.cells)
        best, likeliest = (expected * guess[:, None]).argmax(axis=0), expected.argmax(axis=0)
        self.item[row] = items[best]
        self.predicted[row] = predictor.gmv[items[best], cells]
        self.likely_item[row], self.likely_worth[row] = items[likeliest], expected[likeliest, cells]
        self.share[row] = share[best]

    def _items(self, plan: Plan) -> Int:
        return self.space.item(np.array(plan.product_ids), plan.room_id is not None)

    def _shares(self, plan: Plan, items: Int) -> Float:
        """What a unit of GMV of each item is worth to a plan, by what is predicted to be kept of it."""
        known = self._predictor
        kept = Kept(known.kept_1h[items], known.kept_7d[items]) if known else _ALL_KEPT
        return worth(plan, kept, self.goods.costs(self.space.product_of(items), float(plan.commission_rate)))

    def _typical(self, row: int) -> float:
        """What a unit of GMV is worth to a plan, over its items alike."""
        plan = self.plans[row]
        return float(self._shares(plan, self._items(plan)).mean())

    def _price(self) -> None:
        self._worth = np.ascontiguousarray((self.predicted * self.share * self.factor[:, None]).T)
