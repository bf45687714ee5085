"""Curves rise with the multiplier, and a shift of worth moves them as theory says."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qianheng.bidding.curves import GRID, LOG_GRID, SPACING, SPEND, at_level, collect, log_multiplier

positive = st.floats(1e-3, 1e3)


@given(st.lists(st.tuples(positive, positive), min_size=1, max_size=50))
def test_curves_never_fall_as_the_multiplier_rises(auctions: list[tuple[float, float]]) -> None:
    threshold, weight = np.array(auctions).T
    curve = collect(np.zeros(len(auctions), dtype=np.int64), threshold, np.stack([weight, weight]), 1)
    assert (np.diff(curve) >= 0).all()


@given(st.lists(positive, min_size=1, max_size=50))
def test_a_curve_counts_the_auctions_that_a_multiplier_of_the_grid_would_win(prices: list[float]) -> None:
    price = np.array(prices)
    curve = collect(np.zeros(len(price), dtype=np.int64), price, np.ones((2, len(price))), 1)[0, SPEND]
    reached = np.ceil((np.log(price) - LOG_GRID[0]) / SPACING)
    assert curve[-1] == (reached <= len(GRID) - 1).sum()


def test_twice_the_worth_is_half_the_multiplier() -> None:
    random = np.random.default_rng(1)
    worth, price = random.lognormal(size=500), random.lognormal(size=500)
    nobody = np.zeros(500, dtype=np.int64)
    pair, doubled = (collect(nobody, price / w, np.stack([price, w]), 1)[0] for w in (worth, 2 * worth))
    shifted = at_level(pair[None], np.array([np.log(2.0)]))[0]
    inside = slice(0, len(GRID) - 6)  # an octave off the top, where the shifted curve has nothing to read
    np.testing.assert_allclose(shifted[:, inside], doubled[:, inside])


def test_the_multiplier_that_reaches_an_amount_is_read_back_from_the_curve() -> None:
    curve = np.linspace(0.0, 10.0, len(GRID))[None]
    for amount in (0.5, 3.3, 9.9):
        found = log_multiplier(curve, np.array([amount]))[0]
        assert np.isclose(np.interp(found, LOG_GRID, curve[0]), amount)
    assert np.exp(log_multiplier(curve, np.array([99.0]))[0]) == np.float64(GRID[-1])
