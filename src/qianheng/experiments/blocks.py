"""Switchbacks: tests that divide time instead of users, because users of both arms share what they compete for.

All of a plan runs under A or under B, block of time by block of time. Blocks are few, so intervals are Student's, for
one look at the end. (Plans side by side, day by day, are compared by `diagnosis.paired`.)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from qianheng.core.errors import BadInput
from qianheng.core.interval import Interval, exact
from qianheng.experiments.estimates import Float64

Int64: TypeAlias = npt.NDArray[np.int64]
LEAST = 3  # degrees of freedom


@dataclass(frozen=True, slots=True)
class Cells:
    """Short spans of time [cells], say hours, in any order.

    above, below: the sums of the measure; block: which block it lies in; arm: 0 or 1, one for a block; slot: the hour
    of the day (or whatever else recurs) at which the block begins; age: spans of the block before it.
    """

    above: Float64
    below: Float64
    block: Int64
    arm: Int64
    slot: Int64
    age: Int64

    def __post_init__(self) -> None:
        told = set(zip(self.block.tolist(), self.arm.tolist(), self.slot.tolist(), strict=True))
        if len(told) != len({block for block, *_ in told}) or not {arm for _, arm, _ in told} <= {0, 1}:
            raise BadInput("experiments.blocks")


@dataclass(frozen=True, slots=True)
class Switched:
    """What a switchback has shown.

    relative: B / A − 1; error: its standard error; blocks: of A and B; p_drawn: the share of other draws of blocks to
    arms (within each slot) that differ as much, were A and B the same: it assumes nothing about the days.
    """

    relative: Interval
    error: float
    blocks: tuple[int, int]
    p_drawn: float


@dataclass(frozen=True, slots=True)
class _Scores:
    """What each block has more above the line than is usual for what it has below, in units of the usual ratio, and
    what slots explain of arm and score taken out [blocks].
    """

    arm: Int64
    slot: Int64
    score: Float64
    freedom: int

    def shift(self, arm: Float64) -> Float64:
        """How much more B has than A, for one draw of arms [blocks] or many [..., blocks]."""
        apart = arm - _by_slot(arm, self.slot)
        return np.asarray((apart @ self.score) / (apart**2).sum(-1))


def switchback(cells: Cells, wash: int, draws: Float64, alpha: float = 0.05) -> Switched | None:
    """Compare the blocks of B with those of A; `None` of too few blocks, or nothing below the line.

    wash: so many first spans of a block are left out, for what was set before still acts in them. draws: numbers in
    [0, 1) [draws, blocks or more], by which blocks are drawn to arms again. The ratio is linearised; slots (hours of
    the day) are taken out by regression, and the errors of blocks may differ (HC2; MacKinnon and White 1985).
    """
    scores = _scores(cells, cells.age >= wash)
    if scores is None:
        return None
    shift = float(scores.shift(scores.arm.astype(float)))
    apart = scores.arm - _by_slot(scores.arm.astype(float), scores.slot)
    left = scores.score - shift * apart
    each = 1 - 1 / _counts(scores.slot) - apart**2 / (apart**2).sum()
    error = float(np.sqrt((apart**2 * left**2 / np.maximum(each, 1e-9)).sum()) / (apart**2).sum())
    lower = 1 - shift * float(scores.arm.mean())  # A's value, in units of the usual ratio
    if lower <= 0:
        return None
    relative, off = shift / lower, error / lower**2
    reach = float(student.isf(alpha / 2, scores.freedom)) * off
    drawn = np.abs(scores.shift(_drawn(scores, draws)))
    as_much = float((1 + (drawn >= abs(shift) * (1 - 1e-12)).sum()) / (1 + len(draws)))
    count = int(scores.arm.sum())
    interval = Interval(exact(relative - reach), exact(relative), exact(relative + reach))
    return Switched(interval, off, (len(scores.arm) - count, count), as_much)


def smallest_switched(past: Switched, planned: int, slots: int, alpha: float, power: float) -> float | None:
    """The smallest relative effect that `planned` blocks, half of each arm, see, dealt out within so many slots: from a
    trial of other blocks of the same length and wash, say the shop's own past cut into blocks; `None` of too few.
    """
    freedom = planned - slots - 1
    if freedom < LEAST:
        return None
    a, b = past.blocks
    deviations = float(student.isf(alpha / 2, freedom) + student.isf(1 - power, freedom))
    off = past.error * sqrt(4 / planned / (1 / a + 1 / b)) * deviations
    return off / (1 - off) if off < 1 else None


def _scores(cells: Cells, kept: npt.NDArray[np.bool_]) -> _Scores | None:
    blocks, first, of = np.unique(cells.block[kept], return_index=True, return_inverse=True)
    above, below = (np.bincount(of, column[kept], len(blocks)) for column in (cells.above, cells.below))
    arm, slot = cells.arm[kept][first], np.unique(cells.slot[kept][first], return_inverse=True)[1]
    freedom = len(blocks) - len(np.unique(slot)) - 1
    if freedom < LEAST or below.sum() <= 0 or above.sum() <= 0 or not np.any(arm - _by_slot(arm.astype(float), slot)):
        return None
    score = above / above.mean() - below / below.mean()
    return _Scores(arm, slot, score - _by_slot(score, slot), freedom)


def _drawn(scores: _Scores, draws: Float64) -> Float64:
    """Arms dealt out again within each slot, as many of each as there were [draws, blocks]."""
    dealt = np.empty((len(draws), len(scores.arm)))
    for slot in np.unique(scores.slot):
        here = np.flatnonzero(scores.slot == slot)
        dealt[:, here] = scores.arm[here][np.argsort(draws[:, here], axis=1)]
    return dealt


def _by_slot(values: Float64, slot: Int64) -> Float64:
    """The mean of each one's slot, [..., blocks]."""
    of = (slot[:, None] == np.arange(slot.max() + 1)).astype(float)
    return np.asarray((values @ (of / of.sum(0))) @ of.T)


def _counts(slot: Int64) -> Float64:
    return np.bincount(slot)[slot].astype(float)
