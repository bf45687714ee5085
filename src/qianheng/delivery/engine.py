"""The engine: one tick takes a batch of opportunities through prediction, bid and auction to decisions, and then,
when it is known what was seen, to charges.

The state is arrays over plans. Money is leased to the engine before it can be bid (SPEC 4.5): a win is reserved against
the lease at its price, captured when seen, released when not; a plan that cannot pay its next win stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from qianheng.bidding.aims import Aim
from qianheng.bidding.bidder import Bidder
from qianheng.bidding.protocol import MakeBidder, Market, Outcome
from qianheng.bidding.within import Within
from qianheng.core.days import DAY, moment
from qianheng.delivery.boosts import Boosts, Step
from qianheng.delivery.campaigns import Campaigns
from qianheng.delivery.clearing import LARGE, Boosted, Offered, Wins, reserve, with_unpaid
from qianheng.delivery.exploring import Lots
from qianheng.delivery.goods import Goods
from qianheng.delivery.offers import Offers
from qianheng.delivery.openings import Openings
from qianheng.delivery.pooled import NOBODY, Pooled, PoolRoom
from qianheng.delivery.shown import Shown, shown
from qianheng.delivery.site import Site
from qianheng.delivery.tick import Asked, Tick
from qianheng.delivery.users import Users, times_as_many
from qianheng.facts.opportunities import Decisions, Opportunities
from qianheng.plans.allowance import NOTHING, Used, allowance
from qianheng.plans.boost import Boost
from qianheng.plans.campaign import StandardCampaign
from qianheng.plans.plan import BidMode, Counting, Goal, Pace, Plan, PlanStatus
from qianheng.prediction.calibration import Calibrated
from qianheng.prediction.predictor import Predictor
from qianheng.prediction.space import Float, Int, Space

Bool = npt.NDArray[np.bool_]
_STATE = (
    "versions",
    "leased",
    "allowed",
    "spent_today",
    "worth_today",
    "credited",
    "forgiven",
    "on_air_until",
    "told_of_air",
)
HASTE = {Pace.SLOW: -0.5, Pace.NORMAL: 0.0, Pace.FAST: 1.0}  # half by mid-day becomes 36 % and 70 % of even traffic


class Engine:
    """Serves all plans of a marketplace, one multiplier a plan over all placements, and standard campaigns beside."""

    def __init__(
        self, plans: Sequence[Plan], space: Space, site: Site, day_start: int, make_bidder: MakeBidder = Bidder
    ) -> None:
        self.site, self.space = site, space
        self.campaigns = Campaigns((), space, site.keywords)
        self.pools = None if site.pools is None else PoolRoom(site.pools, len(site.seen), len(space.product_ids))
        self.plans = sorted(plans, key=lambda plan: plan.id)
        self.boosts = Boosts((), self.plans)
        goods = site.goods or Goods.free(space.product_ids)
        self.offers, self.openings = Offers(self.plans, space, goods), Openings(self.plans)
        self._know_users()
        self.ids = np.array([plan.id for plan in self.plans], np.int64)
        self.room_ids = np.array([-1 if plan.room_id is None else plan.room_id for plan in self.plans], np.int64)
        self.versions = np.zeros(len(plans), np.int32)
        self.leased = np.zeros(len(plans), np.int64)  # for today, micro-yuan
        self.allowed = np.array([plan.budget_daily for plan in self.plans], np.int64)  # today, by the plan's budgets
        self.used = [NOTHING] * len(plans)
        self.spent_today = np.zeros(len(plans), np.int64)
        self.worth_today = np.zeros(len(plans))  # calibrated worth at the true target of what was seen, micro-yuan
        self.forgiven = np.zeros(len(plans))  # what exploring has spent beyond worth today, micro-yuan
        self.purse = np.full(len(plans), np.inf)  # what plans that explore may spend in this step, micro-yuan
        self.credited = np.zeros(len(plans))  # worth that is expected to come unpromoted today, micro-yuan
        self.on_air_until = np.where(self.room_ids < 0, np.iinfo(np.int64).max, 0)  # no room is on air until told
        self.told_of_air = np.zeros(len(plans), np.int64)  # when what we know of the room happened
        self.day_start = day_start
        market = Market(len(site.seen), site.seen, DAY // site.step, site.pricing)
        self.bidder = make_bidder(market, np.array([float(plan.budget_daily) for plan in self.plans]))
        for row, plan in enumerate(self.plans):
            self.bidder.set_aim(row, _aim(plan))
            self.bidder.set_haste(row, HASTE[plan.pace])

    def run_beside(self, campaigns: Sequence[StandardCampaign]) -> None:
        """Serve these standard campaigns beside the plans."""
        self.campaigns = Campaigns(campaigns, self.space, self.site.keywords)
        self._know_users()

    def _know_users(self) -> None:
        self.users = Users([*self.plans, *self.campaigns.campaigns], self.site.held_out)

    def run_boosts(self, boosts: Sequence[Boost]) -> None:
        """Let these boosts work for their plans in their windows."""
        self.boosts = Boosts(boosts, self.plans)

    def row(self, plan_id: int) -> int:
        """The row of a plan in the engine's arrays."""
        return int(np.searchsorted(self.ids, plan_id))

    def add(self, plan: Plan) -> int:
        """Serve one plan more from now on; its row. A plan that is there already: ValueError."""
        row = self.row(plan.id)
        if row < len(self.plans) and self.ids[row] == plan.id:
            raise ValueError(f"plan {plan.id} is served already")
        fresh = Engine([plan], self.space, self.site, self.day_start)
        for name in ("ids", "room_ids", "purse", *_STATE):
            setattr(self, name, np.insert(getattr(self, name), row, getattr(fresh, name)[0]))
        self.plans.insert(row, plan)
        self.used.insert(row, NOTHING)
        self.boosts.make_room(row)
        self.offers.insert(row, plan)
        self.openings = Openings(self.plans)
        self._know_users()
        self.bidder.add(float(plan.budget_daily), row)
        self.bidder.set_aim(row, _aim(plan))
        self.bidder.set_haste(row, HASTE[plan.pace])
        self.bidder.set_active(row, plan.status is PlanStatus.ACTIVE)
        return row

    def change(self, plan: Plan, version: int) -> None:
        """Serve a plan as it is from now on; target, aim, budget and status take effect at once."""
        row = self.row(plan.id)
        before, self.plans[row], self.versions[row] = self.plans[row], plan, version
        if (gain := self.offers.change(row, plan)) != 1:
            self.bidder.retarget(row, 1 / gain)
        if (times := times_as_many(plan, before)) != 1:
            self.bidder.resize(row, times)
        if _aim(plan) is not _aim(before):
            self.bidder.set_aim(row, _aim(plan))
            self.credited[row] = 0.0
        self._allow(row)
        self.bidder.set_haste(row, HASTE[plan.pace])
        self.bidder.set_active(row, plan.status is PlanStatus.ACTIVE)
        self.openings.change(row, plan)
        self.users.change(row, plan)

    def lease(self, id_: int, amount: int, used: Used = NOTHING) -> None:
        """Let a plan, a campaign or a boost spend so much today, micro-yuan; a plan never more than its budgets leave
        after what it `used`.
        """
        if id_ in self.campaigns.ids:
            self.campaigns.lease(id_, amount)
        elif id_ in self.boosts.ids:
            self.boosts.lease(id_, amount)
        else:
            row = self.row(id_)
            self.leased[row], self.used[row] = amount, used
            self._allow(row)

    def _allow(self, row: int) -> None:
        """Hold a plan to its budgets as they are now."""
        plan = self.plans[row]
        allowed = allowance(plan, self.used[row], moment(self.day_start, plan.timezone).date())
        if allowed != self.allowed[row]:
            self.allowed[row] = allowed
            self.bidder.set_budget(row, float(allowed))

    @property
    def left(self) -> Int:
        """[plans] what each plan may still spend today, micro-yuan."""
        return np.maximum(np.minimum(self.leased, self.allowed) - self.spent_today, 0)

    @property
    def spend(self) -> int:
        """What plans, campaigns and boosts have spent today, micro-yuan."""
        return int(sum(part.spent_today.sum() for part in (self, self.campaigns, self.boosts)))

    def on_air(self, room_id: int, on: bool, at: int) -> None:
        """A live room went on or off air: its plans start, or stop once the grace period is over.

        What is told late, after something newer of the same room, changes nothing. A super plan has no grace: it goes
        on with what else it has.
        """
        self.offers.on_air(room_id, on, at)
        for row, plan in enumerate(self.plans):
            if plan.room_id == room_id and at >= self.told_of_air[row]:
                self.told_of_air[row] = at
                self.on_air_until[row] = np.iinfo(np.int64).max if on else at + self.site.grace

    def refit(self, predictor: Predictor, calibrated: Calibrated, seed: int, now: int) -> None:
        """Bid by new predictions and their calibration from now on, and see what today has brought in their light."""
        before = self.offers.calibrated.level
        self.offers.refit(predictor, calibrated, seed, now)
        revalued = self.worth_today * calibrated.level / before
        for row in np.flatnonzero(revalued != self.worth_today).tolist():
            self.bidder.credit(row, float(revalued[row] - self.worth_today[row]))
        self.worth_today = revalued

    def explore(self, boldness: Float, allowed: Float) -> None:
        """Let plans bid as if worth were so many times as high from now on, [plans].

        allowed: what today's spend may be beyond its worth, micro-yuan. So much the bidder need not earn back; a step
        of exploring spends no more than what is left of it.
        """
        changed = np.flatnonzero(boldness != self.offers.boldness).tolist()
        for row in changed:
            self.bidder.retarget(row, float(self.offers.boldness[row] / boldness[row]))
        if changed:
            self.offers.embolden(boldness)
        forgiven = np.clip(self.beyond, 0.0, allowed)
        for row in np.flatnonzero(forgiven != self.forgiven).tolist():
            self.bidder.credit(row, float(forgiven[row] - self.forgiven[row]))
        self.forgiven = forgiven
        self.purse = np.where(boldness > 1, np.maximum(allowed - self.beyond, 0.0), np.inf)

    @property
    def beyond(self) -> Float:
        """[plans] what today's spend is beyond its worth at the true target, micro-yuan; below zero: what is spare."""
        return np.asarray(self.spent_today - self.worth_today, float)

    def credit(self, unpromoted_gmv: Float) -> None:
        """Let plans that count `all` orders bid with what sells unpromoted in view.

        unpromoted_gmv: [plans] what the whole day is expected to bring of it, micro-yuan; it replaces what was said
        before.
        """
        counts = np.array([plan.counting is Counting.ALL for plan in self.plans])
        worth = np.where(counts, self.offers.worth_of(unpromoted_gmv), 0.0)
        for row in np.flatnonzero(worth != self.credited).tolist():
            self.bidder.credit(row, float(worth[row] - self.credited[row]))
        self.credited = worth

    def start_day(self, day_start: int) -> None:
        """A new natural day: budgets start anew, yesterday becomes history."""
        self.day_start = day_start
        self.leased[:], self.spent_today[:], self.worth_today[:], self.credited[:] = 0, 0, 0.0, 0.0
        self.forgiven[:] = 0.0
        self.campaigns.start_day()
        if self.pools is not None:
            self.pools.start_day()
        self.boosts.start_day()
        self.bidder.close_day()

    def snapshot(self) -> dict[str, npt.NDArray[Any]]:
        """The running state at the end of a day; plans and predictions are restored by their owners."""
        state = {name: getattr(self, name).copy() for name in _STATE}
        state |= {f"campaigns.{name}": held for name, held in self.campaigns.snapshot().items()}
        if self.pools is not None:
            state |= {f"pools.{name}": held for name, held in self.pools.snapshot().items()}
        state |= {f"air.{name}": held for name, held in self.offers.air.snapshot().items()}
        state |= {f"boosts.{name}": held for name, held in self.boosts.snapshot().items()}
        return state | {f"bidder.{name}": held for name, held in self.bidder.snapshot().items()}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go on exactly where `snapshot` was taken."""
        for name in _STATE:
            setattr(self, name, state[name].copy())
        self.bidder.restore(_part(state, "bidder."))
        self.campaigns.restore(_part(state, "campaigns."))
        self.offers.air.restore(_part(state, "air."))
        if self.pools is not None:
            self.pools.restore(_part(state, "pools."))
        self.boosts.restore(_part(state, "boosts."))

    def tick(self, batch: Opportunities, now: int) -> Tick:
        """Decide every opportunity of one control step, whose requests all lie at or after `now`."""
        step = self._step(now)
        allowed = self.users.allowed(batch.user_id)
        worth = self.openings.worth(self.offers.worth(batch), batch.placement)
        campaigns = self.campaigns.bids(batch)
        if allowed is not None:
            worth, campaigns = worth * allowed[:, : len(self.plans)], campaigns * allowed[:, len(self.plans) :]
        serving = np.flatnonzero(self.serving(now))
        left = np.minimum(self.left, self.purse).astype(np.int64)
        asked = (lots := Lots(self.site.exploration, batch, self.ids)).spread(self._asked(step, batch, worth, serving))
        everybodys = np.concatenate([left, self.campaigns.left])
        boosted = self._boosted(now, batch, worth, serving)
        offered = Offered(asked, campaigns, everybodys, partial(self._due, batch), self._pooled(batch), boosted)
        within = Within(self.bidder.pace(step), len(batch)) if len(batch) >= LARGE else None
        reserved = reserve(batch, self.site, offered, within)
        reasons = Asked(asked, self.bidder.multiplier.copy(), left, reserved.stopped[: len(left)], reserved.refused)
        wins, unpaid = with_unpaid(batch, reserved, len(everybodys))
        decisions, explored = lots.shown(self.offers, wins, self._decisions(batch, wins, unpaid))
        won = (wins.column, wins.boost, reserved.entered, allowed, explored)
        return Tick(batch, decisions, reserved.cleared, worth, serving, reasons, *won)

    def _boosted(self, now: int, batch: Opportunities, worth: Float, serving: Int) -> Boosted | None:
        """What the plans' boosts bid, and what each has left; `None` while none runs."""
        if not self.boosts.boosts:
            return None
        of_day, length = self.bidder.market.steps, self.site.step
        step = Step(self._step(now), of_day, length, now, batch, worth, self.offers, serving)
        bids = self.boosts.bids(step, self.plans, self.bidder)
        if bids is None:
            return None
        bids[:, batch.at[:, None] >= self.on_air_until] = 0
        return Boosted(bids.astype(np.float32), self.boosts.purses(len(self.plans)))

    def _pooled(self, batch: Opportunities) -> Pooled | None:
        """What is to be known of everybody's offers to rank all pools together; `None` if only ads are ranked."""
        if self.pools is None or batch.unpaid is None:
            return None
        parts = (self.offers, self.campaigns)
        relevance = np.concatenate([part.relevance(batch) for part in parts], axis=1)
        return Pooled(self.pools, relevance, np.concatenate([part.products(batch) for part in parts], axis=1))

    def shown(self, tick: Tick, seen: Bool, clicked: Bool, now: int) -> Shown:
        """Charge what was seen and learn the prices of all auctions, won and lost.

        seen, clicked: [m] of the tick's decisions. The impression, click and charge facts are `facts_of` the answer.
        """
        plans, nobody = len(self.plans), len(self.plans) + len(self.campaigns)
        ours, theirs = tick.column < plans, (tick.column >= plans) & (tick.column < nobody)
        charged = seen & ours
        if theirs.any():
            charged[theirs] = self.campaigns.charged(tick.column[theirs] - plans, seen[theirs], clicked[theirs])
        paid = np.where(charged, tick.decisions.price, 0)
        own, boosted = tick.boost == 0, np.flatnonzero(tick.boost)
        spent = np.bincount(tick.column, paid * own, nobody + 1).astype(np.int64)
        self.spent_today += spent[:plans]
        self.campaigns.spent_today += spent[plans:nobody]
        worth = np.zeros(len(seen))
        worth[ours] = tick.worth[tick.decisions.row[ours], tick.column[ours]] * seen[ours]
        bold = np.bincount(tick.column, worth * own, nobody + 1)[:plans]
        self.worth_today += bold / self.offers.boldness
        self.boosts.pay(tick.boost[boosted], tick.column[boosted], paid[boosted], worth[boosted])
        self.bidder.observe(self._step(now), self._outcome(tick, ours & own, seen, paid))
        self._sober(bold * (1.0 - 1.0 / self.offers.boldness))
        plan = np.where(ours, tick.column, -1)  # beyond the last plan: no change log
        version = np.append(self.versions, np.int32(0))[plan]
        return shown(tick.batch, tick.decisions, (version, tick.boost), (seen, clicked, charged))

    def _sober(self, excess: Float) -> None:
        """Take back what exploring counted too much, [plans] micro-yuan: a bold bid is no worth to spend later."""
        for row in np.flatnonzero(excess).tolist():
            self.bidder.credit(row, -float(excess[row]))

    def _step(self, now: int) -> int:
        return int(min((now - self.day_start) // self.site.step, self.bidder.market.steps - 1))

    def serving(self, now: int) -> Bool:
        """[plans] which plans may bid now."""
        active = np.array([plan.status is PlanStatus.ACTIVE for plan in self.plans])
        on_air: Bool = self.on_air_until > now
        return active & on_air & self.openings.now(now)

    def _asked(self, step: int, batch: Opportunities, worth: Float, serving: Int) -> Float:
        """[n, plans] the bidder's bids, 0 where a plan does not take part."""
        plan, placement = _pairs(batch, serving)
        bids = np.zeros(worth.shape)
        bids[:, serving] = self.bidder.bid(step, plan, placement, worth[:, serving].ravel()).reshape(len(batch), -1)
        bids[batch.at[:, None] >= self.on_air_until] = 0  # the grace period may end within the step
        return bids

    def _due(self, batch: Opportunities, row: Int, column: Int, price: Int) -> Int:
        """What wins owe when they are charged: a plan the price, a campaign what its unit makes of it."""
        theirs = column >= len(self.plans)
        if theirs.any():
            price[theirs] = self.campaigns.due(batch, row[theirs], column[theirs] - len(self.plans), price[theirs])
        return price

    def _decisions(self, batch: Opportunities, wins: Wins, unpaid: Int) -> Decisions:
        """`unpaid`: [m] the product of those wins that are nobody's."""
        plans, row, column = len(self.plans), wins.row, wins.column
        product, predicted, room = unpaid.copy(), np.zeros_like(column), np.full_like(column, -1)
        ours, theirs = column < plans, (column >= plans) & (column < plans + len(self.campaigns))
        mine = self.offers.chosen(batch, row[ours], column[ours])
        product[ours], room[ours], predicted[ours] = mine.product_id, mine.room_id, mine.predicted
        if theirs.any():
            product[theirs], predicted[theirs] = self.campaigns.chosen(batch, row[theirs], column[theirs] - plans)
        creative = product.copy()  # a product's card, as a campaign shows it
        creative[ours] = mine.creative_id
        ids, slot = np.concatenate([self.ids, self.campaigns.ids, [NOBODY]])[column], (wins.place + 1).astype(np.int8)
        return Decisions(row, ids, product, slot, wins.due, predicted, creative, room)

    def _outcome(self, tick: Tick, ours: Bool, seen: Bool, paid: Int) -> Outcome:
        """What the plans' candidates came to; `ours` [m] tells their decisions from the campaigns'."""
        shape, where = tick.worth.shape, (tick.decisions.row[ours], tick.column[ours])
        slot, was_seen, spend = np.zeros(shape, np.int64), np.zeros(shape, bool), np.zeros(shape)
        slot[where], was_seen[where], spend[where] = tick.decisions.slot[ours], seen[ours], paid[ours]
        who, placement = _pairs(tick.batch, tick.serving)
        price = tick.cleared.rival_price[:, tick.serving].reshape(len(who), self.site.seen.shape[1]).astype(float)
        entered = np.s_[:, tick.serving]
        worth = tick.worth[entered].ravel()
        return Outcome(
            who, placement, worth, price, slot[entered].ravel(), was_seen[entered].ravel(), spend[entered].ravel()
        )


def _part(state: dict[str, npt.NDArray[Any]], prefix: str) -> dict[str, npt.NDArray[Any]]:
    """What of a snapshot belongs to one part of the engine."""
    return {name.removeprefix(prefix): held for name, held in state.items() if name.startswith(prefix)}


def _aim(plan: Plan) -> Aim:
    """What the bidder is to do for a plan (SPEC 6.1)."""
    if plan.goal is Goal.PROFIT:
        return Aim.PROFIT
    return Aim.DELIVERY if plan.bid_mode is BidMode.MAX_DELIVERY else Aim.TARGET


def _pairs(batch: Opportunities, serving: Int) -> tuple[Int, Int]:
    """The plan and the placement of every (opportunity, serving plan), opportunity by opportunity."""
    return np.tile(serving, len(batch)), np.repeat(batch.placement.astype(np.int64), len(serving))
