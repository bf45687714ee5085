"""Weekly and total budgets in whole runs: kept to the micro-yuan by facts and ledger, whatever changes on the way."""

from datetime import date
from pathlib import Path

import pytest

from qianheng.actions.simulation import run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary import PlanRun
from qianheng.core.money import YUAN
from tests.actions.runs_for_tests import request

LONG = {"days": "6", "opportunities_per_day": "1500", "plans.1.changes": "[]", "first_day": "2025-09-12"}  # a Friday


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> PlanRun:
    """A plan of a small week's budget, raised on the new week's Tuesday, and of a total that ends it."""
    changes = '[{ day = 5, time = "12:00", field = "budget_weekly", value = "84" }]'
    limits = {"plans.0.budget_weekly": "42", "plans.0.budget_total": "70", "plans.0.changes": changes}
    run = run_simulation(request(tmp_path_factory.mktemp("runs"), **LONG, **limits))
    return summarise(run).plans[0]


def test_no_week_and_no_life_is_overspent(plan: PlanRun) -> None:
    spend = {day.day: day.sums.spend for day in plan.days}
    first_week = sum(amount for day, amount in spend.items() if day < date(2025, 9, 15))
    assert 40 * YUAN < first_week <= 42 * YUAN
    assert sum(spend.values()) <= 70 * YUAN
    assert sum(spend.values()) > 68 * YUAN


def test_the_weeks_budget_is_spread_over_its_days(plan: PlanRun) -> None:
    friday, saturday, sunday, monday, *_ = (day.sums.spend for day in plan.days)
    assert max(friday, saturday, sunday) <= 16 * YUAN
    assert min(friday, saturday, sunday) > 12 * YUAN
    assert 4 * YUAN < monday <= 6 * YUAN


def test_a_week_raised_in_its_midst_spends_more_from_then_on(plan: PlanRun) -> None:
    before, after = (
        sum(hour.spend for hour in plan.hours if hour.at.day == 16 and (hour.at.hour >= 12) == late)
        for late in (False, True)
    )
    assert after > before


def test_a_total_cut_below_what_is_spent_stops_at_once(tmp_path: Path) -> None:
    cut = '[{ day = 2, time = "12:00", field = "budget_total", value = "1" }]'
    run = run_simulation(request(tmp_path, **{**LONG, "days": "3", "plans.0.changes": cut}))
    hours = summarise(run).plans[0].hours
    assert sum(hour.spend for hour in hours if hour.at.day == 12) > 0
    assert all(hour.spend == 0 for hour in hours if (hour.at.day, hour.at.hour) >= (13, 12))
