"""What another policy would have brought, from what was logged under this one with the chance of each choice (SPEC 12).

Every logged choice counts as often as the other policy would have made it for once that it was made: its weight is the
other policy's chance of it over the logged one. Three estimates of the mean reward:

- `ips`: the mean of weight · reward, unbiased where the chances are right (Horvitz and Thompson 1952), weights cut off
  at √n as Ionides (2008) has it: what that leaves out is told, and vanishes as n grows;
- `self_normalised`: over the mean weight instead of 1 (Swaminathan and Joachims 2015): no worse off for a weight too
  many, biased by an order less than its spread;
- `doubly_robust`: a model of rewards, corrected by the weighted residuals (Dudík and others 2011): right if either the
  model or the chances are, and narrow if the model is good.

No number is given where what was logged cannot know: see `Doubt`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from qianheng.core.interval import Interval, exact
from qianheng.diagnosis.chance import Z95

Float = npt.NDArray[np.float64]

FEWEST = 100  # effective choices; of fewer no interval of a mean of rare orders holds
FEWEST_REWARDED = 20  # effective choices that brought anything
HEAVIEST = 0.05  # of all weight on one choice
UNSUPPORTED = 0.01  # of the other policy's choices that were never made
STRAY = 4.0  # standard errors of the mean weight from 1


class Estimator(StrEnum):
    """The estimates, the best one last."""

    IPS = "ips"
    SELF_NORMALISED = "self_normalised"
    DOUBLY_ROBUST = "doubly_robust"


class Doubt(StrEnum):
    """Why nothing can be said."""

    NOTHING_LOGGED = "nothing_logged"
    UNSUPPORTED = "unsupported"  # it would choose what was never chosen
    TOO_FEW = "too_few"  # too few choices that it might have made, or that brought anything
    TOO_HEAVY = "too_heavy"  # a single choice would decide
    STRAY_WEIGHTS = "stray_weights"  # the logged chances are not the true ones


@dataclass(frozen=True, slots=True)
class Logged:
    """Choices as they were logged, [n] each.

    weight: the other policy's chance of what was chosen over the logged one, both given all that was known;
    unsupported: the other policy's chance of all that could not be chosen; taken, target: the reward expected by a
    model of what was chosen, and under the other policy, if there is a model.
    """

    weight: Float
    reward: Float
    unsupported: Float
    taken: Float | None = None
    target: Float | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What an estimate rests on."""

    choices: int
    effective: float  # Kish's: how many choices of equal weight would tell as much
    rewarded: float  # and how many of those that brought anything
    heaviest: float  # share of all weight on one choice
    mean_weight: float  # 1 where chances are right
    unsupported: float  # share of the other policy's choices that were never made
    cut_off: float  # share of its choices that weights cut off stand for


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The mean reward a choice under the other policy by estimator, what it is more than the logged one, what both rest
    on; no number but the logged mean where there is doubt.
    """

    ground: Ground
    doubts: tuple[Doubt, ...]
    logged: Interval | None
    means: Mapping[Estimator, Interval]
    gains: Mapping[Estimator, Interval]

    @property
    def best(self) -> Estimator | None:
        """The one to believe: doubly robust with a model, else self-normalised; `None` where nothing can be said."""
        return max(self.means, key=list(Estimator).index, default=None)


def evaluated(logged: Logged, deviations: float = Z95) -> Evaluation:
    """What another policy would have brought; intervals reach so many standard errors either way."""
    ground = ground_of(logged)
    doubts = tuple(doubts_of(ground, logged.weight))
    if not ground.choices:
        return Evaluation(ground, doubts, None, {}, {})
    reward = logged.reward
    mean = _interval(float(reward.mean()), reward - reward.mean(), deviations)
    if doubts:
        return Evaluation(ground, doubts, mean, {}, {})
    parts = _parts(logged)
    means = {name: _interval(value, around, deviations) for name, (value, around) in parts.items()}
    gains = {
        name: _interval(value - float(reward.mean()), around - (reward - reward.mean()), deviations)
        for name, (value, around) in parts.items()
    }
    return Evaluation(ground, doubts, mean, means, gains)


def ratio_evaluated(above: Logged, below: Logged, deviations: float = Z95) -> Interval | None:
    """The ratio of two mean rewards of the same choices under the other policy (GMV over spend), self-normalised or,
    where both have a model, doubly robust; `None` where there is doubt or nothing below.
    """
    if doubts_of(ground_of(above), above.weight):
        return None
    name = max(_parts(above).keys() & _parts(below).keys(), key=list(Estimator).index)
    (over, around_over), (under, around_under) = _parts(above)[name], _parts(below)[name]
    if under <= 0:
        return None
    return _interval(over / under, (around_over - over / under * around_under) / under, deviations)


def ground_of(logged: Logged) -> Ground:
    """What there is to estimate from."""
    weight, count = logged.weight, len(logged.weight)
    total = float(weight.sum())
    if not total:
        return Ground(count, 0.0, 0.0, 0.0, 0.0, _mean(logged.unsupported), 0.0)
    beyond = float(np.maximum(weight - sqrt(count), 0).sum()) / total
    effective, rewarded = _effective(weight), _effective(weight[logged.reward != 0])
    heaviest, mean = float(weight.max()) / total, total / count
    return Ground(count, effective, rewarded, heaviest, mean, _mean(logged.unsupported), beyond)


def doubts_of(ground: Ground, weight: Float) -> list[Doubt]:
    """All reasons to say nothing."""
    if not ground.choices:
        return [Doubt.NOTHING_LOGGED]
    expected, error = 1 - ground.unsupported, float(weight.std()) / sqrt(ground.choices)
    holds = {
        Doubt.UNSUPPORTED: ground.unsupported > UNSUPPORTED,
        Doubt.TOO_FEW: ground.effective < FEWEST or ground.rewarded < FEWEST_REWARDED,
        Doubt.TOO_HEAVY: ground.heaviest > HEAVIEST,
        Doubt.STRAY_WEIGHTS: abs(ground.mean_weight - expected) > STRAY * error + 1e-9,
    }
    return [doubt for doubt, held in holds.items() if held]


def higher(mean: Float, deviation: Float, limit: Float) -> Float:
    """[n] the chance that a normal variable is at least `limit`: that a log-normal bid suffices."""
    return np.asarray(ndtr((mean - limit) / deviation), float)


def _parts(logged: Logged) -> dict[Estimator, tuple[float, Float]]:
    """Each estimate, and how every choice moves it from its value, [n] of mean 0."""
    weight, reward = np.minimum(logged.weight, sqrt(len(logged.weight))), logged.reward
    weighted = weight * reward
    value, mean_weight = float(weighted.mean()), float(weight.mean())
    normal = value / mean_weight
    parts = {
        Estimator.IPS: (value, weighted - value),
        Estimator.SELF_NORMALISED: (normal, weight * (reward - normal) / mean_weight),
    }
    if logged.taken is not None and logged.target is not None:
        corrected = logged.target + weight * (reward - logged.taken)
        robust = float(corrected.mean())
        parts[Estimator.DOUBLY_ROBUST] = (robust, corrected - robust)
    return parts


def _interval(value: float, around: Float, deviations: float) -> Interval:
    error = float(around.std(ddof=min(1, len(around) - 1))) / sqrt(len(around))
    low, middle, high = (exact(value + side * deviations * error) for side in (-1, 0, 1))
    return Interval(low, middle, high)


def _effective(weight: Float) -> float:
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def _mean(values: Float) -> float:
    return float(values.mean()) if len(values) else 0.0
