"""What bidding is about, and what the engine asks of whoever bids: any bidder of this protocol can serve its plans."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from math import gcd
from typing import Protocol

import numpy as np

from qianheng.auction.pricing import Pricing
from qianheng.bidding.aims import Aim
from qianheng.bidding.curves import Arrays, BoolArray, FloatArray, IntArray
from qianheng.bidding.forecast import Forecast


@dataclass(frozen=True, slots=True)
class Market:
    """What a bidder is told about where it bids."""

    placements: int
    seen: FloatArray  # [placements, slots] chance that slot k is seen
    steps: int  # control steps in a day
    pricing: tuple[Pricing, ...] = ()  # of each placement; none given: generalised second price

    def priced(self, rule: Pricing) -> BoolArray:
        """[placements] where this is the rule."""
        return np.array([one is rule for one in self.pricing or [Pricing.GSP] * self.placements])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of n candidates (opportunity, plan) of one step, won and lost; money in any one unit."""

    plan: IntArray
    placement: IntArray
    worth: FloatArray  # [n] predicted value / target ROI, in money
    price: FloatArray  # [n, slots] competing bid that wins slot k when passed, non-increasing in k
    slot: IntArray  # [n] 0 = lost, k = slot k
    seen: BoolArray  # [n] exposed, and so charged
    spend: FloatArray  # [n]

    def some(self, enough: int) -> "Outcome":
        """Every so many candidates, so that about `enough` of each plan are left; plans come in turn, so the stride
        has no divisor in common with their number.
        """
        plans = int(np.count_nonzero(np.bincount(self.plan)))
        stride = len(self.plan) // max(plans, 1) // enough
        if stride < 2:
            return self
        while gcd(stride, plans) > 1:
            stride -= 1
        return Outcome(*(getattr(self, field.name)[::stride] for field in fields(self)))

    def met(self, which: BoolArray | slice, seen: FloatArray) -> "Auctions":
        """Some of the auctions as they were met, on pages `seen` [placements, slots]."""
        placement = self.placement[which]
        return Auctions(self.plan[which], placement, self.worth[which], self.price[which], seen[placement])


@dataclass(frozen=True, slots=True)
class Auctions:
    """Auctions as n candidates met them, whatever was bid."""

    plan: IntArray
    placement: IntArray
    worth: FloatArray  # [n]
    price: FloatArray  # [n, slots]
    seen: FloatArray  # [n, slots] chance that each slot is seen

    def chunks(self, size: int) -> Iterator["Auctions"]:
        """The same auctions, some at a time."""
        for start in range(0, len(self.plan), size):
            some = slice(start, start + size)
            yield Auctions(self.plan[some], self.placement[some], self.worth[some], self.price[some], self.seen[some])


class Binding(StrEnum):
    """What keeps a multiplier from rising."""

    BUDGET = "budget"
    ROI = "roi"
    PROFIT = "profit"  # what more would bring is worth less than it costs
    CAP = "cap"


@dataclass(frozen=True, slots=True)
class Reading:
    """Why a plan bids as it does; money in the bidder's unit."""

    multiplier: float
    binding: Binding
    forecast_spend: float  # for the rest of the day
    forecast_worth: float
    slack: float  # worth so far less spend so far
    level: float  # log of how good traffic is now, 0 at the plan's reference
    spend_between: tuple[float, float] = (0.0, 0.0)  # where four days of five end, within the budget
    worth_between: tuple[float, float] = (0.0, 0.0)


class PlanBidder(Protocol):
    """Bids for all plans of an engine, plans by row; `bid`, then `observe`, once a step."""

    market: Market
    multiplier: FloatArray  # [plans] of the present step

    def bid(self, step: int, plan: IntArray, placement: IntArray, worth: FloatArray) -> FloatArray:
        """Bids [n] for the candidates of a step."""

    def observe(self, step: int, outcome: Outcome) -> None:
        """What became of all candidates of the step."""

    def add(self, budget: float, row: int | None = None) -> int:
        """A plan more, before the given row or behind all others; its row."""

    def set_aim(self, plan: int, aim: Aim) -> None:
        """Bid for something else from now on; at first every plan has a target."""

    def pace(self, step: int) -> FloatArray:
        """[plans] what a candidate of the step is expected to spend, won or lost; zeros if unknown."""

    def set_budget(self, plan: int, budget: float) -> None:
        """Another budget of the day, at once."""

    def set_haste(self, plan: int, haste: float) -> None:
        """Spend the budget sooner (above 0) or later (below 0, above −1) than its worth says."""

    def set_active(self, plan: int, active: bool) -> None:
        """Pause a plan, or let it bid again."""

    def retarget(self, plan: int, ratio: float) -> None:
        """The plan's target is multiplied: later worths come divided by `ratio`, the slack so far stays."""

    def resize(self, plan: int, times: float) -> None:
        """The plan may bid for so many times as many candidates from now on."""

    def credit(self, plan: int, worth: float) -> None:
        """Worth that comes without a bid, or is taken back."""

    def close_day(self) -> None:
        """The day is over; the next begins with nothing spent."""

    def learn_day(self, plan: int, step: IntArray, placement: IntArray, worth: FloatArray, price: FloatArray) -> None:
        """Live through a recorded day [n] of one plan before its own days begin; `price` is [n, slots]."""

    def reading(self, plan: int) -> Reading:
        """Why the plan bids as it does."""

    def forecast(self, plan: int, step: int) -> Forecast:
        """The curves of `rest` with the interval that holds four days of five; zeros if unknown."""

    def rest(self, plan: int, step: int) -> FloatArray:
        """The pair [2, points] that each multiplier would bring from `step` to the end of a day; zeros if unknown."""

    def snapshot(self) -> Arrays:
        """Everything it knows, as arrays with the plan as leading axis."""

    def restore(self, state: Arrays) -> None:
        """Go on exactly where `snapshot` was taken."""


MakeBidder = Callable[[Market, FloatArray], PlanBidder]
"""Makes a bidder for plans of these budgets [plans] of a day."""
