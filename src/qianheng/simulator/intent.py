"""Intent: who is in the market for what on a day, looks around, and buys unprompted. No ad changes these draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianheng.core.days import HOUR
from qianheng.core.placements import Placement
from qianheng.simulator.buyers import Catalogue, Population
from qianheng.simulator.draws import Bool, Int64, UInt64, Whole, another, key, scramble, uniform
from qianheng.simulator.scenario import Scenario
from qianheng.simulator.traffic import Traffic

_MOMENT, _PLACE, _BEFORE, _WHERE = range(100, 104)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The buyers in the market on a day, one row a buyer and product."""

    bits: UInt64  # the one draw of this buyer, product and day
    user: Int64
    product: Int64  # index in the catalogue
    moment: Int64  # when they have made up their mind
    unprompted: Bool  # buys without any ad
    place: Int64  # placement of an unprompted order


@dataclass(frozen=True, slots=True)
class LookingAround:
    """The requests that people in the market make beyond their habit."""

    user: Int64
    at: Int64
    placement: Whole
    category: Whole


class Intent:
    """The one draw of every (buyer, product, day), and what follows from it alone: a function of (scenario, seed)."""

    def __init__(self, scenario: Scenario, catalogue: Catalogue, population: Population, seed: int) -> None:
        self.traffic = Traffic(scenario)
        self.population = population
        self._catalogue, self._habits, self._seed = catalogue, scenario.buyers, seed
        shares = [scenario.placements[place.name.lower()].organic for place in Placement]
        self._place_up_to = np.cumsum(shares)[:-1]
        self._wanted: dict[int, Wanted] = {}

    def keys(self, day: int) -> Int64:
        """The key of each product's draws on a day."""
        return np.array([key(self._seed, "purchase", day, product) for product in self._catalogue.id.tolist()])

    def wanted(self, day: int) -> Wanted:
        """Who is in the market on a day, and who of them buys unprompted. The last two days are kept."""
        if day not in self._wanted:
            self._wanted = {kept: self._wanted[kept] for kept in list(self._wanted)[-1:]}
            self._wanted[day] = self._draw(day)
        return self._wanted[day]

    def looking(self, day: int) -> LookingAround:
        """The requests that people in the market make on a day, looking around before they make up their mind."""
        wanted, count = self.wanted(day), self._habits.hot_requests
        user, product = np.repeat(wanted.user, count), np.repeat(wanted.product, count)
        bits = scramble(np.repeat(wanted.bits, count) + np.tile(np.arange(count, dtype=np.uint64), len(wanted.user)))
        before = (another(bits, _BEFORE) * self._habits.hot_hours * HOUR).astype(np.int64)
        at = np.maximum(np.repeat(wanted.moment, count) - before, self.traffic.midnights[day])
        searches = another(bits, _WHERE) < self._habits.hot_search
        placement = np.where(searches, Placement.SEARCH, Placement.MALL)
        return LookingAround(user, at, placement, self._catalogue.category[product])

    def _draw(self, day: int) -> Wanted:
        everyone = np.arange(self._habits.population)
        found = []
        for index, day_key in enumerate(self.keys(day)):
            bits = scramble(everyone ^ day_key)
            wants = uniform(bits) < self.population.hot[index]
            found.append((bits[wants], everyone[wants], np.full(int(wants.sum()), index)))
        bits, user, product = (np.concatenate(part) for part in zip(*found, strict=True))
        unprompted = uniform(bits) < self.population.hot[product, user] * self._habits.hot_organic
        moment = self.traffic.times(day, another(bits, _MOMENT))
        place = np.searchsorted(self._place_up_to, another(bits, _PLACE))
        return Wanted(bits, user, product, moment, unprompted, place)
