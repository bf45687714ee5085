"""Where the spend of a boost lies among that of its plan's days, so that a compensation of the boost and a claim on
such a day never give back the same yuan (`guarantee.overlap`).

What was captured in the ledger says so: it does not move once a day is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from qianheng.actions.promises import boost_unit_id, promises
from qianheng.core.money import Micros
from qianheng.guarantee.case import BoostUnit, Unit
from qianheng.guarantee.overlap import Stretch, moved, uncovered
from qianheng.ledger.sources import Sources
from qianheng.measures.query import boosts_of
from qianheng.store import boosts, claims, closes
from qianheng.store.lake import Lake
from qianheng.store.statement import payer_of, sources_of

Spenders = Mapping[int, Mapping[date, Sources]]
Claimed = Mapping[tuple[int, date], tuple[Stretch, ...]]


class _Part(NamedTuple):
    """What a boost spent in a day: a part of the day's row of yuan, and where it begins in the boost's own."""

    day: date
    of_day: Stretch
    begins: Micros


def spenders(connection: Connection, lake: Lake, plan_id: int, timezone: str) -> Spenders:
    """What a plan, or a standard campaign, and then each of its boosts spent by day; nothing if it never did."""
    payer = payer_of(connection, plan_id)
    if payer is None:
        return {}
    ids: list[int] = lake.query(connection, boosts_of(plan_id))["boost_id"].to_numpy().tolist()
    return {one: sources_of(connection, payer, one, timezone) for one in (plan_id, *ids)}


def claimed_of(connection: Connection, lake: Lake, unit: Unit) -> tuple[Stretch, ...] | None:
    """Which yuan of a unit's own row were given back on claims; `None` if there are none on its days at all."""
    claimed = claims.claimed(connection, unit.day, unit.last_day)
    if not any(plan_id == int(unit.plan_id) for plan_id, _ in claimed):
        return None
    if not isinstance(unit, BoostUnit):
        return claimed[int(unit.plan_id), unit.day]
    spent = spenders(connection, lake, int(unit.plan_id), unit.timezone)
    return tuple(_own(_parts(spent, unit), claimed, int(unit.plan_id)))


def compensated_of(
    connection: Connection, plan_day: tuple[int, date], spent: Spenders, but: int | None = None
) -> tuple[Stretch, ...]:
    """Which yuan of a plan's day compensation promised for its boosts, other than `but`, covers, ascending."""
    plan_id, day = plan_day
    found: list[Stretch] = []
    for boost in boosts.of_plans(connection, [plan_id]):
        amount = sum(one.standing for one in promises(connection, boost_unit_id(boost.id)))
        if not amount or boost.id == but:
            continue
        unit = BoostUnit(str(plan_id), closes.unit(connection, boost_unit_id(boost.id)).day, boost_id=str(boost.id))
        parts = _parts(spent, unit)
        claimed = claims.claimed(connection, unit.day, unit.last_day)
        covered = uncovered(amount, 0, sorted(_own(parts, claimed, plan_id)))
        for part in parts:
            if part.day == day:
                length = part.of_day.end - part.of_day.start
                found += moved(covered, Stretch(part.begins, part.begins + length), part.of_day.start)
    return tuple(sorted(found))


def _own(parts: list[_Part], claimed: Claimed, plan_id: int) -> Iterator[Stretch]:
    for part in parts:
        yield from moved(claimed.get((plan_id, part.day), ()), part.of_day, part.begins)


def _parts(spent: Spenders, unit: BoostUnit) -> list[_Part]:
    found, begins = list[_Part](), 0
    for day in (unit.day, unit.last_day):
        before = 0
        for spender, by_day in spent.items():
            amount = by_day.get(day, Sources()).total
            if spender == int(unit.boost_id):
                found.append(_Part(day, Stretch(before, before + amount), begins))
                begins += amount
            before += amount
    return found
