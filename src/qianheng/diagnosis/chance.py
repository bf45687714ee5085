"""How far chance reaches: intervals of four cases in five for counts, rates and sums of days, without a library.

Floats: nothing here is money that anybody is paid; what is exact stays exact elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import exp, sqrt
from statistics import NormalDist, median
from typing import TypeAlias

from qianheng.core.interval import Interval, exact

Pair: TypeAlias = tuple[int, int]  # what a ratio of sums has above and below, of one day
Z80 = 1.2815515655446004  # four times of five a normal variable lies within so many standard deviations
Z95 = 1.959963984540054  # and nineteen of twenty within so many
MAD_TO_DEVIATION = 1.4826  # of a normal variable


def student_80(freedom: int) -> float:
    """Within how many standard errors four of five lie, those being known from so many degrees of freedom (at least 1);
    within one per cent from two degrees on.
    """
    return student(freedom, Z80)


def student(freedom: int, z: float) -> float:
    """Student's quantile where the normal one is `z`: a Cornish–Fisher series (Abramowitz & Stegun 26.7.5)."""
    by = 4.0 * freedom
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (6 * by**3)
    return z + (z**3 + z) / by + (5 * z**5 + 16 * z**3 + 3 * z) / (6 * by**2) + third


def events_against(
    seen: Fraction | int, expected: Fraction, prior: Fraction, of: Fraction | int | None = None
) -> Interval:
    """How many times as many events as `expected` there really are, after `seen` of them.

    A Gamma–Poisson estimate: before anything is seen it is 1, worth `prior` (above 0) expected events, so that three
    clicks say next to nothing. of: on how many events the expectation itself rests; the fewer, the less it says.
    Quantiles after Wilson & Hilferty (1931).
    """
    sure = Fraction(1) if of is None else Fraction(of) / (of + expected)
    shape, weight = sure * seen + prior, sure * expected + prior
    low, high = (_gamma_quantile(float(shape), sign) / float(weight) for sign in (-Z80, Z80))
    middle = shape / weight
    return Interval(min(exact(low), middle), middle, max(exact(high), middle))


def share_of(seen: int, trials: int, prior: Fraction, usual: Fraction) -> Interval:
    """The true share behind `seen` of `trials`, drawn to the `usual` share as if `prior` trials had shown it.

    Wilson's interval (1927) on trials with the prior's; `trials` and `prior` not both 0.
    """
    n, hits = Fraction(trials) + prior, Fraction(seen) + prior * usual
    share, count, z = float(hits / n), float(n), Z80
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    told = hits / n
    return Interval(min(exact(middle - reach), told), told, max(exact(middle + reach), told))


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


def jackknife(left_out: Sequence[float]) -> float:
    """The variance of a figure that was told again with one of its days (or pairs of days) left out at a time: how far
    it would swing, were there other days like these (Tukey 1958; Efron & Stein 1981). At least one; of one it is 0.
    """
    count = len(left_out)
    middle = sum(left_out) / count
    return (count - 1) / count * sum((one - middle) ** 2 for one in left_out)


def days_against(after: Sequence[Pair], before: Sequence[Pair]) -> Interval | None:
    """How many times as large a ratio of sums is as it was, each told by day as (above, below), the days of a period
    being as different as they are. `None` of fewer than three days, or where something is not above 0.
    """
    told = [_ratio_of_days(days) for days in (after, before)]
    if told[0] is None or told[1] is None:
        return None
    (now, now_spread), (was, was_spread) = told[0], told[1]
    middle = now / was
    reach = student_80(len(after) + len(before) - 2) * sqrt(now_spread + was_spread)
    return Interval(exact(float(middle) * exp(-reach)), middle, max(exact(float(middle) * exp(reach)), middle))


def _ratio_of_days(days: Sequence[Pair]) -> tuple[Fraction, float] | None:
    """The ratio of the sums, and the relative variance of it."""
    above, below, count = sum(day[0] for day in days), sum(day[1] for day in days), len(days)
    if count < 3 or above <= 0 or below <= 0 or any(below == day[1] for day in days):
        return None
    ratio = Fraction(above, below)
    return ratio, jackknife([float(Fraction(above - day[0], below - day[1]) / ratio) for day in days])


def _gamma_quantile(shape: float, z: float) -> float:
    return max(0.0, shape * (1 - 1 / (9 * shape) + z / (3 * sqrt(shape))) ** 3)
