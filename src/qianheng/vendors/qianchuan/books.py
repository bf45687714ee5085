"""What a vendor knows of an ad account and its server tells of it: plans, figures, the log of changes, money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from qianheng.core.money import Micros
from qianheng.measures.history import Subject
from qianheng.measures.reports import Figures
from qianheng.vendors.qianchuan.reading import AdPlan


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the log of changes: what was done to a plan, as sentences of before and after."""

    id: str
    at: datetime
    plan_id: str
    plan_name: str
    title: str
    content: tuple[str, ...]
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Money:
    """What an account paid and held on a day: `spend` of it out of credit; what came in; what was left at its end."""

    spend: Micros = 0
    credit_spend: Micros = 0
    came_in: Micros = 0
    cash: Micros = 0
    credit: Micros = 0


@dataclass(slots=True)
class Books:
    """An ad account as the vendor keeps it at `now()`. Plans and changes are what writes alter; the rest stays."""

    advertiser_id: str
    now: Callable[[], datetime]
    plans: dict[str, AdPlan]
    days: Mapping[Subject, Mapping[date, Figures]]
    hours: Mapping[Subject, Mapping[datetime, Figures]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    money: Mapping[date, Money] = field(default_factory=dict)
