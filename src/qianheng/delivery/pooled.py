"""Auctions in which organic, commerce and promoted candidates are ranked together, within what a user may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qianheng.auction.kernel import Cleared
from qianheng.auction.pools import Field, Page, clear_pools, margins
from qianheng.delivery.limits import NO_PRODUCT, AdShare, Frequency, Showings
from qianheng.delivery.site import Pools, Site
from qianheng.facts.opportunities import Bool, Opportunities
from qianheng.facts.schema import Fate
from qianheng.prediction.space import Float, Int

NOBODY = -1  # the plan of what stands there unpaid
REFUSALS = (Fate.RELEVANCE, Fate.FREQUENCY, Fate.AD_SHARE, Fate.OUTRANKED_ORGANIC)  # by number, from 1


@dataclass(frozen=True, slots=True)
class Experience:
    """What people were shown on a day, as sums: expected looks and expected clicks, and who came.

    Looks and clicks are by pool: plans and campaigns, other advertisers, commerce, organic.
    """

    looks: Float  # [4]
    clicks: Float  # [4]
    users: int
    requests: int


class PoolRoom:
    """What is remembered of what people were shown: frequency of the day, share of ads of the last hours."""

    def __init__(self, pools: Pools, placements: int, products: int) -> None:
        self.pools, self._products = pools, products
        self.share = AdShare(pools.limits, placements)
        self._frequency: Frequency | None = None
        self.start_day()

    def start_day(self) -> None:
        """A new natural day: nobody has been shown anything."""
        self._frequency = None
        self._looks, self._clicks, self._requests = np.zeros(4), np.zeros(4), 0

    def frequency(self, columns: int) -> Frequency:
        """Today's showings; `columns`: how many advertisers there are, ours and others."""
        if self._frequency is None:
            self._frequency = Frequency(self.pools.limits, columns, self._products)
        return self._frequency

    def note(self, looks: Float, clicks: Float, requests: int) -> None:
        """So much was looked at, and so many clicks were to be expected, by pool [4]."""
        self._looks, self._clicks = self._looks + looks, self._clicks + clicks
        self._requests += requests

    def experience(self) -> Experience:
        """What people have been shown today."""
        users = 0 if self._frequency is None else self._frequency.users
        return Experience(self._looks, self._clicks, users, self._requests)

    def snapshot(self) -> dict[str, npt.NDArray[Any]]:
        """The running state at the end of a day."""
        return self.share.snapshot()

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go on exactly where `snapshot` was taken."""
        self.share.restore(state)


@dataclass(frozen=True, slots=True)
class Pooled:
    """What all pools are ranked by, beside bids; columns are ours, plans first."""

    room: PoolRoom
    relevance: Float  # [n, ours] chance of a click when seen
    products: Int  # [n, ours] place among all products


class PooledPages:
    """Some pages of a batch over all pools. Every advertiser is held to the limits alike."""

    def __init__(self, batch: Opportunities, site: Site, rows: slice, pooled: Pooled) -> None:
        assert batch.unpaid is not None  # or there is nothing to rank together
        self.rows, self.room, self.seen = rows, pooled.room, site.seen
        self.placement, self.now = batch.placement[rows], int(batch.at[rows.start : rows.start + 1].sum())
        reserve = site.reserve[self.placement].astype(np.float32)
        self.page = Page(reserve, site.places[self.placement], site.seen.shape[1], site.rules(self.placement))
        rivals, quality = batch.bids[rows], batch.unpaid.relevance[rows]
        weights, self.commerce = pooled.room.pools.weights, batch.unpaid.commerce
        self.relevance = np.concatenate([pooled.relevance[rows], batch.unpaid.advertisers[rows], quality], axis=1)
        self.products = np.concatenate([pooled.products[rows], np.full(rivals.shape, NO_PRODUCT)], axis=1)
        promoted, ours = self.products.shape[1], pooled.products.shape[1]
        bid = np.concatenate([np.zeros((len(rivals), ours), np.float32), rivals], axis=1)
        lift = (weights.relevance * self.relevance[:, :promoted]).astype(np.float32)
        per_click = weights.relevance + weights.experience * ~self.commerce
        score = np.where(quality > 0, per_click * quality + batch.unpaid.take[rows], 0)
        self.field = Field(bid, lift, score.astype(np.float32), ours)
        self._refused, self._entered = np.zeros(bid.shape, np.int8), np.zeros((len(bid), ours), bool)
        self._attention: Float | None = None  # [n] its price on each page, once bids are in
        self.frequency = self.room.frequency(promoted)
        self.user = self.frequency.rows(batch.user_id[rows])

    def cleared(self, bids: npt.NDArray[np.float32]) -> Cleared:
        """The auctions with these bids of ours [rows, ours], nobody being shown anything more often than the limits
        allow. The first bids decide what attention costs; later ones may only be lower.
        """
        ours = self.field.ours
        self.field.bid[:, :ours] = np.where(self._refused[:, :ours] > 0, 0, bids)
        if self._attention is None:
            self._entered = bids > 0
            self._attention = self._admit()
        while True:
            cleared = clear_pools(self.field, self.page)
            row, showings = self._showings(cleared)
            over = self.frequency.excess(showings)
            if not over.any():
                return cleared
            self._refuse_excess(row, showings.column, over)

    def close(self, cleared: Cleared) -> npt.NDArray[np.int8]:
        """That was the last clearing: it is what people are shown. [n, ours] what was kept out by more than its bid."""
        row, showings = self._showings(cleared)
        self.frequency.note(showings)
        self.room.share.note(self.placement, self.page.places, np.bincount(row, minlength=len(self.placement)))
        self.room.note(*self._looks(cleared), len(self.placement))
        return self._told(cleared)

    def _admit(self) -> Float:
        """Keep out who may not be shown, and let ads pay for attention: [n] its price, by which they stand lower."""
        promoted = self.field.bid.shape[1]
        self._refuse(self.relevance[:, :promoted] < self.room.pools.limits.relevance, Fate.RELEVANCE)
        self._refuse(self.frequency.full(self.user, self.products), Fate.FREQUENCY)
        margin = margins(self.field, self.page)
        prices = self.room.share.prices(margin, self.placement, self.page.places, self.now)[self.placement]
        self.field.lift[:] -= prices[:, None].astype(np.float32)
        return prices

    def _showings(self, cleared: Cleared) -> tuple[Int, Showings]:
        """The places won by ads: their pages, and to whom what is shown."""
        row, place = np.nonzero((cleared.winner >= 0) & (cleared.winner < self.field.bid.shape[1]))
        column = cleared.winner[row, place]
        return row, Showings(self.user[row], column, self.products[row, column])

    def _refuse(self, which: Bool, fate: Fate) -> None:
        """Keep those of these [n, promoted] that bid out."""
        which = which & (self.field.bid > 0)
        self._refused[which] = REFUSALS.index(fate) + 1
        self.field.bid[which] = 0

    def _refuse_excess(self, row: Int, column: Int, over: Bool) -> None:
        """Keep out what would be one too many; where the user has had enough of all ads, every ad without a place."""
        which = np.zeros(self.field.bid.shape, bool)
        which[row[over], column[over]] = True
        if self.room.pools.limits.ads_daily is not None:
            kept = np.zeros_like(which)
            kept[row[~over], column[~over]] = True
            which[row[over]] |= ~kept[row[over]]
        self._refuse(which, Fate.FREQUENCY)

    def _looks(self, cleared: Cleared) -> tuple[Float, Float]:
        """Expected looks and clicks by pool, [4] each."""
        row, place = np.nonzero(cleared.winner >= 0)
        column, (ours, promoted) = cleared.winner[row, place], (self.field.ours, self.field.bid.shape[1])
        pool_of = np.concatenate([np.repeat([0, 1], [ours, promoted - ours]), np.where(self.commerce, 2, 3)])
        chance = self.seen[self.placement[row], place]
        clicks = chance * self.relevance[row, column]
        looks, taken = (np.bincount(pool_of[column], values, 4) for values in (chance, clicks))
        return looks.astype(float), taken.astype(float)

    def _told(self, cleared: Cleared) -> npt.NDArray[np.int8]:
        """[n, ours] by what each of ours that bid was kept out, if it was not by its bid alone."""
        ours, attention = self.field.ours, np.zeros(1) if self._attention is None else self._attention
        last = np.maximum(self.page.places.astype(np.int64) - 1, 0)[:, None]
        organic = np.take_along_axis(cleared.winner, last, axis=1) >= self.field.bid.shape[1]
        met = np.take_along_axis(cleared.rival_price, last[:, :, None], axis=2)[:, :, 0]
        bid, told = self.field.bid[:, :ours], self._refused[:, :ours].copy()
        lost = self._entered & (bid > 0) & (bid < met)
        told[lost & organic] = REFUSALS.index(Fate.OUTRANKED_ORGANIC) + 1
        short = (attention[:, None] > 0) & (bid + attention[:, None] >= met)
        told[lost & short] = REFUSALS.index(Fate.AD_SHARE) + 1
        return told
