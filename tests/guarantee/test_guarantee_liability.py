"""What open units may still cost: a function of unit, worlds and seed, by the rules of the policy."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.money import YUAN
from qianheng.guarantee.liability import (
    PAID,
    WORLDS,
    Doubtful,
    Expected,
    OpenFigures,
    Rest,
    certain,
    expect,
    to_come,
    together,
    worlds,
)
from qianheng.guarantee.policy import Rules
from qianheng.guarantee.reasons import Reason, Sums
from qianheng.guarantee.shelf import shipped

SHOCKS = worlds(7)


def rules(name: str = "seed") -> Rules:
    found = shipped().versions(name)[-1].rules
    assert found is not None
    return found


def sums(spend: int, orders: int, gmv: int, target: str) -> Sums:
    promised = Fraction(gmv * YUAN) / Fraction(target)
    return Sums(spend * YUAN, orders, gmv * YUAN, promised, promised)


def unit(found: Sums, rest: Rest | None = None, doubtful: Doubtful | None = None, unit_id: int = 1) -> OpenFigures:
    return OpenFigures(unit_id, rules(), found, 7.5, rest or Rest(), doubtful or Doubtful())


@pytest.mark.parametrize(
    ("found", "paid", "outcome"),
    [
        (sums(1000, 11, 3000, "7.5"), 600, PAID),
        (sums(1000, 9, 3000, "7.5"), 0, Reason.TOO_FEW_ORDERS),
        (sums(700, 12, 1300, "2.6"), 200, PAID),
        (sums(1000, 11, 6000, "7.5"), 0, Reason.ROI_MET),
        (sums(0, 0, 0, "7.5"), 0, Reason.NOTHING_SPENT),
    ],
)
def test_where_nothing_is_open_every_world_pays_what_the_verdict_says(found: Sums, paid: int, outcome: str) -> None:
    expected = expect(unit(found), SHOCKS, 1)
    assert (expected.low, expected.mean, expected.high) == (paid * YUAN,) * 3
    assert expected.outcomes == ((outcome, 1.0),)


def test_a_day_that_still_runs_may_end_either_way() -> None:
    rest = Rest(spend=500 * YUAN, most_spend=500 * YUAN, orders=10, order_value=300 * YUAN)
    expected = expect(unit(sums(500, 9, 2300, "7.5"), rest), SHOCKS, 1)
    assert 0 == expected.low < expected.mean < expected.high
    assert dict(expected.outcomes).keys() >= {PAID, Reason.ROI_MET}
    assert sum(chance for _, chance in expected.outcomes) == pytest.approx(1)


def test_spend_to_come_never_passes_what_is_left_of_the_budget() -> None:
    rest = Rest(spend=10_000 * YUAN, most_spend=50 * YUAN, orders=0, order_value=0)
    expected = expect(unit(sums(100, 20, 10, "7.5"), rest), SHOCKS, 1)
    assert max(expected.paid) == pytest.approx((150 - 10 / 7.5) * YUAN, abs=10_000)


def test_orders_that_may_be_undone_raise_what_is_expected() -> None:
    figures = sums(1000, 40, 5900, "7.5")
    calm = expect(unit(figures), SHOCKS, 1)
    shaky = expect(unit(figures, doubtful=Doubtful(orders=20, gmv=2950 * YUAN, share=0.5)), SHOCKS, 1)
    assert calm.mean < shaky.mean
    assert shaky.low < shaky.high


def test_the_same_unit_worlds_and_seed_give_the_same_answer_and_another_unit_its_own() -> None:
    rest = Rest(spend=500 * YUAN, most_spend=500 * YUAN, orders=10, order_value=300 * YUAN)
    figures = sums(500, 9, 2300, "7.5")
    assert expect(unit(figures, rest), SHOCKS, 1) == expect(unit(figures, rest), SHOCKS, 1)
    assert expect(unit(figures, rest), SHOCKS, 1) != expect(unit(figures, rest, unit_id=2), SHOCKS, 1)
    assert expect(unit(figures, rest), SHOCKS, 1) != expect(unit(figures, rest), SHOCKS, 2)


def test_a_sum_is_wider_than_of_independent_units_and_narrower_than_of_like_ones() -> None:
    rest = Rest(spend=500 * YUAN, most_spend=500 * YUAN, orders=60, order_value=60 * YUAN)
    each = [expect(unit(sums(500, 60, 2800, "7.5"), rest, unit_id=i), SHOCKS, 1) for i in range(20)]
    total = together(each)
    widths = [one.high - one.low for one in each]
    assert total.high - total.low < sum(widths)
    assert total.high - total.low > sum(width**2 for width in widths) ** 0.5
    assert total.mean == pytest.approx(sum(one.mean for one in each), abs=20)


def test_nothing_open_is_nothing_owed() -> None:
    nothing = together([])
    assert (nothing.low, nothing.mean, nothing.high) == (0, 0, 0)
    assert certain(5, PAID) == Expected((5,) * WORLDS, ((PAID, 1.0),))


@pytest.mark.parametrize(
    ("so_far", "share", "usual", "rest"),
    [
        (50, 0.5, 100, 50),
        (0, 0.0, 100, 100),
        (100, 1.0, 100, 0),
        (30, 0.3, 0, 70),
        (0, 0.0, 0, 0),
    ],
)
def test_the_rest_of_a_day_is_the_usual_one_where_it_went_as_usual(
    so_far: float, share: float, usual: float, rest: float
) -> None:
    assert to_come(so_far, share, usual) == pytest.approx(rest)


@given(so_far=st.floats(0, 1e9), more=st.floats(1, 1e9), share=st.floats(0, 1), usual=st.floats(1, 1e9))
def test_a_day_that_went_better_so_far_is_expected_to_bring_no_less(
    so_far: float, more: float, share: float, usual: float
) -> None:
    assert 0 <= to_come(so_far, share, usual) <= to_come(so_far + more, share, usual)
