"""Two ways of running the same shops compared pair by pair: mean difference with its interval, and how many won."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

import numpy as np
import numpy.typing as npt

DRAWS, LEVEL = 4000, 0.95


@dataclass(frozen=True, slots=True)
class Difference:
    """What one way brought beyond another. `mean` a shop with the interval that 95 % of redrawn sets of shops lie in,
    `share`: all differences together over all that `whole` says (with its interval), and how many shops gained or lost
    anything; `chance`: of so uneven a count or one more so if neither way were better (sign test, two-sided).
    """

    shops: int
    mean: float
    low: float
    high: float
    share: float
    share_low: float
    share_high: float
    gained: int
    lost: int
    chance: float


def difference(pairs: Sequence[tuple[float, float]], whole: Sequence[float]) -> Difference:
    """Of (this way, the other way) for each shop; `whole`: what each difference is a share of. Whole shops are drawn
    again (bootstrap).
    """
    found, of = np.array([mine - other for mine, other in pairs]), np.array(whole)
    drawn = np.random.default_rng(1).integers(0, len(found), (DRAWS, len(found)))
    means, shares = found[drawn].mean(axis=1), found[drawn].sum(axis=1) / np.maximum(of[drawn].sum(axis=1), 1e-9)
    gained, lost = int((found > 0).sum()), int((found < 0).sum())
    return Difference(
        shops=len(found),
        mean=float(found.mean()),
        low=_end(means, low=True),
        high=_end(means, low=False),
        share=float(found.sum() / max(of.sum(), 1e-9)),
        share_low=_end(shares, low=True),
        share_high=_end(shares, low=False),
        gained=gained,
        lost=lost,
        chance=sign_test(gained, lost),
    )


def _end(drawn: npt.NDArray[np.float64], *, low: bool) -> float:
    return float(np.quantile(drawn, (1 - LEVEL) / 2 if low else (1 + LEVEL) / 2))


def sign_test(gained: int, lost: int) -> float:
    """The chance of so uneven a count, or one more so, if gaining and losing were alike."""
    count = gained + lost
    tail = sum(comb(count, number) for number in range(max(gained, lost), count + 1))
    return min(1.0, float(Fraction(2 * tail, 2**count)))
