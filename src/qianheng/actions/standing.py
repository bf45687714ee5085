"""Where the units of the guarantee stand: their moves so far, what was said, paid and is due by when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from qianheng.actions.boost_units import BOOST_UNIT, judge_boosts
from qianheng.actions.desk import Desk
from qianheng.actions.judging import PLAN_DAY, Judged, judge_units
from qianheng.actions.promises import Promise, as_of, promises_of
from qianheng.core.days import microseconds
from qianheng.core.money import Micros
from qianheng.guarantee.case import Log
from qianheng.guarantee.history import boost_log_of, log_of
from qianheng.guarantee.reasons import Reason, Status
from qianheng.guarantee.timeline import Move, Posting, Record, Said, credit_days, due_at, moves
from qianheng.guarantee.verdict import answer
from qianheng.store import boosts, closes, plans
from qianheng.store.closes import Given, OpenUnit
from qianheng.store.database import reading


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a unit stands at a time. `answer` is the verdict given last, or what it would be on what is known
    now; `given` are all verdicts given. `due_by` is the last day on which what is due is not overdue, `None` where
    nothing is.
    """

    judged: Judged
    moves: Sequence[Move]
    given: Sequence[Given]
    answer: Mapping[str, Any]
    compensation: Micros
    paid: Micros
    pending: Micros
    due_by: date | None
    overdue: bool


def standings(desk: Desk, plan_id: int | None = None, day: date | None = None) -> list[Standing]:
    """Where the units that have begun and that facts are known of stand at the desk's now, of one plan and one day if
    asked; a plan's day asked for by both is told even if nothing is known of it.

    No such plan in the actor's shop: NotFound.
    """
    with reading(desk.database) as connection:
        if plan_id is not None:
            desk.plan(connection, plan_id)
        seen = {one.plan.id: one for one in plans.logged(connection) if desk.actor.sees(one.plan.shop_id)}
        ours = {one.id: one for one in boosts.of_plans(connection) if one.plan_id in seen}
        found = [unit for unit in _units(connection, plan_id, day) if unit.day <= desk.now.date()]
        wanted = {(unit.subject, unit.day) for unit in found if unit.type == PLAN_DAY and unit.subject in seen}
        if plan_id is not None and day is not None:
            wanted.add((plan_id, day))
        boost_ids = {unit.subject for unit in found if unit.type == BOOST_UNIT}
        judged = judge_units(connection, desk.lake, wanted, desk.now)
        judged += judge_boosts(connection, desk.lake, boost_ids & ours.keys(), desk.now)
        judged.sort(key=lambda one: (one.day, one.plan_id, one.boost_id is not None))
        ids = [one.unit_id for one in judged]
        given, made = closes.given(connection, ids), promises_of(connection, ids)

    def log(one: Judged) -> Log:
        kept = seen[one.plan_id]
        return log_of(*kept) if one.boost_id is None else boost_log_of(*kept, ours[one.boost_id])

    return [
        _standing(one, log(one), (given.get(id_, []), made.get(id_, [])), desk.now)
        for id_, one in zip(ids, judged, strict=True)
    ]


def _units(connection: Connection, plan_id: int | None, day: date | None) -> list[OpenUnit]:
    """The units that facts are known of; those of a plan's boosts are the plan's too."""
    if plan_id is None:
        return closes.units(connection, None, day)
    return closes.units(connection, [plan_id, *(one.id for one in boosts.of_plans(connection, [plan_id]))], day)


def _standing(one: Judged, log: Log, kept: tuple[Sequence[Given], Sequence[Promise]], at: datetime) -> Standing:
    """Where a unit stands, by the verdicts given on it and what was promised for it."""
    given, promised = kept
    now = microseconds(at)
    known = [verdict for verdict in given if verdict.given_at <= now]
    made = as_of(promised, at)
    record = _record(known, made)
    paid = sum(promise.paid for promise in made)
    pending = sum(promise.standing for promise in made) - paid
    due_by = _due_by(one, made)
    return Standing(
        judged=one,
        moves=moves(one.policy, one.unit, log, record, now),
        given=known,
        answer=known[-1].answer if known else answer(one.verdict, one.plan.timezone),
        compensation=known[-1].compensation if known else one.verdict.compensation,
        paid=paid,
        pending=pending,
        due_by=due_by,
        overdue=due_by is not None and due_by < at.date(),
    )


def _record(given: Sequence[Given], made: Sequence[Promise]) -> Record:
    said = (
        Said(one.given_at, Status(one.status), Reason(one.reason) if one.reason else None, one.compensation)
        for one in given
    )
    settled = ((promise.settling, promise.paid) for promise in made)
    return Record(tuple(said), tuple(Posting(microseconds(one.at), paid) for one, paid in settled if one and paid))


def _due_by(one: Judged, made: Sequence[Promise]) -> date | None:
    """The last day that what is due and not paid is not overdue: of the promise still open, else of the judgement."""
    if one.policy.rules is None:
        return None
    for number, promise in enumerate(made):
        if promise.open:
            since = microseconds(promise.pending.at) if number else due_at(one.policy, one.unit)
            return credit_days(one.policy.rules, one.unit, since)[1]
    if made or not one.verdict.compensation:
        return None
    return credit_days(one.policy.rules, one.unit, due_at(one.policy, one.unit))[1]
