"""The frontier on curves that can be worked out by hand, and what is told of a target out of reach."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.bidding.curves import GRID
from qianheng.bidding.frontier import Curve, Deal, feasible, point

# Every yuan of spend brings less than the one before: worth at target 2 is 20 · √spend, so GMV is 40 · √spend.
SPEND = np.geomspace(0.01, 2000.0, len(GRID))
CURVE = Curve(GRID, SPEND, 20 * np.sqrt(SPEND))
NET = Deal(target=2.0, kept=1.0, extras=0.0, order_value=50.0)
OVERALL = Deal(target=2.0, kept=0.9, extras=0.2, order_value=50.0)


@pytest.mark.parametrize(
    ("target", "budget", "spend"),
    [(2.0, 1e9, 400.0), (4.0, 1e9, 100.0), (1.0, 1e9, 1600.0), (2.0, 225.0, 225.0)],
)
def test_the_most_that_keeps_target_and_budget(target: float, budget: float, spend: float) -> None:
    found = point(CURVE, NET, target, budget)
    assert found.spend == pytest.approx(spend, rel=0.03)
    assert found.value == pytest.approx(40 * spend**0.5, rel=0.03)
    assert found.orders == pytest.approx(found.value / 50)
    assert found.spend <= budget


@given(st.floats(0.1, 50), st.floats(1, 5000), st.sampled_from([NET, OVERALL]))
def test_what_is_promised_keeps_its_target_and_more_budget_or_a_lower_target_never_brings_less(
    target: float, budget: float, deal: Deal
) -> None:
    asked = point(CURVE, deal, target, budget)
    easier, richer = point(CURVE, deal, target / 2, budget), point(CURVE, deal, target, 2 * budget)
    assert asked.spend <= budget
    assert asked.roi is None or asked.roi >= target - 1e-9
    assert min(easier.spend, richer.spend) >= asked.spend


def test_a_target_within_reach_is_told_as_such() -> None:
    found = feasible(CURVE, NET, 2.0, 1e9)
    assert (found.feasible, found.nearest) == (True, None)


@pytest.mark.parametrize(("deal", "target"), [(NET, 900.0), (OVERALL, 4.4), (OVERALL, 100.0)])
def test_out_of_reach_the_highest_target_that_sells_is_named(deal: Deal, target: float) -> None:
    found = feasible(CURVE, deal, target, 1e9, fewest_orders=4.0)
    assert not found.feasible
    assert found.nearest is not None
    assert found.nearest.target < target
    assert found.nearest.orders >= 4.0
    assert point(CURVE, deal, found.nearest.target * 1.2, 1e9).orders < 4.0


def test_where_nothing_sells_no_target_is_near() -> None:
    assert feasible(Curve(GRID, SPEND, 0 * SPEND), NET, 2.0, 1e9).nearest is None
