"""Histories for tests: a shop of one plan whose days are all alike unless said otherwise."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from qianheng.core.money import YUAN
from qianheng.measures.history import About, History, PlanHistory, Setting, ShopHistory, Subject
from qianheng.measures.reports import Figures
from qianheng.plans.plan import Goal, PlanKind

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
SHOP, PLAN = Subject(About.SHOP, "1"), Subject(About.PLAN, "7", "spring")


def yuan(**amounts: int) -> Figures:
    """Figures in whole yuan; counts as they are."""
    counts = ("orders", "impressions", "clicks", "promoted_orders")
    return Figures(**{name: value if name in counts else value * YUAN for name, value in amounts.items()})


def days_of(told: Figures, days: int = 30) -> dict[Any, Figures]:
    return {NOW.date() - timedelta(days=back): told for back in range(days, 0, -1)}


def settings(*made: tuple[int, Goal, str | None], budget: int = 1000) -> tuple[Setting, ...]:
    """Settings as (days ago, goal, target)."""
    return tuple(
        Setting(
            NOW - timedelta(days=back),
            goal,
            target=None if target is None else Decimal(target),
            budget_daily=budget * YUAN,
        )
        for back, goal, target in made
    )


def history(
    told: Figures, days: int = 30, plan: Mapping[str, Any] | None = None, parts: Iterable[Any] = (), **shop: Any
) -> History:
    """A shop of one plan; `plan` are fields of its history, `parts` (subject, days) of other subjects."""
    of_plan = PlanHistory(
        PLAN,
        PlanKind.PRODUCT,
        settings=settings((60, Goal.PAYMENT, "3.0")),
        began=NOW.date() - timedelta(days=days),
    )
    of_plan = replace(of_plan, **(plan or {}))
    each = days_of(told, days)
    return History(
        "run", ShopHistory("1", **shop), "UTC", NOW, {SHOP: each, PLAN: each} | dict(parts), {}, {"7": of_plan}
    )
