"""The time line of a unit: its statuses and when each began, when it is judged and credited, what is to be paid, and
what later facts correct (SPEC 5.4, 5.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from qianheng.core.days import add_working_days, day_of, moment
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.guarantee.case import Log, Unit
from qianheng.guarantee.figures import Figures
from qianheng.guarantee.policy import Policy, Rules
from qianheng.guarantee.reasons import Reason, Status
from qianheng.guarantee.verdict import Verdict, judge, judgement


@dataclass(frozen=True, slots=True)
class Payment:
    """Money to be credited for a plan's day; negative where a correction takes back. `id` is its idempotency key.

    It is due on `due_on`, the first working day after judgement, and overdue after `due_by`.
    """

    id: int
    plan_id: str
    day: date
    amount: Micros
    due_on: date
    due_by: date


class Because(StrEnum):
    """What moved a unit to another status."""

    DAY_BEGAN = "day_began"
    PLAN_CHANGED = "plan_changed"
    DAY_ENDED = "day_ended"
    JUDGED = "judged"
    CORRECTED = "corrected"
    PAID = "paid"


class Said(NamedTuple):
    """A verdict as it was given at a time (UTC microseconds)."""

    at: int
    status: Status
    reason: Reason | None
    compensation: Micros


class Posting(NamedTuple):
    """Credit that came for a unit at a time (UTC microseconds), below zero where it was taken back."""

    at: int
    amount: Micros


class Record(NamedTuple):
    """What was said of a unit and paid for it, each in the order of time."""

    said: tuple[Said, ...] = ()
    posted: tuple[Posting, ...] = ()


class Move(NamedTuple):
    """A unit came to a status at a time (UTC microseconds), and what moved it; `reason` as in its verdict."""

    at: int
    status: Status
    because: Because
    reason: Reason | None = None


def moves(policy: Policy, unit: Unit, log: Log, record: Record, now: int) -> list[Move]:
    """Every status a unit has had until `now`, oldest first; none before its day. Pure: a fold over what was done to
    the plan, what was said and what was paid.
    """
    found: list[Move] = []
    for move in (*_in_its_day(policy, unit, log, now), *_afterwards(record, now)):
        if not found or (move.status, move.reason) != (found[-1].status, found[-1].reason):
            found.append(move)
    return found


def _in_its_day(policy: Policy, unit: Unit, log: Log, now: int) -> Iterator[Move]:
    """The statuses of the day itself: they hang on the change log alone, whatever is sold."""
    start, end = unit.window
    changes = {target.at for target in log.targets} | {event.at for event in log.events}
    status = Status.NONE
    for at in sorted({start, *(at for at in changes if start < at < end)}):
        if at <= now:
            verdict = judge(policy, unit, log, Figures(0, ()), at)
            status = verdict.status
            yield Move(at, status, Because.DAY_BEGAN if at == start else Because.PLAN_CHANGED, verdict.reason)
    if status is Status.IN_EFFECT and now >= end:
        yield Move(end, Status.CONFIRMING, Because.DAY_ENDED)


def _afterwards(record: Record, now: int) -> Iterator[Move]:
    """What verdicts and payments made of it; of one instant the verdict comes first."""
    said: Said | None = None
    paid = 0
    events: list[Said | Posting] = [*record.said, *record.posted]
    for event in sorted(events, key=lambda one: (one.at, isinstance(one, Posting))):
        if event.at > now:
            return
        if isinstance(event, Posting):
            paid += event.amount
            because = Because.PAID
        else:
            because = Because.CORRECTED if said else Because.JUDGED
            said = event
        if said:
            covered = 0 < said.compensation <= paid
            yield Move(event.at, Status.COMPENSATED if covered else said.status, because, said.reason)


def compensation_id(policy: Policy, unit: Unit, corrections: int = 0) -> int:
    """The id of the compensation of a plan's day, or of its n-th correction: the same however often it is asked for."""
    origin = ("compensation", *unit.key, policy.name)
    return stable_id(*origin, corrections) if corrections else stable_id(*origin)


def due_at(policy: Policy, unit: Unit) -> int:
    """When a unit is judged (UTC microseconds): where nothing is promised, once its day is over."""
    return judgement(policy.rules, unit) if policy.rules else unit.window[1]


def payment(policy: Policy, unit: Unit, verdict: Verdict, paid: Sequence[Micros], now: int) -> Payment | None:
    """What is to be paid for a unit beyond the transfers made so far (`paid`, pending or posted), or `None`.

    Nothing before judgement. The first is due from the day of judgement, a correction from the day of `now`. Asked
    again before the transfer is recorded it gives the same id; asked afterwards it gives `None`: never paid twice.
    """
    if policy.rules is None or not verdict.final:
        return None
    due = verdict.compensation - sum(paid)
    if due == 0:
        return None
    first, last = credit_days(policy.rules, unit, now if paid else judgement(policy.rules, unit))
    return Payment(compensation_id(policy, unit, len(paid)), unit.plan_id, unit.day, due, first, last)


def credit_days(rules: Rules, unit: Unit, since: int) -> tuple[date, date]:
    """The first day that credit confirmed at a time is due on, and the last that is not overdue: working days."""
    from_day = day_of(moment(since), unit.timezone)
    first, last = (add_working_days(from_day, count) for count in rules.credit_days)
    return first, last


def status(verdict: Verdict, posted: Sequence[Micros]) -> Status:
    """The status with the ledger in view: `compensated` once the posted transfers cover what is due (SPEC 5.4)."""
    covered = verdict.final and 0 < verdict.compensation <= sum(posted)
    return Status.COMPENSATED if covered else verdict.status
