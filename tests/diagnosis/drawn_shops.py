"""A made-up shop's history by the hour: counts drawn about what is usual, and whatever a test does to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from qianheng.core.money import YUAN
from qianheng.measures.history import About, History, PlanHistory, Setting, ShopHistory, Subject
from qianheng.measures.reports import Figures, add
from qianheng.plans.plan import Goal, PlanKind

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2025, 10, 1, tzinfo=ZONE)
SHOP, PLAN, LIVE = Subject(About.SHOP, "1"), Subject(About.PLAN, "1", "推商品"), Subject(About.PLAN, "2", "推直播间")
PRODUCTS = ("11", "12", "13")
ON_AIR = range(14, 22)


@dataclass(frozen=True, slots=True)
class Hour:
    """What is usual of a product in a plan in an hour; a test may change it."""

    impressions: float = 200.0
    ctr: float = 0.05
    cvr: float = 0.1
    price: float = 0.045  # yuan an impression
    order: float = 100.0  # yuan
    refunds: float = 0.15
    unpromoted: float = 1.0  # factor


Change = Callable[[datetime, str, str, Hour], Hour]  # at, plan, product, what is usual


def unchanged(at: datetime, plan: str, product: str, hour: Hour) -> Hour:
    """Everything is well."""
    return hour


@dataclass(frozen=True, slots=True)
class Drawn:
    """A history of some days and hours, drawn by a seed; `settings` of the product plan beside its first."""

    days: int = 17
    hours: int = 0
    change: Change = unchanged
    seed: int = 1
    settings: tuple[Setting, ...] = ()
    plans: tuple[str, ...] = ("1", "2")
    extra: Mapping[str, PlanHistory] = field(default_factory=dict)

    def history(self) -> History:
        """The history by hour and by day."""
        hours: dict[Subject, dict[datetime, Figures]] = {}
        draw = np.random.default_rng(self.seed)
        for number in range(self.days * 24 + self.hours):
            self._hour(FIRST + timedelta(hours=number), draw, hours)
        now = FIRST + timedelta(days=self.days, hours=self.hours)
        shop = ShopHistory("1", "小满女装")
        return History("run", shop, "Asia/Shanghai", now, _days(hours), hours, self._plans())

    def _hour(self, at: datetime, draw: np.random.Generator, found: dict[Subject, dict[datetime, Figures]]) -> None:
        told = []
        for plan in self.plans:
            usual = Hour(
                impressions=(200.0 if at.hour in ON_AIR else 0.0) if plan == "2" else 200.0 if at.hour > 6 else 30.0
            )
            for product in PRODUCTS:
                figures = _drawn(self.change(at, plan, product, usual), draw)
                found.setdefault(Subject(About.PRODUCT, product, within=plan), {})[at] = figures
                found.setdefault(Subject(About.CREATIVE, f"{product}01", within=plan), {})[at] = figures
                told.append((plan, figures))
            found.setdefault(PLAN if plan == "1" else LIVE, {})[at] = add(one for of, one in told if of == plan)
        for product in PRODUCTS:
            free = int(draw.poisson(0.5 * self.change(at, "", product, Hour()).unpromoted))
            found.setdefault(Subject(About.PRODUCT, product), {})[at] = Figures(unpromoted_orders=free)
        found.setdefault(SHOP, {})[at] = add(one for _, one in told)

    def _plans(self) -> dict[str, PlanHistory]:
        first = Setting(FIRST, Goal.NET, budget_daily=100 * YUAN)
        known = {
            "1": PlanHistory(PLAN, PlanKind.PRODUCT, "seed", (first, *self.settings), PRODUCTS, None, FIRST.date()),
            "2": PlanHistory(LIVE, PlanKind.LIVE, "seed", (first,), PRODUCTS, "1", FIRST.date()),
        }
        return {id_: known[id_] for id_ in self.plans} | dict(self.extra)


def _drawn(usual: Hour, draw: np.random.Generator) -> Figures:
    impressions = int(draw.poisson(usual.impressions))
    clicks = int(draw.binomial(impressions, usual.ctr))
    orders = int(draw.binomial(clicks, min(usual.cvr, 1.0)))
    amounts = [round(usual.order * draw.uniform(0.85, 1.15) * 100) * (YUAN // 100) for _ in range(orders)]
    back = sum(amount for amount in amounts if draw.random() < usual.refunds)
    spend = round(impressions * usual.price * float(np.exp(draw.normal(0, 0.1))) * YUAN)
    return Figures(
        spend=spend,
        boosted_spend=0,
        impressions=impressions,
        clicks=clicks,
        orders=orders,
        promoted_orders=orders,
        gmv=sum(amounts),
        refunded_1h=back,
    )


def _days(hours: dict[Subject, dict[datetime, Figures]]) -> dict[Subject, dict[date, Figures]]:
    found: dict[Subject, dict[date, list[Figures]]] = {}
    for subject, told in hours.items():
        for at, figures in told.items():
            found.setdefault(subject, {}).setdefault(at.date(), []).append(figures)
    return {subject: {day: add(parts) for day, parts in told.items()} for subject, told in found.items()}
