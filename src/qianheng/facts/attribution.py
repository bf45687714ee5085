"""Attribution: an order belongs to the plan whose promoted impression or click the buyer last had for that product.

A click counts for 7 days, a view for 1 day (SPEC 2; the windows are data); the latest click goes before any view.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qianheng.core.days import DAY
from qianheng.facts.schema import Kind

_COLUMNS = ("at", "plan_id", "id", "placement", "creative_id", "user_id", "product_id")


class Touch(NamedTuple):
    """One promoted impression or click of a buyer: when, for which plan, under which id, where, with which creative."""

    at: int
    plan_id: int
    id: int
    placement: int
    creative_id: int


@dataclass(frozen=True, slots=True)
class Windows:
    """How long a touch can bring an order, in microseconds."""

    click: int = 7 * DAY
    view: int = DAY


class Touches:
    """The promoted impressions and clicks of the last days, kept by day so that what is out of its window leaves.

    There are thousands of touches for every order, so taking them in is cheap and looking one up scans a day.
    """

    def __init__(self, windows: Windows | None = None) -> None:
        self.windows = windows or Windows()
        self._days: dict[Kind, dict[int, _Day]] = {Kind.CLICK: {}, Kind.IMPRESSION: {}}

    def add(self, kind: Kind, facts: pa.Table) -> None:
        """Take in promoted impressions or clicks, in any order."""
        rows = np.stack([facts[name].to_numpy().astype(np.int64) for name in _COLUMNS])
        days = rows[0] // DAY
        for day in set(days.tolist()):
            self._days[kind].setdefault(day, _Day()).append(rows[:, days == day])

    def last(self, user_id: int, product_id: int, at: int) -> Touch | None:
        """The touch that an order of this buyer at that time belongs to, if any."""
        for kind, window in self._windows():
            for day in range(at // DAY, (at - window) // DAY - 1, -1):
                held = self._days[kind].get(day)
                if held and (touch := held.last(user_id, product_id, (at - window, at))):
                    return touch
        return None

    def forget(self, now: int) -> None:
        """Drop the days that no order from `now` on can belong to; orders may be reported a day late."""
        for kind, window in self._windows():
            for day in [day for day in self._days[kind] if (day + 1) * DAY < now - window - DAY]:
                del self._days[kind][day]

    def snapshot(self) -> dict[str, npt.NDArray[Any]]:
        """The touches held, to go on from."""
        return {kind: self._rows(kind) for kind in self._days}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go on from a snapshot."""
        for kind, days in self._days.items():
            days.clear()
            rows = state[kind]
            for day in np.unique(rows[0] // DAY).tolist():
                days.setdefault(day, _Day()).append(rows[:, rows[0] // DAY == day])

    def _windows(self) -> Iterator[tuple[Kind, int]]:
        """The kinds of touch in order of precedence, with their windows."""
        yield Kind.CLICK, self.windows.click
        yield Kind.IMPRESSION, self.windows.view

    def _rows(self, kind: Kind) -> npt.NDArray[np.int64]:
        empty = np.empty((len(_COLUMNS), 0), np.int64)
        return np.concatenate([empty, *(held.rows for _, held in sorted(self._days[kind].items()))], axis=1)


class _Day:
    """The touches of one day as columns that grow by doubling."""

    def __init__(self) -> None:
        self._held = np.empty((len(_COLUMNS), 1024), np.int64)
        self._size = 0

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        return self._held[:, : self._size]

    def append(self, rows: npt.NDArray[np.int64]) -> None:
        size = self._size + rows.shape[1]
        if size > self._held.shape[1]:
            grown = np.empty((len(_COLUMNS), 2 * size), np.int64)
            grown[:, : self._size] = self.rows
            self._held = grown
        self._held[:, self._size : size] = rows
        self._size = size

    def last(self, user_id: int, product_id: int, window: tuple[int, int]) -> Touch | None:
        """The latest touch of a buyer and product within [first, last]."""
        at, *_, user, product = self.rows
        found = np.flatnonzero(user == user_id)
        found = found[(product[found] == product_id) & (at[found] >= window[0]) & (at[found] <= window[1])]
        return max((Touch(*self.rows[: len(Touch._fields), row].tolist()) for row in found.tolist()), default=None)
