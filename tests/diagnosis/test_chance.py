"""How far chance reaches: intervals against tables, against draws of a fixed seed, and the laws they keep."""

import random
from fractions import Fraction
from math import exp, isclose
from statistics import variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.diagnosis.chance import (
    Z80,
    Z95,
    days_against,
    deviations,
    events_against,
    jackknife,
    mean_between,
    next_of,
    robust,
    share_of,
    student,
    student_80,
)

AMOUNTS = st.lists(st.integers(-(10**9), 10**9), min_size=3, max_size=12)


@pytest.mark.parametrize(
    ("freedom", "four_of_five", "nineteen_of_twenty"),
    [(2, 1.886, 4.303), (3, 1.638, 3.182), (6, 1.440, 2.447), (13, 1.350, 2.160), (60, 1.296, 2.000)],
)
def test_the_quantiles_are_students(freedom: int, four_of_five: float, nineteen_of_twenty: float) -> None:
    assert student_80(freedom) == pytest.approx(four_of_five, rel=0.01)
    if freedom > 2:  # nothing is said to nineteen of twenty on fewer days
        assert student(freedom, Z95) == pytest.approx(nineteen_of_twenty, rel=0.01)


@pytest.mark.parametrize(("level", "wide"), [(0.8, Z80), (0.95, Z95), (0.99, 2.5758293)])
def test_a_level_says_how_many_deviations(level: float, wide: float) -> None:
    assert deviations(level) == pytest.approx(wide, abs=1e-6)


@given(AMOUNTS)
def test_the_jackknife_of_a_mean_is_the_variance_of_the_mean(values: list[int]) -> None:
    left_out = [(sum(values) - one) / (len(values) - 1) for one in values]
    assert isclose(jackknife(left_out), float(variance(values)) / len(values), rel_tol=1e-6, abs_tol=1e-3)


@given(AMOUNTS)
def test_the_next_amount_is_expected_at_the_mean_and_alike_on_both_sides(values: list[int]) -> None:
    told = next_of(values)
    assert told is not None
    assert told.expected == round(Fraction(sum(values), len(values)))
    assert abs(float(told.high - told.expected) - float(told.expected - told.low)) <= 2
    assert next_of(values[:2]) is None


def test_four_of_five_next_amounts_lie_where_they_are_foreseen() -> None:
    draw = random.Random(7)
    held = 0
    for _ in range(2_000):
        told = next_of([round(draw.gauss(10**6, 10**5)) for _ in range(6)])
        assert told is not None
        held += round(draw.gauss(10**6, 10**5)) in told
    assert 0.77 <= held / 2_000 <= 0.83


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_a_share_lies_where_it_is_said_to_four_times_of_five(share: float) -> None:
    draw = random.Random(11)
    told = [share_of(sum(draw.random() < share for _ in range(200)), 200, Fraction(0), Fraction(0)) for _ in range(800)]
    assert 0.74 <= sum(Fraction(share) in one for one in told) / 800 <= 0.88


def test_a_share_is_drawn_to_the_usual_one_as_far_as_little_is_known() -> None:
    few, many = (share_of(n, n, Fraction(10), Fraction(1, 10)) for n in (1, 1_000))
    assert few.expected == Fraction(1 + 1, 1 + 10)
    assert few.expected < many.expected < 1
    assert few.high - few.low > many.high - many.low


def test_events_are_held_against_what_was_expected_and_how_well_that_is_known() -> None:
    told = events_against(30, Fraction(10), Fraction(5))
    loose = events_against(30, Fraction(10), Fraction(5), of=10)
    assert told.expected == Fraction(35, 15)
    assert loose.expected == Fraction(15 + 5, 5 + 5)  # an expectation of ten events halves what is said
    assert told.low > 1
    assert loose.high - loose.low > told.high - told.low
    assert 1 in events_against(0, Fraction(1), Fraction(5))


@pytest.mark.parametrize(("events", "low", "high"), [(0, 0.0, 3.689), (4, 1.090, 10.242), (100, 81.364, 121.627)])
def test_a_mean_lies_between_the_exact_limits_of_a_poisson_count(events: int, low: float, high: float) -> None:
    assert mean_between(events, Z95) == pytest.approx((low, high), rel=0.015, abs=0.02)


def test_one_wild_day_moves_neither_the_median_nor_how_far_days_lie_from_it() -> None:
    calm = [90.0, 95.0, 100.0, 105.0, 110.0]
    centre, far = robust(calm)
    assert centre == 100
    assert far == pytest.approx(1.4826 * 0.05)
    assert robust([*calm[:-1], 10_000.0]) == (centre, far)
    assert robust([0.0, 0.0, 5.0]) == (0.0, 0.0)


def test_a_ratio_of_days_is_held_against_the_one_before_as_a_multiple() -> None:
    before = [(10, 100), (12, 100), (8, 100), (10, 100)]
    after = [(20, 100), (24, 100), (16, 100), (20, 100)]
    told = days_against(after, before)
    assert told is not None
    assert told.expected == 2
    assert 1 < told.low < 2 < told.high
    assert float(told.low * told.high) == pytest.approx(4, rel=1e-6)  # alike as factors
    spread = (2 * jackknife([(40 - above) / 300 / 0.1 for above, _ in before])) ** 0.5
    assert float(told.high) == pytest.approx(2 * exp(student_80(6) * spread), rel=1e-6)
    assert days_against(after[:2], before) is None
    assert days_against(after, [(0, 100)] * 4) is None
    assert days_against(after, [(10, 0), (10, 0), (10, 100)]) is None  # all rests on one day
