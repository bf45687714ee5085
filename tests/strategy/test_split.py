"""The budget is split by the account's age, in yuan that add up exactly."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.plans.plan import Goal
from qianheng.strategy.rules import SplitRules, advice_rules
from qianheng.strategy.split import advise_split
from tests.strategy.histories import NOW, history, settings, yuan

RULES: SplitRules = advice_rules().split


@pytest.mark.parametrize(
    ("age", "stage", "payment"),
    [
        (0, "cold_start", "0.80"),
        (29, "cold_start", "0.80"),
        (30, "growth", "0.50"),
        (89, "growth", "0.50"),
        (90, "mature", "0.30"),
        (900, "mature", "0.30"),
    ],
)
def test_the_stage_of_the_account_decides(age: int, stage: str, payment: str) -> None:
    told = advise_split(history(yuan(spend=500), opened=NOW.date() - timedelta(days=age)), RULES)
    (split,) = [one for one in told.splits if one.advised]
    assert (told.stage, split.parts[0].share) == (stage, Fraction(payment))
    assert [part.amount for part in split.parts] == [
        Fraction(payment) * 1_000_000_000,
        (1 - Fraction(payment)) * 1_000_000_000,
    ]


def test_other_splits_in_use_stand_beside_it() -> None:
    told = {one.key: one.parts[0].share for one in advise_split(history(yuan(spend=500)), RULES).splits}
    assert told["growth_variant"] == told["steady"] == Fraction(2, 5)
    assert told["settled"] == Fraction(4, 5)


@given(budget=st.integers(1, 10**6))
def test_the_parts_add_up_to_the_budget(budget: int) -> None:
    plan = {"settings": settings((9, Goal.NET, "3"), budget=budget)}
    told = advise_split(history(yuan(spend=1), plan=plan), RULES)
    for split in told.splits:
        assert sum(part.amount or 0 for part in split.parts) == told.budget == budget * 1_000_000


def test_without_budgets_the_mean_spend_is_split_and_without_either_it_is_named() -> None:
    told = advise_split(history(yuan(spend=500), plan={"settings": ()}), RULES)
    assert (told.budget, told.budget_is, told.stage, told.missing) == (500_000_000, "mean_spend", None, ("opened",))
    assert advise_split(history(yuan(), plan={"settings": ()}), RULES).missing == ("opened", "budget_daily")


@pytest.mark.parametrize(
    ("days", "week", "key"), [(3, 1, "exploration"), (7, 2, "stable"), (27, 4, "stable"), (28, 5, "mature")]
)
def test_a_plan_is_in_a_week_of_its_life(days: int, week: int, key: str) -> None:
    (told,) = advise_split(history(yuan(spend=500), days), RULES).weeks
    assert (told.week, told.key) == (week, key)
