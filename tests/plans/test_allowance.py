"""A day's allowance is the least of what the budgets leave; no cycle is overspent, whatever changes on the way."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.plans.allowance import NOTHING, Used, allowance, monday
from qianheng.plans.plan import Goal, Plan, PlanKind

MONDAY = date(2025, 9, 8)
PLAN = Plan(1, 1, 1, "p", PlanKind.PRODUCT, Goal.NET, Decimal(2), 300, (11,))


@pytest.mark.parametrize(
    ("weekly", "total", "used", "weekday", "allowed"),
    [
        (None, None, NOTHING, 0, 300),
        (1400, None, NOTHING, 0, 200),  # spread over seven days
        (1400, None, Used(200, 200), 1, 200),
        (1400, None, Used(0, 0), 1, 233),  # what Monday left goes to the others
        (1400, None, Used(1300, 1300), 6, 100),  # Sunday may take all that is left
        (1400, None, Used(0, 0), 6, 300),  # but not more than a day's budget
        (1400, None, Used(1500, 1500), 6, 0),
        (None, 1000, Used(100, 900), 3, 100),
        (None, 1000, Used(100, 1100), 3, 0),
        (1400, 1000, Used(0, 950), 0, 50),
    ],
)
def test_the_least_of_all_budgets_holds(
    weekly: int | None, total: int | None, used: Used, weekday: int, allowed: int
) -> None:
    plan = replace(PLAN, budget_weekly=weekly, budget_total=total)
    assert allowance(plan, used, MONDAY + timedelta(days=weekday)) == allowed


def test_the_week_begins_on_monday() -> None:
    assert [monday(MONDAY + timedelta(days=days)) for days in (-1, 0, 6, 7)] == [
        MONDAY - timedelta(days=7),
        MONDAY,
        MONDAY,
        MONDAY + timedelta(days=7),
    ]


BUDGETS = st.tuples(st.integers(0, 1000), st.none() | st.integers(0, 3000), st.none() | st.integers(0, 9000))
MOMENTS = st.lists(st.tuples(BUDGETS, st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


@given(MOMENTS)
def test_no_cycle_is_overspent_whatever_the_budgets_become(
    moments: list[tuple[tuple[int, int | None, int | None], float, bool]],
) -> None:
    """At each moment the budgets become something, and part of what is then allowed is spent; some days pass."""
    day, today, week, life = MONDAY, 0, 0, 0
    for (daily, weekly, total), share, passes in moments:
        plan = replace(PLAN, budget_daily=daily, budget_weekly=weekly, budget_total=total)
        left = max(allowance(plan, Used(week, life), day) - today, 0)
        if spend := int(left * share):
            today += spend
            assert today <= daily
            assert weekly is None or week + today <= weekly
            assert total is None or life + today <= total
        if passes:
            day, life = day + timedelta(days=1), life + today
            week, today = (0 if day.weekday() == 0 else week + today), 0


@given(st.integers(0, 10**6), st.lists(st.floats(0, 1), min_size=7, max_size=7))
def test_a_week_that_spends_what_it_may_on_its_last_day_spends_it_all(weekly: int, shares: list[float]) -> None:
    """Nothing that a day leaves is lost to the week."""
    plan, used = replace(PLAN, budget_daily=10**9, budget_weekly=weekly), 0
    for number, share in enumerate([*shares[:6], 1.0]):
        used += int(allowance(plan, Used(used, used), MONDAY + timedelta(days=number)) * share)
    assert used == weekly
