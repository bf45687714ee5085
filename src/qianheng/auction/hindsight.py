"""The hindsight optimum: the most a plan could have got, every price of the day known and held fixed.

Both constraints collapse into one multiplier α (bid = α · worth), and neither spend nor spend over worth falls as α
grows, so one bisection gives the exact value of the linear programme with at most one fractional auction
(Aggarwal, Badanidiyuru and Mehta, "Autobidding with Constraints", 2019).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.floating]
Places = npt.NDArray[np.int8]

_STEPS = 60
_LOWEST, _HIGHEST = 1e-4, 1e4


@dataclass(frozen=True, slots=True)
class Optimum:
    """Value and spend of the best plan in hindsight, in the units of its inputs, and its multiplier."""

    value: float
    spend: float
    multiplier: float


@dataclass(frozen=True, slots=True)
class _Auctions:
    """Auctions by row, and the place chosen in each at two multipliers; `settled` is what the other auctions bring."""

    worth: Float  # [n]
    price: Float  # [n, slots]
    seen: Float  # [n, slots]
    at_low: Places  # [n] 0 = none
    at_high: Places
    settled: Float  # [2] value, spend


@dataclass(frozen=True, slots=True)
class _Limits:
    """What the multiplier of the optimum may not lead beyond: the budget, the worth granted and itself."""

    budget: float
    granted: float
    multiplier: float = _HIGHEST


def optimum(worth: Float, price: Float, seen: Float, budget: float, granted: float = 0.0) -> Optimum:
    """The most Σ worth with Σ spend ≤ budget and Σ spend ≤ Σ worth + granted.

    worth: [n] value over target, in money; price: [n, slots] what place k costs; seen: [n, slots] chance that place k
    is seen (0: there is no such place). A place is paid only when seen. `granted` is worth that comes unpromoted.
    """
    return _search(worth, price, seen, _Limits(budget, granted))


def most_profit(worth: Float, price: Float, seen: Float, budget: float) -> Optimum:
    """The most Σ worth − Σ spend with Σ spend ≤ budget; arguments as of `optimum`.

    Whatever gains at a multiplier of 1 adds to it, nothing beyond does; a budget that binds asks for more of each yuan.
    """
    return _search(worth, price, seen, _Limits(budget, float("inf"), 1.0))


def _search(worth: Float, price: Float, seen: Float, limits: _Limits) -> Optimum:
    """The bisection of the multiplier.

    A higher multiplier never chooses a lesser place, so an auction with the same place at both ends of the bisection is
    settled, and only the others are looked at again.
    """
    low, high = _LOWEST, limits.multiplier
    least, most = (_choose(alpha, worth, price, seen) for alpha in (low, high))
    left = _settle(_Auctions(worth, price, seen, least, most, np.zeros(2)))
    for _ in range(_STEPS):
        if not len(left.worth):
            break
        middle = float(np.sqrt(low * high))
        chosen = _choose(middle, left.worth, left.price, left.seen)
        value, spend = _sums(left, chosen)
        if spend <= min(limits.budget, value + limits.granted):
            low, left = middle, _settle(replace(left, at_low=chosen))
        else:
            high, left = middle, _settle(replace(left, at_high=chosen))
    below, above = _sums(left, left.at_low), _sums(left, left.at_high)
    share = _share(below, above, limits)
    value, spend = below + share * (above - below)
    return Optimum(float(value), float(spend), low)


def _choose(alpha: float, worth: Float, price: Float, seen: Float) -> Places:
    """[n] the place of most gain at a multiplier; 0 where none gains."""
    gain = seen * (alpha * worth[:, None] - price)
    place = gain.argmax(axis=1)
    return np.where(gain[np.arange(len(worth)), place] > 0, place + 1, 0).astype(np.int8)


def _sums(auctions: _Auctions, chosen: Places) -> Float:
    """[2] value and spend of choosing these places, the settled auctions among them."""
    row = np.flatnonzero(chosen)
    place = chosen[row].astype(np.int64) - 1
    chance = auctions.seen[row, place].astype(np.float64)
    found: Float = np.array([chance @ auctions.worth[row], chance @ auctions.price[row, place]])
    return np.add(auctions.settled, found)


def _settle(auctions: _Auctions) -> _Auctions:
    """Put the auctions whose place no longer changes among the settled."""
    same = auctions.at_low == auctions.at_high
    settled = _sums(auctions, np.where(same, auctions.at_low, 0))
    open_ = ~same
    return _Auctions(
        worth=auctions.worth[open_],
        price=auctions.price[open_],
        seen=auctions.seen[open_],
        at_low=auctions.at_low[open_],
        at_high=auctions.at_high[open_],
        settled=settled,
    )


def _share(below: Float, above: Float, limits: _Limits) -> float:
    """The feasible share of the one auction that lies between the two sides of the optimum."""
    (value, spend), (more_value, more_spend) = below, above
    if more_spend <= spend:
        return 0.0
    short = (more_spend - spend) - (more_value - value)
    by_target = (value + limits.granted - spend) / short if short > 0 else 1.0
    return float(max(0.0, min(1.0, (limits.budget - spend) / (more_spend - spend), by_target)))
