"""The plan and its changes: `apply(plan, change)` is the only way a plan comes to differ from what it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from qianheng.core.days import SHANGHAI
from qianheng.core.errors import BadInput, Refused
from qianheng.core.money import Micros


class PlanKind(StrEnum):
    """What a plan promotes: products (推商品) or a live room (推直播间)."""

    PRODUCT = "product"
    LIVE = "live"


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


Value: TypeAlias = "str | int | Decimal | tuple[int, ...] | None"


@dataclass(frozen=True, slots=True)
class Plan:
    """One budget and one goal over all placements. `target` is the ROI target of `goal`; `None` under max delivery."""

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

    def __post_init__(self) -> None:
        if self.budget_daily < 0:
            raise BadInput("plans.negative_budget")
        if (self.bid_mode is BidMode.TARGET_ROI) != (self.target is not None):
            raise BadInput("plans.target_and_mode")
        if self.target is not None and not (self.target.is_finite() and 0 < self.target <= 1000):
            raise BadInput("plans.target_out_of_range", value=self.target)
        if not self.product_ids:
            raise BadInput("plans.no_products")
        if (self.kind is PlanKind.LIVE) != (self.room_id is not None):
            raise BadInput("plans.room_and_kind")


CHANGEABLE = ("goal", "target", "budget_daily", "product_ids", "bid_mode", "status", "name")
_KINDS: dict[str, type[StrEnum]] = {"goal": Goal, "bid_mode": BidMode, "status": PlanStatus}


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


def change(plan: Plan, version: int, at: datetime, actor: str, reason: str, **after: Value) -> PlanChange:
    """The change that gives `plan` the values `after`, checked against the rules of a plan's life.

    Unknown or unchangeable field: BadInput; a deleted plan: Refused.
    """
    if plan.status is PlanStatus.DELETED:
        raise Refused("plans.deleted")
    for name in after:
        if name not in CHANGEABLE:
            raise BadInput("plans.unchangeable", place=name, known=", ".join(CHANGEABLE))
    before = tuple((name, getattr(plan, name)) for name in after)
    made = PlanChange(plan.id, version, at, actor, reason, before, tuple(after.items()))
    apply(plan, made)
    return made


def apply(plan: Plan, made: PlanChange) -> Plan:
    """The plan after a change; the plan itself stays as it was."""
    names = {field.name for field in fields(Plan)}
    after = {name: _of_kind(name, value) for name, value in made.after if name in names}
    return replace(plan, **after)  # type: ignore[arg-type]  # checked by `change`


def _of_kind(name: str, value: Value) -> Value:
    """The value as a plan holds it. Not one of its kind: BadInput."""
    if name not in _KINDS:
        return value
    try:
        return _KINDS[name](str(value))
    except ValueError:
        raise BadInput("plans.unknown_value", place=name, value=value, known=", ".join(_KINDS[name])) from None


def replay(plan: Plan, log: Iterable[PlanChange]) -> Plan:
    """The plan after its whole change log, from the plan it began as."""
    for made in log:
        plan = apply(plan, made)
    return plan
