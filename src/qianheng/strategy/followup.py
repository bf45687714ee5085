"""What a change has done: measured against its own prediction and against what would have been without it (SPEC 7.3).

Each day after the change is paired with the same weekday before it; the rest of the shop, where nothing was changed
meanwhile, says how much the market moved (difference in differences). Leaving out one pair at a time tells how far the
answer can be trusted: an interval that holds four times of five (jackknife; Efron & Stein 1981).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import sqrt
from typing import NamedTuple

from qianheng.core.days import midnight
from qianheng.core.interval import Interval
from qianheng.core.money import Micros, ratio
from qianheng.diagnosis.chance import jackknife, student_80
from qianheng.diagnosis.worth import worth_of
from qianheng.measures.history import History, Subject
from qianheng.measures.reports import Figures, add
from qianheng.strategy.proposal import Effect, Measure

WEEK = 7
FEWEST_PAIRS = 3  # of days; with fewer nothing is said
MEASURED = (Measure.PROFIT, Measure.GMV, Measure.SPEND)
DECIDES = (Measure.PROFIT, Measure.GMV)  # the first that is known tells whether a change helped
WEIGHTY = 0.5  # what the rest of the shop must have sold, of what the plan sold, to speak for the market
NOTHING = Figures(spend=0, orders=0, gmv=0)


class Outcome(StrEnum):
    """Whether a change helped."""

    HELPED = "helped"
    HURT = "hurt"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a change did to a measure a day, micro-yuan: what was expected (`None`: nothing was), what was measured over
    so many pairs of days, and what there would have been without it.
    """

    measure: Measure
    expected: Interval | None
    measured: Interval
    baseline: Micros
    pairs: int

    @property
    def held(self) -> bool | None:
        """Whether what was expected and what was measured agree: their intervals meet. `None`: nothing was expected."""
        if self.expected is None:
            return None
        return self.expected.low <= self.measured.high and self.measured.low <= self.expected.high

    def share(self, amount: Fraction | int) -> Fraction | None:
        """An amount as a share of the baseline; `None` where there was nothing before."""
        return ratio(round(amount), self.baseline) if self.baseline > 0 else None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a change was measured to have done in its days, and whether other plans told how the market moved."""

    outcome: Outcome
    first: date
    last: date
    beside_others: bool
    measured: tuple[Measured, ...] = ()

    def of(self, measure: Measure) -> Measured | None:
        """What was measured of one measure; `None` where it is not known."""
        return next((one for one in self.measured if one.measure is measure), None)


class Trial(NamedTuple):
    """A change to be measured: of which plan (`None`: the shop), from when on, what was expected, over how many days,
    and when the plan was changed again, which ends it.
    """

    plan_id: str | None
    at: datetime
    effects: tuple[Effect, ...]
    window: timedelta
    ended: datetime | None = None


class Pair(NamedTuple):
    """A day after the change and the same weekday before it, of the plan and of the rest of the shop."""

    after: Figures
    before: Figures
    others_after: Figures
    others_before: Figures


def follow_up(history: History, trial: Trial) -> FollowUp | None:
    """What a change has done; `None` while its days are not over, or where they were cut short before it shows."""
    days = days_of(history, trial)
    if history.today <= days[1] or (days[1] - days[0]).days + 1 < FEWEST_PAIRS:
        return None
    pairs = list(_pairs(history, trial, days))
    expected = {one.measure: one.change for one in trial.effects}
    margin = worth_of(history, _about(history, trial)).margin  # one for all days: young orders look no better for it
    found = tuple(
        _measured(_Question(measure, float(margin or 0)), pairs, expected.get(measure))
        for measure in MEASURED
        if len(pairs) >= FEWEST_PAIRS and (margin is not None or measure is not Measure.PROFIT)
    )
    return FollowUp(_outcome(found), *days, _weighty(pairs), found)


def days_of(history: History, trial: Trial) -> tuple[date, date]:
    """The first and last whole day that the change is measured on."""
    first = _whole_day(trial.at, history.timezone)
    last = first + trial.window - timedelta(days=1)
    if trial.ended is not None:
        last = min(last, trial.ended.date() - timedelta(days=1))
    return first, last


def _whole_day(at: datetime, timezone: str) -> date:
    """The first natural day that a change holds all through."""
    day = at.date()
    return day if midnight(day, timezone) == at else day + timedelta(days=1)


def _pairs(history: History, trial: Trial, days: tuple[date, date]) -> Iterator[Pair]:
    """The pairs of days of which spend and GMV are known."""
    first, last = days
    about = _about(history, trial)
    others = _others(history, trial, first - _back(first, last), last)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        both = day, day - _back(first, last)
        after, before = (_told(history, about, one) for one in both)
        if after is not None and before is not None:
            yield Pair(after, before, *(add(history.whole(other, one, one) for other in others) for one in both))


def _about(history: History, trial: Trial) -> Subject:
    return history.whole_shop if trial.plan_id is None else history.plan_subject(trial.plan_id)


def _others(history: History, trial: Trial, since: date, until: date) -> list[Subject]:
    """The other plans that nobody changed in these days."""
    return [
        plan.subject
        for plan_id, plan in history.plans.items()
        if trial.plan_id not in (None, plan_id)
        and not any(since <= one.at.date() <= until for one in plan.settings[1:])
    ]


def _back(first: date, last: date) -> timedelta:
    """How far back the same weekdays lie that are all before the change."""
    return timedelta(days=-(-((last - first).days + 1) // WEEK) * WEEK)


def _told(history: History, about: Subject, day: date) -> Figures | None:
    """A day's figures if spend and GMV are known. Of a run, a day on which nothing happened is a day of nothing."""
    told = history.days.get(about, {})
    began = min(told, default=None)
    quiet = history.source == "run" and began is not None and began <= day < history.today
    found = told.get(day, NOTHING if quiet else Figures())
    return None if found.spend is None or found.gmv is None else found


