"""Where a super plan's money went, hour by hour and member by member, and why it went there (SPEC 6.4).

Nobody splits the budget: one multiplier over all members buys each at the same marginal return. The split is what
came of it, told with the return at each member's margin and the reason why a member got nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from qianheng.core.days import HOUR
from qianheng.delivery.engine import Bool, Engine
from qianheng.delivery.members import PAGE
from qianheng.delivery.tick import Tick
from qianheng.plans.plan import Plan, PlanKind


class MemberKind(StrEnum):
    """What a member of a super plan is."""

    PRODUCT = "product"  # on its page
    ROOM = "room"  # the shop's own
    CREATOR = "creator"  # a creator's room


class Reason(StrEnum):
    """Why a member got what it got in an hour; the first that holds."""

    WON = "won"  # its wins were worth their price at the plan's one multiplier
    OFF_AIR = "off_air"
    NEVER_BEST = "never_best"  # on every request another member was worth more
    OUTBID = "outbid"  # it was offered, and nothing was worth its price


@dataclass(slots=True)
class MemberHour:
    """One member of a plan in one hour. Money in micro-yuan; `marginal`: worth per money of its dearest win."""

    at: int
    plan_id: int
    kind: MemberKind
    id: int  # of the product or the room
    on_air: bool = False
    offered: int = 0  # requests on which it was the best of the plan
    won: int = 0  # and seen
    spend: int = 0
    worth: float = 0.0
    marginal: float | None = None

    @property
    def reason(self) -> Reason:
        """Why it got what it got."""
        if self.won:
            return Reason.WON
        if not self.on_air:
            return Reason.OFF_AIR
        return Reason.OUTBID if self.offered else Reason.NEVER_BEST


class Split:
    """Collects the hours of every member of super plans; `take` hands a day's on."""

    def __init__(self) -> None:
        self._hours: dict[tuple[int, int, MemberKind, int], MemberHour] = {}

    def note(self, engine: Engine, tick: Tick, seen: Bool, now: int) -> None:
        """Count a tick, what boosts paid for left out. `seen`: [m] which of its wins were looked at."""
        for row in tick.serving.tolist():
            if engine.plans[row].kind is PlanKind.SUPER:
                self._note(engine, tick, (row, seen), now)

    def take(self) -> list[MemberHour]:
        """What was counted since the last time, in order of hours."""
        hours, self._hours = self._hours, {}
        return [hours[key] for key in sorted(hours)]

    def _note(self, engine: Engine, tick: Tick, of_plan: tuple[int, Bool], now: int) -> None:
        (row, seen), plan = of_plan, engine.plans[of_plan[0]]
        for room in (PAGE, *plan.room_ids):
            for product in plan.product_ids if room == PAGE else (PAGE,):
                hour = self._hour(engine, plan, (product, room), now)
                hour.on_air |= room == PAGE or room in engine.offers.air.now
        members = engine.offers.members[row]
        best = np.bincount(engine.offers.drawn(tick.batch, row), minlength=len(members))
        for member, count in enumerate(best.tolist()):
            key = int(members.product_id[member]), int(members.room_id[member])
            self._hour(engine, plan, key, now).offered += count
        made = tick.decisions
        for win in np.flatnonzero((tick.column == row) & (tick.boost == 0) & seen).tolist():
            key = int(made.product_id[win]), int(made.room_id[win])
            _count(self._hour(engine, plan, key, now), int(made.price[win]), float(tick.worth[made.row[win], row]))

    def _hour(self, engine: Engine, plan: Plan, sold: tuple[int, int], now: int) -> MemberHour:
        """The hour of the member through which a product is sold in a room (or on its page)."""
        product, room = sold
        kind, id_ = MemberKind.PRODUCT, product
        if room != PAGE:
            stage = engine.offers.goods.rooms.get(room)
            kind = MemberKind.CREATOR if stage is not None and stage.creators else MemberKind.ROOM
            id_ = room
        at = now // HOUR * HOUR
        return self._hours.setdefault((at, plan.id, kind, id_), MemberHour(at, plan.id, kind, id_))


def _count(hour: MemberHour, price: int, worth: float) -> None:
    hour.won, hour.spend, hour.worth = hour.won + 1, hour.spend + price, hour.worth + worth
    if price > 0:
        hour.marginal = min(worth / price, worth / price if hour.marginal is None else hour.marginal)
