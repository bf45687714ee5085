"""What moved an ROI, GMV or profit between two periods: exact parts that add up to the change (SPEC 7.7, 3.5).

What is made of spend is a chain of quantities, spend → impressions → clicks → orders → GMV → what refunds leave →
contribution, and each link is a factor. The factors of a part share its change by their Shapley value, the mean over
all orders in which they might have changed one after another (Shapley 1953); so do the parts' values and their shares
of the spend (Owen 1977). All of it is rational: the effects add up to the change without a remainder, change their
signs when the periods change places, and do not depend on how parts are called. Decision 0023.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import cache
from math import factorial, sqrt
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from qianheng.core.errors import Refused
from qianheng.diagnosis.chance import jackknife, student_80
from qianheng.measures.reports import Figures

Key = TypeVar("Key", bound=Hashable)
Number: TypeAlias = Fraction | float  # exact for the effects, floats for how far they swing
Quantities: TypeAlias = tuple[Number, ...]  # of a part: its spend, and one for every stage
Period: TypeAlias = Mapping[date, Mapping[Key, Figures]]  # the figures of each day by part; parts do not overlap
Periods: TypeAlias = tuple[Period[Key], Period[Key]]


class Measure(StrEnum):
    """What can be taken apart."""

    PAYMENT_ROI = "payment_roi"
    NET_ROI = "net_roi"
    SETTLED_ROI = "settled_roi"
    GMV = "gmv"
    PROFIT = "profit"

    @property
    def is_ratio(self) -> bool:
        """Whether it is an ROI, not an amount of money."""
        return self not in (Measure.GMV, Measure.PROFIT)

    @property
    def own(self) -> int:
        """What of each yuan spent is taken off: profit is the contribution less the spend."""
        return int(self is Measure.PROFIT)


class Factor(StrEnum):
    """What a change can come from, in the order in which it is told."""

    TRAFFIC = "traffic"  # how much was bought of the same traffic; the ROI of more of the same is the same
    MIX = "mix"  # more of the spend on better or on worse parts
    PRICE = "price"  # impressions for a yuan, the inverse of cpm
    CLICK_RATE = "click_rate"
    CONVERSION = "conversion"  # promoted orders a click
    ORDER_VALUE = "order_value"
    ORGANIC = "organic"  # all GMV that counts over that of promoted orders
    REFUNDS = "refunds"
    MARGIN = "margin"  # contribution over what refunds left


class Stage(NamedTuple):
    """A quantity of the chain, the factor that leads to it, and those that cannot be told from that factor."""

    quantity: str
    factor: Factor
    merged: tuple[Factor, ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """What one factor did to the measure: a ratio, or micro-yuan.

    swing: four times of five the luck of single days moves it by no more than this; `None` where a period has fewer
    than two days. merged: factors that are in it because what would tell them apart is not known.
    """

    factor: Factor
    amount: Fraction
    swing: Fraction | None = None
    merged: tuple[Factor, ...] = ()

    @property
    def beyond_swing(self) -> bool | None:
        """Whether it is more than the luck of days; `None` if that is not known."""
        return None if self.swing is None else abs(self.amount) > self.swing


@dataclass(frozen=True, slots=True)
class Decomposition(Generic[Key]):
    """A measure before and after, and the effects that make the difference; `parts` tells them by part, and what the
    parts tell of a factor adds up to its effect.
    """

    measure: Measure
    before: Fraction
    after: Fraction
    effects: tuple[Effect, ...]
    parts: Mapping[Key, Mapping[Factor, Fraction]]

    @property
    def change(self) -> Fraction:
        """After less before: exactly the sum of the effects."""
        return self.after - self.before

    @property
    def strongest(self) -> tuple[Effect, ...]:
        """The effects that did something, the largest first."""
        return tuple(sorted((one for one in self.effects if one.amount), key=lambda one: -abs(one.amount)))


def decompose(measure: Measure, before: Period[Key], after: Period[Key]) -> Decomposition[Key]:
    """Take apart the change of a measure from one period to another.

    A quantity that is not known of every part and day is no stage: its factor is merged into the next one.
    Refused: nothing was spent in one of the periods, or what the measure is made of is not known.
    """
    periods = (before, after)
    stages = _stages(measure, [figures for period in periods for figures in _figures(period)])
    totals = [_totals(period, stages, Fraction) for period in periods]
    if not all(map(_spent, totals)):
        raise Refused("triage.nothing_spent")
    table = _table(measure, stages, totals[0], totals[1])
    sums, swings = _by_factor(table), _swings(measure, stages, periods)
    effects = tuple(
        Effect(factor, Fraction(sums.get(factor, 0)), None if swings is None else swings[factor], merged)
        for factor, merged in _told(measure, stages)
    )
    parts: dict[Key, dict[Factor, Fraction]] = {}
    for (key, factor), amount in table.items():
        parts.setdefault(key, {})[factor] = Fraction(amount)
    return Decomposition(measure, _value(measure, totals[0]), _value(measure, totals[1]), effects, parts)


def in_step(amounts: Sequence[Fraction], total: int) -> list[int]:
    """The amounts in whole units that add up to `total`, to which they are near: those cut off most are rounded up."""
    cut = [amount.__floor__() for amount in amounts]
    by_rest = sorted(range(len(cut)), key=lambda i: cut[i] - amounts[i])
    up = set(by_rest[: total - sum(cut)])
    return [whole + (i in up) for i, whole in enumerate(cut)]


def shapley(old: Sequence[Number], new: Sequence[Number]) -> list[Number]:
    """What each factor of a product did to its change, the mean over all orders of change: they add up exactly.

    In O(n³): the products in which just k of the other factors have changed are the coefficients of Π (old + new·x).
    """
    effects = []
    for i in range(len(old)):
        changed: list[Number] = [1]
        for low, high in (pair for j, pair in enumerate(zip(old, new, strict=True)) if j != i):
            changed = [a * low + b * high for a, b in zip([*changed, 0], [0, *changed], strict=True)]
        mean = sum(one * weight for one, weight in zip(changed, _weights(len(old)), strict=True))
        effects.append((new[i] - old[i]) * mean)
    return effects


@cache
def _weights(count: int) -> list[Fraction]:
    """In which share of all orders of `count` factors just k of the others come before one of them."""
    return [Fraction(factorial(k) * factorial(count - 1 - k), factorial(count)) for k in range(count)]


def _stages(measure: Measure, told: Sequence[Figures]) -> list[Stage]:
    """The chain as far as all figures know it."""
    stages: list[Stage] = []
    waiting: tuple[Factor, ...] = ()
    for factor, names in _chain(measure, told):
        name = next((name for name in names if _known(name, told)), None)
        if name is None:
            waiting += (factor,)
        else:
            stages.append(Stage(name, factor, waiting))
            waiting = ()
    if waiting or not _known("spend", told):
        raise Refused("triage.unknown_measure", missing=", ".join(waiting or ["spend"]), measure=measure)
    return stages


def _chain(measure: Measure, told: Sequence[Figures]) -> Iterator[tuple[Factor, tuple[str, ...]]]:
    """Each factor and what its quantity may be. Where it is not known what was promoted, orders are all orders."""
    yield Factor.PRICE, ("impressions",)
    yield Factor.CLICK_RATE, ("clicks",)
    if _known("promoted_orders", told) and _known("promoted_gmv", told):
        yield Factor.CONVERSION, ("promoted_orders",)
        yield Factor.ORDER_VALUE, ("promoted_gmv",)
        yield Factor.ORGANIC, ("gmv",)
    else:
        yield Factor.ORGANIC, ()
        yield Factor.CONVERSION, ("orders",)
        yield Factor.ORDER_VALUE, ("gmv",)
    if measure is Measure.NET_ROI:
        yield Factor.REFUNDS, ("net_gmv",)
    if measure is Measure.SETTLED_ROI:
        yield Factor.REFUNDS, ("settled_gmv_7d",)
    if measure is Measure.PROFIT:
        yield Factor.REFUNDS, ("settled_gmv_7d", "net_gmv")
        yield Factor.MARGIN, ("contribution",)


def _known(name: str, told: Sequence[Figures]) -> bool:
    return all(getattr(figures, name) is not None for figures in told)


def _figures(period: Period[Key]) -> Iterator[Figures]:
    return (figures for parts in period.values() for figures in parts.values())


def _told(measure: Measure, stages: Sequence[Stage]) -> Iterator[tuple[Factor, tuple[Factor, ...]]]:
    """The factors that can move the measure: more of the same traffic moves no ratio."""
    whole: tuple[Factor, ...] = (Factor.MIX,) if measure.is_ratio else (Factor.TRAFFIC, Factor.MIX)
    merged = {stage.factor: stage.merged for stage in stages} | dict.fromkeys(whole, ())
    return ((factor, merged[factor]) for factor in Factor if factor in merged)


def _totals(
    period: Period[Key], stages: Sequence[Stage], number: Callable[[int], Number], without: date | None = None
) -> dict[Key, Quantities]:
    """The quantities of each part over the days of a period."""
    names = ("spend", *(stage.quantity for stage in stages))
    sums: dict[Key, list[int]] = {}
    for day, parts in period.items():
        for key, figures in parts.items() if day != without else ():
            so_far = sums.get(key, [0] * len(names))
            sums[key] = [one + getattr(figures, name) for one, name in zip(so_far, names, strict=True)]
    return {key: tuple(map(number, quantities)) for key, quantities in sums.items()}


def _spent(totals: Mapping[Key, Quantities]) -> Number:
    return sum(quantities[0] for quantities in totals.values())


def _rate(totals: Mapping[Key, Quantities]) -> Number:
    """The value of each yuan spent."""
    return sum(quantities[-1] for quantities in totals.values()) / _spent(totals)


def _value(measure: Measure, totals: Mapping[Key, Quantities]) -> Fraction:
    rate = _rate(totals) - measure.own
    return Fraction(rate if measure.is_ratio else rate * _spent(totals))


def _table(
    measure: Measure, stages: Sequence[Stage], old: Mapping[Key, Quantities], new: Mapping[Key, Quantities]
) -> dict[tuple[Key, Factor], Number]:
    """Each part's effect by factor. An amount is spend · (value of a yuan − own): two factors that share its change."""
    spends = (_spent(old), _spent(new))
    usual = (_rate(old) + _rate(new)) / 2
    scale, more = (spends[0] + spends[1]) / 2, spends[1] - spends[0]
    none = (spends[0] * 0,) * (len(stages) + 1)
    table: dict[tuple[Key, Factor], Number] = {}
    for key in {**old, **new}:
        part = _Part(old.get(key, none), new.get(key, none), spends)
        for factor, effect in part.effects(stages, usual).items():
            table[key, factor] = effect if measure.is_ratio else effect * scale
        if not measure.is_ratio:
            table[key, Factor.TRAFFIC] = part.brought(measure.own) * more
    return table


