"""What promotion adds, by a shop's hold-out, beside what is reported: in total, by product, and day by day (SPEC 8.4).

Counted are the orders of products that anything was spent on, whoever and whatever brought them: had a user not been
shown an ad, they might have bought the same on their own, and a hold-out is what knows how often.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.figures import days_of, plans_of
from qianheng.actions.maturity import Cohort
from qianheng.core.errors import NotFound
from qianheng.core.interval import ENDS, Interval, yuan_json
from qianheng.core.money import Micros, ratio, ratio_text, yuan
from qianheng.experiments.hold_out import HORIZON, Bought, Told, days_more, forgone, incremental, reach, told
from qianheng.facts.assignment import shares_of
from qianheng.measures.breakdown import PARTS, By
from qianheng.measures.days import Days, date_of
from qianheng.measures.query import plan_day, sum_by, user_sold
from qianheng.plans.hold_out import HoldOut
from qianheng.store import incentives, runs
from qianheng.store.database import reading

MEASURES = ("orders", "gmv", "net_gmv")
_Columns = dict[str, npt.NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Added:
    """What promotion added of a product, or of all (`name` ""): by measure what is reported as promoted, what all
    orders of users who were not held out come to, and what was added among them.

    `told`, `more`, `missing`: what the hold-out says of reported GMV, and after how many days more, and buyers more
    among the held-out, it will say something; `None` where it does already, or nobody can wait so long.
    """

    name: str
    days: int
    buyers: tuple[int, int]  # among the others, among the held-out
    spend: Micros
    reported: Mapping[str, int]
    everything: Mapping[str, int]
    added: Mapping[str, Interval]
    told: Told
    more: int | None
    missing: int | None

    def roi(self, measure: str = "gmv") -> Interval | None:
        """The incremental ROI; `None` where nothing was spent."""
        if not self.spend:
            return None
        found = self.added[measure]
        return Interval(*(Fraction(end, self.spend) for end in (found.low, found.expected, found.high)))

    def reported_roi(self, measure: str = "gmv", everything: bool = False) -> Fraction | None:
        """What is reported of it: by attributed orders, or by all."""
        return ratio((self.everything if everything else self.reported)[measure], self.spend)

    @property
    def unearned(self) -> Interval:
        """Reported GMV that promotion did not add: it would have been sold without."""
        reported, found = self.reported["gmv"], self.added["gmv"]
        return Interval(reported - found.high, reported - found.expected, reported - found.low)


@dataclass(frozen=True, slots=True)
class Incrementality:
    """What a shop's hold-out tells of some days. `by_day`: all since the first day, as it could be told each evening;
    `cost`: GMV forgone among the held-out.
    """

    hold_out: HoldOut
    known_at: datetime
    days: Days
    whole: Added
    products: Sequence[Added]
    by_day: Sequence[tuple[date, Added]]
    cost: Interval


def kept(outs: Iterable[HoldOut]) -> dict[str, dict[str, str]]:
    """Hold-outs as a run's request keeps them; nothing where there are none."""
    shares = {str(one.shop_id): str(one.share) for one in outs}
    return {"hold_out": shares} if shares else {}


def hold_outs(connection: Connection) -> dict[int, HoldOut]:
    """The hold-outs of the run kept here, by shop."""
    clock = runs.clock(connection)
    kept = {} if clock is None else clock.request.get("hold_out", {})
    return {int(shop): HoldOut(int(shop), Decimal(share)) for shop, share in kept.items()}


def incrementality(desk: Desk, written: tuple[str, str] = ("", "")) -> Incrementality:
    """What the hold-out of the actor's shop tells of the days as written (default: all), as known at the desk's `now`.

    The shop holds nobody out: NotFound. A day that cannot be read, last before first: BadInput.
    """
    if (found := beside(desk, written)) is None:
        raise NotFound("incrementality.no_hold_out")
    return found


def beside(desk: Desk, written: tuple[str, str] = ("", "")) -> Incrementality | None:
    """The same to stand beside other figures; `None` where nobody is held out."""
    with reading(desk.database) as connection:
        if not hold_outs(connection):
            return None
        days = days_of(desk, connection, plans_of(desk, connection, None), written)
        return told_of(Cohort(connection, desk.lake, days, desk.now), desk.actor.shop_id)


def told_of(asked: Cohort, shop_id: int | None = None) -> Incrementality | None:
    """What the hold-out of a shop (default: the first that has one) tells of those of some days, from the first to the
    last, that anything was spent on; `None` without one.
    """
    connection, days = asked.connection, asked.days
    shops = hold_outs(connection)
    out = next(iter(shops.values()), None) if shop_id is None else shops.get(shop_id)
    if out is None:
        return None
    products = {one.id: one.name for one in incentives.products(connection).values() if one.shop_id == out.shop_id}
    answer = asked.lake.query(connection, plan_day(days, PARTS[By.PRODUCT]), as_of=asked.now)
    spent = _of_products(answer, "part", products)
    served = spent["day"][spent["spend"] > 0]
    if len(served):
        days = Days(date_of(int(served.min())), date_of(int(served.max())), days.timezone)
    answer = asked.lake.query(connection, user_sold(days), as_of=asked.now)
    return _Reader(out, days, spent, _of_products(answer, "product_id", products)).told(products, asked.now)


