"""Reference bidders: what others do, behind the engine's own protocol, to be beaten in the same run.

Each has one multiplier a plan, bids multiplier · worth, and follows the even plan of spending: the budget along the
traffic of the days it has lived through (evenly over the steps on its first day). None of them knows a landscape.
"""

from typing import ClassVar

import numpy as np

from qianheng.bidding import aims
from qianheng.bidding.aims import AIMS, Aim
from qianheng.bidding.bidder import Bidder
from qianheng.bidding.curves import POINTS, Arrays, BoolArray, FloatArray, IntArray, Rows
from qianheng.bidding.forecast import Forecast, Interval
from qianheng.bidding.protocol import Binding, MakeBidder, Market, Outcome, Reading

FIRST_DAY = 1.0  # days of even traffic that are believed before any has been lived


class Fixed(Rows):
    """Bid the worth: what a buyer types by hand."""

    def __init__(self, market: Market, budget: FloatArray) -> None:
        """`budget` [plans] of a day."""
        self.market, plans = market, len(budget)
        self.budget = np.array(budget, dtype=float)
        self.spend, self.worth, self.granted = np.zeros(plans), np.zeros(plans), np.zeros(plans)
        self.active, self.aim = np.ones(plans, dtype=bool), np.zeros(plans, dtype=np.int64)
        self.multiplier = np.ones(plans)
        self.usual = np.full((plans, market.steps), 1.0 / market.steps)  # share of a day's traffic in each step
        self.today, self.days = np.zeros((plans, market.steps)), np.full(plans, FIRST_DAY)

    def bid(self, step: int, plan: IntArray, placement: IntArray, worth: FloatArray) -> FloatArray:
        """One multiplier for all of a plan's candidates; who aims at profit never bids above worth."""
        multiplier = np.minimum(self.multiplier, aims.highest(self.aim, np.inf))
        return np.asarray((multiplier * self.active)[plan] * worth)

    def observe(self, step: int, outcome: Outcome) -> None:
        """Keep the sums and learn."""
        plans = len(self.budget)
        spend = np.bincount(outcome.plan, outcome.spend, plans).astype(float)
        worth = np.bincount(outcome.plan, outcome.worth * outcome.seen, plans).astype(float) + self.granted
        self.granted = np.zeros(plans)
        self.spend, self.worth = self.spend + spend, self.worth + worth
        self.today[:, step] += np.bincount(outcome.plan, minlength=plans)
        self.learn(step, spend, worth)

    def learn(self, step: int, spend: FloatArray, worth: FloatArray) -> None:
        """A fixed bid learns nothing from what a step brought [plans]."""

    def planned(self, step: int) -> FloatArray:
        """The spend [plans] that the even plan sees by the end of a step."""
        return np.asarray(self.budget * self.usual[:, : step + 1].sum(1))

    def errors(self, step: int, spend: FloatArray, worth: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Budget and target [plans] left unused in this step, in the step's shares of the budget, clipped to ±3."""
        usual = np.maximum(self.usual[:, step], 1e-12)
        share = np.maximum(self.budget * usual, 1e-12)
        rest = np.maximum(self.usual[:, step:].sum(1), usual)
        even = (self.budget - self.spend + spend) * usual / rest
        of_target = np.where(self.has_target, (worth - spend) / share, 3)
        return np.clip((even - spend) / share, -3, 3), np.clip(of_target, -3, 3)

    @property
    def has_target(self) -> BoolArray:
        """Which plans [plans] answer to a target."""
        return np.asarray(self.aim == AIMS.index(Aim.TARGET))

    def add(self, budget: float, row: int | None = None) -> int:
        """A plan more that has lived through nothing."""
        row = len(self.budget) if row is None else row
        self.insert(row, type(self)(self.market, np.array([budget])))
        return row

    def pace(self, step: int) -> FloatArray:
        """It knows no landscape: zeros."""
        return np.zeros(len(self.budget))

    def set_aim(self, plan: int, aim: Aim) -> None:
        """Answer to a target, or to the budget alone."""
        self.aim[plan] = AIMS.index(aim)

    def set_haste(self, plan: int, haste: float) -> None:
        """A reference knows one pace, that of its even plan."""

    def set_budget(self, plan: int, budget: float) -> None:
        """Another budget of the day."""
        self.budget[plan] = budget

    def set_active(self, plan: int, active: bool) -> None:
        """Pause a plan, or let it bid again."""
        self.active[plan] = active

    def retarget(self, plan: int, ratio: float) -> None:
        """Later worths come divided by `ratio`; there is nothing else to change."""

    def resize(self, plan: int, times: float) -> None:
        """A reference knows when people come; how many there are it sees as they do."""

    def credit(self, plan: int, worth: float) -> None:
        """Count it in the next step."""
        self.granted[plan] += worth

    def close_day(self) -> None:
        """Learn when people come, and start a day with nothing spent."""
        self._remember(self.today)
        self.spend, self.worth = np.zeros_like(self.spend), np.zeros_like(self.worth)
        self.granted, self.today = np.zeros_like(self.granted), np.zeros_like(self.today)

    def learn_day(self, plan: int, step: IntArray, placement: IntArray, worth: FloatArray, price: FloatArray) -> None:
        """Learn from a recorded day when people come."""
        lived = np.zeros_like(self.today)
        lived[plan] = np.bincount(step, minlength=self.market.steps)
        self._remember(lived)

    def reading(self, plan: int) -> Reading:
        """Its multiplier; it forecasts nothing, and the constraint named is the one it is nearer to."""
        slack = float(self.worth[plan] - self.spend[plan])
        tight = self.has_target[plan] and slack < self.budget[plan] - self.spend[plan]
        binding = Binding.ROI if tight else Binding.BUDGET
        return Reading(float(self.multiplier[plan] * self.active[plan]), binding, 0.0, 0.0, slack, 0.0)

    def forecast(self, plan: int, step: int) -> Forecast:
        """It knows no landscape: zeros."""
        nothing = Interval(*np.zeros((3, POINTS)))
        return Forecast(nothing, nothing)

    def rest(self, plan: int, step: int) -> FloatArray:
        """It knows no landscape: zeros [2, points]."""
        return np.zeros((2, POINTS))

    def snapshot(self) -> Arrays:
        """Its arrays."""
        return {name: held.copy() for name, held in self.arrays().items()}

    def restore(self, state: Arrays) -> None:
        """Go on from a snapshot."""
        self.load(state)

    def _remember(self, day: FloatArray) -> None:
        """Average the traffic [plans, steps] of a day into the usual one; a plan without any has not lived it."""
        total = day.sum(1)
        lived = total > 0
        share = day / np.where(lived, total, 1.0)[:, None]
        self.days = self.days + lived
        self.usual = self.usual + np.where(lived, 1.0 / self.days, 0.0)[:, None] * (share - self.usual)


class Pid(Fixed):
    """Multiplicative PID on the realised ratio and on the even plan, whichever is tighter."""

    gains: ClassVar[tuple[float, float]] = (0.6, 0.1)
    errors_a_day: ClassVar[int] = 48

    def __init__(self, market: Market, budget: FloatArray) -> None:
        super().__init__(market, budget)
        self.integral = np.zeros(len(budget))

    def learn(self, step: int, spend: FloatArray, worth: FloatArray) -> None:
        """Follow the tighter of target and plan; while nothing is won, bid a little more."""
        spent = self.spend > 0
        worthy = np.where(self.has_target, np.maximum(self.worth, 1e-9), np.inf)
        allowed = np.minimum(worthy, np.maximum(self.planned(step), 1e-9))
        error = np.where(spent, np.log(allowed / np.where(spent, self.spend, allowed)), 0.0)
        self.integral = np.clip(self.integral + error * self.errors_a_day / self.market.steps, -5, 5)
        proportional, integral = self.gains
        followed = np.clip(np.exp(proportional * error + integral * self.integral), 0.1, 3.0)
        self.multiplier = np.where(spent, followed, np.minimum(3.0, self.multiplier * 1.01))


class DualMirrorDescent(Fixed):
    """Budget and target prices by mirror descent (Balseiro, Lu, Mirrokni; Feng, Padmanabhan, Wang, WWW 2023)."""

    rate: ClassVar[float] = 0.03

    def __init__(self, market: Market, budget: FloatArray) -> None:
        super().__init__(market, budget)
        self.budget_price, self.target_price = np.ones(len(budget)), np.full(len(budget), 0.5)

    def learn(self, step: int, spend: FloatArray, worth: FloatArray) -> None:
        """A mirror step on both prices."""
        budget, target = self.errors(step, spend, worth)
        self.budget_price = np.maximum(1e-3, self.budget_price * np.exp(-self.rate * budget))
        self.target_price = np.clip(self.target_price * np.exp(-self.rate * target), 1e-3, 20)
        self.multiplier = (1 + self.target_price) / (self.budget_price + self.target_price)


class MinPacing(Fixed):
    """Two independent multipliers, the smaller bids (Balseiro et al., field guide, ICML 2024)."""

    rate: ClassVar[float] = 0.03

    def __init__(self, market: Market, budget: FloatArray) -> None:
        super().__init__(market, budget)
        self.budget_multiplier, self.target_multiplier = np.ones(len(budget)), np.ones(len(budget))

    def learn(self, step: int, spend: FloatArray, worth: FloatArray) -> None:
        """A step of each multiplier by its own error."""
        budget, target = self.errors(step, spend, worth)
        self.budget_multiplier = np.clip(self.budget_multiplier * np.exp(self.rate * budget), 0.05, 5)
        self.target_multiplier = np.clip(self.target_multiplier * np.exp(self.rate * target), 0.3, 5)
        self.multiplier = np.minimum(self.budget_multiplier, self.target_multiplier)


BIDDERS: dict[str, MakeBidder] = {
    "fixed": Fixed,
    "pid": Pid,
    "dual-mirror-descent": DualMirrorDescent,
    "min-pacing": MinPacing,
    "qianheng": Bidder,
}
"""Every bidder that the engine can be given, and that can be replayed, by name."""