class _Question(NamedTuple):
    """What is measured, and what a yuan of GMV contributes."""

    measure: Measure
    margin: float

    def effect(self, pairs: Sequence[Pair]) -> float:
        """What the change added a day."""
        match self.measure:
            case Measure.GMV:
                return _moved(pairs, "gmv")
            case Measure.SPEND:
                return _moved(pairs, "spend")
            case _:
                return self.margin * _moved(pairs, "gmv") - _moved(pairs, "spend")

    def before(self, pairs: Sequence[Pair]) -> float:
        """What a day brought before the change, as the market was afterwards."""
        gmv, spend = (_mean(pairs, "after", name) - _moved(pairs, name) for name in ("gmv", "spend"))
        return {Measure.GMV: gmv, Measure.SPEND: spend}.get(self.measure, self.margin * gmv - spend)


def _moved(pairs: Sequence[Pair], name: str) -> float:
    """How much more of a sum a day brought than the same weekdays before, had they moved as the rest of the shop."""
    market = _mean(pairs, "others_after", name) / _mean(pairs, "others_before", name) if _weighty(pairs) else 1.0
    return _mean(pairs, "after", name) - market * _mean(pairs, "before", name)


def _mean(pairs: Sequence[Pair], side: str, name: str) -> float:
    return sum(getattr(getattr(pair, side), name) or 0 for pair in pairs) / len(pairs)


def _weighty(pairs: Sequence[Pair]) -> bool:
    """Whether the rest of the shop is large enough to tell how the market moved."""
    return bool(pairs) and all(
        _mean(pairs, "others_before", name) > WEIGHTY * _mean(pairs, "before", name) for name in ("gmv", "spend")
    )


def _measured(asked: _Question, pairs: Sequence[Pair], expected: Interval | None) -> Measured:
    whole = asked.effect(pairs)
    left_out = [asked.effect([*pairs[:place], *pairs[place + 1 :]]) for place in range(len(pairs))]
    half = student_80(len(pairs) - 1) * sqrt(jackknife(left_out))
    interval = Interval(round(whole - half), round(whole), round(whole + half))
    return Measured(asked.measure, expected, interval, round(asked.before(pairs)), len(pairs))


def _outcome(found: Sequence[Measured]) -> Outcome:
    known = {one.measure: one.measured for one in found}
    decisive = next((known[measure] for measure in DECIDES if measure in known), None)
    if decisive is None or decisive.low <= 0 <= decisive.high:
        return Outcome.CANNOT_TELL
    return Outcome.HELPED if decisive.low > 0 else Outcome.HURT
