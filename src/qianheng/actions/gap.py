"""The gap to the hindsight optimum, split by cause: from the best that could be had down to what was reached, one
piece of knowledge or skill is taken away at a time, on the day's recorded auctions. The steps telescope, so the causes
add up to the gap exactly. A piece below zero is a gain: worth that was bought beyond the target, or luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from qianheng.actions.scoring import Score
from qianheng.auction.hindsight import Limits, Pages, believing
from qianheng.delivery.engine import Engine
from qianheng.delivery.tick import Tick
from qianheng.facts.opportunities import Float32, Float64, Int64
from qianheng.plans.plan import Goal

PROFIT_LIMIT = 1.0  # the multiplier beyond which nothing adds to profit


class Cause(StrEnum):
    """Why a day stayed below its optimum; in this order one more thing is as it really was."""

    PREDICTION = "prediction"  # auctions and products ranked by predicted worth, not by the true one
    CALIBRATION = "calibration"  # the one multiplier chosen by the level of what is predicted
    EXPLORATION = "exploration"  # products drawn in order to learn, not the likeliest
    CONTROL = "control"  # each step's bids, forecast and shaded as they were, instead of the day's best multiplier
    MONEY = "money"  # bids capped by what is left, stopped where a win could not be paid
    LUCK = "luck"  # who happened to look at what was won


Gap = dict[Cause, float]


@dataclass(slots=True)
class _Day:
    """One plan's auctions of a day: columns to be searched, and the worth of what needs no search."""

    columns: dict[str, list[Float32]] = field(default_factory=dict)
    sums: Float64 = field(default_factory=lambda: np.zeros(2))  # by bids, by wins: true worth (or profit)
    profit: bool = False

    def add(self, **columns: Float32 | Float64) -> None:
        for name, values in columns.items():
            self.columns.setdefault(name, []).append(values.astype(np.float32, copy=False))

    def __getitem__(self, name: str) -> Float32:
        return np.concatenate(self.columns[name])


@dataclass(frozen=True, slots=True)
class _Seen:
    """The auctions of a tick as one plan met them."""

    truth: Float64  # [n] true worth of what it offered
    pages: Pages
    profit: bool

    def worth(self, row: Int64, place: Int64) -> float:
        """The true worth of these places (0 = first), less what they cost where profit is the goal."""
        chance = self.pages.seen[row, place].astype(float)
        value = float(chance @ self.truth[row])
        return value - float(chance @ self.pages.price[row, place]) if self.profit else value


class GapDay:
    """Collects a day's auctions; memory of one day, cleared by `close`."""

    def __init__(self, seen: Float64) -> None:
        """`seen`: [placements, slots] chance that a place is seen."""
        self.seen = seen.astype(np.float32)
        self._days: dict[int, _Day] = {}

    def enter(self, engine: Engine, tick: Tick, worths: Sequence[Float64]) -> None:
        """A tick's auctions, before anybody has seen anything.

        worths: the true worth of showing each of a serving plan's members, [n, its members], one array a plan.
        """
        for column, true in zip(tick.serving.tolist(), worths, strict=True):
            plan = engine.plans[column]
            day = self._days.setdefault(plan.id, _Day())
            day.profit = plan.goal is Goal.PROFIT
            self._enter(day, engine, tick, column, true)

    def _enter(self, day: _Day, engine: Engine, tick: Tick, column: int, true: Float64) -> None:
        batch = tick.batch
        rows = np.arange(len(batch))
        likely, believed = engine.offers.likeliest(batch, column)
        believed = believed * engine.openings.placements[column, batch.placement] * tick.may(column)
        pages = Pages(tick.cleared.cost[:, column], self.seen[batch.placement])
        truth = true[rows, engine.offers.drawn(batch, column)]
        day.add(price=pages.price, seen=pages.seen, drawn_true=truth, drawn=tick.worth[:, column])
        day.add(likely_true=true[rows, likely], likely=believed)
        met = _Seen(truth, pages, day.profit)
        wins = tick.asked.bid[:, [column]] >= tick.cleared.rival_price[:, column]
        wins &= (pages.seen > 0) & (tick.asked.bid[:, [column]] > 0)
        mine = (tick.column == column) & (tick.boost == 0)  # as the score counts: boosts have books of their own
        place = wins.argmax(axis=1)
        won = np.flatnonzero(wins[rows, place])
        day.sums += (
            met.worth(won, place[won]),
            met.worth(tick.decisions.row[mine], tick.decisions.slot[mine].astype(np.int64) - 1),
        )

    def close(
        self, scores: Mapping[int, Score], budgets: Mapping[int, int], unpromoted: Mapping[int, float]
    ) -> dict[int, Gap]:
        """The gap of each plan that served that day, by its id, micro-yuan of worth (of profit under that goal).

        budgets and unpromoted: as the scores were made with.
        """
        gaps = {}
        for plan_id, day in self._days.items():
            limits = Limits(float(budgets[plan_id]), unpromoted.get(plan_id, 0.0))
            if day.profit:
                limits = replace(limits, granted=float("inf"), multiplier=PROFIT_LIMIT)
            steps = [scores[plan_id].best, *_searched(day, limits), *day.sums.tolist(), scores[plan_id].worth]
            gaps[plan_id] = {cause: steps[i] - steps[i + 1] for i, cause in enumerate(Cause)}
        self._days.clear()
        return gaps


def _searched(day: _Day, limits: Limits) -> list[float]:
    """What the best fixed multiplier truly brings: ranking by prediction, trusting its level, showing the drawn."""
    pages = Pages(day["price"], day["seen"])
    likely, drawn = (day["likely"], day["likely_true"]), (day["drawn"], day["drawn_true"])
    skilled = replace(limits, trusting=False)
    found = [
        believing(*likely, pages, skilled),
        believing(*likely, pages, limits),
        believing(*drawn, pages, limits),
    ]
    return [one.value - one.spend if day.profit else one.value for one in found]
