"""A plan's change log as its guarantee sees it: the targets in force, the events, and the plan as it was that day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

from qianheng.core.days import microseconds
from qianheng.guarantee.case import Event, Log, PlanEvent, Target, Unit
from qianheng.measures.days import Days
from qianheng.plans.plan import BidMode, Plan, PlanChange, PlanStatus

BEGUN = 0  # a plan's first target is older than any of its days
_EVENTS = {PlanStatus.PAUSED: Event.PAUSE, PlanStatus.ACTIVE: Event.RESUME, PlanStatus.DELETED: Event.DELETE}


def unit_of(plan: Plan, day: date) -> Unit:
    """What the guarantee judges of a plan: that day of it."""
    rate = plan.commission_rate or None
    return Unit(str(plan.id), day, plan.kind, plan.bid_mode, plan.timezone, rate)


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


def _event(before: PlanStatus, after: PlanStatus) -> Event | None:
    """A draft that is begun is not restarted."""
    begun = before is PlanStatus.DRAFT and after is PlanStatus.ACTIVE
    return None if after is before or begun else _EVENTS[after]


def target_of(plan: Plan) -> Fraction | None:
    """A plan's target, exactly; `None` where it has none."""
    return None if plan.target is None else Fraction(plan.target)
