"""What promotion adds, by a hold-out: what everybody else bought, less what the held-out users' purchases say they
would have bought anyway (SPEC 8.4).

Users are held out by a coin of known bias, so what the held-out bought, times the odds, is an unbiased estimate of what
the others would have bought without promotion (Horvitz and Thompson 1952). Who buys nothing adds nothing: nobody need
know how many users there are.

How far chance reaches is told for sums of few and very different purchases. Each side's sum is compound Poisson: its
limits are the exact ones of a count, in units of the size of a purchase that sums are made of (Fay and Feuer 1997),
which hold even where nobody has bought; that size is learnt from both sides, for the held-out alone buy too little to
tell. The limits of the difference are made of them (Zou and Donner 2008). They hold however often one looks: what a
look may claim is what a normal mixture boundary (Robbins 1970; Howard and others 2021) tuned for a horizon allows then.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import erfc, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import gammainccinv, gammaincinv

from qianheng.core.interval import Interval
from qianheng.experiments.looks import Always

ALPHA = 0.05
HORIZON = 28  # days: where the intervals of looks are narrowest
LONGEST = 3650  # days: nobody waits longer


@dataclass(frozen=True, slots=True)
class Bought:
    """What users on one side of a hold-out bought, as sums over those who bought anything."""

    buyers: int = 0
    total: int = 0  # orders, or micro-yuan
    squares: float = 0.0  # of the sum of each

    @classmethod
    def of(cls, by_user: npt.NDArray[np.int64]) -> Bought:
        """From the sum of each user, [users]."""
        some = by_user[by_user > 0]
        if not len(some):
            return cls()
        return cls(len(some), int(some.sum()), float((some.astype(float) ** 2).sum()))

    def __add__(self, other: Bought) -> Bought:
        return Bought(self.buyers + other.buyers, self.total + other.total, self.squares + other.squares)

    @property
    def size(self) -> float:
        """How large a purchase is that a unit of the sum belongs to; 0 of nothing."""
        return self.squares / self.total if self.total else 0.0


class Told(StrEnum):
    """What a hold-out says of reported figures."""

    NOT_YET = "not_yet"  # promotion may bring nothing, or all that is reported
    ADDS = "adds"  # it brings something; it may be all that is reported
    LESS = "less"  # it brings less than is reported; it may be nothing
    ADDS_LESS = "adds_less"  # it brings something, but less than is reported
    MORE = "more"  # it brings more than is reported


def reach(part: float, alpha: float = ALPHA) -> float:
    """How many standard deviations either way a look after a part of the horizon may claim (1 = at its end), so that
    all looks together are wrong with a chance of `alpha`.
    """
    return float(Always(alpha).wide(np.asarray(part)))


def incremental(others: Bought, held: Bought, share: Decimal, deviations: float) -> Interval:
    """What promotion added among those not held out, in the unit of the sums; `share`: of users held out, above 0."""
    odds, tail, usual = float((1 - share) / share), erfc(deviations / sqrt(2)) / 2, (others + held).size
    low, high = _limits(others.total, max(others.size, usual), tail)
    least, most = (odds * end for end in _limits(held.total, max(held.size, usual), tail))
    expected = others.total - round(Fraction(held.total) * Fraction(1 - share) / Fraction(share))
    below = sqrt((others.total - low) ** 2 + (most - odds * held.total) ** 2)
    above = sqrt((high - others.total) ** 2 + (odds * held.total - least) ** 2)
    return Interval(round(expected - below), expected, round(expected + above))


def forgone(added: Interval, share: Decimal) -> Interval:
    """What the hold-out costs: what promotion would have added among the held-out, were they like the others."""
    odds = Fraction(share) / Fraction(1 - share)
    return Interval(*(round(end * odds) for end in (added.low, added.expected, added.high)))


def told(added: Interval, reported: int) -> Told:
    """What an interval of what promotion added says of what is reported as promoted."""
    if added.low > reported:
        return Told.MORE
    adds, less = added.low > 0, added.high < reported
    if adds:
        return Told.ADDS_LESS if less else Told.ADDS
    return Told.LESS if less else Told.NOT_YET


def days_more(added: Interval, reported: int, days: int, horizon: int = HORIZON) -> int | None:
    """After how many days more, if they stay as they are, the interval will be too narrow to hold both nothing and all
    that is reported; `None` if in no time that anybody waits.
    """
    width = float(added.high - added.low)
    for later in range(days + 1, LONGEST):
        wider = reach(later / horizon) / reach(days / horizon) * sqrt(later / days)
        if width * wider <= reported * later / days:
            return later - days
    return None


def _limits(total: int, size: float, tail: float) -> tuple[float, float]:
    """Between what the mean of a sum lies, but for `tail` on either side, in purchases of a size."""
    if not size:
        return 0.0, 0.0
    count = total / size
    return float(gammaincinv(count, tail)) * size if count else 0.0, float(gammainccinv(count + 1, tail)) * size
