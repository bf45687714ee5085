"""What a target and a budget would bring, told with intervals that four outcomes in five are to fall into (SPEC 7.6).

Many worlds are drawn: in each the market is a little larger or smaller and better or worse than it was learned to be,
every day differs from it again, a part of that lasting into the next day, and orders and refunds come by chance. In
each world the plan spends what its target lets it, up to its budget. The draws are fixed numbers and are the same for
every target and budget, so that answers differ by what was asked alone. Decision 0021.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np

from qianheng.core.interval import Interval
from qianheng.core.money import Micros
from qianheng.guarantee.liability import PAID, outcome
from qianheng.guarantee.policy import Rules
from qianheng.plans.plan import Goal
from qianheng.strategy.landscape import Floats, Landscape, Swing

WORLDS = 400
MOST_DAYS = 30
LOW, HIGH = 0.1, 0.9
FEWEST_ORDERS = 1.0  # a day; what brings fewer is out of reach
BEYOND = 1.1  # spend so much above the most seen, or below the least, is extrapolated


@dataclass(frozen=True, slots=True)
class Trial:
    """A setting that is tried: a target (`None` where a plan has none), a budget a day in micro-yuan, and how many days
    together (1 to 30)."""

    target: float | None
    budget: float
    days: int = 1


@dataclass(frozen=True, slots=True)
class GuaranteeRisk:
    """The chance that a day is compensated, and what is expected to be paid for all days together."""

    chance: float
    expected: Micros


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of these days together; money in micro-yuan, `None` where an input is not known.

    `promoted_orders`: those that promotion is expected to bring. `roi` is the goal's own, `chance_of_target` how likely
    it is at least the target. `bound`: how often the budget ends a day rather than the target. `extrapolated`: most
    days would spend what no day has spent so far.
    """

    trial: Trial
    spend: Interval
    gmv: Interval
    orders: Interval
    promoted_orders: float
    net_gmv: Interval | None
    profit: Interval | None
    roi: Interval | None
    chance_of_target: float | None
    guarantee_risk: GuaranteeRisk | None
    bound: float
    extrapolated: bool

    @property
    def sells(self) -> bool:
        """Whether promotion brings the fewest orders that are worth speaking of."""
        return self.promoted_orders >= FEWEST_ORDERS * self.trial.days

    @property
    def feasible(self) -> bool:
        """Whether it sells at all and its target is not out of the question."""
        return self.sells and (self.chance_of_target is None or self.chance_of_target >= 1 - HIGH)


def outlook(landscape: Landscape, trial: Trial, rules: Rules | None = None) -> Outlook:
    """What a plan is expected to bring under a target and a budget.

    rules: of its guarantee; without them, or where they do not cover its goal, the risk is `None`.
    """
    lived = _live(landscape, trial)
    roi, met = _rois(landscape, trial, lived)
    median = float(np.median(lived.spend))
    return Outlook(
        trial,
        replace(_money(lived.spend), high=round(_ends(lived.most)[2])),
        _money(lived.gmv),
        _orders(lived.orders),
        float(lived.promoted.sum(0).mean()) / landscape.market.response.order_value,
        None if lived.net is None else _money(lived.net),
        None if lived.profit is None else _money(lived.profit),
        roi,
        met,
        _risk(landscape, trial, lived, rules),
        float(lived.bound.mean()),
        median > BEYOND * landscape.seen[1] or median * BEYOND < landscape.seen[0],
    )


def chance_better(landscape: Landscape, trials: tuple[Trial, Trial], of: str) -> float:
    """In what share of worlds the second setting brings more than the first: of `profit`, `gmv` or `orders`."""
    first, second = (_live(landscape, one).total(of) for one in trials)
    return float((second > first).mean())


@dataclass(frozen=True, slots=True, eq=False)
class _Lived:
    """Days in all worlds, [days, worlds]: `most` is the spend if nothing of a budget were left over, `promoted` the
    mean GMV that promotion brings, `counted` the GMV that counts under the goal; `None` for unknown."""

    spend: Floats
    most: Floats
    promoted: Floats
    gmv: Floats
    orders: Floats
    net: Floats | None
    counted: Floats | None
    contribution: Floats | None
    bound: Floats

    @property
    def profit(self) -> Floats | None:
        """The contribution less spend."""
        return None if self.contribution is None else self.contribution - self.spend

    def total(self, of: str) -> Floats:
        """[worlds] all days of a quantity together; nothing of one that is not known."""
        found = getattr(self, of)
        return np.zeros(WORLDS) if found is None else np.asarray(found.sum(0))


