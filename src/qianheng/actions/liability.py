"""What the guarantee may still cost, as known at a time: every open unit with what is expected of it (SPEC 5.7).

Kept each day by the close, so that what was expected can be held against what was paid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection

from qianheng.actions.judging import PLAN_DAY, Judged, judge_days
from qianheng.actions.policies import policies
from qianheng.actions.promises import Promise, as_of, promises_of, unit_id
from qianheng.core.days import HOUR, microseconds, midnight, moment
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.facts.schema import Channel
from qianheng.guarantee.liability import (
    NO_REST,
    NONE_DOUBTFUL,
    PAID,
    Doubtful,
    Expected,
    OpenFigures,
    Rest,
    certain,
    expect,
    to_come,
    together,
    worlds,
)
from qianheng.guarantee.reasons import Reason, Status
from qianheng.guarantee.timeline import credit_days, due_at
from qianheng.measures.days import Days
from qianheng.measures.query import plan_hour, undoable
from qianheng.plans.plan import Counting, Goal, Plan
from qianheng.store import closes, forecasts, plans
from qianheng.store.closes import OpenUnit
from qianheng.store.forecasts import Forecast
from qianheng.store.lake import Lake

PAYING_DAYS = 15  # the longest holiday and the working days after it: so long a payment may take
USUAL_DAYS = 14  # the past days that tell how a plan's day goes
OUTCOMES = frozenset({Reason.NOTHING_SPENT, Reason.TOO_FEW_ORDERS, Reason.ROI_MET, Reason.BELOW_MINIMUM})
"""The conditions that what is still to come may change; any other that fails now fails for good."""


class Owed(NamedTuple):
    """An open unit, on which something was spent and which is not settled: its plan, day and status, what was spent so
    far, what it is expected to be paid beyond what was paid, and the working day on which that is due."""

    plan: Plan
    day: date
    status: Status
    spend: Micros
    expected: Expected
    pay_on: date


@dataclass(frozen=True, slots=True)
class Liability:
    """What may be owed at a time, by unit, oldest first."""

    at: datetime
    units: Sequence[Owed]

    @property
    def total(self) -> Expected:
        """All units together."""
        return together(one.expected for one in self.units)

    def by_pay_day(self) -> dict[date, Expected]:
        """What is expected to be paid, by the day on which it is due."""
        days = sorted({one.pay_on for one in self.units})
        return {day: together(one.expected for one in self.units if one.pay_on == day) for day in days}

    def by_plan(self) -> dict[Plan, Expected]:
        """What is expected to be paid, by plan (as it was on its last open day)."""
        last = {one.plan.id: one.plan for one in self.units}
        return {
            plan: together(one.expected for one in self.units if one.plan.id == plan_id)
            for plan_id, plan in sorted(last.items())
        }


def liability(connection: Connection, lake: Lake, at: datetime, shop_id: int | None = None) -> Liability:
    """What may be owed at `at` on the facts and the ledger as they stood then; of one shop's plans only if asked."""
    seen = {kept.plan.id: kept.plan for kept in plans.load_all(connection, shop_id)}
    zones = sorted({plan.timezone for plan in seen.values()})
    found = [one for zone in zones for one in _of_zone(connection, lake, at, zone) if one.plan.id in seen]
    return Liability(at, sorted(found, key=lambda one: (one.day, one.plan.id)))


def keep_forecast(connection: Connection, lake: Lake, at: datetime) -> None:
    """Keep what is expected now, by unit, by shop and in total, to be held against what will have been paid."""
    known = liability(connection, lake, at)
    kept = [_forecast(at, known.total, forecasts.total_of(None))]
    for shop_id in sorted({one.plan.shop_id for one in plans.load_all(connection)}):
        of_shop = together(one.expected for one in known.units if one.plan.shop_id == shop_id)
        kept.append(_forecast(at, of_shop, forecasts.total_of(shop_id)))
    kept += [_forecast(at, one.expected, unit_id(one.plan.id, one.day), one.pay_on) for one in known.units]
    forecasts.keep(connection, kept)


