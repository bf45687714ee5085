"""Boosts at work: a second multiplier beside a plan's own, spent from a purse of its own (SPEC 4.7).

A plan enters an auction with one bid, the highest of its own and its boosts'. Whose own bid would have won that place
at that price pays, the plan first; so a boost pays only for what the plan would not have had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qianheng.bidding.curves import GRID, LOG_GRID, SPEND, WORTH, log_multiplier
from qianheng.bidding.protocol import PlanBidder
from qianheng.core.ids import stable_id
from qianheng.delivery.offers import Offers
from qianheng.facts.batch import table
from qianheng.facts.opportunities import Bool, Opportunities
from qianheng.facts.schema import SCHEMAS, Kind
from qianheng.plans.boost import Boost, BoostKind
from qianheng.plans.plan import Plan
from qianheng.prediction.space import Float, Int

KINDS = (BoostKind.PLAN, BoostKind.CREATIVE)
STEEPEST = 8.0  # times the plan's own multiplier, so that a short window does not buy at any price
UNKNOWN = 2.0  # times the plan's own multiplier, before anything is known of prices
_STATE = ("leased", "spent_today", "spent", "worth", "told")
_NOTHING = SCHEMAS[Kind.BOOST].empty_table()


@dataclass(frozen=True, slots=True)
class Step:
    """What boosts bid on in a control step."""

    number: int
    of_day: int  # steps in a day
    length: int  # microseconds
    now: int
    batch: Opportunities
    worth: Float  # [n, plans]
    offers: Offers
    serving: Int  # rows of the plans that take part


class Boosts:
    """All boosts, ascending by id, with what each may spend and has spent (micro-yuan) and won of worth."""

    def __init__(self, boosts: Sequence[Boost], plans: Sequence[Plan]) -> None:
        self.boosts = sorted(boosts, key=lambda boost: boost.id)
        ids = [plan.id for plan in plans]
        self.ids = {boost.id: one for one, boost in enumerate(self.boosts)}
        self.rows = np.array([ids.index(boost.plan_id) for boost in self.boosts], np.int64)
        self.leased, self.spent_today, self.spent = (np.zeros(len(boosts), np.int64) for _ in range(3))
        self.worth = np.zeros(len(boosts))
        self.told = np.zeros((len(boosts), 2), bool)  # started, ended
        self._now = np.zeros(0, np.int64)  # those that run in this step

    @property
    def left(self) -> Int:
        """[boosts] what each may still spend today, micro-yuan."""
        return np.asarray(self.leased - self.spent_today)

    def lease(self, boost_id: int, amount: int) -> None:
        """Let a boost spend this much today, micro-yuan."""
        self.leased[self.ids[boost_id]] = amount

    def make_room(self, row: int) -> None:
        """A plan has joined the others at this row."""
        self.rows = self.rows + (self.rows >= row)

    def start_day(self) -> None:
        """A new natural day: money is leased anew."""
        self.leased[:], self.spent_today[:] = 0, 0

    def purses(self, plans: int) -> Int:
        """[kinds · plans] what the running boosts of each kind and plan may still spend today, micro-yuan."""
        purses = np.zeros(len(KINDS) * plans, np.int64)
        purses[self._purse(self._now, plans)] = self.left[self._now]
        return purses

    def bids(self, step: Step, plans: Sequence[Plan], bidder: PlanBidder) -> Float | None:
        """[kinds, n, plans] what the boosts bid, micro-yuan; `None` while none runs."""
        end = step.now + step.length
        starts, ends = (np.array([getattr(b, mark) for b in self.boosts], np.int64) for mark in ("starts", "ends"))
        runs = (starts < end) & (ends > step.now) & (self.left > 0) & np.isin(self.rows, step.serving)
        self._now = np.flatnonzero(runs)
        if not len(self._now):
            return None
        bids = np.zeros((len(KINDS), *step.worth.shape))
        for one in self._now.tolist():
            boost, row = self.boosts[one], int(self.rows[one])
            multiplier = self._multiplier(one, plans[row], step, bidder)
            asked = _asked(bidder, step, row, multiplier)
            bids[boost.kind - 1, :, row] = np.where(_covered(boost, step, row), np.minimum(asked, self.left[one]), 0.0)
        return bids

    def pay(self, kind: Int, row: Int, amount: Int, worth: Float) -> None:
        """Charge what was seen [m] to the boosts that drove it, by their kind and the row of their plan."""
        for one in self._now.tolist():
            mine = (kind == self.boosts[one].kind) & (row == self.rows[one])
            spent = int(amount[mine].sum())
            self.spent_today[one] += spent
            self.spent[one] += spent
            self.worth[one] += float(worth[mine].sum())

    def events(self, now: int) -> pa.Table:
        """The facts `boost_started` and `boost_ended` that have come true by now and were not told yet."""
        if self.told.all():
            return _NOTHING
        tables = [_NOTHING]
        for one, boost in enumerate(self.boosts):
            for mark, at in enumerate((boost.starts, boost.ends)):
                if at <= now and not self.told[one, mark]:
                    self.told[one, mark] = True
                    amount = int(self.spent[one]) if mark else boost.budget
                    tables.append(_event(boost, at, ended=bool(mark), amount=amount))
        return pa.concat_tables(tables)

    def snapshot(self) -> dict[str, npt.NDArray[Any]]:
        """What was leased, spent and told; the boosts themselves are given anew."""
        return {name: getattr(self, name).copy() for name in _STATE}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go on from a snapshot."""
        for name in _STATE:
            setattr(self, name, state[name].copy())

    def _purse(self, which: Int, plans: int) -> Int:
        kinds = np.array([self.boosts[one].kind - 1 for one in which.tolist()], np.int64)
        return kinds * plans + self.rows[which]

    def _multiplier(self, one: int, plan: Plan, step: Step, bidder: PlanBidder) -> float:
        """The multiplier that spends what is left over what is left of the window, and keeps the boost's own target."""
        boost, row = self.boosts[one], int(self.rows[one])
        own = float(bidder.multiplier[row])
        pair = _window(bidder, row, step, boost.ends)
        if pair[SPEND, -1] <= 0:
            return max(own, 0.5) * UNKNOWN
        more = pair - _at(pair, own)[:, None]
        highest = float(log_multiplier(more[SPEND][None], np.array([float(self.left[one])]))[0])
        if boost.target is not None:
            ratio = float(boost.target / (plan.least_roi or 1))
            slack = self.worth[one] - ratio * self.spent[one] + more[WORTH] - ratio * more[SPEND]
            kept = np.flatnonzero((slack >= 0) | (own >= GRID))
            highest = min(highest, float(LOG_GRID[kept[-1]]) if len(kept) else -np.inf)
        return float(min(np.exp(highest), STEEPEST * max(own, 0.5)))


