"""Whole days in small markets: budget and target are kept, and hindsight is close."""

from dataclasses import dataclass

import numpy as np
import pytest

from qianheng.bidding import Bidder, Binding, Market, Outcome
from qianheng.bidding.curves import FloatArray, IntArray

STEPS = 192
SEEN = np.array([[1.0, 0.6], [0.8, 0.4]])


@dataclass(frozen=True)
class Day:
    """Auctions in time order; price [n, slots]."""

    step: IntArray
    placement: IntArray
    worth: FloatArray
    price: FloatArray


def make_day(seed: int, steps: int, per_step: int, levels: FloatArray, slots: int = 1) -> Day:
    """Log-normal worths and prices; `levels` [steps] multiplies the worths of a step."""
    random = np.random.default_rng(seed)
    n = steps * per_step
    step = np.repeat(np.arange(steps), per_step)
    price = np.sort(random.lognormal(0.0, 0.6, (n, slots)), axis=1)[:, ::-1]
    worth = random.lognormal(-0.2, 0.8, n) * levels[step]
    return Day(step, random.integers(0, 2, n), worth, price)


def market(steps: int, slots: int = 1) -> Market:
    return Market(2, SEEN[:, :slots], steps)


@dataclass(frozen=True)
class Result:
    worth: float
    spend: float


def auction(bidder: Bidder, day: Day, step: int, left: float, random: np.random.Generator) -> Outcome:
    """One step of a one-plan bidder; wins that the rest of the budget cannot pay are lost."""
    rows = day.step == step
    worth, price, placement = day.worth[rows], day.price[rows], day.placement[rows]
    plan = np.zeros(len(worth), dtype=np.int64)
    bid = bidder.bid(step, plan, placement, worth)
    wins = bid[:, None] > price
    slot = np.where(wins.any(1), wins.argmax(1) + 1, 0)
    column = np.maximum(slot - 1, 0)
    chance = np.where(slot > 0, bidder.market.seen[placement, column], 0.0)
    seen = random.random(len(worth)) < chance
    spend = np.where(seen, price[np.arange(len(worth)), column], 0.0)
    refused = np.cumsum(spend) > left
    return Outcome(plan, placement, worth, price, slot, seen & ~refused, np.where(refused, 0.0, spend))


def play(bidder: Bidder, day: Day, steps: range | None = None, seed: int = 5) -> Result:
    """Let a one-plan bidder live through the steps of the day."""
    worth = spend = 0.0
    random = np.random.default_rng(seed)
    for step in steps or range(bidder.market.steps):
        left = float(bidder.budget[0] - bidder.spend[0])
        outcome = auction(bidder, day, step, left, random)
        bidder.observe(step, outcome)
        worth += float(outcome.worth @ outcome.seen)
        spend += float(outcome.spend.sum())
    return Result(worth, spend)


def hindsight(day: Day, budget: float) -> float:
    """Most worth of one certain slot within budget and target, all prices known."""
    chance, ratio = SEEN[day.placement, 0], day.price[:, 0] / day.worth
    order = np.argsort(ratio)
    spend = np.cumsum((chance * day.price[:, 0])[order])
    worth = np.cumsum((chance * day.worth)[order])
    return float(worth[(spend <= budget) & (spend <= worth)].max(initial=0.0))


def flat(level: float = 1.0, steps: int = STEPS) -> FloatArray:
    return np.full(steps, level)


def day_spend(day: Day) -> float:
    return float(day.price[:, 0].sum())


@pytest.mark.parametrize("share", [0.05, 0.2, 0.8])
def test_in_a_steady_market_it_reaches_97_percent_of_hindsight_and_keeps_the_target(share: float) -> None:
    yesterday, today = make_day(1, STEPS, 80, flat()), make_day(2, STEPS, 80, flat())
    budget = share * day_spend(today)
    bidder = Bidder(market(STEPS), np.array([budget]))
    bidder.learn_day(0, yesterday.step, yesterday.placement, yesterday.worth, yesterday.price)
    result = play(bidder, today)
    assert result.worth >= 0.97 * hindsight(today, budget)
    assert result.spend <= min(budget, 1.005 * result.worth)


