"""The figures of a case: every fact is counted or left out for a named reason, and what counts is summed exactly."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from qianheng.core.days import REFUND_WINDOW_1H, SECOND
from qianheng.core.money import YUAN, Micros
from qianheng.guarantee.case import Case, Order, Price, Refund, Target, WeekUnit
from qianheng.guarantee.reasons import NOTHING
from qianheng.guarantee.targets import in_force, known_targets
from qianheng.plans.plan import Goal

AT_ONCE = 60 * SECOND


class LeftOut(StrEnum):
    """Why a fact does not count, in precedence; the last three are said of refunds alone.

    `ineffective_day` is said of a week, whose effective days are known only from its figures.
    """

    DUPLICATE = "duplicate"
    LATER_THAN_NOW = "later_than_now"
    OTHER_DAY = "other_day"
    BEFORE_FIRST_TARGET = "before_first_target"
    BOOSTED = "boosted"
    FLAGGED = "flagged"
    REFUNDED_AT_ONCE = "refunded_at_once"
    NO_GMV = "no_gmv"
    INEFFECTIVE_DAY = "ineffective_day"
    ORDER_LEFT_OUT = "order_left_out"
    PAYMENT_GOAL = "payment_goal"
    AFTER_AN_HOUR = "after_an_hour"


class Period(NamedTuple):
    """The orders and GMV (micro-yuan) that one target's goal counts while it was in force. `target` is its value.

    A week has one for each of its days and targets; these tell the day and what was spent in them.
    """

    goal: Goal | Price
    target: Fraction | None
    orders: int
    gmv: Micros
    spend: Micros = 0
    day: date | None = None

    @property
    def promised(self) -> Fraction:
        """What the target allows to be spent (micro-yuan): GMV / ROI, or price × conversions."""
        if not self.target:
            return NOTHING
        if self.goal is Price.CONVERSION:
            return self.orders * self.target * YUAN
        return Fraction(self.gmv * self.target.denominator, self.target.numerator)


class Figures(NamedTuple):
    """What a unit is judged by: spend (micro-yuan) and one period for each target in force.

    However they came: folded from a case here, or summed by a query per plan, day and target version.
    """

    spend: Micros
    periods: tuple[Period, ...]


class Counted(NamedTuple):
    """How an order counts: its GMV in a period (its place among the targets in force), or why it is left out."""

    left_out: LeftOut | None
    period: int = -1
    gmv: Micros = 0


@dataclass(frozen=True, slots=True)
class Sifted:
    """Every fact of a case and whether it counts; `charges` and `orders` stand beside those of the case."""

    targets: list[Target]
    charges: list[LeftOut | None]
    orders: list[Counted]


class _Bounds(NamedTuple):
    start: int
    end: int
    first_target: int
    now: int

    def left_out(self, at: int) -> LeftOut | None:
        start, end, first_target, now = self
        if at > now:
            return LeftOut.LATER_THAN_NOW
        if not start <= at < end:
            return LeftOut.OTHER_DAY
        return LeftOut.BEFORE_FIRST_TARGET if at < first_target else None


def figures(case: Case) -> Figures:
    """Spend, and orders and GMV per target in force, on the facts known at the case's `now`. Pure and exact."""
    return add_up(case, sift(case))


def add_up(case: Case, sifted: Sifted) -> Figures:
    """The sums of what counts: by target or, of a week, by day and target."""
    return _by_day(case, sifted) if isinstance(case.unit, WeekUnit) else by_target(case, sifted)


def by_target(case: Case, sifted: Sifted) -> Figures:
    """The sums of what counts, by the targets in force."""
    orders = [0] * len(sifted.targets)
    gmv = [0] * len(sifted.targets)
    for counted in sifted.orders:
        if counted.left_out is None:
            orders[counted.period] += 1
            gmv[counted.period] += counted.gmv
    spend = sum(
        charge.amount for charge, left_out in zip(case.charges, sifted.charges, strict=True) if left_out is None
    )
    targets = zip(sifted.targets, orders, gmv, strict=True)
    return Figures(spend, tuple(Period(target.goal, target.value, count, total) for target, count, total in targets))


