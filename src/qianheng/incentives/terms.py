"""What is taken of an order: technical-service fee and creators' commission, by date (SPEC 10.2, 10.4).

Which shares hold is data of the marketplace; here is only how they meet an order. Money is rounded down to whole
micro-yuan, once an order, so that never more than the share is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeVar

from qianheng.core.errors import BadInput
from qianheng.core.money import Micros
from qianheng.plans.plan import PlanKind


class Rule(StrEnum):
    """Which rule a share follows from."""

    NONE = "none"
    CATEGORY = "category"  # the fee of the product's category
    SUPER_PLAN = "super_plan"  # the fee of a super plan's orders
    CROSS_BORDER = "cross_border"  # the fee of a super plan's orders across the border
    PLAN = "plan"  # a commission agreed for a plan or an affiliate campaign
    CREATOR = "creator"  # the higher commission: the creator's own traffic made the order
    PROMOTED = "promoted"  # the lower commission: ads brought the order


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of an order that is taken, the rule it follows from, and since when that is in force (UTC microseconds,
    0: from the beginning).
    """

    share: Decimal
    rule: Rule
    since: int = 0

    def of(self, amount: Micros) -> Micros:
        """What is taken of an order of that amount, rounded down to whole micro-yuan."""
        return int(amount * self.share)


NOTHING = Rate(Decimal(0), Rule.NONE)


@dataclass(frozen=True, slots=True)
class ServiceFee:
    """The technical-service fee of a product from a time on: its category's, and what a super plan's orders pay."""

    category: Decimal
    super_plan: Decimal | None = None  # no reduction if none
    cross_border: bool = False
    since: int = 0

    def __post_init__(self) -> None:
        _check_share("category", self.category)
        _check_share("super_plan", self.super_plan or Decimal(0))

    def rate(self, kind: PlanKind | None) -> Rate:
        """The fee of an order that counts for that kind of plan (`None`: for no plan); never above the category's."""
        reduced = self.super_plan
        if kind is PlanKind.SUPER and reduced is not None and reduced < self.category:
            return Rate(reduced, Rule.CROSS_BORDER if self.cross_border else Rule.SUPER_PLAN, self.since)
        return Rate(self.category, Rule.CATEGORY, self.since)


@dataclass(frozen=True, slots=True)
class Commission:
    """What a creator takes of the orders made in their room (联盟双佣) from a time on: `own` of those that their own
    traffic made, `promoted` of those that ads brought; of one product, or of every one that has no line of its own.
    """

    room_id: int
    own: Decimal
    promoted: Decimal
    product_id: int | None = None
    since: int = 0

    def __post_init__(self) -> None:
        _check_share("own", self.own)
        _check_share("promoted", self.promoted)
        if self.promoted > self.own:
            raise BadInput("incentives.promoted_above_own", own=self.own, promoted=self.promoted)

    def rate(self, promoted: bool) -> Rate:
        """The share of an order that ads brought, or that the creator's own traffic made."""
        if promoted:
            return Rate(self.promoted, Rule.PROMOTED, self.since)
        return Rate(self.own, Rule.CREATOR, self.since)


@dataclass(frozen=True, slots=True)
class Sale:
    """What must be known of an order to say what is taken of it; `room_id` -1 is its product's page."""

    product_id: int
    room_id: int
    promoted: bool
    at: int


class Terms:
    """The rules of a marketplace over time."""

    def __init__(self, fees: Mapping[int, Iterable[ServiceFee]], commissions: Iterable[Commission] = ()) -> None:
        """`fees`: of each product, in any order of time; of two from the same time the later one holds."""
        self.fees = {product_id: _by_time(told) for product_id, told in fees.items()}
        by_creator = defaultdict(list)
        for told in commissions:
            by_creator[told.room_id, told.product_id].append(told)
        self.commissions = {key: _by_time(told) for key, told in by_creator.items()}

    def service_fee(self, sale: Sale, kind: PlanKind | None) -> Rate:
        """The technical-service fee of an order that counts for a plan of that kind, for none if `None`."""
        fee = _in_force(self.fees.get(sale.product_id, ()), sale.at)
        return NOTHING if fee is None else fee.rate(kind)

    def commission(self, sale: Sale, agreed: Decimal = Decimal(0)) -> Rate:
        """The commission of an order: its creator's if it was made in a creator's room, else the one `agreed`."""
        told = self.of_creator(sale.room_id, sale.product_id, sale.at)
        if told is not None:
            return told.rate(sale.promoted)
        return Rate(agreed, Rule.PLAN) if agreed else NOTHING

    def of_creator(self, room_id: int, product_id: int, at: int) -> Commission | None:
        """The line in force for a creator's room and a product: the product's own before that of every product."""
        lines = (self.commissions.get((room_id, product)) for product in (product_id, None))
        found = (_in_force(told, at) for told in lines if told)
        return next((line for line in found if line is not None), None)

    def is_creators(self, room_id: int) -> bool:
        """Whether a room is a creator's: somebody takes a commission of what is sold there."""
        return any(room == room_id for room, _ in self.commissions)


class _Dated(Protocol):
    @property
    def since(self) -> int: ...


D = TypeVar("D", bound=_Dated)


def _by_time(told: Iterable[D]) -> tuple[D, ...]:
    return tuple(sorted(told, key=lambda one: one.since))


def _in_force(told: Sequence[D], at: int) -> D | None:
    """The last of these, which are in order of time, that holds at a time."""
    return next((one for one in reversed(told) if one.since <= at), None)


def _check_share(name: str, share: Decimal) -> None:
    if not 0 <= share < 1:
        raise BadInput("incentives.bad_share", place=name, value=share)
