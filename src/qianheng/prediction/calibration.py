"""Calibration: predicted GMV against what really came of it, by plan, product and placement, as cohorts mature.

factor = all · plan · item · placement, each of them (observed + k) / (expected by the others + k). A cohort, what was
shown in an hour, expects only the share of its orders that is known by its age (prediction.delay), and an order counts
in the cohort of the showing that brought it: an immature ROI never steers. k is the GMV of some orders and keeps what
is little known at its parent's level: a plan at all plans', a product or placement at its plan's (gamma-Poisson).

An order weighs by its amount, so that few large baskets convince less than many small ones: n orders of amounts a are
worth (Σa)² / Σa² equal ones, which gives the standard error (compound Poisson). Until the error is small, a margin of z
such errors is taken off what is bid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from qianheng.core.days import DAY, HOUR
from qianheng.core.errors import BadInput
from qianheng.core.money import YUAN
from qianheng.prediction.delay import DelayCurve
from qianheng.prediction.predictor import CONVERSION_WINDOW
from qianheng.prediction.recent import Recent
from qianheng.prediction.space import Float, Int

FADE = 0.85  # a day: the predictor learns meanwhile
CHANGED = 3.0  # a cohort now predicted half as high counts an eighth
BOUNDS = (0.4, 2.0)
FIRMNESS = {"all": 10.0, "plan": 20.0, "item": 40.0, "placement": 40.0}  # orders
AMPLE = 0.05  # a standard error that needs no margin: that of some 400 equal orders
MARGIN_MOST = 0.40
LATE_DOUBT = 0.5  # of the orders that come later than any could be seen yet, the relative standard error
_SWEEPS = 3
_FADES = np.array([FADE, FADE, FADE**2])  # of sums and of sums of squares
_WINDOW_DAYS = CONVERSION_WINDOW / DAY
_SUMS = ("predicted", "observed", "squared")


@dataclass(frozen=True, slots=True)
class Trust:
    """How far predictions are to be trusted.

    bias: a factor on every predicted GMV, there to see what being wrong does; confidence: the one-sided probability
    with which a plan's matured value is to reach what it is bid for; at one half there is no margin.
    """

    bias: float
    confidence: float

    def __post_init__(self) -> None:
        if not 0.01 <= self.bias <= 100:
            raise BadInput("prediction.bias", value=self.bias)
        if not 0.5 <= self.confidence <= 0.999:
            raise BadInput("prediction.confidence", value=self.confidence)

    def margin(self, error: Float) -> Float:
        """The share to take off at these relative standard errors: none once they are small, never more than most."""
        z = NormalDist().inv_cdf(self.confidence)
        return np.asarray(np.clip(z * (error - AMPLE), 0.0, MARGIN_MOST), float)


@dataclass(frozen=True, slots=True)
class Correction:
    """How a plan's predictions are corrected: the factor, its relative standard error, and the margin taken off."""

    factor: float
    error: float
    margin: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What predictions are to be multiplied by."""

    plan: Float  # [plans]
    item: Float  # [items]
    placement: Float  # [placements]
    error: Float  # [plans] relative standard error of the plan's factor
    margin: Float  # [plans] the share taken off for it

    def insert(self, row: int) -> Calibrated:
        """The same with a plan more, before the given row, of which nothing is known yet."""
        fresh = {"plan": 1.0, "error": 0.0, "margin": 0.0}
        return replace(self, **{name: np.insert(getattr(self, name), row, value) for name, value in fresh.items()})

    @property
    def level(self) -> Float:
        """[plans] the factor of each plan as a whole, its margin taken off."""
        return np.asarray(self.plan * (1.0 - self.margin), float)

    def correction(self, plan: int) -> Correction:
        """The correction of one plan as a whole."""
        return Correction(*(float(values[plan]) for values in (self.plan, self.error, self.margin)))

    def factor(self, plan: int, items: Int) -> Float:
        """[its items, placements] the factor of a plan's predictions, its margin taken off."""
        return np.asarray(self.level[plan] * np.multiply.outer(self.item[items], self.placement), float)


