"""Sums in sliding windows, minute by minute: what everything watched did in the last minutes, today, and hour by hour.

Facts may be told late and in any order: what is added to a minute that has passed counts in every window it lies in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from qianheng.core.days import MINUTE, moment
from qianheng.measures.days import Int64

MINUTES_A_DAY = 24 * 60
LONG_AGO = 12 * 60  # minutes; what is told later than that may change what earlier days are remembered by


class Watched(NamedTuple):
    """The sums that rules look at, of what counts for its plan; money in micro-yuan, `None` where it is not known.

    `promoted_orders` are those that a promoted impression or click reached, `off_air_spend` what a live plan spent
    while its room was off the air.
    """

    spend: int | None = 0
    orders: int | None = 0
    gmv: int | None = 0
    refunded_1h: int | None = 0
    promoted_orders: int | None = 0
    impressions: int | None = 0
    clicks: int | None = 0
    off_air_spend: int | None = 0


WIDTH = len(Watched._fields)
Totals = list[int]


@dataclass(frozen=True, slots=True)
class Window:
    """The last `minutes` up to `lag` minutes ago; without `minutes` what has passed of the day by then; with `days` so
    many whole days before today.
    """

    minutes: int = 0
    days: int = 0
    lag: int = 0

    @property
    def reach(self) -> int:
        """How far back it looks minute by minute."""
        return self.minutes + self.lag


def local(minute: int, timezone: str) -> int:
    """A minute since 1970 UTC as the clocks of a time zone tell it."""
    return minute + _offset(minute // 60, timezone)


@lru_cache(maxsize=1 << 16)
def _offset(hour: int, timezone: str) -> int:
    found = moment(hour * 60 * MINUTE, timezone).utcoffset()
    return 0 if found is None else int(found.total_seconds()) // 60


@dataclass(slots=True)
class _Sliding:
    """One window's sums by subject, for the minutes [since, until)."""

    window: Window
    since: int = 0
    until: int = 0
    totals: dict[int, Totals] = field(default_factory=dict)

    def bounds(self, now: int, timezone: str) -> tuple[int, int]:
        until = now - self.window.lag
        passed = local(until, timezone) % MINUTES_A_DAY
        return (until - (self.window.minutes or passed), until)


