"""What a scenario changes of its plans, day by day: entered in the change log, or refused and why (SPEC 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy import Connection

from qianheng.actions.driver import TimedPlan
from qianheng.core.days import day_of, microseconds, midnight
from qianheng.core.errors import Refused
from qianheng.core.money import ratio
from qianheng.measures.days import Days
from qianheng.measures.query import counted_of, plan_day
from qianheng.plans import rules
from qianheng.plans.plan import Counting, Goal, Plan, apply, change
from qianheng.simulator.planned import TimedChange
from qianheng.simulator.scenario import Scenario
from qianheng.store import plans
from qianheng.store.lake import Lake


@dataclass(frozen=True, slots=True)
class RefusedChange:
    """A change that a plan's owner wanted and the rules did not allow; the plan stayed as it was."""

    at: int
    plan_id: int
    why: str


def make_changes(
    connection: Connection, lake: Lake, scenario: Scenario, day: date
) -> tuple[list[TimedPlan], list[RefusedChange]]:
    """The scenario's changes of a day, in order of time, entered in the change log unless they are in it already
    (the run was killed), and those that were refused.
    """
    made, refused = [], []
    for timed in scenario.timed_changes():
        if day_of(timed.at, scenario.timezone) != day:
            continue
        entered = {entry.at: entry.version for entry in plans.log(connection, timed.plan_id)}
        try:
            version = entered.get(timed.at) or _enter(connection, lake, (scenario, day), timed)
        except Refused as refusal:
            refused.append(RefusedChange(microseconds(timed.at), timed.plan_id, str(refusal)))
            continue
        after = plans.history(connection, timed.plan_id)[version]
        made.append(TimedPlan(microseconds(timed.at), after, version))
    return made, refused


def _enter(connection: Connection, lake: Lake, when: tuple[Scenario, date], timed: TimedChange) -> int:
    """Write down a change of a plan; its version. What the marketplace does not allow: Refused."""
    scenario, day = when
    now, allowed = plans.load(connection, timed.plan_id), rules.load_rules(scenario.marketplace)
    entry = change(now.plan, now.version + 1, timed.at, "scenario", "", **timed.after)
    after = apply(now.plan, entry)
    found = rules.faults(after, allowed, timed.after)
    if scenario.promotes(day):
        before = Days(day - timedelta(days=allowed.promotion.days), day - timedelta(days=1), scenario.timezone)
        achieved = _achieved_roi(connection, lake, now.plan, before)
        found += filter(None, [rules.below_floor(now.plan, after, achieved, allowed)])
    rules.check(found, after)
    return plans.append(connection, entry).version


def _achieved_roi(connection: Connection, lake: Lake, plan: Plan, days: Days) -> Fraction | None:
    """The ROI a plan achieved on some days under its goal, boosts left out, as known when the last of them ended; of
    the sums of all days, `None` without spend.
    """
    now = midnight(days.last + timedelta(days=1), days.timezone)
    rows = counted_of(lake.query(connection, plan_day(days), as_of=now), plan.counting is Counting.ATTRIBUTED)
    counted = [row for (plan_id, _), found in rows if plan_id == plan.id for row in found]
    gmv = sum(row.net_gmv if plan.goal is Goal.NET else row.payment_gmv for row in counted)
    return ratio(gmv, sum(row.spend for row in counted))
