"""A shop's history by hand: some plans with the same day again and again, or other days where a test says so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from qianheng.measures.history import About, History, PlanHistory, Setting, ShopHistory, Subject
from qianheng.measures.reports import Figures, add
from qianheng.plans.plan import Goal, PlanKind

YUAN = 1_000_000
NOW = datetime(2025, 10, 15, tzinfo=ZoneInfo("Asia/Shanghai"))
TODAY = NOW.date()


def day(spend: int = 1000, orders: int = 40, value: int = 60, kept: str = "0.9", **told: int | None) -> Figures:
    """A usual day of a plan, money in yuan: cpm 20, click rate 4 %, conversion 2 %."""
    gmv = orders * value * YUAN
    usual = Figures(
        spend=spend * YUAN,
        orders=orders,
        gmv=gmv,
        net_gmv=int(gmv * Fraction(kept)),
        refunded_1h=gmv - int(gmv * Fraction(kept)),
        impressions=spend * 50,
        clicks=spend * 2,
        promoted_orders=orders,
        promoted_gmv=gmv,
    )
    return replace(usual, **told)


def days(*told: Figures, until: date = TODAY) -> dict[date, Figures]:
    """These days, the last of them the day before `until`."""
    return {until - timedelta(days=len(told) - i): figures for i, figures in enumerate(told)}


def plan(id_: str, name: str = "", began: date = date(2025, 8, 1), kind: PlanKind = PlanKind.PRODUCT) -> PlanHistory:
    first = datetime(began.year, began.month, began.day, tzinfo=NOW.tzinfo)
    setting = Setting(first, Goal.NET, target=Decimal("2.4"), budget_daily=1000 * YUAN)
    return PlanHistory(Subject(About.PLAN, id_, name or f"plan {id_}"), kind, "seed", (setting,), began=began)


def shop(
    plans: Mapping[str, Mapping[date, Figures]],
    margin: str | None = "0.5",
    **known: PlanHistory | Mapping[date, Figures],
) -> History:
    """A shop of plans told by day. known: plans by `plan_ID` where they are not usual ones."""
    histories = {id_: known.get(f"plan_{id_}") or plan(id_) for id_ in plans}
    told = {one.subject: dict(plans[id_]) for id_, one in histories.items() if isinstance(one, PlanHistory)}
    every = sorted({day for by_day in plans.values() for day in by_day})
    told[Subject(About.SHOP, "1", "shop")] = {
        one: add(by_day[one] for by_day in plans.values() if one in by_day) for one in every
    }
    return History(
        source="run",
        shop=ShopHistory("1", "shop", margin=None if margin is None else Fraction(margin)),
        timezone="Asia/Shanghai",
        now=NOW,
        days=told,
        hours={},
        plans={id_: one for id_, one in histories.items() if isinstance(one, PlanHistory)},
    )


def with_parts(history: History, parts: Mapping[Subject, Mapping[date, Figures]]) -> History:
    """The same shop with parts of its plans told too."""
    return replace(history, days={**history.days, **parts})
