"""The end of a day: units whose window has closed are judged, what they are due is promised and paid (SPEC 5.4, 5.5).

Everything of a day's close is one transaction, and every id in it is a function of what it is for: killed anywhere,
done by several at once or done again, it comes to the same. No look-back decides what is judged, but two questions to
what is kept: whose window has closed since the last close, and of what facts have come in since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from qianheng.actions import boost_units, claims, compensation, invalid_traffic, proceeds, reminders, upkeep, wrap_ups
from qianheng.actions.desk import Desk
from qianheng.actions.judging import PLAN_DAY, Judged, judge_units
from qianheng.actions.liability import keep_forecast
from qianheng.actions.policies import policies
from qianheng.actions.promises import unit_id
from qianheng.core.actors import Act, demand
from qianheng.core.days import microseconds
from qianheng.core.errors import BadInput, Refused
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.guarantee.history import unit_of
from qianheng.guarantee.timeline import due_at
from qianheng.guarantee.verdict import answer
from qianheng.measures.days import date_of, day_numbers
from qianheng.measures.query import touched
from qianheng.store import closes, plans, runs
from qianheng.store.closes import DayClose, Given, OpenUnit
from qianheng.store.database import reading
from qianheng.store.lake import Lake


@dataclass(frozen=True, slots=True)
class Closed:
    """What closing days came to: the days, units judged for the first time, verdicts corrected, credit promised beyond
    what was promised before, and credit paid; micro-yuan.
    """

    days: int = 0
    judged: int = 0
    corrected: int = 0
    promised: Micros = 0
    paid: Micros = 0

    def __add__(self, other: Closed) -> Closed:
        return Closed(*(getattr(self, name) + getattr(other, name) for name in Closed.__dataclass_fields__))


def close_day(connection: Connection, lake: Lake, day: date, now: datetime) -> Closed:
    """Close a day, and before it every day that is still open, in order; nothing for one that is closed already.

    Days are natural days in the zone of `now`, which is when this is done; facts received before it are known. A day
    that is not over then, or a time before the last close: Refused.
    """
    closes.take_turn(connection)
    last = closes.last(connection)
    if last is not None and day <= last.day:
        return Closed()
    if day >= now.date():
        raise Refused("close.not_over", value=day, now=now.isoformat())
    if last is not None and now < last.at:
        raise Refused("close.in_the_past", now=now.isoformat(), last=last.at.astimezone(now.tzinfo).isoformat())
    closed = sum((_close(connection, lake, one, now) for one in _open_days(last, day)), Closed())
    keep_forecast(connection, lake, now)  # what may be owed depends on the time, not on how many days are closed at it
    return closed


def close_until(desk: Desk, until: date | None = None) -> Iterator[tuple[date, Closed]]:
    """Close the days of a kept run that are still open, up to one (default: the day before the desk's now), each in a
    transaction of its own: what each came to. Nothing for days that are closed already, by whomever.

    A day that the run has still to live: Refused. No room or no connection: BadInput; that day is as it was before.
    """
    until = until or desk.now.date() - timedelta(days=1)
    demand(desk.actor, Act.CLOSE_DAY)
    try:
        with reading(desk.database) as connection:
            _check_lived(connection, until)
            days = _open_days(closes.last(connection), until)
        for day in days:
            with desk.database.begin() as connection:
                closed = close_day(connection, desk.lake, day, desk.now)
                if closed.days:
                    desk.enter(connection, Act.CLOSE_DAY, f"day {day}", asdict(closed))
            yield day, closed
    except (OSError, OperationalError) as error:
        place, why = desk.database.url.database, getattr(error, "orig", error)
        raise BadInput("close.cannot_write", place=str(place), why=str(why).strip()) from error


def _check_lived(connection: Connection, until: date) -> None:
    for run_id in runs.begun(connection):
        progress = runs.progress(connection, run_id)
        if progress and not progress.finished and until >= progress.next_day:
            raise Refused("close.not_lived", value=until, next=progress.next_day)


def _open_days(last: DayClose | None, until: date) -> list[date]:
    """The days after the last that was closed, up to one; that one alone where none was."""
    first = until if last is None else last.day + timedelta(days=1)
    return [first + timedelta(days=later) for later in range((until - first).days + 1)]


def unpaid(connection: Connection) -> bool:
    """Whether something is promised to somebody and not paid yet."""
    return bool(compensation.unsettled(connection))


def _close(connection: Connection, lake: Lake, day: date, now: datetime) -> Closed:
    invalid_traffic.invalidate(connection, lake, day, now)
    last, through = closes.last(connection), lake.through(connection)
    due = _due(connection, lake, last, now)
    closed = _settle_units(connection, lake, due, now)
    closed += Closed(days=1, paid=compensation.pay(connection, now))
    invalid_traffic.give_back(connection, lake, day, now)
    claims.pay(connection, now)
    upkeep.keep(connection, lake, now)
    proceeds.settle(connection, lake, day, now)
    wrap_ups.tell_over(connection, lake, now)
    closes.enter(connection, DayClose(day, now, through))
    return closed


def _settle_units(connection: Connection, lake: Lake, units: Sequence[OpenUnit], now: datetime) -> Closed:
    """Judge and settle plans' days, then boosts. Of those beside claims one takes room from another: what falls is
    settled before the rest, and they one by one.
    """
    plan_days = {(unit.subject, unit.day) for unit in units if unit.type == PLAN_DAY}
    boost_ids = {unit.subject for unit in units if unit.type == boost_units.BOOST_UNIT}
    boosts = list(boost_units.judge_boosts(connection, lake, boost_ids, now))
    beside = [one for one in boosts if one.given_back]
    falling = [one for one in beside if one.verdict.compensation < one.paid + one.promised]
    closed = _settle(connection, falling, now)
    closed += _settle(connection, judge_units(connection, lake, plan_days, now), now)
    closed += _settle(connection, [one for one in boosts if not one.given_back], now)
    for one in boost_units.judge_boosts(connection, lake, [one.boost_id for one in beside if one.boost_id], now):
        closed += _settle(connection, [one], now)
    return closed


def _due(connection: Connection, lake: Lake, last: DayClose | None, now: datetime) -> list[OpenUnit]:
    """The units to be judged: those whose window has closed since the last close, and of those whose window is
    closed the ones that facts have come in of.
    """
    news = _touched(connection, lake, last, now)
    closes.open_units(connection, news)
    after, until = microseconds(last.at) if last else -1, microseconds(now)
    units = (*news, *closes.falling_due(connection, after, until))
    return [unit for unit in units if unit.due_at <= until]


def _touched(connection: Connection, lake: Lake, last: DayClose | None, now: datetime) -> list[OpenUnit]:
    """The units that facts have come in of since the last close, by what was received and by what was stored since:
    a fact may be stored late, and one received after the last close's time may have been stored before it.
    """
    asked = [(touched(microseconds(last.at)), 0), (touched(0), last.facts_through)] if last else [(touched(0), 0)]
    answers = [lake.query(connection, query, as_of=now, after=after) for query, after in asked]
    plan_ids, quarters = (np.concatenate([one[name].to_numpy() for one in answers]) for name in ("plan_id", "quarter"))
    kept, units, by_plan = policies(), list[OpenUnit](), dict[int, list[int]]()
    for stored in plans.load_all(connection):
        plan = stored.plan
        by_plan[plan.id] = quarters[plan_ids == plan.id].tolist()
        for number in np.unique(day_numbers(quarters[plan_ids == plan.id], plan.timezone)).tolist():
            day = date_of(number)
            judged_at = due_at(kept.in_force(plan.policy, day), unit_of(plan, day))
            units.append(OpenUnit(unit_id(plan.id, day), PLAN_DAY, plan.id, day, judged_at))
    return units + boost_units.opened(connection, lake, by_plan, now)


def _settle(connection: Connection, judged: Sequence[Judged], now: datetime) -> Closed:
    """Keep each verdict that says something new, and promise what it is due; beside claims also where it says what it
    said before, as what other units are due makes room for it or takes it away.
    """
    said = closes.given(connection, [one.unit_id for one in judged])
    total = Closed()
    for one in judged:
        before = said.get(one.unit_id, [])
        told = answer(one.verdict, one.plan.timezone)
        said_again = bool(before) and before[-1].answer == told
        if said_again and one.given_back is None:
            continue
        given = _said_again(before[-1], now) if said_again else _given(one, before, told, now)
        if not said_again:
            closes.give(connection, [given])
        moved = compensation.promise(connection, one, now)
        compensation.tell(connection, given, before, one, moved)
        if not before:
            reminders.remind(connection, given, one)
        total += Closed(judged=not before, corrected=bool(before) and not said_again, promised=moved.amount)
    return total


def _said_again(given: Given, now: datetime) -> Given:
    """A verdict that is not given anew, for what is told now of the money it moves."""
    return replace(given, id=stable_id("said_again", given.id, microseconds(now)), given_at=microseconds(now))


def _given(one: Judged, before: Sequence[Given], told: Mapping[str, object], now: datetime) -> Given:
    unit = one.unit_id
    return Given(
        id=stable_id("verdict", unit, len(before)),
        unit_id=unit,
        given_at=microseconds(now),
        policy=one.policy.name,
        policy_version=one.policy.version,
        status=one.verdict.status,
        reason=one.verdict.reason,
        compensation=one.verdict.compensation,
        answer=told,
        corrects=before[-1].id if before else None,
    )
