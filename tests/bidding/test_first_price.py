"""First-price placements: the bid is shaded to near the best answer, its spend is counted as paid, and one plan keeps
its budget and target over placements of all three rules.
"""

import numpy as np
import pytest

from qianheng.auction.pricing import Pricing
from qianheng.bidding import Aim, Bidder, Market, Outcome
from qianheng.bidding.curves import GRID, SPEND, WORTH, FloatArray, IntArray
from qianheng.bidding.first_price import response
from qianheng.bidding.protocol import Auctions
from qianheng.bidding.shading import Shading

STEPS, AUCTIONS, MANY = 96, 100, 240
ONE_FIRST = Market(1, np.ones((1, 1)), STEPS, (Pricing.FIRST,))


def auctions(seed: int, step: int) -> tuple[FloatArray, FloatArray]:
    random = np.random.default_rng((seed, step))
    return random.lognormal(0.3, 0.8, AUCTIONS), random.lognormal(0.0, 0.5, AUCTIONS)


def day(bidder: Bidder, seed: int) -> tuple[float, float]:
    """Worth and spend of one day in which the winner pays its bid."""
    nobody = np.zeros(AUCTIONS, dtype=np.int64)
    for step in range(STEPS):
        worth, price = auctions(seed, step)
        bids = bidder.bid(step, nobody, nobody, worth)
        spend = np.where((bids > price) & (np.cumsum(bids) <= bidder.budget[0] - bidder.spend[0]), bids, 0.0)
        slot = np.where(spend > 0, 1, 0)
        bidder.observe(step, Outcome(nobody, nobody, worth, price[:, None], slot, slot > 0, spend))
    told = float(bidder.worth[0]), float(bidder.spend[0])
    bidder.close_day()
    return told


def best_shaded(seed: int, budget: float, aim: Aim) -> float:
    """What the best known-in-advance shading would bring: argmax (αw − b)·F(b), F the day's own prices."""
    worth, price = (np.concatenate(parts) for parts in zip(*(auctions(seed, s) for s in range(STEPS)), strict=True))
    bids, ranked, found = np.geomspace(0.1, 10, 150), np.sort(price), 0.0
    chance = np.searchsorted(ranked, bids) / len(ranked)
    for alpha in np.geomspace(0.3, 4, 50):
        bid = bids[((alpha * worth[:, None] - bids) * chance).argmax(1)]
        won = bid > price
        spend, value = float(bid[won].sum()), float(worth[won].sum())
        if spend <= budget and (aim is not Aim.TARGET or spend <= value):
            found = max(found, value - spend if aim is Aim.PROFIT else value)
    return found


@pytest.mark.parametrize("aim", list(Aim))
@pytest.mark.parametrize("budget", [2500.0, 1e6])
def test_it_comes_near_the_best_shading_known_in_advance(aim: Aim, budget: float) -> None:
    bidder = Bidder(ONE_FIRST, np.array([budget]))
    bidder.set_aim(0, aim)
    for seed in (1, 2):
        day(bidder, seed)
    worth, spend = day(bidder, 3)
    assert spend <= budget
    if aim is Aim.TARGET:
        assert spend <= 1.01 * worth
    assert (worth - spend if aim is Aim.PROFIT else worth) >= 0.96 * best_shaded(3, budget, aim)


def test_a_shaded_bid_is_below_the_call_and_rises_with_it() -> None:
    bidder = Bidder(ONE_FIRST, np.array([1000.0]))
    day(bidder, 1)
    call = np.geomspace(0.1, 10, 60)
    nobody = np.zeros(60, dtype=np.int64)
    bids = bidder.shading.bid(nobody, nobody, call)
    assert (bids <= call + 1e-9).all()
    assert (bids[call > 1] < 0.9 * call[call > 1]).all()
    assert (np.diff(bids) >= -1e-9).all()


def test_what_multipliers_bring_is_the_bids_they_would_have_won_with() -> None:
    shading = Shading(ONE_FIRST, 1, 10.0)
    worth, price = np.array([2.0, 0.5, 0.0]), np.array([[1.0], [0.25], [1.0]])
    nobody = np.zeros(3, dtype=np.int64)
    pair = response(Auctions(nobody, nobody, worth, price, np.full((3, 1), 0.8)), shading, 1)[0]
    won = worth * GRID[:, None] > price[:, 0]  # nothing is known: the bid is the call
    np.testing.assert_allclose(pair[SPEND], 0.8 * (won * worth * GRID[:, None]).sum(1))
    np.testing.assert_allclose(pair[WORTH], 0.8 * (won * worth).sum(1))


def candidates(seed: int, step: int) -> tuple[IntArray, FloatArray, FloatArray]:
    random = np.random.default_rng((seed, step))
    price = np.sort(random.lognormal(0.0, 0.5, (MANY, 2)), axis=1)[:, ::-1]
    return random.integers(0, 3, MANY), random.lognormal(-0.2, 0.8, MANY), price


def test_one_multiplier_keeps_the_target_over_placements_of_all_three_rules() -> None:
    seen = np.array([[1.0, 0.6], [1.0, 0.6], [1.0, 0.6]])
    bidder = Bidder(Market(3, seen, STEPS, tuple(Pricing)), np.array([1e6]))
    nobody = np.zeros(MANY, dtype=np.int64)
    for seed in range(3):
        for step in range(STEPS):
            placement, worth, price = candidates(seed, step)
            bids = bidder.bid(step, nobody, placement, worth)
            slot = (bids[:, None] > price).argmax(1) + (bids > price[:, 1])
            looked_at = np.random.default_rng((seed, step, 1)).random(MANY) < np.array([0, 1.0, 0.6])[slot]
            vcg = np.where(slot == 1, 0.4 * price[:, 0] + 0.6 * price[:, 1], price[:, 1])
            gsp = np.where(slot == 1, price[:, 0], price[:, 1])
            paid = looked_at * np.choose(placement, [gsp, vcg, bids])
            bidder.observe(step, Outcome(nobody, placement, worth, price, slot, looked_at, paid))
        worth_won, spend = float(bidder.worth[0]), float(bidder.spend[0])
        bidder.close_day()
    assert 0.97 * worth_won <= spend <= 1.01 * worth_won
    call = np.full(3, 1.5)
    shaded = bidder.shading.bid(nobody[:3], np.arange(3), call)
    assert shaded[1] == call[1]
    assert (shaded[[0, 2]] < call[[0, 2]]).all()
