"""Reference bidders: what others do, behind the same protocol as ours, to be beaten in the same run.

A day is cut into steps; a bidder sees the values of one step, bids, and is told afterwards what became of the bids and
what everything would have cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qianheng.bidding.replay import make

Array = NDArray[Any]
Day = Mapping[str, Array]


class Replayed(Protocol):
    """All that a bidder must answer to be replayed."""

    def bid(self, step: int, value: Array, value_sigma: Array) -> Array:
        """Bids [n] for predicted conversion probabilities [n]."""

    def observe(self, step: int, outcome: Mapping[str, Any]) -> None:
        """What became of them: slot, exposed, spend [n], price [n, slots], remaining_budget."""


class Fixed:
    """Bid target_cpa · value: what a buyer types by hand."""

    def __init__(self, *, budget: float, target_cpa: float, steps: int, history: Sequence[Day]) -> None:
        self.budget, self.target_cpa, self.steps = budget, target_cpa, steps
        self.multiplier, self.spend, self.worth = 1.0, 0.0, 0.0
        self.last: Array = np.zeros(0)

    def bid(self, step: int, value: Array, value_sigma: Array) -> Array:
        """One multiplier for all."""
        self.last = value * self.target_cpa
        return self.multiplier * self.last

    def observe(self, step: int, outcome: Mapping[str, Any]) -> None:
        """Keep the sums and learn."""
        spend, worth = float(outcome["spend"].sum()), float((self.last * outcome["exposed"]).sum())
        self.spend += spend
        self.worth += worth
        self.learn(step, spend, worth)

    def learn(self, step: int, spend: float, worth: float) -> None:
        """A fixed bid learns nothing."""

    def errors(self, step: int, spend: float, worth: float) -> tuple[float, float]:
        """Budget and target left unused in this step, in even shares of the budget, clipped to ±3."""
        share = self.budget / self.steps
        even = (self.budget - self.spend + spend) / (self.steps - step)
        return float(np.clip((even - spend) / share, -3, 3)), float(np.clip((worth - spend) / share, -3, 3))


class Pid(Fixed):
    """Multiplicative PID on the realised ratio and on the linear budget plan."""

    integral = 0.0
    errors_a_day = 48

    def learn(self, step: int, spend: float, worth: float) -> None:
        """Follow the tighter of target and plan."""
        if self.spend <= 0:
            self.multiplier = min(3.0, self.multiplier * 1.01)
            return
        plan = self.budget * (step + 1) / self.steps
        error = float(np.log(min(max(self.worth, 1e-9), plan) / self.spend))
        self.integral = float(np.clip(self.integral + error * self.errors_a_day / self.steps, -5, 5))
        self.multiplier = float(np.clip(np.exp(0.6 * error + 0.1 * self.integral), 0.1, 3.0))


class DualMirrorDescent(Fixed):
    """Budget and target prices by mirror descent (Balseiro, Lu, Mirrokni; Feng, Padmanabhan, Wang, WWW 2023)."""

    budget_price, target_price, rate = 1.0, 0.5, 0.03

    def learn(self, step: int, spend: float, worth: float) -> None:
        """A mirror step on both prices."""
        budget, target = self.errors(step, spend, worth)
        self.budget_price = max(1e-3, self.budget_price * float(np.exp(-self.rate * budget)))
        self.target_price = float(np.clip(self.target_price * np.exp(-self.rate * target), 1e-3, 20))
        self.multiplier = (1 + self.target_price) / (self.budget_price + self.target_price)


class MinPacing(Fixed):
    """Two independent multipliers, the smaller bids (Balseiro et al., field guide, ICML 2024)."""

    budget_multiplier, target_multiplier, rate = 1.0, 1.0, 0.03

    def learn(self, step: int, spend: float, worth: float) -> None:
        """A step of each multiplier by its own error."""
        budget, target = self.errors(step, spend, worth)
        self.budget_multiplier = float(np.clip(self.budget_multiplier * np.exp(self.rate * budget), 0.05, 5))
        self.target_multiplier = float(np.clip(self.target_multiplier * np.exp(self.rate * target), 0.3, 5))
        self.multiplier = min(self.budget_multiplier, self.target_multiplier)


BIDDERS: dict[str, Callable[..., Replayed]] = {
    "fixed": Fixed,
    "pid": Pid,
    "dual-mirror-descent": DualMirrorDescent,
    "min-pacing": MinPacing,
    "qianheng": make,
}
"""Every bidder that can be replayed, by name; each is made with budget, target_cpa, steps and history."""