def test_without_any_history_it_still_comes_within_six_percent_of_hindsight() -> None:
    today = make_day(3, STEPS, 80, flat())
    budget = 0.2 * day_spend(today)
    result = play(Bidder(market(STEPS), np.array([budget])), today)
    assert result.worth >= 0.94 * hindsight(today, budget)
    assert result.spend <= result.worth


@pytest.mark.parametrize("later", [0.4, 2.5])
@pytest.mark.parametrize("known", [False, True])
def test_when_traffic_turns_at_noon_the_target_is_still_kept(later: float, known: bool) -> None:
    levels = np.where(np.arange(STEPS) < STEPS // 2, 0.7, 0.7 * later)
    today = make_day(4, STEPS, 80, levels)
    bidder = Bidder(market(STEPS), np.array([day_spend(today)]))
    if known:
        before = make_day(5, STEPS, 80, flat(0.7))
        bidder.learn_day(0, before.step, before.placement, before.worth, before.price)
    result = play(bidder, today)
    assert 0 < result.spend <= 1.01 * result.worth


def test_shading_wins_more_worth_where_several_slots_are_for_sale() -> None:
    today, before = make_day(6, STEPS, 80, flat(), 2), make_day(7, STEPS, 80, flat(), 2)
    worths = []
    for slots in (1, 2):
        bidder = Bidder(market(STEPS, 2), np.array([2 * day_spend(today)]))
        bidder.shading.idle = slots == 1
        bidder.learn_day(0, before.step, before.placement, before.worth, before.price)
        result = play(bidder, today)
        assert result.spend <= 1.005 * result.worth
        worths.append(result.worth)
    assert worths[1] > worths[0]


def test_a_target_raised_at_noon_is_kept_by_the_end() -> None:
    today = make_day(8, STEPS, 80, flat())
    bidder = Bidder(market(STEPS), np.array([2 * day_spend(today)]))
    morning = play(bidder, today, range(STEPS // 2))
    bidder.retarget(0, 1.3)
    later = Day(today.step, today.placement, today.worth / 1.3, today.price)
    afternoon = play(bidder, later, range(STEPS // 2, STEPS))
    assert afternoon.spend > 0
    assert morning.spend + afternoon.spend <= 1.01 * (morning.worth + afternoon.worth)


def test_a_reading_names_the_constraint_that_binds() -> None:
    today = make_day(9, STEPS, 80, flat(0.6))
    readings = {}
    for name, budget in (("poor", 0.02), ("rich", 5.0)):
        bidder = Bidder(market(STEPS), np.array([budget * day_spend(today)]))
        play(bidder, today, range(STEPS // 2))
        readings[name] = bidder.reading(0)
    assert readings["poor"].binding is Binding.BUDGET
    assert readings["rich"].binding is Binding.ROI
    assert readings["poor"].multiplier < readings["rich"].multiplier
    assert readings["rich"].forecast_spend > readings["poor"].forecast_spend > 0


def test_where_everything_is_cheap_only_the_cap_binds() -> None:
    today = make_day(10, STEPS, 20, flat(1000.0))
    bidder = Bidder(market(STEPS), np.array([50 * day_spend(today)]))
    play(bidder, today, range(STEPS // 2))
    assert bidder.reading(0).binding is Binding.CAP


def test_the_caller_and_the_bidder_agree_on_what_was_spent() -> None:
    today = make_day(11, 48, 20, flat(steps=48))
    bidder = Bidder(market(48), np.array([30.0]))
    spent = sum(
        bidder.observe(step, outcome) or outcome.spend.sum()  # type: ignore[func-returns-value]
        for step in range(48)
        for outcome in [auction(bidder, today, step, 30.0 - float(bidder.spend[0]), np.random.default_rng(step))]
    )
    assert spent == pytest.approx(bidder.spend[0])
    assert spent <= 30.0
