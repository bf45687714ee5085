"""What a plan may spend in a day, given its budgets by day, week and life, and what went before (SPEC 4.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from qianheng.core.money import Micros
from qianheng.plans.plan import Plan

DAYS_OF_WEEK = 7


@dataclass(frozen=True, slots=True)
class Used:
    """What a plan spent before today: since Monday, and in all its life; micro-yuan."""

    week: Micros = 0
    life: Micros = 0


NOTHING = Used()


@dataclass(frozen=True, slots=True)
class Lease:
    """Money held for a plan's day, micro-yuan, and what it had spent before."""

    amount: Micros
    used: Used


def allowance(plan: Plan, used: Used, day: date) -> Micros:
    """The most a plan may spend on a natural day of its zone, micro-yuan: the least of what its budgets leave.

    The weekly budget is spread over the days the week still has, so what one day leaves unspent goes to the next ones.
    """
    days_left = DAYS_OF_WEEK - day.weekday()
    limits = [plan.budget_daily]
    if plan.budget_weekly is not None:
        limits.append((plan.budget_weekly - used.week) // days_left)
    if plan.budget_total is not None:
        limits.append(plan.budget_total - used.life)
    return max(min(limits), 0)


def monday(day: date) -> date:
    """The first day of the natural week."""
    return day - timedelta(days=day.weekday())
