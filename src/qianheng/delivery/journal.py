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
from qianheng.delivery.engine import Bool, Engine
from qianheng.delivery.offers import Parts
from qianheng.delivery.pooled import REFUSALS
from qianheng.delivery.tick import Tick
from qianheng.facts.schema import SCHEMAS, Fate, Kind
from qianheng.plans.plan import PlanStatus
from qianheng.prediction.space import Float, Int

SCHEMA = SCHEMAS[Kind.DECISION]
FATES = tuple(Fate)
_Columns = dict[str, npt.NDArray[Any]]
_OUTSIDE = (Fate.OUTSIDE_PLACEMENT, Fate.OUTSIDE_USERS)
_AWAY = (Fate.PAUSED, Fate.OFF_AIR, Fate.OFF_SCHEDULE, *_OUTSIDE)
_FATE = "fate."  # before the name of a fate: whether what decides it held
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
    creative: Int  # shown, -1: nothing
    creatives: npt.NDArray[np.int16]  # out of how many it was chosen
    chance: npt.NDArray[np.float32]  # and with what chance

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
            self._kept.append(_noted(engine, tick, pairs, now))

    def take(self) -> pa.Table:
        """What was kept since the last time, in order of time."""
        kept, self._kept = self._kept, []
        if not kept:
            return SCHEMA.empty_table()
        noted = {name: np.concatenate([step.pop(name) for step in kept]) for name in [*kept[0]]}
        return _table(noted | _told(noted))

    def _pairs(self, engine: Engine, tick: Tick, seen: Bool) -> _Pairs:
        plans, decisions = len(engine.plans), tick.decisions
        mine = tick.column < plans
        won = decisions.row[mine] * plans + tick.column[mine]
        rows = np.flatnonzero(sampled(tick.batch.id, self.rate))
        kept = np.union1d(won, (rows[:, None] * plans + np.arange(plans)).ravel()).astype(np.int64)
        if tick.explored is not None:
            kept = np.union1d(kept, np.flatnonzero(tick.explored.drawn & (tick.asked.bid > 0)))
        place = np.searchsorted(kept, won)
        slot, price, looked = np.zeros(len(kept), np.int64), np.zeros(len(kept), np.int64), np.zeros(len(kept), bool)
        boosted = np.zeros(len(kept), bool)
        slot[place], price[place], looked[place] = decisions.slot[mine], decisions.price[mine], seen[mine]
        boosted[place] = tick.boost[mine] > 0
        creative, count, chance = np.full(len(kept), -1), np.ones(len(kept), np.int16), np.ones(len(kept), np.float32)
        creative[place] = decisions.creative_id[mine]
        if tick.explored is not None:
            count[place], chance[place] = tick.explored.creatives[mine], tick.explored.chance[mine]
        return _Pairs(kept // plans, kept % plans, slot, price, looked, boosted, creative, count, chance)


def sampled(opportunity_id: Int, rate: float) -> Bool:
    """Whether each opportunity [n] is in the sample of that rate; one of a lower rate lies within it."""
    bits = opportunity_id.astype(np.uint64) * _GOLDEN
    bits = (bits ^ (bits >> np.uint64(32))) * _MIX
    return np.asarray((bits >> np.uint64(11)) * 2.0**-53 < rate)


def crossed(id_: Int, plan_id: Int | int) -> Int:
    """The id of a plan's decision on an opportunity, and back: the opportunity of a plan's decision."""
    plan = np.asarray(plan_id).astype(np.uint64) * _GOLDEN
    return np.asarray((id_ ^ plan.view(np.int64)) & np.iinfo(np.int64).max)


def _noted(engine: Engine, tick: Tick, pairs: _Pairs, now: int) -> _Columns:
    """What is only known while a step is made; what follows from it is told once a day, by `_told`."""
    batch, asked, row, plan = tick.batch, tick.asked, pairs.row, pairs.plan
    parts: Parts = engine.offers.parts(batch, row, plan)
    plan_id, placement, at = engine.ids[plan], batch.placement[row], batch.at[row]
    rules = codes(engine.site.pricing) if engine.site.pricing else np.zeros(len(engine.site.seen), np.int8)
    columns: _Columns = {
        "id": crossed(batch.id[row], plan_id),
        "at": at,
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
        "worth": tick.worth[pairs.where],
        "own_multiplier": asked.multiplier[plan],
        "asked": asked.bid[pairs.where],
        "own_left": asked.left[plan],
        "entered": tick.entered[pairs.where],
        "boosted": pairs.boosted,
        "refused": np.zeros(len(row), np.int8) if asked.refused is None else asked.refused[pairs.where],
        "reserve": engine.site.reserve[placement],
        "slot": pairs.slot,
        "price": pairs.price,
        "prices": tick.cleared.rival_price[pairs.where].astype(np.float32),
        "costs": tick.cleared.cost[pairs.where].astype(np.float32),
        "places": engine.site.places[placement].astype(np.int64),
        "pricing": rules[placement],
        "creative_id": pairs.creative,
        "creatives": pairs.creatives,
        "creative_chance": pairs.chance,
        **_left_to_chance(engine, tick, pairs),
    }
    return columns | {_FATE + fate: held for fate, held in _standing(engine, tick, pairs, now).items()}


def _left_to_chance(engine: Engine, tick: Tick, pairs: _Pairs) -> _Columns:
    """[m] what chance multiplied each bid by, and how widely it was drawn; a boost's bid by nothing."""
    if tick.explored is None:
        return {"bid_factor": np.ones(len(pairs.row)), "bid_spread": np.zeros(len(pairs.row))}
    drawn = tick.explored.drawn[pairs.where] & ~pairs.boosted
    factor = np.where(drawn, tick.explored.factor[pairs.where], 1.0)
    return {"bid_factor": factor, "bid_spread": np.where(drawn, engine.site.exploration.spread, 0.0)}


def _told(noted: _Columns) -> _Columns:
    """What follows from what was noted: the bid as it stood, from what, and what became of it."""
    boosted, worth, multiplier = noted["boosted"], noted["worth"], noted["own_multiplier"]
    asked, left, raised = noted["asked"], noted["own_left"], noted["entered"]
    own = np.minimum(asked, left).astype(np.float32)
    own[noted[_FATE + Fate.OUT_OF_BUDGET]] = 0
    bid = np.where(boosted, raised, own)
    return {
        "multiplier": np.where(boosted, _part(raised.astype(float), worth), multiplier),
        "shade": np.where(boosted, 1.0, _part(asked, multiplier * worth * noted["bid_factor"])),
        "left": np.where(boosted, np.ceil(raised), left).astype(np.int64),
        "bid": bid,
        "fate": _fates(noted, bid),
    }


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


def _standing(engine: Engine, tick: Tick, pairs: _Pairs, now: int) -> dict[Fate, Bool]:
    """[m] by fate, for which pairs what decides it held while the step was made."""
    row, plan = pairs.row, pairs.plan
    paused = np.array([one.status is not PlanStatus.ACTIVE for one in engine.plans])
    absent = np.ones(len(engine.plans), bool)
    absent[tick.serving] = False
    until = engine.on_air_until[plan]
    return {
        Fate.WON: pairs.seen,
        Fate.PAUSED: paused[plan],
        Fate.OFF_AIR: (until <= now) | (tick.batch.at[row] >= until),
        Fate.OFF_SCHEDULE: absent[plan],
        Fate.OUTSIDE_PLACEMENT: ~engine.openings.placements[plan, tick.batch.placement[row]],
        Fate.OUTSIDE_USERS: np.zeros(len(row), bool) if tick.allowed is None else ~tick.allowed[pairs.where],
        Fate.OUT_OF_BUDGET: row >= tick.asked.stopped[plan],
    }


def _fates(noted: _Columns, bid: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """[m] the place in `FATES` of what became of each pair: the first that holds."""
    asked, cheapest = noted["asked"], noted["prices"][np.arange(len(bid)), noted["places"] - 1]
    left = np.where(noted["own_left"] > 0, noted["own_left"], -1)  # without money nothing is asked
    called = noted["own_multiplier"] * noted["worth"] * noted["bid_factor"]
    holds = {
        Fate.WON: noted[_FATE + Fate.WON],
        Fate.UNSEEN: noted["slot"] > 0,
        **{fate: noted[_FATE + fate] for fate in _AWAY},
        Fate.OUT_OF_BUDGET: noted[_FATE + Fate.OUT_OF_BUDGET] | (left < np.minimum(asked, cheapest)),
        Fate.NO_OFFER: asked <= 0,
        Fate.SHADED_BELOW: (called >= cheapest) & (asked < cheapest),
        Fate.BELOW_RESERVE: bid < noted["reserve"],
        **{fate: noted["refused"] == number for number, fate in enumerate(REFUSALS, 1)},
    }
    places = [FATES.index(fate) for fate in holds]
    return np.select(list(holds.values()), places, FATES.index(Fate.OUTBID)).astype(np.int8)


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
    outside = np.isin(held["fate"], _OUTSIDE)
    worth = np.where(outside, 0.0, held["predicted"] * held["share"] * held["factor"])
    away = np.isin(held["fate"], _AWAY)
    factor = np.nan_to_num(held["bid_factor"].astype(float), nan=1.0)  # unknown of old records: nothing was drawn then
    asked = held["multiplier"] * held["worth"] * held["shade"] * factor
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
