"""Days driven through market and engine without a database: what each plan spent and won, in the eyes of truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from qianheng.actions.driver import Driver, TimedPlan
from qianheng.actions.scoring import DayScore
from qianheng.actions.simulation import recorder_of, site_of, space_of
from qianheng.core.days import microseconds, midnight
from qianheng.delivery.engine import Engine
from qianheng.delivery.tick import Tick
from qianheng.plans.allowance import NOTHING, Lease
from qianheng.plans.plan import Goal, Plan
from qianheng.simulator.loading import load
from qianheng.simulator.market import Market
from qianheng.simulator.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Driven:
    """One plan's days: money in micro-yuan, [days]."""

    spend: np.ndarray
    worth: np.ndarray  # true, of what was won; under the profit goal less spend
    best: np.ndarray


class _As(DayScore):
    """Scores plans as if they had another goal, whatever they bid to."""

    def __init__(self, driver: Driver, goal: Goal) -> None:
        super().__init__(driver.market, driver.engine.site.seen, driver.engine.offers)
        self.goal = goal

    def enter(self, tick: Tick, plans: Sequence[Plan]) -> list[np.ndarray]:
        return super().enter(tick, self._seen(plans))

    def reach(self, tick: Tick, plans: Sequence[Plan], worths: Sequence[np.ndarray], seen: np.ndarray) -> None:
        super().reach(tick, self._seen(plans), worths, seen)

    def _seen(self, plans: Sequence[Plan]) -> list[Plan]:
        return [replace(plan, goal=self.goal, target=None) for plan in plans]


def scenario_of(name: str, overrides: Mapping[str, str]) -> Scenario:
    """A shipped scenario with single values overridden."""
    return load(name, overrides)


def driver_of(scenario: Scenario, seed: int) -> Driver:
    """A driver at the beginning of a scenario."""
    start = microseconds(midnight(scenario.first_day, scenario.timezone))
    engine = Engine(scenario.plan_records(), space_of(scenario), site_of(scenario), start)
    driver = Driver(Market(scenario, seed), engine, recorder_of(scenario), seed, scenario.prediction)
    for plan in scenario.plan_records():
        driver.change(TimedPlan(start, plan, 0))
    return driver


def drive(scenario: Scenario, seed: int, goal: Goal | None = None) -> dict[int, Driven]:
    """Drive all days of a scenario; what became of each plan, by its id, as a plan of that goal would see it."""
    driver, spend, scores = driver_of(scenario, seed), [], []
    if goal is not None:
        driver.score = _As(driver, goal)
    leases = {plan.id: Lease(plan.budget_daily, NOTHING) for plan in driver.engine.plans}
    for number in range(scenario.days):
        start, end = (
            microseconds(midnight(scenario.first_day + timedelta(days=number + more), scenario.timezone))
            for more in (0, 1)
        )
        scores.append(driver.run_day(start, end, [], leases).scores)
        spend.append(driver.engine.spent_today.copy())
    return {
        plan.id: Driven(
            np.array([day[row] for day in spend], float),
            np.array([day[plan.id].worth for day in scores]),
            np.array([day[plan.id].best for day in scores]),
        )
        for row, plan in enumerate(driver.engine.plans)
    }
