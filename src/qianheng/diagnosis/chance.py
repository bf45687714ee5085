"""How far chance reaches: intervals of four cases in five for counts, rates and sums of days, without a library.

Floats: nothing here is money that anybody is paid; what is exact stays exact elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt
from statistics import NormalDist, median

from qianheng.core.interval import Interval

Z80 = 1.2815515655446004  # four times of five a normal variable lies within so many standard deviations
Z95 = 1.959963984540054  # and nineteen of twenty within so many
MAD_TO_DEVIATION = 1.4826  # of a normal variable
PLACES = 10**9  # the ends of an interval of chance are told no finer


def student_80(freedom: int) -> float:
    """Within how many standard errors four of five lie, those being known from so many degrees of freedom (at least 1);
    within two per cent from two degrees on.
    """
    return student(freedom, Z80)


def student(freedom: int, z: float) -> float:
    """Student's quantile where the normal one is `z`: a Cornish–Fisher series (Abramowitz & Stegun 26.7.5)."""
    by = 4.0 * freedom
    return z + (z**3 + z) / by + (5 * z**5 + 16 * z**3 + 3 * z) / (6 * by**2)


def events_against(seen: int, expected: Fraction, prior: Fraction) -> Interval:
    """How many times as many events as `expected` there really are, after `seen` of them.

    A Gamma–Poisson estimate: before anything is seen it is 1, worth `prior` (above 0) expected events, so that three
    clicks say next to nothing. Quantiles after Wilson & Hilferty (1931).
    """
    shape, weight = float(seen + prior), float(expected + prior)
    low, high = (_gamma_quantile(shape, sign) / weight for sign in (-Z80, Z80))
    middle = Fraction(seen + prior) / (expected + prior)
    return Interval(min(_exact(low), middle), middle, max(_exact(high), middle))


def share_of(seen: int, trials: int, prior: Fraction, usual: Fraction) -> Interval:
    """The true share behind `seen` of `trials`, drawn to the `usual` share as if `prior` trials had shown it.

    Wilson's interval (1927) on trials with the prior's; `trials` and `prior` not both 0.
    """
    n, hits = Fraction(trials) + prior, Fraction(seen) + prior * usual
    share, count, z = float(hits / n), float(n), Z80
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    exact = hits / n
    return Interval(min(_exact(middle - reach), exact), exact, max(_exact(middle + reach), exact))


def next_of(values: Sequence[int]) -> Interval | None:
    """Where the next of these amounts will lie, if days stay as they are; `None` of fewer than three."""
    if len(values) < 3:
        return None
    count = len(values)
    middle = sum(values) / count
    spread = sqrt(sum((value - middle) ** 2 for value in values) / (count - 1))
    reach = student_80(count - 1) * spread * sqrt(1 + 1 / count)
    expected = round(Fraction(sum(values), count))
    return Interval(min(round(middle - reach), expected), expected, max(round(middle + reach), expected))


def deviations(level: float) -> float:
    """Within how many standard deviations a normal variable lies with a probability of `level`."""
    return NormalDist().inv_cdf((1 + level) / 2)


def mean_between(events: float, wide: float) -> tuple[float, float]:
    """Between what the mean lies of which so many events were seen, `wide` standard deviations either way: the exact
    limits of a Poisson mean, by Wilson & Hilferty (1931).
    """
    return _gamma_quantile(events, -wide) if events > 0 else 0.0, _gamma_quantile(events + 1, wide)


def robust(values: Sequence[float]) -> tuple[float, float]:
    """The median of some values, and how far they usually lie from it, as a part of it: no single day moves either."""
    centre = median(values)
    if centre <= 0:
        return centre, 0.0
    return centre, MAD_TO_DEVIATION * median(abs(value - centre) for value in values) / centre


def _gamma_quantile(shape: float, z: float) -> float:
    return max(0.0, shape * (1 - 1 / (9 * shape) + z / (3 * sqrt(shape))) ** 3)


def _exact(value: float) -> Fraction:
    return Fraction(round(value * PLACES), PLACES)
