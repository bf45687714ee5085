"""The record of a test (SPEC 12): two plans over the same days, of a run or of imported reports, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from qianheng.core.errors import BadInput, NotFound
from qianheng.core.money import ratio
from qianheng.diagnosis.paired import Difference, Side, compared
from qianheng.diagnosis.standing import Span
from qianheng.measures.history import About, History, PlanHistory, Setting
from qianheng.measures.reports import Figures, add

PERIODS = (7, 14)  # days after the start on which a test is looked at
TOP_SHARE = Fraction(1, 5)  # of the products that sold: the others are the long tail (SPEC 3.2)


@dataclass(frozen=True, slots=True)
class PlanDayRecord:
    """One day of one plan: what it was set to in the evening, its sums, and the GMV of each product it sold."""

    setting: Setting | None
    figures: Figures
    sold: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a test is judged by: a sum or a ratio of days; `None` where more of it is neither better nor worse."""

    name: str
    of: Callable[[Sequence[PlanDayRecord]], Fraction | None]
    more_is_better: bool | None
    adds_up: bool = False
    tested: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """A measure of both plans over some days, and who wins; nobody where chance could have made the difference."""

    measure: Measure
    told: Difference
    winner: Side | None


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two plans over the same days, or one by turns (then each side knows its own days), and the results after 7, 14
    and all days, as far as there are so many.
    """

    history: History
    span: Span
    plans: Mapping[Side, PlanHistory]
    days: Mapping[Side, Mapping[date, PlanDayRecord]]
    results: Mapping[int, tuple[Result, ...]]

    def total(self, side: Side) -> Figures:
        """All days of a plan together."""
        return add(one.figures for one in self.days[side].values())


def side_by_side(history: History, plan_ids: tuple[str, str], days: tuple[date | None, date | None]) -> SideBySide:
    """The record of a test. days: the first and the last (default: all that both plans have in common).

    A plan that is not there: NotFound. The same plan twice, or days that one of them has nothing of: BadInput.
    """
    if plan_ids[0] == plan_ids[1]:
        raise BadInput("reviews.record.same", place="--b", value=plan_ids[1])
    plans = {side: _plan(history, plan_id, side) for side, plan_id in zip(_SIDES, plan_ids, strict=True)}
    return _over(history, plans, _span(history, plans.values(), days))


def side_by_side_of(history: History, plan_ids: tuple[str, str], span: Span) -> SideBySide:
    """The same over days that are known to be the test's, whatever the plans came to on them."""
    plans = {side: _plan(history, plan_id, side) for side, plan_id in zip(_SIDES, plan_ids, strict=True)}
    return _over(history, plans, span)


def in_turns(history: History, plan_id: str, turns: Sequence[tuple[date, date]], span: Span) -> SideBySide:
    """The record of a test whose days were drawn, over the days of its whole turns: one plan, a day as A and a day as B
    in every turn, which are compared with each other.
    """
    plan = _plan(history, plan_id, "a")
    told = {side: {turn[i]: _day(history, plan, turn[i]) for turn in turns} for i, side in enumerate(_SIDES)}
    return SideBySide(history, span, dict.fromkeys(_SIDES, plan), told, {span.days: _results(told, len(turns))})


def _over(history: History, plans: Mapping[Side, PlanHistory], span: Span) -> SideBySide:
    told = {side: {day: _day(history, plan, day) for day in span.each()} for side, plan in plans.items()}
    lengths = sorted({*(length for length in PERIODS if length <= span.days), span.days})
    return SideBySide(history, span, plans, told, {length: _results(told, length) for length in lengths})


_SIDES: tuple[Side, Side] = ("a", "b")


def _plan(history: History, plan_id: str, side: Side) -> PlanHistory:
    if plan_id not in history.plans:
        known = ", ".join(history.plans) or "–"
        raise NotFound("histories.no_plan", place=f"--{side}", value=plan_id, known=known)
    return history.plans[plan_id]


