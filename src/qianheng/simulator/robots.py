"""Robots: devices that ask in bursts and click on whatever they are shown. Who they are is truth and stays inside."""

from __future__ import annotations

import numpy as np

from qianheng.core.days import HOUR, SECOND
from qianheng.core.placements import Placement
from qianheng.simulator.draws import Bool, Int64, generator
from qianheng.simulator.scenario import Scenario


class Robots:
    """The robots of a scenario and what they ask for: a function of (scenario, seed), like everybody's requests."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.habits, self._seed = scenario.fraud, seed
        population = scenario.buyers.population
        self.users: Int64 = generator(seed, "robots").permutation(population)[: self.habits.robots].astype(np.int64)
        self.is_robot: Bool = np.zeros(population, bool)
        self.is_robot[self.users] = True

    def requests(self, hour: int, opens: int) -> tuple[Int64, Int64, Int64]:
        """Times (UTC microseconds), users and placements of what robots ask for in an hour that opens at `opens`."""
        if not len(self.users) or not self.habits.bursts_per_day:
            return (np.empty(0, np.int64),) * 3
        draw, habits = generator(self._seed, "bursts", hour), self.habits
        bursts = int(draw.poisson(habits.bursts_per_day / 24))
        user, placement = draw.choice(self.users, bursts), draw.integers(0, len(Placement), bursts)
        last = HOUR - habits.seconds * SECOND
        begins = draw.integers(0, max(last, 1), bursts)
        after = draw.integers(0, habits.seconds * SECOND, (bursts, habits.requests))
        at = np.minimum(opens + begins[:, None] + after, opens + HOUR - 1).ravel()
        return at, np.repeat(user, habits.requests), np.repeat(placement, habits.requests)
