"""How far to bid below α · worth where several slots are for sale, or where the winner pays its own bid.

With slots a higher bid pays more for what a lower slot would have brought too. Against the recent prices the best bid
for a call x = α · worth is argmax_b x · P(seen | b) − E[spend | b]. It depends on x alone, so it is kept as one curve
per plan and placement: log(bid / x) on a logarithmic grid of x. One slot at the second price has no such gap, nor has
VCG: the bid is x.
"""

import numpy as np

from qianheng.auction.pricing import Pricing
from qianheng.bidding.curves import FloatArray, IntArray, Rows
from qianheng.bidding.protocol import Market

PER_OCTAVE = 6
NODES = 16 * PER_OCTAVE + 1
MIDDLE = NODES // 2
STEP = np.log(2.0) / PER_OCTAVE
RELATIVE: FloatArray = np.exp(STEP * (np.arange(NODES) - MIDDLE))  # prices and calls in units of the plan's price
ENOUGH = 200.0  # recent auctions before the prices are believed
EVERY = 8  # steps between two looks at the prices


class Shading(Rows):
    """Recent prices per (plan, placement) and the best answer to them; arrays [plans, placements, nodes]."""

    def __init__(self, market: Market, plans: int, memory_steps: float) -> None:
        self._seen, self.memory_steps = market.seen, memory_steps
        shape = (plans, len(market.seen), NODES)
        self._pays_its_bid = market.priced(Pricing.FIRST)
        self._shaded = self._pays_its_bid | (market.priced(Pricing.GSP) & (np.count_nonzero(market.seen, axis=1) > 1))
        self.idle = not self._shaded.any()
        self.unit, self.count = np.zeros(plans), np.zeros(shape[:2])
        self.shares, self.costs = np.zeros(shape), np.zeros(shape)
        self.cut, self.inverse = np.zeros(shape), np.zeros(shape)

    def bid(self, plan: IntArray, placement: IntArray, call: FloatArray) -> FloatArray:
        """Bids [n] for calls α · worth [n]."""
        return call if self.idle else call * np.exp(self._read(self.cut, plan, placement, call))

    def call(self, plan: IntArray, placement: IntArray, price: FloatArray) -> FloatArray:
        """The calls [n] at which the bid passes `price` [n]."""
        return price if self.idle else price * np.exp(self._read(self.inverse, plan, placement, price))

    def _position(self, plan: IntArray, money: FloatArray) -> FloatArray:
        unit = np.where(self.unit > 0, self.unit, 1.0)[plan]
        return np.asarray(np.clip(np.log(np.maximum(money / unit, 1e-9)) / STEP + MIDDLE, 0, NODES - 1.0))

    def _read(self, table: FloatArray, plan: IntArray, placement: IntArray, money: FloatArray) -> FloatArray:
        position = self._position(plan, money)
        node = np.minimum(position.astype(np.int64), NODES - 2)
        part = position - node
        return np.asarray((1 - part) * table[plan, placement, node] + part * table[plan, placement, node + 1])

    def add(self, plan: IntArray, placement: IntArray, price: FloatArray) -> None:
        """Count the prices [n, slots] of one step."""
        if self.idle:
            return
        self._measure(plan, price[:, -1])
        kept = np.exp(-1.0 / self.memory_steps)
        for held in (self.shares, self.costs, self.count):
            held *= kept
        shaded = self._shaded[placement]
        plan, placement, price = plan[shaded], placement[shaded], price[shaded]
        share, cost = climb(self._seen[placement], price)
        row, slot = np.nonzero(share)
        page = plan * len(self._seen) + placement
        cell = page[row] * NODES + np.ceil(self._position(plan[row], price[row, slot])).astype(np.int64)
        self.count += np.bincount(page, minlength=self.count.size).reshape(self.count.shape)
        self.shares += np.bincount(cell, share[row, slot], self.shares.size).reshape(self.shares.shape)
        self.costs += np.bincount(cell, cost[row, slot], self.costs.size).reshape(self.costs.shape)

    def refresh(self, step: int) -> None:
        """Answer the recent prices anew, every plan in its turn."""
        turn = np.zeros(self.count.shape, dtype=bool)
        turn[step % EVERY :: EVERY] = True
        plan, placement = np.nonzero(turn & (self.count >= ENOUGH) & self._shaded)
        if self.idle or not len(plan):
            return
        share, cost = self.shares[plan, placement].cumsum(1), self.costs[plan, placement].cumsum(1)
        money = RELATIVE * self.unit[plan][:, None]
        cost = np.where(self._pays_its_bid[placement][:, None], money * share, cost)
        gain = money[:, :, None] * share[:, None] - cost[:, None]
        best = np.minimum(gain.argmax(2), np.arange(NODES))
        self.cut[plan, placement] = STEP * (best - np.arange(NODES))
        self.inverse[plan, placement] = _invert(best)

    def _measure(self, plan: IntArray, price: FloatArray) -> None:
        """Take the geometric mean of the first prices [n] as the plan's unit of money."""
        first = (self.unit[plan] == 0) & (price > 0)
        if first.any():
            count = np.bincount(plan[first], minlength=len(self.unit))
            total = np.bincount(plan[first], np.log(price[first]), len(self.unit))
            self.unit = np.where(count > 0, np.exp(total / np.maximum(count, 1)), self.unit)


def climb(seen: FloatArray, price: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Chance of being seen and spend that a bid gains by passing the price of each slot; all [n, slots]."""
    share, cost = seen.copy(), seen * price
    share[:, :-1] -= seen[:, 1:]
    cost[:, :-1] -= cost[:, 1:].copy()
    return share, cost


def _invert(best: IntArray) -> FloatArray:
    """log(call / price) per price node, for the node of the best bid per node of the call [rows, nodes]."""
    rising = best + 1e-6 * np.arange(NODES)
    nodes = np.arange(NODES, dtype=float)
    return np.stack([STEP * (np.interp(nodes, row, nodes) - nodes) for row in rising])
