"""What plans earned: the contribution of what was sold, by the unit costs that shops state of their products."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa

from qianheng.actions.terms import terms_of
from qianheng.core.money import Micros
from qianheng.delivery.goods import Goods, Stage
from qianheng.facts.schema import Channel
from qianheng.measures.days import date_of
from qianheng.measures.worth import Kept, contribution
from qianheng.simulator.scenario import Product, Scenario

STAMPED = ("service_fee", "commission", "coupon")  # on orders, of those that `Costs` has


def goods_of(scenario: Scenario) -> Goods:
    """What the shops of a scenario state of their products."""
    products = sorted(scenario.products(), key=lambda product: product.id)
    price = np.array([float(product.price) for product in products])
    return Goods(
        product_ids=np.array([product.id for product in products], np.int64),
        product=np.array([float(product.product_cost) for product in products]) / price,
        shipping=np.array([float(_sending(product)) for product in products]) / price,
        return_shipping=np.array([float(product.services.way_back(product.return_shipping)) for product in products])
        / price,
        instalments=np.array([float(product.services.instalment_cost) for product in products]),
        taken=terms_of(scenario),
        rooms={room.id: Stage(room.products, room.creator is not None) for room in scenario.rooms},
    )


def _sending(product: Product) -> Decimal:
    """What sending an order costs, 元."""
    return product.shipping + product.packaging + product.services.premium


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
        columns = (answer["plan_id"].to_numpy(), answer["day"].to_numpy(), self.contribution(answer))
        sums: dict[tuple[int, date], Micros] = {}
        for plan_id, day, amount in zip(*(column.tolist() for column in columns), strict=True):
            key = (plan_id, date_of(day))
            sums[key] = sums.get(key, 0) + amount
        return sums

    def contribution(self, answer: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Of each row, whole micro-yuan; fee, commission and coupons as they were stamped."""
        gmv, soon, week = (answer[name].to_numpy().astype(float) for name in ("gmv", "refunded_1h", "refunded_7d"))
        stated, paid = self.goods.stated(answer["product_id"].to_numpy()), np.maximum(gmv, 1.0)
        costs = replace(stated, **{name: answer[name].to_numpy().astype(float) / paid for name in STAMPED})
        return np.rint(contribution(Kept(gmv - soon, gmv - week), costs)).astype(np.int64)
