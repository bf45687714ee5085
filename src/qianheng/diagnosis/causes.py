"""Causes: what could have moved a shop's figures, and how strongly its facts speak for each.

A cause says by which factors it moves which figures, in several sizes. The facts of each step speak for it by the
ratio of their likelihood under those factors to that under what is usual, raised to one over the scatter that the days
before have shown beyond chance. Summed over all moments it may have begun at, these ratios are a Shiryaev-Roberts
statistic: with nothing wrong it reaches a level c once in c steps on average or more seldom (Shin, Ramdas and Rinaldo,
E-detectors, 2022), so that the level follows from the false alarms allowed and the number of causes looked at; and with
even odds before, it is the odds after, by which causes of the same figures are ranked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

import numpy as np

from qianheng.core import tables
from qianheng.core.errors import BadInput
from qianheng.diagnosis.streams import MEASURES, Bool, Float, Stream, Usual, Watch
from qianheng.measures.history import About, Subject

SHIPPED = Path(__file__).with_name("findings.toml")
AMOUNTS = ("order_value", "cpm")  # all others are events
LEAST = 1e-3  # of what is expected: what "none at all" is taken as


@dataclass(frozen=True, slots=True)
class Cause:
    """What an anomaly does: `sizes` are factors by measure. It also `explains` figures that do not speak for it alone.
    One that `yields` is not told while another is.
    """

    anomaly: Literal[
        "off_air_spend",
        "tracking_broken",
        "stock_out",
        "wrong_price",
        "refund_wave",
        "tired_creative",
        "rival_entered",
    ]
    about: Literal["shop", "plan", "product", "creative"]
    severity: Literal["watch", "act", "urgent"]
    sizes: tuple[dict[str, float], ...]
    explains: tuple[str, ...] = ()
    yields: bool = False

    def __post_init__(self) -> None:
        for measure in (*self.explains, *(name for size in self.sizes for name in size)):
            if measure not in MEASURES:
                raise BadInput("diagnosis.unknown_measure", place=measure, known=", ".join(MEASURES))
        for measure, factor in (moved for size in self.sizes for moved in size.items()):
            if not LEAST <= factor <= 1 / LEAST:
                raise BadInput("diagnosis.bad_factor", place=measure, value=factor, least=LEAST, most=1 / LEAST)

    @property
    def measures(self) -> tuple[str, ...]:
        """All that it moves, in any size."""
        return tuple(name for name in MEASURES if any(name in size for size in self.sizes))


@dataclass(frozen=True, slots=True)
class LearningRule:
    """When a plan has not learnt: fewer than so many promoted orders after so many days."""

    days: int
    orders: int
    until_days: int
    spend_share: Decimal


@dataclass(frozen=True, slots=True)
class Rules:
    """What is looked for, and how."""

    watch: Watch
    learning: LearningRule
    causes: tuple[Cause, ...]


def finding_rules(path: Path | None = None) -> Rules:
    """The rules in a TOML file, or those shipped. Unknown key, measure or cause: BadInput, all faults at once."""
    place = path or SHIPPED
    return tables.build(Rules, tables.read_toml(place), str(place))


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A cause, what it would be of, and which rows of each stream it would move."""

    cause: Cause
    subject: Subject
    rows: Mapping[str, Bool]

    def meets(self, other: Suspicion) -> bool:
        """Whether both would move some of the same figures."""
        return any(bool((rows & other.rows[name]).any()) for name, rows in self.rows.items() if name in other.rows)


def suspicions(causes: Sequence[Cause], streams: Sequence[Stream], shop: Subject) -> list[Suspicion]:
    """Everything that could be wrong with what the streams are of."""
    by_measure = {stream.measure: stream for stream in streams}
    found = []
    for cause in causes:
        mine = [by_measure[name] for name in cause.measures if name in by_measure]
        more = [by_measure[name] for name in cause.explains if name in by_measure]
        for subject in _subjects(cause, mine, shop):
            rows = {stream.measure: _rows(stream, subject) for stream in (*mine, *more)}
            if any(rows[stream.measure].any() for stream in mine):
                found.append(Suspicion(cause, subject, rows))
    return found


