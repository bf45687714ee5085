"""What a plan bids for: worth within its target, worth within its budget alone, or what is left after paying for it."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from qianheng.bidding.curves import SPEND, WORTH, FloatArray, IntArray

OVER_TARGET = 12.0  # worth given up for each unit of money over the target at the end of the day


class Aim(StrEnum):
    """What is to be as much as can be (SPEC 6.1); the budget binds every plan."""

    TARGET = "target"  # Σ worth, with Σ spend ≤ Σ worth
    DELIVERY = "delivery"  # Σ worth
    PROFIT = "profit"  # Σ worth − Σ spend


AIMS = tuple(Aim)
_OVER = np.array([OVER_TARGET, 0.0, 0.0], dtype=np.float32)
_SPENT = np.array([0.0, 0.0, 1.0], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Stakes:
    """What a unit of money costs a plan [plans], in worth: when spent, and when it ends the day over the target."""

    spent: NDArray[np.float32]
    over: NDArray[np.float32]


def stakes(aim: IntArray) -> Stakes:
    """The stakes of plans by the place of their aim in `AIMS` [plans]."""
    return Stakes(_SPENT[aim], _OVER[aim])


def highest(aim: IntArray, limit: float) -> FloatArray:
    """The highest multipliers [plans] that can be right: who aims at profit never bids above worth."""
    return np.where(_SPENT[aim] > 0, min(limit, 1.0), limit)


def most(aim: Aim, pair: FloatArray) -> float:
    """What a plan would spend of an unlimited budget, for the `pair` [2, points] that multipliers bring."""
    spend, worth = pair[SPEND], pair[WORTH]
    if aim is Aim.PROFIT:
        return float(spend[(worth - spend).argmax()])
    return float(spend[(worth >= spend) | (aim is Aim.DELIVERY)].max(initial=0.0))
