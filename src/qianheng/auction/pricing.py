"""What a place costs its winner: three rules, of which a marketplace sets one for each placement.

With one place GSP and VCG are the second price. Varian and Harris, "The VCG Auction in Theory and Practice", 2014;
Edelman, Ostrovsky and Schwarz, "Internet Advertising and the Generalized Second-Price Auction", 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int8]


class Pricing(StrEnum):
    """Who wins place k with the k-th highest bid pays, when seen:"""

    GSP = "gsp"  # the next lower bid
    VCG = "vcg"  # what the others lose by it: nobody gains by bidding anything but the true worth
    FIRST = "first"  # the own bid


PRICINGS = tuple(Pricing)


def codes(pricing: Sequence[Pricing]) -> Codes:
    """[n] the place of each rule in `PRICINGS`."""
    return np.array([PRICINGS.index(rule) for rule in pricing], np.int8)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule of each of `n` auctions, and how their places are seen."""

    pricing: Codes  # [n] its place in `PRICINGS`
    seen: Float  # [n, slots] chance that a place is seen, 0 where there is none

    def due(self, own: Float, beaten: Float) -> Float:
        """[n, slots] what the winner of each place owes, of its `own` bid and the next lower ones it has `beaten`."""
        first = self.pricing == PRICINGS.index(Pricing.FIRST)
        return np.where(first[:, None], own, self.least(beaten[:, None])[:, 0])

    def least(self, against: Float) -> Float:
        """[n, candidates, slots] the least that each place can cost who meets these bids: under first price it is the
        bid to be beaten.
        """
        vcg = self.pricing == PRICINGS.index(Pricing.VCG)
        if not vcg.any():
            return against
        return np.where(vcg[:, None, None], external(self.seen[:, None], against), against)


def external(seen: Float, against: Float) -> Float:
    """[..., slots] VCG's price of place k when seen: each bid from the k-th on moves down one, and is seen less."""
    lost = -np.diff(seen, axis=-1, append=np.zeros_like(seen[..., :1]))
    total = np.cumsum((lost * against)[..., ::-1], axis=-1)[..., ::-1]
    mean = np.where(seen > 0, total / np.where(seen > 0, seen, 1), against)
    return np.minimum(mean, against)  # a mean of bids that do not rise, but for rounding
