"""Seasons: requests, readiness and rivals' money follow the days a scenario names, and nothing else moves."""

from dataclasses import replace

import numpy as np
import pytest

from qianheng.core.errors import BadInput
from qianheng.facts.schema import Kind
from qianheng.simulator.market import Market
from qianheng.simulator.scenario import Scenario
from qianheng.simulator.seasons import Season, Seasons
from tests.simulator.worlds import Run, run, run_out, show_everything, small


def in_season(*seasons: Season) -> Scenario:
    return replace(small(), seasons=seasons)


def lived(scenario: Scenario) -> Run:
    market = Market(scenario, 3)
    return run_out(market, run(market, show_everything, days=2))


@pytest.fixture(scope="module")
def usual() -> Run:
    return lived(small())


def test_without_a_season_and_in_one_that_is_as_usual_every_byte_is_the_same(usual: Run) -> None:
    assert lived(in_season(Season(1), Season(3))).bytes() == usual.bytes()


def test_between_two_days_it_goes_evenly_and_beyond_them_it_stays() -> None:
    found = Seasons([Season(5, traffic=4.0), Season(3, traffic=1.0, rivals=0.5)], days=7)
    assert found.traffic.tolist() == pytest.approx([1, 1, 1, 2, 4, 4, 4])
    assert found.rivals.tolist() == pytest.approx([0.5, 0.5, 0.5, 0.5**0.5, 1, 1, 1])
    assert found.orders.tolist() == [1.0] * 7


def test_more_people_come_on_a_day_of_more_traffic(usual: Run) -> None:
    busy = lived(in_season(Season(1), Season(2, traffic=2.0)))
    assert len(busy.batches[0]) == len(usual.batches[0])  # the first day is as usual
    many, few = (sum(len(batch) for batch in made.batches[len(made.batches) // 2 :]) for made in (busy, usual))
    assert many == pytest.approx(2 * few, rel=0.1)


def test_in_a_promotion_people_order_more_readily_after_the_same_clicks(usual: Run) -> None:
    eager = lived(in_season(Season(1, orders=1.8)))
    assert eager.facts[Kind.ORDER].num_rows > 1.2 * usual.facts[Kind.ORDER].num_rows
    assert [len(batch) for batch in eager.batches] == [len(batch) for batch in usual.batches]


def first_bids_and_truth(scenario: Scenario) -> tuple[float, float]:
    market = Market(scenario, 3)
    batch = run(market, show_everything, days=1).batches[0]
    truth = market.truth(batch, *(np.array([one]) for one in (11, -1)))
    return float(batch.bids.max()), float(truth.gmv.sum())


def test_rivals_bid_more_and_what_is_true_of_a_request_follows_the_season() -> None:
    bid, worth = first_bids_and_truth(small())
    dearer, readier = first_bids_and_truth(in_season(Season(1, rivals=1.5, orders=1.5)))
    assert dearer == pytest.approx(1.5 * bid, rel=1e-5)
    assert readier > 1.2 * worth


def test_a_season_that_cannot_be_is_told() -> None:
    with pytest.raises(BadInput):
        Season(0)
    with pytest.raises(BadInput):
        Season(1, traffic=0.0)
