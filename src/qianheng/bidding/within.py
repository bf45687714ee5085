"""Between two control steps: bids follow what has just been spent, auction by auction.

A multiplier a plan, moved by what it spends beyond its pace (Balseiro et al., "A Field Guide for Pacing Budget and ROS
Constraints", ICML 2024). Moved by η ≈ 1/√T each auction its regret over T auctions of one kind is O(√T). Inside a
control step it only corrects, for the step's own multiplier knows the day: bids are held back alone, within bounds.
"""

import numpy as np

from qianheng.bidding.curves import FloatArray

REACH = float(np.log(1.25))  # how far a bid may move inside a control step, either way
NOTHING = 1e-9  # micro-yuan an auction; less than this planned is none, and its inverse would overflow


class Within:
    """Factors on the bids of plans [plans], over `auctions` auctions that should spend `planned` [plans] each.

    `reach` bounds the log of the factors; a plan with nothing planned is left alone.
    """

    def __init__(self, planned: FloatArray, auctions: int, reach: float = REACH) -> None:
        self._planned, self._reach = planned, reach
        some = planned >= NOTHING
        self._rate = np.where(some, 1.0 / np.sqrt(max(auctions, 1)) / np.where(some, planned, 1.0), 0.0)
        self._log_factor = np.zeros(len(planned))

    @property
    def factor(self) -> FloatArray:
        """[plans] what to multiply the next bids by."""
        return np.asarray(np.exp(np.minimum(self._log_factor, 0.0)))

    def spent(self, spend: FloatArray, auctions: int = 1) -> None:
        """So many auctions have spent `spend` [plans]."""
        moved = self._log_factor + self._rate * (auctions * self._planned - spend)
        self._log_factor = np.clip(moved, -self._reach, self._reach)
