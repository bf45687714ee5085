"""Why did my ROI change? Two periods of a plan or a shop compared, and the change taken apart (SPEC 7.7, 11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from qianheng.core.errors import BadInput, NotFound, Refused
from qianheng.core.money import YUAN, ratio_text, yuan, yuan_text
from qianheng.core.words import say
from qianheng.diagnosis.decomposition import Decomposition, Effect, Factor, Measure, decompose, in_step
from qianheng.diagnosis.worth import Worth, worth_of
from qianheng.measures.history import About, History, Subject
from qianheng.measures.reports import FIGURES, Figures, Span, add
from qianheng.plans.plan import Goal

PARTS = (About.PLAN, About.PRODUCT, About.PLACEMENT, About.CREATIVE)
REST = Subject(About.SHOP, "rest")  # what is of none of the parts
USUAL_DAYS = 7
PLACES = 6
_OF_GOAL = {
    Goal.PAYMENT: Measure.PAYMENT_ROI,
    Goal.NET: Measure.NET_ROI,
    Goal.SETTLED: Measure.SETTLED_ROI,
    Goal.OVERALL: Measure.NET_ROI,
    Goal.PROFIT: Measure.PROFIT,
}
_VALUE = {
    Measure.PAYMENT_ROI: "gmv",
    Measure.NET_ROI: "net_gmv",
    Measure.SETTLED_ROI: "settled_gmv_7d",
    Measure.GMV: "gmv",
    Measure.PROFIT: "contribution",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is asked: of a plan or ("") the shop, of which measure (default: what the plan bids to, else net ROI), by
    which parts (default: a shop's plans, a plan's products), in which days against which (default: the last seven whole
    days against the seven before, or as many as are known).
    """

    plan_id: str = ""
    measure: Measure | None = None
    by: About | None = None
    after: Span | None = None
    before: Span | None = None

    def __post_init__(self) -> None:
        if self.by is not None and self.by not in PARTS:
            raise BadInput("triage.unknown_parts", place="--by", value=self.by, known=", ".join(PARTS))


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a measure of a subject from one period to another, and why. `by`: the parts told apart; `None`:
    none are known that make up the whole.
    """

    subject: Subject
    by: About | None
    before: Span
    after: Span
    found: Decomposition[Subject]


def compare(history: History, asked: Comparison) -> Change:
    """Compare two periods. No such plan: NotFound. Nothing known or spent in one of them: Refused."""
    if asked.plan_id and asked.plan_id not in history.plans:
        raise NotFound("histories.no_plan", place="--plan", value=asked.plan_id, known=", ".join(history.plans))
    subject = history.plan_subject(asked.plan_id) if asked.plan_id else history.whole_shop
    measure = asked.measure or _measure(history, asked.plan_id)
    valued = _Valued(history, subject, worth_of(history, subject), measure)
    before, after = _spans(valued, asked)
    for by in (asked.by,) if asked.by else _parts_of(asked.plan_id):
        periods = [valued.by_part(by, span) for span in (before, after)]
        if all(periods):
            return Change(subject, by, before, after, decompose(measure, periods[0], periods[1]))
    if asked.by:
        raise Refused("triage.parts_do_not_fit", by=say(f"triage.about.{asked.by}"))
    whole = [valued.whole(span) for span in (before, after)]
    return Change(subject, None, before, after, decompose(measure, whole[0], whole[1]))


def rounded(change: Change) -> dict[Factor, str]:
    """The effects as decimal strings, money in yuan, that add up to the difference of the rounded ends exactly."""
    found = change.found
    unit = Fraction(1, 10**PLACES) if found.measure.is_ratio else Fraction(1)
    total = round(found.after / unit) - round(found.before / unit)
    whole = in_step([effect.amount / unit for effect in found.effects], total)
    return {one.factor: _text(found.measure, amount * unit) for one, amount in zip(found.effects, whole, strict=True)}


def rounded_parts(change: Change) -> dict[Subject, dict[Factor, str]]:
    """The effects by part, which add up to the rounded effects exactly."""
    found, effects = change.found, rounded(change)
    unit = Fraction(1, 10**PLACES) if found.measure.is_ratio else Fraction(1)
    subjects = list(found.parts)
    told: dict[Subject, dict[Factor, str]] = {subject: {} for subject in subjects}
    for factor, text in effects.items():
        total = Fraction(text) / unit if found.measure.is_ratio else Fraction(text) * YUAN
        exact = [found.parts[subject].get(factor, Fraction()) / unit for subject in subjects]
        for subject, amount in zip(subjects, in_step(exact, int(total)), strict=True):
            told[subject][factor] = _text(found.measure, amount * unit)
    return told


def headline(change: Change) -> str:
    """The change in a sentence, with the two strongest effects; those beyond the luck of days come first."""
    found = change.found
    strongest = sorted(found.strongest, key=lambda effect: effect.beyond_swing is False)[:2]
    key = "steady" if not strongest else "rose" if found.change > 0 else "fell"
    ends = [shown(found.measure, end) for end in (found.before, found.after)]
    why = say("triage.list").join(f"{effect_name(one)} {signed(found.measure, one.amount)}" for one in strongest)
    measure = say(f"triage.measure.{found.measure}")
    difference = signed(found.measure, found.change)
    return say(f"triage.change.{key}", measure=measure, before=ends[0], after=ends[1], difference=difference, why=why)


def effect_name(effect: Effect) -> str:
    """An effect's factor, with those that are in it because they cannot be told apart."""
    names = [say(f"triage.factor.{factor}") for factor in (effect.factor, *effect.merged)]
    return (
        names[0] if len(names) == 1 else say("triage.merged", name=names[0], others=say("triage.list").join(names[1:]))
    )


