"""The hindsight optimum: the most a plan could have got, every price of the day known and held fixed.

Both constraints collapse into one multiplier α (bid = α · worth), and neither spend nor spend over worth falls as α
grows, so one bisection gives the exact value of the linear programme with at most one fractional auction
(Aggarwal, Badanidiyuru and Mehta, "Autobidding with Constraints", 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.floating]

_STEPS = 60


@dataclass(frozen=True, slots=True)
class Optimum:
    """Value and spend of the best plan in hindsight, in the units of its inputs, and its multiplier."""

    value: float
    spend: float
    multiplier: float


def optimum(worth: Float, price: Float, seen: Float, budget: float, granted: float = 0.0) -> Optimum:
    """The most Σ worth with Σ spend ≤ budget and Σ spend ≤ Σ worth + granted.

    worth: [n] value over target, in money; price: [n, slots] what place k costs; seen: [n, slots] chance that place k
    is seen (0: there is no such place). A place is paid only when seen. `granted` is worth that comes unpromoted.
    """
    low, high = 1e-4, 1e4
    for _ in range(_STEPS):
        middle = float(np.sqrt(low * high))
        value, spend = _outcome(middle, worth, price, seen)
        low, high = (middle, high) if spend <= min(budget, value + granted) else (low, middle)
    below, above = _outcome(low, worth, price, seen), _outcome(high, worth, price, seen)
    share = _share(below, above, budget, granted)
    value, spend = (a + share * (b - a) for a, b in zip(below, above, strict=True))
    return Optimum(value, spend, low)


def _outcome(alpha: float, worth: Float, price: Float, seen: Float) -> tuple[float, float]:
    gain = seen * (alpha * worth[:, None] - price)
    place = gain.argmax(axis=1)
    row = np.arange(len(worth))
    chance = np.where(gain[row, place] > 0, seen[row, place], 0.0)
    return float(chance @ worth), float(chance @ price[row, place])


def _share(below: tuple[float, float], above: tuple[float, float], budget: float, granted: float) -> float:
    """The feasible share of the one auction that lies between the two sides of the optimum."""
    (value, spend), (more_value, more_spend) = below, above
    if more_spend <= spend:
        return 0.0
    short = (more_spend - spend) - (more_value - value)
    by_target = (value + granted - spend) / short if short > 0 else 1.0
    return max(0.0, min(1.0, (budget - spend) / (more_spend - spend), by_target))