def _of_products(answer: pa.Table, column: str, products: Mapping[int, str]) -> _Columns:
    """The columns of an answer, of some products only."""
    mine = np.isin(answer[column].to_numpy(), list(products))
    return {name: answer[name].to_numpy()[mine].astype(np.int64) for name in answer.column_names}


class _Reader:
    """What was spent and bought, cut by product and day; the users of each order told apart once."""

    def __init__(self, out: HoldOut, days: Days, spent: _Columns, sold: _Columns) -> None:
        self.out, self.days, self.spent = out, days, spent
        promoted = np.unique(spent["part"][spent["spend"] > 0])
        self.sold = _where(sold, np.isin(sold["product_id"], promoted))
        self.held = shares_of(out.users.salt, self.sold["user_id"]) < out.users.size
        self.promoted = promoted.tolist()

    def told(self, names: Mapping[int, str], now: datetime) -> Incrementality:
        """Everything at once, as known at a time."""
        whole = self._added("", None, None)
        products = [self._added(names[id_], id_, None) for id_ in self.promoted]
        by_day = list(self._evenings())
        cost = forgone(whole.added["gmv"], self.out.share)
        return Incrementality(self.out, now, self.days, whole, products, by_day, cost)

    def _evenings(self) -> Iterator[tuple[date, Added]]:
        for number in np.unique(self.spent["day"][self.spent["spend"] > 0]).tolist():
            yield date_of(number), self._added("", None, number)

    def _added(self, name: str, product: int | None, until: int | None) -> Added:
        spent, (others, held) = _cut(self.spent, "part", product, until), self._sides(product, until)
        last = self.days.last if until is None else date_of(until)
        days = (last - self.days.first).days + 1
        reaches = reach(days / HORIZON)
        sides = {one: (_bought(others, one), _bought(held, one)) for one in MEASURES}
        added = {one: incremental(*both, share=self.out.share, deviations=reaches) for one, both in sides.items()}
        reported = {one: int(others[f"promoted_{one}"].sum()) for one in MEASURES}
        buyers = sides["orders"][0].buyers, sides["orders"][1].buyers
        verdict = told(added["gmv"], reported["gmv"])
        more = days_more(added["gmv"], reported["gmv"], days) if verdict is Told.NOT_YET else None
        return Added(
            name=name,
            days=days,
            buyers=buyers,
            spend=int(spent["spend"].sum()),
            reported=reported,
            everything={one: int(others[one].sum()) for one in MEASURES},
            added=added,
            told=verdict,
            more=more,
            missing=None if more is None else ceil(sum(buyers) * Fraction(self.out.share) * more / days),
        )

    def _sides(self, product: int | None, until: int | None) -> tuple[_Columns, _Columns]:
        held = _cut(self.sold | {"held": self.held.astype(np.int64)}, "product_id", product, until)
        return _where(held, held["held"] == 0), _where(held, held["held"] == 1)


def _cut(columns: _Columns, of: str, product: int | None, until: int | None) -> _Columns:
    """The rows of one product (`None`: of all) up to a day (`None`: to the last)."""
    wanted = np.ones(len(columns["day"]), bool)
    if product is not None:
        wanted &= columns[of] == product
    if until is not None:
        wanted &= columns["day"] <= until
    return _where(columns, wanted)


def _where(columns: _Columns, wanted: npt.NDArray[np.bool_]) -> _Columns:
    return {name: column[wanted] for name, column in columns.items()}


def _bought(sold: _Columns, measure: str) -> Bought:
    """One side's purchases, user by user."""
    return Bought.of(sum_by([sold["user_id"]], {measure: sold[measure]})[1][measure])


def added_json(one: Added) -> dict[str, Any]:
    """It as plain values: money in yuan, ratios as decimal strings, intervals by their ends."""
    roi = one.roi()
    ends = None if roi is None else {end: ratio_text(Fraction(getattr(roi, end))) for end in ENDS}
    return {
        "days": one.days,
        "spend": yuan(one.spend),
        "reported_gmv": yuan(one.reported["gmv"]),
        "reported_roi": ratio_text(one.reported_roi()),
        "incremental_gmv": yuan_json(one.added["gmv"]),
        "incremental_roi": ends,
        "verdict": str(one.told),
        "days_more": one.more,
        "buyers_missing": one.missing,
    }
