"""A boost: extra money for a plan, or for some of its creatives, within a few hours (调控任务, SPEC 4.7)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from qianheng.core.errors import BadInput
from qianheng.core.money import Micros


class BoostKind(IntEnum):
    """Which boost drove a charge or an order, if any: of a plan (一键起量) or of creatives (素材追投)."""

    NONE = 0
    PLAN = 1
    CREATIVE = 2


@dataclass(frozen=True, slots=True)
class Boost:
    """A boost of a plan from `starts` to `ends` (UTC microseconds), with a budget of its own.

    One of creatives names them and may hold an ROI target of its own, under the plan's goal; `policy` says what its
    guarantee is. One of a plan has none.
    """

    id: int
    plan_id: int
    kind: BoostKind
    budget: Micros
    starts: int
    ends: int
    target: Decimal | None = None
    creative_ids: tuple[int, ...] = ()
    policy: str = "none"

    def __post_init__(self) -> None:
        if self.ends <= self.starts:
            raise BadInput("plans.boost_ends_first")
        if (self.kind is BoostKind.CREATIVE) != bool(self.creative_ids):
            raise BadInput("plans.boost_creatives")
        if self.target is not None and (self.kind is BoostKind.PLAN or not 0 < self.target <= 1000):
            raise BadInput("plans.boost_target")
        if self.policy != "none" and self.kind is BoostKind.PLAN:
            raise BadInput("plans.boost_policy")

    def meets(self, other: Boost) -> bool:
        """Whether both would run at once for one plan as boosts of one kind."""
        same = (self.plan_id, self.kind) == (other.plan_id, other.kind)
        return same and self.starts < other.ends and other.starts < self.ends
