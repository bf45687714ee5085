"""Histories of a small shop whose days can be worked out by hand."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from qianheng.core.money import YUAN
from qianheng.measures.history import About, History, PlanHistory, Setting, ShopHistory, Subject
from qianheng.measures.reports import Figures
from qianheng.plans.plan import BidMode, Goal, PlanKind
from qianheng.strategy.landscape import Landscape, Market, Response, Shares, Spread, Swing

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = date(2025, 10, 1)
NOW = datetime(2025, 10, 29, tzinfo=ZONE)  # a Wednesday, four whole weeks later

Sold = Callable[[int], tuple[float, float]]  # number of a day → its spend and GMV in yuan


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def at(number: int, hour: int = 0) -> datetime:
    return datetime(2025, 10, 1, hour, tzinfo=ZONE) + timedelta(days=number)


def figures(spend: float, gmv: float, **more: Any) -> Figures:
    return Figures(spend=round(spend * YUAN), gmv=round(gmv * YUAN), orders=round(gmv / 50), **more)


def setting(number: int = 0, **changed: Any) -> Setting:
    told: dict[str, Any] = {"goal": Goal.PAYMENT, "target": Decimal("2.00"), "budget_daily": 1000 * YUAN}
    return Setting(at(number), **{**told, **changed})


def history(
    plans: Mapping[str, Sold], settings: Mapping[str, tuple[Setting, ...]] | None = None, **shop: Any
) -> History:
    """Four weeks of some plans of a shop that keeps half of its GMV before spend."""
    subjects = {plan_id: Subject(About.PLAN, plan_id, f"plan {plan_id}") for plan_id in plans}
    sold = {subjects[plan_id]: {day(n): figures(*of(n)) for n in range(28)} for plan_id, of in plans.items()}
    whole = {
        day(n): figures(sum(of(n)[0] for of in plans.values()), sum(of(n)[1] for of in plans.values()))
        for n in range(28)
    }
    told: dict[str, Any] = {"id": "1", "margin": Fraction(1, 2), **shop}
    return History(
        source="run",
        shop=ShopHistory(**told),
        timezone="Asia/Shanghai",
        now=NOW,
        days={**sold, Subject(About.SHOP, "1"): whole},
        hours={},
        plans={
            plan_id: PlanHistory(
                subject, PlanKind.PRODUCT, "seed", (settings or {}).get(plan_id, (setting(),)), began=FIRST
            )
            for plan_id, subject in subjects.items()
        },
    )


def landscape(contribution: float | None = 0.5) -> Landscape:
    """GMV is 40 · √spend in yuan: at target 2 a day spends 400 and sells 800; profit is highest at a spend of 100.

    Every day is as foreseen but for the chance of single orders.
    """
    spend = np.geomspace(0.01, 5000.0, 400) * YUAN
    response = Response.of(spend, 40 * np.sqrt(spend / YUAN) * YUAN, 50 * YUAN)
    market = Market(response, Shares(1.0, 1.0, 0.0, contribution), Goal.PAYMENT, BidMode.TARGET_ROI)
    as_foreseen = Spread(Swing(0, 0, 0), Swing(0, 0, 0), 0, 0, 0, 0.0, 0, 28)
    return Landscape(market, as_foreseen, (100 * YUAN, 600 * YUAN))
