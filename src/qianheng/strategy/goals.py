"""Which goal: the table of SPEC 7.1 row by row, the quick rule beside it, and what speaks for and against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from qianheng.core.money import YUAN, ratio
from qianheng.diagnosis.evidence import Evidence, Figure
from qianheng.measures.history import About, History
from qianheng.measures.reports import Figures
from qianheng.strategy.rules import GoalRules, Range, Row, RowUnit, Side, Signal

SECTION, QUICK, CONTRADICTION = "SPEC 7.1", "SPEC 7.1 (quick rule)", "SPEC 16"
Choice = Literal["payment", "net", "both"]
Measured = Mapping[str, Fraction | None]


@dataclass(frozen=True, slots=True)
class Fired:
    """A row of the table: its figure, the class it fell into as limits [from, below), and what it speaks for; `None`
    where the figure is not known.
    """

    evidence: Evidence
    at_least: Decimal | None = None
    below: Decimal | None = None
    speaks_for: Side | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """A figure beside the table, and the goal it supports."""

    evidence: Evidence
    speaks_for: Side


@dataclass(frozen=True, slots=True)
class GoalAdvice:
    """Which goal to bid to. `choice` is `None` without a single vote. `outside`: figures outside the range that the
    table was tried in; `contradictions`: keys of `advice.contradiction`; `ask`: what only the owner knows.
    """

    choice: Choice | None
    votes: Mapping[Side, int]
    rows: tuple[Fired, ...]
    outside: tuple[Evidence, ...]
    signs: tuple[Sign, ...]
    quick: Choice | None
    contradictions: tuple[str, ...]
    ask: Mapping[Side, tuple[str, ...]]
    missing: tuple[str, ...]


def advise_goal(history: History, rules: GoalRules) -> GoalAdvice:
    """Which goal suits a shop, by its last days."""
    known = measured(history, rules.days)
    rows = tuple(_fired(row, known) for row in rules.rows)
    votes = Counter(row.speaks_for for row in rows if row.speaks_for is not None)
    counts: dict[Side, int] = {"payment": votes["payment"], "net": votes["net"]}
    choice, quick = chosen(counts, rules.run_both_at), _quick(rules, known)
    return GoalAdvice(
        choice=choice,
        votes=counts,
        rows=rows,
        outside=tuple(_outside(rules.valid, known)),
        signs=tuple(_signs(rules.signals, known)),
        quick=quick,
        contradictions=tuple(_contradictions(rows, choice, quick)),
        ask={"payment": rules.ask.payment, "net": rules.ask.net},
        missing=tuple(row.name for row in rules.rows if known[row.name] is None),
    )


def chosen(votes: Mapping[Side, int], run_both_at: int) -> Choice | None:
    """The goal of the majority; both where it is of so few votes or none; `None` where nobody votes."""
    if not any(votes.values()):
        return None
    ahead = votes["payment"] - votes["net"]
    if abs(ahead) <= run_both_at:
        return "both"
    return "payment" if ahead > 0 else "net"


def measured(history: History, days: int) -> dict[str, Fraction | None]:
    """The figures that the rows, ranges and signals speak of, of the last days: money in yuan, shares of one."""
    shop, told = history.shop, history.last(days)
    each = history.each(history.whole_shop, *history.back(days))
    spends = [one.spend for one in each.values() if one.spend is not None]
    return {
        "products": None if shop.products is None else Fraction(shop.products),
        "order_value": _order_value(history, days),
        "refund_rate": _refund_rate(history, days),
        "spend_daily": None if not spends else Fraction(sum(spends), YUAN * len(spends)),
        "account_age": None if shop.opened is None else Fraction((history.today - shop.opened).days),
        "margin": shop.margin,
        "budget_swing": _swing(spends),
        "spend_growth": _growth(spends),
        "days_known": Fraction(len(history.days.get(history.whole_shop, {}))) if told != Figures() else None,
        "creatives": _creatives(history, days),
    }


def _order_value(history: History, days: int) -> Fraction | None:
    value = history.ratio("gmv", "orders", days)
    value = value if value is not None else history.ratio("net_gmv", "net_orders", days)
    return None if value is None else value / YUAN


def _refund_rate(history: History, days: int) -> Fraction | None:
    """Refunds of seven days where they are known, else of the first hour."""
    rate = history.ratio("refunded_7d", "gmv", days)
    if rate is None and (kept := history.ratio("settled_gmv_7d", "gmv", days)) is not None:
        rate = 1 - kept
    return rate if rate is not None else history.ratio("refunded_1h", "gmv", days)


def _swing(spends: list[int]) -> Fraction | None:
    """How unevenly days spend: the mean distance from their mean, over it."""
    if not spends or not sum(spends):
        return None
    mean = Fraction(sum(spends), len(spends))
    return sum((abs(one - mean) for one in spends), Fraction(0)) / len(spends) / mean


def _growth(spends: list[int]) -> Fraction | None:
    """How much more the later half of the days spent a day than the earlier; too few days: `None`."""
    half = len(spends) // 2
    if half < 7:
        return None
    before, after = sum(spends[:half]), sum(spends[-half:])
    grown = ratio(after, before)
    return None if grown is None else grown - 1


def _creatives(history: History, days: int) -> Fraction | None:
    subjects = history.of(About.CREATIVE)
    spent = [one for one in subjects if history.last(days, one).spend]
    return Fraction(len(spent)) if subjects else None


def _fired(row: Row, known: Measured) -> Fired:
    value = known[row.name]
    evidence = Evidence(row.name, _figure(value, row.unit), None, row.unit, SECTION)
    if value is None:
        return Fired(evidence)
    lower: Decimal | None = None
    for one in row.classes:
        if one.below is None or value < one.below:
            return Fired(evidence, lower, one.below, one.speaks_for)
        lower = one.below
    raise AssertionError  # the last class is open: `Row` says so


def _figure(value: Fraction | None, unit: RowUnit) -> Figure:
    """A figure as evidence tells it: money in micro-yuan, counts and days whole."""
    if value is None or unit == "share":
        return value
    return round(value * YUAN) if unit == "yuan" else round(value)


def _limit(value: Decimal | None, unit: RowUnit) -> Figure:
    return None if value is None else _figure(Fraction(value), unit)


def _outside(ranges: tuple[Range, ...], known: Measured) -> Iterator[Evidence]:
    for one in ranges:
        value = known[one.name]
        if value is None:
            continue
        for limit, broken in (
            (one.at_least, one.at_least is not None and value < one.at_least),
            (one.at_most, one.at_most is not None and value > one.at_most),
        ):
            if broken:
                yield Evidence(one.name, _figure(value, one.unit), _limit(limit, one.unit), one.unit, SECTION)


def _signs(signals: tuple[Signal, ...], known: Measured) -> Iterator[Sign]:
    for one in signals:
        value = known[one.name]
        holds = value is not None and (value < one.below if one.below is not None else value >= (one.at_least or 0))
        if holds:
            limit = one.below if one.below is not None else one.at_least
            evidence = Evidence(one.name, _figure(value, one.unit), _limit(limit, one.unit), one.unit, SECTION)
            yield Sign(evidence, one.speaks_for)


def _quick(rules: GoalRules, known: Measured) -> Choice | None:
    """What the quick rule says; `None` where one of its figures is not known."""
    below, above = rules.quick.payment_below, rules.quick.net_above
    values = {name: known[name] for name in below | above}
    told = {name: value for name, value in values.items() if value is not None}
    if len(told) < len(values):
        return None
    if all(told[name] < limit for name, limit in below.items()):
        return "payment"
    return "net" if all(told[name] > limit for name, limit in above.items()) else "both"


def _contradictions(rows: tuple[Fired, ...], choice: Choice | None, quick: Choice | None) -> Iterator[str]:
    """Where the sources disagree about this shop (SPEC 16)."""
    products = next((row for row in rows if row.evidence.name == "products"), None)
    if products is not None and products.speaks_for == "net" and products.below is not None:
        yield "few_products"
    if choice is not None and quick is not None and choice != quick:
        yield "quick_rule"
