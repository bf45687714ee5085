"""Figures of columns with bootstrap intervals. Whole seeds are drawn again: days of one seed are not independent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Columns = Mapping[str, npt.NDArray[Any]]
DRAWS = 1000
LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and the interval that 90 % of the redrawn seeds lie in."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def columns_of(rows: Sequence[Any]) -> dict[str, npt.NDArray[Any]]:
    """Records of one dataclass as columns."""
    return {field.name: np.array([getattr(row, field.name) for row in rows]) for field in fields(rows[0])}


def over(above: float, below: float) -> float:
    """A ratio, NaN where nothing is below."""
    return float(above / below) if below else float("nan")


def figure(columns: Columns, measure: Callable[[Columns], float]) -> Figure:
    """A measure of columns (one of them `seed`); where it is not defined it is NaN, and such draws are left out."""
    places = [np.flatnonzero(columns["seed"] == seed) for seed in np.unique(columns["seed"])]
    draw = np.random.default_rng(1)
    found = []
    for _ in range(DRAWS if len(places) > 1 else 0):
        rows = np.concatenate([places[seed] for seed in draw.integers(0, len(places), len(places))])
        found.append(measure({name: column[rows] for name, column in columns.items()}))
    value, told = measure(columns), [one for one in found if np.isfinite(one)]
    low, high = np.quantile(told, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if told else (value, value)
    return Figure(float(value), float(low), float(high))
