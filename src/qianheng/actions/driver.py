"""The driver: alternates a market and the engine, minute by minute, and hands each day's facts to whoever keeps them.

The engine is the production engine; only where its opportunities and reactions come from differs between a simulation
and a live marketplace. The driver itself touches no database: `actions.simulation` books what it brings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qianheng.actions.gap import Gap, GapDay
from qianheng.actions.scoring import DayScore, Score
from qianheng.actions.watch import Watcher
from qianheng.bidding.bidder import Bidder
from qianheng.bidding.moves import Moved, Mover, Moves
from qianheng.bidding.protocol import Reading
from qianheng.core.days import DAY, HOUR
from qianheng.delivery.engine import Engine
from qianheng.delivery.joining import join as join_like
from qianheng.delivery.journal import Journal
from qianheng.delivery.learning import Learning, Lesson
from qianheng.delivery.pooled import Experience
from qianheng.delivery.recorder import Recorder
from qianheng.delivery.shown import Shown, facts_of
from qianheng.delivery.split import MemberHour, Split
from qianheng.delivery.state import DeliveryState, states
from qianheng.delivery.unpromoted import Unpromoted
from qianheng.delivery.users import times_as_many
from qianheng.diagnosis.alerts import AlertEvent
from qianheng.facts.batch import FactBatch, having, join, packed, unpacked
from qianheng.facts.schema import Channel, Kind
from qianheng.plans.allowance import Lease
from qianheng.plans.plan import BidMode, Counting, Plan, PlanKind
from qianheng.prediction.calibration import Calibration, Correction, Trust
from qianheng.prediction.predictor import Predictor
from qianheng.prediction.space import Float, Int
from qianheng.simulator.market import Market

REFIT = HOUR  # how often predictions are made anew
SERVED = "plan_ids"  # in a snapshot, of whom it is
KEEP_ORDERS = 30 * DAY  # a refund that comes later is no plan's


@dataclass(frozen=True, slots=True)
class TimedPlan:
    """A plan as it is from a time on, by which version of its change log."""

    at: int
    plan: Plan
    version: int


@dataclass(frozen=True, slots=True)
class Beat:
    """What the engine said of a plan at an hour: why it bids as it does."""

    at: int
    plan_id: int
    reading: Reading
    moved: Mapping[Mover, float] | None  # what moved the logarithm of its multiplier since the last one today

    def told(self) -> dict[str, Any]:
        """It as JSON."""
        reading = self.reading
        return {
            "at": self.at,
            "plan_id": self.plan_id,
            "multiplier": round(float(reading.multiplier), 4),
            "binding": str(reading.binding),
            "slack": round(float(reading.slack)),
            "expects": {
                "spend": [round(one) for one in (reading.forecast_spend, *reading.spend_between)],
                "worth": [round(one) for one in (reading.forecast_worth, *reading.worth_between)],
            },
            "moved": self.moved and {mover: round(part, 6) for mover, part in self.moved.items()},
        }


@dataclass(frozen=True, slots=True)
class DayRun:
    """A day as it went: facts, scores by plan, hourly readings, how many opportunities there were, gaps by plan."""

    facts: FactBatch
    scores: Mapping[int, Score]
    beats: Sequence[Beat]
    opportunities: int
    gaps: Mapping[int, Gap] = field(default_factory=dict)
    experience: Experience | None = None  # what people were shown, where all pools are ranked
    lessons: Mapping[int, Lesson] = field(default_factory=dict)  # how far each plan has learnt
    corrections: Mapping[int, Correction] = field(default_factory=dict)  # of each plan's predictions, at its end
    states: Sequence[Mapping[int, DeliveryState]] = ()  # of each plan by its id, hour by hour
    split: Sequence[MemberHour] = ()  # of super plans


class Driver:
    """Runs days. Its state between days is in `snapshot`; going on from there gives the same bytes."""

    def __init__(self, market: Market, engine: Engine, recorder: Recorder, seed: int, trust: Trust) -> None:
        self.market, self.engine, self.recorder, self.seed = market, engine, recorder, seed
        self.predictor = Predictor(engine.space, bias=trust.bias)
        self.calibration = Calibration(engine.offers.shape, float(engine.space.price.mean()), trust)
        self.learning = Learning(len(engine.plans), market.scenario.learning)
        self.unpromoted = Unpromoted(len(engine.plans))
        self.score = DayScore(market, engine.site.seen, engine.offers)
        self.moves = Moves()
        self.gaps = GapDay(engine.site.seen)
        self.journal, self.split = Journal(market.scenario.journal), Split()
        self.watcher: Watcher | None = None  # told everything as it comes, if anybody watches
        self.happened: list[AlertEvent] = []  # what the watcher raised and nobody has taken yet
        self._watched = 0  # of the batches of today
        self._received_until = engine.day_start
        self._shown: list[Shown] = []  # and not yet recorded
        self._today: list[FactBatch] = []
        self._unlearnt: list[FactBatch] = []

    def change(self, timed: TimedPlan) -> None:
        """A plan is so from now on, for the engine and for everything stamped from then on."""
        self._resize(timed.plan, timed.plan.id)
        self.engine.change(timed.plan, timed.version)
        self.recorder.change(timed.at, timed.plan, timed.version)
        if self.watcher is not None:
            self.watcher.terms.change(timed.at, timed.plan, timed.version)

    def join(self, plan: Plan, like: int | None = None) -> None:
        """Serve one plan more, from the next step on; with what is known of the plan `like`, of which it is a copy.

        Its id is above all others'. Between days, or before the first step of one.
        """
        engine = self.engine
        row = engine.add(plan) if like is None else join_like(engine, plan, like)
        assert row == len(engine.plans) - 1, "cohorts are told apart by rows"
        self.calibration.shape = engine.offers.shape
        for part in (self.learning, self.unpromoted):
            part.join(None if like is None else engine.row(like))
        if like is not None:
            self._resize(plan, like)
            self.calibration.join(engine.row(like), self._received_until)
        self.recorder.change(engine.day_start, plan, 0)

    def _resize(self, plan: Plan, like: int) -> None:
        """Expect to sell unpromoted what the plan's users buy, not those it had before, or those a copy's model has."""
        known = self.engine.plans[self.engine.row(like)]
        self.unpromoted.resize(self.engine.row(plan.id), times_as_many(plan, known))

    def run_day(self, start: int, end: int, changes: Sequence[TimedPlan], leases: Mapping[int, Lease]) -> DayRun:
        """Deliver one natural day, [start, end) in UTC microseconds; `changes` lie in it, in order of time.

        leases: what each plan and each standard campaign may spend that day, by its id.
        """
        self.engine.start_day(start)
        self.happened = []
        for plan_id, lease in leases.items():
            self.engine.lease(plan_id, lease.amount, lease.used)
        waiting, beats, hourly, opportunities = list(changes), [], [], 0
        for now in range(start, end, self.engine.site.step):
            while waiting and waiting[0].at <= now:
                self.change(waiting.pop(0))
            if (now - start) % REFIT == 0:
                self._refit(now)
                self.learning.dare(self.engine.serving(now))
            self._explore()
            self._note_boosts(now)
            self._receive(now)
            self._watch(now)
            opportunities += self._serve(now)
            if (now - start) % REFIT == 0:  # after the first step, when the multipliers are today's
                beats += (said := self._beats(now))
                hourly.append(states(self.engine, now, {beat.plan_id: beat.reading for beat in said}))
        self._receive(end)
        self._watch(end)
        day = self._close(end)
        budgets = {plan.id: leases[plan.id].amount for plan in self.engine.plans}
        unpromoted, room = self._unpromoted(day), self.engine.pools
        scores = self.score.close(budgets, unpromoted)
        gaps = self.gaps.close(scores, budgets, unpromoted)
        calibrated = self.engine.offers.calibrated
        corrections = {plan.id: calibrated.correction(row) for row, plan in enumerate(self.engine.plans)}
        experience = None if room is None else room.experience()
        lessons = self._lessons(day, scores)
        split = self.split.take()
        self.engine.explore(np.ones(len(budgets)), np.zeros(len(budgets)))  # a day is told at the true target
        return DayRun(day, scores, beats, opportunities, gaps, experience, lessons, corrections, hourly, split)

    def _lessons(self, day: FactBatch, scores: Mapping[int, Score]) -> dict[int, Lesson]:
        """Close the day of the learning phase of each plan."""
        engine, orders = self.engine, _promoted(day[Kind.ORDER])
        counts = [
            _by_plan(orders, engine.ids),
            np.array([scores[plan.id].opportunities for plan in engine.plans], float),
            _by_plan(day[Kind.CLICK], engine.ids),
            engine.spent_today.astype(float),
            self._budgets(),
        ]
        lessons = self.learning.close_day(np.stack(counts, axis=1), engine.beyond)
        return {plan.id: lesson for plan, lesson in zip(engine.plans, lessons, strict=True)}

    def _budgets(self) -> Float:
        """[plans] of a day, micro-yuan."""
        return np.array([plan.budget_daily for plan in self.engine.plans], float)

    def drain_day(self, start: int, end: int) -> FactBatch:
        """A day without traffic: orders, refunds and live events still come in."""
        for now in [*range(start + HOUR, end, HOUR), end]:
            self._receive(now)
        self._unlearnt = []  # nobody bids any more
        return self._close(end)

    def snapshot(self) -> dict[str, npt.NDArray[Any]]:
        """Everything the next day depends on, as arrays; to be taken between days."""
        news = join(self._unlearnt)
        parts: dict[str, Mapping[str, npt.NDArray[Any]]] = {
            "market": self.market.snapshot(),
            "engine": self.engine.snapshot(),
            "predictor": self.predictor.snapshot(),
            "recorder": self.recorder.snapshot(),
            "calibration": self.calibration.snapshot(),
            "news": {kind: packed(news[kind]) for kind in Kind},
            "learning": self.learning.snapshot(),
            "unpromoted": self.unpromoted.snapshot(),
            "driver": {name: np.array([at]) for name, at in self._times().items()} | {SERVED: self.engine.ids},
        }
        return {f"{part}/{name}": held for part, state in parts.items() for name, held in state.items()}

    def _times(self) -> dict[str, int]:
        return {"received_until": self._received_until, "refitted": self.engine.offers.refitted}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from a snapshot; the plans' terms must have been given by `change` before."""
        parts: dict[str, dict[str, npt.NDArray[Any]]] = {}
        for key, held in state.items():
            part, _, name = key.partition("/")
            parts.setdefault(part, {})[name] = held
        self.market.restore(parts["market"])
        self.engine.restore(parts["engine"])
        refitted = int(parts["driver"]["refitted"][0])
        self.predictor.restore(parts["predictor"], refitted)
        self.engine.offers.go_on(self.predictor, refitted)  # a change at midnight comes before the first refit
        self.recorder.restore(parts["recorder"])
        self.calibration.restore(parts["calibration"])
        self.learning.restore(parts["learning"])
        self.unpromoted.restore(parts["unpromoted"])
        self._unlearnt = [FactBatch({kind: unpacked(parts["news"][kind]) for kind in Kind})]
        self._received_until = int(parts["driver"]["received_until"][0])

    def _serve(self, now: int) -> int:
        """Decide a step's opportunities and let people react; how many there were."""
        batch = self.market.opportunities(now, now + self.engine.site.step)
        if not len(batch):
            return 0
        tick = self.engine.tick(batch, now)
        worths = self.score.enter(tick, self.engine.plans)
        self.gaps.enter(self.engine, tick, worths)
        reaction = self.market.react(batch, tick.decisions)
        self.market.settle_rivals(batch, tick.rival_spend(batch.bids.shape[1]))
        self.journal.note(self.engine, tick, reaction.seen, now)
        self.split.note(self.engine, tick, reaction.seen, now)
        self._shown.append(self.engine.shown(tick, reaction.seen, reaction.clicked, now))
        self.score.reach(tick, self.engine.plans, worths, reaction.seen)
        own, plans = tick.column[reaction.seen & (tick.boost == 0)], len(self.engine.plans)
        self.learning.note(np.bincount(own, minlength=plans)[:plans].astype(float))
        return len(batch)

    def _receive(self, now: int) -> None:
        """Take in everything reported since the last time, stamped with the touches up to now."""
        raw = self.market.facts(self._received_until, now)
        self._received_until = now
        if not len(raw):
            return
        self._record_shown()
        facts = self.recorder.stamp(raw)
        for event in facts[Kind.LIVE].to_pylist():
            self.engine.on_air(event["room_id"], event["on_air"], event["at"])
        self._note_unpromoted(facts[Kind.ORDER])
        self._take(facts)

    def _watch(self, now: int) -> None:
        """Let whoever watches look at everything received up to now."""
        if self.watcher is None:
            return
        self._record_shown()
        news, self._watched = join(self._today[self._watched :]), len(self._today)
        self.happened += self.watcher.look(news, now)

    def today(self) -> FactBatch:
        """What has been recorded of the day so far."""
        return join(self._today)

    def _record_shown(self) -> None:
        """What was shown since the last time becomes facts, and touches that orders can belong to."""
        facts = facts_of(self._shown)
        self._shown = []
        promoted = FactBatch(
            {kind: having(told, told["plan_id"].to_numpy() >= 0) for kind, told in facts.tables.items()}
        )
        for kind in (Kind.IMPRESSION, Kind.CLICK):
            self.recorder.touches.add(kind, promoted[kind])
        self.recorder.note_boosts(facts[Kind.CHARGE])
        self._today.append(facts)
        self._unlearnt.append(promoted)  # an order is matched to promoted clicks only

    def _take(self, facts: FactBatch) -> None:
        self._today.append(facts)
        self._unlearnt.append(facts)

    def _note_boosts(self, now: int) -> None:
        """Boosts that have started or ended are facts."""
        if (events := self.engine.boosts.events(now)).num_rows:
            self._take(FactBatch({Kind.BOOST: events}))

    def _beats(self, now: int) -> list[Beat]:
        """What the bidder says of each plan that serves."""
        engine, bidder = self.engine, self.engine.bidder
        moved = self.moves.look(bidder) if isinstance(bidder, Bidder) else None
        serving = np.flatnonzero(engine.serving(now)).tolist()
        return [Beat(now, engine.plans[row].id, bidder.reading(row), _of_plan(moved, row)) for row in serving]

    def _refit(self, now: int) -> None:
        """Learn what has been received and make predictions, calibration and offers anew."""
        self._record_shown()
        news = join(self._unlearnt)
        self._unlearnt = []
        self.predictor.learn(news)
        self._calibrate(news)
        self.predictor.refit(now)
        self.calibration.restate(self.predictor.drift, now)
        self.engine.refit(self.predictor, self.calibration.calibrated(now, self.predictor.delay), self.seed, now)
        self.engine.campaigns.refit(self.predictor)
        self.engine.credit(self.unpromoted.expected(now - self.engine.day_start))

    def _explore(self) -> None:
        """Let plans that learn bid above their worth, as far as their allowance goes: none without a target."""
        has_target = np.array([plan.bid_mode is not BidMode.MAX_DELIVERY for plan in self.engine.plans])
        allowed = self.learning.allowed(self._budgets() * has_target)
        self.engine.explore(self.learning.boldness(self.engine.beyond, allowed), allowed)

    def _note_unpromoted(self, orders: pa.Table) -> None:
        """Orders that count for a plan though nobody promoted them to the buyer."""
        free = _unpromoted_orders(orders)
        plan = np.searchsorted(self.engine.ids, free["plan_id"].to_numpy())
        self.unpromoted.add(plan, free["at"].to_numpy() - self.engine.day_start, free["amount"].to_numpy())

    def _calibrate(self, news: FactBatch) -> None:
        """What was shown, and the orders that it brought, put to when they were touched by it."""
        promoted = _promoted(news[Kind.ORDER])
        shown, brought = (
            having(facts, np.isin(facts["plan_id"].to_numpy(), self.engine.ids))
            for facts in (news[Kind.IMPRESSION], promoted)
        )
        times = shown["at"].to_numpy(), brought["touched_at"].to_numpy()
        self.calibration.show(times[0], self._cells(shown), shown["predicted_gmv"].to_numpy())
        self.calibration.sell(times[1], self._cells(brought), brought["amount"].to_numpy())

    def _cells(self, facts: pa.Table) -> Int:
        """The cell of calibration that each impression or promoted order belongs to."""
        engine = self.engine
        row = np.searchsorted(engine.ids, facts["plan_id"].to_numpy())
        either = np.array([plan.kind is PlanKind.SUPER for plan in engine.plans])[row]
        live = np.where(either, facts["room_id"].to_numpy() >= 0, engine.room_ids[row] >= 0)
        item = engine.space.item(facts["product_id"].to_numpy(), live)
        return engine.offers.shape.cell(row, item, facts["placement"].to_numpy())

    def _unpromoted(self, day: FactBatch) -> dict[int, float]:
        """Worth of the day's orders that count for a plan without having been promoted, micro-yuan."""
        gmv = np.zeros(len(self.engine.plans))
        free = _unpromoted_orders(day[Kind.ORDER])
        np.add.at(gmv, np.searchsorted(self.engine.ids, free["plan_id"].to_numpy()), free["amount"].to_numpy())
        worth = dict(zip(self.engine.plans, self.engine.offers.worth_of(gmv).tolist(), strict=True))
        boundless = {plan.id: float("inf") for plan in worth if plan.bid_mode is BidMode.MAX_DELIVERY}
        return {plan.id: found for plan, found in worth.items() if plan.counting is Counting.ALL} | boundless

    def _close(self, now: int) -> FactBatch:
        """End a day; its facts."""
        self._note_boosts(now)
        self._record_shown()
        facts = join([*self._today, FactBatch({Kind.DECISION: self.journal.take()})])
        self._today, self._watched = [], 0
        self.calibration.close_day(now)
        self.unpromoted.close_day()
        self.recorder.forget(now, KEEP_ORDERS)
        return facts


def _promoted(orders: pa.Table) -> pa.Table:
    return having(orders, orders["channel"].to_numpy() == Channel.PROMOTED)


def _unpromoted_orders(orders: pa.Table) -> pa.Table:
    """The orders that count for a plan though nobody promoted them to the buyer."""
    channel, plan_id = (orders[name].to_numpy() for name in ("channel", "plan_id"))
    return having(orders, (channel != Channel.PROMOTED) & (plan_id >= 0))


def _of_plan(moved: Moved | None, row: int) -> dict[Mover, float] | None:
    """One plan's parts; `None` where they are not known."""
    if moved is None or np.isnan(moved[Mover.TERMS][row]):
        return None
    return {mover: float(parts[row]) for mover, parts in moved.items()}


def _by_plan(facts: pa.Table, ids: Int) -> Float:
    """[plans] how many of the facts are of each plan."""
    found = facts["plan_id"].to_numpy()
    return np.bincount(np.searchsorted(ids, found[np.isin(found, ids)]), minlength=len(ids)).astype(float)
