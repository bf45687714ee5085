"""Rows of the last days as columns: facts wait here until they have matured."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.int64]


class Recent:
    """A table of int64 columns with a time column `at`; rows enter as they are learnt and leave when old enough."""

    def __init__(self, *names: str) -> None:
        self.columns: dict[str, Column] = {name: np.empty(0, np.int64) for name in ("at", *names)}

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns["at"])

    def add(self, rows: Mapping[str, npt.ArrayLike]) -> None:
        """Append rows; every column must be given."""
        self.columns = {
            name: np.concatenate([column, np.asarray(rows[name], np.int64)]) for name, column in self.columns.items()
        }

    def leave(self, before: int) -> dict[str, Column]:
        """Remove and return the rows of a time before `before`."""
        old = self.columns["at"] < before
        gone = {name: column[old] for name, column in self.columns.items()}
        if old.any():
            self.columns = {name: column[~old] for name, column in self.columns.items()}
        return gone

    def find(self, key: str, values: Column) -> Column:
        """The row whose `key` is each of `values`, or -1."""
        column = self.columns[key]
        if not len(column):
            return np.full(len(values), -1)
        order = np.argsort(column, kind="stable")
        place = np.minimum(np.searchsorted(column, values, sorter=order), len(column) - 1)
        return np.where(column[order[place]] == values, order[place], -1)
