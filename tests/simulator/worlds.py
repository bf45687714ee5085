"""Small markets and ways to run them, shared by the tests of this folder."""

from collections.abc import Callable

import numpy as np

from qianheng.core.days import HOUR, MINUTE, microseconds
from qianheng.facts.batch import FactBatch, join
from qianheng.facts.opportunities import Decisions, Opportunities
from qianheng.simulator.loading import load
from qianheng.simulator.market import Market, Reaction
from qianheng.simulator.scenario import Scenario

Strategy = Callable[[Opportunities, Scenario], Decisions]
DAY = 24 * HOUR


def small(**overrides: str) -> Scenario:
    return load("tiny", {key.replace("__", "."): value for key, value in overrides.items()})


def start_of(scenario: Scenario, day: int = 1) -> int:
    return microseconds(scenario.at(day, "00:00"))


def places(rows: np.ndarray, plan_id: int, products: np.ndarray | int, room_id: int = -1) -> Decisions:
    zero = np.zeros(len(rows), dtype=np.int64)
    whole = np.broadcast_to(np.asarray(products, dtype=np.int64), (len(rows),))
    return Decisions(
        rows, np.full(len(rows), plan_id), whole, np.ones(len(rows), dtype=np.int8), zero, zero, whole, zero + room_id
    )


def show_nothing(batch: Opportunities, scenario: Scenario) -> Decisions:
    return places(np.empty(0, dtype=np.int64), 1, 0)


def show_everything(batch: Opportunities, scenario: Scenario) -> Decisions:
    """Every request is won by the first plan, its products taking turns."""
    products = np.array(scenario.plans[0].products)
    rows = np.arange(len(batch))
    return places(rows, scenario.plans[0].id, products[rows % len(products)])


class Run:
    """What came out of a market that was run for a while."""

    def __init__(self) -> None:
        self.batches: list[Opportunities] = []
        self.reactions: list[Reaction] = []
        self.told: list[FactBatch] = []

    @property
    def facts(self) -> FactBatch:
        return join(self.told)

    def bytes(self) -> bytes:
        arrays = [
            held for batch in self.batches for name in batch.__slots__ if (held := getattr(batch, name)) is not None
        ]
        arrays += [getattr(reaction, name) for reaction in self.reactions for name in reaction.__slots__]
        tables = [(kind, table.to_pydict()) for kind, table in sorted(self.facts.tables.items())]
        return b"".join(array.tobytes() for array in arrays) + repr(tables).encode()


def run(market: Market, strategy: Strategy, day: int = 1, days: int = 1, step: int = 15 * MINUTE) -> Run:
    """Run whole days in batches of `step`."""
    made, begin = Run(), start_of(market.scenario, day)
    for at in range(begin, begin + days * DAY, step):
        batch = market.opportunities(at, at + step)
        made.batches.append(batch)
        if len(batch):
            made.reactions.append(market.react(batch, strategy(batch, market.scenario)))
            market.settle_rivals(batch, batch.bids.sum(axis=0) * 0.1)
        made.told.append(market.facts(at, at + step))
    return made


def run_out(market: Market, made: Run, days: int = 60) -> Run:
    """Let the clock run on until everything that was to come has been told."""
    end = start_of(market.scenario, market.scenario.days + 1)
    made.told.append(market.facts(end, end + days * DAY))
    return made
