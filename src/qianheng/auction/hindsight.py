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
    pages: Pages  # of [slots, n]: whole columns are read again and again
    at_low: Places  # [n] 0 = none
    at_high: Places
    settled: Float  # [3] value, spend, truth
    truth: Float  # [n] what each is really worth; `worth` is what places are chosen by


@dataclass(frozen=True, slots=True)
class Limits:
    """What a multiplier may not lead beyond: the budget, the worth granted and itself. Under `trusting` worth is what
    it is believed to be, else what it really is.
    """

    budget: float
    granted: float = 0.0
    multiplier: float = _HIGHEST
    trusting: bool = True

    def allow(self, sums: Float) -> bool:
        """Whether value, spend and truth [3] keep the budget and the promise of worth."""
        return bool(sums[1] <= min(self.budget, sums[0 if self.trusting else 2] + self.granted))


@dataclass(frozen=True, slots=True)
class Pages:
    """What each place costs, and the chance that it is seen (0: there is no such place); [n, slots] each."""

    price: Float
    seen: Float


def optimum(worth: Float, price: Float, seen: Float, budget: float, granted: float = 0.0) -> Optimum:
    """The most Σ worth with Σ spend ≤ budget and Σ spend ≤ Σ worth + granted.

    worth: [n] value over target, in money; price: [n, slots] what place k costs; seen: [n, slots] chance that place k
    is seen (0: there is no such place). A place is paid only when seen. `granted` is worth that comes unpromoted.
    """
    return believing(worth, worth, Pages(price, seen), Limits(budget, granted))


def most_profit(worth: Float, price: Float, seen: Float, budget: float) -> Optimum:
    """The most Σ worth − Σ spend with Σ spend ≤ budget; arguments as of `optimum`.

    Whatever gains at a multiplier of 1 adds to it, nothing beyond does; a budget that binds asks for more of each yuan.
    """
    return believing(worth, worth, Pages(price, seen), Limits(budget, float("inf"), 1.0))


def believing(worth: Float, truth: Float, pages: Pages, limits: Limits) -> Optimum:
    """What the best multiplier in hindsight brings of `truth` [n] when places are chosen by what they are believed to
    be `worth` [n]. Both are money; where they differ the limits may hold again beyond the multiplier that is found.

    A higher multiplier never chooses a lesser place, so an auction with the same place at both ends of the bisection is
    settled, and only the others are looked at again.
    """
    low, high = _LOWEST, limits.multiplier
    pages = Pages(np.ascontiguousarray(pages.price.T), np.ascontiguousarray(pages.seen.T))
    least, most = (_choose(alpha, worth, pages) for alpha in (low, high))
    left = _settle(_Auctions(worth, pages, least, most, np.zeros(3), truth))
    for _ in range(_STEPS):
        if not len(left.worth):
            break
        middle = float(np.sqrt(low * high))
        chosen = _choose(middle, left.worth, left.pages)
        if limits.allow(_sums(left, chosen)):
            low, left = middle, _settle(replace(left, at_low=chosen))
        else:
            high, left = middle, _settle(replace(left, at_high=chosen))
    below, above = _sums(left, left.at_low), _sums(left, left.at_high)
    share = _share(below, above, limits)
    _, spend, value = below + share * (above - below)
    return Optimum(float(value), float(spend), low)


def _choose(alpha: float, worth: Float, pages: Pages) -> Places:
    """[n] the place of most gain at a multiplier; 0 where none gains. Of pages [slots, n]."""
    called, most, best = alpha * worth, np.zeros_like(worth), np.zeros(len(worth), np.int8)
    for place, (price, seen) in enumerate(zip(pages.price, pages.seen, strict=True), 1):
        gain = seen * (called - price)
        np.copyto(best, place, where=gain > most)
        most = np.maximum(most, gain)
    return best


def _sums(auctions: _Auctions, chosen: Places) -> Float:
    """[3] value, spend and truth of choosing these places, the settled auctions among them."""
    row = np.flatnonzero(chosen)
    place = chosen[row].astype(np.int64) - 1
    chance = auctions.pages.seen[place, row].astype(np.float64)
    price = auctions.pages.price[place, row]
    found: Float = np.array([chance @ auctions.worth[row], chance @ price, chance @ auctions.truth[row]])
    return np.add(auctions.settled, found)


def _settle(auctions: _Auctions) -> _Auctions:
    """Put the auctions whose place no longer changes among the settled."""
    same = auctions.at_low == auctions.at_high
    settled = _sums(auctions, np.where(same, auctions.at_low, 0))
    open_ = np.flatnonzero(~same)
    return _Auctions(
        worth=auctions.worth[open_],
        pages=Pages(auctions.pages.price[:, open_], auctions.pages.seen[:, open_]),
        at_low=auctions.at_low[open_],
        at_high=auctions.at_high[open_],
        settled=settled,
        truth=auctions.truth[open_],
    )


def _share(below: Float, above: Float, limits: Limits) -> float:
    """The feasible share of the one auction that lies between the two sides of the optimum."""
    by = 0 if limits.trusting else 2
    (value, spend), (more_value, more_spend) = below[[by, 1]], above[[by, 1]]
    if more_spend <= spend:
        return 0.0
    short = (more_spend - spend) - (more_value - value)
    by_target = (value + limits.granted - spend) / short if short > 0 else 1.0
    return float(max(0.0, min(1.0, (limits.budget - spend) / (more_spend - spend), by_target)))
