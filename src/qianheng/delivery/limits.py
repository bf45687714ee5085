"""Limits on what a user sees (SPEC 6.0): how often, how much of it promoted, how relevant at least.

They hold for every advertiser alike. A showing is a place won, whether or not it was looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qianheng.auction.pools import Places, attention_price
from qianheng.auction.pricing import Float as Float32
from qianheng.core.days import HOUR
from qianheng.facts.opportunities import Bool
from qianheng.prediction.space import Float, Int

NO_PRODUCT = -1


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits as data; `None` and 0 mean none.

    per_plan_daily, per_product_daily: showings of one plan (campaign, advertiser), or of one product, to a user a day;
    ads_daily: promoted showings to a user a day; ad_share: [placements] the most that may be promoted of the places
    shown in about the last `window`, microseconds; relevance: the least chance of a click that an ad needs.
    """

    per_plan_daily: int | None = None
    per_product_daily: int | None = None
    ads_daily: int | None = None
    ad_share: tuple[float, ...] | None = None
    window: int = HOUR
    relevance: float = 0.0


@dataclass(frozen=True, slots=True)
class Showings:
    """Promoted places [m] in order: to whom, of whom, of what."""

    user: Int  # row
    column: Int
    product: Int  # index, NO_PRODUCT where it is not known


class Frequency:
    """Today's promoted showings by user and advertiser, by user and product, and by user; they grow with users."""

    def __init__(self, limits: Limits, columns: int, products: int) -> None:
        self.most = (limits.per_plan_daily, limits.per_product_daily, limits.ads_daily)
        self._width = (columns, products, 1)
        self._row: dict[int, int] = {}
        self._counts = [np.zeros((0, width), np.int32) for width in self._width]

    @property
    def users(self) -> int:
        """How many people have come today."""
        return len(self._row)

    def start_day(self) -> None:
        """Nobody has been shown anything today."""
        self._row.clear()
        self._counts = [np.zeros((0, width), np.int32) for width in self._width]

    def rows(self, user_id: Int) -> Int:
        """[n] the row of each user; who is new gets one."""
        known = self._row
        found = np.array([known.setdefault(user, len(known)) for user in user_id.tolist()], np.int64)
        for kind, counts in enumerate(self._counts):
            if len(counts) < len(known):
                grown = np.zeros((2 * len(known), counts.shape[1]), np.int32)
                grown[: len(counts)] = counts
                self._counts[kind] = grown
        return found

    def full(self, user: Int, products: Int) -> Bool:
        """[n, columns] what these users (rows, [n]) have been shown often enough today; products: [n, columns]."""
        by_plan, by_product, by_all = self._counts
        per_plan, per_product, ads = self.most
        full = np.zeros(products.shape, bool)
        if per_plan is not None:
            full |= by_plan[user] >= per_plan
        if per_product is not None:
            known = products >= 0
            full |= known & (by_product[user[:, None], np.where(known, products, 0)] >= per_product)
        if ads is not None:
            full |= by_all[user] >= ads
        return full

    def excess(self, showings: Showings) -> Bool:
        """[m] which of the showings would be one too many, those before them counted."""
        over = np.zeros(len(showings.user), bool)
        for most, counts, item in zip(self.most, self._counts, self._items(showings), strict=True):
            if most is not None:
                known = item >= 0
                key = showings.user[known] * counts.shape[1] + item[known]
                over[known] |= counts.ravel()[key] + _before(key) >= most
        return over

    def note(self, showings: Showings) -> None:
        """These have been shown."""
        for counts, item in zip(self._counts, self._items(showings), strict=True):
            known = item >= 0
            np.add.at(counts, (showings.user[known], item[known]), 1)

    @staticmethod
    def _items(showings: Showings) -> tuple[Int, Int, Int]:
        return showings.column, showings.product, np.zeros_like(showings.column)


def _before(key: Int) -> Int:
    """[m] how many equal keys stand before each."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    start = np.maximum.accumulate(np.where(first, np.arange(len(key)), 0))
    found = np.empty(len(key), np.int64)
    found[order] = np.arange(len(key)) - start
    return found


class AdShare:
    """The share of places that were promoted, by placement, over about the last window: sums that fade."""

    def __init__(self, limits: Limits, placements: int) -> None:
        self.most = None if limits.ad_share is None else np.array(limits.ad_share)
        self.window = limits.window
        self.promoted, self.places = np.zeros(placements), np.zeros(placements)
        self.at = np.zeros(1, np.int64)

    def prices(self, margin: Float32, placement: Places, places: Places, now: int) -> Float:
        """[placements] the price of attention that keeps each placement's share at or below its limit in this step.

        margin: [n, slots] of `auction.pools.margins`; placement, places: [n] of each page.
        """
        if self.most is None:
            return np.zeros(len(self.places))
        self._fade(now)
        total = self.places + np.bincount(placement, places, len(self.places))
        allowed = np.floor(self.most * total - self.promoted + 1e-9)
        pages = (margin[placement == one] for one in range(len(total)))
        found = [attention_price(page, int(room)) for page, room in zip(pages, allowed, strict=True)]
        return np.array(found)

    def note(self, placement: Places, places: Places, promoted: Int) -> None:
        """Pages [n] were shown with so many places, of which so many were promoted."""
        self.places += np.bincount(placement, places, len(self.places))
        self.promoted += np.bincount(placement, promoted, len(self.places))

    def snapshot(self) -> dict[str, npt.NDArray[Any]]:
        """The sums, to go on from."""
        return {name: getattr(self, name).copy() for name in ("promoted", "places", "at")}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go on from a snapshot."""
        self.promoted, self.places, self.at = (state[name].copy() for name in ("promoted", "places", "at"))

    def _fade(self, now: int) -> None:
        kept = np.exp(-max(now - int(self.at[0]), 0) / self.window)
        self.promoted, self.places = self.promoted * kept, self.places * kept
        self.at[0] = max(now, int(self.at[0]))
