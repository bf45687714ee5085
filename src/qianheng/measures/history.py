"""History: what all advice looks at, made alike of a run and of imported reports (SPEC 13.2).

Sums by subject and day, and by hour where asked; what each plan was set to; what is known of the shop. What is not
known is `None` and named in `missing`, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from qianheng.core.days import midnight
from qianheng.core.money import Micros
from qianheng.measures.reports import Figures, add, ratio_of
from qianheng.plans.plan import BidMode, Goal, PlanKind, PlanStatus


class About(StrEnum):
    """What figures can be of."""

    SHOP = "shop"
    PLAN = "plan"
    PRODUCT = "product"
    CREATIVE = "creative"
    PLACEMENT = "placement"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that figures are of. `within`: the plan whose part it is; "" for the same in all plans together."""

    about: About
    id: str
    name: str = field(default="", compare=False)
    within: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a plan was set to from a time on; `None` where it has none or none is known."""

    at: datetime
    goal: Goal
    bid_mode: BidMode = BidMode.TARGET_ROI
    target: Decimal | None = None
    budget_daily: Micros | None = None
    status: PlanStatus = PlanStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class PlanHistory:
    """A plan and what it was set to, oldest first. `began`: the first day it spent, as far as is known."""

    subject: Subject
    kind: PlanKind
    policy: str | None = None
    settings: tuple[Setting, ...] = ()
    product_ids: tuple[str, ...] = ()
    room_id: str | None = None
    began: date | None = None

    @property
    def setting(self) -> Setting | None:
        """What it is set to now; `None` if unknown."""
        return self.settings[-1] if self.settings else None

    def set_at(self, at: datetime) -> Setting | None:
        """What it was set to at a time; `None` before the first setting known."""
        return next((one for one in reversed(self.settings) if one.at <= at), None)

    def set_in_evening(self, day: date, timezone: str) -> Setting | None:
        """What it was set to as a natural day ended."""
        return self.set_at(midnight(day + timedelta(days=1), timezone) - timedelta(microseconds=1))


@dataclass(frozen=True, slots=True)
class ShopHistory:
    """What is known of a shop. `margin` is its contribution before spend over settled GMV, `opened` its account's first
    day, `products` how many it sells, `balance` what it may spend.
    """

    id: str
    name: str = ""
    opened: date | None = None
    products: int | None = None
    margin: Fraction | None = None
    category: str | None = None
    balance: Micros | None = None
    commission_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What is known at `now`, and nothing that became known later.

    A plan's orders and GMV are those that count for it, the shop's are those of its plans together. A subject's days
    begin with the first that anything is known of; the day of `now` is not over. `missing` names inputs that are not
    known: fields of `ShopHistory`, of `Setting` and of `Figures`.
    """

    source: Literal["run", "reports"]
    shop: ShopHistory
    timezone: str
    now: datetime
    days: Mapping[Subject, Mapping[date, Figures]]
    hours: Mapping[Subject, Mapping[datetime, Figures]]
    plans: Mapping[str, PlanHistory]
    missing: frozenset[str] = frozenset()

    @property
    def today(self) -> date:
        """The natural day of `now`, which is not over."""
        return self.now.date()

    @property
    def whole_shop(self) -> Subject:
        """The shop as a subject."""
        return Subject(About.SHOP, self.shop.id, self.shop.name)

    def of(self, about: About, within: str = "") -> list[Subject]:
        """The subjects of a kind: of a plan's parts, or of all plans together."""
        return [subject for subject in self.days if subject.about is about and subject.within == within]

    def each(self, subject: Subject, first: date, last: date) -> dict[date, Figures]:
        """The figures of a subject's days from `first` to `last`, both included, of which anything is known."""
        return {day: told for day, told in self.days.get(subject, {}).items() if first <= day <= last}

    def whole(self, subject: Subject, first: date, last: date) -> Figures:
        """Those days together; what no day knows is `None`."""
        return add(self.each(subject, first, last).values())

    def back(self, days: int) -> tuple[date, date]:
        """The first and the last of the `days` whole days before today."""
        return self.today - timedelta(days=days), self.today - timedelta(days=1)

    def last(self, days: int, subject: Subject | None = None) -> Figures:
        """A subject (default: the shop) in the whole days before today together."""
        return self.whole(subject or self.whole_shop, *self.back(days))

    def ratio(self, numerator: str, denominator: str, days: int, subject: Subject | None = None) -> Fraction | None:
        """One ratio of sums over those of the last `days` whole days that know both figures; else `None`."""
        told: Iterable[Figures] = self.each(subject or self.whole_shop, *self.back(days)).values()
        return ratio_of(list(told), numerator, denominator)

    def plan_subject(self, plan_id: str) -> Subject:
        """A plan as a subject, whether anything is known of it or not."""
        return self.plans[plan_id].subject if plan_id in self.plans else Subject(About.PLAN, plan_id)
