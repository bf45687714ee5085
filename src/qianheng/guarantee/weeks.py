"""A week of maximum delivery: which of its days are effective, and the figures of those (SPEC 5.1).

A day is effective if something was spent, its budget was one of those suggested all day (with one suggestion it was not
changed at all, with several it was switched between them at most once), and the minimum expected ROI was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from qianheng.core.money import Micros
from qianheng.guarantee.case import Budget, DaySpend, Log, WeekUnit
from qianheng.guarantee.figures import Figures
from qianheng.guarantee.policy import Rules, WeekRule
from qianheng.guarantee.reasons import Sums, exact
from qianheng.guarantee.targets import in_force


class Ineffective(StrEnum):
    """Why a day is not effective, in precedence."""

    NOTHING_SPENT = "nothing_spent"
    NO_MINIMUM = "no_minimum"
    OFF_SUGGESTION = "off_suggestion"
    BUDGET_CHANGED = "budget_changed"


def days_of(unit: WeekUnit, log: Log, found: Figures, now: int) -> dict[date, Ineffective | None]:
    """Each day of the week, and why it is not effective; `None` for one that is."""
    budgets = _known_budgets(log, now)
    days: dict[date, Ineffective | None] = {}
    for number, window in enumerate(unit.day_windows):
        day = unit.day + timedelta(number)
        periods = [period for period in found.periods if period.day == day]
        if sum(period.spend for period in periods) <= 0:
            days[day] = Ineffective.NOTHING_SPENT
        elif any(period.target is None for period in periods):
            days[day] = Ineffective.NO_MINIMUM
        else:
            days[day] = _off(budgets, window)
    return days


def add_week(rules: Rules, unit: WeekUnit, log: Log, found: Figures, now: int) -> Sums:
    """The effective days added up; what was promised is GMV over the minimum expected ROI, weighted by spend."""
    days = days_of(unit, log, found, now)
    effective = [day for day, why_not in days.items() if why_not is None]
    periods = [period for period in found.periods if period.day in effective]
    spend, gmv = sum(period.spend for period in periods), sum(period.gmv for period in periods)
    weighted = sum((period.spend * (period.target or Fraction(0)) for period in periods), Fraction(0))
    promised = gmv * spend / weighted if weighted else Fraction(0)
    orders = sum(period.orders for period in periods)
    return Sums(spend, orders, gmv, promised, promised / exact(rules.pay_ratio), effective_days=len(effective))


def largest_account_spend(rule: WeekRule, spent: Sequence[DaySpend], first_day: date) -> Micros:
    """The most that an account spent in so many consecutive days, all before the Monday at or before `first_day`.

    Of one day told twice the first stands.
    """
    before = first_day - timedelta(days=first_day.weekday())
    by_day: dict[date, Micros] = {}
    for told in spent:
        if rule.account_since <= told.day < before:
            by_day.setdefault(told.day, told.amount)
    spans = [(day, day + timedelta(days=rule.account_days)) for day in by_day]
    return max((sum(a for day, a in by_day.items() if start <= day < end) for start, end in spans), default=0)


def _known_budgets(log: Log, now: int) -> list[Budget]:
    """In order of time; of two at the same time the later in the file stands."""
    by_time = {budget.at: budget for budget in log.budgets if budget.at <= now}
    return [by_time[at] for at in sorted(by_time)]


def _off(budgets: Sequence[Budget], window: tuple[int, int]) -> Ineffective | None:
    start, end = window
    of_day = in_force(budgets, window)
    if not of_day or any(budget.amount not in budget.suggested for budget in of_day):
        return Ineffective.OFF_SUGGESTION
    switches = sum(a.amount != b.amount for a, b in pairwise(budgets) if start <= b.at < end)
    allowed = int(all(len(set(budget.suggested)) > 1 for budget in of_day))
    return Ineffective.BUDGET_CHANGED if switches > allowed else None
