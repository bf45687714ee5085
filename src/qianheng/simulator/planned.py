"""What a scenario's owner sets up and changes: its plans, as a person writes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from typing import Literal

from qianheng.core.days import HOUR, microseconds
from qianheng.core.errors import BadInput
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros, micros
from qianheng.core.placements import Placement
from qianheng.plans.boost import Boost, BoostKind
from qianheng.plans.plan import BidMode, Counting, Goal, Pace, Plan, PlanKind, PlanStatus, Value
from qianheng.plans.writing import written

Changed = Literal[
    "goal",
    "target",
    "budget_daily",
    "budget_weekly",
    "budget_total",
    "product_ids",
    "bid_mode",
    "status",
    "name",
    "placements",
    "pace",
    "roi_float",
    "schedule",
    "picks",
    "creative_ids",
]


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A change of a plan that the scenario makes at a time of a delivery day (from 1)."""

    day: int
    time: str
    field: Changed
    value: str

    def __post_init__(self) -> None:
        clock(self.time)
        self.parsed()

    def parsed(self) -> Value:
        """The value as a plan holds it: a target as a decimal, a budget in micro-yuan (`plans.writing`)."""
        return written(self.field, self.value)


@dataclass(frozen=True, slots=True)
class Promotion:
    """Delivery days (from 1, both included) of a promotion (大促)."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class PlannedBoost:
    """A boost that a plan's owner starts at a time of a delivery day (from 1); `budget` in 元."""

    day: int
    time: str
    hours: Decimal
    budget: Decimal
    kind: Literal["plan", "creative"] = "plan"
    target: Decimal | None = None
    creatives: tuple[int, ...] = ()
    policy: str = "none"

    def record(self, plan_id: int, number: int, starts: datetime) -> Boost:
        """The boost; `number` counts its plan's from 0. What a boost may not be: BadInput."""
        begins, length = microseconds(starts), int(self.hours * HOUR)
        return Boost(
            id=stable_id("boost", plan_id, number),
            plan_id=plan_id,
            kind=BoostKind[self.kind.upper()],
            budget=micros(str(self.budget)),
            starts=begins,
            ends=begins + length,
            target=self.target,
            creative_ids=self.creatives,
            policy=self.policy,
        )


@dataclass(frozen=True, slots=True)
class PlannedExperiment:
    """A test that a plan's owner starts as a delivery day (from 1) begins; the rest is as its template has it."""

    day: int
    template: str
    plan: int
    settings: dict[str, dict[str, str]] = field(default_factory=dict)  # by the arm's name
    effect: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PlannedPlan:
    """A plan of the scenario, as its owner would set it up; money in 元, a schedule as hours ("8-22")."""

    id: int
    shop: int
    name: str
    kind: Literal["product", "live", "super"]
    goal: Literal["payment", "net", "settled", "overall", "profit"]
    budget_daily: Decimal
    products: tuple[int, ...] = ()  # every product of the shop if none is named (全店推广)
    target: Decimal | None = None
    room: int | None = None
    rooms: tuple[int, ...] = ()
    bid_mode: Literal["target_roi", "max_delivery"] = "target_roi"
    counting: Literal["all", "attributed"] = "attributed"
    policy: str = "seed"
    commission_rate: Decimal = Decimal(0)
    placements: tuple[Literal["feed", "live_square", "mall", "search"], ...] = ()
    budget_weekly: Decimal | None = None
    budget_total: Decimal | None = None
    pace: Literal["slow", "normal", "fast"] = "normal"
    roi_float: bool = False
    schedule: str = ""
    picks: int = 0
    changes: tuple[PlannedChange, ...] = ()
    boosts: tuple[PlannedBoost, ...] = ()

    def record(self, ad_account_id: int, timezone: str, of_shop: tuple[int, ...]) -> Plan:
        """The plan as it stands at the start, active. What a plan may not be: BadInput. of_shop: all products."""
        return Plan(
            id=self.id,
            shop_id=self.shop,
            ad_account_id=ad_account_id,
            name=self.name,
            kind=PlanKind(self.kind),
            goal=Goal(self.goal),
            target=self.target,
            budget_daily=micros(str(self.budget_daily)),
            product_ids=self.products or of_shop,
            room_id=self.room,
            room_ids=self.rooms,
            bid_mode=BidMode(self.bid_mode),
            status=PlanStatus.ACTIVE,
            counting=Counting(self.counting),
            policy=self.policy,
            timezone=timezone,
            commission_rate=self.commission_rate,
            placements=tuple(sorted(Placement[name.upper()] for name in self.placements)),
            budget_weekly=_micros(self.budget_weekly),
            budget_total=_micros(self.budget_total),
            pace=Pace(self.pace),
            roi_float=self.roi_float,
            schedule=_schedule(self.schedule),
            picks=self.picks,
        )


@dataclass(frozen=True, slots=True)
class TimedChange:
    """What the scenario changes of a plan at a time: fields and values for `plans.plan.change`."""

    at: datetime
    plan_id: int
    after: dict[str, Value]


def clock(text: str) -> time:
    """A time of day written as "14:00". Anything else: BadInput."""
    try:
        return time.fromisoformat(text)
    except (TypeError, ValueError):
        raise BadInput("simulator.clock", value=text) from None


def _micros(amount: Decimal | None) -> Micros | None:
    return None if amount is None else micros(str(amount))


def _schedule(text: str) -> tuple[int, ...]:
    hours = written("schedule", text)
    assert isinstance(hours, tuple)  # by its kind
    return hours
