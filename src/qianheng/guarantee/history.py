"""A plan's change log as its guarantee sees it: the targets in force, the events, and the plan as it was that day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

from qianheng.core.days import microseconds
from qianheng.guarantee.case import BoostUnit, Event, Log, PlanEvent, Target, Unit
from qianheng.measures.days import Days
from qianheng.plans.boost import Boost
from qianheng.plans.plan import BidMode, Plan, PlanChange, PlanStatus

BEGUN = 0  # a plan's first target is older than any of its days
_EVENTS = {PlanStatus.PAUSED: Event.PAUSE, PlanStatus.ACTIVE: Event.RESUME, PlanStatus.DELETED: Event.DELETE}


def unit_of(plan: Plan, day: date) -> Unit:
    """What the guarantee judges of a plan: that day of it."""
    rate = plan.commission_rate or None
    return Unit(str(plan.id), day, plan.kind, plan.bid_mode, plan.timezone, rate)


def boost_unit_of(plan: Plan, boost: Boost, day: date) -> BoostUnit:
    """What the guarantee judges of a boost, by its first-spend day. It holds its target, however the plan bids."""
    rate = plan.commission_rate or None
    return BoostUnit(str(plan.id), day, plan.kind, BidMode.TARGET_ROI, plan.timezone, rate, boost_id=str(boost.id))


def plan_of_day(history: Sequence[Plan], changes: Sequence[PlanChange], day: Days) -> Plan:
    """The plan as it was that day, whatever became of it later; under maximum delivery if it ever was in that day."""
    if not changes:
        return history[0]
    since = [BEGUN, *(microseconds(made.at) for made in changes)]
    in_force = [
        plan
        for plan, begins, ends in zip(history, since, [*since[1:], day.until], strict=True)
        if begins < day.until and ends > day.since
    ]
    return next((plan for plan in in_force if plan.bid_mode is BidMode.MAX_DELIVERY), in_force[-1])


def log_of(history: Sequence[Plan], changes: Sequence[PlanChange]) -> Log:
    """What the guarantee asks of a change log: the targets in force over time, pauses, restarts and the deletion."""
    targets = [Target(BEGUN, history[0].goal, target_of(history[0]))]
    events = []
    for made, (before, plan) in zip(changes, pairwise(history), strict=True):
        at = microseconds(made.at)
        if dict(made.after).keys() & {"goal", "target"}:
            targets.append(Target(at, plan.goal, target_of(plan)))
        if (event := _event(before.status, plan.status)) is not None:
            events.append(PlanEvent(at, event))
    return Log(tuple(targets), tuple(events))


def boost_log_of(history: Sequence[Plan], changes: Sequence[PlanChange], boost: Boost) -> Log:
    """What the guarantee of a boost asks of its plan's change log: its own target under the plan's goal from its start
    on, changes of the plan's target since, pauses, restarts and the deletion.
    """
    begun = sum(microseconds(made.at) <= boost.starts for made in changes)
    held = None if boost.target is None else Fraction(boost.target)
    targets = [Target(BEGUN, history[begun].goal, held)]
    events = list(log_of(history, changes).events)
    for made, (before, plan) in zip(changes[begun:], pairwise(history[begun:]), strict=True):
        at = microseconds(made.at)
        if plan.goal is not before.goal:
            targets.append(Target(at, plan.goal, held))
        elif plan.target != before.target:
            events.append(PlanEvent(at, Event.PLAN_TARGET_CHANGE))
    return Log(tuple(targets), tuple(events))


def _event(before: PlanStatus, after: PlanStatus) -> Event | None:
    """A draft that is begun is not restarted."""
    begun = before is PlanStatus.DRAFT and after is PlanStatus.ACTIVE
    return None if after is before or begun else _EVENTS[after]


def target_of(plan: Plan) -> Fraction | None:
    """A plan's target, exactly; `None` where it has none."""
    return None if plan.target is None else Fraction(plan.target)
