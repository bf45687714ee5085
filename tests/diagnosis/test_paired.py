"""Two plans side by side: exact differences, and winners hardly ever where there is nothing to win."""

import random
from collections.abc import Sequence
from fractions import Fraction
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.diagnosis.paired import Difference, compared

Days = Sequence[tuple[int, int]]
pairs = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**6)), min_size=4, max_size=20)


def gmv(days: Days) -> Fraction | None:
    return Fraction(sum(above for above, _ in days))


def roi(days: Days) -> Fraction | None:
    below = sum(under for _, under in days)
    return Fraction(sum(above for above, _ in days), below) if below else None


@given(pairs, st.randoms())
def test_the_difference_is_exact_and_changes_its_sign_when_plans_change_places(
    days: Days, chance: random.Random
) -> None:
    others = [(above + chance.randrange(9), below) for above, below in days]
    one, other = compared(days, others, roi, adds_up=False), compared(others, days, roi, adds_up=False)
    assert one.difference == (roi(others) or 0) - (roi(days) or 0) == -(other.difference or 0)
    assert (one.low, one.high) == (-(other.high or 0), -(other.low or 0))


def test_of_a_sum_it_is_the_interval_of_paired_differences() -> None:
    a, b = [(one, 1) for one in (10, 20, 30, 40, 50)], [(one, 1) for one in (12, 21, 35, 41, 58)]
    told = compared(a, b, gmv, adds_up=True)
    differences = [theirs[0] - ours[0] for ours, theirs in zip(a, b, strict=True)]
    reach = 2.776 * stdev(differences) * 5**0.5  # Student's quantile of four degrees, for a sum of five
    assert told.difference == 17 == 5 * mean(differences)
    assert float((told.high or 0) - 17) == pytest.approx(reach, rel=0.02)


@pytest.mark.parametrize("count", [7, 14])
def test_plans_that_are_alike_have_a_winner_about_once_in_twenty(count: int) -> None:
    chance, wins = random.Random(7), 0
    for _ in range(800):
        both = [chance.lognormvariate(0, 0.4) for _ in range(count)]  # what the day brings to both
        a, b = ([(round(1e6 * day * chance.lognormvariate(0, 0.2)), 10**6) for day in both] for _ in "ab")
        wins += compared(a, b, roi, adds_up=False).winner(more_is_better=True) is not None
    assert 0.025 < wins / 800 < 0.08


@pytest.mark.parametrize(
    ("low", "high", "more_is_better", "winner"),
    [
        (1, 2, True, "b"),
        (1, 2, False, "a"),
        (-2, -1, True, "a"),
        (-2, -1, False, "b"),
        (-1, 1, True, None),
        (0, 1, True, None),
    ],
)
def test_a_winner_needs_an_interval_without_zero(low: int, high: int, more_is_better: bool, winner: str | None) -> None:
    told = Difference(Fraction(1), Fraction(2), Fraction(low), Fraction(high))
    assert told.winner(more_is_better) == winner


def test_of_few_days_or_of_what_is_not_known_nothing_is_said() -> None:
    assert compared([(1, 1)] * 3, [(2, 1)] * 3, roi, adds_up=False).low is None
    unknown = compared([(1, 0)] * 5, [(2, 1)] * 5, roi, adds_up=False)
    assert (unknown.difference, unknown.low, unknown.winner(more_is_better=True)) == (None, None, None)