class Case:
    """How strongly the facts speak for each suspicion: fed a day after the other, asked at its steps."""

    def __init__(self, suspected: Sequence[Suspicion], watch: Watch, steps: int) -> None:
        self.suspected, self._watch, self._steps = suspected, watch, steps
        self._window = watch.window_days * steps
        self._sizes = max((len(one.cause.sizes) for one in suspected), default=1)
        counts = [len(one.cause.sizes) for one in suspected]
        self._odds = np.array([[-math.log(n) if i < n else -np.inf for i in range(self._sizes)] for n in counts])
        self._sums = np.zeros((len(suspected), self._sizes, 1))  # of log ratios, up to each step
        self._events = np.zeros((len(suspected), 1))  # that were to be expected, up to each step

    def take(self, ratios: Float, events: Float) -> None:
        """Log ratios of some steps, [suspicions, sizes, steps], and the events expected then, [suspicions, steps]."""
        self._sums = np.concatenate([self._sums, self._sums[:, :, -1:] + np.cumsum(ratios, axis=2)], axis=2)
        self._events = np.concatenate([self._events, self._events[:, -1:] + np.cumsum(events, axis=1)], axis=1)

    def odds(self, step: int) -> Float:
        """The logarithm of the statistic of each suspicion when a step is over, [suspicions]."""
        since = self._since(step)
        with np.errstate(under="ignore"):
            whole: Float = np.logaddexp.reduce(
                (since + self._odds[:, :, None]).reshape(len(self.suspected), -1), axis=1
            )
        return whole

    def began(self, step: int, row: int) -> int:
        """The step with which a suspicion most likely began, as far as is known when a step is over."""
        since = self._since(step)[row] + self._odds[row][:, None]
        return max(step + 1 - self._window, 0) + int(np.argmax(since.max(axis=0)))

    def _since(self, step: int) -> Float:
        """Log ratios from each step of the window on, [suspicions, sizes, steps].

        What is usual is known from so many days only, and may have wandered since: the more is held against it, the
        more that differs by both, and each ratio counts for so much less.
        """
        first = max(step + 1 - self._window, 0)
        events = self._events[:, step + 1, None] - self._events[:, first : step + 1]
        unsure = 1 + np.arange(step + 1 - first, 0, -1) / self._usual_steps(step) + self._watch.wander**2 * events
        return (self._sums[:, :, step + 1, None] - self._sums[:, :, first : step + 1]) / unsure[:, None]

    def _usual_steps(self, step: int) -> int:
        """From how many steps it is known what is usual."""
        days = step // self._steps - self._watch.fresh_days
        return min(max(days, 1), self._watch.base_days) * self._steps


def ratios(
    suspected: Sequence[Suspicion], day: Mapping[str, tuple[Stream, Usual]], at: tuple[int, int], watch: Watch
) -> Float:
    """Log ratios of a day's steps, [suspicions, sizes, steps]; 0 where nothing is known or nothing is usual yet.

    at: the number of the day, and how many steps it has.
    """
    number_of_day, steps = at
    sizes = max((len(one.cause.sizes) for one in suspected), default=1)
    found, told = np.zeros((len(suspected), sizes, steps)), _Ratios(day, number_of_day, watch)
    for row, one in enumerate(suspected):
        for number, size in enumerate(one.cause.sizes):
            for measure, factor in size.items():
                if measure in one.rows and measure in day:
                    found[row, number] += told.of(measure, factor)[one.rows[measure]].sum(axis=0)
    return found


def events(suspected: Sequence[Suspicion], day: Mapping[str, tuple[Stream, Usual]], at: tuple[int, int]) -> Float:
    """How many events were to be expected of what each suspicion would move, [suspicions, steps]."""
    number, steps = at
    usually = {
        measure: np.where(stream.known[:, number], np.nan_to_num(known.expected), 0.0) / known.scatter[:, None]
        for measure, (stream, known) in day.items()
        if measure not in AMOUNTS
    }
    found = np.zeros((len(suspected), steps))
    for row, one in enumerate(suspected):
        for measure in one.cause.measures:
            if measure in one.rows and measure in usually:
                found[row] += usually[measure][one.rows[measure]].sum(axis=0)
    return found


class _Ratios:
    """The log ratios of each stream at each factor, made once."""

    def __init__(self, day: Mapping[str, tuple[Stream, Usual]], at: int, watch: Watch) -> None:
        self._day, self._at, self._watch = day, at, watch
        self._made: dict[tuple[str, float], Float] = {}

    def of(self, measure: str, factor: float) -> Float:
        """[parts, steps]"""
        if (measure, factor) not in self._made:
            self._made[measure, factor] = self._make(measure, factor)
        return self._made[measure, factor]

    def _make(self, measure: str, factor: float) -> Float:
        stream, known = self._day[measure]
        counted, exposed = stream.counted[:, self._at], stream.exposed[:, self._at]
        log, spread = math.log(factor), np.maximum(known.spread, 1e-9)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            if measure == "order_value":  # amounts after a gamma law of that relative variance
                mean = known.expected / exposed
                found = (exposed * -log - counted / mean * (1 / factor - 1)) / spread
            elif measure == "cpm":  # logarithms after a normal law
                off = np.log(counted / known.expected)
                found = exposed * (off * log - log**2 / 2) / spread
            else:  # events after a Poisson law
                found = counted * log - (factor - 1) * known.expected
                if measure == "off_hours":
                    found = np.where(known.expected > 0, found + math.log(self._watch.odd_hour), 0.0)
        usable = stream.known[:, self._at] & np.isfinite(found) & (exposed > 0)
        return np.where(usable, found, 0.0) / known.scatter[:, None]


def _subjects(cause: Cause, streams: Sequence[Stream], shop: Subject) -> list[Subject]:
    """What a cause could be of: the shop, or the plans, products or creatives that the streams tell of."""
    if cause.about == "shop":
        return [shop]
    about = About(cause.about)
    named = {part.id: Subject(about, part.id, part.name) for s in streams for part in s.parts if part.about is about}
    return list(named.values())


def _rows(stream: Stream, subject: Subject) -> Bool:
    return np.array([_is_of(part, subject) for part in stream.parts], bool)


def _is_of(part: Subject, subject: Subject) -> bool:
    if subject.about is About.SHOP:
        return True
    if subject.about is About.PLAN and part.within:
        return part.within == subject.id
    return part.about is subject.about and part.id == subject.id
