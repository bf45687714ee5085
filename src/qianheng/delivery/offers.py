"""What each plan offers on each kind of request: its best product there, and what a seen impression of it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from qianheng.core.ids import derive_seed
from qianheng.delivery.goods import Goods
from qianheng.delivery.members import Air, Members, members
from qianheng.delivery.picker import picked
from qianheng.facts.opportunities import Opportunities
from qianheng.measures.worth import Kept, worth
from qianheng.plans.plan import Plan
from qianheng.prediction.calibration import Calibrated, Calibrating, uncalibrated
from qianheng.prediction.creatives import Creatives
from qianheng.prediction.predictor import Predictor
from qianheng.prediction.space import Float, Int, Space


@dataclass(frozen=True, slots=True)
class Chosen:
    """What wins [m] show: the product, the room it is shown in (-1: its page), its predicted paid GMV in micro-yuan."""

    product_id: Int
    room_id: Int
    predicted: Int
    creative_id: Int


@dataclass(frozen=True, slots=True)
class Parts:
    """What the worth of offers [m] is made of: worth = predicted · share · factor."""

    product_id: Int
    predicted: Float  # paid GMV of a seen impression, micro-yuan
    share: Float  # what a unit of it is worth under the plan's goal and target (see `measures.worth`)
    factor: Float  # calibration


class Offers:
    """Tables over (plan, cell), made anew when predictions are refitted, a plan changes or a room goes on or off air.

    The product is chosen by a draw from what is known (Thompson sampling: the less is known of a product, the wider
    its draw), its value is the mean of what is known.
    """

    def __init__(self, plans: Sequence[Plan], space: Space, goods: Goods) -> None:
        self.plans, self.space, self.goods, self.air = list(plans), space, goods, Air(goods.rooms)
        self._predictor: Predictor | None = None
        self.refitted = 0  # when, UTC microseconds: the version of the predictions
        self.members: list[Members] = [self._members(plan) for plan in self.plans]
        shape = (len(self.plans), space.cells)
        self.member = np.zeros(shape, np.int64)  # what is shown: a row of the plan's members
        self.item = np.zeros(shape, np.int64)  # and the item that is
        self.predicted = np.zeros(shape)  # paid GMV of a seen impression, micro-yuan
        self.effect = np.ones(shape)  # of its creative on clicks
        self.share = np.ones(shape)  # what a unit of it is worth under the plan's goal and target
        self.likely_member = np.zeros(shape, np.int64)  # what would be shown without a draw
        self.likely_worth = np.zeros(shape)  # its calibrated worth
        self.boldness = np.ones(len(self.plans))  # factor on worth of plans that explore (see `delivery.learning`)
        self.factor = np.ones(shape)  # calibration, its margin taken off
        self.shape = Calibrating(len(self.plans), space.items, space.placements)
        self.calibrated = uncalibrated(self.shape)
        self._worth = np.zeros(shape[::-1])  # [cells, plans]: rows are gathered whole
        self._draw, self._draw_of_creatives = np.zeros(space.items), 0.0 * Creatives(space).effect

    def insert(self, row: int, plan: Plan) -> None:
        """A plan more, before the given row."""
        self.plans.insert(row, plan)
        self.members.insert(row, self._members(plan))
        fresh = {"member": 0, "item": 0, "predicted": 0.0, "share": 1.0, "effect": 1.0, "factor": 1.0, "boldness": 1.0}
        fresh |= {"likely_member": 0, "likely_worth": 0.0}
        for name, value in fresh.items():
            setattr(self, name, np.insert(getattr(self, name), row, value, axis=0))
        self.shape, self.calibrated = replace(self.shape, plans=len(self.plans)), self.calibrated.insert(row)
        self.change(row, plan)

    def change(self, row: int, plan: Plan) -> float:
        """A plan has changed: its target, goal or products may differ. How much more its offers are worth now."""
        before = self._typical(row)
        self.plans[row], self.members[row] = plan, self._members(plan)
        if self._predictor is not None:
            self._fill(row, self._predictor, drawing=False)
        self._price()
        after = self._typical(row)
        return after / before if min(before, after) > 0 else 1.0

    def on_air(self, room_id: int, on: bool, at: int) -> None:
        """A room went on or off air: the super plans it belongs to offer it, or no longer do."""
        if not self.air.tell(room_id, on, at):
            return
        for row, plan in enumerate(self.plans):
            if room_id in plan.room_ids:
                self.members[row] = self._members(plan)
                if self._predictor is not None:
                    self._fill(row, self._predictor)
        self._price()

    def refit(self, predictor: Predictor, calibrated: Calibrated, seed: int, now: int) -> None:
        """Take over refitted predictions and what they are to be multiplied by."""
        self._predictor, self.calibrated, self.refitted = predictor, calibrated, now
        self._draw = np.random.default_rng(derive_seed(seed, "offers", now)).standard_normal(self.space.items)
        of_creatives = np.random.default_rng(derive_seed(seed, "creatives", now))
        self._draw_of_creatives = of_creatives.standard_normal(len(self._draw_of_creatives))
        for row, plan in enumerate(self.plans):
            self.members[row] = self._members(plan)
            self._fill(row, predictor)
        self._price()

    def go_on(self, predictor: Predictor, refitted: int) -> None:
        """Go on with predictions as they stood, made at `refitted`, and the rooms on air; the tables follow at the next
        refit.
        """
        self._predictor, self.refitted = predictor, refitted
        self.members = [self._members(plan) for plan in self.plans]

    def embolden(self, boldness: Float) -> None:
        """Let plans bid as if worth were so many times as high, [plans], from now on."""
        ratio = (boldness / self.boldness)[:, None]
        self.boldness, self.factor, self.likely_worth = boldness, self.factor * ratio, self.likely_worth * ratio
        self._price()

    def worth(self, batch: Opportunities) -> Float:
        """[n, plans] calibrated worth of an impression of each plan (see `measures.worth`), micro-yuan."""
        return self._worth[self._cell(batch)]

    def worth_of(self, gmv: Float) -> Float:
        """[plans] GMV of each plan → its worth under the plan's goal and target."""
        return np.asarray(gmv * self.share.mean(axis=1), float)

    def order_value(self, row: int) -> float:
        """The mean GMV of an order of what a plan offers, over all kinds of requests alike, micro-yuan."""
        value = self.space.of_items(self.space.price) if self._predictor is None else self._predictor.order_mean
        return float(value[self.item[row]].mean())

    def chosen(self, batch: Opportunities, row: Int, plan: Int) -> Chosen:
        """What each win (row of the batch, row of the plan) shows."""
        cell = self.space.cell(batch.placement[row], batch.category[row], batch.audience[row])
        member = self.member[plan, cell]
        predicted = np.rint(self.predicted[plan, cell]).astype(np.int64)
        return Chosen(
            self._of(plan, member, "product_id"),
            self._of(plan, member, "room_id"),
            predicted,
            self._of(plan, member, "creative_id"),
        )

    def products(self, batch: Opportunities) -> Int:
        """[n, plans] the product that each plan would show, by its place among all products."""
        return self.item.T[self._cell(batch)] % len(self.space.product_ids)

    def relevance(self, batch: Opportunities) -> Float:
        """[n, plans] the chance of a click on what each plan would show, when it is seen."""
        cell = self._cell(batch)
        if self._predictor is None:
            return np.zeros((len(batch), len(self.plans)))
        rate = self._predictor.click_rate[self.item.T[cell], cell[:, None]]
        return np.asarray(rate * self.effect.T[cell], float)

    def _cell(self, batch: Opportunities) -> Int:
        return self.space.cell(batch.placement, batch.category, batch.audience)

    def parts(self, batch: Opportunities, row: Int, plan: Int) -> Parts:
        """Why each offer (row of the batch, row of the plan) is worth what it is."""
        cell = self.space.cell(batch.placement[row], batch.category[row], batch.audience[row])
        product = self._of(plan, self.member[plan, cell], "product_id")
        return Parts(product, self.predicted[plan, cell], self.share[plan, cell], self.factor[plan, cell])

    def effect_of(self, plan: int, member: Int) -> Float:
        """[m] the effect on clicks of the creatives of members [m] of a plan."""
        if self._predictor is None:
            return np.ones(len(member))
        creatives = self._predictor.creatives
        return np.asarray(creatives.effect[creatives.row(self.members[plan].creative_id[member])], float)

    def drawn(self, batch: Opportunities, plan: int) -> Int:
        """[n] what a plan would show: a row of its members."""
        return np.asarray(self.member[plan, self._cell(batch)], np.int64)

    def likeliest(self, batch: Opportunities, plan: int) -> tuple[Int, Float]:
        """[n] what a plan would show if it drew nothing, a row of its members, and its calibrated worth."""
        cell = self._cell(batch)
        return self.likely_member[plan, cell], self.likely_worth[plan, cell]

    def _of(self, plan: Int, member: Int, name: str) -> Int:
        """What is stated of members [m] of plans [m]."""
        found = np.full(len(plan), -1, np.int64)
        for row in np.unique(plan).tolist():
            mine = plan == row
            found[mine] = getattr(self.members[row], name)[member[mine]]
        return found

    def _members(self, plan: Plan) -> Members:
        if plan.picks and self._predictor is not None:
            plan = replace(plan, product_ids=picked(self._predictor, plan.product_ids, plan.picks))
        return members(plan, self.space, self.goods, (self.air.now, self.refitted))

    def _fill(self, row: int, predictor: Predictor, drawing: bool = True) -> None:
        items = self.members[row].item
        share = np.maximum(self._shares(row), 0.0)
        creative = predictor.creatives.row(self.members[row].creative_id)
        doubts = predictor.doubt()[items], predictor.creatives.doubt()[creative]
        draws = drawing * self._draw[items], drawing * self._draw_of_creatives[creative]
        guess, variant = (np.exp(one * doubt - doubt**2 / 2) for one, doubt in zip(draws, doubts, strict=True))
        gmv, effect = predictor.gmv[items], predictor.creatives.effect[creative]
        gmv = gmv * effect[:, None]
        cells = np.arange(self.space.cells)
        factor = self.boldness[row] * self.calibrated.factor(row, items)[:, self.space.placement_of(cells)]
        expected = gmv * factor * share[:, None]
        best, likeliest = (expected * (guess * variant)[:, None]).argmax(axis=0), expected.argmax(axis=0)
        self.member[row], self.item[row] = best, items[best]
        self.factor[row] = factor[best, cells]
        self.predicted[row], self.effect[row] = gmv[best, cells], effect[best]
        self.likely_member[row], self.likely_worth[row] = likeliest, expected[likeliest, cells]
        self.share[row] = share[best]

    def _shares(self, row: int) -> Float:
        """What a unit of GMV of each member is worth to a plan, by what is predicted to be kept of it."""
        mine, known = self.members[row], self._predictor
        kept = Kept(known.kept_1h[mine.item], known.kept_7d[mine.item]) if known else _all_kept(len(mine))
        return worth(self.plans[row], kept, mine.costs)

    def _typical(self, row: int) -> float:
        """What a unit of GMV is worth to a plan, over its members alike."""
        return float(self._shares(row).mean())

    def _price(self) -> None:
        self._worth = np.ascontiguousarray((self.predicted * self.share * self.factor).T)


def _all_kept(count: int) -> Kept:
    """As long as nothing is predicted."""
    return Kept(np.ones(count), np.ones(count))
