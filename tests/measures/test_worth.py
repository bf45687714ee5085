"""What GMV is worth under each goal, by hand."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.measures.worth import Costs, Kept, contribution, worth
from qianheng.plans.plan import BidMode, Goal, Plan, PlanKind

# Of 100 yuan: goods 40, sending 5, a parcel back 8, instalments 1 %,
# fee 5 %, commission 17 %, coupons 3 %; 10 refunded at once, 10 more in a week.
COSTS = Costs(*(np.array([share]) for share in (0.40, 0.05, 0.08, 0.01, 0.05, 0.17, 0.03)))
KEPT = Kept(np.array([0.9]), np.array([0.8]))


def plan(goal: Goal, target: str | None, mode: BidMode = BidMode.TARGET_ROI) -> Plan:
    aim = None if target is None else Decimal(target)
    return Plan(1, 1, 1, "p", PlanKind.PRODUCT, goal, aim, 1, (11,), bid_mode=mode)


@pytest.mark.parametrize(
    ("goal", "target", "expected"),
    [
        (Goal.PAYMENT, "2", 0.5),
        (Goal.NET, "2", 0.45),
        (Goal.SETTLED, "2", 0.40),
        (Goal.OVERALL, "2", 0.45 - 0.25),
        (Goal.OVERALL, "4", 0.225 - 0.25),  # extras above kept / target: no bid is worth it
        (Goal.PROFIT, None, 0.8 * (1 - 0.40 - 0.01 - 0.25) - 0.05 * 0.9 - 0.08 * 0.1),
    ],
)
def test_what_a_yuan_of_gmv_is_worth(goal: Goal, target: str | None, expected: float) -> None:
    assert worth(plan(goal, target), KEPT, COSTS) == pytest.approx(expected)


@pytest.mark.parametrize(("goal", "expected"), [(Goal.PAYMENT, 1.0), (Goal.NET, 0.9), (Goal.OVERALL, 0.65)])
def test_maximum_delivery_weighs_value_as_it_is(goal: Goal, expected: float) -> None:
    assert worth(plan(goal, None, BidMode.MAX_DELIVERY), KEPT, COSTS) == pytest.approx(expected)


@given(st.floats(0.5, 20), st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5))
def test_spending_what_an_overall_plans_sales_are_worth_meets_its_target_exactly(
    target: float, kept: float, fee: float, commission: float
) -> None:
    nothing = np.zeros(1)
    costs = Costs(nothing, nothing, nothing, nothing, np.array([fee]), np.array([commission]), np.zeros(1))
    made = plan(Goal.OVERALL, f"{target:.6f}")
    gmv, aim = 1000.0, float(made.target or 0)
    spend = gmv * worth(made, Kept(np.array([kept]), np.array([kept])), costs)[0]
    assert gmv * kept == pytest.approx(aim * (spend + gmv * (fee + commission)), abs=1e-6)


def test_contribution_is_money_when_money_is_kept() -> None:
    of_shares, of_money = contribution(KEPT, COSTS), contribution(Kept(np.array([90.0]), np.array([80.0])), COSTS)
    assert of_money == pytest.approx(100 * of_shares)


def test_what_everybody_sends_back_at_once_costs_nothing_and_later_costs_both_ways() -> None:
    at_once = contribution(Kept(np.zeros(1), np.zeros(1)), COSTS)
    in_a_week = contribution(Kept(np.ones(1), np.zeros(1)), COSTS)
    assert (at_once[0], in_a_week[0]) == (0.0, pytest.approx(-0.05 - 0.08))
