"""What plans earned: the contribution of what was sold, by the unit costs that shops state of their products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa

from qianheng.actions.terms import costs_of, terms_of
from qianheng.core.money import Micros
from qianheng.delivery.goods import Goods, Stage
from qianheng.facts.schema import Channel
from qianheng.incentives.terms import Terms
from qianheng.measures.days import date_of
from qianheng.measures.worth import Costs, Kept, UnitCosts, contribution
from qianheng.simulator.scenario import Scenario

STAMPED = ("service_fee", "commission", "coupon")  # on orders, of those that `Costs` has


def goods_of(scenario: Scenario) -> Goods:
    """What the shops of a scenario state of their products."""
    rooms = {room.id: Stage(room.products, room.creator is not None) for room in scenario.rooms}
    return goods_stated(costs_of(scenario), terms_of(scenario), rooms)


def goods_stated(costs: Mapping[int, UnitCosts], taken: Terms, rooms: Mapping[int, Stage] | None = None) -> Goods:
    """Products with the unit costs that their shops state, and what is taken of their orders."""
    ids = sorted(costs)
    price = np.array([float(costs[id_].price) for id_ in ids])
    return Goods(
        product_ids=np.array(ids, np.int64),
        product=np.array([float(costs[id_].product) for id_ in ids]) / price,
        shipping=np.array([float(costs[id_].shipping) for id_ in ids]) / price,
        return_shipping=np.array([float(costs[id_].return_shipping) for id_ in ids]) / price,
        instalments=np.array([float(costs[id_].instalments) for id_ in ids]),
        taken=taken,
        rooms=rooms or {},
    )


def contributed(answer: pa.Table, stated: Costs) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The contribution before spend of what each row sold, whole micro-yuan; fee, commission and coupons as they were
    stamped.
    """
    gmv, soon, week = (answer[name].to_numpy().astype(float) for name in ("gmv", "refunded_1h", "refunded_7d"))
    paid = np.maximum(gmv, 1.0)
    costs = replace(stated, **{name: answer[name].to_numpy().astype(float) / paid for name in STAMPED})
    return np.rint(contribution(Kept(gmv - soon, gmv - week), costs)).astype(np.int64)


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
        """Of each row, see `contributed`."""
        return contributed(answer, self.goods.stated(answer["product_id"].to_numpy()))
