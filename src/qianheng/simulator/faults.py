"""What goes wrong in a market: planned by a scenario, felt by buyers and rivals, seen by nobody who serves it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from qianheng.core.days import HOUR, microseconds
from qianheng.core.errors import BadInput
from qianheng.core.words import say
from qianheng.simulator.draws import Bool, Float64, Int64, Real, Whole
from qianheng.simulator.planned import clock

if TYPE_CHECKING:
    from qianheng.simulator.buyers import Catalogue
    from qianheng.simulator.scenario import Scenario

FaultKind: TypeAlias = Literal[
    "refund_wave",
    "tired_creative",
    "rival_entered",
    "wrong_price",
    "tracking_broken",
    "stock_out",
    "off_air_spend",
]
_SHARES = ("tracking_broken", "stock_out", "off_air_spend")  # of which `size` is a share, of all others a factor
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """Something that goes wrong from a time of a delivery day (from 1) on, for `hours` or to the end.

    `size` by kind: factor on refund habits, on clicks, on the price charged; what an impression is worth to the new
    rival against the strongest other; the share of orders that is told too late, or turned away. It is all there after
    `over` hours. It concerns all products unless some, a category or creatives are named; `room` is for spend off air.
    """

    kind: FaultKind
    day: int
    time: str
    size: float = 1.0
    hours: float | None = None
    over: float = 0.0
    products: tuple[int, ...] = ()
    category: str = ""
    creatives: tuple[int, ...] = ()
    room: int | None = None
    lost: Literal["orders", "buyers"] = "orders"  # of broken tracking: the orders themselves, or whose they are

    def __post_init__(self) -> None:
        clock(self.time)
        most = 1 if self.kind in _SHARES else 100
        for value, least, limit in ((self.size, 0, most), (self.hours or 1, 0, 10**5), (self.over, 0, 10**5)):
            if not least <= value <= limit:
                raise BadInput("simulator.out_of_bounds", value=value, least=least, most=limit)
        if self.kind == "off_air_spend" and self.room is None:
            raise BadInput("simulator.fault_without_room")

    def contradictions(self, place: str, known: Mapping[str, Collection[object]]) -> Iterator[tuple[str, str]]:
        """What is named and not there: (place, what is wrong). known: names by kind."""
        named: dict[str, tuple[object, ...]] = {"product": self.products, "creative": self.creatives}
        named |= {"category": (self.category,) if self.category else ()}
        named |= {"room": () if self.room is None else (self.room,)}
        for kind, values in named.items():
            told = ", ".join(map(str, known[kind]))
            wrong = (value for value in values if value not in known[kind])
            yield from ((f"{place}, {kind}", say("simulator.unknown_name", value=one, known=told)) for one in wrong)
        if self.day < 1:
            yield f"{place}, day", say("simulator.below_one", value=self.day)


@dataclass(frozen=True, slots=True)
class _Window:
    """A planned fault as arrays see it: from when to when, and of which products or creatives."""

    planned: PlannedFault
    start: int
    end: int
    products: Bool  # [products]
    creatives: Int64

    def risen(self, at: Int64) -> Float64:
        """How much of it is there at each time, from 0 to 1."""
        here = (self.start <= at) & (at < self.end)
        over = max(self.planned.over * HOUR, 1.0)
        return np.where(here, np.clip((at - self.start) / over, 0.0, 1.0), 0.0)


class Faults:
    """All that goes wrong in a scenario. Times are UTC microseconds, products indices in the catalogue; both are arrays
    that broadcast to one shape. Where nothing is wrong every factor is exactly 1 and every share 0.
    """

    def __init__(self, scenario: Scenario, catalogue: Catalogue) -> None:
        numbers = {name: number for number, name in enumerate(scenario.categories)}
        self._windows: dict[str, list[_Window]] = {}
        for one in scenario.faults:
            ours = np.isin(catalogue.id, one.products) if one.products else np.ones(len(catalogue), bool)
            if one.category:
                ours = ours & (catalogue.category == numbers[one.category])
            window = _Window(one, *span(scenario, one), ours, np.array(one.creatives, np.int64))
            self._windows.setdefault(one.kind, []).append(window)

    def refunds(self, product: Whole, at: Int64) -> Real:
        """The factor on the refund habits of what is ordered at those times."""
        return self._factor("refund_wave", product, at)

    def price(self, product: Whole, at: Int64) -> Real:
        """What is charged over the list price."""
        return self._factor("wrong_price", product, at)

    def appeal(self, creative: Int64, product: Whole, at: Int64) -> Real:
        """The factor on clicks of creatives that have become tired."""
        factor = np.ones(())
        for one in self._windows.get("tired_creative", ()):
            tired = np.isin(creative, one.creatives) if len(one.creatives) else one.products[product]
            factor = factor * np.where(tired, one.planned.size ** one.risen(at), 1.0)
        return factor

    def turned_away(self, product: Whole, at: Int64) -> Real:
        """The share of orders that cannot be placed."""
        kept = np.ones(())
        for one in self._windows.get("stock_out", ()):
            kept = kept * (1 - one.planned.size * one.risen(at) * one.products[product])
        return 1 - kept

    def told_after(self, product: Whole, at: Int64, drawn: Real) -> Int64:
        """Before when orders are not told, by one uniform number each; 0 where nothing is late."""
        until: Int64 = np.zeros(np.broadcast_shapes(product.shape, at.shape), np.int64)
        for one, lost in self._lost("orders", product, at, drawn):
            until = np.where(lost, np.maximum(until, one.end), until)
        return until

    def unnamed(self, product: Whole, at: Int64, drawn: Real) -> Bool:
        """Which orders are told without saying whose they are."""
        found: Bool = np.zeros(np.broadcast_shapes(product.shape, at.shape), bool)
        for _, lost in self._lost("buyers", product, at, drawn):
            found |= lost
        return found

    def _lost(self, what: str, product: Whole, at: Int64, drawn: Real) -> Iterator[tuple[_Window, Bool]]:
        for one in self._windows.get("tracking_broken", ()):
            if one.planned.lost == what:
                yield one, one.products[product] & (drawn < one.planned.size * one.risen(at))

    def _factor(self, kind: FaultKind, product: Whole, at: Int64) -> Real:
        factor = np.ones(())
        for one in self._windows.get(kind, ()):
            factor = factor * np.where(one.products[product], one.planned.size ** one.risen(at), 1.0)
        return factor


def span(scenario: Scenario, fault: PlannedFault) -> tuple[int, int]:
    """From when to when a fault holds, UTC microseconds."""
    start = microseconds(scenario.at(fault.day, fault.time))
    return start, _NEVER if fault.hours is None else start + round(fault.hours * HOUR)


def hours_of(scenario: Scenario, fault: PlannedFault) -> tuple[int, int]:
    """From which hour of the scenario up to which a fault holds: whole hours, counted from the first midnight."""
    midnight = microseconds(scenario.at(1, "00:00"))
    start, end = span(scenario, fault)
    return (start - midnight) // HOUR, (end - midnight) // HOUR
