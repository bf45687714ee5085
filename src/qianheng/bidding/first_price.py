"""Placements where the winner pays its own bid: what each multiplier would have brought there.

The best bid for a call x = α · worth is argmax_b (x − b) · P(seen | b), below x; `shading` keeps it. What a multiplier
spends is that bid and not the rival's, so it is worked out at every multiplier of the grid. Deng et al., NeurIPS 2025:
this answer to all prices told so far has Õ(√T) regret.
"""

import numpy as np

from qianheng.bidding.curves import GRID, POINTS, FloatArray
from qianheng.bidding.protocol import Auctions
from qianheng.bidding.shading import Shading

CHUNK = 1024  # candidates at a time, so that their grids stay in the cache


def response(auctions: Auctions, shading: Shading, plans: int) -> FloatArray:
    """Pairs [plans, 2, points]: spend and worth at every multiplier of the grid."""
    total = np.zeros((2, plans, POINTS))
    for some in auctions.chunks(CHUNK):
        call = some.worth[:, None] * GRID
        bid = shading.bid(np.repeat(some.plan, POINTS), np.repeat(some.placement, POINTS), call.ravel())
        share = _share(bid.reshape(call.shape), some)
        cell = some.plan[:, None] * POINTS + np.arange(POINTS)
        for row, brought in enumerate((share * bid.reshape(call.shape), share * some.worth[:, None])):
            total[row] += np.bincount(cell.ravel(), brought.ravel(), plans * POINTS).reshape(plans, POINTS)
    return total.swapaxes(0, 1)


def _share(bid: FloatArray, auctions: Auctions) -> FloatArray:
    """[n, points] the chance that each bid is seen: that of the best slot whose price it passes."""
    share = np.zeros_like(bid)
    for slot in range(auctions.price.shape[1]):
        passes = (bid > auctions.price[:, [slot]]) & (share == 0)
        share += passes * auctions.seen[:, [slot]]
    return share
