"""From verdict to money: when a unit is credited, what is to be paid, and what later facts correct (SPEC 5.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from qianheng.core.days import add_working_days, day_of, moment
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.guarantee.case import Unit
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.verdict import Status, Verdict, judgement


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
    from_day = day_of(moment(now if paid else judgement(policy.rules, unit)), unit.timezone)
    first, last = (add_working_days(from_day, count) for count in policy.rules.credit_days)
    return Payment(compensation_id(policy, unit, len(paid)), unit.plan_id, unit.day, due, first, last)


def status(verdict: Verdict, posted: Sequence[Micros]) -> Status:
    """The status with the ledger in view: `compensated` once the posted transfers cover what is due (SPEC 5.4)."""
    covered = verdict.final and 0 < verdict.compensation <= sum(posted)
    return Status.COMPENSATED if covered else verdict.status