def _by_day(case: Case, sifted: Sifted) -> Figures:
    """The sums of what counts, by day and target."""
    days = [start for start, _ in case.unit.day_windows]
    targets = [target.at for target in sifted.targets]
    sums: dict[tuple[int, int], tuple[int, Micros, Micros]] = {}

    def add(at: int, *more: int) -> None:
        place = bisect_right(days, at) - 1, bisect_right(targets, at) - 1
        orders, gmv, spend = map(sum, zip(sums.get(place, (0, 0, 0)), more, strict=True))
        sums[place] = orders, gmv, spend

    for charge, left_out in zip(case.charges, sifted.charges, strict=True):
        if left_out is None:
            add(charge.at, 0, 0, charge.amount)
    for order, counted in zip(case.orders, sifted.orders, strict=True):
        if counted.left_out is None:
            add(order.at, 1, counted.gmv, 0)
    periods = [
        Period(
            sifted.targets[target].goal,
            sifted.targets[target].value,
            *sums[day, target],
            case.unit.day + timedelta(day),
        )
        for day, target in sorted(sums)
    ]
    return Figures(sum(period.spend for period in periods), tuple(periods))


def sift(case: Case) -> Sifted:
    """Decide for every charge and order whether it counts. Of facts with one id the first in file order stands."""
    known = known_targets(case.log.targets, case.now)
    start, end = case.unit.window
    targets = in_force(known, (start, end))
    bounds = _Bounds(start, end, known[0].at if known else end, case.now)
    return Sifted(targets, _sift_charges(case, bounds), _sift_orders(case, bounds, targets))


def _sift_charges(case: Case, bounds: _Bounds) -> list[LeftOut | None]:
    seen: set[str] = set()
    outcome: list[LeftOut | None] = []
    for charge in case.charges:
        left_out = LeftOut.DUPLICATE if charge.id in seen else bounds.left_out(charge.at)
        if left_out is None and charge.boost in case.unit.boosts_left_out:
            left_out = LeftOut.BOOSTED
        seen.add(charge.id)
        outcome.append(left_out)
    return outcome


def _sift_orders(case: Case, bounds: _Bounds, targets: Sequence[Target]) -> list[Counted]:
    starts, boosts_left_out = [target.at for target in targets], case.unit.boosts_left_out
    seen: set[str] = set()
    seen_refunds: set[str] = set()
    outcome: list[Counted] = []
    for order in case.orders:
        if order.id in seen:
            outcome.append(Counted(LeftOut.DUPLICATE))
            continue
        seen.add(order.id)
        refunds = fresh(order.refunds, seen_refunds) if order.refunds else ()
        left_out = bounds.left_out(order.at)
        if left_out is not None:
            outcome.append(Counted(left_out))
            continue
        if order.boost in boosts_left_out:
            outcome.append(Counted(LeftOut.BOOSTED))
            continue
        period = bisect_right(starts, order.at) - 1
        known = [refund for refund in refunds if refund.at <= case.now] if refunds else ()
        outcome.append(_count(order, known, period, targets[period].goal))
    return outcome


def _count(order: Order, refunds: Sequence[Refund], period: int, goal: Goal | Price) -> Counted:
    if order.flagged:
        return Counted(LeftOut.FLAGGED)
    if refunds and refunded(order, refunds, AT_ONCE) >= order.amount:
        return Counted(LeftOut.REFUNDED_AT_ONCE)
    gmv = order.amount
    if refunds and goal is Goal.NET:
        gmv -= refunded(order, refunds, REFUND_WINDOW_1H)
    return Counted(None, period, gmv) if gmv > 0 else Counted(LeftOut.NO_GMV)


def refunded(order: Order, refunds: Sequence[Refund], within: int) -> Micros:
    """What was given back at most `within` microseconds after the order."""
    return sum(refund.amount for refund in refunds if refund.at - order.at <= within)


def fresh(refunds: Sequence[Refund], seen: set[str]) -> list[Refund]:
    """Those refunds whose id was not seen before; `seen` grows by them."""
    first = []
    for refund in refunds:
        if refund.id not in seen:
            seen.add(refund.id)
            first.append(refund)
    return first