def _covered(boost: Boost, step: Step, row: int) -> Bool:
    """[n] whether a boost bids on each request: within its window, and where the plan shows what it boosts."""
    inside = (step.batch.at >= boost.starts) & (step.batch.at < boost.ends)
    if not boost.creative_ids:
        return inside
    everywhere = np.arange(len(inside))
    shown = step.offers.chosen(step.batch, everywhere, np.full(len(inside), row))
    return inside & np.isin(shown.creative_id, boost.creative_ids)


def _asked(bidder: PlanBidder, step: Step, row: int, multiplier: float) -> Float:
    """[n] bids at another multiplier than the plan's own, shaded like its own."""
    own, worth = float(bidder.multiplier[row]), step.worth[:, row]
    if own <= 0:
        return worth * multiplier
    who = np.full(len(worth), row, np.int64)
    return bidder.bid(step.number, who, step.batch.placement.astype(np.int64), worth * (multiplier / own))


def _window(bidder: PlanBidder, row: int, step: Step, ends: int) -> Float:
    """The pair [2, points] that each multiplier would bring from now to the end of a window, as a day looks now."""
    last = step.number - (step.now - ends) // step.length  # the first step after it, beyond the day if tomorrow
    pair = bidder.rest(row, step.number)
    if last < step.of_day:
        return pair - bidder.rest(row, last)
    tomorrow = min(last - step.of_day, step.of_day - 1)
    return pair + bidder.rest(row, 0) - bidder.rest(row, tomorrow)


def _at(pair: Float, multiplier: float) -> Float:
    """[2] what a multiplier brings; nothing at 0."""
    if multiplier <= 0:
        return np.zeros(2)
    return np.array([np.interp(np.log(multiplier), LOG_GRID, curve) for curve in pair])


def _event(boost: Boost, at: int, *, ended: bool, amount: int) -> pa.Table:
    names: dict[str, npt.NDArray[np.generic] | int | bool] = {
        "id": np.array([stable_id("boost", boost.id, ended)]),
        "at": at,
        "received_at": at,
        "plan_id": boost.plan_id,
        "boost_id": boost.id,
        "boost": int(boost.kind),
        "ended": ended,
        "amount": amount,
    }
    return table(Kind.BOOST, names)
