"""A unit as a case, from the facts and the change log as they were known at a time (CONTRACTS 2).

`judging` and `boost_units` sum the same by SQL; judged from its case the answer is the same to the micro-yuan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from qianheng.actions.commission import owing_on
from qianheng.actions.desk import Desk
from qianheng.core.days import microseconds, midnight, parse_day
from qianheng.core.errors import BadInput
from qianheng.facts.schema import Channel, Kind
from qianheng.guarantee.case import Case, Charge, Order, Refund
from qianheng.guarantee.history import log_of, plan_of_day, unit_of
from qianheng.measures.days import Days
from qianheng.plans.boost import BoostKind
from qianheng.plans.plan import Counting
from qianheng.store import plans
from qianheng.store.database import reading
from qianheng.store.lake import Lake

BOOSTS = {BoostKind.NONE: None, BoostKind.PLAN: "plan", BoostKind.CREATIVE: "creative"}
_SINCE_FIRST_TARGET = "f.target_version >= 0"
_VALID = "f.id NOT IN (SELECT i.id FROM invalids AS i)"  # what was found invalid is given back as such (SPEC 5.8)


def kept_case(desk: Desk, plan_id: int, day: str) -> Case:
    """The case of a plan's day as the desk sees it, at its `now`.

    No such plan in the actor's shop: NotFound. No day, or one that has not begun: BadInput.
    """
    with reading(desk.database) as connection:
        zone = desk.plan(connection, plan_id).plan.timezone
        that_day = begun(desk, day, zone)
        return case_of(connection, desk.lake, plan_id, that_day, desk.now)


def begun(desk: Desk, day: str, zone: str) -> date:
    """A day as written, that has begun at the desk's `now`. Otherwise: BadInput."""
    that_day = parse_day(day, "--day")
    if midnight(that_day, zone) > desk.now:
        raise BadInput("proof.not_yet", place="--day", day=that_day, now=f"{desk.now:%Y-%m-%d %H:%M}")
    return that_day


def case_of(connection: Connection, lake: Lake, plan_id: int, day: date, now: datetime) -> Case:
    """The case of a plan's day on what had been received, and changed, before `now`. No such plan: NotFound.

    Its orders are those that count for the plan: under `attributed` counting only promoted ones (SPEC 2).
    """
    at, log = microseconds(now), plans.log(connection, plan_id)
    changes = [made for made in log if microseconds(made.at) <= at]
    history = plans.history(connection, plan_id)[: len(changes) + 1]
    (plan,) = owing_on(connection, [plan_of_day(history, changes, Days(day, day, history[0].timezone))], day)
    asked = Asked(connection, lake, now, plan_id, Days(day, day, plan.timezone))
    unit, did = unit_of(plan, day), log_of(history, changes)
    counted = f"f.channel = {Channel.PROMOTED}" if plan.counting is Counting.ATTRIBUTED else "TRUE"
    return Case(plan.policy, unit, did, tuple(charges(asked)), tuple(orders(asked, counted)), at)


class Asked(NamedTuple):
    """Of which plan (or campaign) and days facts are asked for, as known before `now`."""

    connection: Connection
    lake: Lake
    now: datetime
    plan_id: int
    days: Days

    def facts(self, columns: str, kind: Kind, condition: str = "TRUE", at: str = "f.at") -> Iterator[tuple[Any, ...]]:
        """The facts of a kind that happened (`at`) on those days, in order of time."""
        day = f"f.plan_id = {self.plan_id} AND {at} >= {self.days.since} AND {at} < {self.days.until}"
        query = f"SELECT {columns} FROM {kind}s AS f WHERE {day} AND {condition} ORDER BY {at}, f.at, f.id"
        answer = self.lake.query(self.connection, query, as_of=self.now)
        yield from zip(*(column.to_pylist() for column in answer.columns), strict=True)


def charges(asked: Asked, counted: str = "TRUE") -> Iterator[Charge]:
    """The charges since the plan's first target that were not found invalid and meet a condition."""
    condition = f"{_SINCE_FIRST_TARGET} AND {_VALID} AND {counted}"
    for key, at, amount, boost in asked.facts("f.id, f.at, f.amount, f.boost", Kind.CHARGE, condition):
        yield Charge(str(key), at, amount, BOOSTS[boost])


def orders(asked: Asked, counted: str) -> Iterator[Order]:
    """The orders since the plan's first target that meet a condition, with their refunds."""
    refunds = defaultdict[int, list[Refund]](list)
    for key, at, order_id, amount in asked.facts("f.id, f.at, f.order_id, f.amount", Kind.REFUND, at="f.order_at"):
        refunds[order_id].append(Refund(str(key), at, amount))
    columns, condition = "f.id, f.at, f.amount, f.boost, f.flagged", f"{_SINCE_FIRST_TARGET} AND {counted}"
    for key, at, amount, boost, flagged in asked.facts(columns, Kind.ORDER, condition):
        yield Order(str(key), at, amount, BOOSTS[boost], flagged, tuple(refunds[key]))
