"""Creators ranked by what they leave to the shop: net GMV after commission (SPEC 10.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from qianheng.core.money import Micros, ratio


@dataclass(frozen=True, slots=True)
class CreatorSales:
    """What was sold in a creator's room: orders and GMV of all channels, refunds of the first hour, the commission
    stamped on the orders, and what was spent on ads that led there. Money in micro-yuan.
    """

    name: str
    room_id: str
    orders: int
    gmv: Micros
    refunded_1h: Micros
    commission: Micros
    spend: Micros

    @property
    def net_gmv(self) -> Micros:
        """GMV less what was refunded within the hour."""
        return self.gmv - self.refunded_1h

    @property
    def commission_kept(self) -> Micros:
        """The commission of what was not refunded: it is charged on settlement, and reversed on a refund."""
        return round(Fraction(self.commission * self.net_gmv, self.gmv)) if self.gmv else 0

    @property
    def left(self) -> Micros:
        """Net GMV after commission: what the ranking goes by."""
        return self.net_gmv - self.commission_kept

    @property
    def roi(self) -> Fraction | None:
        """What is left over spend; `None` where nothing was spent."""
        return ratio(self.left, self.spend)


@dataclass(frozen=True, slots=True)
class CreatorAdvice:
    """Creators, the one that leaves most first, and what is not known of them (keys of `histories.missing`)."""

    creators: tuple[CreatorSales, ...]
    missing: tuple[str, ...]


def rank(sales: Iterable[CreatorSales]) -> CreatorAdvice:
    """Creators by net GMV after commission, the most first; without any, what is missing."""
    ranked = tuple(sorted(sales, key=lambda one: (-one.left, one.name, one.room_id)))
    return CreatorAdvice(ranked, () if ranked else ("creators",))
