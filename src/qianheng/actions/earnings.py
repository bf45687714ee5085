"""What everything earned: profit and breakeven ROI of each product, shop and plan, and what was taken of its orders.

Fee, commission and coupons are told twice: `estimated`, as they were stamped on all that was paid, and `settled`, on
what refunds have left of it. Overall ROI counts the estimated ones (SPEC 1), profit what was kept (SPEC 3.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from sqlalchemy import Connection

from qianheng.actions.proceeds import lost_of, taken_of
from qianheng.actions.profit import Sold
from qianheng.bidding.frontier import Curve, Deal, Peak, peak
from qianheng.core.money import Micros, ratio, ratio_text, yuan
from qianheng.core.plain import Json
from qianheng.facts.schema import Channel
from qianheng.incentives.settling import Taken
from qianheng.measures.days import Days
from qianheng.measures.query import product_spend, refunded_order
from qianheng.measures.sums import breakeven_roi
from qianheng.plans.plan import Counting, Plan
from qianheng.simulator.scenario import Scenario
from qianheng.store.lake import Lake


@dataclass(frozen=True, slots=True)
class Earned:
    """What orders brought, micro-yuan: as stamped, what refunds within seven days have left, the contribution before
    spend, and what was spent on showing what was sold.
    """

    orders: int = 0
    estimated: Taken = field(default_factory=Taken)
    settled: Taken = field(default_factory=Taken)
    contribution: Micros = 0
    spend: Micros = 0

    def __add__(self, other: Earned) -> Earned:
        return Earned(
            self.orders + other.orders,
            self.estimated + other.estimated,
            self.settled + other.settled,
            self.contribution + other.contribution,
            self.spend + other.spend,
        )

    @property
    def profit(self) -> Micros:
        """The contribution less spend."""
        return self.contribution - self.spend

    @property
    def breakeven_roi(self) -> Fraction | None:
        """保本ROI on settled GMV; `None` where no ROI breaks even."""
        margin = ratio(self.contribution, self.settled.gmv)
        return None if margin is None else breakeven_roi(margin)

    @property
    def breakeven_payment_roi(self) -> Fraction | None:
        """The same restated on payment GMV."""
        margin, kept = ratio(self.contribution, self.settled.gmv), ratio(self.settled.gmv, self.estimated.gmv)
        return None if margin is None or kept is None else breakeven_roi(margin, kept)


@dataclass(frozen=True, slots=True)
class Seller:
    """A product or a shop, and what all its orders earned, promoted or not."""

    id: int
    name: str
    shop_id: int
    earned: Earned


@dataclass(frozen=True, slots=True)
class Earnings:
    """What products, shops and plans earned; a plan as it counts its orders, with everything it spent left out."""

    products: tuple[Seller, ...]
    shops: tuple[Seller, ...]
    by_plan: Mapping[bool, Mapping[int, Earned]]  # whether only promoted orders count → plan → earned

    def of_plan(self, plan: Plan) -> Earned:
        """What counts for a plan."""
        return self.by_plan[plan.counting is Counting.ATTRIBUTED].get(plan.id, Earned())


def earnings(connection: Connection, lake: Lake, scenario: Scenario, days: Days, sold: Sold) -> Earnings:
    """What was earned on these days. sold: what was sold on them."""
    parts = [*_sold(sold), *_lost(lake.query(connection, refunded_order(days)).to_pylist())]
    spent = [
        ({"product_id": row["product_id"], "plan_id": row["plan_id"], "channel": -1}, Earned(spend=row["spend"]))
        for row in lake.query(connection, product_spend(days)).to_pylist()
    ]
    by_product = _by([*parts, *spent], lambda row: row["product_id"])
    products, shops = [], []
    for shop in scenario.shops:
        mine = [Seller(one.id, one.name, shop.id, by_product.get(one.id, Earned())) for one in shop.products]
        products += mine
        shops.append(Seller(shop.id, shop.name, shop.id, sum((one.earned for one in mine), Earned())))
    promoted = [part for part in parts if part[0]["channel"] == Channel.PROMOTED]
    by_plan = {only: _by(rows, lambda row: row["plan_id"]) for only, rows in ((True, promoted), (False, parts))}
    return Earnings(tuple(products), tuple(shops), by_plan)


def best_roi(points: Iterable[Any], outlook: Mapping[str, Any] | None, earned: Earned, budget: Micros) -> Peak | None:
    """The ROI at which a plan's profit a day is highest on its landscape, by the margin that its orders have earned.

    points: `Prospect`s. `None` for a plan without a target, and where nothing was learnt or every sale loses money.
    """
    margin = ratio(earned.contribution, earned.estimated.gmv)
    columns = np.array([(one.multiplier, one.spend, one.worth) for one in points], float).reshape(-1, 3).T
    if outlook is None or margin is None or not columns[1].any():
        return None
    return peak(Curve(*columns), Deal(*outlook["deal"]), float(margin), float(budget))


def seller_json(seller: Seller) -> Json:
    """A product or shop as plain values."""
    return {"id": seller.id, "name": seller.name, "shop_id": seller.shop_id, **earned_json(seller.earned)}


def earned_json(earned: Earned) -> Json:
    """What was earned as plain values: money as decimal strings in yuan, ratios as decimal strings or `None`."""
    return {
        "orders": earned.orders,
        "gmv": yuan(earned.estimated.gmv),
        "settled_gmv": yuan(earned.settled.gmv),
        "spend": yuan(earned.spend),
        "contribution": yuan(earned.contribution),
        "profit": yuan(earned.profit),
        "breakeven_roi": ratio_text(earned.breakeven_roi),
        "breakeven_payment_roi": ratio_text(earned.breakeven_payment_roi),
        "estimated": taken_json(earned.estimated),
        "settled": taken_json(earned.settled),
    }


def taken_json(taken: Taken) -> Json:
    """What was taken of orders and given with them."""
    names = ("service_fee", "commission", "coupon", "subsidy")
    return {name: yuan(getattr(taken, name)) for name in names}


def peak_json(found: Peak | None) -> Json | None:
    """The most profitable point of a landscape, a day."""
    if found is None:
        return None
    money = {name: yuan(round(getattr(found, name))) for name in ("spend", "gmv", "profit")}
    return {**money, "payment_roi": f"{found.payment_roi:.4f}", "target_roi": f"{found.target:.4f}"}


Part = tuple[Mapping[str, int], Earned]


def _sold(sold: Sold) -> Iterable[Part]:
    rows = zip(sold.answer.to_pylist(), sold.contribution(sold.answer).tolist(), strict=True)
    for row, contributed in rows:
        stamped = taken_of(row)
        yield row, Earned(row["orders"], stamped, stamped, contributed)


def _lost(refunded: Iterable[Mapping[str, int]]) -> Iterable[Part]:
    nothing = Taken()
    return ((row, Earned(settled=nothing - lost_of(row))) for row in refunded)


def _by(parts: Iterable[Part], key: Callable[[Mapping[str, int]], int]) -> dict[int, Earned]:
    found: dict[int, Earned] = {}
    for row, earned in parts:
        found[key(row)] = found.get(key(row), Earned()) + earned
    return found
