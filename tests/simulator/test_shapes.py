"""Shapes of the market against what they were fitted to: traffic, prices, delays, refunds, organic demand."""

import numpy as np
import pytest

from qianheng.core.days import HOUR, MINUTE
from qianheng.facts.schema import Kind
from qianheng.simulator.buyers import Catalogue, Population
from qianheng.simulator.draws import scramble
from qianheng.simulator.faults import Faults
from qianheng.simulator.loading import load
from qianheng.simulator.market import Market
from qianheng.simulator.orders import Purchases, Till, delay
from qianheng.simulator.scenario import Scenario
from qianheng.simulator.traffic import Traffic
from tests.simulator.worlds import DAY, run, run_out, show_nothing, small, start_of

GRID = (np.arange(100_000) + 0.5) / 100_000


def share_within(minutes: np.ndarray, limit: float) -> float:
    return float(np.mean(minutes <= limit * MINUTE))


def test_requests_follow_the_hours_of_the_week() -> None:
    scenario = small(opportunities_per_day="200000", days="2")
    batch = Market(scenario, 1).opportunities(start_of(scenario), start_of(scenario, 3))
    counted = np.bincount((batch.at - start_of(scenario)) // HOUR, minlength=48)
    expected = Traffic(scenario).rate[:48]
    assert np.abs(counted / expected - 1).max() < 0.06
    assert counted[4] < 0.25 * counted[12]


def test_a_week_has_as_many_requests_a_day_as_the_scenario_says() -> None:
    traffic = Traffic(small(days="7", opportunities_per_day="1000"))
    assert traffic.rate.sum() / 7 == pytest.approx(1000)


def test_a_days_traffic_is_told_by_share_and_back() -> None:
    traffic = Traffic(small())
    shares = np.array([0.0, 0.2, 0.5, 0.999])
    assert [traffic.elapsed(int(at)) for at in traffic.times(1, shares)] == pytest.approx(shares, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "hours", "share"),
    [
        ("order", 1, 0.34),
        ("order", 24, 0.50),
        ("order", 24 * 7, 1.0),
        ("prompt_order", 1 / 3, 0.80),
        ("refund_1h", 1 / 60, 0.06),
        ("refund_1h", 1, 1.0),
        ("refund_7d", 1, 0.0),
        ("refund_7d", 6080 / 60, 0.5),
        ("refund_7d", 24 * 7, 1.0),
        ("refund_later", 24 * 7, 0.0),
        ("report", 1 / 60, 0.95),
    ],
)
def test_delays_have_their_quantiles(name: str, hours: float, share: float) -> None:
    drawn = delay(getattr(small().delays, name), GRID)
    assert share_within(drawn, hours * 60) == pytest.approx(share, abs=0.011)


def test_clearing_prices_have_the_spread_of_a_public_second_price_log() -> None:
    """Standard deviation of log prices there: 0.86 and 1.06."""
    scenario = load("month", {"buyers.population": "30000"})
    batch = Market(scenario, 1).opportunities(start_of(scenario), start_of(scenario, 2))
    spread = np.log(batch.bids.max(axis=1)).std()
    assert 0.7 < spread < 1.1


def test_organic_demand_is_what_the_scenario_says() -> None:
    scenario = small(days="10", buyers__population="8000")
    market = Market(scenario, 1)
    made = run(market, show_nothing, days=10, step=6 * HOUR)
    orders = run_out(market, made).facts[Kind.ORDER].num_rows
    wanted = 10 * sum(product.organic for product in scenario.products())
    assert abs(orders - wanted) < 4 * np.sqrt(wanted)


class Refunded:
    """Many orders of one product rung up, with what was sent back of them."""

    def __init__(self, scenario: Scenario, product: int, count: int = 60_000) -> None:
        catalogue = Catalogue(scenario)
        people = Population(scenario, catalogue, 1)
        user = np.arange(count) % scenario.buyers.population
        minus = np.full(count, -1)
        bought = Purchases(scramble(np.arange(count)), np.zeros(count, int), user, minus * 0 + product, minus, minus)
        self.orders, refunds = Till(scenario, catalogue, people, Faults(scenario, catalogue)).ring(bought)
        amount = dict(zip(refunds[:, 3].tolist(), refunds[:, 5].tolist(), strict=True))
        after = dict(zip(refunds[:, 3].tolist(), (refunds[:, 2] - refunds[:, 4]).tolist(), strict=True))
        self.type = people.type[user]
        self.amount = np.array([amount.get(order, 0) for order in self.orders[:, 1].tolist()])
        self.after = np.array([after.get(order, -1) for order in self.orders[:, 1].tolist()])

    def share(self, earliest: int, latest: int, kind: int | None = None) -> float:
        there = (self.after > earliest) & (self.after <= latest)
        return float(np.mean(there if kind is None else there[self.type == kind]))


def test_refunds_follow_the_type_of_buyer_and_the_category() -> None:
    scenario = small()
    refunded = Refunded(scenario, 0)
    habit = scenario.categories["womenswear"]
    for number, kind in enumerate(scenario.buyers.types):
        soon, week = habit.refund_1h * kind.refund_1h, habit.refund_7d * kind.refund_7d
        assert refunded.share(-1, HOUR, number) == pytest.approx(soon, abs=0.02), kind.name
        assert refunded.share(HOUR, 7 * DAY, number) == pytest.approx(week, abs=0.02), kind.name
    assert refunded.share(7 * DAY, 90 * DAY) == pytest.approx(habit.refund_later, abs=0.01)


def test_some_refunds_are_partial_and_a_few_come_within_a_minute() -> None:
    refunded = Refunded(small(), 0)
    back = refunded.amount / refunded.orders[:, 8]
    partial = float(np.mean(back[back > 0] < 1))
    assert partial == pytest.approx(small().refunds.partial, abs=0.02)
    assert 0 < refunded.share(-1, MINUTE) < 0.03


def test_a_tenth_of_orders_are_of_two_pieces_and_none_dearer_than_the_list_price() -> None:
    refunded = Refunded(small(), 0)
    price = 129_000_000
    assert refunded.orders[:, 8].max() <= 2 * price
    assert np.mean(refunded.orders[:, 8] > price) == pytest.approx(small().buyers.two_items, abs=0.02)
    assert np.all(refunded.orders[:, 8] % 10_000 == 0)
