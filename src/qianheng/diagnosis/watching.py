"""Watching a history go by: at every hour, what the facts known so far say is wrong."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from qianheng.diagnosis.causes import Case, Rules, Suspicion, events, ratios, suspicions
from qianheng.diagnosis.streams import Clock, Float, Stream, Usual, clock_of, streams_of, usual
from qianheng.measures.history import History

_WEEK = 7  # days
_BEYOND_DOUBT = 50.0  # odds, as a logarithm


@dataclass(frozen=True, slots=True)
class Moved:
    """A figure that something moved: what was counted since it began, what was expected, and of how much."""

    measure: str
    counted: float
    expected: float
    exposed: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A suspicion that the facts bear out: since when, seen when first, how likely among those of the same figures."""

    suspicion: Suspicion
    began: datetime
    seen_at: datetime
    likelihood: float
    moved: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What is wrong as far as is known at a time."""

    at: datetime
    seen: tuple[Seen, ...]


def watched(history: History, rules: Rules) -> Iterator[Look]:
    """Every hour (of daily reports: day) of a history that anything can be said of, and what was wrong then.

    The past is looked at as it is told now: a fact that came late counts for its own hour. What was found to be wrong
    is not taken for usual later.
    """
    clock = clock_of(history, rules.watch)
    if clock is None:
        return
    watchman = _Watchman(history, rules, clock, streams_of(history, clock, rules.watch))
    for day in range(clock.days):
        yield from watchman.day(day)


class _Watchman:
    """Goes through a history day by day."""

    def __init__(self, history: History, rules: Rules, clock: Clock, streams: Sequence[Stream]) -> None:
        self._now, self._zone = history.now, ZoneInfo(history.timezone)
        self._watch, self._clock, self._streams = rules.watch, clock, streams
        self._suspected = suspicions(rules.causes, streams, history.whole_shop)
        self._case = Case(self._suspected, rules.watch, clock.steps)
        self._level = _level(self._suspected, _WEEK * clock.steps / rules.watch.false_alarms_per_week)
        self._allowed = {one.measure: np.ones((len(one.parts), clock.days), bool) for one in streams}
        self._usual: list[dict[str, tuple[Stream, Usual]]] = []
        self._first_seen: dict[int, datetime] = {}

    def day(self, day: int) -> Iterator[Look]:
        """Every step of a day that is over."""
        made = {one.measure: usual(one, day, self._allowed[one.measure], self._watch) for one in self._streams}
        known = {one.measure: (one, found) for one in self._streams if (found := made[one.measure]) is not None}
        self._usual.append(known)
        steps = self._clock.steps
        at_day = day, steps
        self._case.take(ratios(self._suspected, known, at_day, self._watch), events(self._suspected, known, at_day))
        for step in range(day * steps, (day + 1) * steps):
            at = self._time(step + 1)
            if known and at <= self._now:
                yield Look(at, tuple(self._look(step, at)))

    def _look(self, step: int, at: datetime) -> Iterator[Seen]:
        odds = self._case.odds(step)
        chosen = _chosen(self._suspected, odds, self._levels())
        self._first_seen = {row: self._first_seen.get(row, at) for row in chosen}
        for row in chosen:
            one, began = self._suspected[row], self._case.began(step, row)
            self._not_usual(one, range(began // self._clock.steps, step // self._clock.steps + 1))
            moved = tuple(self._moved(one, began, step))
            yield Seen(one, self._time(began), self._first_seen[row], _share(self._suspected, odds, row), moved)

    def _levels(self) -> Float:
        """What each suspicion must reach: what is told already, a little less."""
        told = np.isin(np.arange(len(self._suspected)), list(self._first_seen))
        levels: Float = self._level - told * math.log(self._watch.linger)
        return levels

    def _not_usual(self, one: Suspicion, days: range) -> None:
        for measure, rows in one.rows.items():
            self._allowed[measure][rows, days.start : days.stop] = False

    def _moved(self, one: Suspicion, began: int, step: int) -> Iterator[Moved]:
        """What was counted since it began, against what was to be expected, of each figure that it moves."""
        for measure in (name for name in one.cause.measures if name in one.rows):
            told = [self._at(measure, number) for number in range(began, step + 1)]
            sums = np.nansum(
                [of[:, one.rows[measure]].sum(axis=1) for of in told if of is not None] or [[0.0] * 3], axis=0
            )
            if sums[1] > 0:
                yield Moved(measure, *sums.tolist())

    def _at(self, measure: str, number: int) -> Float | None:
        """Counted, expected and exposed of each part at a step, [3, parts]; `None` where nothing is usual yet."""
        day, step = divmod(number, self._clock.steps)
        if measure not in self._usual[day]:
            return None
        stream, known = self._usual[day][measure]
        there = stream.known[:, day, step] & np.isfinite(known.expected[:, step])
        found = np.stack([stream.counted[:, day, step], known.expected[:, step], stream.exposed[:, day, step]])
        return np.where(there, found, 0.0)

    def _time(self, step: int) -> datetime:
        """The beginning of a step."""
        hour = step % self._clock.steps if self._clock.steps > 1 else 0
        return datetime.combine(self._clock.day(step), time(hour), tzinfo=self._zone)


def _level(suspected: Sequence[Suspicion], steps: float) -> Float:
    """What each suspicion must reach, so that all together do once in so many steps: as often by each cause as by any
    other, and by a cause as often of each of what it can be of.
    """
    of_cause = Counter(id(one.cause) for one in suspected)
    return np.log([steps * len(of_cause) * of_cause[id(one.cause)] for one in suspected])


def _chosen(suspected: Sequence[Suspicion], odds: Float, levels: Float) -> list[int]:
    """Which suspicions are told: the strongest first, then what it does not explain, those that yield last."""
    over = [row for row in np.argsort(-odds, kind="stable").tolist() if odds[row] >= levels[row]]
    chosen: list[int] = []
    for row in sorted(over, key=lambda row: suspected[row].cause.yields):
        one = suspected[row]
        if not any(suspected[other].meets(one) or one.cause.yields for other in chosen):
            chosen.append(row)
    return chosen


def _share(suspected: Sequence[Suspicion], odds: Float, row: int) -> float:
    """How likely a suspicion is among all that would move some of the same figures, if one of them it is."""
    others = [other for other, one in enumerate(suspected) if other != row and one.meets(suspected[row])]
    return 1 / (1 + sum(math.exp(min(float(odds[other] - odds[row]), _BEYOND_DOUBT)) for other in others))
