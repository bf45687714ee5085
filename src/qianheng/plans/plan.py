"""The plan and its changes: `apply(plan, change)` is the only way a plan comes to differ from what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, TypeAlias

from qianheng.core.days import SHANGHAI
from qianheng.core.errors import BadInput, Refused, raise_together
from qianheng.core.money import Micros
from qianheng.core.placements import Placement
from qianheng.plans.users import user_share


class PlanKind(StrEnum):
    """What a plan promotes: products (推商品), a live room (推直播间), or both with one budget (超级计划)."""

    PRODUCT = "product"
    LIVE = "live"
    SUPER = "super"


class Goal(StrEnum):
    """What a plan bids to (SPEC 1)."""

    PAYMENT = "payment"
    NET = "net"
    SETTLED = "settled"
    OVERALL = "overall"
    PROFIT = "profit"


class BidMode(StrEnum):
    """Hold the ROI target (控成本) or spend the budget (放量)."""

    TARGET_ROI = "target_roi"
    MAX_DELIVERY = "max_delivery"


class Counting(StrEnum):
    """Which orders count for a plan: all of its products or room, or those a promoted impression reached (SPEC 2)."""

    ALL = "all"
    ATTRIBUTED = "attributed"


class PlanStatus(StrEnum):
    """The life of a plan (SPEC 4.1)."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    DELETED = "deleted"


class Pace(StrEnum):
    """How soon the budget goes (一键调速, SPEC 4.8): rather later, as its worth says, rather now."""

    SLOW = "slow"
    NORMAL = "normal"
    FAST = "fast"


HOURS_OF_DAY = 24
ROI_FLOAT = Decimal("0.85")  # how far below its target an ROI may float for volume (SPEC 4.8)
Value: TypeAlias = "str | int | Decimal | tuple[int, ...] | None"


@dataclass(frozen=True, slots=True)
class Plan:
    """One budget and one goal over all placements. `target` is the ROI target of `goal`; `None` under max delivery and
    under the profit goal, which weighs money against money.

    Spend stays below `budget_daily` on every natural day and, where they are set, below `budget_weekly` in every week
    from Monday and below `budget_total` in the plan's life. Without `placements` it bids in all of them, without a
    `schedule` at every hour of the day (0–23); both are ascending. `roi_float` lets the ROI fall short of the target
    for volume (智能放量). A super plan promotes its products on their pages and, while they are on air, the rooms of
    `room_ids`, the shop's own and those of creators. With `picks` the system chooses hour by hour which of the products
    to show, that many at most (全店托管); without, all of them are, as their owner chose (自选). With `users`, the
    numbers of a `UserShare`, it bids for those only. With `creative_ids` it shows only those of a product's creatives;
    a product none of whose creatives is named shows them all.
    """

    id: int
    shop_id: int
    ad_account_id: int
    name: str
    kind: PlanKind
    goal: Goal
    target: Decimal | None
    budget_daily: Micros
    product_ids: tuple[int, ...]
    room_id: int | None = None
    bid_mode: BidMode = BidMode.TARGET_ROI
    status: PlanStatus = PlanStatus.DRAFT
    counting: Counting = Counting.ATTRIBUTED
    policy: str = "seed"
    timezone: str = SHANGHAI
    commission_rate: Decimal = Decimal(0)
    placements: tuple[Placement, ...] = ()
    budget_weekly: Micros | None = None
    budget_total: Micros | None = None
    pace: Pace = Pace.NORMAL
    roi_float: bool = False
    schedule: tuple[int, ...] = ()
    room_ids: tuple[int, ...] = ()
    picks: int = 0
    users: tuple[int, ...] = ()
    creative_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        raise_together([*_faults_of_aims(self), *_faults_of_limits(self)])

    @property
    def least_roi(self) -> Decimal | None:
        """The ROI kept: the target or, where it may float, what it may float down to; `None` without a target."""
        return self.target * ROI_FLOAT if self.target is not None and self.roi_float else self.target


def _faults_of_aims(plan: Plan) -> Iterator[BadInput]:
    if (plan.bid_mode is BidMode.TARGET_ROI and plan.goal is not Goal.PROFIT) != (plan.target is not None):
        yield BadInput("plans.target_and_mode")
    if plan.target is not None and not (plan.target.is_finite() and 0 < plan.target <= 1000):
        yield BadInput("plans.target_out_of_range", value=plan.target)
    if plan.roi_float and plan.target is None:
        yield BadInput("plans.nothing_to_float")
    if not plan.product_ids:
        yield BadInput("plans.no_products")
    if (plan.kind is PlanKind.LIVE) != (plan.room_id is not None):
        yield BadInput("plans.room_and_kind")
    if plan.room_ids and plan.kind is not PlanKind.SUPER:
        yield BadInput("plans.rooms_and_kind")


