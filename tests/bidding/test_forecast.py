"""The rest of a day is told with an interval, and most days fall into it."""

import numpy as np
import pytest

from qianheng.bidding import Bidder
from qianheng.bidding.curves import GRID, POINTS, FloatArray
from tests.bidding.test_bidding_days import STEPS, day_spend, make_day, market, play

LEVELS = np.random.default_rng(3).normal(0.0, 0.3, (24, 8))


def levels(day: int) -> FloatArray:
    """Eight blocks a day, each with its own level."""
    return np.asarray(np.exp(np.repeat(LEVELS[day], STEPS // 8)))


@pytest.fixture(scope="module")
def learned() -> Bidder:
    days = [make_day(day, STEPS, 20, levels(day)) for day in range(4)]
    bidder = Bidder(market(STEPS), np.array([0.3 * day_spend(days[0])]))
    for day in days:
        bidder.learn_day(0, day.step, day.placement, day.worth, day.price)
    return bidder


def test_the_ends_lie_around_the_mean_and_all_curves_rise(learned: Bidder) -> None:
    told = learned.forecast(0, 0)
    for sums in (told.spend, told.worth):
        assert (sums.low <= sums.mean).all()
        assert (sums.mean <= sums.high).all()
        assert sums.mean.shape == (POINTS,)
        assert all((np.diff(one) >= -1e-9).all() for one in (sums.low, sums.mean, sums.high))


def test_most_unseen_days_fall_between_the_ends(learned: Bidder) -> None:
    told, column = learned.forecast(0, 0), int((GRID < 1).sum())
    inside = []
    for number in range(4, 24):
        day = make_day(number, STEPS, 20, levels(number))
        bought = day.price[:, 0] < day.worth * GRID[column]
        chance = learned.market.seen[day.placement, 0]
        worth = float((day.worth * chance)[bought].sum())
        inside.append(told.worth.low[column] <= worth <= told.worth.high[column])
    assert 0.6 <= np.mean(inside) <= 1


def test_less_is_expected_of_less_of_the_day_and_nothing_of_none(learned: Bidder) -> None:
    means = [learned.forecast(0, step).spend.mean[-1] for step in (0, STEPS // 2, STEPS - 1, STEPS)]
    assert means == sorted(means, reverse=True)
    assert means[-1] == 0


def test_the_same_landscape_gives_the_same_forecast(learned: Bidder) -> None:
    first, again = (learned.forecast(0, 40).worth.high for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_reading_expects_no_more_than_the_budget_holds() -> None:
    day = make_day(1, STEPS, 20, levels(1))
    bidder = Bidder(market(STEPS), np.array([0.1 * day_spend(day)]))
    play(bidder, day, range(STEPS // 2))
    told, left = bidder.reading(0), float(bidder.budget[0] - bidder.spend[0])
    assert 0 < told.spend_between[0] <= told.forecast_spend <= told.spend_between[1] <= left * 1.0001
    assert 0 < told.worth_between[0] <= told.forecast_worth <= told.worth_between[1]
