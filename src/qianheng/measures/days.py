"""Natural days of a time zone over arrays and in SQL: the zone's offset is constant between its clock changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from qianheng.core.days import DAY, SHANGHAI, microseconds, midnight, moment

Int64 = npt.NDArray[np.int64]
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Days:
    """The natural days from `first` to `last`, both included, of a time zone."""

    first: date
    last: date
    timezone: str = SHANGHAI

    @property
    def since(self) -> int:
        """The first instant, UTC microseconds."""
        return microseconds(midnight(self.first, self.timezone))

    @property
    def until(self) -> int:
        """The first instant after the last day, UTC microseconds."""
        return microseconds(midnight(self.last + timedelta(days=1), self.timezone))

    def each(self) -> Iterator[date]:
        """Every one of the days."""
        return (self.first + timedelta(days=later) for later in range((self.last - self.first).days + 1))

    def offset_sql(self) -> str:
        """The zone's offset in microseconds at the time `f.at`, as SQL: a number where clocks never change."""
        (_, offset), *changes = offsets(self.timezone, self.since, self.until)
        if not changes:
            return str(offset)
        cases = " ".join(f"WHEN f.at >= {start} THEN {later}" for start, later in reversed(changes))
        return f"(CASE {cases} ELSE {offset} END)"


def day_numbers(at: Int64, timezone: str = SHANGHAI) -> Int64:
    """The natural days that times (UTC microseconds) fall into, as days since 1970-01-01."""
    if not len(at):
        return at
    pieces = offsets(timezone, int(at.min()) // DAY * DAY, (int(at.max()) // DAY + 1) * DAY)
    starts, values = np.array(pieces, np.int64).T
    piece = np.searchsorted(starts, at, side="right") - 1
    days: Int64 = (at + values[piece]) // DAY
    return days


def date_of(number: int) -> date:
    """The date of a day number."""
    return _EPOCH + timedelta(days=number)


@lru_cache(maxsize=4096)
def offsets(timezone: str, since: int, until: int) -> tuple[tuple[int, int], ...]:
    """The zone's offsets in [since, until) as (from when on, offset) in microseconds; the first begins at `since`."""
    pieces = [(since, _offset(since, timezone))]
    for start in range(since, until, DAY):
        end = min(start + DAY, until)
        if (after := _offset(end, timezone)) != pieces[-1][1]:
            pieces.append((_change(start, end, timezone), after))
    return tuple(pieces)


def _change(low: int, high: int, timezone: str) -> int:
    """The first instant in (low, high] that has the offset of `high`."""
    after = _offset(high, timezone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle, timezone) == after else (middle, high)
    return high


def _offset(at: int, timezone: str) -> int:
    return (moment(at, timezone).utcoffset() or timedelta()) // timedelta(microseconds=1)
