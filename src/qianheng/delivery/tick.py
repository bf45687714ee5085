"""What one control step came to: what was asked, how the auctions cleared, what was decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.auction.kernel import Cleared
from qianheng.delivery.exploring import Explored
from qianheng.facts.opportunities import Bool, Decisions, Opportunities
from qianheng.prediction.space import Float, Int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the plans asked for in a step, and what held them: with it every decision can be made again."""

    bid: Float  # [n, plans] the bidder's, micro-yuan; 0 where a plan does not take part
    multiplier: Float  # [plans]
    left: Int  # [plans] money when the step began, micro-yuan
    stopped: Int  # [plans] row of the batch from which a plan could not pay; n if it always could
    refused: npt.NDArray[np.int8] | None = None  # [n, plans and campaigns] see `delivery.pooled.REFUSALS`; 0 = not


@dataclass(frozen=True, slots=True)
class Tick:
    """What the engine decided on a batch: our wins, the auctions as they cleared, and what the bids were worth."""

    batch: Opportunities
    decisions: Decisions
    cleared: Cleared
    worth: Float  # [n, plans] calibrated value over target, micro-yuan; 0 where a plan may not bid
    serving: Int  # rows of the plans that took part
    asked: Asked
    column: Int  # [m] whose each decision is: rows of the plans, then of the campaigns, then nobody's (organic)
    boost: Int  # [m] the kind of boost that pays for it, 0: the plan or campaign itself
    entered: npt.NDArray[np.float32]  # [n, columns] what stood in the auctions: own bids, or boosts' if higher
    allowed: Bool | None = None  # [n, columns] whom each may bid for; `None`: all users
    explored: Explored | None = None  # what was left to chance; `None`: nothing

    def may(self, column: int) -> Bool:
        """[n] whether a plan may bid for the user of each request."""
        return np.ones(len(self.batch), bool) if self.allowed is None else self.allowed[:, column]

    def rival_spend(self, rivals: int) -> Float:
        """[rivals] what the other advertisers owe for the places they won, micro-yuan."""
        ours = self.cleared.rival_price.shape[1]
        theirs = (self.cleared.winner >= ours) & (self.cleared.winner < ours + rivals)
        return np.bincount(self.cleared.winner[theirs] - ours, self.cleared.price[theirs], rivals).astype(float)
