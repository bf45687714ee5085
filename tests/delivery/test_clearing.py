"""Whatever the batch, its parts and its prices: nobody wins more than it can pay, and a large batch is held back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.auction.pricing import PRICINGS, Pricing
from qianheng.bidding.within import Within
from qianheng.delivery import clearing
from qianheng.delivery.clearing import LARGE, Offered, Reserved, reserve
from qianheng.prediction.space import Int
from tests.delivery.markets import SITE, START, engine, requests

MONEY = st.integers(0, 200_000) | st.integers(0, 10_000_000)
RULES = st.tuples(st.sampled_from(PRICINGS), st.sampled_from(PRICINGS))


def price_of(row: Int, column: Int, price: Int) -> Int:
    return price


def cleared(
    seed: int, count: int, left: tuple[int, ...], pricing: tuple[Pricing, ...] = (), planned: float | None = None
) -> tuple[Reserved, Offered]:
    """Three plans and one campaign that bid at random."""
    rng = np.random.default_rng(seed)
    batch = requests(rng, START, count)
    fixed = rng.lognormal(11, 1, (count, 1)).astype(np.float32)
    offered = Offered(rng.lognormal(11, 1, (count, 3)), fixed, np.array(left), price_of)
    within = None if planned is None else Within(np.full(3, planned), count)
    return reserve(batch, replace(SITE, pricing=pricing), offered, within), offered


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(0, 1500),
    st.tuples(MONEY, MONEY, MONEY, MONEY),
    RULES,
    st.none() | st.floats(0, 1e5),
)
def test_whatever_the_batch_its_parts_and_prices_nobody_wins_more_than_it_has_left(
    seed: int, count: int, left: tuple[int, ...], pricing: tuple[Pricing, ...], planned: float | None
) -> None:
    reserved, offered = cleared(seed, count, left, pricing, planned)
    wins = reserved.wins
    assert (np.bincount(wins.column, wins.due, 4) <= offered.left).all()
    assert (np.diff(wins.row) >= 0).all()
    assert len(reserved.cleared.winner) == count
    for column in range(4):
        assert (wins.row[wins.column == column] < reserved.stopped[column]).all()
    everybody = np.concatenate([offered.asked, offered.fixed], axis=1).astype(np.float32)  # as they enter the auction
    assert (wins.due <= np.maximum(everybody[wins.row, wins.column], 1)).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.tuples(MONEY, MONEY, MONEY, MONEY))
def test_in_parts_or_at_once_the_same_is_won_if_nothing_is_held_back(seed: int, left: tuple[int, ...]) -> None:
    at_once, in_parts = cleared(seed, 1300, left)[0], cleared(seed, 1300, left, planned=0.0)[0]
    for name in ("row", "place", "column", "due"):
        assert getattr(at_once.wins, name).tolist() == getattr(in_parts.wins, name).tolist()
    assert at_once.stopped.tolist() == in_parts.stopped.tolist()
    np.testing.assert_array_equal(at_once.cleared.price, in_parts.cleared.price)


def test_who_spends_faster_than_expected_is_held_back_in_the_same_step() -> None:
    plenty = (10**12,) * 4
    freely, held = cleared(1, 4000, plenty)[0], cleared(1, 4000, plenty, planned=1000.0)[0]
    spent = [np.bincount(reserved.wins.column, reserved.wins.due, 4)[:3] for reserved in (freely, held)]
    assert (spent[1] < 0.97 * spent[0]).all()


@pytest.mark.parametrize("lease", [40_000, 3_000_000])
def test_an_engine_in_a_crowded_minute_keeps_its_leases_to_the_last_yuan(lease: int) -> None:
    made, rng = engine(leases=(lease, lease)), np.random.default_rng(3)
    for minute in range(3):
        batch = requests(rng, START + minute * made.site.step, LARGE + 77)
        tick = made.tick(batch, START + minute * made.site.step)
        everything = np.ones(len(tick.decisions), bool)
        made.shown(tick, everything, everything, START + minute * made.site.step)
    assert (made.spent_today <= lease).all()
    assert (made.spent_today > 0.9 * lease).all() or lease > 1_000_000
    assert clearing.CHUNK < LARGE
