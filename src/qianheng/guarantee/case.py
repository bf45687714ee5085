"""A case: a unit, and everything known about it. All times are UTC microseconds, money is micro-yuan.

A unit is a plan's day, a boost, or a week of a plan under maximum delivery (SPEC 5.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar, Literal, NamedTuple, TypeAlias

from qianheng.core.days import SHANGHAI, microseconds, midnight
from qianheng.core.errors import BadInput
from qianheng.core.money import Micros
from qianheng.plans.plan import BidMode, Goal, PlanKind

UnitType: TypeAlias = Literal["plan_day", "boost", "week"]
_ONE_DAY = timedelta(days=1)


class Event(StrEnum):
    """What may happen to a plan or a boost, beside changes of its target.

    The last two are told of boosts: a change of the targeting, and of the target of the plan it belongs to.
    """

    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"
    FRAUD = "fraud"
    TARGETING_CHANGE = "targeting_change"
    PLAN_TARGET_CHANGE = "plan_target_change"


class Price(StrEnum):
    """What a boost may hold instead of an ROI: the spend on one conversion, in yuan (成交出价)."""

    CONVERSION = "conversion"


@dataclass(frozen=True, slots=True)
class Unit:
    """What a guarantee is about: here a plan × a natural day in its time zone. `rapid_boost`: one ran that day."""

    type: ClassVar[UnitType] = "plan_day"
    boosts_left_out: ClassVar[frozenset[str]] = frozenset({"plan", "creative"})

    plan_id: str
    day: date
    kind: PlanKind = PlanKind.PRODUCT
    bid_mode: BidMode = BidMode.TARGET_ROI
    timezone: str = SHANGHAI
    commission_rate: Decimal | None = None
    rapid_boost: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this unit from all others."""
        return self.plan_id, self.day

    @property
    def last_day(self) -> date:
        """The last of its days; `day` is the first."""
        return self.day

    @property
    def window(self) -> tuple[int, int]:
        """The first instant of the unit and that after it; a day has 23 to 25 hours where clocks change."""
        return start_of(self.day, self.timezone, 0), start_of(self.last_day, self.timezone, 1)

    @property
    def day_windows(self) -> list[tuple[int, int]]:
        """The window of each of its days."""
        count = (self.last_day - self.day).days + 1
        starts = [start_of(self.day, self.timezone, later) for later in range(count + 1)]
        return list(pairwise(starts))


@dataclass(frozen=True, slots=True)
class BoostUnit(Unit):
    """A boost of creatives (素材追投): its first-spend day and the next. Its facts are those of the boost."""

    type: ClassVar[UnitType] = "boost"
    boosts_left_out: ClassVar[frozenset[str]] = frozenset({"plan"})

    boost_id: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this unit from all others."""
        return self.type, self.plan_id, self.boost_id, self.day

    @property
    def last_day(self) -> date:
        """The day after the first-spend day."""
        return self.day + _ONE_DAY


@dataclass(frozen=True, slots=True)
class WeekUnit(Unit):
    """A week of a plan under maximum delivery (放量). `first_spend_day`: of the plan, `None` if it is long ago.

    The first such week runs from the first-spend day to the Sunday of the following week, the others from Monday to
    Sunday. A `day` that begins no week: BadInput.
    """

    type: ClassVar[UnitType] = "week"

    first_spend_day: date | None = None

    def __post_init__(self) -> None:
        first, _ = week_of(self.day, self.first_spend_day)
        if self.day != first:
            raise BadInput("guarantee.case.no_week_begins", value=self.day, first=first)

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this unit from all others."""
        return self.type, self.plan_id, self.day

    @property
    def last_day(self) -> date:
        """Its Sunday."""
        return week_of(self.day, self.first_spend_day)[1]


def week_of(day: date, first_spend_day: date | None = None) -> tuple[date, date]:
    """The first and the last day of the week of maximum delivery that a day belongs to."""
    monday = day - timedelta(days=day.weekday())
    if first_spend_day is not None:
        second_sunday = first_spend_day + timedelta(days=13 - first_spend_day.weekday())
        if day <= second_sunday:
            return first_spend_day, second_sunday
    return monday, monday + timedelta(days=6)


@lru_cache(maxsize=4096)
def start_of(day: date, timezone: str, days_later: int) -> int:
    """The first instant of the day that many days later, in UTC microseconds."""
    return microseconds(midnight(day + timedelta(days=days_later), timezone))


# The facts of a case are named tuples: they are made by the million, and a frozen dataclass takes three times as long.
class Target(NamedTuple):
    """A target saved for a plan or a boost; of a week, the minimum expected ROI that was shown (预估ROI最低值).

    `value` may be `None` only where nothing is promised (profit, maximum delivery) or nothing was shown.
    """

    at: int
    goal: Goal | Price
    value: Fraction | None


class PlanEvent(NamedTuple):
    """Something that happened to a plan or a boost."""

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


class Budget(NamedTuple):
    """A daily budget saved, or shown suggestions that changed: the budget and the suggestions from then on."""

    at: int
    amount: Micros
    suggested: tuple[Micros, ...]


class DaySpend(NamedTuple):
    """What the whole ad account (all accounts of one company) spent in a day."""

    day: date
    amount: Micros


class Log(NamedTuple):
    """What was done to a plan: the targets saved, in any order, and its events; of a week, budgets and the account."""

    targets: tuple[Target, ...]
    events: tuple[PlanEvent, ...] = ()
    budgets: tuple[Budget, ...] = ()
    account_spend: tuple[DaySpend, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A unit with its log and its facts in file order, and the time it is looked at. `policy` is a name or a file."""

    policy: str
    unit: Unit
    log: Log
    charges: tuple[Charge, ...]
    orders: tuple[Order, ...]
    now: int
