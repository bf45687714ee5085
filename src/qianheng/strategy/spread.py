"""How far past days missed what was expected of them: measured, and shrunk to what is usual as long as days are few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from qianheng.strategy.landscape import Floats, Market, Response, Spread, Swing

SHIPPED = Path(__file__).with_name("whatif.toml")
WEEK = 7
FURTHEST = 0.8  # a day that misses by more says no more than this
BOUND = 0.97  # a day that spent so much of its budget was ended by it


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of spreads, and how many days of a plan's own it is worth (`days`); see `Spread`.

    `memory_days` is how fast older days fade; `reach_bias` the standing miss of reach, `reach_doubt` and `value_doubt`
    how far plans differ in theirs; `slope` and `slope_doubt` the elasticity of GMV to spend where only reports tell.
    """

    days: float
    memory_days: float
    reach_bias: float
    reach_doubt: float
    value_doubt: float
    reach: float
    value: float
    drift: float
    carry: float
    carry_days: float
    tilt: float
    refunds: float
    order_spread: float
    shortfall: float
    slope: float
    slope_doubt: float


class Day(NamedTuple):
    """What a day came to through promotion: spend and GMV in micro-yuan, and orders, `None` if not known."""

    spend: float
    gmv: float
    orders: float | None = None


@dataclass(frozen=True, slots=True)
class Miss:
    """A day beside what was expected of it: what its bids spent over what they were to spend (`None` where its budget
    hid that), what its spend brought over what it was to bring (`None` where nothing was to come), the GMV that was
    expected for it, and the share of its budget that was left over though the budget ended it.
    """

    lived: Day
    reach: float | None
    value: float | None
    expected: float
    left: float | None

    @classmethod
    def of(cls, market: Market, setting: tuple[float | None, float | None], lived: Day) -> Self:
        """Of a day that was set to a target and a budget."""
        (target, budget), spend = setting, lived.spend
        unbound = float(market.unbound(target))
        ended = budget is not None and spend >= BOUND * budget
        hidden = min(unbound, spend) <= 0 or (ended and unbound >= spend)
        reach = None if hidden else spend / unbound
        expected = (reach or 1.0) * market.response.gmv_of(spend / (reach or 1.0))
        left = 1 - spend / budget if ended and budget else None
        return cls(lived, reach, lived.gmv / expected if expected > 0 else None, expected, left)


class Evening(NamedTuple):
    """What was expected one evening of the plan as it is set now: what it spends if no budget ends it, and what its
    usual spend brings."""

    unbound: float
    value: float

    @classmethod
    def of(cls, market: Market, target: float | None, spend: float) -> Self:
        """Of a market as it was known then."""
        return cls(float(market.unbound(target)), market.response.gmv_of(spend))


def spread_of(missed: Sequence[Miss], evenings: Sequence[Evening], response: Response, usually: Usual) -> Spread:
    """The spread of a plan whose last days (oldest first, one after the other) missed so, and of which so much was
    expected on the evenings before."""
    fading = np.exp(-np.arange(len(missed))[::-1] / usually.memory_days)
    orders = _order_spread(missed, response, usually)
    wide = response.order_value * (1 + orders**2)
    reach = _known([None if one.reach is None else float(np.log(one.reach)) for one in missed])
    value = _known([None if one.value is None else one.value - 1 for one in missed])
    chance = np.array([wide / max(one.expected, wide) for one in missed])
    usual_reach = Swing(usually.reach_bias, usually.reach_doubt, usually.reach)
    on_value = _estimate(_Series(value, chance, fading), Swing(0.0, usually.value_doubt, usually.value), usually)
    on_reach = _estimate(_Series(reach, 0 * chance, fading), usual_reach, usually)
    wandered = _drift([one.unbound for one in evenings], usually), _drift([one.value for one in evenings], usually)
    return Spread(
        replace(on_reach, drift=wandered[0]),
        replace(on_value, bias=float(np.log1p(max(on_value.bias, -0.9))), drift=wandered[1]),
        _carry([reach, value], usually),
        usually.tilt,
        usually.refunds,
        orders,
        _shortfall(missed, usually),
        len(missed),
        float(np.average([one.reach is None for one in missed], weights=fading)) if missed else 0.0,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """Misses [days] (NaN where a day tells nothing), the part of their variance that is chance, and their weights."""

    miss: Floats
    chance: Floats
    weight: Floats


def _known(found: Sequence[float | None]) -> Floats:
    """Misses with what cannot have been meant cut off."""
    return np.array([np.nan if one is None else np.clip(one, -FURTHEST, FURTHEST) for one in found], float)


def _estimate(series: _Series, usual: Swing, usually: Usual) -> Swing:
    """Bias by weights of what each day can tell, shrunk to the usual one; deviation likewise."""
    known = np.isfinite(series.miss)
    miss, chance, fading = series.miss[known], series.chance[known], series.weight[known]
    weight = fading * (1 - usually.carry) / (1 + usually.carry) / (usual.deviation**2 + chance)
    total = weight.sum() + 1 / usual.doubt**2
    bias = float(((weight * miss).sum() + usual.bias / usual.doubt**2) / total)
    beyond = (fading * np.maximum((miss - bias) ** 2 - chance, -chance)).sum()
    variance = (usually.days * usual.deviation**2 + beyond) / (usually.days + fading.sum())
    return Swing(bias, float(1 / np.sqrt(total)), float(np.sqrt(max(variance, usual.deviation**2 / 4))))


def _drift(expected: Sequence[float], usually: Usual) -> float:
    """How far an expectation wanders a day, by how far it wandered in a week, or in the days there are."""
    known = np.log([one for one in expected if one > 0])
    apart = min(WEEK, len(known) - 1)
    if apart < 1:
        return usually.drift
    moved = np.clip(known[apart:] - known[:-apart], -FURTHEST, FURTHEST) ** 2 / apart
    return float(np.sqrt((usually.days * usually.drift**2 + moved.sum()) / (usually.days + len(moved))))


def _order_spread(missed: Sequence[Miss], response: Response, usually: Usual) -> float:
    """How far orders differ in value, by how far the mean order of a day does."""
    days = [one.lived for one in missed if one.lived.orders]
    off = [(day.gmv / (day.orders * response.order_value) - 1) ** 2 * day.orders for day in days if day.orders]
    variance = (usually.days * usually.order_spread**2 + sum(off)) / (usually.days + len(off))
    return float(np.sqrt(variance))


def _carry(series: Sequence[Floats], usually: Usual) -> float:
    """How much of a miss lasts into the next day, shrunk to what is usual."""
    together = days = 0.0
    for miss in series:
        centred = miss - (np.nanmean(miss) if np.isfinite(miss).any() else 0.0)
        both = np.isfinite(centred[:-1]) & np.isfinite(centred[1:])
        before, after = centred[:-1][both], centred[1:][both]
        scale = float(np.nanmean(centred**2)) if both.any() else 1.0
        together, days = together + float((before * after).sum()) / max(scale, 1e-9), days + both.sum()
    return float(np.clip((usually.carry_days * usually.carry + together) / (usually.carry_days + days), 0.0, 0.9))


def _shortfall(missed: Sequence[Miss], usually: Usual) -> float:
    """What share of a budget is left over on days that it ends."""
    left = [max(one.left, 0.0) for one in missed if one.left is not None]
    return (usually.days * usually.shortfall + sum(left)) / (usually.days + len(left))
