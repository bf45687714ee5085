"""What the dynamic programme makes of an uncertain day."""

import numpy as np
import pytest

from qianheng.bidding import aims, horizon
from qianheng.bidding.curves import POINTS, FloatArray


def outlook(deviation: float, keep: float = 0.0) -> horizon.Outlook:
    """A day of equal periods in which worth rises with the multiplier, at levels that differ by `deviation`."""
    spend = np.linspace(0.0, 0.3, POINTS) ** 2
    pairs = np.tile(np.stack([spend, 1.5 * spend**0.7]), (6, 1, 1))
    levels = np.tile(deviation * horizon.DRAWS, (6, 1))
    return horizon.Outlook(pairs, levels, np.full(6, keep), aims.stakes(np.zeros(1, dtype=np.int64)))


def test_the_levels_stand_for_a_standard_normal() -> None:
    assert horizon.MASSES.sum() == pytest.approx(1)
    mean, variance = (horizon.MASSES @ horizon.DRAWS**power for power in (1, 2))
    assert mean == pytest.approx(0, abs=1e-7)
    assert variance == pytest.approx(1)
    assert (np.diff(horizon.DRAWS) > 0).all()


@pytest.mark.parametrize("keep", [0.0, 0.6, 1.0])
def test_a_certain_day_is_worth_the_same_whether_its_level_lasts_or_not(keep: float) -> None:
    certain, lasting = (horizon.solve(outlook(0.0, chance), 32.0) for chance in (0.0, keep))
    np.testing.assert_allclose(certain, lasting, rtol=1e-4, atol=1e-5)


def test_more_slack_is_never_worth_less() -> None:
    value = horizon.solve(outlook(0.5), 32.0)
    assert (np.diff(value, axis=3) >= -1e-4).all()


def test_an_uncertain_worth_counts_for_less_than_its_mean_and_for_more_than_its_least() -> None:
    best: FloatArray = np.broadcast_to(np.linspace(0.5, 2.0, 5)[:, None, None], horizon.SHAPE)
    sure = horizon._sure(best, 0.0, aims.stakes(np.zeros(1, dtype=np.int64)))
    assert (sure < np.tensordot(horizon.MASSES, best, 1)).all()
    assert (sure > best.min()).all()


def test_the_more_is_already_won_the_less_uncertainty_weighs() -> None:
    best: FloatArray = np.broadcast_to(np.linspace(0.5, 2.0, 5)[:, None, None], horizon.SHAPE)
    sure = horizon._sure(best, 0.0, aims.stakes(np.zeros(1, dtype=np.int64)))[0]
    assert (np.diff(sure, axis=1)[:, horizon.SLACKS_BELOW :] > 0).all()
    assert (np.diff(sure, axis=0) <= 1e-6).all()  # less budget left is more won