@lru_cache(maxsize=1)
def _draws() -> tuple[Floats, Floats]:
    """Standard normal draws: [3, worlds] of what stays, [10, days, worlds] of what differs from day to day.

    Each world has a mirror image, and every row is scaled to a deviation of 1: so few worlds would else be luckier or
    unluckier than the market on the whole, and every answer with them.
    """
    random = np.random.default_rng(20_251_101)
    halves = random.standard_normal((3, WORLDS // 2)), random.standard_normal((10, MOST_DAYS, WORLDS // 2))
    stays, differs = (np.concatenate([half, -half], axis=-1) for half in halves)
    return stays / stays.std(-1, keepdims=True), differs / differs.std(-1, keepdims=True)


def _live(landscape: Landscape, trial: Trial) -> _Lived:
    spread, (stays, differs) = landscape.spread, _draws()
    differs = differs[:, : trial.days]
    reach = np.exp(_swing(spread.reach, (stays[0], differs[0], differs[8]), spread.carry))
    even = (spread.value.doubt**2 + spread.value.deviation**2) / 2  # so that the bias is that of the mean
    value = np.exp(_swing(spread.value, (stays[1], differs[1], differs[9]), spread.carry) - even)
    left = spread.shortfall * (differs[6] ** 2 + differs[7] ** 2) / 2  # exponential, of that mean
    allowed = trial.budget * np.maximum(1 - left, 0.0)
    free = landscape.market.unbound(trial.target, _curves(landscape) if landscape.market.told else None) * reach
    spend = np.minimum(free, allowed)
    promoted = reach * _bought(landscape, spend / reach) * _already_told(landscape, reach)
    mean = value * (promoted + landscape.market.response.unpromoted)
    gmv, orders = _by_chance(landscape, mean, differs[2:4])
    net, settled, contribution = _left(landscape, gmv, differs[4:6])
    counted = {Goal.PAYMENT: gmv, Goal.SETTLED: settled, Goal.PROFIT: contribution}.get(landscape.market.goal, net)
    return _Lived(
        spend,
        np.minimum(free, trial.budget),
        value * promoted,
        gmv,
        orders,
        net,
        counted,
        contribution,
        free >= allowed,
    )


def _swing(miss: Swing, drawn: tuple[Floats, Floats, Floats], carry: float) -> Floats:
    """The logarithm of what a quantity is multiplied by, [days, worlds]."""
    stays, differs, wanders = drawn
    path = np.empty_like(differs)
    path[0] = differs[0]
    for day in range(1, len(differs)):
        path[day] = carry * path[day - 1] + np.sqrt(1 - carry**2) * differs[day]
    wandered = np.cumsum(wanders, axis=0) - wanders[0]  # the first day is the one that was foreseen
    return np.asarray(miss.bias + miss.doubt * stays + miss.deviation * path + miss.drift * wandered)


def _already_told(landscape: Landscape, reach: Floats) -> Floats:
    """What the value of days whose budget hid their reach has told of it: at the spend that was seen such days bring
    what they brought, however far bids reach [days, worlds]."""
    least, most = landscape.seen
    usual = np.full_like(reach, np.sqrt(max(least, 1.0) * max(most, 1.0)))
    found, reached = _bought(landscape, usual), reach * _bought(landscape, usual / reach)
    return np.asarray((found / np.maximum(reached, 1e-9)) ** landscape.spread.hidden)


@lru_cache(maxsize=8)
def _curves(landscape: Landscape) -> Floats:
    """[worlds, points] the GMV of the response in every world: steeper or flatter around what was seen."""
    response, (least, most) = landscape.market.response, landscape.seen
    centre = float(np.sqrt(max(least, 1.0) * max(most, 1.0)))
    away = np.log(np.maximum(response.spend, 1.0) / centre)
    tilted = response.gmv * np.exp(landscape.spread.slope_doubt * _draws()[0][2][:, None] * np.clip(away, -2.0, 2.0))
    return np.asarray(np.maximum.accumulate(tilted, axis=1))


def _bought(landscape: Landscape, spend: Floats) -> Floats:
    """The GMV that spends [days, worlds] bring in each world, by straight lines between the points."""
    known, table = landscape.market.response.spend, _curves(landscape)
    right = np.clip(np.searchsorted(known, spend, side="right"), 1, len(known) - 1)
    left = right - 1
    width = np.maximum(known[right] - known[left], 1e-9)
    part, world = np.clip((spend - known[left]) / width, 0.0, 1.0), np.arange(spend.shape[1])
    return np.asarray(table[world, left] * (1 - part) + table[world, right] * part)


def _by_chance(landscape: Landscape, mean: Floats, luck: Floats) -> tuple[Floats, Floats]:
    """GMV and orders where orders come by chance and differ in value: a compound Poisson draw of this mean."""
    value, wide = landscape.market.response.order_value, 1 + landscape.spread.order_spread**2
    of_orders = (luck[0] + np.sqrt(wide - 1) * luck[1]) / np.sqrt(wide)
    return wide * value * _count(mean / (wide * value), luck[0]), _count(mean / value, of_orders)


def _count(mean: Floats, luck: Floats) -> Floats:
    """A draw of a Poisson distribution as a number with decimals: by Wilson and Hilferty's cube, never falling with
    the mean."""
    mean = np.maximum(mean, 1e-9)
    return np.asarray(mean * np.maximum(1 - 1 / (9 * mean) + luck / (3 * np.sqrt(mean)), 0.0) ** 3)


def _left(landscape: Landscape, gmv: Floats, luck: Floats) -> tuple[Floats | None, Floats | None, Floats | None]:
    """What refunds leave of GMV after an hour and after seven days, and the contribution; `None` where unknown."""
    shares, spread = landscape.market.shares, landscape.spread
    few = landscape.market.response.order_value * (1 + spread.order_spread**2) / np.maximum(gmv, 1.0)

    def kept(share: float | None, draw: Floats) -> Floats | None:
        if share is None:
            return None
        lost = 1 - share
        deviation = np.sqrt(np.minimum(lost * share * few, 0.25) + (spread.refunds * lost) ** 2)
        return np.asarray(gmv * np.clip(share + deviation * draw, 0.0, 1.0))

    net, settled = kept(shares.net, luck[0]), kept(shares.settled, luck[1])
    if shares.contribution is None or settled is None:
        return net, settled, None
    return net, settled, settled * (shares.contribution / max(shares.settled or 0.0, 1e-9))


def _rois(landscape: Landscape, trial: Trial, lived: _Lived) -> tuple[Interval | None, float | None]:
    """The goal's own ROI of all days together, and how likely it is at least the target."""
    counted, spend = lived.counted, lived.spend.sum(0)
    if counted is None or not (spend > 0).any():
        return None, None
    extras = (landscape.market.counted or (0.0, 0.0))[1]
    costs = spend + extras * lived.gmv.sum(0)
    spent = spend > 0
    roi = counted.sum(0)[spent] / costs[spent]
    met = None if trial.target is None else float((roi >= trial.target).mean())
    mean = float(counted.sum() / costs.sum())
    low, high = np.quantile(roi, [LOW, HIGH])
    return Interval(*(_ratio(end) for end in (min(low, mean), mean, max(high, mean)))), met


def _ratio(value: float) -> Fraction:
    return Fraction(round(value * 10**6), 10**6)


def _risk(landscape: Landscape, trial: Trial, lived: _Lived, rules: Rules | None) -> GuaranteeRisk | None:
    """Every day of every world judged by the rules of the policy."""
    covered = rules is not None and rules.unit == "plan_day" and landscape.market.bid_mode in rules.bid_modes
    if not covered or rules is None or landscape.market.goal not in rules.goals or lived.counted is None:
        return None
    promised = lived.counted / (trial.target or 1.0)
    missed = np.argwhere(promised < lived.spend)
    found = (
        outcome(rules, *(float(column[day, world]) for column in (lived.spend, lived.orders, promised)))
        for day, world in missed
    )
    paid = [amount for how, amount in found if how == PAID]
    return GuaranteeRisk(len(paid) / lived.spend.size, round(sum(paid) / WORLDS))


def _money(lived: Floats) -> Interval:
    """All days together [days, worlds], in whole micro-yuan."""
    return Interval(*(round(end) for end in _ends(lived)))


def _orders(lived: Floats) -> Interval:
    """All days together; what is expected is told to a tenth of an order."""
    low, mean, high = _ends(lived)
    expected = Fraction(round(10 * mean), 10)
    return Interval(min(Fraction(round(low)), expected), expected, max(Fraction(round(high)), expected))


def _ends(lived: Floats) -> tuple[float, float, float]:
    """The mean of the sum over days, and the ends that four worlds in five lie between."""
    total = lived.sum(0)
    mean = float(total.mean())
    low, high = map(float, np.quantile(total, [LOW, HIGH]))
    return min(low, mean), mean, max(high, mean)
