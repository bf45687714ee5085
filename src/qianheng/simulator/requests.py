"""Requests: who opens which placement when, drawn an hour at a time and served in any slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qianheng.core.days import HOUR
from qianheng.core.placements import Placement
from qianheng.facts.opportunities import Int8, Opportunities
from qianheng.simulator.draws import Float32, Int64, generator, key, positive_ids, scramble
from qianheng.simulator.intent import Intent
from qianheng.simulator.keywords import Keywords
from qianheng.simulator.rivals import Rivals
from qianheng.simulator.robots import Robots
from qianheng.simulator.scenario import Scenario


@dataclass(frozen=True, slots=True)
class _Hour:
    """The requests of an hour, their bids not yet made: `values` is what they are worth to the rivals."""

    number: int
    requests: Opportunities
    values: Float32


class Requests:
    """All requests of a scenario: a function of (scenario, seed), whatever the plans and rivals do."""

    def __init__(self, scenario: Scenario, intent: Intent, rivals: Rivals, seed: int) -> None:
        self._intent, self._rivals, self._seed = intent, rivals, seed
        self.robots = Robots(scenario, seed)
        self._population, self._traffic = intent.population, intent.traffic
        habits = [scenario.placements[place.name.lower()] for place in Placement]
        self._placement_up_to = np.cumsum([habit.share for habit in habits])[:-1].astype(np.float32)
        self._context = np.array([habit.context for habit in habits], dtype=np.float32)
        self._keywords = Keywords(scenario)
        self._hour = _Hour(-1, _none(len(rivals)), np.empty((0, len(rivals)), dtype=np.float32))

    def between(self, start: int, end: int) -> Opportunities:
        """The requests in [start, end) with the bids on them."""
        start, end = max(start, self._traffic.start), min(end, self._traffic.end)
        if start >= end:
            return _none(len(self._rivals))
        parts = [
            self._slice(hour, start, end) for hour in range(self._traffic.hour(start), self._traffic.hour(end - 1) + 1)
        ]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _slice(self, number: int, start: int, end: int) -> Opportunities:
        if self._hour.number != number:
            self._hour = self._draw(number)
        hour = self._hour.requests
        low, high = np.searchsorted(hour.at, [start, end])
        day = self._traffic.day(self._traffic.opens(number))
        bids = self._rivals.bids(self._hour.values[low:high], day, number)
        return Opportunities(
            hour.id[low:high],
            hour.at[low:high],
            hour.user_id[low:high],
            hour.placement[low:high],
            hour.audience[low:high],
            hour.category[low:high],
            bids,
            None if hour.keyword is None else hour.keyword[low:high],
        )

    def _draw(self, number: int) -> _Hour:
        at, user, placement, category = self._who(number)
        audience = self._population.audience[user]
        ids = positive_ids(scramble(np.arange(len(at)) ^ key(self._seed, "request", number)))
        context = self._rivals.context(audience.astype(np.int64), category.astype(np.int64))
        values = self._rivals.values(user, placement, context, generator(self._seed, "bids", number))
        bids = np.empty((0, len(self._rivals)), dtype=np.float32)
        keyword = self._keywords.of(ids, placement, category)
        return _Hour(number, Opportunities(ids, at, user, placement, audience, category, bids, keyword), values)

    def _who(self, number: int) -> tuple[Int64, Int64, Int8, Int8]:
        """Times, users, placements and categories of an hour's requests, in time order."""
        draw = generator(self._seed, "requests", number)
        count = int(draw.poisson(self._traffic.rate[number]))
        opens = self._traffic.opens(number)
        at = draw.integers(opens, opens + HOUR, count)
        roster = self._population.roster
        user = roster[draw.integers(0, len(roster), count)].astype(np.int64)
        placement = np.searchsorted(self._placement_up_to, draw.random(count, dtype=np.float32)).astype(np.int8)
        category = self._categories(user, placement, draw)
        looking = self._intent.looking(self._traffic.day(opens))
        here = (opens <= looking.at) & (looking.at < opens + HOUR)
        asked, robot, where = self.robots.requests(number, opens)
        at = np.concatenate([at, looking.at[here], asked])
        order = np.argsort(at, kind="stable")
        user = np.concatenate([user, looking.user[here], robot])[order]
        placement = np.concatenate([placement, looking.placement[here], where])[order].astype(np.int8)
        nothing = np.full(len(asked), -1, np.int8)
        category = np.concatenate([category, looking.category[here], nothing])[order].astype(np.int8)
        return at[order], user, placement, category

    def _categories(self, user: Int64, placement: Int8, draw: np.random.Generator) -> Int8:
        """What requests are about: by the user's interests, or nothing (-1)."""
        drawn = draw.random((2, len(user)), dtype=np.float32)
        interests = self._population.interest_up_to[user]
        category = (drawn[0][:, None] > interests[:, :-1]).sum(axis=1)
        return np.where(drawn[1] < self._context[placement], category, -1).astype(np.int8)


def _none(rivals: int) -> Opportunities:
    whole, small = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int8)
    bids = np.empty((0, rivals), dtype=np.float32)
    few = np.empty(0, dtype=np.int16)
    return Opportunities(whole, whole, whole, small, few, small, bids, few)


def _joined(parts: list[Opportunities]) -> Opportunities:
    names = ("id", "at", "user_id", "placement", "audience", "category", "bids", "keyword")
    joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Opportunities(**joined)
