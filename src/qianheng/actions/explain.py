"""Why a run bid as it did: one opportunity, a plan's day, a plan's hour, read back from its journal and what it told.

Answers are plain values as `--json` prints them: money as decimal strings in yuan, ratios as decimal strings, times
with their offset, `None` for what is not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from qianheng.actions.desk import desk_of
from qianheng.core.days import day_of, microseconds, midnight, moment, zone
from qianheng.core.errors import BadInput, NotFound
from qianheng.core.money import yuan
from qianheng.core.placements import Placement
from qianheng.core.plain import Json
from qianheng.delivery.journal import crossed, replayed
from qianheng.facts.schema import Fate
from qianheng.plans.plan import Plan
from qianheng.store import plans, runs
from qianheng.store.database import reading
from qianheng.store.lake import Lake

TOP_LOSSES = 10


@dataclass(frozen=True, slots=True)
class Kept:
    """A run as kept: its folder, an open connection, its plans, what each day told, and its journal's sample rate."""

    lake: Lake
    connection: Connection
    plans: dict[int, Plan]
    told: dict[date, Json]
    rate: float

    def decisions(self, condition: str) -> pa.Table:
        """The decisions in the journal that fulfil an SQL condition."""
        return self.lake.query(self.connection, f"SELECT * FROM decisions WHERE {condition}")

    def plan(self, plan_id: int) -> Plan:
        """One plan of the run. No such plan: NotFound."""
        if plan_id not in self.plans:
            raise NotFound("explain.no_plan", place="--plan", value=plan_id, known=_listed(self.plans))
        return self.plans[plan_id]

    def day(self, day: date) -> Json:
        """What the run told of a delivery day. Another day: NotFound."""
        delivered = [one for one, told in self.told.items() if told["scores"]]
        if day not in delivered:
            place, days = "--day", f"{delivered[0]} – {delivered[-1]}" if delivered else "–"
            raise NotFound("explain.no_day", place=place, value=day, known=days)
        return self.told[day]


@contextmanager
def opened(run: str = "", actor: str = "") -> Iterator[Kept]:
    """A run as a member sees it, with the plans of the member's shop; both by name as at the desk (`desk_of`)."""
    with desk_of(run, actor) as desk, reading(desk.database) as connection:
        (run_id, request), *_ = runs.begun(connection).items()
        held = {one.plan.id: one.plan for one in plans.load_all(connection) if desk.actor.sees(one.plan.shop_id)}
        told = runs.told(connection, run_id)
        yield Kept(desk.lake, connection, held, told, float(request.get("journal", 0.0)))


def opportunity(kept: Kept, id_: int) -> Json:
    """Every plan's decision on one opportunity: predicted values, bids, prices, and why each lost.

    One that is not in the journal: NotFound, which tells the sample's rate and the nearest id that is.
    """
    ids = ", ".join(str(int(crossed(np.array([id_]), plan_id)[0])) for plan_id in kept.plans)
    found = kept.decisions(f"id IN ({ids or 'NULL'}) ORDER BY plan_id")
    if not found.num_rows:
        raise NotFound("explain.no_opportunity", place="ID", value=id_, **_nearest(kept, id_))
    first = found.slice(0, 1).to_pylist()[0]
    whole = found.num_rows == len(kept.plans)
    return {
        "opportunity_id": str(id_),
        "at": _time(first["at"], kept.plans[first["plan_id"]]),
        "placement": _placement(first["placement"]),
        "audience": first["audience"],
        "category": first["category"],
        "candidates_kept": "all" if whole else "winners",
        "candidates": candidates(kept, found),
    }


def _nearest(kept: Kept, id_: int) -> Json:
    keys = kept.lake.query(kept.connection, "SELECT id, plan_id FROM decisions")
    ids = crossed(keys["id"].to_numpy(), keys["plan_id"].to_numpy())
    nearest = str(ids[np.abs(ids.astype(float) - float(id_)).argmin()]) if len(ids) else "–"
    return {"rate": f"{kept.rate:.1%}", "nearest": nearest}


def candidates(kept: Kept, decisions: pa.Table) -> list[Json]:
    """Decisions as a person reads them, each with whether it was made again from its record alone."""
    agrees = replayed(decisions).agrees.tolist()
    opportunities = crossed(decisions["id"].to_numpy(), decisions["plan_id"].to_numpy()).tolist()
    rows = zip(decisions.to_pylist(), opportunities, agrees, strict=True)
    return [_candidate(kept.plans[row["plan_id"]], row, id_, same) for row, id_, same in rows]


def _candidate(plan: Plan, row: Json, opportunity_id: int, agrees: bool) -> Json:
    money = {name: _yuan(row[name]) for name in ("predicted", "worth", "left", "bid", "reserve", "price")}
    return {
        "opportunity_id": str(opportunity_id),
        "at": _time(row["at"], plan),
        "placement": _placement(row["placement"]),
        "plan_id": plan.id,
        "plan": plan.name,
        "product_id": row["product_id"],
        "target_version": row["target_version"],
        "predicted_at": _time(row["refit"], plan),
        "share": _decimal(row["share"]),
        "factor": _decimal(row["factor"]),
        "multiplier": _decimal(row["multiplier"]),
        "shade": _decimal(row["shade"]),
        **money,
        "prices": [_yuan(price) for price in row["prices"]],
        "pricing": row["pricing"],
        "slot": row["slot"] or None,
        "fate": row["fate"],
        "replayed": agrees,
    }


