"""Promotions: which are coming, and the dated changes of a plan's target before, in and after one (SPEC 7.4, 4.8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Literal

from qianheng.core.days import midnight
from qianheng.core.errors import BadInput
from qianheng.core.money import Micros
from qianheng.core.tables import build, read_toml
from qianheng.guarantee.policy import Rules as GuaranteeRules
from qianheng.measures.history import History, PlanHistory, Subject
from qianheng.plans.plan import Value
from qianheng.strategy.rules import PromotionRules, TargetRules
from qianheng.strategy.targets import Known, cents, known_of, lost_daily

SHIPPED = Path(__file__).with_name("promotions.toml")
Why = Literal["test", "start", "end"]
Skipped = Literal["no_target", "no_base"]


@dataclass(frozen=True, slots=True)
class Title:
    """What a promotion is called, in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion and its days, first and last, of each year known."""

    name: str
    title: Title
    days: tuple[tuple[date, date], ...]

    def __post_init__(self) -> None:
        for first, last in self.days:
            if last < first:
                raise BadInput("advice.rules.days_reversed", place=self.name, first=first, last=last)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The promotions known."""

    promotions: tuple[Promotion, ...]


@dataclass(frozen=True, slots=True)
class Coming:
    """A promotion that is on or coming, with its days of this time."""

    name: str
    title: Title
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Step:
    """A change of a plan at a time, and what it is for. `voids`: the guarantee of its day is lost by it, whatever the
    hour; `lost_daily`: what a day loses where the target is below breakeven (micro-yuan, `None`: nothing, or unknown).
    """

    at: datetime
    why: Why
    after: Mapping[str, Value]
    voids: bool = False
    lost_daily: Micros | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a plan does around a promotion; without steps it says why. `floor`: the lowest target while it lasts."""

    plan: Subject
    floor: Fraction | None
    steps: tuple[Step, ...]
    skipped: Skipped | None = None


@dataclass(frozen=True, slots=True)
class PromotionAdvice:
    """What is coming, and the schedule of every plan for the first of it; `known_to`: the calendar's last day."""

    coming: tuple[Coming, ...]
    schedules: tuple[Schedule, ...]
    known_to: date | None


def calendar(path: Path | None = None) -> Calendar:
    """The promotions of a TOML file, or those shipped. Unknown key, days reversed: BadInput."""
    place = path or SHIPPED
    return build(Calendar, read_toml(place), str(place))


def coming(known: Calendar, today: date, look_ahead_days: int) -> tuple[Coming, ...]:
    """The promotions that are on or begin within so many days, the first first."""
    soon = today + timedelta(days=look_ahead_days)
    found = [
        Coming(one.name, one.title, first, last)
        for one in known.promotions
        for first, last in one.days
        if last >= today and first <= soon
    ]
    return tuple(sorted(found, key=lambda one: (one.first, one.name)))


@dataclass(frozen=True, slots=True)
class Terms:
    """What a schedule is made by: the rules of promotions and targets, and each plan's guarantee (by its id)."""

    promotion: PromotionRules
    target: TargetRules
    guarantees: Mapping[str, GuaranteeRules]


def advise_promotion(history: History, known: Calendar, terms: Terms, name: str = "") -> PromotionAdvice:
    """What is coming, and the schedules for the first of it or for the one of a name. None of that name: BadInput."""
    ahead = coming(known, history.today, terms.promotion.look_ahead_days)
    if name and all(one.name != name for one in known.promotions):
        names = ", ".join(one.name for one in known.promotions)
        raise BadInput("advice.no_promotion", place="--promotion", value=name, known=names)
    if name:
        far = coming(known, history.today, (date.max - history.today).days)
        ahead = tuple(one for one in far if one.name == name)
    schedules = [schedule(history, plan, ahead[0], terms) for plan in history.plans.values()] if ahead else []
    last = max((last for one in known.promotions for _, last in one.days), default=None)
    return PromotionAdvice(ahead, tuple(schedules), last)


def schedule(history: History, plan: PlanHistory, promotion: Coming, terms: Terms) -> Schedule:
    """The changes of one plan around a promotion: none before `now`, the guarantee's gaps kept between them."""
    known = known_of(history, plan, terms.target)
    if known.current is None:
        return Schedule(plan.subject, None, (), "no_target")
    if known.base is None:
        return Schedule(plan.subject, None, (), "no_base")
    floor = known.base * Fraction(terms.promotion.floor)
    steps = [step for step in _steps(history, known, promotion, terms.promotion) if step.at >= history.now]
    return Schedule(plan.subject, floor, tuple(_guarded(steps, plan, terms.guarantees.get(plan.subject.id))))


def _steps(history: History, known: Known, promotion: Coming, rules: PromotionRules) -> Iterator[Step]:
    current = known.current or Fraction(0)
    begins = max(midnight(promotion.first, history.timezone), history.now)
    tests = midnight(promotion.first - timedelta(days=rules.test_days), history.timezone)
    tests = max(tests + timedelta(hours=rules.test_hour), history.now)
    if begins - tests >= timedelta(days=rules.least_test_days):
        yield _step(known, tests, "test", {"target": cents(current * Fraction(rules.test_at))})
    target = cents(_while_it_lasts(known, current, rules))
    lowered = {"target": target} if Fraction(target) < current else {}
    yield _step(known, begins, "start", {**lowered, "pace": rules.pace})
    ends = midnight(promotion.last + timedelta(days=1), history.timezone)
    yield Step(ends, "end", {**({"target": cents(current)} if lowered else {}), "pace": "normal"})


def _while_it_lasts(known: Known, current: Fraction, rules: PromotionRules) -> Fraction:
    """The floor, or what breaks even where that is above it and still lowers the target."""
    floor = (known.base or current) * Fraction(rules.floor)
    least = known.breakeven.on(known.goal)
    return least if least is not None and floor < least < current else min(floor, current)


def _step(known: Known, at: datetime, why: Why, after: Mapping[str, Value]) -> Step:
    least, target = known.breakeven.on(known.goal), after.get("target")
    if least is None or not isinstance(target, Decimal) or Fraction(target) >= least:
        return Step(at, why, after)
    return Step(at, why, after, lost_daily=lost_daily(known, Fraction(target) / least))


def _guarded(steps: list[Step], plan: PlanHistory, rules: GuaranteeRules | None) -> Iterator[Step]:
    """The steps put off to the gap that the guarantee wants since the change before; one that no hour saves says so."""
    gap = timedelta(minutes=max((one.gap_minutes or 0 for one in rules.changes), default=0) if rules else 0)
    most = min((one.most_a_day for one in rules.changes if one.most_a_day is not None), default=None) if rules else None
    made = [one.at for one in plan.settings]
    for step in steps:
        at = max(step.at, made[-1] + gap) if made else step.at
        if "target" not in step.after:
            yield step
            continue
        same_day = sum(one.date() == at.date() for one in made[1:])  # the first setting is no change
        yield replace(step, at=at, voids=most is not None and same_day + 1 > most)
        made.append(at)
