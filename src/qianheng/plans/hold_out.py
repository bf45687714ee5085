"""A hold-out: a share of all users to whom nothing of a shop is ever promoted, so that it can be told what promotion
adds (SPEC 8.4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from qianheng.core.assignment import SHARES
from qianheng.core.errors import BadInput
from qianheng.core.ids import stable_id
from qianheng.plans.users import UserShare

USUAL = Decimal("0.01")  # of users, where an owner says nothing else
MOST = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class HoldOut:
    """Of a shop: `share` of all users, by a hash of the shop and the user, for as long as the shop lives.

    More than half, below 0, or finer than a hundredth of a per cent: BadInput.
    """

    shop_id: int
    share: Decimal = USUAL

    def __post_init__(self) -> None:
        if not 0 <= self.share <= MOST or self.share * SHARES != int(self.share * SHARES):
            raise BadInput("incrementality.bad_share", place="hold_out", value=str(self.share), most=str(MOST))

    @property
    def users(self) -> UserShare:
        """Who is held out."""
        return UserShare(stable_id("hold-out", self.shop_id), 0, int(self.share * SHARES))


def in_force(hold_outs: Iterable[HoldOut]) -> tuple[HoldOut, ...]:
    """Those that hold anybody out, by shop."""
    return tuple(sorted((one for one in hold_outs if one.share), key=lambda one: one.shop_id))