class Held(NamedTuple):
    """A total as it was expected once, beside what was paid of those units since (less what was taken back); `final`
    once nothing of them is open any more."""

    expected: Forecast
    at: datetime
    paid: Micros
    final: bool

    @property
    def inside(self) -> bool:
        """Whether what was paid lies in the interval."""
        return self.expected.low <= self.paid <= self.expected.high


def history(connection: Connection, now: datetime, shop_id: int | None = None) -> list[Held]:
    """Every total that was kept, oldest first, held against what has been paid since, until `now`; of one shop's plans
    only if asked."""
    seen = {kept.plan.id for kept in plans.load_all(connection, shop_id)}
    units = [unit for unit in closes.units(connection) if unit.type == PLAN_DAY and unit.subject in seen]
    found = promises_of(connection, [unit.id for unit in units])
    made = {unit.id: as_of(found.get(unit.id, []), now) for unit in units}
    kept = forecasts.totals(connection, shop_id)
    return [_held(one, units, made, now) for one in kept if one.at <= microseconds(now)]


def _held(one: Forecast, units: Sequence[OpenUnit], made: Mapping[int, Sequence[Promise]], now: datetime) -> Held:
    at = moment(one.at, str(now.tzinfo))
    begun = [unit for unit in units if unit.day < at.date()]
    promised = [promise for unit in begun for promise in made[unit.id]]
    paid = sum(promise.paid for promise in promised if promise.settling and promise.settling.at > at)
    final = all(unit.due_at < microseconds(now) for unit in begun) and not any(promise.open for promise in promised)
    return Held(one, at, paid, final)


def _forecast(at: datetime, expected: Expected, unit: int, pay_on: date | None = None) -> Forecast:
    key = stable_id("liability", microseconds(at), unit)
    return Forecast(key, microseconds(at), unit, pay_on, expected.mean, expected.low, expected.high)


def _of_zone(connection: Connection, lake: Lake, at: datetime, timezone: str) -> Iterator[Owed]:
    """The open units of the plans of one time zone."""
    today = at.astimezone(midnight(at.date(), timezone).tzinfo).date()
    shelf = policies()
    rules = [shelf.in_force(kept.plan.policy, today).rules for kept in plans.load_all(connection)]
    back = PAYING_DAYS + 1 + max((one.data_days for one in rules if one), default=0)
    days = Days(today - timedelta(days=back), today, timezone)
    judged = list(judge_days(connection, lake, days, at))
    made = promises_of(connection, [unit_id(one.plan_id, one.day) for one in judged])
    past = _Past.asked(connection, lake, days, at, judged)
    seed = microseconds(at)
    shocks = worlds(seed)
    for one in judged:
        promised = as_of(made.get(unit_id(one.plan_id, one.day), []), at)
        expected = _settled(one, promised) or expect(past.open_figures(one), shocks, seed)
        if any(expected.paid):
            yield Owed(one.plan, one.day, one.verdict.status, one.verdict.sums.spend, expected, _pay_on(one, promised))


def _settled(one: Judged, promised: Sequence[Promise]) -> Expected | None:
    """What is paid of a unit whatever comes; `None` if that is not certain."""
    if promised:
        return certain(sum(promise.standing for promise in promised if promise.open), PAID)
    failed = {check.reason for check in one.verdict.checks if not check.passed}
    if one.verdict.final or not one.verdict.sums.spend or not failed <= OUTCOMES:
        return certain(one.verdict.compensation, one.verdict.reason or PAID)
    return None


def _pay_on(one: Judged, promised: Sequence[Promise]) -> date:
    assert one.policy.rules is not None  # else nothing is owed
    since = microseconds(promised[-1].pending.at) if promised else due_at(one.policy, one.unit)
    return credit_days(one.policy.rules, one.unit, since)[0]