def _faults_of_limits(plan: Plan) -> Iterator[BadInput]:
    for name in ("budget_daily", "budget_weekly", "budget_total"):
        if (getattr(plan, name) or 0) < 0:
            yield BadInput("plans.negative_budget", place=name)
    if plan.picks < 0:
        yield BadInput("plans.campaign.picks", place="picks", value=plan.picks)
    if list(plan.placements) != sorted({*plan.placements}):
        yield BadInput("plans.not_ascending", place="placements")
    if list(plan.schedule) != sorted({*plan.schedule} & {*range(HOURS_OF_DAY)}):
        yield BadInput("plans.schedule")
    try:
        user_share(plan.users)
    except BadInput as fault:
        yield fault


_NEXT = {
    PlanStatus.DRAFT: (PlanStatus.ACTIVE, PlanStatus.DELETED),
    PlanStatus.ACTIVE: (PlanStatus.PAUSED, PlanStatus.DELETED),
    PlanStatus.PAUSED: (PlanStatus.ACTIVE, PlanStatus.DELETED),
    PlanStatus.DELETED: (),
}
_OWNED = ("id", "shop_id", "ad_account_id", "policy", "timezone", "commission_rate")
FIXED = (*_OWNED, "kind", "room_id", "room_ids", "counting")
CHANGEABLE = tuple(field.name for field in fields(Plan) if field.name not in FIXED)


@dataclass(frozen=True, slots=True)
class PlanChange:
    """An entry of the change log: who changed what, when, from what, to what and why.

    `version` counts a plan's entries from 1 and is the `target_version` stamped on the facts of its time.
    """

    plan_id: int
    version: int
    at: datetime
    actor: str
    reason: str
    before: tuple[tuple[str, Value], ...]
    after: tuple[tuple[str, Value], ...]


def check_changeable(names: Iterable[str]) -> None:
    """Refuse names that are no field of a plan, or of one that never changes: BadInput, all at once."""
    known = ", ".join(CHANGEABLE)
    raise_together(
        [BadInput("plans.unchangeable", place=name, known=known) for name in names if name not in CHANGEABLE]
    )


def change(plan: Plan, version: int, at: datetime, actor: str, reason: str, **after: Value) -> PlanChange:
    """The change that gives `plan` the values `after`, checked against the rules of a plan's life.

    What is so already is no part of it; when all is, the change is empty. Unknown or unchangeable field, or a value
    that cannot be: BadInput; a deleted plan, or a status that does not follow on its own: Refused.
    """
    if plan.status is PlanStatus.DELETED:
        raise Refused("plans.deleted")
    check_changeable(after)
    differing = tuple((name, value) for name, value in after.items() if held(name, value) != getattr(plan, name))
    before = tuple((name, getattr(plan, name)) for name, _ in differing)
    made = PlanChange(plan.id, version, at, actor, reason, before, differing)
    after_it = apply(plan, made)
    if after_it.status is not plan.status and after_it.status not in _NEXT[plan.status]:
        raise Refused("plans.no_such_step", before=plan.status, after=after_it.status)
    return made


def apply(plan: Plan, made: PlanChange) -> Plan:
    """The plan after a change; the plan itself stays as it was."""
    names = {field.name for field in fields(Plan)}
    after = {name: held(name, value) for name, value in made.after if name in names}
    return replace(plan, **after)  # checked by `change`


def held(name: str, value: Any) -> Any:
    """The value of a field as a plan holds it, from how a change or a store writes it. None of its kind: BadInput."""
    if name in _CHOICES:
        return _choice(name, _CHOICES[name], value)
    if name == "placements":
        return tuple(_choice(name, Placement, one) for one in value)
    return value if value is None or name not in _SHAPES else _SHAPES[name](value)


def _choice(name: str, kind: type[Enum], value: object) -> Enum:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(one.name.lower() for one in kind)
        raise BadInput("plans.unknown_value", place=name, value=str(value), known=known) from None


_CHOICES: dict[str, type[Enum]] = {
    "kind": PlanKind,
    "goal": Goal,
    "bid_mode": BidMode,
    "status": PlanStatus,
    "counting": Counting,
    "pace": Pace,
}
_SHAPES: dict[str, Callable[[Any], Any]] = {
    "target": Decimal,
    "commission_rate": Decimal,
    "product_ids": tuple,
    "room_ids": tuple,
    "schedule": tuple,
    "users": tuple,
    "creative_ids": tuple,
}
