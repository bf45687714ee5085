"""Laws of every bidder that the engine can be given: ours and the references keep the same protocol."""

import numpy as np
import pytest

from qianheng.bidding import Aim, Market, Outcome, PlanBidder
from qianheng.bidding.curves import FloatArray
from qianheng.bidding.references import BIDDERS, Fixed
from qianheng.core.days import MINUTE
from qianheng.delivery.engine import Engine
from tests.delivery.markets import ROOM, SHOP, SITE, SPACE, START, requests

STEPS = 48
MARKET = Market(2, np.array([[1.0, 0.6], [0.8, 0.4]]), STEPS)
BUDGETS = np.array([40.0, 90.0, 600.0])


def live(bidder: PlanBidder, steps: range, unit: float = 1.0) -> FloatArray:
    """The bids of all steps."""
    bids = []
    for step in steps:
        random = np.random.default_rng(step)
        plan, placement, worth = random.integers(0, 3, 60), random.integers(0, 2, 60), random.lognormal(-0.2, 0.8, 60)
        price = np.sort(random.lognormal(0.0, 0.6, (60, 2)), axis=1)[:, ::-1]
        bids.append(bidder.bid(step, plan, placement, unit * worth))
        slot = np.where((bids[-1][:, None] > unit * price).any(1), 1, 0)
        spend = np.where(slot > 0, unit * price[:, 0], 0.0)
        bidder.observe(step, Outcome(plan, placement, unit * worth, unit * price, slot, slot > 0, spend))
    return np.concatenate(bids)


@pytest.mark.parametrize("name", BIDDERS)
def test_a_restored_bidder_continues_bit_for_bit(name: str) -> None:
    first, second = BIDDERS[name](MARKET, BUDGETS), BIDDERS[name](MARKET, BUDGETS)
    live(first, range(20))
    second.restore(first.snapshot())
    np.testing.assert_array_equal(live(first, range(20, STEPS)), live(second, range(20, STEPS)))


@pytest.mark.parametrize("name", BIDDERS)
def test_money_has_no_unit(name: str) -> None:
    yuan, micros = BIDDERS[name](MARKET, BUDGETS), BIDDERS[name](MARKET, 1e6 * BUDGETS)
    np.testing.assert_allclose(1e6 * live(yuan, range(STEPS)), live(micros, range(STEPS), 1e6), rtol=1e-6)


@pytest.mark.parametrize("name", BIDDERS)
def test_who_aims_at_profit_never_bids_above_worth_and_who_joins_bids_too(name: str) -> None:
    bidder = BIDDERS[name](MARKET, BUDGETS)
    for plan in range(3):
        bidder.set_aim(plan, Aim.PROFIT)
    live(bidder, range(20))
    assert bidder.add(1e9, 1) == 1
    bidder.set_aim(1, Aim.DELIVERY)
    live(bidder, range(20, 30))
    everyone = np.arange(4)
    bids = bidder.bid(30, everyone, 0 * everyone, np.ones(4))
    assert (bids[[0, 2, 3]] <= 1).all()
    assert bids[1] > 0


@pytest.mark.parametrize("name", BIDDERS)
def test_a_paused_plan_bids_nothing_and_comes_back(name: str) -> None:
    bidder = BIDDERS[name](MARKET, BUDGETS)
    one = np.zeros(1, np.int64), np.zeros(1, np.int64), np.ones(1)
    bidder.set_active(0, False)
    assert bidder.bid(0, *one)[0] == 0
    assert bidder.reading(0).multiplier == 0
    bidder.set_active(0, True)
    assert bidder.bid(0, *one)[0] > 0


@pytest.mark.parametrize("name", BIDDERS)
def test_the_engine_keeps_its_leases_whoever_bids(name: str) -> None:
    made, random = Engine([SHOP, ROOM], SPACE, SITE, START, BIDDERS[name]), np.random.default_rng(1)
    made.start_day(START)
    made.lease(SHOP.id, 30_000)
    for minute in range(6):
        now = START + minute * MINUTE
        tick = made.tick(requests(random, now, 40), now)
        made.shown(tick, np.ones(len(tick.decisions), bool), np.zeros(len(tick.decisions), bool), now)
    assert made.spent_today[0] <= 30_000
    assert made.spent_today[1] == 0


def test_the_even_plan_follows_the_traffic_of_days_lived() -> None:
    bidder = Fixed(MARKET, BUDGETS)
    assert bidder.planned(23)[0] == pytest.approx(20.0)
    evening = np.full(100, 40)
    bidder.learn_day(0, evening, evening, evening, evening[:, None])
    assert bidder.planned(23)[0] == pytest.approx(10.0)
    assert bidder.planned(STEPS - 1)[0] == pytest.approx(40.0)