class _Part(NamedTuple):
    """One part: its quantities before and after, and what all parts together spent then."""

    old: Quantities
    new: Quantities
    spends: tuple[Number, Number]

    def brought(self, own: int) -> Number:
        """What it brought, less `own` of its spend, for each yuan that all parts spent: the mean of both periods."""
        return sum((q[-1] - own * q[0]) / spend for q, spend in self._both()) / 2

    def effects(self, stages: Sequence[Stage], usual: Number) -> dict[Factor, Number]:
        """What it did to the value of a yuan of all parts; its share of the spend is held against the `usual` value.

        What comes without any spend comes by itself; without spend in one period there is no rate to compare.
        """
        shares = [q[0] / spend for q, spend in self._both()]
        if self.old[0] and self.new[0]:
            weight, rate = sum(shares) / 2, (self.old[-1] / self.old[0] + self.new[-1] / self.new[0]) / 2
            effects = {factor: effect * weight for factor, effect in _factors(self.old, self.new, stages).items()}
            return {**effects, Factor.MIX: (rate - usual) * (shares[1] - shares[0])}
        values = [q[-1] / spend for q, spend in self._both()]
        by_itself = (0 if self.new[0] else values[1]) - (0 if self.old[0] else values[0])
        mix = values[1] - values[0] - by_itself - usual * (shares[1] - shares[0])
        if any(stage.factor is Factor.ORGANIC for stage in stages):
            return {Factor.MIX: mix, Factor.ORGANIC: by_itself}
        return {Factor.MIX: mix + by_itself}

    def _both(self) -> tuple[tuple[Quantities, Number], tuple[Quantities, Number]]:
        return (self.old, self.spends[0]), (self.new, self.spends[1])