def plan_day(kept: Kept, plan_id: int, day: date) -> Json:
    """A plan's day: its share of the hindsight optimum, the gap by cause, what became of its chances, its top losses.

    Losses are a sample: their counts and values are scaled to the whole day.
    """
    plan, told = kept.plan(plan_id), kept.day(day)
    reached, best, opportunities = told["scores"].get(str(plan_id), (0.0, 0.0, 0))
    since, until = (microseconds(midnight(day + timedelta(days=more), plan.timezone)) for more in (0, 1))
    found = kept.decisions(f"plan_id = {plan_id} AND {_between(since, until)} ORDER BY decisions.at, decisions.id")
    return {
        "plan_id": plan_id,
        "plan": plan.name,
        "day": day.isoformat(),
        "opportunities": opportunities,
        "reached": _yuan(reached),
        "best": _yuan(best),
        "hindsight_ratio": _decimal(reached / best) if best > 0 else None,
        "gap": _gap(told.get("gaps", {}).get(str(plan_id), {}), best),
        "sample_rate": _decimal(kept.rate),
        "fates": _fates(found, kept.rate),
        "top_losses": candidates(kept, _top_losses(found)),
    }


def _gap(gap: Json, best: float) -> list[Json]:
    """The gap to the optimum by cause: its worth, and its share of the optimum."""
    shares = {cause: _decimal(worth / best) if best > 0 else None for cause, worth in gap.items()}
    return [{"cause": cause, "worth": _yuan(worth), "share": shares[cause]} for cause, worth in gap.items()]


def _between(since: int, until: int) -> str:
    return f"decisions.at >= {since} AND decisions.at < {until}"


def _fates(found: pa.Table, rate: float) -> list[Json]:
    """How many chances came to each end and what they were worth, most worth first; wins are counted, losses scaled."""
    fate, slot = found["fate"].to_numpy(zero_copy_only=False), found["slot"].to_numpy()
    weight = np.where(slot > 0, 1.0, 1.0 / rate if rate > 0 else np.nan)
    worth, missed = found["worth"].to_numpy() * weight, missed_worth(found) * weight
    told = []
    for one in Fate:
        here = fate == one
        if here.any():
            sums = {"count": round(weight[here].sum()), "kept": int(here.sum())}
            told.append(
                {"fate": str(one), **sums, "worth": _yuan(worth[here].sum()), "missed": _missed(one, missed[here])}
            )
    return told


def _missed(fate: Fate, missed: npt.NDArray[np.float64]) -> str | None:
    return None if fate is Fate.WON else _yuan(missed.sum())


def missed_worth(decisions: pa.Table) -> npt.NDArray[np.float64]:
    """[m] what the cheapest place would have left above its price, micro-yuan; 0 where it was worth less."""
    prices: list[list[float]] = decisions["prices"].to_pylist()  # type: ignore[assignment]  # no price is null
    cheapest = np.array([places[-1] for places in prices], np.float64)
    return np.asarray(np.maximum(decisions["worth"].to_numpy() - cheapest, 0.0), float)


def _top_losses(found: pa.Table) -> pa.Table:
    """The lost decisions that missed most, of those kept."""
    lost = found.filter(pc.field("slot") == 0)
    missed = missed_worth(lost)
    order = np.argsort(-missed, kind="stable")[:TOP_LOSSES]
    return lost.take(pa.array(order[missed[order] > 0], pa.int64()))


def plan_hour(kept: Kept, plan_id: int, at: str) -> Json:
    """How a plan bid at a time, and what had moved its multiplier since an hour before.

    `at`: a time, in the plan's zone if it says none. Nothing was told of that time: NotFound.
    """
    plan = kept.plan(plan_id)
    when = _read_time(at, plan)
    kept.day(day_of(when, plan.timezone))
    beats = [beat for told in kept.told.values() for beat in told["beats"] if beat["plan_id"] == plan_id]
    earlier = [beat for beat in beats if beat["at"] <= microseconds(when)]
    if not earlier:
        first = _time(beats[0]["at"], plan) if beats else "–"
        raise NotFound("explain.no_hour", place="--at", value=at, first=first)
    beat = earlier[-1]
    before = earlier[-2] if len(earlier) > 1 else None
    return {
        "plan_id": plan_id,
        "plan": plan.name,
        "at": _time(beat["at"], plan),
        "multiplier": _decimal(beat["multiplier"]),
        "binding": beat["binding"],
        "slack": _yuan(beat["slack"]),
        "expects": _expected(beat.get("expects")),
        "moved": _moved(beat.get("moved")),
        "before": before and {"at": _time(before["at"], plan), "multiplier": _decimal(before["multiplier"])},
    }


def _expected(sums: Mapping[str, Sequence[int]] | None) -> Json | None:
    """Spend and worth for the rest of the day: mean, and the ends of the interval that holds four days of five."""
    if sums is None:
        return None
    ends = ("mean", "low", "high")
    return {name: {end: _yuan(one) for end, one in zip(ends, told, strict=True)} for name, told in sums.items()}


def _moved(parts: Mapping[str, float] | None) -> list[Json] | None:
    """What moved the logarithm of a multiplier, and the factor that each part is of it."""
    if parts is None:
        return None
    return [{"mover": one, "log": _decimal(part), "factor": _decimal(math.exp(part))} for one, part in parts.items()]


def _read_time(text: str, plan: Plan) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("explain.bad_time", place="--at", value=text) from None
    return at if at.tzinfo else at.replace(tzinfo=zone(plan.timezone))


def _time(at: int, plan: Plan) -> str:
    return moment(at, plan.timezone).isoformat()


def _placement(number: int) -> str:
    return Placement(number).name.lower()


def _yuan(amount: float) -> str:
    return yuan(round(float(amount)))


def _decimal(value: float) -> str:
    return f"{value:.6f}"


def _listed(names: Any) -> str:
    return ", ".join(map(str, names)) or "–"
