"""The guarantee of a plan as a calendar: what each of its days stands at, and when it is judged and paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from qianheng.actions.desk import Desk
from qianheng.actions.standing import Standing, standings
from qianheng.core.days import is_working_day, moment
from qianheng.core.errors import NotFound
from qianheng.core.money import Micros
from qianheng.guarantee.reasons import Reason, Status
from qianheng.guarantee.timeline import Because, credit_days, due_at
from qianheng.ledger.months import Month, month_of


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day of a plan's guarantee. `stake` is what is due, or would be, or was forgone; `pay_on` the working day it is
    to be paid on, `paid_on` the day it was. Nothing is known (`status` `None`) of a day without facts.
    """

    day: date
    works: bool
    status: Status | None = None
    reason: Reason | None = None
    spend: Micros = 0
    roi: Fraction | None = None
    target: Fraction | None = None
    stake: Micros = 0
    judged_on: date | None = None
    pay_on: date | None = None
    paid_on: date | None = None


def calendar(desk: Desk, plan_id: int, month: Month | None = None) -> list[CalendarDay]:
    """Every day of a month of a plan (default: the last one with spend, else that something is known of), at the
    desk's now.

    No such plan in the actor's shop, or nothing known of it: NotFound.
    """
    known = {one.judged.day: one for one in standings(desk, plan_id)}
    if month is None and not known:
        raise NotFound("calendar.nothing", place="--plan", value=plan_id)
    spent = [day for day, one in known.items() if one.judged.verdict.sums.spend]
    days = (month or month_of(max(spent or known))).days()
    return [_of(known[day]) if day in known else CalendarDay(day, is_working_day(day)) for day in days]


def _of(one: Standing) -> CalendarDay:
    verdict, unit, rules = one.judged.verdict, one.judged.unit, one.judged.policy.rules
    last = one.moves[-1] if one.moves else None
    covered = rules is not None and verdict.judged_at is not None
    paid = [move.at for move in one.moves if move.because is Because.PAID]
    judged = due_at(one.judged.policy, unit)
    return CalendarDay(
        day=one.judged.day,
        works=is_working_day(one.judged.day),
        status=last.status if last else verdict.status,
        reason=last.reason if last else verdict.reason,
        spend=verdict.sums.spend,
        roi=verdict.sums.actual_roi,
        target=verdict.sums.weighted_target,
        stake=one.compensation or verdict.forgone or 0,
        judged_on=moment(judged, unit.timezone).date() if covered else None,
        pay_on=credit_days(rules, unit, judged)[0] if rules and one.compensation else None,
        paid_on=moment(paid[-1], unit.timezone).date() if paid else None,
    )
