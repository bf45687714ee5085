"""What targets and budgets would bring, read off a plan's landscape, and which of them cannot be reached at all.

Pure functions on the curve of a whole day: what bidding each multiplier of worth brings. Under another target every
worth of the plan is a known factor of what it is, so one curve answers for all of them (SPEC 6.4, 7.6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianheng.bidding.curves import FloatArray

FINER = 8  # points between two of the curve
LOWEST, HIGHEST = 0.01, 1000.0  # targets a plan may have
STEPS = 40
FEWEST_ORDERS = 1.0  # a day; a target that brings fewer is as good as out of reach


@dataclass(frozen=True, slots=True)
class Curve:
    """A day's landscape [points] by rising multiplier: spend, and worth at the plan's own target; money in one unit."""

    multiplier: FloatArray
    spend: FloatArray
    worth: FloatArray


@dataclass(frozen=True, slots=True)
class Deal:
    """How a plan's worth follows from GMV: worth = GMV · (kept / target − extras)."""

    target: float
    kept: float  # share of GMV that counts under the goal
    extras: float  # share of GMV that the goal counts as cost beside spend
    order_value: float  # GMV of an order

    def share(self, target: float) -> float:
        """What a unit of GMV is worth under a target."""
        return self.kept / target - self.extras


@dataclass(frozen=True, slots=True)
class Point:
    """What a day under a target and a budget is expected to bring; `roi` is the goal's own, `None` without spend."""

    target: float
    budget: float
    spend: float
    value: float  # what counts under the goal
    orders: float
    roi: float | None


@dataclass(frozen=True, slots=True)
class Feasibility:
    """Whether a target brings at least the fewest orders a day; if not, the nearest point that does, if any does."""

    feasible: bool
    point: Point
    nearest: Point | None


@dataclass(frozen=True, slots=True)
class Peak:
    """The day of most profit: money in one unit; `target` is what to ask of the goal's own ROI to get it."""

    spend: float
    gmv: float
    profit: float
    payment_roi: float
    target: float


def peak(curve: Curve, deal: Deal, margin: float, budget: float) -> Peak | None:
    """Where margin · GMV − spend is most within a budget; `None` where every spend loses money.

    margin: what an order contributes before spend, as a share of its GMV.
    """
    spend, worth = _finer(curve)
    gmv = worth / max(deal.share(deal.target), 1e-12)
    profit = np.where((spend <= budget) & (spend > 0), margin * gmv - spend, -np.inf)
    best = int(profit.argmax())
    if profit[best] <= 0:
        return None
    spent, sold = float(spend[best]), float(gmv[best])
    return Peak(spent, sold, float(profit[best]), sold / spent, deal.kept * sold / (spent + deal.extras * sold))


def point(curve: Curve, deal: Deal, target: float, budget: float) -> Point:
    """The most that can be had with Σ worth ≥ Σ spend under that target and Σ spend ≤ budget."""
    share = deal.share(target)
    spend, worth = _finer(curve)
    gmv = worth / max(deal.share(deal.target), 1e-12)
    allowed = (gmv * share >= spend) & (spend <= budget) & (spend > 0)
    if share <= 0 or not allowed.any():
        return Point(target, budget, 0.0, 0.0, 0.0, None)
    best = int(np.flatnonzero(allowed)[-1])
    found, sold = float(spend[best]), float(gmv[best])
    roi = deal.kept * sold / (found + deal.extras * sold)
    return Point(target, budget, found, deal.kept * sold, sold / deal.order_value, roi)


def feasible(
    curve: Curve, deal: Deal, target: float, budget: float, fewest_orders: float = FEWEST_ORDERS
) -> Feasibility:
    """Whether a target can be reached with so many orders a day; else the highest one that can."""
    asked = point(curve, deal, target, budget)
    if asked.orders >= fewest_orders:
        return Feasibility(True, asked, None)
    return Feasibility(False, asked, _nearest(curve, deal, (target, budget), fewest_orders))


def _nearest(curve: Curve, deal: Deal, asked: tuple[float, float], fewest_orders: float) -> Point | None:
    """The highest target below the one asked that still brings the orders; orders fall as the target rises."""
    high, budget = asked
    low = LOWEST
    if point(curve, deal, low, budget).orders < fewest_orders:
        return None
    for _ in range(STEPS):
        middle = float(np.sqrt(low * high))
        if point(curve, deal, middle, budget).orders >= fewest_orders:
            low = middle
        else:
            high = middle
    return point(curve, deal, low, budget)


def _finer(curve: Curve) -> tuple[FloatArray, FloatArray]:
    """Spend and worth between the points of the curve, by straight lines over the logarithm of the multiplier."""
    steps = (len(curve.multiplier) - 1) * FINER + 1
    at, known = np.linspace(0, len(curve.multiplier) - 1, steps), np.arange(len(curve.multiplier))
    return np.interp(at, known, curve.spend), np.interp(at, known, curve.worth)
