"""What else a page could show: organic content, goods on the shelf, and how relevant other advertisers' ads are.

Quality scores are what a platform could know: the placement, whether the page is about it, and how well the single
piece does. They are drawn from the request's id alone, so nothing else of the market depends on them.
"""

from __future__ import annotations

import numpy as np

from qianheng.core.money import YUAN
from qianheng.core.placements import Placement
from qianheng.facts.opportunities import Opportunities, Unpaid
from qianheng.simulator.buyers import Catalogue
from qianheng.simulator.draws import Bool, Float64, Int64, Whole, another, key, scramble
from qianheng.simulator.scenario import Scenario

_FIRST, _SECOND, _OWN, _WHICH, _ADS = 0, 1000, 2000, 3000, 500
USUAL_FEE = 0.05  # of what others' goods sell for


class Shelf:
    """The unpaid candidates of requests: a function of (scenario, seed) and the requests' ids."""

    def __init__(self, scenario: Scenario, catalogue: Catalogue, category_of_rivals: Whole, seed: int) -> None:
        assert scenario.pools is not None  # or nothing else is ranked
        self._pools, self._catalogue, self._key = scenario.pools, catalogue, key(seed, "shelf")
        habits = [scenario.placements[place.name.lower()] for place in Placement]
        self._clicks = np.array([habit.click for habit in habits])
        self._orders = np.array([habit.order for habit in habits])
        self._lift = scenario.buyers.context_lift
        prices = [category.price for category in scenario.categories.values()]
        self._usual = np.array([*prices, np.mean(prices)]) * USUAL_FEE * YUAN  # the last: about nothing in particular
        fees = np.array([float(product.service_fee_rate) for product in scenario.products()])
        self._fee = catalogue.price * fees
        self._category_of_rivals = category_of_rivals
        self._commerce: Bool = np.arange(self._pools.organic + self._pools.commerce) >= self._pools.organic

    def of(self, batch: Opportunities) -> Unpaid:
        """The candidates of a batch, organic ones first."""
        bits = scramble(batch.id ^ self._key)
        columns = range(len(self._commerce))
        fit = np.where(batch.category >= 0, self._lift, 1.0)
        base = (self._clicks[batch.placement] * fit)[:, None]
        relevance = base * self._quality(bits, columns)
        product = np.stack([self._product(bits, batch.category, column) for column in columns], axis=1)
        earns = np.where(product >= 0, self._fee[product], self._usual[batch.category][:, None])
        take = relevance * self._orders[batch.placement][:, None] * earns * self._commerce
        matching = batch.category[:, None] == self._category_of_rivals[None, :]
        ads = self._clicks[batch.placement][:, None] * np.where(matching, self._lift, 1.0)
        ads = ads * self._quality(bits, range(_ADS, _ADS + len(self._category_of_rivals)))
        ids = np.where(product >= 0, self._catalogue.id[product], -1)
        kept = np.minimum(relevance, 1.0).astype(np.float32)
        return Unpaid(kept, take.astype(np.float32), self._commerce, ids, np.minimum(ads, 1.0).astype(np.float32))

    def _quality(self, bits: np.ndarray, columns: range) -> Float64:
        """[n, columns] how well single pieces do: log-normal factors of mean 1 (Box and Muller 1958)."""
        parts = []
        for column in columns:
            radius = np.sqrt(-2 * np.log1p(-another(bits, _FIRST + column)))
            normal = radius * np.cos(2 * np.pi * another(bits, _SECOND + column))
            parts.append(np.exp(self._pools.spread * (normal - self._pools.spread / 2)))
        return np.stack(parts, axis=1) if parts else np.empty((len(bits), 0))

    def _product(self, bits: np.ndarray, category: Whole, column: int) -> Int64:
        """[n] the product sold here that a candidate is, by its place in the catalogue; -1: something else's."""
        own = another(bits, _OWN + column) < self._pools.own
        drawn = another(bits, _WHICH + column)
        found = np.full(len(bits), -1)
        for number in np.unique(category[own]).tolist():
            matching = np.flatnonzero((self._catalogue.category == number) | (number < 0))
            rows = np.flatnonzero(own & (category == number))
            if len(matching):
                found[rows] = matching[(drawn[rows] * len(matching)).astype(np.int64)]
        return found
