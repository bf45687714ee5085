"""Intervals of B against A that hold for skew users (docs/decisions/0028-statistics-of-experiments.md says why these).

The difference and the relative difference (Fieller 1954: all δ for which B − (1 + δ) A is not far from 0) reach so many
standard errors, and further to the side that skewness makes longer, by the first term of Edgeworth's series for a
studentised mean (Hall 1992). Nothing is told while the arms are so uneven, and users so skew, that no interval of this
kind holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from qianheng.experiments.estimates import Estimate, Float64

USERS_LEAST = 300  # of an arm; the least that intervals have been measured on
SKEWNESS_MOST = 0.5  # of the error of a difference, as the skewness of all users makes it


@dataclass(frozen=True, slots=True)
class Reach:
    """From `low` to `high` around `value`: arrays of one shape, NaN where nothing can be told."""

    value: Float64
    low: Float64
    high: Float64


def difference(a: Estimate, b: Estimate, wide: Float64) -> Reach:
    """B − A."""
    error = np.sqrt(a.variance + b.variance)
    down, up = _sides((b.third - a.third) / error**3, wide)
    value = b.value - a.value
    return Reach(value, value - down * error, value + up * error)


def relative(a: Estimate, b: Estimate, wide: Float64) -> Reach:
    """B / A − 1; NaN where A may be 0 or below, for then any ratio is possible."""
    with np.errstate(divide="ignore", invalid="ignore"):
        times = b.value / a.value
        error = np.sqrt(b.variance + times**2 * a.variance)
        down, up = _sides((b.third - times**3 * a.third) / error**3, wide)
        low, high = _fieller(a, b, -down), _fieller(a, b, up)
    told = np.isfinite(low) & np.isfinite(high)
    return Reach(np.where(a.value > 0, times - 1, np.nan), *(np.where(told, end - 1, np.nan) for end in (low, high)))


def relative_error(a: Estimate, b: Estimate) -> Float64:
    """The standard error of B / A − 1, were they equal: what information is measured by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(a.variance + b.variance) / np.abs((a.users * a.value + b.users * b.value) / (a.users + b.users))


def chance_once(a: Estimate, b: Estimate) -> Float64:
    """How often chance alone makes a difference as large, for one look at a time chosen before (two-sided)."""
    return 2 * norm.sf(np.abs(b.value - a.value) / np.sqrt(a.variance + b.variance))


def unevenness(a: Estimate, b: Estimate) -> Float64:
    """The skewness of the error of B − A, were users as skew in the one as in the other: 0 for arms of one size.

    Asked of all users together: the smaller arm alone knows least about its own tail.
    """
    users = a.users + b.users
    variance = (a.users**2 * a.variance + b.users**2 * b.variance) / users
    third = (a.users**3 * a.third + b.users**3 * b.third) / users
    return third * (b.users**-2 - a.users**-2) / (variance * (1 / a.users + 1 / b.users)) ** 1.5


def users_needed(a: Estimate, b: Estimate) -> Float64:
    """How many users both arms need together, as they are divided, for an interval to be told at all."""
    grow = np.maximum(USERS_LEAST / np.minimum(a.users, b.users), (unevenness(a, b) / SKEWNESS_MOST) ** 2)
    return np.ceil(grow * (a.users + b.users))


def _sides(skewness: Float64, wide: Float64) -> tuple[Float64, Float64]:
    """How many standard errors down and up: never fewer than `wide`, for a sample's skewness tells too little."""
    further = skewness * (2 * wide**2 + 1) / 6
    return wide + np.maximum(-further, 0), wide + np.maximum(further, 0)


def _fieller(a: Estimate, b: Estimate, reach: Float64) -> Float64:
    """The times at which B − times · A lies `reach` standard errors from 0 (the sign of `reach` is the side)."""
    square = reach**2
    lead = a.value**2 - square * a.variance
    middle = a.value * b.value
    root = np.sqrt(np.maximum(middle**2 - lead * (b.value**2 - square * b.variance), 0))
    return np.where((lead > 0) & (a.value > 0), (middle + np.sign(reach) * root) / lead, np.nan)
