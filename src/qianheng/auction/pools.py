"""Pools ranked together (SPEC 6.0): promoted (M3), commerce (M2) and organic (M1) candidates under one score in money.

score = bid (M3) | expected commission and fee (M2) | platform's value of the experience (M1), plus one weight on the
relevance of all. What a promoted candidate is given beyond its bid is its `lift`; it wins a place if bid + lift beats
what stands there, and so pays what it displaces less its own lift: under any rule that prices in scores (next price,
externality, own bid) taking the lift off leaves a price in money. Quality scores in this additive form: Lahaie and
McAfee, "Efficient Ranking in Sponsored Search", 2011, and Facebook's "total value" auction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.auction.kernel import Cleared, clear, strongest
from qianheng.auction.pricing import Float, Rules

Places = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Weights:
    """What a click that is expected of a look is worth to the platform, micro-yuan, whatever was shown, and beyond
    that, of something organic, for the user's experience."""

    relevance: float
    experience: float


@dataclass(frozen=True, slots=True)
class Field:
    """Who stands in n auctions. Columns of `bid` and `lift`: ours, then the other advertisers."""

    bid: Float  # [n, promoted] money an impression, 0 = none
    lift: Float  # [n, promoted] what is added to it where it stands
    unpaid: Float  # [n, k] scores of organic and commerce candidates, 0 = none
    ours: int  # how many columns of the promoted are ours

    def promoted(self, reserve: Float) -> Float:
        """[n, promoted] scores; nothing for a bid below the reserve [n]."""
        entered = (self.bid > 0) & (self.bid >= reserve[:, None])
        return np.where(entered, np.maximum(self.bid + self.lift, 0), 0).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Page:
    """The pages of n auctions."""

    reserve: Float  # [n] the least an impression costs
    places: Places  # [n] how many places there are, at most `slots`
    slots: int
    rules: Rules | None = None  # of prices; GSP without


def clear_pools(field: Field, page: Page) -> Cleared:
    """Clear a batch of auctions over all pools. Winners count ours, the other advertisers, then the unpaid candidates,
    who owe nothing. A promoted winner owes at least the reserve and never more than its bid.
    """
    score, ours = field.promoted(page.reserve), field.ours
    others = np.concatenate([score[:, ours:], field.unpaid], axis=1)
    none = np.zeros_like(page.reserve)
    ranked = clear(score[:, :ours], strongest(others, page.slots + 1), none, page.places, page.rules)
    met, cost = (_in_money(prices, field, page.reserve) for prices in (ranked.rival_price, ranked.cost))
    return Cleared(ranked.winner, _owed(field, ranked, page.reserve), met, cost)


def _in_money(prices: Float, field: Field, reserve: Float) -> Float:
    """[n, ours, slots] prices in scores → what each of ours has to bid or pay."""
    due = np.maximum(prices - field.lift[:, : field.ours, None], reserve[:, None, None])
    return np.asarray(due, np.float32)


def _owed(field: Field, ranked: Cleared, reserve: Float) -> npt.NDArray[np.int64]:
    """[n, slots] prices in scores → what promoted winners owe."""
    promoted = field.bid.shape[1]
    paid = (ranked.winner >= 0) & (ranked.winner < promoted)
    column = np.where(paid, ranked.winner, 0)
    bid = np.take_along_axis(field.bid, column, axis=1).astype(float)
    due = np.ceil(ranked.price - np.take_along_axis(field.lift, column, axis=1).astype(float))
    owed = np.minimum(np.maximum(due, reserve[:, None]), np.maximum(bid, 1))
    return np.where(paid, owed, 0).astype(np.int64)


def margins(field: Field, page: Page) -> Float:
    """[n, slots] by how much the k-th promoted candidate of a page beats what it displaces; below 0 it has no place.

    On a page of P places the k-th promoted displaces the (P + 1 − k)-th unpaid one. Lowering all promoted scores by
    some amount leaves a page as many promoted places as margins are at least that.
    """
    top, _ = strongest(field.promoted(page.reserve), page.slots)
    low, _ = strongest(field.unpaid, page.slots)
    displaced = page.places[:, None].astype(np.int64) - 1 - np.arange(page.slots)
    beaten = np.take_along_axis(low, np.maximum(displaced, 0), axis=1)
    return np.where((displaced >= 0) & (top > 0), top - beaten, -1.0).astype(np.float32)


def attention_price(margin: Float, allowed: int) -> float:
    """The least amount by which promoted scores must fall so that at most `allowed` of these margins stay at 0 or more.

    It is the margin of the first place refused: what room for ads is worth where room is short.
    """
    held = np.sort(margin[margin >= 0].ravel())[::-1]
    if len(held) <= allowed:
        return 0.0
    return float(held[max(allowed, 0)]) * (1 + 1e-6) + 1.0  # ties are refused too
