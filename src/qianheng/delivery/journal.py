"""The journal: what every plan bid for an opportunity, from what, and what became of it; and the proof that it is so.

Kept are all wins, and every plan's decision on a sample of the opportunities: those whose hash lies below the rate, so
the sample is the same for all plans and on every machine. A record holds what its decision was made from; `replayed`
makes it again from that alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from qianheng.auction.pricing import PRICINGS, Pricing, codes
from qianheng.delivery.engine import Bool, Engine, Tick
from qianheng.delivery.offers import Parts
from qianheng.delivery.pooled import REFUSALS
from qianheng.facts.schema import SCHEMAS, Fate, Kind
from qianheng.plans.plan import PlanStatus
from qianheng.prediction.space import Float, Int

SCHEMA = SCHEMAS[Kind.DECISION]
FATES = tuple(Fate)
_Columns = dict[str, npt.NDArray[Any]]
_VCG = PRICINGS.index(Pricing.VCG)
_ALLOWED = 1  # micro-yuan
_ROUNDED = 2.0**-23  # bids are float32 in the auction
_GOLDEN, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The decisions kept of a tick: (row of the batch, row of the plan), [m], in order of rows."""

    row: Int
    plan: Int
    slot: Int  # 0 = lost
    price: Int  # due if seen, micro-yuan
    seen: Bool
    boosted: Bool  # paid for by a boost, at its bid

    @property
    def where(self) -> tuple[Int, Int]:
        """The index into arrays [n, plans]."""
        return self.row, self.plan


