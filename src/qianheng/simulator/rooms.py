"""Live rooms: when they are on air."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qianheng.core.days import MINUTE, SECOND, microseconds
from qianheng.core.ids import stable_id
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import Kind
from qianheng.simulator.draws import Bool, Int64
from qianheng.simulator.faults import span
from qianheng.simulator.scenario import Scenario, Session

_TOLD_AFTER = 2 * SECOND


class Rooms:
    """The times on air of every room over the whole scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._edges: dict[int, Int64] = {
            room.id: np.array(sorted(_edges(scenario, room.sessions)), dtype=np.int64).reshape(-1)
            for room in scenario.rooms
        }
        lost = [fault for fault in scenario.faults if fault.kind == "off_air_spend"]
        self._lost = [(fault.room, *span(scenario, fault)) for fault in lost]
        self._told = self._all_told()
        self.of_product = {product: room.id for room in reversed(scenario.rooms) for product in room.products}

    def on_air(self, room_id: int, at: int) -> bool:
        """Whether a room is on air at a time."""
        return bool(self.air(room_id, np.array([at]))[0])

    def air(self, room_id: int, at: Int64) -> Bool:
        """Whether a room is on air at each time. Edges alternate on, off, on, …"""
        edges_passed = np.searchsorted(self._edges[room_id], at, side="right")
        return np.equal(edges_passed % 2, 1)

    def facts(self, start: int, end: int) -> FactBatch:
        """The live facts told in [start, end)."""
        low, high = np.searchsorted(self._told["received_at"], [start, end])
        if low == high:
            return FactBatch()
        told = {name: column[low:high] for name, column in self._told.items()}
        return FactBatch({Kind.LIVE: table(Kind.LIVE, {**told, "plan_id": -1})})

    def _all_told(self) -> dict[str, Int64]:
        """Columns of all live facts of the scenario, in the order of being told."""
        rows = [
            (self._told_at(room, at), at, room, number % 2 == 0, stable_id("live", room, at))
            for room, edges in self._edges.items()
            for number, at in enumerate(edges.tolist())
        ]
        told, at, room, on_air, ids = np.array(sorted(rows), dtype=np.int64).reshape(-1, 5).T
        return {"id": ids, "at": at, "received_at": told, "room_id": room, "on_air": on_air}

    def _told_at(self, room: int, at: int) -> int:
        """When a live event is told: what is lost, when it is found again."""
        return max([at + _TOLD_AFTER, *(end for of, start, end in self._lost if of == room and start <= at < end)])


def _edges(scenario: Scenario, sessions: tuple[Session, ...]) -> Iterator[int]:
    """Every moment a room goes on or off the air."""
    for day in range(1, scenario.days + 1):
        for session in sessions:
            if not session.is_on(day, scenario.at(day, session.on).isoweekday()):
                continue
            yield microseconds(scenario.at(day, session.on))
            if session.drop_at is not None:
                drop = microseconds(scenario.at(day, session.drop_at))
                yield from (drop, drop + session.drop_minutes * MINUTE)
            yield microseconds(scenario.at(day, session.off))
