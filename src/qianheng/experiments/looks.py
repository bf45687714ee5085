"""How often one looks, and how wide an interval must be for it: `wide` standard errors either way.

information: how much of what the plan wants is known, (planned standard error / present one)²; 1 at the planned end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import lambertw
from scipy.stats import norm

from qianheng.experiments.estimates import Float64


class Looks(Protocol):
    """A way of looking: over all looks together an interval ever misses with a chance of `alpha`."""

    @property
    def alpha(self) -> float:
        """The chance of any miss."""
        ...

    def wide(self, information: Float64) -> Float64:
        """How many standard errors an interval reaches, with so much information [...]."""
        ...


@dataclass(frozen=True, slots=True)
class Always:
    """Any number of looks, at any times, without an end: an asymptotic confidence sequence (Waudby-Smith, Arbour,
    Sinha, Kennedy and Ramdas 2024; the normal mixture of Robbins 1970 and Johari and others 2022), narrowest at the
    planned end.
    """

    alpha: float = 0.05

    def wide(self, information: Float64) -> Float64:
        """Wider than `Until` everywhere but early, in return for never ending."""
        mixed = self._mixture * np.asarray(information, np.float64)
        return np.asarray(np.sqrt((1 + 1 / mixed) * (np.log1p(mixed) - 2 * np.log(self.alpha))))

    @property
    def _mixture(self) -> float:
        """Variance of the mixture over that of the planned estimate, where `wide(1)` is least."""
        return float(-lambertw(-(self.alpha**2) / np.e, -1).real - 1)


@dataclass(frozen=True, slots=True)
class Until:
    """Any number of looks up to the planned end, none after it: the boundary of O'Brien and Fleming (1979) for looks
    without pause, wide early and narrow at the end. A Brownian motion leaves ± b within time 1 with a chance of at most
    4 (1 − Φ(b)), by reflection.
    """

    alpha: float = 0.05

    def wide(self, information: Float64) -> Float64:
        """b / √information; from the planned end on b."""
        return norm.isf(self.alpha / 4) / np.sqrt(np.minimum(information, 1.0))


@dataclass(frozen=True, slots=True)
class Once:
    """One look, at a time chosen before: what naive peeking takes every look for."""

    alpha: float = 0.05

    def wide(self, information: Float64) -> Float64:
        """The normal quantile, whatever the information."""
        return np.full(np.shape(information), norm.isf(self.alpha / 2))