def _span(history: History, plans: Iterable[PlanHistory], days: tuple[date | None, date | None]) -> Span:
    known = [{day for day, told in history.days.get(one.subject, {}).items() if told.spend} for one in plans]
    common = sorted(day for day in set.intersection(*known) if day < history.today)
    if not common:
        raise BadInput("reviews.record.nothing_in_common", place="--from")
    first, last = days[0] or common[0], days[1] or common[-1]
    if first > last:
        raise BadInput("reports.days_reversed", place="--from", first=first, last=last)
    if first < common[0] or last > common[-1]:
        raise BadInput("reviews.record.out_of_reach", place="--from", first=common[0], last=common[-1])
    return Span(first, last)


def _day(history: History, plan: PlanHistory, day: date) -> PlanDayRecord:
    products = history.of(About.PRODUCT, within=plan.subject.id)
    gmv = {one.id: history.days[one].get(day, Figures()).gmv or 0 for one in products}
    sold = {id_: amount for id_, amount in gmv.items() if amount > 0}
    return PlanDayRecord(plan.set_in_evening(day, history.timezone), history.whole(plan.subject, day, day), sold)


def _results(days: Mapping[Side, Mapping[date, PlanDayRecord]], length: int) -> tuple[Result, ...]:
    a, b = ([*days[side].values()][:length] for side in _SIDES)
    return tuple(_result(one, a, b) for one in MEASURES)


def _result(measure: Measure, a: Sequence[PlanDayRecord], b: Sequence[PlanDayRecord]) -> Result:
    if not measure.tested:
        return Result(measure, Difference(measure.of(a), measure.of(b)), None)
    told = compared(a, b, measure.of, measure.adds_up)
    return Result(measure, told, None if measure.more_is_better is None else told.winner(measure.more_is_better))


def _sum(name: str) -> Callable[[Sequence[PlanDayRecord]], Fraction | None]:
    """A sum of days; `None` unless every day knows it."""

    def of(days: Sequence[PlanDayRecord]) -> Fraction | None:
        values = [getattr(day.figures, name) for day in days]
        return None if None in values else Fraction(sum(values))

    return of


def _ratio(above: str, below: str) -> Callable[[Sequence[PlanDayRecord]], Fraction | None]:
    """A ratio of sums of days."""

    def of(days: Sequence[PlanDayRecord]) -> Fraction | None:
        over, under = _sum(above)(days), _sum(below)(days)
        return None if over is None or not under else ratio(over, under)

    return of


def _sold(days: Sequence[PlanDayRecord]) -> dict[str, int]:
    found: dict[str, int] = {}
    for day in days:
        for product, gmv in day.sold.items():
            found[product] = found.get(product, 0) + gmv
    return found


def _products(days: Sequence[PlanDayRecord]) -> Fraction | None:
    """How many different products were sold (动销数); `None` where nothing is known by product."""
    return Fraction(len(found)) if (found := _sold(days)) else None


def long_tail_share(days: Sequence[PlanDayRecord]) -> Fraction | None:
    """The share of GMV of the products outside the best-selling fifth (rounded up) of those that sold (SPEC 3.2)."""
    found = sorted(_sold(days).values(), reverse=True)
    top = -(-len(found) * TOP_SHARE.numerator // TOP_SHARE.denominator)
    return ratio(sum(found[top:]), sum(found)) if found else None


MEASURES = (
    Measure("spend", _sum("spend"), None, adds_up=True),
    Measure("gmv", _sum("gmv"), True, adds_up=True),
    Measure("net_gmv", _sum("net_gmv"), True, adds_up=True),
    Measure("settled_gmv_7d", _sum("settled_gmv_7d"), True, adds_up=True),
    Measure("orders", _sum("orders"), True, adds_up=True),
    Measure("payment_roi", _ratio("gmv", "spend"), True),
    Measure("net_roi", _ratio("net_gmv", "spend"), True),
    Measure("settled_roi", _ratio("settled_gmv_7d", "spend"), True),
    Measure("refund_rate_1h", _ratio("refunded_1h", "gmv"), False),
    Measure("products_sold", _products, True, tested=False),
    Measure("long_tail_share", long_tail_share, True),
)
"""What a test is looked at by, in the order of SPEC 12; of different products sold no day can be left out fairly."""