class Journal:
    """Collects a day's decisions; `take` hands them on. Rows of a day: its wins + rate · opportunities · plans."""

    def __init__(self, rate: float) -> None:
        """`rate`: the share of opportunities of which every decision is kept, 0 to 1."""
        self.rate = rate
        self._kept: list[_Columns] = []

    def note(self, engine: Engine, tick: Tick, seen: Bool, now: int) -> None:
        """Keep a tick's decisions. `seen`: [m] which of its wins were looked at."""
        pairs = self._pairs(engine, tick, seen)
        if len(pairs.row):
            self._kept.append(_columns(engine, tick, pairs, now))

    def take(self) -> pa.Table:
        """What was kept since the last time, in order of time."""
        kept, self._kept = self._kept, []
        if not kept:
            return SCHEMA.empty_table()
        return _table({name: np.concatenate([step[name] for step in kept]) for name in kept[0]})

    def _pairs(self, engine: Engine, tick: Tick, seen: Bool) -> _Pairs:
        plans, decisions = len(engine.plans), tick.decisions
        mine = np.isin(decisions.plan_id, engine.ids)
        won = decisions.row[mine] * plans + np.searchsorted(engine.ids, decisions.plan_id[mine])
        rows = np.flatnonzero(sampled(tick.batch.id, self.rate))
        kept = np.union1d(won, (rows[:, None] * plans + np.arange(plans)).ravel()).astype(np.int64)
        place = np.searchsorted(kept, won)
        slot, price, looked = np.zeros(len(kept), np.int64), np.zeros(len(kept), np.int64), np.zeros(len(kept), bool)
        boosted = np.zeros(len(kept), bool)
        slot[place], price[place], looked[place] = decisions.slot[mine], decisions.price[mine], seen[mine]
        boosted[place] = tick.boost[mine] > 0
        return _Pairs(kept // plans, kept % plans, slot, price, looked, boosted)


def sampled(opportunity_id: Int, rate: float) -> Bool:
    """Whether each opportunity [n] is in the sample of that rate; one of a lower rate lies within it."""
    bits = opportunity_id.astype(np.uint64) * _GOLDEN
    bits = (bits ^ (bits >> np.uint64(32))) * _MIX
    return np.asarray((bits >> np.uint64(11)) * 2.0**-53 < rate)


def crossed(id_: Int, plan_id: Int | int) -> Int:
    """The id of a plan's decision on an opportunity, and back: the opportunity of a plan's decision."""
    plan = np.asarray(plan_id).astype(np.uint64) * _GOLDEN
    return np.asarray((id_ ^ plan.view(np.int64)) & np.iinfo(np.int64).max)


def _columns(engine: Engine, tick: Tick, pairs: _Pairs, now: int) -> _Columns:
    batch, asked, row, plan = tick.batch, tick.asked, pairs.row, pairs.plan
    parts: Parts = engine.offers.parts(batch, row, plan)
    plan_id = engine.ids[plan]
    bid = np.minimum(asked.bid[pairs.where], asked.left[plan]).astype(np.float32)
    bid[row >= asked.stopped[plan]] = 0
    worth, multiplier, boosted = tick.worth[pairs.where], asked.multiplier[plan], pairs.boosted
    bid = np.where(boosted, raised := tick.entered[pairs.where], bid)
    placement = batch.placement[row]
    columns: _Columns = {
        "id": crossed(batch.id[row], plan_id),
        "at": batch.at[row],
        "received_at": np.full(len(row), now + engine.site.step),
        "plan_id": plan_id,
        "placement": placement,
        "audience": batch.audience[row],
        "category": batch.category[row],
        "product_id": parts.product_id,
        "refit": np.full(len(row), engine.offers.refitted),
        "target_version": engine.versions[plan],
        "predicted": parts.predicted,
        "share": parts.share,
        "factor": parts.factor,
        "worth": worth,
        "multiplier": np.where(boosted, _part(raised.astype(float), worth), multiplier),
        "shade": np.where(boosted, 1.0, _part(asked.bid[pairs.where], multiplier * worth)),
        "left": np.where(boosted, np.ceil(raised), asked.left[plan]).astype(np.int64),
        "bid": bid,
        "reserve": engine.site.reserve[placement],
        "slot": pairs.slot,
        "price": pairs.price,
    }
    prices = tick.cleared.rival_price[pairs.where].astype(np.float32)
    places = engine.site.places[placement].astype(np.int64)
    cheapest = prices[np.arange(len(row)), places - 1]
    columns["fate"] = _fates(engine, tick, pairs, _Bids(bid, cheapest, now)).astype(np.int8)
    rules = codes(engine.site.pricing) if engine.site.pricing else np.zeros(len(engine.site.seen), np.int8)
    costs = tick.cleared.cost[pairs.where].astype(np.float32)
    return columns | {"prices": prices, "costs": costs, "places": places, "pricing": rules[placement]}


def _table(columns: _Columns) -> pa.Table:
    """A day's columns as the schema has them: names for numbers, lists as long as the page."""
    of_costs = np.where(columns["pricing"] == _VCG, columns["places"], 0)
    made = {
        "prices": _lists(columns["prices"], columns["places"]),
        "costs": _lists(columns["costs"], of_costs),
        "fate": _names(columns["fate"], FATES),
        "pricing": _names(columns["pricing"], PRICINGS),
    }
    plain = [field for field in SCHEMA if field.name not in made]
    made |= {field.name: pa.array(columns[field.name], field.type, safe=False) for field in plain}
    return pa.table([made[name] for name in SCHEMA.names], schema=SCHEMA)


@dataclass(frozen=True, slots=True)
class _Bids:
    """What entered the auctions [m], what the last place of each page cost, and when the step began."""

    bid: npt.NDArray[np.float32]
    cheapest: npt.NDArray[np.float32]
    now: int


def _fates(engine: Engine, tick: Tick, pairs: _Pairs, bids: _Bids) -> Int:
    """[m] the place in `FATES` of what became of each pair: the first that holds."""
    row, plan, asked = pairs.row, pairs.plan, tick.asked
    paused = np.array([one.status is not PlanStatus.ACTIVE for one in engine.plans])
    until = engine.on_air_until[plan]
    left = np.where(asked.left[plan] > 0, asked.left[plan], -1)  # without money nothing is asked
    called = asked.multiplier[plan] * tick.worth[pairs.where]
    holds = {
        Fate.WON: pairs.seen,
        Fate.UNSEEN: pairs.slot > 0,
        Fate.PAUSED: paused[plan],
        Fate.OFF_AIR: (until <= bids.now) | (tick.batch.at[row] >= until),
        Fate.OFF_SCHEDULE: ~np.isin(plan, tick.serving),
        Fate.OUTSIDE_PLACEMENT: ~engine.openings.placements[plan, tick.batch.placement[row]],
        Fate.OUT_OF_BUDGET: (row >= asked.stopped[plan]) | (left < np.minimum(asked.bid[pairs.where], bids.cheapest)),
        Fate.NO_OFFER: asked.bid[pairs.where] <= 0,
        Fate.SHADED_BELOW: (called >= bids.cheapest) & (asked.bid[pairs.where] < bids.cheapest),
        Fate.BELOW_RESERVE: bids.bid < engine.site.reserve[tick.batch.placement[row]],
        **_refusals(tick, pairs),
    }
    places = [FATES.index(fate) for fate in holds]
    return np.asarray(np.select(list(holds.values()), places, FATES.index(Fate.OUTBID)), np.int64)


def _refusals(tick: Tick, pairs: _Pairs) -> dict[Fate, Bool]:
    """[m] which pairs were kept out by something other than money, by reason."""
    if tick.asked.refused is None:
        return {}
    refused = tick.asked.refused[pairs.where]
    return {fate: refused == number for number, fate in enumerate(REFUSALS, 1)}


def _part(asked: Float, full: Float) -> Float:
    return np.asarray(asked / np.where(full > 0, full, 1.0))


def _lists(values: npt.NDArray[np.float32], lengths: Int) -> pa.ListArray[Any]:
    """Rows [m, slots] as lists, each cut to its length."""
    kept = np.arange(values.shape[1]) < lengths[:, None]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values[kept], pa.float32()))


