"""A plan with commission needs a target below one over the rate, and is told so."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from qianheng.incentives.limits import target_limit
from qianheng.incentives.terms import Commission, Terms
from qianheng.plans.plan import BidMode, Goal, Plan, PlanKind

PLAN = Plan(1, 1, 1, "p", PlanKind.SUPER, Goal.OVERALL, Decimal("4"), 1, (11, 12), room_ids=(7, 8))
TERMS = Terms({}, [Commission(8, own=Decimal("0.4"), promoted=Decimal("0.2"), product_id=12)])


@pytest.mark.parametrize(
    ("target", "agreed", "below", "too_high"),
    [
        pytest.param("4.99", "0", "5", False, id="below the limit of a creator's room"),
        pytest.param("5", "0", "5", True, id="at the limit"),
        pytest.param("3.9", "0.25", "4", False, id="agreed for the plan, which is more"),
        pytest.param("4", "0.25", "4", True, id="at that limit"),
    ],
)
def test_the_highest_commission_that_ads_can_bring_limits_the_target(
    target: str, agreed: str, below: str, too_high: bool
) -> None:
    found = target_limit(TERMS, replace(PLAN, target=Decimal(target), commission_rate=Decimal(agreed)), 0)
    assert found is not None
    assert (found.below, found.too_high) == (Fraction(below), too_high)
    assert ("not below" in found.text("p")) is too_high


def test_without_commission_there_is_no_limit() -> None:
    assert target_limit(Terms({}), PLAN, 0) is None
    assert target_limit(TERMS, replace(PLAN, room_ids=(7,)), 0) is None


def test_a_plan_without_a_target_is_never_too_high() -> None:
    found = target_limit(TERMS, replace(PLAN, bid_mode=BidMode.MAX_DELIVERY, target=None), 0)
    assert found is not None
    assert not found.too_high
    assert "–" in found.text("p")