@dataclass(frozen=True, slots=True)
class Calibrating:
    """What calibration tells apart: how many plans, items and placements."""

    plans: int
    items: int  # those on pages, then as many in rooms
    placements: int

    def cell(self, plan: Int, item: Int, placement: npt.ArrayLike) -> Int:
        """The cell of each row: [n] → [n]."""
        return (plan * self.items + item) * self.placements + np.asarray(placement, np.int64)

    def plan(self, cell: Int) -> Int:
        """The plan of each cell."""
        return cell // (self.items * self.placements)

    def moved(self, cell: Int, plan: int) -> Int:
        """Each cell as that of another plan."""
        return self.cell(np.full_like(cell, plan), self.item(cell), cell % self.placements)

    def item(self, cell: Int) -> Int:
        """The item of each cell."""
        return cell // self.placements % self.items

    def live(self, cell: Int) -> Int:
        """1 for each cell of a room, 0 for one of a page."""
        return (2 * self.item(cell) >= self.items).astype(np.int64)

    def axes(self, cell: Int) -> dict[str, tuple[Int, int]]:
        """Along which each cell is calibrated: its place there, and how many places there are."""
        return {
            "all": (np.zeros_like(cell), 1),
            "plan": (self.plan(cell), self.plans),
            "item": (self.item(cell), self.items),
            "placement": (cell % self.placements, self.placements),
        }


def uncalibrated(shape: Calibrating) -> Calibrated:
    """Predictions as they are, before anything is known of them."""
    error = np.zeros(shape.plans)
    return Calibrated(np.ones(shape.plans), np.ones(shape.items), np.ones(shape.placements), error, error)


