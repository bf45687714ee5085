"""Two plans side by side, day by day: how they differ in a measure, and whether that is more than chance (SPEC 12).

Both live the same days, so that what a day brings to both, its weather, its traffic, is in no difference. Leaving out
one pair of days at a time tells how far the difference swings (jackknife; Efron & Stein 1981); the interval holds
nineteen times of twenty by Student's quantile, if one day's difference says nothing of the next one's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Literal, TypeVar

from qianheng.core.interval import exact
from qianheng.diagnosis.chance import Z95, jackknife, student

Day = TypeVar("Day")
Side = Literal["a", "b"]
FEWEST_DAYS = 4  # with fewer pairs nothing is said


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure of A and of B, B less A, and the ends of the interval of that difference; `None`: not known."""

    a: Fraction | None
    b: Fraction | None
    low: Fraction | None = None
    high: Fraction | None = None

    @property
    def difference(self) -> Fraction | None:
        """B less A."""
        return None if self.a is None or self.b is None else self.b - self.a

    def winner(self, more_is_better: bool) -> Side | None:
        """Who is better; nobody while the interval holds zero or is not known."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return None
        return "b" if (self.low > 0) is more_is_better else "a"


def compared(
    a: Sequence[Day], b: Sequence[Day], measure: Callable[[Sequence[Day]], Fraction | None], adds_up: bool
) -> Difference:
    """Compare a measure of two plans over the same days, in the same order.

    adds_up: it grows with the number of days (spend), so a sample with a day less is held to be as long as the whole.
    """
    told = Difference(measure(a), measure(b))
    count = len(a)
    if told.difference is None or count < FEWEST_DAYS:
        return told
    scale = count / (count - 1) if adds_up else 1.0
    without = [(measure([*a[:i], *a[i + 1 :]]), measure([*b[:i], *b[i + 1 :]])) for i in range(count)]
    known = [float(theirs - ours) * scale for ours, theirs in without if ours is not None and theirs is not None]
    if len(known) < count:
        return told
    reach = exact(student(count - 1, Z95) * sqrt(jackknife(known)))
    return Difference(told.a, told.b, told.difference - reach, told.difference + reach)
