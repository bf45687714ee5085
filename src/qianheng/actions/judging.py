"""Judging plans' days under the guarantee: kept facts and change logs in, verdicts out, with the ledger in view.

What a unit of any kind comes to is told by `Judged` (`boost_units` judges boosts).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection

from qianheng.actions.commission import owing
from qianheng.actions.giving_back import given_back
from qianheng.actions.policies import policies
from qianheng.actions.promises import Promise, id_of, promises_of, unit_id
from qianheng.core.days import microseconds
from qianheng.core.money import Micros
from qianheng.guarantee.case import BoostUnit, Log, Unit
from qianheng.guarantee.compare import Evidence
from qianheng.guarantee.figures import Figures, Period
from qianheng.guarantee.history import log_of, plan_of_day, target_of, unit_of
from qianheng.guarantee.overlap import GivenBack, payable
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.reasons import Status
from qianheng.guarantee.timeline import status
from qianheng.guarantee.verdict import Verdict, judge
from qianheng.measures.days import Days
from qianheng.measures.query import Counted, Invalid, counted_of, invalid_of, plan_day, plan_day_invalid
from qianheng.plans.plan import Counting, Goal, Plan
from qianheng.store import boosts, claims, incentives, plans
from qianheng.store.closes import OpenUnit
from qianheng.store.lake import Lake

UNITS_AT_ONCE = 20_000
PLAN_DAY = Unit.type
TargetOf = Callable[[Plan], Fraction | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """A unit of a plan (as it was on the unit's first day) under the version of its policy in force then: its verdict
    and what the ledger paid for it.
    """

    plan: Plan
    unit: Unit
    policy: Policy
    verdict: Verdict
    paid: Micros
    promised: Micros  # pending, not yet posted
    status: Status
    given_back: GivenBack | None = None  # on refund claims, if any were granted

    @property
    def due(self) -> Micros:
        """What of the compensation is to be paid: not again what was given back on claims."""
        verdict, back = self.verdict, self.given_back
        return payable(verdict.compensation, verdict.sums.spend, *back) if back else verdict.compensation

    @property
    def plan_id(self) -> int:
        """The plan that was judged."""
        return self.plan.id

    @property
    def day(self) -> date:
        """The first day of what was judged."""
        return self.unit.day

    @property
    def boost_id(self) -> int | None:
        """The boost that was judged; `None` where it was a day of the plan."""
        return int(self.unit.boost_id) if isinstance(self.unit, BoostUnit) else None

    @property
    def unit_id(self) -> int:
        """What verdicts and transfers refer to."""
        return id_of(self.unit)


class Logged(NamedTuple):
    """A plan with its change log, as kept and as its guarantee sees it."""

    kept: plans.LoggedPlan
    log: Log


def judge_days(connection: Connection, lake: Lake, days: Days, now: datetime) -> Iterator[Judged]:
    """The verdict on every plan whose days are these, on the facts received before `now`, with the ledger in view.

    What was charged for traffic found invalid is left out of the spend: it is given back as such. Facts, logs and
    ledger are asked for many units at a time, and no more than those are held in memory.
    """
    for units in _portions(connection, days):
        yield from _judge_stretch(connection, lake, units, now)


def evidence(connection: Connection, lake: Lake, days: Days, now: datetime) -> Iterator[tuple[Plan, Evidence]]:
    """Every plan (as it was) on each of these days, with what its guarantee is judged by under any policy."""
    terms = incentives.rules(connection).terms
    for kept, stretch in _portions(connection, days):
        summed = Summed.asked(connection, lake, stretch, now)
        for (history, changes), log in kept:
            for day in stretch.each():
                plan = owing(terms, plan_of_day(history, changes, Days(day, day, days.timezone)), day)
                yield plan, Evidence(unit_of(plan, day), log, summed.figures(history, day), microseconds(now))


def _portions(connection: Connection, days: Days) -> Iterator[tuple[Sequence[Logged], Days]]:
    """The plans of the days' zone, with so many days at a time as may be held in memory."""
    kept = [Logged(one, log_of(*one)) for one in plans.logged(connection) if one.plan.timezone == days.timezone]
    for stretch in _pieces(days, max(1, UNITS_AT_ONCE // max(1, len(kept)))):
        yield kept, stretch


def _judge_stretch(
    connection: Connection, lake: Lake, units: tuple[Sequence[Logged], Days], now: datetime
) -> Iterator[Judged]:
    kept, days = units
    summed = Summed.asked(connection, lake, days, now)
    dates, in_force = [Days(day, day, days.timezone) for day in days.each()], cache(policies().in_force)
    claimed, terms = claims.claimed(connection, days.first, days.last), incentives.rules(connection).terms
    ids = {(one.kept.plan.id, day.first): unit_id(one.kept.plan.id, day.first) for one in kept for day in dates}
    made = promises_of(connection, ids.values())
    for (history, changes), log in kept:
        for one_day in dates:
            day = one_day.first
            plan = owing(terms, plan_of_day(history, changes, one_day), day)
            case = in_force(plan.policy, day), log, summed.figures(history, day)
            one = judged(plan, unit_of(plan, day), case, made.get(ids[plan.id, day], []), now)
            back = given_back(connection, lake, one.unit, now) if (plan.id, day) in claimed else None
            yield beside_claims(one, back) if back else one


class Summed(NamedTuple):
    """What the facts of some days add up to by plan and day: what counts (of promoted orders alone or of all, added up
    when first asked for), and what was invalid.
    """

    counted: Callable[[bool], Mapping[tuple[int, date], list[Counted]]]
    invalid: Mapping[tuple[int, date], Invalid]

    @classmethod
    def asked(cls, connection: Connection, lake: Lake, days: Days, now: datetime) -> Summed:
        """The sums of the facts received before `now`."""
        answer = lake.query(connection, plan_day(days), as_of=now)
        counted = cache(lambda promoted_only: dict(counted_of(answer, promoted_only)))
        return cls(counted, invalid_of(lake.query(connection, plan_day_invalid(days), as_of=now)))

    def figures(self, history: Sequence[Plan], day: date) -> Figures:
        """What a plan of that history is judged by."""
        plan = history[-1]
        rows = self.counted(plan.counting is Counting.ATTRIBUTED).get((plan.id, day), ())
        found = figures_of(rows, history)
        invalid = self.invalid.get((plan.id, day))
        return found._replace(spend=found.spend - invalid.counted) if invalid else found


def _pieces(days: Days, count: int) -> Iterator[Days]:
    """The days, so many at a time."""
    dates = list(days.each())
    for first in range(0, len(dates), count):
        yield Days(dates[first], dates[min(first + count, len(dates)) - 1], days.timezone)


def judge_units(connection: Connection, lake: Lake, units: Collection[tuple[int, date]], now: datetime) -> list[Judged]:
    """The verdicts on these plans' days, as `judge_days` gives them, in the order of days and plans."""
    zones = {kept.plan.id: kept.plan.timezone for kept in plans.load_all(connection)}
    found: list[Judged] = []
    for timezone in sorted({zones[plan_id] for plan_id, _ in units}):
        for days in _stretches(sorted({day for plan_id, day in units if zones[plan_id] == timezone}), timezone):
            found += [one for one in judge_days(connection, lake, days, now) if (one.plan_id, one.day) in units]
    return sorted(found, key=lambda one: (one.day, one.plan_id))


def _stretches(days: Sequence[date], timezone: str) -> Iterator[Days]:
    """Ascending days as stretches without a gap."""
    first = 0
    for place, day in enumerate(days):
        if place + 1 == len(days) or days[place + 1] - day > timedelta(days=1):
            yield Days(days[first], day, timezone)
            first = place + 1


def plan_id_of(connection: Connection, unit: OpenUnit) -> int:
    """The plan that a unit is about."""
    return unit.subject if unit.type == PLAN_DAY else boosts.load(connection, unit.subject).plan_id


def judged(plan: Plan, unit: Unit, case: tuple[Policy, Log, Figures], made: Sequence[Promise], now: datetime) -> Judged:
    """The verdict on a unit by its policy, log and figures, beside what was promised for it."""
    policy, log, found = case
    verdict = judge(policy, unit, log, found, microseconds(now))
    paid = sum(one.paid for one in made)
    pending = sum(one.standing for one in made) - paid
    return Judged(plan, unit, policy, verdict, paid, pending, status(verdict, [paid]))


def beside_claims(one: Judged, back: GivenBack) -> Judged:
    """The same, knowing what claims gave back: that part of a compensation counts as paid."""
    found = replace(one, given_back=back)
    return replace(found, status=status(one.verdict, [one.paid, one.verdict.compensation - found.due]))


def figures_of(rows: Sequence[Counted], history: Sequence[Plan], target: TargetOf = target_of) -> Figures:
    """The sums of a unit under each version of its plan, read by the goal and target that version had; `target`: of a
    boost its own.
    """
    periods = []
    for row in rows:
        plan = history[row.target_version]
        net = plan.goal is Goal.NET
        orders, gmv = (row.net_orders, row.net_gmv) if net else (row.payment_orders, row.payment_gmv)
        periods.append(Period(plan.goal, target(plan), orders, gmv))
    return Figures(sum(row.spend for row in rows), tuple(periods))