@dataclass(frozen=True, slots=True)
class _Past:
    """What tells how open units will go on: the time it is, the plans' judged days before, the shape of their days by
    hour (24 numbers that add up to one), and their orders of the last hour."""

    at: int
    judged: Mapping[int, Sequence[Judged]]
    shapes: Mapping[int, Sequence[float]]
    undoable: Mapping[int, Sequence[Mapping[str, Any]]]

    @classmethod
    def asked(cls, connection: Connection, lake: Lake, days: Days, at: datetime, judged: Iterable[Judged]) -> _Past:
        """Asked of the facts received before `at`."""
        usual = Days(days.last - timedelta(days=USUAL_DAYS), days.last - timedelta(days=1), days.timezone)
        shapes = _shapes(lake.query(connection, plan_hour(usual), as_of=at).to_pylist())
        rows = lake.query(connection, undoable(usual.since, microseconds(at)), as_of=at).to_pylist()
        by_plan: dict[int, list[Judged]] = {}
        for one in judged:
            by_plan.setdefault(one.plan_id, []).append(one)
        return cls(
            microseconds(at), by_plan, shapes, {plan: [r for r in rows if r["plan_id"] == plan] for plan in by_plan}
        )

    def open_figures(self, one: Judged) -> OpenFigures:
        """A unit with what is open of it."""
        assert one.policy.rules is not None  # of others all is certain
        key, target = unit_id(one.plan_id, one.day), float(one.plan.target or 0)
        return OpenFigures(key, one.policy.rules, one.verdict.sums, target, self._rest(one), self._doubtful(one))

    def _rest(self, one: Judged) -> Rest:
        """What the rest of the day will bring, by the plan's usual day and by how this one went so far."""
        start, end = one.unit.window
        if self.at >= end:
            return NO_REST
        share = _elapsed(self.shapes.get(one.plan_id, [1 / 24] * 24), (self.at - start) / (end - start))
        before = [day.verdict.sums for day in self.judged[one.plan_id] if day.day < one.day and day.verdict.sums.spend]
        sums, count = one.verdict.sums, max(len(before), 1)
        spend = to_come(sums.spend, share, sum(day.spend for day in before) / count)
        orders = to_come(sums.orders, share, sum(day.orders for day in before) / count)
        known = [sums, *before]
        value = sum(day.gmv for day in known) / max(sum(day.orders for day in known), 1)
        left = max(one.plan.budget_daily - sums.spend, 0)
        return Rest(min(spend, left), left, orders, value)

    def _doubtful(self, one: Judged) -> Doubtful:
        """Its orders of the last hour, which the net goal counts only if they are kept."""
        start, end = one.unit.window
        if one.plan.goal is not Goal.NET or not start <= self.at < end + HOUR:
            return NONE_DOUBTFUL
        promoted = one.plan.counting is Counting.ATTRIBUTED
        rows = [row for row in self.undoable[one.plan_id] if not promoted or row["channel"] == Channel.PROMOTED]
        gmv = sum(row["doubtful_gmv"] for row in rows)
        if not gmv:
            return NONE_DOUBTFUL
        rate = rows[0]["refunded"] / rows[0]["gmv"]
        return Doubtful(
            sum(row["doubtful_orders"] for row in rows), gmv, rate * sum(row["doubtful_left"] for row in rows) / gmv
        )


def _shapes(rows: Iterable[Mapping[str, Any]]) -> dict[int, Sequence[float]]:
    """The share of each hour in a plan's spend, with a little of every hour."""
    found: dict[int, Any] = {}
    for row in rows:
        found.setdefault(row["plan_id"], np.zeros(24))[row["hour"]] += row["spend"]
    return {
        plan_id: (0.9 * hours / hours.sum() + 0.1 / 24).tolist() for plan_id, hours in found.items() if hours.sum() > 0
    }


def _elapsed(shape: Sequence[float], clock: float) -> float:
    """The share of a day of that shape which is over, when that share of its time is."""
    hour, part = divmod(24 * clock, 1)
    return sum(shape[: int(hour)]) + part * shape[min(int(hour), 23)]
