"""Calibration finds a plan that is predicted wrongly, and leaves alone one that is not or is too young to tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.days import DAY, HOUR
from qianheng.prediction.calibration import BOUNDS, Calibration
from qianheng.prediction.delay import EDGES, PRIOR, DelayCurve

START = 20_000 * DAY
ORDER = 100_000_000


def calibrated(truth: float, days: int, orders_a_day: int = 40) -> float:
    """The factor of a plan of whose predicted GMV `truth` times as much comes, delayed as the curve says."""
    rng, curve, made = np.random.default_rng(1), DelayCurve.start(), Calibration(2, np.full(2, float(ORDER)))
    come = [np.empty(0, np.int64)]
    for day in range(days):
        now = START + day * DAY
        shown = now + np.arange(24) * HOUR + HOUR // 2
        predicted = np.full(24, round(orders_a_day * ORDER / 24 / truth))
        made.add(shown, np.zeros(24, np.int64), predicted, np.zeros(24, np.int64))
        bins = rng.choice(len(PRIOR), orders_a_day, p=PRIOR / PRIOR.sum())
        delay = rng.integers(EDGES[bins], EDGES[bins + 1])
        come.append(rng.choice(shown, orders_a_day) + delay)
        at = np.concatenate(come)
        told = at[(at >= now) & (at < now + DAY)]
        made.add(told, np.zeros(len(told), np.int64), np.zeros(len(told), np.int64), np.full(len(told), ORDER))
        made.close_day(now + DAY)
    factor = made.factor(START + days * DAY, curve)
    assert factor[1] == 1  # a plan of which nothing is known
    return float(factor[0])


@pytest.mark.parametrize("truth", [0.5, 1.0, 1.8])
def test_the_factor_goes_to_the_truth(truth: float) -> None:
    assert calibrated(truth, 20) == pytest.approx(truth, rel=0.12)


def test_a_plan_predicted_twice_too_high_is_halved_within_days_and_stays_so() -> None:
    assert calibrated(0.5, 1) > calibrated(0.5, 4) > 0.44
    assert calibrated(0.5, 8) == pytest.approx(0.5, rel=0.15)


def test_the_factor_keeps_its_bounds() -> None:
    assert calibrated(0.02, 12) == BOUNDS[0]
    assert calibrated(20.0, 12) == BOUNDS[1]


def test_memory_does_not_grow_with_orders_and_its_sums_stay() -> None:
    made, at = Calibration(1, np.array([float(ORDER)])), START + np.arange(5000) * 1_000_000
    ones = np.ones(5000, np.int64)
    made.add(at, ones * 0, ones * 3, ones * 2)
    made.close_day(START + DAY)
    assert len(made.recent) <= 3
    assert (made.recent["predicted"].sum(), made.recent["observed"].sum()) == (15_000, 10_000)


@given(st.lists(st.integers(0, int(EDGES[-1]) * 2), max_size=50))
def test_the_reported_share_grows_from_nothing_to_all(delays: list[int]) -> None:
    curve = DelayCurve.start()
    curve.add(np.array(delays, np.int64))
    share = curve.reported(np.array([-DAY, 0, *range(0, int(EDGES[-1]), DAY // 4), int(EDGES[-1]), 2 * int(EDGES[-1])]))
    assert share[0] == share[1] == 0
    assert share[-1] == share[-2] == pytest.approx(1)
    assert (np.diff(share) >= 0).all()
