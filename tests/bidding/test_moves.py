"""What moved a multiplier: the parts add up to the whole, and each tells of its own cause."""

import numpy as np
import pytest

from qianheng.bidding.bidder import Bidder
from qianheng.bidding.moves import Moved, Mover, Moves
from qianheng.bidding.protocol import Market, Outcome

MARKET = Market(placements=1, seen=np.array([[1.0]]), steps=96)
PLANS, COUNT = 2, 60


def live(bidder: Bidder, steps: range, rng: np.random.Generator, price: float = 1.0) -> None:
    """Some steps of auctions at log-normal prices; every plan meets the same."""
    for step in steps:
        plan, placement = np.repeat(np.arange(PLANS), COUNT), np.zeros(PLANS * COUNT, np.int64)
        worth = np.tile(rng.lognormal(0.3, 0.5, COUNT), PLANS)
        prices = np.tile(price * rng.lognormal(0.0, 0.5, COUNT), PLANS)
        won = bidder.bid(step, plan, placement, worth) > prices
        spend = np.where(won, prices, 0.0)
        bidder.observe(step, Outcome(plan, placement, worth, prices[:, None], won.astype(np.int64), won, spend))


def at_noon(seed: int = 1) -> tuple[Bidder, Moves, np.random.Generator]:
    """A bidder after a whole day and half of the next, just looked at."""
    bidder, moves, rng = Bidder(MARKET, np.full(PLANS, 1200.0)), Moves(), np.random.default_rng(seed)
    live(bidder, range(96), rng)
    bidder.close_day()
    live(bidder, range(48), rng)
    assert moves.look(bidder) is None
    return bidder, moves, rng


def largest(moved: Moved, plan: int) -> Mover:
    return max(moved, key=lambda mover: abs(moved[mover][plan]))


@pytest.mark.parametrize("seed", range(3))
def test_the_parts_add_up_and_looking_changes_nothing(seed: int) -> None:
    bidder, moves, rng = at_noon(seed)
    before = bidder.multiplier.copy()
    live(bidder, range(48, 52), rng)
    state = bidder.snapshot()
    moved = moves.look(bidder)
    assert moved is not None
    assert list(moved) == list(Mover)
    assert sum(moved.values()) == pytest.approx(np.log(bidder.multiplier / before))
    assert all((state[name] == held).all() for name, held in bidder.snapshot().items() if name != "levels.last")


def test_a_budget_cut_and_a_higher_target_are_changed_terms() -> None:
    bidder, moves, rng = at_noon()
    bidder.set_budget(0, 0.6 * 1200.0)
    bidder.retarget(1, 1.5)
    live(bidder, range(48, 49), rng)
    moved = moves.look(bidder)
    assert moved is not None
    assert largest(moved, 0) is Mover.TERMS
    assert moved[Mover.TERMS][0] < -0.1
    assert abs(moved[Mover.TERMS][1]) > 0.1


def test_prices_that_fall_are_told_as_forecast_and_money_saved_when_they_rise_as_money() -> None:
    told = []
    for price in (0.33, 3.0):
        bidder, moves, rng = at_noon()
        live(bidder, range(48, 60), rng, price)
        moved = moves.look(bidder)
        assert moved is not None
        assert (moved[Mover.TERMS] == 0).all()
        told.append(moved)
    assert largest(told[0], 0) is Mover.FORECAST
    assert told[1][Mover.MONEY][0] > 0.1


def test_money_that_is_gone_unforeseen_is_told_as_money() -> None:
    bidder, moves, rng = at_noon()
    live(bidder, range(48, 49), rng)
    moves.look(bidder)
    bidder.spend[0] += 200.0
    bidder.worth[0] += 200.0
    live(bidder, range(49, 50), rng)
    moved = moves.look(bidder)
    assert moved is not None
    assert largest(moved, 0) is Mover.MONEY
    assert moved[Mover.MONEY][0] < moved[Mover.MONEY][1]


def test_a_plan_that_did_not_bid_and_a_new_day_have_no_parts() -> None:
    bidder, moves, rng = at_noon()
    bidder.set_active(0, False)
    live(bidder, range(48, 50), rng)
    moved = moves.look(bidder)
    assert moved is not None
    assert np.isnan(moved[Mover.TIME][0])
    assert np.isfinite(moved[Mover.TIME][1])
    bidder.close_day()
    live(bidder, range(2), rng)
    assert moves.look(bidder) is None
