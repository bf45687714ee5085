"""Coupons (满减): who gets one, who pays for it, and never a fen beyond a budget (SPEC 10.1).

An order gets at most one coupon, whole or not at all: the one of most value among those whose dates, products,
threshold, limit a user and budget allow it. What has been given counts against the coupon's budget for good; when the
order is refunded, the platform's part goes back to the subsidy programme and the shop's part was not earned either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from qianheng.core.errors import BadInput
from qianheng.core.money import Micros, yuan


@dataclass(frozen=True, slots=True)
class Coupon:
    """`value` off an order of at least `threshold`, on [first, until) in UTC microseconds, for these products.

    shop_share: the shop's part of the value, the platform pays the rest; `budget` is for both parts together;
    per_user: how many orders of one user at most, 0 is no limit. Money in micro-yuan.
    """

    id: int
    name: str
    value: Micros
    threshold: Micros
    shop_share: Decimal
    budget: Micros
    product_ids: frozenset[int]
    first: int
    until: int
    per_user: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.value <= self.threshold:
            raise BadInput("incentives.coupon_value", value=yuan(self.value), threshold=yuan(self.threshold))
        if not 0 <= self.shop_share <= 1:
            raise BadInput("incentives.coupon_share", value=self.shop_share)
        if self.budget < 0 or self.per_user < 0 or self.until <= self.first:
            raise BadInput("incentives.coupon_limits")

    @property
    def of_shop(self) -> Micros:
        """The shop's part of the value."""
        return int(self.value * self.shop_share)

    @property
    def of_platform(self) -> Micros:
        """The platform's part: all that is not the shop's."""
        return self.value - self.of_shop


@dataclass(frozen=True, slots=True)
class Basket:
    """An order that may get a coupon."""

    order_id: int
    user_id: int
    product_id: int
    amount: Micros
    at: int


@dataclass(frozen=True, slots=True)
class Given:
    """The coupon an order got (-1: none) and what of it the shop and the platform pay."""

    coupon_id: int = -1
    of_shop: Micros = 0
    of_platform: Micros = 0


NONE = Given()
Row = tuple[int, ...]


class Wallet:
    """The coupons of a marketplace and what has been given of them. The platform's part is paid out of a lease.

    The same order again gets what it got before. One order after another, so whatever comes in one step shares what
    is left exactly.
    """

    def __init__(self, coupons: Iterable[Coupon] = ()) -> None:
        self.coupons: Sequence[Coupon] = sorted(coupons, key=lambda coupon: (-coupon.value, coupon.id))
        self.leased: Micros = 0  # of the platform's money, not given yet
        self.given: Counter[int] = Counter()  # coupon → micro-yuan
        self.used: Counter[tuple[int, int]] = Counter()  # (coupon, user) → orders
        self.known: dict[int, tuple[int, Given]] = {}  # order → its time, what it got

    def lease(self, amount: Micros) -> None:
        """Let so much of the platform's money be given from now on, in place of what is left of the last lease."""
        self.leased = amount

    def wanted(self) -> Micros:
        """The most that could be asked of the platform, were all that is left of the coupons given."""
        return sum((self.left(coupon) // coupon.value) * coupon.of_platform for coupon in self.coupons)

    def left(self, coupon: Coupon) -> Micros:
        """What is left of a coupon's budget."""
        return coupon.budget - self.given[coupon.id]

    def give(self, basket: Basket) -> Given:
        """What an order gets."""
        if not self.coupons:
            return NONE
        if basket.order_id in self.known:
            return self.known[basket.order_id][1]
        found = next((coupon for coupon in self.coupons if self._may_have(coupon, basket)), None)
        given = NONE if found is None else self._take(found, basket.user_id)
        self.known[basket.order_id] = (basket.at, given)
        return given

    def forget(self, before: int) -> None:
        """Forget the orders placed before a time: nobody tells of them again."""
        self.known = {order_id: known for order_id, known in self.known.items() if known[0] >= before}

    def snapshot(self) -> dict[str, list[Row]]:
        """What has been given, as rows of whole numbers."""
        known: list[Row] = [
            (key, at, got.coupon_id, got.of_shop, got.of_platform) for key, (at, got) in self.known.items()
        ]
        used: list[Row] = [(*key, count) for key, count in self.used.items()]
        return {"given": [*self.given.items()], "used": used, "known": known}

    def restore(self, state: dict[str, list[Row]]) -> None:
        """Go on from a snapshot; the lease is the day's, and comes anew."""
        self.given = Counter({key: amount for key, amount in state["given"]})  # noqa: C416  # rows are of any width
        self.used = Counter({(coupon_id, user_id): count for coupon_id, user_id, count in state["used"]})
        self.known = {order_id: (at, Given(*got)) for order_id, at, *got in state["known"]}

    def _take(self, coupon: Coupon, user_id: int) -> Given:
        self.leased -= coupon.of_platform
        self.given[coupon.id] += coupon.value
        self.used[coupon.id, user_id] += 1
        return Given(coupon.id, coupon.of_shop, coupon.of_platform)

    def _may_have(self, coupon: Coupon, basket: Basket) -> bool:
        return (
            coupon.first <= basket.at < coupon.until
            and basket.product_id in coupon.product_ids
            and basket.amount >= coupon.threshold
            and not 0 < coupon.per_user <= self.used[coupon.id, basket.user_id]
            and self.left(coupon) >= coupon.value
            and self.leased >= coupon.of_platform
        )
