"""How far past days missed what was expected of them: measured, and shrunk to what is usual as long as days are few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from qianheng.strategy.landscape import Floats, Market, Response, Spread, Swing

SHIPPED = Path(__file__).with_name("whatif.toml")
BOUND = 0.97  # a day that spent so much of its budget was ended by it


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of spreads, and how many days of a plan's own it is worth (`days`); see `Spread`.

    `bias` is the standing miss that is usual, `memory_days` how fast older days fade, `slope` and `slope_doubt` the
    elasticity of GMV to spend where only reports are known.
    """

    days: float
    memory_days: float
    bias: float
    reach: float
    value: float
    carry: float
    carry_days: float
    tilt: float
    refunds: float
    order_spread: float
    shortfall: float
    slope: float
    slope_doubt: float


@dataclass(frozen=True, slots=True)
class Miss:
    """A day beside what was expected of it: what its bids spent over what they were to spend (`None` where its budget
    hid that), what its spend brought over what it was to bring (`None` where nothing was to come), the GMV that was
    expected for it, and the share of its budget that was left over though the budget ended it.
    """

    reach: float | None
    value: float | None
    expected: float
    left: float | None

    @classmethod
    def of(cls, market: Market, setting: tuple[float | None, float | None], lived: tuple[float, float]) -> Self:
        """Of a day that was set to a target and a budget, spent so much, and sold so much through promotion."""
        (target, budget), (spend, gmv) = setting, lived
        unbound = float(market.unbound(target))
        ended = budget is not None and spend >= BOUND * budget
        hidden = min(unbound, spend) <= 0 or (ended and unbound >= spend)
        reach = None if hidden else spend / unbound
        expected = (reach or 1.0) * market.response.gmv_of(spend / (reach or 1.0))
        left = 1 - spend / budget if ended and budget else None
        return cls(reach, gmv / expected if expected > 0 else None, expected, left)


def spread_of(missed: Sequence[Miss], response: Response, usually: Usual) -> Spread:
    """The spread of a plan whose last days (oldest first, one after the other) missed so."""
    fading = np.exp(-np.arange(len(missed))[::-1] / usually.memory_days)
    wide = response.order_value * (1 + usually.order_spread**2)
    reach = _known([None if one.reach is None else float(np.log(one.reach)) for one in missed])
    value = _known([None if one.value is None else one.value - 1 for one in missed])
    chance = np.array([wide / max(one.expected, wide) for one in missed])
    on_reach = _estimate(_Series(reach, 0 * chance, fading), usually.reach, usually)
    on_value = _estimate(_Series(value, chance, fading), usually.value, usually)
    return Spread(
        on_reach,
        replace(on_value, bias=float(np.log1p(max(on_value.bias, -0.9)))),
        _carry([reach, value], usually),
        usually.tilt,
        usually.refunds,
        usually.order_spread,
        _shortfall(missed, usually),
        len(missed),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """Misses [days] (NaN where a day tells nothing), the part of their variance that is chance, and their weights."""

    miss: Floats
    chance: Floats
    weight: Floats


def _known(found: Sequence[float | None]) -> Floats:
    """Misses with what cannot have been meant cut off."""
    return np.array([np.nan if one is None else np.clip(one, -2.0, 2.0) for one in found], float)


def _estimate(series: _Series, deviation: float, usually: Usual) -> Swing:
    """Bias by weights of what each day can tell, shrunk to none; deviation shrunk to the usual one."""
    known = np.isfinite(series.miss)
    miss, chance, fading = series.miss[known], series.chance[known], series.weight[known]
    lasting = (1 - usually.carry) / (1 + usually.carry)  # of a day that resembles the one before
    weight = lasting * fading / (deviation**2 + chance)
    total = weight.sum() + 1 / usually.bias**2
    bias = float((weight * miss).sum() / total)
    beyond = (fading * np.maximum((miss - bias) ** 2 - chance, -chance)).sum()
    variance = (usually.days * deviation**2 + beyond) / (usually.days + fading.sum())
    return Swing(bias, float(1 / np.sqrt(total)), float(np.sqrt(max(variance, deviation**2 / 4))))


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