class Windows:
    """The windows of a watch, and the hours of the days before. Subjects are numbers; `now` is a minute since 1970."""

    def __init__(self, wanted: Iterable[Window], timezone: str, base_days: int, now: int) -> None:
        self.timezone, self.base_days, self.now = timezone, base_days, now
        self._sliding = {window: _Sliding(window) for window in wanted if not window.days}
        self._kept = 60 + max((window.reach for window in self._sliding), default=0)
        self._minutes: dict[int, dict[int, Totals]] = {}
        self._hours: dict[int, dict[int, Totals]] = {}
        self._base: dict[tuple[int, int, int, int], list[Watched]] = {}
        self._days: dict[tuple[int, int], list[Watched]] = {}
        self._place()

    def add(self, minute: int, subject: int, sums: Sequence[int]) -> None:
        """Count something that happened in a minute before `now`."""
        hours = self._hours.setdefault(subject, {})
        _into(hours, local(minute, self.timezone) // 60, sums)
        if minute >= self.now - self._kept:
            _into(self._minutes.setdefault(minute, {}), subject, sums)
        for sliding in self._sliding.values():
            if sliding.since <= minute < sliding.until:
                _into(sliding.totals, subject, sums)
        if minute < self.now - LONG_AGO:
            self._remember_anew()

    def advance(self) -> set[int]:
        """One minute later; the subjects whose sums in some window are others by the passing of time."""
        before, self.now = self.now, self.now + 1
        changed = set[int]()
        for sliding in self._sliding.values():
            changed |= self._slide(sliding)
        self._minutes.pop(self.now - self._kept - 1, None)
        if local(self.now, self.timezone) // 60 != local(before, self.timezone) // 60:
            self._remember_anew()
            self._forget()
        return changed

    def sums(self, subject: int, window: Window) -> Watched:
        """What a subject did in a window."""
        if window.days:
            end = local(self.now, self.timezone) // MINUTES_A_DAY * 24
            return self._whole(subject, end - 24 * window.days, end)
        found = self._sliding[window].totals.get(subject)
        return Watched(*found) if found else Watched()

    def days(self, subject: int, count: int) -> list[Watched]:
        """Each of the last whole days, the latest first, back to the first on which anything is known of it."""
        if (subject, count) not in self._days:
            end = local(self.now, self.timezone) // MINUTES_A_DAY * 24
            first = min(self._hours.get(subject, {end: []}))
            starts = range(end - 24, end - 24 * count - 1, -24)
            known = [self._whole(subject, start, start + 24) for start in starts if start + 24 > first]
            self._days[subject, count] = known
        return self._days[subject, count]

    def base(self, subject: int, window: Window) -> list[Watched]:
        """What it did in the same clock hours of each of the days before, the latest first: of whole hours, so that a
        window that lies in two of them is held against half of both.
        """
        until = self.now - window.lag
        since = until - window.minutes if window.minutes else until - local(until, self.timezone) % MINUTES_A_DAY
        first, last = (local(minute, self.timezone) // 60 for minute in (since, max(until - 1, since)))
        key = (subject, first, last, until - since)
        if key not in self._base:
            share = (until - since) / (60 * (last + 1 - first))
            self._base[key] = self._same_hours(subject, (first, last + 1), share)
        return self._base[key]

    def snapshot(self) -> Mapping[str, Int64]:
        """Everything, to go on from."""
        minutes = [(minute, subject, *sums) for minute, row in self._minutes.items() for subject, sums in row.items()]
        hours = [(hour, subject, *sums) for subject, row in self._hours.items() for hour, sums in row.items()]
        return {"now": np.array([self.now]), "minutes": _table(minutes), "hours": _table(hours)}

    def restore(self, state: Mapping[str, Int64]) -> None:
        """Go on from a snapshot."""
        self.now = int(state["now"][0])
        self._minutes, self._hours = {}, {}
        self._remember_anew()
        for minute, subject, *sums in state["minutes"].tolist():
            self._minutes.setdefault(minute, {})[subject] = sums
        for hour, subject, *sums in state["hours"].tolist():
            self._hours.setdefault(subject, {})[hour] = sums
        self._place()

    def _remember_anew(self) -> None:
        self._base.clear()
        self._days.clear()

    def _place(self) -> None:
        """Put every window where it belongs now, filled from hours and minutes."""
        for sliding in self._sliding.values():
            sliding.since, sliding.until = sliding.bounds(self.now, self.timezone)
            sliding.totals = {}
            minute = sliding.since
            if not sliding.window.minutes:
                minute = self._fill_hours(sliding)
            for one in range(minute, sliding.until):
                for subject, sums in self._minutes.get(one, {}).items():
                    _into(sliding.totals, subject, sums)

    def _fill_hours(self, sliding: _Sliding) -> int:
        """Fill a window of today with its whole hours; the minute from which on single minutes are to follow."""
        first, end = (local(minute, self.timezone) // 60 for minute in (sliding.since, sliding.until))
        for subject, hours in self._hours.items():
            for hour in range(first, end):
                if hour in hours:
                    _into(sliding.totals, subject, hours[hour])
        return sliding.until - local(sliding.until, self.timezone) % 60

    def _slide(self, sliding: _Sliding) -> set[int]:
        since, until = sliding.bounds(self.now, self.timezone)
        changed = set[int]()
        if not sliding.window.minutes and since != sliding.since:  # another day
            changed |= sliding.totals.keys()
            sliding.totals = {}
        for minute in range(sliding.since, since) if sliding.window.minutes else ():
            changed |= self._take_out(sliding, minute)
        for minute in range(max(sliding.until, since), until):
            entering = self._minutes.get(minute, {})
            changed |= entering.keys()
            for subject, sums in entering.items():
                _into(sliding.totals, subject, sums)
        sliding.since, sliding.until = since, until
        return changed

    def _take_out(self, sliding: _Sliding, minute: int) -> set[int]:
        leaving = self._minutes.get(minute, {})
        for subject, sums in leaving.items():
            totals = sliding.totals[subject]
            for i, value in enumerate(sums):
                if value:
                    totals[i] -= value
        return {*leaving}

    def _same_hours(self, subject: int, hours: tuple[int, int], share: float) -> list[Watched]:
        """A share of the sums of the same hours [first, end) of each day before."""
        known = self._hours.get(subject)
        if not known:
            return []
        (first, end), since = hours, min(known)
        backs = (24 * day for day in range(1, self.base_days + 1))
        days = (self._whole(subject, first - back, end - back) for back in backs if first - back >= since)
        return [Watched(*(round((value or 0) * share) for value in day)) for day in days]

    def _whole(self, subject: int, first: int, end: int) -> Watched:
        hours = self._hours.get(subject, {})
        rows = [hours[hour] for hour in range(first, end) if hour in hours]
        return Watched(*map(sum, zip(*rows, strict=True))) if rows else Watched()

    def _forget(self) -> None:
        """Drop the hours before the days that anything is held against."""
        oldest = local(self.now, self.timezone) // 60 - 24 * (self.base_days + 2)
        for hours in self._hours.values():
            for hour in [hour for hour in hours if hour < oldest]:
                del hours[hour]


def _table(rows: Iterable[tuple[int, ...]]) -> Int64:
    return np.array(sorted(rows), np.int64).reshape(-1, WIDTH + 2)


def _into(held: dict[int, Totals], key: int, sums: Sequence[int]) -> None:
    known = held.get(key)
    if known is None:
        held[key] = list(sums)
    else:
        for i, value in enumerate(sums):
            if value:
                known[i] += value
