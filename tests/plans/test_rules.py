"""What a marketplace allows of plans is data, and a refusal tells every reason at once."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from qianheng.core.errors import BadInput, Refused
from qianheng.plans.plan import Goal, Plan, PlanKind
from qianheng.plans.rules import BUDGETS, SHIPPED, below_floor, check, faults, load_rules

PLAN = Plan(1, 1, 1, "推商品", PlanKind.PRODUCT, Goal.NET, Decimal("2.4"), 300_000_000, (11, 12))


def test_a_plan_within_the_minimums_is_allowed() -> None:
    check(faults(replace(PLAN, budget_daily=1_000_000, budget_total=1_000_000), load_rules("standard"), BUDGETS), PLAN)


def test_every_budget_below_its_minimum_is_told_at_once() -> None:
    with pytest.raises(Refused) as refusal:
        check(faults(replace(PLAN, budget_daily=999_999, budget_weekly=0), load_rules("standard"), BUDGETS), PLAN)
    said = str(refusal.value)
    assert all(part in said for part in ("budget_daily", "0.999999", "1.00", "budget_weekly", "7.00"))


def test_only_what_changes_is_checked() -> None:
    check(faults(replace(PLAN, budget_daily=0), load_rules("standard"), ["target"]), PLAN)


def test_a_marketplace_may_write_its_own_rules(tmp_path: Path) -> None:
    path = tmp_path / "strict.toml"
    text = (SHIPPED / "standard.toml").read_text(encoding="utf-8")
    path.write_text(text.replace("budget_daily = 1.00", "budget_daily = 300.00"), encoding="utf-8")
    with pytest.raises(Refused, match=r"300\.00"):
        check(faults(replace(PLAN, budget_daily=299_000_000), load_rules(str(path)), BUDGETS), PLAN)


def test_unknown_rules_are_told_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="standard"):
        load_rules("lax")


@pytest.mark.parametrize(
    ("target", "achieved", "refused"),
    [
        ("2.10", "3", False),  # 70 % of 3, exactly
        ("2.09", "3", True),
        ("2.3", "4", True),
        ("2.5", "4", False),  # raised
        ("2.4", "9", False),  # not lowered
        ("0.01", None, False),  # nothing achieved yet
    ],
)
def test_in_a_promotion_a_target_is_lowered_to_its_floor_and_no_further(
    target: str, achieved: str | None, refused: bool
) -> None:
    lately = None if achieved is None else Fraction(achieved)
    fault = below_floor(PLAN, replace(PLAN, target=Decimal(target)), lately, load_rules("standard"))
    assert (fault is not None) == refused
    if achieved == "3" and fault is not None:
        assert all(part in str(fault) for part in ("2.1,", "70%", "3", "7 days", "2.09"))
