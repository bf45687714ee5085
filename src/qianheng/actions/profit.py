"""What plans earned: the contribution of what was sold, by the unit costs that shops state of their products."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from qianheng.core.money import Micros
from qianheng.delivery.goods import Goods, Stage
from qianheng.facts.schema import Channel
from qianheng.measures.days import date_of
from qianheng.measures.worth import Costs, Kept, contribution
from qianheng.plans.fees import Rates
from qianheng.plans.plan import PlanKind
from qianheng.simulator.scenario import Room, Scenario


def goods_of(scenario: Scenario) -> Goods:
    """What the shops of a scenario state of their products."""
    products = sorted(scenario.products(), key=lambda product: product.id)
    price = np.array([float(product.price) for product in products])
    return Goods(
        product_ids=np.array([product.id for product in products], np.int64),
        product=np.array([float(product.product_cost) for product in products]) / price,
        shipping=np.array([float(product.shipping + product.packaging) for product in products]) / price,
        return_shipping=np.array([float(product.return_shipping) for product in products]) / price,
        service_fee=np.array([float(product.service_fee_rate) for product in products]),
        service_fee_super=np.array(
            [float(min(product.service_fee_rate, scenario.service_fee_super(product))) for product in products]
        ),
        rooms={room.id: _stage(room) for room in scenario.rooms},
    )


def _stage(room: Room) -> Stage:
    return Stage(room.products, None if room.creator is None else float(room.commission_rate))


def rates_of(scenario: Scenario) -> Rates:
    """What super plans and creators change of the fees and commission of a scenario's orders."""
    return Rates(
        {product.id: scenario.service_fee_super(product) for product in scenario.products()},
        {room.id: room.commission_rate for room in scenario.rooms if room.creator is not None},
    )


@dataclass(frozen=True, slots=True)
class Sold:
    """What was sold of everything, as `measures.query.plan_product` answers, and the terms of the goods."""

    answer: pa.Table
    goods: Goods

    def contributions(self, promoted_only: bool) -> dict[tuple[int, date], Micros]:
        """The contribution of each plan's day, before spend: all its orders, or those that a promotion reached."""
        answer = self.answer
        if promoted_only:
            answer = answer.filter(pa.compute.field("channel") == Channel.PROMOTED)
        earned = np.rint(self._contribution(answer)).astype(np.int64)
        columns = (answer["plan_id"].to_numpy(), answer["day"].to_numpy(), earned)
        sums: dict[tuple[int, date], Micros] = {}
        for plan_id, day, amount in zip(*(column.tolist() for column in columns), strict=True):
            key = (plan_id, date_of(day))
            sums[key] = sums.get(key, 0) + amount
        return sums

    def _contribution(self, answer: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Of each row, micro-yuan; fee and commission as they were stamped."""
        names = ("gmv", "refunded_1h", "refunded_7d", "service_fee", "commission")
        gmv, soon, week, fee, commission = (answer[name].to_numpy().astype(float) for name in names)
        stated = self.goods.costs(PlanKind.PRODUCT, answer["product_id"].to_numpy(), np.zeros(len(gmv)))
        paid = np.maximum(gmv, 1.0)
        costs = Costs(stated.product, stated.shipping, stated.return_shipping, fee / paid, commission / paid)
        return contribution(Kept(gmv - soon, gmv - week), costs)
