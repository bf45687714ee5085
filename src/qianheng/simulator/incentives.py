"""Incentives as a scenario plans them: fees and commissions with dates, coupons, the subsidy programme (SPEC 10)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from qianheng.core.errors import BadInput
from qianheng.core.money import micros
from qianheng.core.words import say
from qianheng.incentives.coupons import Coupon
from qianheng.incentives.terms import Commission, ServiceFee


@dataclass(frozen=True, slots=True)
class Fees:
    """The service fee of a super plan's orders, at home and across the border; never above the product's own."""

    super_plan: Decimal
    super_plan_cross_border: Decimal


@dataclass(frozen=True, slots=True)
class PlannedFee:
    """The service fee of a category from a day on, in place of what its products state."""

    category: str
    rate: Decimal
    since: date

    def __post_init__(self) -> None:
        ServiceFee(self.rate)


@dataclass(frozen=True, slots=True)
class PlannedCommission:
    """What a creator takes in their room from a day on (from the beginning if none is named): of one product, or of all
    that have no line of their own.
    """

    room: int
    own: Decimal
    promoted: Decimal
    product: int | None = None
    since: date | None = None

    def __post_init__(self) -> None:
        self.record(0)

    def record(self, since: int) -> Commission:
        """The commission, from a time on. What one may not be: BadInput."""
        return Commission(self.room, self.own, self.promoted, self.product, since)


@dataclass(frozen=True, slots=True)
class PlannedCoupon:
    """A coupon, in 元, on some products or all of a shop, on days `first` to `last` (the whole run if none)."""

    id: int
    name: str
    shop: int
    value: Decimal
    threshold: Decimal
    budget: Decimal
    shop_share: Decimal = Decimal(1)
    products: tuple[int, ...] = ()
    per_user: int = 0
    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None and self.last < self.first:
            raise BadInput("incentives.coupon_limits")
        self.record(frozenset(), (0, 1))

    def record(self, product_ids: frozenset[int], valid: tuple[int, int]) -> Coupon:
        """The coupon on these products, valid from a time to another. What one may not be: BadInput."""
        value, threshold, budget = (micros(str(amount)) for amount in (self.value, self.threshold, self.budget))
        money = (value, threshold, self.shop_share, budget)
        return Coupon(self.id, self.name, *money, product_ids, *valid, per_user=self.per_user)


@dataclass(frozen=True, slots=True)
class Programme:
    """The subsidy programme: what the platform has put aside for its part of coupons, 元."""

    name: str
    budget: Decimal

    def __post_init__(self) -> None:
        if not 0 <= self.budget <= 10**11:
            raise BadInput("simulator.out_of_bounds", value=self.budget, least=0, most=10**11)


@dataclass(frozen=True, slots=True)
class PlannedIncentives:
    """The incentives of a scenario; none beside the service fee and creators' commission unless it names some."""

    fees: tuple[PlannedFee, ...] = ()
    commissions: tuple[PlannedCommission, ...] = ()
    coupons: tuple[PlannedCoupon, ...] = ()
    programme: Programme | None = None

    def faults(self, known: Mapping[str, Collection[object]]) -> Iterator[tuple[str, str]]:
        """What is named and not there: (place, what is wrong). known: names of categories, rooms, shops, products."""
        for number, fee in enumerate(self.fees):
            yield from _unknown(f"incentives, fees[{number}]", "category", fee.category, known)
        for number, told in enumerate(self.commissions):
            place = f"incentives, commissions[{number}]"
            yield from _unknown(place, "room", told.room, known)
            if told.product is not None:
                yield from _unknown(place, "product", told.product, known)
        for coupon in self.coupons:
            place = f"incentives, coupon {coupon.id}"
            yield from _unknown(place, "shop", coupon.shop, known)
            for product in coupon.products:
                yield from _unknown(place, "product", product, known)
        ids = [coupon.id for coupon in self.coupons]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        yield from (("incentives, coupons", say("simulator.id_twice", value=one)) for one in twice)
        if self.programme is None and any(coupon.shop_share < 1 for coupon in self.coupons):
            yield "incentives, programme", say("simulator.no_programme")


def _unknown(
    place: str, kind: str, value: object, known: Mapping[str, Collection[object]]
) -> Iterator[tuple[str, str]]:
    if value not in known[kind]:
        told = ", ".join(map(str, known[kind]))
        yield f"{place}, {kind}", say("simulator.unknown_name", value=value, known=told)
