"""What a scenario changes of its plans, day by day: entered in the change log, or refused and why (SPEC 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy import Connection

from qianheng.actions.driver import TimedPlan
from qianheng.core.actors import SCENARIO
from qianheng.core.days import day_of, microseconds, midnight
from qianheng.core.errors import Refused
from qianheng.core.money import ratio
from qianheng.experiments.designs import running
from qianheng.measures.days import Days
from qianheng.measures.query import counted_of, plan_day
from qianheng.plans import rules
from qianheng.plans.marketplace import Marketplace, Promotion
from qianheng.plans.plan import Counting, Goal, Plan, PlanChange, apply, change
from qianheng.simulator.planned import TimedChange
from qianheng.simulator.scenario import Scenario
from qianheng.store import experiments, plans
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
    """All changes of a day in order of time, and those that were refused. The scenario's are entered in the change log
    unless they are in it already (the run was killed); what a person entered stands there before the day is lived.
    """
    market, refused = marketplace_of(scenario), list[RefusedChange]()
    for timed in scenario.timed_changes():
        if day_of(timed.at, scenario.timezone) != day:
            continue
        try:
            _enter(connection, lake, market, timed)
        except Refused as refusal:
            refused.append(RefusedChange(microseconds(timed.at), timed.plan_id, str(refusal)))
    return _made_in(connection, Days(day, day, scenario.timezone)), refused


def marketplace_of(scenario: Scenario) -> Marketplace:
    """The marketplace that a scenario's plans live in."""
    first = scenario.first_day
    promotions = tuple(
        Promotion(first + timedelta(days=one.first - 1), first + timedelta(days=one.last - 1))
        for one in scenario.promotions
    )
    products = {str(shop.id): tuple(product.id for product in shop.products) for shop in scenario.shops}
    creatives = {str(product): ids for product, ids in scenario.creatives().items()}
    return Marketplace(scenario.marketplace, promotions, products, creatives)


def check_change(connection: Connection, lake: Lake, market: Marketplace, before: Plan, made: PlanChange) -> None:
    """Refuse a change of a plan that the marketplace does not allow; all reasons at once."""
    after, day, names = apply(before, made), day_of(made.at, before.timezone), [name for name, _ in made.after]
    found = market.faults(after, names)
    if market.promotes(day):
        lately = Days(day - timedelta(days=market.allowed.promotion.days), day - timedelta(days=1), before.timezone)
        achieved = _achieved_roi(connection, lake, before, lately)
        found += filter(None, [rules.below_floor(before, after, achieved, market.allowed)])
    rules.check(found, after)


def check_tests(connection: Connection, plan: Plan, test: str = "") -> None:
    """Refuse what would change an arm of a running test but through that test: its figures would mean nothing."""
    found = running(experiments.every(connection, plan.shop_id), plan.id)
    if found is not None and found.name != test:
        raise Refused("designs.through_the_test", place=f"plan {plan.id}", test=found.name)


def _enter(connection: Connection, lake: Lake, market: Marketplace, timed: TimedChange) -> None:
    """Write down what the scenario changes of a plan. What the marketplace does not allow, or a running
    test of the plan: Refused.
    """
    entered = {entry.at for entry in plans.log(connection, timed.plan_id) if entry.actor == SCENARIO.name}
    if timed.at in entered:
        return
    now = plans.load(connection, timed.plan_id)
    made = change(now.plan, now.version + 1, timed.at, SCENARIO.name, "", **timed.after)
    check_tests(connection, now.plan)
    check_change(connection, lake, market, now.plan, made)
    plans.append(connection, made)


def _made_in(connection: Connection, days: Days) -> list[TimedPlan]:
    """The plans as they became in some days, in order of time."""
    found = [
        TimedPlan(at, plan, made.version)
        for kept in plans.load_all(connection)
        for made, plan in zip(
            plans.log(connection, kept.plan.id), plans.history(connection, kept.plan.id)[1:], strict=True
        )
        if days.since <= (at := microseconds(made.at)) < days.until
    ]
    return sorted(found, key=lambda timed: (timed.at, timed.plan.id, timed.version))


def _achieved_roi(connection: Connection, lake: Lake, plan: Plan, days: Days) -> Fraction | None:
    """The ROI a plan achieved on some days under its goal, boosts left out, as known when the last of them ended; of
    the sums of all days, `None` without spend.
    """
    now = midnight(days.last + timedelta(days=1), days.timezone)
    rows = counted_of(lake.query(connection, plan_day(days), as_of=now), plan.counting is Counting.ATTRIBUTED)
    counted = [row for (plan_id, _), found in rows if plan_id == plan.id for row in found]
    gmv = sum(row.net_gmv if plan.goal is Goal.NET else row.payment_gmv for row in counted)
    return ratio(gmv, sum(row.spend for row in counted))
