"""A platform's figures of some days against the shop's own orders: every difference, by causes that add up to it.

The official 整体成交金额 is what buyers paid and, beside it, smart coupons, platform subsidies and unfinished presales
(domain: official metric definitions). What is left is laid to orders the platform judged abnormal, or that were placed
and paid on different days, only where that explains it to the last digit in orders and money alike; else it is told as
what only one side has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from itertools import combinations

from qianheng.core.days import REFUND_WINDOW_1H, day_of, moment
from qianheng.core.money import Micros
from qianheng.measures.reports import Figures
from qianheng.measures.shop_orders import ShopOrder, ShopRefund


class Cause(StrEnum):
    """Why a platform tells another sum than the shop's orders."""

    COUPON = "coupon"
    SUBSIDY = "subsidy"
    PRESALE = "presale"
    ABNORMAL = "abnormal"
    DAY_BORDER = "day_border"
    NOT_MATURE = "not_mature"
    ONLY_PLATFORM = "only_platform"
    ONLY_SHOP = "only_shop"
    AMOUNT = "amount"
    REFUND_DISCOUNT = "refund_discount"
    REFUND_ABNORMAL = "refund_abnormal"
    REFUND_OTHER = "refund_other"


@dataclass(frozen=True, slots=True)
class Part:
    """What one cause adds to the platform's side: GMV and refunds within the hour (micro-yuan), orders."""

    cause: Cause
    gmv: Micros = 0
    orders: int = 0
    refunded_1h: Micros = 0


@dataclass(frozen=True, slots=True)
class Told:
    """The figures of a part as one side tells them, or how far both are apart; `None` for what the platform does not
    tell: that is compared with nothing."""

    gmv: Micros | None
    orders: int | None
    refunded_1h: Micros | None


@dataclass(frozen=True, slots=True)
class Books:
    """What the shop's files tell of one day: its orders and refunds, and orders placed that day but paid on another."""

    day: date
    orders: tuple[ShopOrder, ...]
    refunds: tuple[ShopRefund, ...]
    timezone: str
    placed: tuple[ShopOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A day (of a plan, or of all): GMV, orders and refunds within the hour on both sides; the parts add up to the
    differences exactly. The shop's GMV is what buyers paid."""

    day: date
    plan_id: str
    platform: Told
    shop: Part
    parts: tuple[Part, ...]

    @property
    def difference(self) -> Told:
        """The platform's figures less the shop's."""
        apart = {
            name: None if theirs is None else theirs - getattr(self.shop, name)
            for name, theirs in asdict(self.platform).items()
        }
        return Told(**apart)


def reconcile(plan_id: str, told: Figures, books: Books, mature: bool) -> Reconciled:
    """Lay the differences of a day to their causes. `mature`: the platform's figures of that day do not move any more.
    What the platform does not tell has no causes.
    """
    at = {one.item_id: one.at for one in books.orders}
    soon = [one for one in books.refunds if one.item_id in at and one.at - at[one.item_id] <= REFUND_WINDOW_1H]
    shop = Part(Cause.AMOUNT, *_sold(books.orders), sum(one.paid for one in soon))
    side = Told(told.gmv, told.orders, told.refunded_1h)
    platform = Part(Cause.AMOUNT, told.gmv or 0, told.orders or 0, told.refunded_1h or 0)
    parts = [*_discounts(told, books.orders), *_refunds(platform, shop, soon, books)]
    left = Part(
        Cause.AMOUNT,
        platform.gmv - shop.gmv - sum(part.gmv for part in parts),
        platform.orders - shop.orders,
    )
    parts += _laid(left, books, mature)
    known = [_told_of(part, side) for part in parts]
    kept = tuple(part for part in known if part.gmv or part.orders or part.refunded_1h)
    return Reconciled(books.day, plan_id, side, shop, kept)


def _told_of(part: Part, side: Told) -> Part:
    """Of a part what the platform tells of at all."""
    gmv, orders = (0 if side.gmv is None else part.gmv), (0 if side.orders is None else part.orders)
    return Part(part.cause, gmv, orders, 0 if side.refunded_1h is None else part.refunded_1h)


def _sold(orders: Iterable[ShopOrder]) -> tuple[Micros, int]:
    paid = [one.paid for one in orders]
    return sum(paid), len(paid)


def _discounts(told: Figures, orders: Sequence[ShopOrder]) -> list[Part]:
    """What the platform's own row says beside what buyers paid; where it says nothing, what the orders do."""
    coupon = told.coupon if told.coupon is not None else sum(one.shop_discount or 0 for one in orders)
    subsidy = told.subsidy if told.subsidy is not None else sum(one.platform_discount or 0 for one in orders)
    presale = 0 if told.buyer_paid is None else (told.gmv or 0) - told.buyer_paid - coupon - subsidy
    return [Part(Cause.COUPON, coupon), Part(Cause.SUBSIDY, subsidy), Part(Cause.PRESALE, presale)]


def _refunds(platform: Part, shop: Part, soon: Sequence[ShopRefund], books: Books) -> list[Part]:
    """The platform counts a refund with the discounts it takes back."""
    discount = sum(one.discount or 0 for one in soon)
    left = platform.refunded_1h - shop.refunded_1h - discount
    abnormal = {one.item_id for one in books.orders if one.abnormal}
    of_abnormal = -sum(one.gmv for one in soon if one.item_id in abnormal)
    cause = Cause.REFUND_ABNORMAL if left and left == of_abnormal else Cause.REFUND_OTHER
    return [Part(Cause.REFUND_DISCOUNT, refunded_1h=discount), Part(cause, refunded_1h=left)]


def _laid(left: Part, books: Books, mature: bool) -> list[Part]:
    """The rest by the fewest causes that explain it exactly; else what one side alone has, or another amount."""
    abnormal = [one for one in books.orders if one.abnormal]
    elsewhere = [one for one in books.orders if one.placed_at is not None and _placed(one, books) != books.day]
    known = [
        _taken(Cause.ABNORMAL, abnormal),
        _taken(Cause.DAY_BORDER, elsewhere, books.placed),
    ]
    for count in range(1, len(known) + 1):
        for causes in combinations(known, count):
            if (sum(one.gmv for one in causes), sum(one.orders for one in causes)) == (left.gmv, left.orders):
                return list(causes)
    if not mature:
        return [Part(Cause.NOT_MATURE, left.gmv, left.orders)]
    if left.orders == 0:
        return [Part(Cause.AMOUNT, left.gmv)]
    cause = Cause.ONLY_PLATFORM if left.orders > 0 else Cause.ONLY_SHOP
    return [Part(cause, left.gmv, left.orders)]


def _placed(one: ShopOrder, books: Books) -> date:
    return day_of(moment(one.placed_at or one.at), books.timezone)


def _taken(cause: Cause, left_out: Sequence[ShopOrder], added: Sequence[ShopOrder] = ()) -> Part:
    (gmv, orders), (more, other) = _sold(left_out), _sold(added)
    return Part(cause, more - gmv, other - orders)
