"""How long a test must run to see an effect, and how small an effect it sees, by what the shop's own users did before.

What is known grows with the days that users' doings are summed over, as for figures of money over figures of money; it
does not matter whether users are new or come back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from math import ceil, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from qianheng.core.errors import BadInput
from qianheng.experiments.estimates import Estimate, estimates
from qianheng.experiments.intervals import relative_error, users_needed
from qianheng.experiments.looks import Always, Looks
from qianheng.experiments.sums import ArmSums

LOOKS = 28  # evenly spread up to the planned end; twice as many add less than a hundredth of power
GRID = 120  # points between the ends that a walk has not yet left
DRIFT_MOST = 20.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """The users of a shop over some days before the test, as sums under the measure to be tested; where the sums hold
    a covariate from before those days, its gain is in all that is told.
    """

    sums: ArmSums
    days: int

    def __post_init__(self) -> None:
        if self.days < 1:
            raise BadInput("experiments.days", value=self.days)


@dataclass(frozen=True, slots=True)
class Design:
    """How users are divided between A and B, how one looks, and how surely the effect is to be seen by the end.

    weights: of A, of B; rest: of everybody else (further arms, users outside).
    """

    weights: tuple[int, int] = (1, 1)
    rest: int = 0
    looks: Looks = field(default_factory=Always)
    power: float = 0.8

    def __post_init__(self) -> None:
        if min(self.weights) < 1 or self.rest < 0:
            raise BadInput("experiments.weights", value=[*self.weights, self.rest])
        if not self.looks.alpha < self.power < 1:
            raise BadInput("experiments.power", value=self.power)


@dataclass(frozen=True, slots=True)
class Needed:
    """What a test takes. users: in A and B together; error: that of B / A − 1 at its end, for `results.Terms`."""

    days: int
    users: int
    error: float


def needed(baseline: Baseline, design: Design, effect: float) -> Needed | None:
    """The days and users to see a relative effect (0.1 = +10 %, above 0); `None` where no error can be planned."""
    day = planned_error(baseline, design, 1)
    if day is None:
        return None
    days = ceil(max((day / error_wanted(design, effect)) ** 2, _least_days(baseline, design)))
    return Needed(days, _users(baseline, design, days), day / sqrt(days))


def smallest_effect(baseline: Baseline, design: Design, days: int) -> float | None:
    """The smallest relative effect that a test of so many days sees; `None` where it sees none, however large."""
    error = planned_error(baseline, design, days)
    if error is None or days < _least_days(baseline, design):
        return None
    square = (error * drift_needed(design)) ** 2  # δ² = square · (1 + (1 + δ)²) / 2
    return (square + sqrt(4 * square - square**2)) / (2 - square) if square < 2 else None


def planned_error(baseline: Baseline, design: Design, days: int) -> float | None:
    """The standard error of B / A − 1 after so many days, for `results.Terms`; `None` where the baseline shows
    nothing to multiply, or no variance.
    """
    arms = _arms(baseline, design)
    if arms is None:
        return None
    return float(relative_error(*arms)) * sqrt(baseline.days / days)


def error_wanted(design: Design, effect: float) -> float:
    """The standard error of B / A − 1, were they equal, at which a relative effect (above 0) is seen. An effect makes B
    swing as much more as it makes it larger.
    """
    if not effect > 0:
        raise BadInput("experiments.effect", value=effect)
    return effect / (drift_needed(design) * sqrt((1 + (1 + effect) ** 2) / 2))


@cache
def drift_needed(design: Design) -> float:
    """How many standard errors of the planned end an effect must be, to be seen by then."""
    return float(brentq(lambda drift: seen(design.looks, drift) - design.power, 0.0, DRIFT_MOST, xtol=1e-4))


def seen(looks: Looks, drift: float, count: int = LOOKS) -> float:
    """The chance that some of `count` even looks up to the planned end leaves 0 outside its interval, the effect being
    `drift` standard errors of the end: the walk of sums is followed from look to look (Armitage, McPherson and Rowe
    1969).
    """
    step = 1 / count
    places, chances = np.zeros(1), np.ones(1)  # where the walk may be that has not left, and how likely
    for look in range(1, count + 1):
        end = float(looks.wide(np.array(look * step))) * sqrt(look * step)
        edges = np.linspace(-end, end, GRID + 1)
        middles = (edges[1:] + edges[:-1]) / 2
        moved = norm.pdf(middles[:, None], places + drift * step, sqrt(step))
        places, chances = middles, moved @ chances * (edges[1] - edges[0])
    return float(1 - chances.sum())


def _arms(baseline: Baseline, design: Design) -> tuple[Estimate, Estimate] | None:
    """What A and B would have been, had the test run over the days of the baseline without an effect."""
    (whole,) = estimates([baseline.sums])
    if whole is None or not whole.value > 0 or not whole.variance > 0:
        return None
    shares = [weight / (sum(design.weights) + design.rest) for weight in design.weights]
    a, b = (_part(whole, share) for share in shares)
    return a, b


def _part(whole: Estimate, share: float) -> Estimate:
    return Estimate(whole.users * share, whole.value, whole.variance / share, whole.third / share**2)


def _least_days(baseline: Baseline, design: Design) -> float:
    """From when on an interval is told at all."""
    arms = _arms(baseline, design)
    if arms is None:
        return 0.0
    a, b = arms
    return float(users_needed(a, b) / (a.users + b.users)) * baseline.days


def _users(baseline: Baseline, design: Design, days: int) -> int:
    tested = sum(design.weights) / (sum(design.weights) + design.rest)
    return round(baseline.sums.users * tested * days / baseline.days)