def _names(number: npt.NDArray[np.integer], names: Sequence[str]) -> pa.Array[Any]:
    coded = pa.DictionaryArray.from_arrays(pa.array(number, pa.int8()), pa.array([str(one) for one in names]))
    return coded.cast(pa.string())


@dataclass(frozen=True, slots=True)
class Replayed:
    """Decisions [m] made again from their records, and whether they agree with them to the micro-yuan."""

    worth: Float  # micro-yuan
    bid: npt.NDArray[np.float32]
    slot: Int
    price: Int
    agrees: Bool


def replayed(decisions: pa.Table) -> Replayed:
    """Make recorded decisions again: worth from its parts, the bid from worth and money, the outcome from the prices.

    A plan that did not take part offers nothing; one that a limit kept out wins nothing. Among equal bids either may
    have won.
    """
    held = {name: decisions[name].to_numpy() for name in SCHEMA.names if name not in ("prices", "costs")}
    outside = np.isin(held["fate"], [Fate.OUTSIDE_PLACEMENT])
    worth = np.where(outside, 0.0, held["predicted"] * held["share"] * held["factor"])
    away = np.isin(held["fate"], _NOT_THERE)
    asked = held["multiplier"] * held["worth"] * held["shade"]
    bid = np.where(away, 0, np.minimum(asked, held["left"])).astype(np.float32)
    bid[(held["fate"] == Fate.OUT_OF_BUDGET) & (held["bid"] == 0)] = 0  # stopped within the step
    prices = _padded(decisions["prices"])
    admitted = ~np.isin(held["fate"], REFUSALS)[:, None]
    slot, at_most = (_place(beaten & admitted) for beaten in (bid[:, None] >= prices, bid[:, None] > prices))
    agreed = np.where(held["slot"] == at_most, at_most, slot)
    costs = np.where(held["pricing"][:, None] == Pricing.VCG, _padded(decisions["costs"], prices.shape[1]), prices)
    price = _due(agreed, bid, np.where(held["pricing"][:, None] == Pricing.FIRST, bid[:, None], costs))
    checks = (
        np.abs(worth - held["worth"]) <= _ALLOWED,
        np.abs(bid - held["bid"]) <= _ALLOWED + held["bid"] * _ROUNDED,
        held["shade"] <= 1 + 1e-6,
        agreed == held["slot"],
        np.abs(price - held["price"]) <= _ALLOWED,
        (agreed > 0) == np.isin(held["fate"], (Fate.WON, Fate.UNSEEN)),
    )
    return Replayed(worth, bid, agreed, price, np.logical_and.reduce(checks))


_NOT_THERE = (Fate.PAUSED, Fate.OFF_AIR, Fate.OFF_SCHEDULE, Fate.OUTSIDE_PLACEMENT)


def _due(slot: Int, bid: npt.NDArray[np.float32], costs: Float) -> Int:
    """[m] what the winner of a place owes, never more than its bid, micro-yuan; 0 for none. costs: [m, places]."""
    price = np.ceil(costs[np.arange(len(slot)), np.maximum(slot, 1) - 1])
    return np.where(slot > 0, np.minimum(price, np.maximum(bid, 1)), 0).astype(np.int64)


def _padded(prices: pa.ChunkedArray[Any], places: int = 1) -> Float:
    """Lists of prices as rows [m, at least `places`]; a place that is not there costs more than anybody has."""
    lengths = np.asarray(pc.list_value_length(prices).to_numpy(), np.int64)
    rows = np.full((len(lengths), int(lengths.max(initial=places))), np.inf)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = pc.list_flatten(prices).to_numpy()
    return rows


def _place(beaten: Bool) -> Int:
    """[m] the first place whose price is met, from 1; 0 if none is."""
    return np.where(beaten.any(axis=1), beaten.argmax(axis=1) + 1, 0)
