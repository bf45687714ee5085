"""The learning phase of a plan (SPEC 6.5): it explores until it has sold enough in a few days, or it is said why not.

While it learns, a plan may bid as if its target were lower, and, until it has been seen a stated number of times, as if
it were worth ever more: a prior that is too low would else win nothing and so never be corrected. What that spends
beyond its cautious worth at the true target is bounded by a share of one day's budget, looked at every step, and shown.
Phases change as a day closes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from qianheng.plans.learning import Rules
from qianheng.prediction.space import Float

Bool = npt.NDArray[np.bool_]


class Phase(StrEnum):
    """How far a plan's learning is."""

    LEARNING = "learning"
    LEARNED = "learned"
    FAILED = "learning_failed"


class Obstacle(StrEnum):
    """Why a plan has not sold enough to learn from, the first that holds."""

    OPPORTUNITIES = "too_few_opportunities"
    CLICKS = "clicks_without_orders"
    BUDGET = "budget_too_small"
    TARGET = "target_too_high"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a plan has come to in the days it learns from; money in micro-yuan."""

    orders: float  # that a promoted impression or click brought
    opportunities: float
    clicks: float
    spend: float
    budget: float


CHANCES_AN_ORDER = 200  # opportunities; fewer cannot bring enough orders at any bid
CLICKS_AN_ORDER = 100  # with more clicks than these the page does not sell
SPENT = 0.9  # of its budget: a plan that spends so much is held by it


def obstacle(counts: Counts, rules: Rules) -> Obstacle:
    """Why the orders were too few."""
    if counts.opportunities < CHANCES_AN_ORDER * rules.orders:
        return Obstacle.OPPORTUNITIES
    if counts.clicks >= CLICKS_AN_ORDER * rules.orders:
        return Obstacle.CLICKS
    return Obstacle.BUDGET if counts.spend >= SPENT * counts.budget else Obstacle.TARGET


@dataclass(frozen=True, slots=True)
class Lesson:
    """How far a plan's learning is as a day closes: what it sold in its last days, and what exploring has spent."""

    phase: Phase
    orders: int
    explored: int  # beyond worth at the true target, micro-yuan
    obstacle: Obstacle | None


BOLDEST = 8.0  # worth is never raised further to be seen at all
HOURS = 10  # in which a plan is to be seen as often as its rules state; slower, it grows bolder
_COLUMNS = 5  # those of `Counts`
_PHASES = tuple(Phase)


class Learning:
    """The phases of all plans, by row."""

    def __init__(self, plans: int, rules: Rules) -> None:
        self.rules = rules
        self.phase, self.age = np.zeros(plans, np.int64), np.zeros(plans, np.int64)
        self.explored = np.zeros(plans)  # on the days before today, micro-yuan
        self.recent = np.zeros((plans, rules.days, _COLUMNS))  # the last days, the latest at the end
        self.seen, self.lately = np.zeros(plans), np.zeros(plans)  # its impressions: all, and of this hour
        self.courage = np.ones(plans)

    def join(self, like: int | None) -> None:
        """A plan more, behind the others: new to everything, or as far as the plan of a row is."""
        fresh = Learning(1, self.rules)
        for name in _STATE:
            held = getattr(self, name)
            more = getattr(fresh, name) if like is None else held[like : like + 1]
            setattr(self, name, np.concatenate([held, more]))

    def note(self, seen: Float) -> None:
        """Impressions [plans] that were seen in a step."""
        self.seen += seen
        self.lately += seen

    def dare(self, serving: Bool) -> None:
        """An hour is over: those that served and have hardly been seen dare twice as much in the next."""
        unseen = serving & (self.seen < self.rules.impressions)
        slow = unseen & (self.lately < self.rules.impressions / HOURS)
        self.courage = np.where(unseen, self.courage * np.where(slow, 2.0, 1.0), 1.0).clip(1.0, BOLDEST)
        self.lately = np.zeros_like(self.lately)

    def allowed(self, budget: Float) -> Float:
        """[plans] what today's spend may be beyond worth at the true target, of a day's `budget`, micro-yuan."""
        learning = self.phase == _PHASES.index(Phase.LEARNING)
        return np.where(learning, np.maximum(self.rules.budget_share * budget - self.explored, 0.0), 0.0)

    def boldness(self, beyond: Float, allowed: Float) -> Float:
        """[plans] the factor on worth by which plans explore, of what is spent beyond worth today and what may be."""
        return np.where((allowed > 0) & (beyond < allowed), self.courage / self.rules.target_share, 1.0)

    def close_day(self, counts: Float, beyond: Float) -> list[Lesson]:
        """A day more: its counts [plans, 5] in the order of `Counts`, and what it spent beyond worth, micro-yuan."""
        self.recent = np.concatenate([self.recent[:, 1:], counts[:, None]], axis=1)
        learning = self.phase == _PHASES.index(Phase.LEARNING)
        self.explored += np.where(learning, np.maximum(beyond, 0.0), 0.0)
        self.age += counts[:, 1] > 0  # days on which it served
        enough = self.recent[:, :, 0].sum(axis=1) >= self.rules.orders
        over = learning & (self.age >= self.rules.days)
        self.phase = np.where(over, _PHASES.index(Phase.FAILED), self.phase)
        self.phase = np.where(enough, _PHASES.index(Phase.LEARNED), self.phase)
        return [self._lesson(row) for row in range(len(self.phase))]

    def _lesson(self, row: int) -> Lesson:
        counts, phase = Counts(*self.recent[row].sum(axis=0).tolist()), _PHASES[self.phase[row]]
        why = obstacle(counts, self.rules) if phase is Phase.FAILED else None
        return Lesson(phase, int(counts.orders), round(self.explored[row]), why)

    def snapshot(self) -> dict[str, npt.NDArray[Any]]:
        """Everything known, to go on from."""
        return {name: getattr(self, name).copy() for name in _STATE}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go on from a snapshot."""
        for name in _STATE:
            setattr(self, name, state[name].copy())


_STATE = ("phase", "age", "explored", "recent", "seen", "lately", "courage")
