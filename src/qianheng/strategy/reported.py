"""A plan's response estimated from the days that reports tell of: what they spent and what that brought.

Over the days of a plan, log GMV is a straight line of log spend. Its slope is shrunk to the usual one, since days of
good demand spend more and bring more for it, and a few days say little; how uncertain it stays is told with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from qianheng.strategy.landscape import Landscape, Market, Response
from qianheng.strategy.spread import BOUND, Day, Miss, Usual, spread_of

FEWEST_DAYS = 7  # that tell anything of a response
REACH = 10.0  # the response is told from a tenth of the least day to ten times the most
POINTS = 60
STEEPEST = 0.9  # at 1 a plan without a budget would spend without end


class ReportedDay(NamedTuple):
    """A day of a plan, and what it was set to; `None` where that is not known."""

    lived: Day
    target: float | None
    budget: float | None

    @property
    def sold(self) -> bool:
        """Whether it tells anything of a response."""
        return self.lived.spend > 0 and self.lived.gmv > 0

    @property
    def ended(self) -> bool:
        """Whether its budget ended the day."""
        return self.budget is not None and self.lived.spend >= BOUND * self.budget


@dataclass(frozen=True, slots=True)
class Line:
    """log GMV = log `gmv` + slope · (log spend − log `spend`), the slope known to within `doubt`."""

    spend: float
    gmv: float
    slope: float
    doubt: float

    def of(self, spend: float) -> float:
        """The GMV that a day of so much spend is expected to bring."""
        return float(self.gmv * (spend / self.spend) ** self.slope)


def reported(days: Sequence[ReportedDay], market: Market, usually: Usual) -> Landscape | None:
    """The landscape of a plan of these days, oldest first; `None` if fewer than `FEWEST_DAYS` sold anything.

    market: what the plan is after; its response is not looked at but for what an order is worth.
    """
    sold = [day for day in days if day.sold]
    if len(sold) < FEWEST_DAYS:
        return None
    line = fitted(sold, usually)
    kept = _fulfilment(sold, market)
    least, most = min(day.lived.spend for day in sold), max(day.lived.spend for day in sold)
    spend = np.geomspace(least / REACH, most * REACH, POINTS)
    gmv = line.gmv * (spend / line.spend) ** line.slope / kept
    believed = replace(market, response=Response.of(spend, gmv, market.response.order_value), told=True)
    missed = [Miss.of(believed, (day.target, day.budget), day.lived) for day in sold]
    fair = replace(usually, reach_bias=0.0)  # a line through the days themselves is not off on the whole
    spread = replace(spread_of(missed, (), believed.response, fair), slope_doubt=line.doubt)
    return Landscape(believed, spread, (least, most))


def fitted(days: Sequence[ReportedDay], usually: Usual) -> Line:
    """The line through days that all sold something."""
    spend, gmv = (np.log([getattr(day.lived, name) for day in days]) for name in ("spend", "gmv"))
    x, y = spend - spend.mean(), gmv - gmv.mean()
    prior = 1 / usually.slope_doubt**2
    variance = float(np.var(y - usually.slope * x)) + usually.value**2 / len(days)
    known = float((x**2).sum()) / variance + prior
    slope = (float((x * y).sum()) / variance + usually.slope * prior) / known
    # The mean of a lognormal lies above its median: the line is to tell of the mean.
    level = float(np.exp(gmv.mean() + variance / 2))
    return Line(float(np.exp(spend.mean())), level, min(slope, STEEPEST), float(1 / np.sqrt(known)))


def _fulfilment(days: Sequence[ReportedDay], market: Market) -> float:
    """How far days that no budget ended brought what their target asked for; 1 where none tells."""
    kept, extras = market.counted or (0.0, 0.0)
    telling = [(day.lived, day.target) for day in days if day.target and not day.ended and kept]
    known = [kept * one.gmv / (one.spend + extras * one.gmv) / target for one, target in telling if target]
    return float(np.exp(np.median(np.log(known)))) if known else 1.0