def _factors(old: Quantities, new: Quantities, stages: Sequence[Stage]) -> dict[Factor, Number]:
    """What each factor did to a part's value per yuan. A stage where nothing is left though something follows (orders
    without a click) is passed over for this part; where nothing is left to the end, the later factors did not change.
    """
    factors, before, after = [], [], []
    last = 0
    for i, stage in enumerate(stages, 1):
        if i < len(stages) and any(not q[i] and any(q[i:]) for q in (old, new)):
            continue
        rates = [q[i] / q[last] if q[last] else None for q in (old, new)]
        before.append(_first(rates))
        after.append(_first(reversed(rates)))
        factors.append(stage.factor)
        last = i
    return dict(zip(factors, shapley(before, after), strict=True))


def _first(rates: Iterable[Number | None]) -> Number:
    return next((rate for rate in rates if rate is not None), 1)


def _by_factor(table: Mapping[tuple[Key, Factor], Number]) -> dict[Factor, Number]:
    sums: dict[Factor, Number] = {}
    for (_, factor), amount in table.items():
        sums[factor] = sums.get(factor, 0) + amount
    return sums


def _swings(measure: Measure, stages: Sequence[Stage], periods: Periods[Key]) -> dict[Factor, Fraction] | None:
    """How far each effect swings with single days: a jackknife over the days of both periods (Tukey 1958)."""
    counts = [len(period) for period in periods]
    if min(counts) < 2:
        return None
    variances = dict.fromkeys(Factor, 0.0)
    for which in range(len(periods)):
        tables = [_without(measure, stages, periods, (which, day)) for day in periods[which]]
        if not all(tables):
            return None
        for factor in Factor:
            variances[factor] += jackknife([float(table.get(factor, 0)) for table in tables])
    reach = student_80(sum(counts) - 2)
    return {factor: Fraction(reach * sqrt(variance)) for factor, variance in variances.items()}


def _without(
    measure: Measure, stages: Sequence[Stage], periods: Periods[Key], left_out: tuple[int, date]
) -> dict[Factor, Number]:
    """The effects in floats without one day, the others standing in for it; nothing if the others spent nothing."""
    totals = []
    for which, period in enumerate(periods):
        without = left_out[1] if which == left_out[0] else None
        more = 1.0 if without is None else len(period) / (len(period) - 1)
        totals.append(_totals(period, stages, more.__mul__, without))
    return _by_factor(_table(measure, stages, totals[0], totals[1])) if all(map(_spent, totals)) else {}
