"""What moved a multiplier from one look at it to the next: its logarithm's change, split so that the parts add up.

From the state of the first look one part after the other is replaced by that of the second, in the order of `Mover`,
and the multiplier is chosen anew each time. The bidder itself is only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

import numpy as np

from qianheng.bidding.aims import AIMS
from qianheng.bidding.bidder import Bidder
from qianheng.bidding.curves import GRID, LOG_GRID, Arrays, FloatArray


class Mover(StrEnum):
    """What a multiplier is chosen from, in the order in which it is replaced."""

    TERMS = "terms"  # target, budget, aim, pace, as changed since
    TIME = "time"  # the time that passed, spending and earning as was forecast
    MONEY = "money"  # money left, against that forecast
    SLACK = "slack"  # slack of the target, against that forecast
    LEVEL = "level"  # how good traffic is
    FORECAST = "forecast"  # prices and volume to come, learnt since


Moved = dict[Mover, FloatArray]


class Moves:
    """Looks at a bidder now and then. Its memory is one snapshot; a new day, or a plan that joined, starts anew."""

    def __init__(self) -> None:
        self._before: Arrays | None = None

    def look(self, bidder: Bidder) -> Moved | None:
        """What has moved each plan's multiplier [plans] since the last look, as parts of the change of its logarithm.

        Right after `observe`. NaN for a plan that did not bid at either look; `None` without a look before today.
        """
        before, self._before = self._before, bidder.snapshot()
        if before is None or len(before["bidder.budget"]) != len(bidder.budget):
            return None
        start, end = int(before["bidder.next_step"].max()), int(bidder.next_step.max())
        return _split(bidder, before, (start, end)) if start < end < bidder.clock.steps else None


def _split(bidder: Bidder, before: Arrays, steps: tuple[int, int]) -> Moved:
    student = Bidder(bidder.market, bidder.budget, bidder.settings)
    student.restore(before)
    logs = [_log(before["bidder.multiplier"])]
    for mover, replace in _replacements(bidder, student, steps):
        replace()
        logs.append(_log(student.chosen(steps[0] if mover is Mover.TERMS else steps[1])))
    logs.append(_log(bidder.multiplier))  # what is left: the forecast
    bid = (before["bidder.multiplier"] > 0) & (bidder.multiplier > 0)
    parts = np.where(bid, np.diff(np.array(logs), axis=0), np.nan)
    return dict(zip(Mover, parts, strict=True))


def _replacements(
    bidder: Bidder, student: Bidder, steps: tuple[int, int]
) -> Iterator[tuple[Mover, Callable[[], None]]]:
    """Each mover but the last, and what puts the student's part of it to the bidder's."""

    def money() -> None:
        student.worth = student.worth + bidder.spend - student.spend  # the slack stays
        student.spend = bidder.spend.copy()

    def slack() -> None:
        student.worth = bidder.worth.copy()

    yield Mover.TERMS, lambda: _take_terms(bidder, student, steps[0])
    yield Mover.TIME, lambda: _pass(student, steps)
    yield Mover.MONEY, money
    yield Mover.SLACK, slack
    yield Mover.LEVEL, lambda: student.landscape.levels.load(bidder.landscape.levels.arrays())


def _take_terms(bidder: Bidder, student: Bidder, step: int) -> None:
    """Tell the student what the bidder has been told of its plans since, and let it choose."""
    for plan in range(len(bidder.budget)):
        if bidder.retargeted[plan] != student.retargeted[plan]:
            student.retarget(plan, float(np.exp(student.retargeted[plan] - bidder.retargeted[plan])))
        if bidder.budget[plan] != student.budget[plan]:
            student.set_budget(plan, float(bidder.budget[plan]))
        student.set_aim(plan, AIMS[bidder.aim[plan]])
        student.set_haste(plan, float(bidder.haste[plan]))
    student.active = bidder.active.copy()
    nobody = np.zeros(0, np.int64)
    student.bid(step, nobody, nobody, np.zeros(0))


def _pass(student: Bidder, steps: tuple[int, int]) -> None:
    """Let time pass as was forecast: every plan spends and earns what its multiplier promised."""
    position = _log(student.chosen(steps[0]))
    for plan, place in enumerate(position.tolist()):
        curves = student.landscape.rest(plan, steps[0]) - student.landscape.rest(plan, steps[1])
        spend, worth = (float(np.interp(place, LOG_GRID, curve)) for curve in curves)
        left = max(float(student.budget[plan] - student.spend[plan]), 0.0)
        part = min(1.0, left / spend) if spend > 0 else 1.0
        student.spend[plan] += spend * part
        student.worth[plan] += worth * part


def _log(multiplier: FloatArray) -> FloatArray:
    """Logarithms; who would not bid is told as at the lowest of the grid."""
    return np.asarray(np.log(np.maximum(multiplier, GRID[0])))
