"""Response curves on one logarithmic grid of multipliers.

A curve holds, for every multiplier α of the grid, what bidding α · worth would bring. Curves come in pairs: axis -2 is
(spend, worth), axis -1 the grid; both are non-decreasing in α.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Arrays = dict[str, NDArray[Any]]

PER_OCTAVE = 6
LOWEST, HIGHEST = -7, 6
LOG_GRID: FloatArray = np.log(2.0) * np.arange(LOWEST * PER_OCTAVE, HIGHEST * PER_OCTAVE + 1) / PER_OCTAVE
GRID: FloatArray = np.exp(LOG_GRID)
POINTS = len(GRID)
SPACING = float(LOG_GRID[1] - LOG_GRID[0])
SPEND, WORTH = 0, 1


class Rows:
    """Named public arrays with the plan as leading axis, changed only in place or as a whole."""

    def arrays(self) -> Arrays:
        """The arrays by name."""
        return {name: held for name, held in vars(self).items() if isinstance(held, np.ndarray) and name[0] != "_"}

    def load(self, state: Arrays) -> None:
        """Put back what `arrays` gave."""
        for name in self.arrays():
            setattr(self, name, state[name].copy())

    def put(self, plan: int, other: "Rows") -> None:
        """Take the first row of `other` for one plan."""
        for name, held in self.arrays().items():
            held[plan] = other.arrays()[name][0]

    def insert(self, plan: int, other: "Rows") -> None:
        """Make room for a new plan before row `plan`: the first row of `other`."""
        for name, held in self.arrays().items():
            setattr(self, name, np.concatenate([held[:plan], other.arrays()[name][:1], held[plan:]]))


def collect(row: IntArray, threshold: FloatArray, weights: FloatArray, rows: int) -> FloatArray:
    """Pairs [rows, 2, points] that rise by `weights` [2, n] where the multiplier passes `threshold` [n]."""
    with np.errstate(divide="ignore"):
        position = np.ceil((np.log(threshold) - LOG_GRID[0]) / SPACING)
    cell = row * (POINTS + 1) + np.clip(position, 0, POINTS).astype(np.int64)
    jumps = np.stack([np.bincount(cell, weight, rows * (POINTS + 1)) for weight in weights])
    return np.asarray(jumps.reshape(2, rows, POINTS + 1)[..., :POINTS].cumsum(2).swapaxes(0, 1), dtype=float)


def blend(table: FloatArray, position: FloatArray) -> FloatArray:
    """Linear interpolation of `table` [..., points] at fractional columns [..., m], held flat outside."""
    position = np.clip(position, 0.0, table.shape[-1] - 1.0)
    low = np.minimum(position.astype(np.int64), table.shape[-1] - 2)
    part = position - low
    below, above = np.take_along_axis(table, low, -1), np.take_along_axis(table, low + 1, -1)
    return np.asarray(below + part * (above - below))


def at_level(pair: FloatArray, level: FloatArray) -> FloatArray:
    """Pairs [..., 2, points] if every worth were multiplied by exp(level) [...]: C(α e^z), e^z · W(α e^z)."""
    position = np.arange(POINTS) + level[..., None, None] / SPACING
    moved = blend(pair, np.broadcast_to(position, pair.shape))
    moved[..., WORTH, :] *= np.exp(level)[..., None]
    return moved


def log_multiplier(curve: FloatArray, amount: FloatArray) -> FloatArray:
    """Log of the multiplier at which curves [rows, points] reach `amount` [rows], at most the highest of the grid."""
    column = np.clip((curve < amount[:, None]).sum(1), 1, POINTS - 1)
    row = np.arange(len(curve))
    low, high = curve[row, column - 1], curve[row, column]
    rise = np.where(high > low, high - low, 1.0)
    return np.asarray(LOG_GRID[column - 1] + np.clip(amount - low, 0.0, high - low) / rise * SPACING)
