"""A bidder behind the protocol of recorded days: one plan, one placement."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qianheng.bidding.bidder import Bidder
from qianheng.bidding.curves import FloatArray, IntArray
from qianheng.bidding.protocol import MakeBidder, Market, Outcome, PlanBidder

Day = Mapping[str, NDArray[Any]]
SEEN = np.array([[1.0, 0.8, 0.48]])
TICKS = 48  # of a recorded day


class ReplayBidder:
    """Turns values into worth, and outcomes into the bidder's."""

    def __init__(self, bidder: PlanBidder, target_cpa: float) -> None:
        self._bidder, self._target_cpa = bidder, target_cpa
        self._worth = np.zeros(0)

    def bid(self, step: int, value: FloatArray, value_sigma: FloatArray) -> FloatArray:
        """Bids [n] for predicted conversion probabilities `value` [n]."""
        self._worth = value * self._target_cpa
        nobody = np.zeros(len(value), dtype=np.int64)
        return self._bidder.bid(step, nobody, nobody, self._worth)

    def observe(self, step: int, outcome: Mapping[str, Any]) -> None:
        """Pass on slot, exposed, spend [n] and price [n, slots]."""
        nobody = np.zeros(len(self._worth), dtype=np.int64)
        seen, spend = outcome["exposed"], outcome["spend"]
        self._bidder.observe(step, Outcome(nobody, nobody, self._worth, outcome["price"], outcome["slot"], seen, spend))


def make(
    *, budget: float, target_cpa: float, steps: int, history: Sequence[Day], make_bidder: MakeBidder = Bidder
) -> ReplayBidder:
    """A bidder for one day, having lived through the `history` (columns tick, value, price)."""
    bidder = make_bidder(Market(1, SEEN, steps), np.array([budget]))
    for day in history:
        nobody = np.zeros(len(day["value"]), dtype=np.int64)
        bidder.learn_day(0, _steps(day["tick"], steps), nobody, day["value"] * target_cpa, day["price"])
    return ReplayBidder(bidder, target_cpa)


def _steps(tick: IntArray, steps: int) -> IntArray:
    """The control step of each row: every tick is cut into equal blocks."""
    edges = np.searchsorted(tick, np.arange(TICKS + 1))
    size = np.maximum(np.diff(edges), 1)
    place = np.arange(len(tick)) - edges[tick]
    return np.asarray((tick + place / size[tick]) * steps / TICKS, dtype=np.int64)