class Calibration:
    """Predicted and observed promoted GMV by cell: cohorts whose orders still come, and the sums of those before."""

    def __init__(self, shape: Calibrating, order_value: float, trust: Trust) -> None:
        """`order_value`: what an order is before any is known, micro-yuan."""
        self.shape, self.trust, self.order_value = shape, trust, order_value / YUAN
        self.recent = Recent("cell", *_SUMS, "restated")
        self.cells, self.matured = np.empty(0, np.int64), np.empty((0, len(_SUMS)))
        self.copies = np.empty((0, 3), np.int64)  # rows of a plan and of its copy, and since when each goes on alone

    def show(self, at: Int, cell: Int, predicted: Int) -> None:
        """What was shown when, and the GMV predicted of it, micro-yuan."""
        self._add(at, cell, predicted, np.zeros_like(predicted))

    def sell(self, touched_at: Int, cell: Int, amount: Int) -> None:
        """Orders as they are reported: in which cell, and when they were touched by what was shown there."""
        self._add(touched_at, cell, np.zeros_like(amount), amount)
        for like, row, since in self.copies.tolist():
            before = (self.shape.plan(cell) == like) & (touched_at < since)
            theirs, more = self.shape.moved(cell[before], row), amount[before]
            self._add(touched_at[before], theirs, np.zeros_like(more), more)

    def restate(self, ratio: Float, now: int) -> None:
        """Predictions are made anew, `ratio` [items] times as high as before: note what is now thought of the past."""
        self._condense(now)
        restated = self.recent["restated"] * ratio[self.shape.item(self.recent["cell"])]
        self.recent.columns["restated"] = np.rint(restated).astype(np.int64)

    def close_day(self, now: int) -> None:
        """Fold the cohorts whose orders have all come into the long memory, which slowly forgets."""
        self._condense(now)
        old = self.recent.leave(now - CONVERSION_WINDOW)
        self.copies = self.copies[self.copies[:, 2] > now - CONVERSION_WINDOW]
        gone = np.stack([old[name] for name in _SUMS], axis=1) * _worth(old)
        cells = np.concatenate([self.cells, old["cell"]])
        sums = np.concatenate([self.matured * _FADES, gone * _FADES**_WINDOW_DAYS])
        self.cells, place = np.unique(cells, return_inverse=True)
        self.matured = _grouped(place, sums, len(self.cells))

    def join(self, like: int, now: int) -> None:
        """A plan more, behind all others, begins with what is known by now of the plan of the row `like`: orders that
        the other's cohorts still bring are told of both.
        """
        row = self.shape.plans - 1
        self.copies = np.concatenate([self.copies, [(like, row, now)]])
        mine = self.shape.plan(self.cells) == like
        self.cells = np.concatenate([self.cells, self.shape.moved(self.cells[mine], row)])
        self.matured = np.concatenate([self.matured, self.matured[mine]])
        held = self.recent.columns
        young = {name: column[self.shape.plan(held["cell"]) == like] for name, column in held.items()}
        self.recent.add(young | {"cell": self.shape.moved(young["cell"], row)})

    def calibrated(self, now: int, delay: DelayCurve) -> Calibrated:
        """The factors as everything told before `now` has them."""
        recent = self.recent
        age = np.maximum(now - recent["at"], 0)
        known = delay.reported(age, self.shape.live(recent["cell"]))
        expected = np.maximum(recent["predicted"], recent["restated"])
        young = np.stack([expected * known, recent["observed"], recent["squared"]], axis=1)
        young *= _worth(recent.columns) * _FADES ** (age / DAY)[:, None]
        sums = np.concatenate([self.matured, young]) / np.array([YUAN, YUAN, 1.0])
        axes = self.shape.axes(np.concatenate([self.cells, recent["cell"]]))
        levels = {name: _Level(*axis, sums, self.order_value, FIRMNESS[name]) for name, axis in axes.items()}
        factors = _fitted(levels, sums[:, 0])
        error = np.sqrt(levels["plan"].variance + levels["plan"].pull ** 2 * levels["all"].variance)
        error = np.hypot(error, LATE_DOUBT * self._unseen(age, delay))
        plan = np.clip(factors["all"] * factors["plan"], *BOUNDS)
        return Calibrated(plan, factors["item"], factors["placement"], error, self.trust.margin(error))

    def _unseen(self, age: Int, delay: DelayCurve) -> float:
        """The share of orders that is believed to come later than the oldest cohort could tell."""
        if len(self.cells):
            return 0.0
        oldest = np.full(2, age.max(initial=0))
        return float(1.0 - delay.reported(oldest, np.arange(2)).min())

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything known, to go on from."""
        long = {"cells": self.cells.copy(), "matured": self.matured.copy(), "copies": self.copies.copy()}
        return {**long, **self.recent.columns}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Go on from a snapshot."""
        self.cells, self.matured = np.array(state["cells"], np.int64), np.array(state["matured"], float)
        self.copies = np.array(state["copies"], np.int64).reshape(-1, 3)
        self.recent.columns = {name: np.array(state[name], np.int64) for name in self.recent.columns}

    def _add(self, at: Int, cell: Int, predicted: Int, observed: Int) -> None:
        squared = np.rint((observed / YUAN) ** 2)
        hour = at // HOUR * HOUR + HOUR // 2
        rows = {"at": hour, "cell": cell, "predicted": predicted, "observed": observed}
        self.recent.add({**rows, "squared": squared, "restated": predicted})

    def _condense(self, now: int) -> None:
        """One row a cell and hour, after a day one a cell and day: memory does not grow with what is shown or sold."""
        at = self.recent["at"]
        days = (now - at - 1) // DAY
        at = np.where(days > 0, now - days * DAY - DAY // 2, at)
        order = np.lexsort((self.recent["cell"], at))
        rows = {name: (at if name == "at" else column)[order] for name, column in self.recent.columns.items()}
        starts = np.flatnonzero(np.diff(rows["at"], prepend=-1) | np.diff(rows["cell"], prepend=-1))
        sums = {
            name: np.add.reduceat(rows[name], starts) if len(starts) else rows[name] for name in (*_SUMS, "restated")
        }
        self.recent.columns = {"at": rows["at"][starts], "cell": rows["cell"][starts], **sums}


def _worth(cohorts: Mapping[str, Int]) -> Float:
    """[n, 1] what cohorts count for: the less, the more today's predictor would predict of them otherwise."""
    predicted, restated = cohorts["predicted"], cohorts["restated"]
    agreed = np.minimum(predicted, restated) / np.maximum(np.maximum(predicted, restated), 1)
    return np.asarray(np.where(predicted > 0, agreed**CHANGED, 1.0)[:, None], float)


class _Level:
    """One axis of the factors: what was observed along it, and how firmly it is held at its parent's level."""

    def __init__(self, place: Int, count: int, sums: Float, order_value: float, firmness: float) -> None:
        self.place = place
        self.factor = np.ones(count)
        self.observed, squared = _grouped(place, sums[:, 1:], count).T
        before = firmness * order_value
        basket = (squared + before * order_value) / (self.observed + before)  # an order's value, weighed by itself
        self.strength = firmness * basket
        self.variance = basket / (self.observed + self.strength)  # of the factor, relative
        self.pull = np.ones(count)  # the share of the factor that is its parent's

    def fit(self, expected: Float) -> None:
        """The factor, given what the other levels expect of each row."""
        total = np.bincount(self.place, expected, len(self.factor)) + self.strength
        self.factor, self.pull = (self.observed + self.strength) / total, self.strength / total


def _fitted(levels: Mapping[str, _Level], predicted: Float) -> dict[str, Float]:
    """The factors of all levels that together explain what was observed, by proportional fitting."""
    for _ in range(_SWEEPS):
        for name, level in levels.items():
            others = [other.factor[other.place] for rest, other in levels.items() if rest != name]
            level.fit(predicted * np.prod(others, axis=0))
    return {name: level.factor for name, level in levels.items()}


def _grouped(place: Int, sums: Float, count: int) -> Float:
    """[n, columns] → [count, columns] added up by place."""
    return np.stack([np.bincount(place, column, count) for column in sums.T], axis=1).astype(float)
