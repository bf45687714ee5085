"""A case: one plan on one day, and everything known about it. All times are UTC microseconds, money is micro-yuan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from qianheng.core.days import SHANGHAI, microseconds, midnight
from qianheng.core.money import Micros
from qianheng.plans.plan import BidMode, Goal, PlanKind


class Event(StrEnum):
    """What may happen to a plan in its day, beside changes of its target."""

    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Unit:
    """What a guarantee is about: a plan × a natural day in its time zone."""

    plan_id: str
    day: date
    kind: PlanKind = PlanKind.PRODUCT
    bid_mode: BidMode = BidMode.TARGET_ROI
    timezone: str = SHANGHAI
    commission_rate: Decimal | None = None

    @property
    def window(self) -> tuple[int, int]:
        """The first instant of the day and that of the next; 23 to 25 hours apart where clocks change."""
        return start_of(self.day, self.timezone, 0), start_of(self.day, self.timezone, 1)


@lru_cache(maxsize=4096)
def start_of(day: date, timezone: str, days_later: int) -> int:
    """The first instant of the day that many days later, in UTC microseconds."""
    return microseconds(midnight(day + timedelta(days=days_later), timezone))


# The facts of a case are named tuples: they are made by the million, and a frozen dataclass takes three times as long.
class Target(NamedTuple):
    """A target saved for a plan. `value` may be `None` only where nothing is promised (profit, maximum delivery)."""

    at: int
    goal: Goal
    value: Fraction | None


class PlanEvent(NamedTuple):
    """A pause, a restart or the deletion of a plan."""

    at: int
    type: Event


class Charge(NamedTuple):
    """Money spent. `boost` names the kind of boost that drove it, if any."""

    id: str
    at: int
    amount: Micros
    boost: str | None = None


class Refund(NamedTuple):
    """Money given back for an order."""

    id: str
    at: int
    amount: Micros


class Order(NamedTuple):
    """A paid order with its refunds. `flagged`: judged abnormal by the platform."""

    id: str
    at: int
    amount: Micros
    boost: str | None = None
    flagged: bool = False
    refunds: tuple[Refund, ...] = ()


class Log(NamedTuple):
    """What was done to a plan: the targets saved, in any order, and its events."""

    targets: tuple[Target, ...]
    events: tuple[PlanEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A unit with its log and its facts in file order, and the time it is looked at. `policy` is a name or a file."""

    policy: str
    unit: Unit
    log: Log
    charges: tuple[Charge, ...]
    orders: tuple[Order, ...]
    now: int
