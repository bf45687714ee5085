"""What the rest of a day may bring: response curves told with their uncertainty.

The day to come is drawn many times over: levels that last or are drawn anew as the landscape measured, a spread that is
itself known from few draws only, and a volume that days miss by as much as they did. Draws are fixed numbers, so the
same landscape gives the same answer.
"""

from dataclasses import dataclass

import numpy as np

from qianheng.bidding.curves import LOG_GRID, SPACING, WORTH, FloatArray, blend
from qianheng.bidding.landscape import Landscape

PATHS = 96
LOW, HIGH = 0.1, 0.9
SHAPE_DEVIATION = 0.25  # of the log of what one period brings beside its level
WIDER = 1.5  # the logs of the ends beside the mean: what markets do that no model knows, seen on training markets
WITHIN = 0.4  # of the level while it lasts, in deviations

_RANDOM = np.random.default_rng(20_170_813)
_SPREAD, _OFFSET, _VOLUME, _LASTING = _RANDOM.standard_normal((4, PATHS, 1))
_WOBBLE = _RANDOM.standard_normal((PATHS, 24))


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and the ends between which four days of five are to fall; [points], or one number."""

    low: FloatArray
    mean: FloatArray
    high: FloatArray

    def ends(self, limit: float = np.inf) -> tuple[float, float]:
        """The ends of the interval of one number, at most `limit`."""
        return min(float(self.low), limit), min(float(self.high), limit)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The rest of a plan's day as functions of its multiplier, budget aside."""

    spend: Interval
    worth: Interval


def forecast(land: Landscape, plan: int, step: int, log_multipliers: FloatArray = LOG_GRID) -> Forecast:
    """The rest of the plan's day from `step` on for each of the log multipliers [points]."""
    spend, worth = np.moveaxis(futures(land, plan, step, log_multipliers), 1, 0)
    return Forecast(_rising(interval(spend)), _rising(interval(worth)))


def interval(drawn: FloatArray) -> Interval:
    """Of draws [paths, ...], not negative."""
    mean, ends = drawn.mean(0), np.quantile(drawn, [LOW, HIGH], axis=0)
    low, high = np.where(mean > 0, mean * (ends / np.where(mean > 0, mean, 1.0)) ** WIDER, 0.0)
    return Interval(low, mean, high)


def _rising(told: Interval) -> Interval:
    """Ends that fall nowhere as the multiplier rises, as no drawn curve does."""
    low, high = np.maximum.accumulate(told.low), np.maximum.accumulate(told.high)
    return Interval(low, told.mean, high)


def futures(land: Landscape, plan: int, step: int, log_multipliers: FloatArray) -> FloatArray:
    """What each drawn rest of the day brings, [paths, (spend, worth), points]; nothing once the day is over."""
    if step >= land.clock.steps:
        return np.zeros((PATHS, 2, len(log_multipliers)))
    first = land.clock.period(step)
    level, volume = _levels(land, plan, first), _volumes(land, plan, step)
    position = (log_multipliers - LOG_GRID[0] + level[..., None]) / SPACING
    rates = land.rates(plan)[first:]
    shape = (PATHS, len(rates), 2)
    pairs = blend(np.broadcast_to(rates, (*shape, rates.shape[-1])), np.repeat(position[:, :, None], 2, 2))
    pairs[..., WORTH, :] *= np.exp(level)[..., None]
    return np.asarray(np.einsum("dkcp,dk->dcp", pairs, volume))


def _levels(land: Landscape, plan: int, first: int) -> FloatArray:
    """Levels [paths, periods left] from the period that is on: its deviation lasts, or is drawn anew."""
    levels, periods = land.levels, land.clock.periods
    random = np.random.default_rng(first)
    kept, fresh = random.random((PATHS, periods)), random.standard_normal((PATHS, periods))
    evidence = 0.5 + float((levels.weight[plan] * (1 - levels.keep[plan])).sum())
    deviation = levels.deviation[plan] * np.exp(_SPREAD / np.sqrt(2 * evidence))
    drawn = deviation * (fresh + _OFFSET / np.sqrt(evidence))
    path = np.empty((PATHS, periods - first))
    path[:, 0] = levels.now[plan] - levels.profile[plan, first]
    for place in range(1, path.shape[1]):
        lasts = kept[:, place] < levels.keep[plan, first + place]
        path[:, place] = np.where(lasts, path[:, place - 1], drawn[:, place])
    wobble = _WOBBLE[:, first:periods] + _LASTING
    return np.asarray(levels.profile[plan, first:] + path + WITHIN * levels.deviation[plan] / np.sqrt(2) * wobble)


def _volumes(land: Landscape, plan: int, step: int) -> FloatArray:
    """Candidates [paths, periods left], today's traffic against the usual and what days differ included."""
    first = land.clock.period(step)
    usual = (land.traffic()[plan] * land.busyness()[plan])[first:].copy()
    usual[0] *= land.clock.remaining(step)
    apart = np.random.default_rng(first + 100).standard_normal((PATHS, len(usual)))
    deviation = land.volume_deviation()[plan]
    return np.asarray(usual * np.exp(deviation * _VOLUME + np.hypot(deviation, SHAPE_DEVIATION) * apart))