def shown(measure: Measure, value: Fraction) -> str:
    """A value for a person: an ROI with two decimals, money in whole fen."""
    return (f"{float(value):.2f}" if measure.is_ratio else yuan_text(value)).replace("-", "−")


def signed(measure: Measure, value: Fraction) -> str:
    """A difference for a person."""
    text = shown(measure, abs(value))
    return text if not Fraction(text.replace(",", "")) else f"{'−' if value < 0 else '+'}{text}"


def _text(measure: Measure, amount: Fraction) -> str:
    return str(ratio_text(amount, PLACES)) if measure.is_ratio else yuan(int(amount))


def _measure(history: History, plan_id: str) -> Measure:
    setting = history.plans[plan_id].setting if plan_id else None
    return _OF_GOAL[setting.goal] if setting else Measure.NET_ROI


def _parts_of(plan_id: str) -> tuple[About, ...]:
    return (About.PRODUCT, About.PLACEMENT, About.CREATIVE) if plan_id else (About.PLAN, About.PRODUCT)


@dataclass(frozen=True, slots=True)
class _Valued:
    """The figures of a subject by day; for profit, what is not known yet of the contribution is filled in by what a
    yuan is worth.
    """

    history: History
    subject: Subject
    worth: Worth
    measure: Measure

    def whole(self, span: Span) -> dict[date, dict[Subject, Figures]]:
        """The whole as its own only part."""
        days = self.history.each(self.subject, *span)
        return {day: {self.subject: self._filled(figures)} for day, figures in sorted(days.items())}

    def by_part(self, by: About, span: Span) -> dict[date, dict[Subject, Figures]]:
        """Its parts, and the rest, which together are the whole of every day; nothing if they cannot be."""
        subjects = list(self._subjects(by))
        told: dict[date, dict[Subject, Figures]] = {}
        for day, whole in sorted(self.history.each(self.subject, *span).items()):
            parts = {one: self.history.days[one][day] for one in subjects if day in self.history.days[one]}
            rest = _less(whole, add(parts.values()))
            if len(subjects) < 2 or any((getattr(rest, name) or 0) < 0 for name in ("spend", "gmv")):
                return {}
            if any(getattr(rest, name) for name in FIGURES):
                parts[REST] = rest
            told[day] = {one: self._filled(figures) for one, figures in parts.items()}
        return told

    def last_known(self) -> date | None:
        """The last whole day of which the measure's value is known."""
        days = self.history.days.get(self.subject, {})
        known = [day for day, figures in days.items() if day < self.history.today and self._has_value(figures)]
        return max(known, default=None)

    def _has_value(self, figures: Figures) -> bool:
        return getattr(self._filled(figures), _VALUE[self.measure]) is not None and figures.spend is not None

    def _subjects(self, by: About) -> Iterator[Subject]:
        """The parts of a plan; of a shop its plans, or the parts of all its plans."""
        shop = self.subject.about is About.SHOP
        inside = list(self.history.plans) if shop and by is not About.PLAN else []
        for plan in inside or ["" if shop else self.subject.id]:
            yield from self.history.of(by, plan)

    def _filled(self, figures: Figures) -> Figures:
        if self.measure is not Measure.PROFIT:
            return figures
        return replace(figures, contribution=self.worth.contribution(figures))


def _less(whole: Figures, parts: Figures) -> Figures:
    """What is left of the whole; `None` where either does not know it."""
    pairs = {name: (getattr(whole, name), getattr(parts, name)) for name in FIGURES}
    return Figures(**{name: None if None in pair else pair[0] - pair[1] for name, pair in pairs.items()})


def _spans(valued: _Valued, asked: Comparison) -> tuple[Span, Span]:
    after = asked.after or _latest(valued)
    length = (after[1] - after[0]).days + 1
    before = asked.before or (after[0] - timedelta(days=length), after[0] - timedelta(days=1))
    for first, last in (before, after):
        if not valued.history.each(valued.subject, first, last):
            raise Refused("triage.nothing_known", first=first, last=last)
    return before, after


def _latest(valued: _Valued) -> Span:
    """The last seven days of which the measure is known, or half of those there are."""
    last = valued.last_known()
    days = valued.history.days.get(valued.subject, {})
    if last is None:
        raise Refused("triage.value_unknown", measure=say(f"triage.measure.{valued.measure}"))
    length = max(1, min(USUAL_DAYS, ((last - min(days)).days + 1) // 2))
    return last - timedelta(days=length - 1), last


def waterfall(change: Change, width: int = 32) -> list[tuple[Effect | None, str]]:
    """The way from the first value to the last as bars of characters: the ends (`None`) from zero, effects between."""
    found = change.found
    levels = [found.before]
    for effect in found.effects:
        levels.append(levels[-1] + effect.amount)
    low, high = min(Fraction(), *levels), max(Fraction(), *levels)
    scale = width / (high - low) if high > low else Fraction()
    rows: list[tuple[Effect | None, str]] = [(None, _bar((Fraction(), found.before), low, scale, "█"))]
    for effect, (start, end) in zip(found.effects, pairwise(levels), strict=True):
        rows.append((effect, _bar((start, end), low, scale, "+" if end > start else "−")))
    return [*rows, (None, _bar((Fraction(), found.after), low, scale, "█"))]


def _bar(ends: tuple[Fraction, Fraction], low: Fraction, scale: Fraction, sign: str) -> str:
    start, end = sorted(round((one - low) * scale) for one in ends)
    return " " * start + sign * (end - start or int(ends[0] != ends[1]))
