"""What a plan can show now: products on their pages and, while they are on air, rooms; and which rooms are on air.

One multiplier over all of them buys each at the same marginal return, so a super plan needs no split of its budget:
on every request the member of most worth is offered, net of what selling through it costs (SPEC 6.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.delivery.goods import Goods, Stage
from qianheng.measures.worth import Costs
from qianheng.plans.plan import Plan, PlanKind
from qianheng.prediction.space import Int, Space

PAGE = -1  # the room of what is shown on its own page


@dataclass(frozen=True, slots=True)
class Members:
    """The things a plan may offer, [m]: a product on its page, or in a room, with one of its creatives."""

    product_id: Int
    room_id: Int
    item: Int
    costs: Costs
    creative_id: Int

    def __len__(self) -> int:
        return len(self.item)


def members(plan: Plan, space: Space, goods: Goods, air: tuple[frozenset[int], int]) -> Members:
    """What a plan can show with these rooms on air at a time, and what is taken of it then. A live plan keeps its room;
    when it serves is its engine's.
    """
    on_air, now = air
    rows = [
        (product, room, creative)
        for room, shelf in _places(plan, goods, on_air)
        for product in shelf
        for creative in _creatives(plan, space.creatives_of(product))
    ]
    product_id, room_id, creative_id = (np.array([row[column] for row in rows], np.int64) for column in range(3))
    costs = goods.costs(plan, product_id, room_id, now)
    return Members(product_id, room_id, space.item(product_id, room_id != PAGE), costs, creative_id)


def _creatives(plan: Plan, every: tuple[int, ...]) -> tuple[int, ...]:
    """Those of a product's creatives that the plan may show."""
    return tuple(one for one in every if one in plan.creative_ids) or every


def _places(plan: Plan, goods: Goods, on_air: frozenset[int]) -> list[tuple[int, tuple[int, ...]]]:
    """Where a plan's products are sold now: the room, and the products sold there."""
    if plan.kind is not PlanKind.SUPER:
        return [(PAGE if plan.room_id is None else plan.room_id, plan.product_ids)]
    rooms = [(room, goods.rooms.get(room, Stage(())).product_ids) for room in plan.room_ids if room in on_air]
    return [(PAGE, plan.product_ids), *rooms]


class Air:
    """Which rooms are on air, as told. What is told late, after something newer of the same room, changes nothing."""

    def __init__(self, rooms: Mapping[int, Stage]) -> None:
        self.rooms = np.array(sorted(rooms), np.int64)
        self.on = np.zeros(len(self.rooms), bool)
        self.told = np.zeros(len(self.rooms), np.int64)

    def tell(self, room_id: int, on: bool, at: int) -> bool:
        """A room went on or off air; whether that is news."""
        row = int(np.searchsorted(self.rooms, room_id))
        if row == len(self.rooms) or self.rooms[row] != room_id or at < self.told[row]:
            return False
        self.told[row], before, self.on[row] = at, bool(self.on[row]), on
        return before != on

    @property
    def now(self) -> frozenset[int]:
        """The rooms on air."""
        return frozenset(self.rooms[self.on].tolist())

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """What has been told, to go on from."""
        return {"on": self.on.copy(), "told": self.told.copy()}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Go on from a snapshot."""
        self.on, self.told = state["on"].astype(bool), state["told"].astype(np.int64)
