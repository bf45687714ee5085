"""Scoring a simulated day by its truth: what share of the hindsight optimum each plan got.

The truth stays apart from everything that bids. The optimum holds the rivals' realised prices fixed, and lets the
plan choose its best product by truth in every auction it could have entered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qianheng.auction.hindsight import most_profit, optimum
from qianheng.delivery.members import Members
from qianheng.delivery.offers import Offers
from qianheng.delivery.tick import Tick
from qianheng.facts.opportunities import Bool, Decisions, Float32, Float64, Int8, Int64
from qianheng.measures.worth import Kept, worth
from qianheng.plans.plan import Goal, Plan
from qianheng.simulator.market import Market, Truth


@dataclass(frozen=True, slots=True)
class Score:
    """A plan's day in the eyes of truth, expected values in micro-yuan of worth; under the profit goal less spend."""

    worth: float  # true expected worth of what was won and seen
    best: float  # true expected worth of the hindsight optimum
    opportunities: int  # auctions the plan could have entered

    @property
    def ratio(self) -> float | None:
        """Share of the optimum reached; `None` when there was nothing to get."""
        return self.worth / self.best if self.best > 0 else None


class DayScore:
    """Collects one day's auctions as each plan could have met them; memory of one day, cleared by `close`."""

    def __init__(self, market: Market, seen: Float64, offers: Offers) -> None:
        self.market, self.seen, self.offers = market, seen.astype(np.float32), offers
        self._plans: dict[int, Plan] = {}
        self._worth: dict[int, list[Float32]] = {}
        self._price: dict[int, list[Float32]] = {}
        self._chance: dict[int, list[Float32]] = {}
        self._reached: dict[int, float] = {}

    def enter(self, tick: Tick, plans: Sequence[Plan]) -> list[Float64]:
        """The auctions of a tick that each serving plan could have entered. Call it before anyone has seen anything.

        Returns the true worth of showing each of a serving plan's members, [n, its members], one array a plan.
        """
        worths = []
        for column in tick.serving.tolist():
            plan = plans[column]
            members = self.offers.members[column]
            truth = self.market.truth(tick.batch, members.product_id, members.room_id, members.creative_id)
            worths.append(
                _worth_of(plan, members, truth) * (_open(plan, tick.batch.placement) & tick.may(column))[:, None]
            )
            self._plans[plan.id] = plan
            self._enter(tick, column, plan.id, worths[-1].max(axis=1))
        return worths

    def reach(self, tick: Tick, plans: Sequence[Plan], worths: Sequence[Float64], seen: Bool) -> None:
        """What was really won of it by the plan itself: the decisions that were seen and not paid for by a boost."""
        for column, found in zip(tick.serving.tolist(), worths, strict=True):
            plan = plans[column]
            won = (tick.column == column) & (tick.boost == 0) & seen
            member = _members_of(tick.decisions, won, self.offers.members[column])
            reached = float(found[tick.decisions.row[won], member].sum())
            if plan.goal is Goal.PROFIT:
                reached -= float(tick.decisions.price[won].sum())
            self._reached[plan.id] = self._reached.get(plan.id, 0.0) + reached

    def close(self, budgets: Mapping[int, int], unpromoted: Mapping[int, float]) -> dict[int, Score]:
        """The day's score of each plan, by its id.

        budgets: what each could have spent that day, micro-yuan; `unpromoted`: the worth that counted for it without
        being promoted.
        """
        scores = {
            plan_id: self._score(plan_id, most, unpromoted.get(plan_id, 0.0)) for plan_id, most in budgets.items()
        }
        for kept in (self._worth, self._price, self._chance, self._reached):
            kept.clear()
        return scores

    def _enter(self, tick: Tick, column: int, plan_id: int, best: Float64) -> None:
        self._worth.setdefault(plan_id, []).append(best.astype(np.float32))
        self._price.setdefault(plan_id, []).append(tick.cleared.cost[:, column])
        self._chance.setdefault(plan_id, []).append(self.seen[tick.batch.placement])

    def _score(self, plan_id: int, budget: int, unpromoted: float) -> Score:
        reached = self._reached.get(plan_id, 0.0)
        if plan_id not in self._worth:
            return Score(reached, 0.0, 0)
        worths = np.concatenate(self._worth[plan_id])
        price, chance = np.concatenate(self._price[plan_id]), np.concatenate(self._chance[plan_id])
        if self._plans[plan_id].goal is Goal.PROFIT:
            best = most_profit(worths, price, chance, float(budget))
            return Score(reached, best.value - best.spend, len(worths))
        best = optimum(worths, price, chance, float(budget), unpromoted)
        return Score(reached, best.value, len(worths))


def _worth_of(plan: Plan, members: Members, truth: Truth) -> Float64:
    """[n, members] true expected worth of a seen impression, under the plan's goal and target."""
    return truth.gmv * worth(plan, Kept(1 - truth.refunded_1h, 1 - truth.refunded_7d), members.costs)


def _open(plan: Plan, placement: Int8) -> Bool:
    """[n] whether a plan may bid in each of these placements."""
    return np.isin(placement, plan.placements) if plan.placements else np.ones(len(placement), bool)


def _members_of(decisions: Decisions, won: Bool, members: Members) -> Int64:
    """The row of each win among a plan's members."""
    keys = zip(members.creative_id.tolist(), members.room_id.tolist(), strict=True)
    row_of = {key: row for row, key in enumerate(keys)}
    shown = zip(decisions.creative_id[won].tolist(), decisions.room_id[won].tolist(), strict=True)
    return np.array([row_of[key] for key in shown], np.int64)
