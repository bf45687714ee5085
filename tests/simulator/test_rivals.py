"""Rivals: they bid what things are worth to them, pace their budgets, come and go."""

import numpy as np

from qianheng.core.days import HOUR, MINUTE
from qianheng.core.money import YUAN
from qianheng.simulator.market import Market
from tests.simulator.worlds import DAY, small, start_of


def spend_as_highest_bidder(market: Market, day: int) -> list[np.ndarray]:
    """Everybody pays their bid where it is the highest; cumulative spend after each ten minutes."""
    start, spent, curve = start_of(market.scenario, day), np.zeros(8), []
    for at in range(start, start + DAY, 10 * MINUTE):
        batch = market.opportunities(at, at + 10 * MINUTE)
        highest = batch.bids.argmax(axis=1)
        paid = np.bincount(highest, weights=batch.bids.max(axis=1), minlength=8).astype(np.float64)
        market.settle_rivals(batch, paid)
        spent = spent + paid
        curve.append(spent)
    return curve


def test_paced_rivals_spend_with_the_traffic_and_within_their_budget() -> None:
    market = Market(small(rivals__0__budget_daily="40"), 1)
    spend_as_highest_bidder(market, 1)
    curve = spend_as_highest_bidder(market, 2)
    assert np.all(curve[-1] < 1.1 * 40 * YUAN)
    half = market._traffic.times(1, np.array([0.5]))[0]
    at_half = curve[(int(half) - start_of(market.scenario, 2)) // (10 * MINUTE)].sum() / curve[-1].sum()
    assert 0.35 < at_half < 0.65


def test_unpaced_rivals_spend_early_and_then_are_gone() -> None:
    market = Market(small(rivals__0__budget_daily="20", rivals__0__paced="false"), 1)
    start = start_of(market.scenario)
    spend_as_highest_bidder(market, 1)
    assert not market.opportunities(start + 23 * HOUR, start + 24 * HOUR).bids.any()
    assert market.opportunities(start + 24 * HOUR, start + 25 * HOUR).bids.all()


def test_rivals_enter_and_leave_at_their_hours() -> None:
    market = Market(small(rivals__0__enters_day="2", rivals__0__enters_hour="10", rivals__0__leaves_day="3"), 1)
    start = start_of(market.scenario)
    for hours, there in ((12, False), (33, False), (34, True), (47, True), (48, False)):
        bids = market.opportunities(start + hours * HOUR, start + (hours + 1) * HOUR).bids
        assert bool(bids.any()) is there, hours


def test_a_market_without_rivals_has_no_bids() -> None:
    market = Market(small(rivals="[]"), 1)
    start = start_of(market.scenario)
    batch = market.opportunities(start, start + HOUR)
    assert batch.bids.shape == (len(batch), 0)
