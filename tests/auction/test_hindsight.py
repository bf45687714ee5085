"""The hindsight optimum against enumeration and against the greedy solution of its linear programme."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.auction.hindsight import most_profit, optimum

AUCTIONS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=8)


def greedy(auctions: list[tuple[int, int]], budget: float, granted: float) -> float:
    """One place each, sure to be seen: the fractional programme takes auctions in order of price over worth."""
    value, spend = 0.0, 0.0
    for worth, price in sorted(auctions, key=lambda one: one[1] / one[0]):
        short = price - worth
        share = min(1.0, (budget - spend) / price, (value + granted - spend) / short if short > 0 else 1.0)
        value, spend = value + share * worth, spend + share * price
        if share < 1:
            break
    return value


@settings(max_examples=200, deadline=None)
@given(AUCTIONS, st.integers(0, 200), st.integers(0, 50))
def test_with_one_place_it_is_the_linear_programmes_optimum(
    auctions: list[tuple[int, int]], budget: int, granted: int
) -> None:
    worth, price = np.array(auctions, float).T
    best = optimum(worth, price[:, None], np.ones((len(worth), 1)), budget, granted)
    assert best.value == pytest.approx(greedy(auctions, budget, granted), rel=1e-6, abs=1e-6)
    assert best.spend <= min(budget, best.value + granted) + 1e-6


PLACES = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(0, 40)), min_size=1, max_size=5)


@settings(max_examples=150, deadline=None)
@given(PLACES, st.integers(0, 120), st.integers(0, 30))
def test_no_choice_of_places_beats_it_and_it_keeps_both_constraints(
    pages: list[tuple[int, int, int]], budget: int, granted: int
) -> None:
    worth = np.array([page[0] for page in pages], float)
    price = np.array([[page[1] + page[2], page[1]] for page in pages], float)
    seen = np.tile([0.9, 0.4], (len(pages), 1))
    best = optimum(worth, price, seen, budget, granted)
    for places in product((None, 0, 1), repeat=len(pages)):
        taken = [(row, place) for row, place in enumerate(places) if place is not None]
        value = sum(seen[one] * worth[one[0]] for one in taken)
        spend = sum(seen[one] * price[one] for one in taken)
        if spend <= min(budget, value + granted):
            assert value <= best.value + 1e-6
    assert best.spend <= min(budget, best.value + granted) + 1e-6


@settings(max_examples=60, deadline=None)
@given(PLACES, st.integers(1, 120))
def test_it_is_the_best_multiplier_but_for_one_fractional_auction(
    pages: list[tuple[int, int, int]], budget: int
) -> None:
    worth = np.array([page[0] for page in pages], float)
    price = np.array([[page[1] + page[2], page[1]] for page in pages], float)
    seen = np.tile([0.9, 0.4], (len(pages), 1))
    best = optimum(worth, price, seen, budget)
    feasible = 0.0
    for alpha in np.geomspace(1e-3, 1e3, 400):
        gain = seen * (alpha * worth[:, None] - price)
        rows = np.arange(len(pages))
        place = gain.argmax(axis=1)
        won = gain[rows, place] > 0
        value = float((seen[rows, place] * worth)[won].sum())
        spend = float((seen * price)[rows, place][won].sum())
        if spend <= min(budget, value):
            feasible = max(feasible, value)
    assert best.value >= feasible - 1e-6


@settings(max_examples=60, deadline=None)
@given(AUCTIONS, st.integers(0, 200), st.integers(0, 50))
def test_what_comes_unpromoted_and_more_budget_never_hurt(
    auctions: list[tuple[int, int]], budget: int, granted: int
) -> None:
    worth, price = np.array(auctions, float).T
    seen = np.ones((len(worth), 1))
    plain = optimum(worth, price[:, None], seen, budget).value
    assert optimum(worth, price[:, None], seen, budget, granted).value >= plain - 1e-6
    assert optimum(worth, price[:, None], seen, budget + 10).value >= plain - 1e-6


def test_a_place_that_is_not_there_is_never_taken() -> None:
    best = optimum(np.array([10.0]), np.array([[0.0, 0.0]]), np.array([[0.0, 0.0]]), 5)
    assert (best.value, best.spend) == (0, 0)


@settings(max_examples=150, deadline=None)
@given(PLACES, st.integers(0, 120))
def test_no_choice_of_places_earns_more_than_the_most_profitable_one(
    pages: list[tuple[int, int, int]], budget: int
) -> None:
    worth = np.array([page[0] for page in pages], float)
    price = np.array([[page[1] + page[2], page[1]] for page in pages], float)
    seen = np.tile([0.9, 0.4], (len(pages), 1))
    best = most_profit(worth, price, seen, budget)
    for places in product((None, 0, 1), repeat=len(pages)):
        taken = [(row, place) for row, place in enumerate(places) if place is not None]
        value = sum(seen[one] * worth[one[0]] for one in taken)
        spend = sum(seen[one] * price[one] for one in taken)
        if spend <= budget:
            assert value - spend <= best.value - best.spend + 1e-6
    assert best.spend <= budget + 1e-6
