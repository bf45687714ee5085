"""Rivals: advertisers that bid what an impression is worth to them, times a multiplier that paces their own budget."""

from __future__ import annotations

import numpy as np

from qianheng.core.money import YUAN
from qianheng.core.placements import Placement
from qianheng.simulator.buyers import Population
from qianheng.simulator.draws import Float32, Float64, Whole, generator
from qianheng.simulator.faults import hours_of
from qianheng.simulator.habits import PlacementHabits, RivalGroup
from qianheng.simulator.scenario import Scenario
from qianheng.simulator.seasons import Seasons

State = dict[str, np.ndarray]


class Rivals:
    """All rivals as arrays. What they know of a user is the audience cell, the context and part of the purse."""

    def __init__(self, scenario: Scenario, population: Population, seed: int) -> None:
        draw = generator(seed, "rivals")
        groups = [group for group in scenario.rivals for _ in range(group.count)]
        self._habits = scenario.rival_habits
        self._days = scenario.days
        self._purse = np.log(population.purse) * np.float32(self._habits.purse_weight)
        places = [scenario.placements[place.name.lower()] for place in Placement]
        self._price_level = np.log([self._level(place) for place in places], dtype=np.float32)
        self._paced = np.array([group.paced for group in groups], dtype=bool)
        self._enters = np.array([(group.enters_day - 1) * 24 + group.enters_hour for group in groups], dtype=np.int64)
        self._leaves = np.array([_leaves(group, scenario.days) for group in groups], dtype=np.int64)
        self._budget = np.array([group.budget_daily for group in groups]) * YUAN
        strength = np.log([group.value * YUAN for group in groups])
        strength = strength + draw.standard_normal(len(groups)) * [group.spread for group in groups]
        self.category = draw.integers(0, len(scenario.categories), len(groups))  # what each of them sells
        self._regular = len(groups)
        strength = np.append(strength, self._newcomers(scenario))
        self._worth = self._worths(strength, self.category, population)
        self._cells = scenario.buyers.cells
        self._season = Seasons(scenario.seasons, scenario.days).rivals
        self.multiplier: Float64 = np.ones(len(self))
        self.spent: Float64 = np.zeros(len(self))
        self.day = -1

    def __len__(self) -> int:
        return len(self._budget)

    def values(self, users: Whole, placement: Whole, context: Whole, draw: np.random.Generator) -> Float32:
        """What each request is worth to each rival, micro-yuan, shape [n, rivals]."""
        shared = self._purse[users] + self._price_level[placement]
        shared += draw.standard_normal(len(users), dtype=np.float32) * np.float32(self._habits.shared_noise)
        values = draw.standard_normal((len(users), self._regular), dtype=np.float32)
        if len(self) > self._regular:  # drawn after all others, whose values stay as they are
            more = draw.standard_normal((len(users), len(self) - self._regular), dtype=np.float32)
            values = np.concatenate([values, more], axis=1)
        values *= np.float32(self._habits.noise)
        values += self._worth[context]
        values += shared[:, None]
        np.exp(values, out=values)
        return values

    def context(self, audience: Whole, category: Whole) -> Whole:
        """The row of the table of worths: what a rival can know of a request."""
        return (category + 1) * self._cells + audience

    def bids(self, values: Float32, day: int, hour: int) -> Float32:
        """The sealed bids on requests of one hour (counted from the first): 0 from who is absent or has run out."""
        self._begin(day)
        season = float(self._season[day])
        present = (self._enters <= hour) & (hour < self._leaves) & (self.spent < self._budget * season)
        return values * (self.multiplier * present * season).astype(np.float32)

    def settle(self, day: int, elapsed: float, hours: float, spend: Float64) -> None:
        """Take in what they spent; paced ones move their multiplier towards the plan of spending with the traffic.

        `elapsed` is the share of the day's traffic that has come, `hours` the time since they last looked.
        """
        self._begin(day)
        self.spent += spend
        behind = elapsed - self.spent / np.maximum(self._budget * self._season[day], 1.0)
        step = np.exp(self._habits.gain * hours * np.clip(behind, -0.1, 0.1))
        moved = np.clip(self.multiplier * step, self._habits.floor, 1.0)
        self.multiplier = np.where(self._paced, moved, self.multiplier)

    def snapshot(self) -> State:
        """What changes as the days go by."""
        return {"multiplier": self.multiplier.copy(), "spent": self.spent.copy(), "day": np.array(self.day)}

    def restore(self, state: State) -> None:
        """Go on from a snapshot."""
        self.multiplier, self.spent = state["multiplier"].copy(), state["spent"].copy()
        self.day = int(state["day"])

    def _newcomers(self, scenario: Scenario) -> list[float]:
        """Enter the rivals that faults bring, whose money has no end; the logarithm of what an impression is worth to
        them.
        """
        entered = [fault for fault in scenario.faults if fault.kind == "rival_entered"]
        names, strongest = list(scenario.categories), max((group.value for group in scenario.rivals), default=0.0)
        own = [names.index(fault.category or scenario.products()[0].category) for fault in entered]
        hours = np.array([hours_of(scenario, fault) for fault in entered], np.int64).reshape(-1, 2)
        self.category = np.append(self.category, own).astype(np.int64)
        self._enters, self._leaves = np.append(self._enters, hours[:, 0]), np.append(self._leaves, hours[:, 1])
        self._paced = np.append(self._paced, np.zeros(len(entered), bool))
        self._budget = np.append(self._budget, np.full(len(entered), np.inf))
        return [float(np.log(max(strongest * fault.size * YUAN, 1.0))) for fault in entered]

    def _level(self, place: PlacementHabits) -> float:
        """What is bid in a placement, against the market: less than the worth where the own bid is paid."""
        return place.price_level * (self._habits.first_price if place.pricing == "first" else 1.0)

    def _begin(self, day: int) -> None:
        if day != self.day:
            self.day, self.spent = day, np.zeros(len(self))

    def _worths(self, strength: Float64, own: Whole, population: Population) -> Float32:
        """The logarithm of what requests are worth, shape [(categories + 1) * cells, rivals]."""
        focus = np.log(self._habits.focus)
        taste = population.cells.interest[:, own] * 0.5  # [cells, rivals]
        categories = np.arange(-1, population.interest.shape[1])
        match = np.where(categories[:, None] == own[None, :], focus, 0.0)  # [categories + 1, rivals]
        worth = strength + taste[None, :, :] + match[:, None, :]
        return worth.reshape(worth.shape[0] * worth.shape[1], len(strength)).astype(np.float32)


def _leaves(group: RivalGroup, days: int) -> int:
    return (days + 1) * 24 if group.leaves_day is None else (group.leaves_day - 1) * 24
