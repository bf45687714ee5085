"""The one definition of the sums as SQL text, ready to run on any engine, and reading what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from qianheng.core.days import DAY, HOUR
from qianheng.core.money import Micros
from qianheng.facts.schema import Channel
from qianheng.measures.days import Days, Int64, date_of
from qianheng.measures.sums import NAMES, Sums
from qianheng.plans.boost import Boost
from qianheng.plans.plan import Counting

PlanDay = tuple[int, date]


class Invalid(NamedTuple):
    """What was charged for invalid traffic of a plan's day, micro-yuan; `counted` is the part without boosts, which
    the guarantee would count.
    """

    amount: Micros = 0
    counted: Micros = 0


class Counted(NamedTuple):
    """What the guarantee counts of a plan's day under one target version: spend, and orders and GMV of either goal."""

    target_version: int
    spend: Micros
    payment_orders: int
    payment_gmv: Micros
    net_orders: int
    net_gmv: Micros


class Parts(NamedTuple):
    """What sums are told by beside plan, day and channel, as SQL: of an order (and its refunds) and of a charge `f`."""

    of_order: str = "0"
    of_charge: str = "0"
    join_charge: str = ""


WHOLE = Parts()


def plan_day(days: Days, parts: Parts = WHOLE) -> str:
    """SQL: the sums of each plan, day, target version and channel, and what the guarantee counts of them."""
    return _filled("plan_day", days, parts)


def touched(since: int) -> str:
    """SQL: the quarters of an hour of each plan that something a guarantee may count was received of, at `since` (UTC
    microseconds) or later.
    """
    return _text("touched").format(since=since)


def sold_lately(since: int) -> str:
    """SQL: the quarters of an hour of orders that something was received of, at `since` (UTC microseconds) or later."""
    return _text("sold_lately").format(since=since)


def refunded_order(days: Days) -> str:
    """SQL: what was stamped on each order that was refunded within seven days, and how much of it was."""
    return _filled("refunded_order", days)


def coupons_given(days: Days) -> str:
    """SQL: how many orders each coupon was given with, and what the shop and the platform pay of it."""
    return _filled("coupons_given", days)


def product_spend(days: Days) -> str:
    """SQL: what was spent on showing each product, by plan."""
    return _filled("product_spend", days)


def user_sold(days: Days) -> str:
    """SQL: what each user bought of each product by day, in all and of what was promoted to them."""
    return _filled("user_sold", days)


def plan_day_traffic(days: Days, parts: Parts = WHOLE) -> str:
    """SQL: the impressions and clicks of each plan and day."""
    return _filled("plan_day_traffic", days, parts)


def plan_hour(days: Days) -> str:
    """SQL: spend, orders and GMV of each plan, day and hour."""
    return _filled("plan_hour", days)


def subjects(days: Days, hourly: bool = False) -> str:
    """SQL: the sums of each plan, product, placement, creative, room and channel by day or, if asked, by hour."""
    unit = HOUR if hourly else DAY
    return _text("subjects").format(offset=days.offset_sql(), since=days.since, until=days.until, unit=unit)


def boosts_of(plan_id: int) -> str:
    """SQL: the boosts a plan ever had."""
    return f"SELECT DISTINCT f.boost_id FROM boosts AS f WHERE f.plan_id = {plan_id:d} ORDER BY f.boost_id"


def undoable(since: int, now: int) -> str:
    """SQL: the orders of the last hour by plan and channel, and how much of what was sold since is refunded so soon."""
    return _text("undoable").format(since=since, now=now)


def plan_product(days: Days) -> str:
    """SQL: orders, GMV, refunds, fees and commission of each plan, day, channel, product and room."""
    return _filled("plan_product", days)


def plan_spend(days: Days) -> str:
    """SQL: what was charged to each plan or campaign, by kind of boost (0: none)."""
    return _filled("plan_spend", days)


def refund_maturity(days: Days) -> str:
    """SQL: what was refunded of the orders of these days, by plan and age of the order in hours."""
    return _filled("refund_maturity", days)


def maturity(days: Days) -> str:
    """SQL: what was refunded of the orders of each plan and day within each of the ages of `maturity.AGES`."""
    return _filled("maturity", days)


def known(days: Days, known_by: str) -> str:
    """SQL: spend, GMV and refunds of each plan and day, by when they had become known (see `maturity.known_sql`)."""
    return _text("known").format(offset=days.offset_sql(), since=days.since, until=days.until, known=known_by)


def doubtful_charges(days: Days) -> str:
    """SQL: the charges of these days that were clicked on, or led to an order judged a fraud (SPEC 5.8)."""
    return _filled("doubtful_charges", days)


def plan_day_invalid(days: Days) -> str:
    """SQL: what was charged for invalid traffic of each plan and day: in all, and what the guarantee would count."""
    return _filled("plan_day_invalid", days)


def boost_began(boosts: Iterable[Boost]) -> str:
    """SQL: the first charge of each of these boosts (at least one) that something was spent of."""
    return _text("boost_began").format(boosted=", ".join(f"({_boosted(one)})" for one in boosts))


def boost_unit(boosts: Iterable[tuple[Boost, tuple[int, int]]]) -> str:
    """SQL: what the guarantee counts of each of these boosts (at least one) from one instant up to another."""
    rows = (f"({_boosted(one)}, {since}, {until})" for one, (since, until) in boosts)
    return _text("boost_unit").format(boosted=", ".join(rows))


