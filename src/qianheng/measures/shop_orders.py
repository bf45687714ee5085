"""A shop's orders and their refunds as its own books tell them: money in micro-yuan, times in UTC microseconds."""

from __future__ import annotations

from dataclasses import dataclass

from qianheng.core.money import Micros


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """One bought item (a sub-order), `at` the time it was paid, `placed_at` that
    it was ordered if the file tells.

    `paid` is what the buyer paid; what the platform, the shop and the creator gave off beside it is known or `None`.
    `plan_id` and `boost` ("plan" or "creative", "" for none) say whose order it is, `abnormal` whether the platform
    judged it so; `None` where the file has no such column. `in_room`: bought in a live room, if the file tells.
    """

    item_id: str
    order_id: str
    product_id: str
    at: int
    paid: Micros
    platform_discount: Micros | None = None
    shop_discount: Micros | None = None
    creator_discount: Micros | None = None
    plan_id: str | None = None
    boost: str | None = None
    abnormal: bool | None = None
    in_room: bool | None = None
    placed_at: int | None = None
    status: str = ""

    @property
    def key(self) -> str:
        """What names it: a later telling of the same replaces it."""
        return self.item_id

    @property
    def gmv(self) -> Micros:
        """What the official 整体成交金额 counts of it: what the buyer paid and what discounts paid for him."""
        return self.paid + (self.platform_discount or 0) + (self.shop_discount or 0)


@dataclass(frozen=True, slots=True)
class ShopRefund:
    """Money given back for an item, by when it was: `paid` to the buyer, `discount` what discounts had paid."""

    refund_id: str
    item_id: str
    at: int
    paid: Micros
    discount: Micros | None = None

    @property
    def key(self) -> str:
        """What names it: a later telling of the same replaces it."""
        return self.refund_id

    @property
    def gmv(self) -> Micros:
        """What it takes of the item's GMV."""
        return self.paid + (self.discount or 0)
