"""The end of a day: units whose window has closed are judged, what they are due is promised and paid (SPEC 5.4, 5.5).

Everything of a day's close is one transaction, and every id in it is a function of what it is for: killed anywhere,
done by several at once or done again, it comes to the same. No look-back decides what is judged, but two questions to
what is kept: whose window has closed since the last close, and of what facts have come in since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from qianheng.actions import compensation, invalid_traffic, upkeep
from qianheng.actions.judging import Judged, judge_days, unit_id
from qianheng.actions.policies import policies
from qianheng.core.days import microseconds
from qianheng.core.errors import Refused
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.guarantee.history import unit_of
from qianheng.guarantee.timeline import due_at
from qianheng.guarantee.verdict import answer
from qianheng.measures.days import Days, date_of, day_numbers
from qianheng.measures.query import touched
from qianheng.store import closes, plans
from qianheng.store.closes import DayClose, Given, OpenUnit
from qianheng.store.lake import Lake

PLAN_DAY = "plan_day"


@dataclass(frozen=True, slots=True)
class Closed:
    """What closing days came to: units judged for the first time, verdicts corrected, credit promised beyond what was
    promised before, and credit paid; micro-yuan.
    """

    judged: int = 0
    corrected: int = 0
    promised: Micros = 0
    paid: Micros = 0

    def __add__(self, other: Closed) -> Closed:
        return Closed(
            self.judged + other.judged,
            self.corrected + other.corrected,
            self.promised + other.promised,
            self.paid + other.paid,
        )


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
    first = day if last is None else last.day + timedelta(days=1)
    days = (first + timedelta(days=later) for later in range((day - first).days + 1))
    return sum((_close(connection, lake, one, now) for one in days), Closed())


def days_to_close(connection: Connection, until: date) -> list[date]:
    """The days still open, up to one; that one alone when none was ever closed."""
    last = closes.last(connection)
    first = until if last is None else last.day + timedelta(days=1)
    return [first + timedelta(days=later) for later in range((until - first).days + 1)]


def unpaid(connection: Connection) -> bool:
    """Whether something is promised to somebody and not paid yet."""
    return bool(compensation.unsettled(connection))


def _close(connection: Connection, lake: Lake, day: date, now: datetime) -> Closed:
    invalid_traffic.invalidate(connection, lake, day, now)
    last, through = closes.last(connection), lake.through(connection)
    news = _touched(connection, lake, last, now)
    closes.open_units(connection, news)
    after, until = microseconds(last.at) if last else -1, microseconds(now)
    due = {unit.id: unit for unit in (*news, *closes.falling_due(connection, after, until)) if unit.due_at <= until}
    closed = _settle(connection, _judged(connection, lake, due.values(), now), now)
    closed += Closed(paid=compensation.pay(connection, now))
    invalid_traffic.give_back(connection, lake, day, now)
    upkeep.keep(connection, lake, now)
    closes.enter(connection, DayClose(day, now, through))
    return closed


def _touched(connection: Connection, lake: Lake, last: DayClose | None, now: datetime) -> list[OpenUnit]:
    """The units that facts have come in of since the last close, by what was received and by what was stored since:
    a fact may be stored late, and one received after the last close's time may have been stored before it.
    """
    asked = [(touched(microseconds(last.at)), 0), (touched(0), last.facts_through)] if last else [(touched(0), 0)]
    answers = [lake.query(connection, query, as_of=now, after=after) for query, after in asked]
    plan_ids, quarters = (np.concatenate([one[name].to_numpy() for one in answers]) for name in ("plan_id", "quarter"))
    kept, units = policies(), []
    for stored in plans.load_all(connection):
        plan = stored.plan
        for number in np.unique(day_numbers(quarters[plan_ids == plan.id], plan.timezone)).tolist():
            day = date_of(number)
            judged_at = due_at(kept.in_force(plan.policy, day), unit_of(plan, day))
            units.append(OpenUnit(unit_id(plan.id, day), PLAN_DAY, plan.id, day, judged_at))
    return units


def _judged(connection: Connection, lake: Lake, due: Iterable[OpenUnit], now: datetime) -> Iterator[Judged]:
    """The verdicts on these units, on what is known now, in the order of days and plans."""
    wanted = {(unit.subject, unit.day) for unit in due}
    zones = {kept.plan.id: kept.plan.timezone for kept in plans.load_all(connection)}
    judged = []
    for timezone in sorted({zones[plan_id] for plan_id, _ in wanted}):
        for days in _stretches(sorted({day for plan_id, day in wanted if zones[plan_id] == timezone}), timezone):
            judged += [one for one in judge_days(connection, lake, days, now) if (one.plan_id, one.day) in wanted]
    yield from sorted(judged, key=lambda one: (one.day, one.plan_id))


def _stretches(days: Sequence[date], timezone: str) -> Iterator[Days]:
    """Ascending days as stretches without a gap."""
    first = 0
    for place, day in enumerate(days):
        if place + 1 == len(days) or days[place + 1] - day > timedelta(days=1):
            yield Days(days[first], day, timezone)
            first = place + 1


def _settle(connection: Connection, judged: Iterable[Judged], now: datetime) -> Closed:
    """Keep each verdict that says something new, and promise what it is due."""
    units = list(judged)
    said = closes.given(connection, [unit_id(one.plan_id, one.day) for one in units])
    total = Closed()
    for one in units:
        before = said.get(unit_id(one.plan_id, one.day), [])
        told = answer(one.verdict, one.plan.timezone)
        if before and before[-1].answer == told:
            continue
        given = _given(one, before, told, now)
        closes.give(connection, [given])
        promised = compensation.promise(connection, one, now)
        compensation.tell(connection, given, before, one, promised)
        total += Closed(judged=not before, corrected=len(before) > 0, promised=promised)
    return total


def _given(one: Judged, before: Sequence[Given], told: Mapping[str, object], now: datetime) -> Given:
    unit = unit_id(one.plan_id, one.day)
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