def boost_counted(answer: pa.Table) -> dict[int, list[Counted]]:
    """The answer of `boost_unit` by boost: the versions of its plan in order."""
    found: dict[int, list[Counted]] = {}
    for row in answer.to_pylist():
        found.setdefault(row.pop("boost_id"), []).append(Counted(**row))
    return found


def _boosted(boost: Boost) -> str:
    return f"{boost.id}, {boost.plan_id}, {int(boost.kind)}, {boost.starts}, {boost.ends}"


def room_minute(room_id: int, plan_ids: Iterable[int], between: tuple[int, int]) -> str:
    """SQL: what a live room and the plans that show it (at least one) sold and spent between two instants (UTC
    microseconds), by minute after the first, product and channel.
    """
    since, until = between
    told = ", ".join(f"{plan_id:d}" for plan_id in plan_ids)
    return _text("room_minute").format(room=f"{room_id:d}", plans=told, since=since, until=until)


def lives(since: int, until: int) -> str:
    """SQL: when rooms went on and off air between two instants."""
    return (
        f"SELECT f.room_id, f.at, f.on_air FROM lives AS f WHERE f.at >= {since:d} AND f.at < {until:d} ORDER BY f.at"
    )


def plan_keyword(days: Days) -> str:
    """SQL: what each keyword searched brought each plan or campaign: impressions, clicks, spend, orders and GMV."""
    return _filled("plan_keyword", days)


def sums_of(answer: pa.Table, channel: Channel | None = None) -> dict[PlanDay, Sums]:
    """The answer of `plan_day` or `plan_day_traffic` by plan and day; of one channel only if asked."""
    if channel is not None:
        answer = answer.filter(pa.compute.field("channel") == channel)
    columns = {name: answer[name].to_numpy() for name in NAMES if name in answer.column_names}
    return grouped(answer["plan_id"].to_numpy(), answer["day"].to_numpy(), columns)


def channel_of(counting: Counting) -> Channel | None:
    """The channel whose orders a plan counts alone; `None` if it counts those of all (SPEC 2)."""
    return Channel.PROMOTED if counting is Counting.ATTRIBUTED else None


def counted_of(answer: pa.Table, promoted_only: bool) -> Iterator[tuple[PlanDay, list[Counted]]]:
    """What the guarantee counts, from the answer of `plan_day`: for each plan and day its target versions in order.

    promoted_only: the plan counts only orders that a promoted impression or click reached (SPEC 2).
    What happened before the plan's first target is left out.
    """
    kept = pa.compute.field("target_version") >= 0
    if promoted_only:
        kept &= pa.compute.field("channel") == Channel.PROMOTED
    answer = answer.filter(kept)
    columns = {name: answer[name].to_numpy() for name in Counted._fields[2:]}
    columns["spend"] = answer["spend"].to_numpy() - answer["boosted_spend"].to_numpy()
    keys = [answer[name].to_numpy() for name in ("plan_id", "day", "target_version")]
    (plan_ids, days, versions), sums = sum_by(keys, columns)
    rows = zip(versions.tolist(), *(sums[name].tolist() for name in Counted._fields[1:]), strict=True)
    counted = [Counted(*row) for row in rows]
    for start, end in _runs(plan_ids, days):
        yield (int(plan_ids[start]), date_of(int(days[start]))), counted[start:end]


def invalid_of(answer: pa.Table) -> dict[PlanDay, Invalid]:
    """The answer of `plan_day_invalid` by plan and day."""
    columns = (answer[name].to_pylist() for name in ("plan_id", "day", *Invalid._fields))
    return {(plan, date_of(day)): Invalid(*sums) for plan, day, *sums in zip(*columns, strict=True)}


def grouped(plan_ids: Int64, days: Int64, columns: Mapping[str, Int64]) -> dict[PlanDay, Sums]:
    """Columns named as in `Sums`, added up by plan and day number."""
    (plans, numbers), sums = sum_by([plan_ids, days], columns)
    rows = zip(*(column.tolist() for column in sums.values()), strict=True)
    keys = zip(plans.tolist(), map(date_of, numbers.tolist()), strict=True)
    return {key: Sums(**dict(zip(sums, row, strict=True))) for key, row in zip(keys, rows, strict=True)}


def sum_by(keys: list[Int64], columns: Mapping[str, Int64]) -> tuple[list[Int64], dict[str, Int64]]:
    """The distinct keys, sorted, and the exact sums of the columns for each."""
    order = np.lexsort(keys[::-1])
    ordered = [key[order] for key in keys]
    starts = np.array([start for start, _ in _runs(*ordered)], np.int64)
    if not len(starts):
        return ordered, {name: column[:0] for name, column in columns.items()}
    sums = {name: np.add.reduceat(column[order], starts) for name, column in columns.items()}
    return [key[starts] for key in ordered], sums


def _runs(*keys: Int64) -> Iterator[tuple[int, int]]:
    """The stretches [start, end) of equal keys, which are sorted."""
    length = len(keys[0])
    if length:
        changes = np.any([key[1:] != key[:-1] for key in keys], axis=0)
        starts = [0, *(np.flatnonzero(changes) + 1).tolist()]
        yield from zip(starts, [*starts[1:], length], strict=True)


def _filled(name: str, days: Days, parts: Parts = WHOLE) -> str:
    offset = days.offset_sql()
    told = {"order_part": parts.of_order, "charge_part": parts.of_charge, "charge_join": parts.join_charge}
    told = {key: text.format(offset=offset) for key, text in told.items()}
    return _text(name).format(offset=offset, since=days.since, until=days.until, **told)


@cache
def _text(name: str) -> str:
    return Path(__file__).with_name("sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
