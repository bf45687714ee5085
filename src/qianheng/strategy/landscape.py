"""What a plan's market gives for its spend, and how days and forecasts of it miss: what a what-if is worked out from.

Money is in one unit throughout (micro-yuan), as plain floats: what may come is not money that was paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from qianheng.plans.plan import BidMode, Goal

Floats = npt.NDArray[np.float64]
FINER = 8  # points between two of a curve


@dataclass(frozen=True, slots=True)
class Shares:
    """What of a unit of GMV is left or taken; `None` where it is not known.

    `net` and `settled` after refunds of an hour and of seven days, `extras` what the overall goal counts beside spend,
    `contribution` what is left before spend.
    """

    net: float | None = None
    settled: float | None = None
    extras: float | None = None
    contribution: float | None = None

    def counted(self, goal: Goal) -> tuple[float, float] | None:
        """The share of GMV that counts under a goal, and the share that it counts as cost; `None` if unknown."""
        known = {
            Goal.PAYMENT: (1.0, 0.0),
            Goal.NET: (self.net, 0.0),
            Goal.SETTLED: (self.settled, 0.0),
            Goal.OVERALL: (self.net, self.extras),
            Goal.PROFIT: (self.contribution, 0.0),
        }
        kept, extras = known[goal]
        return None if kept is None or extras is None else (kept, extras)


@dataclass(frozen=True, slots=True)
class Swing:
    """How a quantity misses what was expected of it, in natural logarithms: by how much on the whole (`bias`), how
    uncertain that is (`doubt`), how far single days differ from it (`deviation`), and how far what is expected of it
    wanders from one day to the next (`drift`)."""

    bias: float
    doubt: float
    deviation: float
    drift: float = 0.0


@dataclass(frozen=True, slots=True)
class Spread:
    """How days miss what was expected of them.

    `reach` is what a day spends for the same bids, `value` what the same spend brings, the chance of single orders
    aside; `carry` is the share of a day's miss that is still there the next day. `slope_doubt` is the uncertainty of
    the elasticity of GMV to spend, `refunds` how far a day's refund rate lies off beyond chance (relative),
    `order_spread` the deviation of an order's value over its mean, `shortfall` the share of a budget that is left over
    on days which the budget ends. `days`: how many days it rests on; `hidden`: on how many of them, the newest weighing
    most, the budget hid the reach, so that `value` tells what it brought as well.
    """

    reach: Swing
    value: Swing
    carry: float
    slope_doubt: float
    refunds: float
    order_spread: float
    shortfall: float
    days: int
    hidden: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """What a day brings, [points] by rising spend: the GMV that promotion brings for it, as the bidder expects; and the
    GMV of an order, and what counts unpromoted (GMV a day)."""

    spend: Floats
    gmv: Floats
    order_value: float
    unpromoted: float = 0.0

    @classmethod
    def of(cls, spend: npt.ArrayLike, gmv: npt.ArrayLike, order_value: float, unpromoted: float = 0.0) -> Self:
        """The curve through these points, finer, beginning at nothing spent."""
        known = np.maximum.accumulate(np.array([[0.0, *np.asarray(spend)], [0.0, *np.asarray(gmv)]]), axis=1)
        places = np.arange(known.shape[1])
        at = np.linspace(0, places[-1], places[-1] * FINER + 1)
        return cls(np.interp(at, places, known[0]), np.interp(at, places, known[1]), order_value, unpromoted)

    def gmv_of(self, spend: float) -> float:
        """What a day that spends so much is expected to bring through promotion; beyond the curve, its end."""
        return float(np.interp(spend, self.spend, self.gmv))


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """A plan's market, and what the plan is after in it. `told`: whether who bids knows the slope of the response,
    though we may not (the platform of imported reports does)."""

    response: Response
    shares: Shares
    goal: Goal
    bid_mode: BidMode
    told: bool = False

    @property
    def counted(self) -> tuple[float, float] | None:
        """The share of GMV that counts under the plan's goal, and the share that it counts as cost."""
        return self.shares.counted(self.goal)

    def unbound(self, target: float | None, gmv: Floats | None = None) -> Floats:
        """What a day is expected to spend if no budget ends it: the most that keeps the target on the curve, or that
        leaves most profit, or all there is to buy. gmv: other curves [..., points] than the response's own; [...].
        """
        spend, gmv = self.response.spend, self.response.gmv if gmv is None else gmv
        if self.bid_mode is BidMode.MAX_DELIVERY:
            return np.full(gmv.shape[:-1], spend[-1])
        if self.counted is None or (target is None and self.goal is not Goal.PROFIT):
            return np.zeros(gmv.shape[:-1])
        kept, extras = self.counted
        if self.goal is Goal.PROFIT:
            return np.asarray(spend[(kept * gmv - spend).argmax(-1)])
        keeps = (kept - (target or 0.0) * extras) * (gmv + self.response.unpromoted) >= (target or 0.0) * spend
        last = len(spend) - 1 - keeps[..., ::-1].argmax(-1)
        return np.where(keeps.any(-1), spend[last], 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Landscape:
    """A market and how days of it miss. `seen`: the least and the most that days have really spent."""

    market: Market
    spread: Spread
    seen: tuple[float, float]
