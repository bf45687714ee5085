"""What stays of an order's money after its refunds: estimated when it is paid, settled when its window has closed.

The one rounding rule: what was stamped of an order (fee, commission, either part of a coupon) stays in the share of
the order that was kept, stamped · kept / paid, rounded down to whole micro-yuan once an order. It depends on the sum
of the refunds only, so neither their number nor their order matters.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import add, attrgetter, sub

from qianheng.core.money import Micros


@dataclass(frozen=True, slots=True)
class Taken:
    """Money of orders, micro-yuan, added up: what was paid for (GMV) and what was taken of it or given with it.

    coupon: the shop's part of coupons; subsidy: the platform's. GMV has both in it.
    """

    gmv: Micros = 0
    coupon: Micros = 0
    subsidy: Micros = 0
    commission: Micros = 0
    service_fee: Micros = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(*map(add, _parts(self), _parts(other)))

    def __sub__(self, other: Taken) -> Taken:
        return Taken(*map(sub, _parts(self), _parts(other)))

    @property
    def from_buyers(self) -> Micros:
        """What buyers paid out of their own pocket."""
        return self.gmv - self.coupon - self.subsidy

    @property
    def proceeds(self) -> Micros:
        """What the shop has of it: buyers' money and the platform's part of coupons, less fee and commission."""
        return self.from_buyers + self.subsidy - self.service_fee - self.commission

    def settled(self, refunded: Micros) -> Taken:
        """What stays of these sums, which are those of ONE order, when so much of it was refunded in its window."""
        kept = max(self.gmv - refunded, 0)
        return Taken(*(stamped * kept // self.gmv for stamped in _parts(self))) if self.gmv else Taken()


NAMES = tuple(field.name for field in fields(Taken))
_parts = attrgetter(*NAMES)
