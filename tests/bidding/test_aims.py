"""What each aim is for: a target holds spend within worth, delivery spends the budget, profit never buys at a loss."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qianheng.bidding import Aim, Bidder, Binding, Market, Outcome
from qianheng.bidding.curves import FloatArray

STEPS, AUCTIONS = 48, 60


def auctions(seed: int, step: int) -> tuple[FloatArray, FloatArray]:
    """Worth and price of one step: the second half of the day is twice as good as the first."""
    random = np.random.default_rng((seed, step))
    good = 1.0 if step < STEPS // 2 else 2.0
    return good * random.lognormal(-0.9, 0.7, AUCTIONS), random.lognormal(0.0, 0.5, AUCTIONS)


def day(bidder: Bidder, seed: int) -> tuple[float, float]:
    """Worth and spend of one day of single-slot second-price auctions."""
    nobody = np.zeros(AUCTIONS, dtype=np.int64)
    for step in range(STEPS):
        worth, price = auctions(seed, step)
        bids = bidder.bid(step, nobody, nobody, worth)
        won = bids > price
        spend = np.where(won & (np.cumsum(won * price) <= bidder.budget[0] - bidder.spend[0]), price, 0.0)
        bidder.observe(step, Outcome(nobody, nobody, worth, price[:, None], 1 * won, spend > 0, spend))
    worth_won, spent = float(bidder.worth[0]), float(bidder.spend[0])
    bidder.close_day()
    return worth_won, spent


def third_day(aim: Aim, budget: float, seed: int = 1) -> tuple[Bidder, float, float]:
    bidder = Bidder(Market(1, np.ones((1, 1)), STEPS), np.array([budget]))
    bidder.set_aim(0, aim)
    for number in range(2):
        day(bidder, 100 * seed + number)
    return bidder, *day(bidder, 100 * seed + 2)


def most_profit(seed: int, budget: float) -> float:
    """The linear programme: auctions worth their price, by worth over price, as far as the budget goes."""
    worth, price = (
        np.concatenate(parts) for parts in zip(*(auctions(100 * seed + 2, s) for s in range(STEPS)), strict=True)
    )
    order = np.argsort(-worth / price)
    worth, price = worth[order], price[order]
    bought = (worth > price) & (np.cumsum(price) <= budget)
    return float((worth - price)[bought].sum())


@pytest.mark.parametrize("budget", [150.0, 500.0, 1e6])
def test_profit_comes_near_the_most_that_was_to_be_had_and_never_pays_more_than_worth(budget: float) -> None:
    bidder, worth, spend = third_day(Aim.PROFIT, budget)
    assert spend <= budget
    assert worth - spend >= 0.95 * most_profit(1, budget)
    assert bidder.multiplier[0] <= 1


def test_profit_waits_for_the_better_half_of_the_day_when_the_budget_is_short() -> None:
    bidder, _, spend = third_day(Aim.PROFIT, 100.0)
    assert spend > 85
    assert (bidder.multiplier < 0.7).all()


def test_delivery_spends_the_whole_budget_where_a_target_would_not() -> None:
    _, worth, spend = third_day(Aim.TARGET, 2500.0)
    _, more_worth, more_spend = third_day(Aim.DELIVERY, 2500.0)
    assert spend <= worth * 1.01
    assert more_spend > 0.97 * 2500 > spend
    assert more_worth > worth
    assert more_spend > more_worth


def test_delivery_gets_as_much_worth_as_a_target_that_does_not_bind() -> None:
    _, worth, _ = third_day(Aim.TARGET, 200.0)
    _, freely, _ = third_day(Aim.DELIVERY, 200.0)
    assert freely == pytest.approx(worth, rel=0.02)


@given(st.integers(1, 50), st.floats(50, 2500))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_profit_makes_at_least_as_much_as_the_other_aims(seed: int, budget: float) -> None:
    profits = {}
    for aim in Aim:
        _, worth, spend = third_day(aim, budget, seed)
        profits[aim] = worth - spend
    assert profits[Aim.PROFIT] >= 0.97 * max(profits.values())


def test_each_aim_says_what_holds_it() -> None:
    bindings = {aim: third_day(aim, 1e6)[0].reading(0).binding for aim in Aim}
    assert bindings == {Aim.TARGET: Binding.ROI, Aim.DELIVERY: Binding.CAP, Aim.PROFIT: Binding.PROFIT}
    assert all(third_day(aim, 100.0)[0].reading(0).binding is Binding.BUDGET for aim in Aim)


def test_what_was_spent_for_another_aim_has_no_target_to_answer_to() -> None:
    bidder, *_ = third_day(Aim.DELIVERY, 2500.0)
    nobody = np.zeros(4, dtype=np.int64)
    bidder.observe(0, Outcome(nobody, nobody, np.full(4, 0.1), np.ones((4, 1)), nobody + 1, nobody == 0, np.ones(4)))
    bidder.set_aim(0, Aim.TARGET)
    assert bidder.reading(0).slack == 0
    bidder.set_aim(0, Aim.TARGET)
    assert bidder.spend[0] == 4


def test_a_plan_added_in_the_day_lives_as_one_that_was_there_and_moves_nobody() -> None:
    market = Market(1, np.ones((1, 1)), STEPS)
    grown, nobody = Bidder(market, np.array([400.0, 900.0])), np.zeros(AUCTIONS, dtype=np.int64)
    alone = Bidder(market, np.array([400.0]))
    for step in range(STEPS):
        if step == 10:
            assert grown.add(700.0, 1) == 1
            assert grown.add(50.0) == 3
        worth, price = auctions(1, step)
        for bidder in (grown, alone):
            won = bidder.bid(step, nobody, nobody, worth) > price
            bidder.observe(step, Outcome(nobody, nobody, worth, price[:, None], 1 * won, won, won * price))
    assert grown.budget.tolist() == [400.0, 700.0, 900.0, 50.0]
    assert grown.multiplier[0] == pytest.approx(alone.multiplier[0], rel=1e-9)
    again = Bidder(market, np.ones(2))
    again.restore(grown.snapshot())
    worth, _ = auctions(1, 0)
    for plan in range(4):
        assert np.array_equal(again.bid(0, nobody + plan, nobody, worth), grown.bid(0, nobody + plan, nobody, worth))
