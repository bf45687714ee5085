"""Sums: the one form of every measure. They add and subtract; a ratio is one division, taken last (SPEC 3.1)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from fractions import Fraction
from operator import attrgetter

from qianheng.core.days import SHANGHAI, midnight
from qianheng.core.money import Micros, ratio


@dataclass(frozen=True, slots=True)
class Sums:
    """What happened, added up: money in micro-yuan, counts as they are.

    Orders and GMV count every order of the plan, boosted and promoted ones beside them as parts of the whole.
    `refunded_7d` has `refunded_1h` in it, `refunded_14d` both; refunds stand on the day of their order.
    `invalid_spend` is the part of the spend that was charged for invalid traffic.
    """

    spend: Micros = 0
    boosted_spend: Micros = 0
    orders: int = 0
    gmv: Micros = 0
    boosted_orders: int = 0
    boosted_gmv: Micros = 0
    promoted_orders: int = 0
    promoted_gmv: Micros = 0
    refunded_1h: Micros = 0
    refunded_7d: Micros = 0
    refunded_14d: Micros = 0
    coupon: Micros = 0
    subsidy: Micros = 0
    commission: Micros = 0
    service_fee: Micros = 0
    impressions: int = 0
    clicks: int = 0
    invalid_spend: Micros = 0

    def __add__(self, other: Sums) -> Sums:
        return self._with(other, operator.add)

    def __sub__(self, other: Sums) -> Sums:
        return self._with(other, operator.sub)

    def _with(self, other: Sums, operation: Callable[[int, int], int]) -> Sums:
        return Sums(*map(operation, _values(self), _values(other)))

    @property
    def net_gmv(self) -> Micros:
        """GMV less what was refunded within one hour."""
        return self.gmv - self.refunded_1h

    @property
    def payment_roi(self) -> Fraction | None:
        """整体支付ROI: GMV over spend."""
        return ratio(self.gmv, self.spend)

    @property
    def boosted_roi(self) -> Fraction | None:
        """The payment ROI of boosts alone."""
        return ratio(self.boosted_gmv, self.boosted_spend)

    @property
    def net_roi(self) -> Fraction | None:
        """净成交ROI: GMV less one-hour refunds, over spend."""
        return ratio(self.net_gmv, self.spend)

    def settled_roi(self, closed: bool) -> Fraction | None:
        """结算ROI: GMV less seven-day refunds, over spend; `None` until the window has `closed` (see `mature`)."""
        return ratio(self.gmv - self.refunded_7d, self.spend) if closed else None

    def settled_roi_14d(self, closed: bool) -> Fraction | None:
        """The settled ROI of the fourteen-day window; `None` until it has `closed`."""
        return ratio(self.gmv - self.refunded_14d, self.spend) if closed else None

    @property
    def overall_roi(self) -> Fraction | None:
        """综合ROI: net GMV over spend, service fee, commission and coupons together."""
        return ratio(self.net_gmv, self.spend + self.service_fee + self.commission + self.coupon)

    @property
    def refund_rate_1h(self) -> Fraction | None:
        """The share of GMV refunded within one hour."""
        return ratio(self.refunded_1h, self.gmv)

    @property
    def net_rate_1h(self) -> Fraction | None:
        """净成交金额结算率: the share of GMV left after one hour."""
        return ratio(self.net_gmv, self.gmv)

    def settle_rate_7d(self, closed: bool) -> Fraction | None:
        """The share of GMV left after seven days; `None` until the window has `closed`."""
        return ratio(self.gmv - self.refunded_7d, self.gmv) if closed else None

    @property
    def ctr(self) -> Fraction | None:
        """Clicks per impression."""
        return ratio(self.clicks, self.impressions)

    @property
    def cvr(self) -> Fraction | None:
        """Promoted orders per click."""
        return ratio(self.promoted_orders, self.clicks)

    @property
    def cpm(self) -> Fraction | None:
        """Spend per thousand impressions, micro-yuan."""
        return ratio(1000 * self.spend, self.impressions)


NAMES = tuple(field.name for field in fields(Sums))
_values = attrgetter(*NAMES)


def total(parts: Iterable[Sums]) -> Sums:
    """All of them together."""
    return sum(parts, Sums())


def mature(day: date, now: datetime, window: timedelta = timedelta(days=7), timezone: str = SHANGHAI) -> bool:
    """Whether the refund window of every order of that natural day has closed."""
    return now >= midnight(day + timedelta(days=1), timezone) + window


def breakeven_roi(margin: Fraction, kept: Fraction = Fraction(1)) -> Fraction | None:
    """保本ROI on settled GMV: one over the contribution margin (a share of GMV before spend); `None` if that is not
    positive: no ROI breaks even. With the settle rate as `kept`, the same restated on payment GMV (SPEC 3.4).
    """
    return ratio(1, margin * kept) if margin * kept > 0 else None
