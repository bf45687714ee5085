"""What open units may still cost: the compensation expected of each, and where four worlds in five end (SPEC 5.7).

A unit's figures so far are known; what is still open of them (the rest of a running day, refunds of the last hour under
the net goal) is drawn in each of `WORLDS` worlds, and each draw is judged by the rules of its policy. Draw *i* of every
unit belongs to the same world *i*: a part of what moves a plan moves all plans that day, so that sums are made world by
world and their interval is neither that of independent units nor that of units which all fail together. Decision 0018.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, sqrt
from random import Random
from typing import NamedTuple

from qianheng.core.ids import derive_seed
from qianheng.core.money import FEN, YUAN, Micros
from qianheng.guarantee.policy import Rules
from qianheng.guarantee.reasons import Reason, Sums

WORLDS = 500
LOW, HIGH = 0.1, 0.9  # the ends of an interval that holds four worlds in five
SHARED = 0.5  # of the variance of what orders the rest of a day brings, that of all plans together
ORDERS_SPREAD, SPEND_SPREAD, VALUE_SPREAD = 0.25, 0.15, 0.6  # relative; of a rest, a rest, one order
MANY = 30  # from so many on a count is drawn as a rounded normal
PATIENCE = 0.3
PAID = "paid"


class Rest(NamedTuple):
    """What a running day is to bring yet: spend (micro-yuan, at most `most_spend`), orders, GMV an order."""

    spend: float = 0.0
    most_spend: float = 0.0
    orders: float = 0.0
    order_value: float = 0.0


class Doubtful(NamedTuple):
    """Orders that may yet be undone: how many, their GMV, and the share of it that is expected to be given back."""

    orders: int = 0
    gmv: float = 0.0
    share: float = 0.0


NO_REST, NONE_DOUBTFUL = Rest(), Doubtful()


@dataclass(frozen=True, slots=True)
class OpenFigures:
    """A unit that is not judged yet: its policy's rules, what it came to so far, what is open of it, and the ROI that
    this stands under (0: none)."""

    unit_id: int
    rules: Rules
    sums: Sums
    target: float
    rest: Rest = NO_REST
    doubtful: Doubtful = NONE_DOUBTFUL


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected to be paid, micro-yuan, and in each world. `low` to `high` holds four worlds in five; `outcomes`
    are the chances of each outcome of one unit: paid, or the first reason why not."""

    paid: tuple[Micros, ...]
    outcomes: tuple[tuple[str, float], ...] = ()

    @property
    def mean(self) -> Micros:
        """The expected amount."""
        return round(sum(self.paid) / len(self.paid)) if self.paid else 0

    @property
    def low(self) -> Micros:
        """One world in ten pays less."""
        return _quantile(self.paid, LOW)

    @property
    def high(self) -> Micros:
        """One world in ten pays more."""
        return _quantile(self.paid, HIGH)


def worlds(seed: int, count: int = WORLDS) -> tuple[float, ...]:
    """What moves the orders of all plans in each world: draws of a standard normal."""
    random = Random(derive_seed(seed, "worlds"))
    return tuple(random.gauss(0.0, 1.0) for _ in range(count))


def certain(amount: Micros, outcome: str, count: int = WORLDS) -> Expected:
    """What is paid in every world: nothing is open."""
    return Expected((amount,) * count, ((outcome, 1.0),))


def expect(unit: OpenFigures, shocks: Sequence[float], seed: int) -> Expected:
    """What one unit may be paid, in each world. The same unit, worlds and seed give the same answer."""
    random, start = Random(derive_seed(seed, unit.unit_id)), _Figures.of(unit.sums)
    ended = (_draw(unit, start, (shock, random)) for shock in shocks)
    drawn = [outcome(unit.rules, one.spend, one.orders, one.promised) for one in ended]
    found = [outcome for outcome, _ in drawn]
    chances = tuple((outcome, found.count(outcome) / len(found)) for outcome in dict.fromkeys(sorted(found)))
    return Expected(tuple(due for _, due in drawn), chances)


def together(expected: Iterable[Expected]) -> Expected:
    """The sum of several units, world by world; none of nothing. All must know the same number of worlds."""
    return Expected(tuple(map(sum, zip(*(one.paid for one in expected), strict=True))))


class _Figures(NamedTuple):
    """A unit's sums as plain numbers: enough for what nobody is paid by."""

    spend: float
    orders: float
    gmv: float
    promised: float

    @classmethod
    def of(cls, sums: Sums) -> _Figures:
        return cls(sums.spend, sums.orders, sums.gmv, float(sums.promised))


def _draw(unit: OpenFigures, start: _Figures, luck: tuple[float, Random]) -> _Figures:
    """The figures of a unit in the end, in one world."""
    (shock, random), rest, doubtful = luck, unit.rest, unit.doubtful
    own = random.gauss(0.0, 1.0)
    level = _lognormal(ORDERS_SPREAD, sqrt(SHARED) * shock + sqrt(1 - SHARED) * own)
    pace = _lognormal(SPEND_SPREAD, random.gauss(0.0, 1.0))
    spend = min(rest.spend * pace, rest.most_spend)
    more = _count(rest.orders * level * (spend / rest.spend if rest.spend else 1.0), random)
    gmv = more * rest.order_value * max(0.0, 1 + VALUE_SPREAD / sqrt(more) * random.gauss(0.0, 1.0)) if more else 0.0
    undone = min(_count(doubtful.orders * doubtful.share, random), doubtful.orders) if doubtful.orders else 0
    lost = doubtful.gmv * undone / doubtful.orders if undone else 0.0
    per_target = 1 / unit.target if unit.target else 0.0
    return _Figures(
        start.spend + spend,
        start.orders + more - undone,
        start.gmv + gmv - lost,
        start.promised + (gmv - lost) * per_target,
    )


def _lognormal(spread: float, shock: float) -> float:
    """A factor of mean one."""
    return exp(spread * shock - spread * spread / 2)


def _count(mean: float, random: Random) -> int:
    """A draw of a Poisson distribution."""
    if mean > MANY:
        return max(0, round(random.gauss(mean, sqrt(mean))))
    left, count = random.random(), 0
    chance = exp(-mean)
    while left > chance and count < 10 * MANY:
        left -= chance
        count += 1
        chance *= mean / count
    return count


def outcome(rules: Rules, spend: float, orders: float, promised: float) -> tuple[str, Micros]:
    """How a unit ends by these figures, and what it is paid: the last checks of the verdict, in its precedence.

    spend, promised: micro-yuan; promised is Σ GMV / target.
    """
    if spend <= 0:
        return Reason.NOTHING_SPENT, 0
    if orders < rules.orders.fewest:
        return Reason.TOO_FEW_ORDERS, 0
    if promised >= float(rules.trigger_ratio) * spend:
        return Reason.ROI_MET, 0
    due = spend - promised / float(rules.pay_ratio)
    if due < float(Fraction(rules.minimum) * YUAN):
        return Reason.BELOW_MINIMUM, 0
    return PAID, round(due / FEN) * FEN


def to_come(so_far: float, share: float, usual: float) -> float:
    """What of a day is expected to come yet, when `share` of a usual day is over: the usual rest, more or less of it as
    the day went so far; the first hours of a day say little, as if `PATIENCE` of a usual day had gone as ever."""
    if usual <= 0:
        return so_far * (1 - share) / share if share > 0 else 0.0
    return usual * (1 - share) * (so_far + PATIENCE * usual) / ((share + PATIENCE) * usual)


def _quantile(values: Sequence[Micros], share: float) -> Micros:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0
