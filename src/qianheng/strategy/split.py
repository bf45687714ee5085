"""How to split a shop's budget between payment and net, by the stage of its account (SPEC 7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from qianheng.core.money import Micros
from qianheng.measures.history import History, PlanHistory, Subject
from qianheng.plans.plan import PlanStatus
from qianheng.strategy.rules import SplitRules, Stage

Track = Literal["payment", "net", "settled", "other_goals", "steady", "volume"]


@dataclass(frozen=True, slots=True)
class Part:
    """A track's share of the budget, and what that is a day (micro-yuan; `None` where the budget is not known)."""

    track: Track
    share: Fraction
    amount: Micros | None


@dataclass(frozen=True, slots=True)
class Split:
    """A way to split the budget: its key in `advice.split`, whether it is the one advised, and its two parts."""

    key: str
    advised: bool
    parts: tuple[Part, Part]


@dataclass(frozen=True, slots=True)
class PlanWeek:
    """The week of its life a plan is in, from 1, and what that asks of it (a key of `advice.week`)."""

    plan: Subject
    week: int
    key: Literal["exploration", "stable", "mature"]


@dataclass(frozen=True, slots=True)
class SplitAdvice:
    """How to split the daily `budget`, which is that of the plans, or the mean daily spend where none is known."""

    stage: str | None
    account_age: int | None
    budget: Micros | None
    budget_is: Literal["budgets", "mean_spend"] | None
    splits: tuple[Split, ...]
    weeks: tuple[PlanWeek, ...]
    missing: tuple[str, ...]


def advise_split(history: History, rules: SplitRules, days: int = 7) -> SplitAdvice:
    """How to split the shop's budget, in yuan of it."""
    opened = history.shop.opened
    age = None if opened is None else (history.today - opened).days
    stage = None if age is None else stage_of(age, rules)
    budget, budget_is = _budget(history, days)
    splits: list[Split] = []
    for one in rules.stages:
        splits.append(_split(f"{one.name}", one is stage, ("payment", "net"), (one.payment, budget)))
        if one.variant is not None:
            splits.append(_split(f"{one.name}_variant", False, ("payment", "net"), (one.variant, budget)))
    splits.append(_split("settled", False, ("settled", "other_goals"), (rules.plan_weeks.settled, budget)))
    splits.append(_split("steady", False, ("steady", "volume"), (rules.other.steady, budget)))
    missing = [name for name, value in (("opened", opened), ("budget_daily", budget)) if value is None]
    weeks = tuple(week for plan in history.plans.values() if (week := _week(history, plan, rules)) is not None)
    return SplitAdvice(
        None if stage is None else stage.name, age, budget, budget_is, tuple(splits), weeks, tuple(missing)
    )


def stage_of(age: int, rules: SplitRules) -> Stage:
    """The stage of an account of so many days; a limit belongs to the stage above it."""
    return next(one for one in rules.stages if one.below is None or age < one.below)


def _budget(history: History, days: int) -> tuple[Micros | None, Literal["budgets", "mean_spend"] | None]:
    settings = [plan.set_at(history.now) for plan in history.plans.values()]
    budgets = [one.budget_daily for one in settings if one is not None and one.status is PlanStatus.ACTIVE]
    if budgets and all(one is not None for one in budgets):
        return sum(one or 0 for one in budgets), "budgets"
    spends = [one.spend for one in history.each(history.whole_shop, *history.back(days)).values()]
    known = [one for one in spends if one is not None]
    return (sum(known) // len(known), "mean_spend") if known else (None, None)


def _split(key: str, advised: bool, tracks: tuple[Track, Track], of: tuple[object, Micros | None]) -> Split:
    """Two parts that add up exactly to the budget."""
    share, budget = Fraction(str(of[0])), of[1]
    first = None if budget is None else round(share * budget)
    second = None if budget is None or first is None else budget - first
    return Split(key, advised, (Part(tracks[0], share, first), Part(tracks[1], 1 - share, second)))


def _week(history: History, plan: PlanHistory, rules: SplitRules) -> PlanWeek | None:
    if plan.began is None:
        return None
    age = (history.today - plan.began).days
    weeks = rules.plan_weeks
    key: Literal["exploration", "stable", "mature"] = "mature"
    if age < weeks.stable_days:
        key = "exploration" if age < weeks.exploration_days else "stable"
    return PlanWeek(plan.subject, age // 7 + 1, key)
