"""The correction between control steps: its regret grows with √T, it keeps its bounds, and it pulls the right way."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qianheng.auction.hindsight import optimum
from qianheng.bidding.within import REACH, Within

RUNS, FREELY = 48, 3.0


def regret(auctions: int, rho: float, seed: int) -> float:
    """Second-price auctions of one kind, with a budget of `rho` an auction: how far independent runs stay, in the mean,
    below the worth of the hindsight optimum.
    """
    random = np.random.default_rng(seed)
    worth, price = random.uniform(0, 1, (auctions, RUNS)), random.uniform(0, 1.2, (auctions, RUNS))
    pacing = Within(np.full(RUNS, rho), auctions, FREELY)
    left, won = np.full(RUNS, rho * auctions), np.zeros(RUNS)
    for value, cost in zip(worth, price, strict=True):
        spend = np.where((pacing.factor * value > cost) & (cost <= left), cost, 0.0)
        pacing.spent(spend)
        left, won = left - spend, won + np.where(spend > 0, value, 0.0)
    seen = np.ones((auctions, 1))
    best = [optimum(worth[:, run], price[:, [run]], seen, rho * auctions).value for run in range(RUNS)]
    return float(np.mean(best - won))


def test_regret_on_auctions_of_one_kind_grows_as_the_root_of_their_number() -> None:
    counts = [400, 1600, 6400]
    lost = [regret(count, 0.08, seed=1) for count in counts]
    slope = np.polyfit(np.log(counts), np.log(lost), 1)[0]
    assert 0.2 < slope < 0.65
    assert all(each <= 1.5 * np.sqrt(count) for each, count in zip(lost, counts, strict=True))


@given(st.lists(st.floats(0, 100), max_size=30), st.integers(1, 100))
def test_a_bid_is_never_moved_beyond_its_reach(steps: list[float], auctions: int) -> None:
    pacing = Within(np.array([1.0, 0.0]), auctions)
    for spend in steps:
        pacing.spent(np.array([spend, spend]))
        assert (np.abs(np.log(pacing.factor)) <= REACH + 1e-12).all()
        assert pacing.factor[1] == 1  # nothing was planned for it


def test_who_spends_more_than_planned_is_held_back_and_who_spends_less_bids_on_as_the_step_says() -> None:
    pacing = Within(np.array([1.0, 1.0, 1.0]), 100)
    pacing.spent(np.array([20.0, 10.0, 5.0]), 10)
    assert pacing.factor[0] < 1
    assert pacing.factor[1:].tolist() == [1, 1]


def test_a_plan_with_next_to_nothing_planned_is_left_alone_whatever_it_spends() -> None:
    within = Within(np.array([0.0, np.finfo(float).tiny]), auctions=10)
    within.spent(np.array([600.0, 600.0]))
    assert within.factor.tolist() == [1.0, 1.0]
