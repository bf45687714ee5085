"""How a plan and a shop stood in some days: the figures that verdicts are given on, of a history (SPEC 11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from qianheng.core.money import Micros, ratio
from qianheng.diagnosis.verdicts import Thresholds, Verdict, verdicts
from qianheng.diagnosis.worth import Worth, worth_of
from qianheng.measures.history import History, PlanHistory, Setting
from qianheng.measures.reports import Figures, Summary, summed
from qianheng.plans.plan import Goal

GMV_OF = {Goal.PAYMENT: "gmv", Goal.NET: "net_gmv", Goal.SETTLED: "settled_gmv_7d"}


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    def before(self, days: int | None = None) -> Span:
        """The days just before it: as many, or so many."""
        last = self.first - timedelta(days=1)
        return Span(last - timedelta(days=(days or self.days) - 1), last)

    def each(self) -> list[date]:
        """Every one of the days."""
        return [self.first + timedelta(days=later) for later in range(self.days)]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a plan did in some days, what it was set to at their end, and what that means. `to_target`: its ROI over its
    weighted target, each day held to the target at its end; `budget`: of those days together; `None`: not known.
    """

    plan: PlanHistory
    summary: Summary
    setting: Setting | None
    to_target: Fraction | None
    budget: Micros | None
    verdicts: tuple[Verdict, ...]


def standing(history: History, plan: PlanHistory, span: Span, rules: Thresholds) -> Standing:
    """How a plan stood in some days."""
    told = history.each(plan.subject, span.first, span.last)
    set_to = _set_to(history, plan, span)
    to_target, budget = _to_target((told[day], set_to[day]) for day in told), _budget(set_to.values())
    found = verdicts(judged(history, plan, span), rules)
    return Standing(plan, summed(told.values()), set_to[span.last], to_target, budget, found)


def judged(history: History, plan: PlanHistory, span: Span) -> dict[str, Fraction | None]:
    """The figures of a plan in some days that verdicts are given on."""
    told = history.each(plan.subject, span.first, span.last)
    set_to = _set_to(history, plan, span)
    now, to_target = set_to[span.last], _to_target((told[day], set_to[day]) for day in told)
    goal = now.goal if now else None
    return {
        "net_roi_to_target": to_target if goal is Goal.NET else None,
        "payment_roi_to_target": to_target if goal is Goal.PAYMENT else None,
        **_of_any(worth_of(history, plan.subject), summed(told.values()), _budget(set_to.values())),
    }


def _set_to(history: History, plan: PlanHistory, span: Span) -> dict[date, Setting | None]:
    """What a plan was set to in the evening of each day."""
    return {day: plan.set_in_evening(day, history.timezone) for day in span.each()}


def shop_verdicts(history: History, span: Span, rules: Thresholds) -> tuple[Verdict, ...]:
    """What the whole shop's figures of some days mean."""
    sums = summed(history.each(history.whole_shop, span.first, span.last).values())
    budgets = [
        _budget(plan.set_in_evening(day, history.timezone) for day in span.each()) for plan in history.plans.values()
    ]
    known = [budget for budget in budgets if budget is not None]
    whole = sum(known) if known and len(known) == len(budgets) else None
    return verdicts(_of_any(worth_of(history, history.whole_shop), sums, whole), rules)


def _of_any(worth: Worth, sums: Summary, budget: Micros | None) -> dict[str, Fraction | None]:
    """Figures of a plan or a shop alike; where net GMV is not told, breakeven is that of GMV."""
    spend = sums.figures.spend
    rate, roi = (worth.rate, sums.net_roi) if sums.net_roi is not None else (worth.margin, sums.payment_roi)
    return {
        "refund_rate_1h": sums.refund_rate_1h,
        "spend_to_budget": None if spend is None or not budget else ratio(spend, budget),
        "net_roi_to_breakeven": None if rate is None or roi is None else rate * roi,
    }


def _budget(settings: Iterable[Setting | None]) -> Micros | None:
    """The daily budgets together; `None` if one is not known."""
    told = [one.budget_daily if one else None for one in settings]
    known = [one for one in told if one is not None]
    return sum(known) if known and len(known) == len(told) else None


def _to_target(days: Iterable[tuple[Figures, Setting | None]]) -> Fraction | None:
    """Σ GMV/target over Σ spend: the ROI over the weighted target (SPEC 5.2), of the days that know all three."""
    told = list(_held(days))
    return ratio(sum((gmv for gmv, _ in told), Fraction(0)), sum(spend for _, spend in told)) if told else None


def _held(days: Iterable[tuple[Figures, Setting | None]]) -> Iterator[tuple[Fraction, Micros]]:
    for figures, setting in days:
        name = GMV_OF.get(setting.goal) if setting and setting.target else None
        gmv = getattr(figures, name) if name else None
        if setting and setting.target and gmv is not None and figures.spend is not None:
            yield gmv / Fraction(setting.target), figures.spend
