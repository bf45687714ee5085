"""The edit guard: what a change of a plan would do to the guarantee of its day, told before it is made (SPEC 4.4).

The day is judged with the change and without it, by the verdict itself, so that the two can never disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import combinations

from qianheng.core.days import MINUTE, day_of, microseconds, midnight, moment
from qianheng.core.errors import BadInput, Refused
from qianheng.core.money import Micros
from qianheng.guarantee.figures import Figures
from qianheng.guarantee.history import log_of, plan_of_day, unit_of
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.reasons import Reason, Status
from qianheng.guarantee.verdict import Verdict, judge
from qianheng.measures.days import Days
from qianheng.plans.plan import Plan, PlanChange, Value, apply, change

NOTHING_YET = Figures(0, ())
GUARDED = ("goal", "target", "bid_mode", "status")  # the fields of a plan that its guarantee looks at
DAYS_AHEAD = 2  # how far a safe time is sought: what today's changes forbid ends with tomorrow


class Effect(StrEnum):
    """What a change does to the guarantee of its day."""

    NOTHING = "nothing"
    VOID = "void"
    WILL_BE_VOID = "will_be_void"  # covered until it is judged, and then nothing will be due because of the change
    NOT_COVERED = "not_covered"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a plan when a change is weighed: it at every version of its change log, that log, the figures
    of its day so far, and which policy holds on a day.
    """

    history: tuple[Plan, ...]
    changes: tuple[PlanChange, ...]
    figures: Figures
    policy: Callable[[date], Policy]

    @property
    def plan(self) -> Plan:
        """The plan as it is."""
        return self.history[-1]

    def having(self, made: PlanChange) -> Known:
        """The same once a change is made."""
        return replace(self, history=(*self.history, apply(self.plan, made)), changes=(*self.changes, made))

    def verdict(self, at: datetime, figures: Figures) -> Verdict:
        """The verdict on the day of a time, as of then."""
        plan, day = self.plan, day_of(at, self.plan.timezone)
        that_day = plan_of_day(self.history, self.changes, Days(day, day, plan.timezone))
        log = log_of(self.history, self.changes)
        return judge(self.policy(day), unit_of(that_day, day), log, figures, microseconds(at))


@dataclass(frozen=True, slots=True)
class Weighed:
    """A change on the scales: its effect and why, the verdict without it and with it, and when it is safe.

    `safe_at`: the first time from now on (UTC microseconds) at which the change does nothing to the guarantee of its
    day; `None` if there is none. `smaller`: the largest part of the change that does nothing; `None` without one.
    """

    effect: Effect
    reason: Reason | None
    before: Verdict
    after: Verdict
    safe_at: int | None
    smaller: PlanChange | None

    @property
    def at_stake(self) -> Micros:
        """The compensation due so far, on the facts known, that the change would lose; micro-yuan."""
        return self.before.compensation if self.costs else 0

    @property
    def costs(self) -> bool:
        """Whether the change takes something away that was there: a day void or not covered already has nothing."""
        return self.effect is not Effect.NOTHING and self.before.status not in (Status.VOID, Status.NONE)


def weigh(known: Known, made: PlanChange) -> Weighed:
    """Weigh a change of the plan at its own time, which is not before the last entry of the change log."""
    before, after = _both(known, made)
    effect = _effect(before, after)
    reason = None if effect is Effect.NOTHING else _reason(after)
    safe_at = microseconds(made.at) if effect is Effect.NOTHING else _safe_at(known, made)
    return Weighed(effect, reason, before, after, safe_at, None if effect is Effect.NOTHING else _smaller(known, made))


def _both(known: Known, made: PlanChange, figures: Figures | None = None) -> tuple[Verdict, Verdict]:
    """The verdicts without and with a change, at its time."""
    found = known.figures if figures is None else figures
    return known.verdict(made.at, found), known.having(made).verdict(made.at, found)


def _effect(before: Verdict, after: Verdict) -> Effect:
    if after.status is Status.VOID:
        return Effect.VOID
    if after.status is Status.NONE:
        return Effect.NOTHING if before.status is Status.NONE else Effect.NOT_COVERED
    gained = _fails(after, Reason.COMMISSION_TOO_HIGH) and not _fails(before, Reason.COMMISSION_TOO_HIGH)
    return Effect.WILL_BE_VOID if gained else Effect.NOTHING


def _reason(after: Verdict) -> Reason:
    return after.reason or Reason.COMMISSION_TOO_HIGH


def _fails(verdict: Verdict, reason: Reason) -> bool:
    return any(check.reason is reason and not check.passed for check in verdict.checks)


def _safe_at(known: Known, made: PlanChange) -> int | None:
    """The first later time at which the change does nothing: what forbids it ends only at one of `_turns`."""
    for at in sorted(_turns(known, made)):
        if _does_nothing(known, replace(made, at=moment(at, known.plan.timezone))):
            return at
    return None


def _turns(known: Known, made: PlanChange) -> set[int]:
    """The times at which a policy may think otherwise: an earlier change becomes old enough, or a day begins."""
    now, today = microseconds(made.at), day_of(made.at, known.plan.timezone)
    days = [today + timedelta(days=number) for number in range(1, DAYS_AHEAD + 1)]
    begins = {microseconds(midnight(day, known.plan.timezone)) for day in days}
    gaps = {gap for day in (today, *days) for gap in _gaps(known.policy(day))}
    grown_old = {microseconds(entry.at) + gap for entry in known.changes for gap in gaps}
    return {at for at in begins | grown_old if at > now}


def _gaps(policy: Policy) -> Iterator[int]:
    """How far apart a policy wants changes, in microseconds, by each of its rules."""
    for rule in policy.rules.changes if policy.rules else ():
        if rule.gap_minutes is not None:
            yield rule.gap_minutes * MINUTE


def _does_nothing(known: Known, made: PlanChange) -> bool:
    return _effect(*_both(known, made, NOTHING_YET)) is Effect.NOTHING


def _smaller(known: Known, made: PlanChange) -> PlanChange | None:
    """The largest part of a change that does nothing to the guarantee and is still a change a plan can have."""
    after = dict(made.after)
    guarded = [name for name in after if name in GUARDED]
    for count in range(len(guarded) - 1, -1, -1):
        for chosen in combinations(guarded, count):
            part = _part(known.plan, made, {n: v for n, v in after.items() if n in chosen or n not in GUARDED})
            if part is not None and _does_nothing(known, part):
                return part
    return None


def _part(plan: Plan, made: PlanChange, after: Mapping[str, Value]) -> PlanChange | None:
    """The change with these values alone; `None` if there are none, or the plan cannot have them."""
    try:
        return change(plan, made.version, made.at, made.actor, made.reason, **after) if after else None
    except (BadInput, Refused):
        return None
