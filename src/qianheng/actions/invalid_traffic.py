"""Invalid traffic at the close of a day: charges judged by rules, and given back to where they came from (SPEC 5.8)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from qianheng.actions.giving_back import INVALID, Return, invalid_id, invalid_returned, spent_day, transfers_back
from qianheng.core.days import microseconds
from qianheng.core.errors import NotFound
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros, yuan
from qianheng.facts.batch import FactBatch
from qianheng.facts.invalid import invalid_facts, limits
from qianheng.facts.schema import Kind
from qianheng.measures.days import Days
from qianheng.measures.query import doubtful_charges, invalid_of, plan_day_invalid
from qianheng.store import ledger, notices, plans
from qianheng.store.lake import Lake
from qianheng.store.notices import Notice

REACH = timedelta(days=7)  # how long before an order its click may be: that long a charge may turn out invalid
REMEMBERED = timedelta(days=35)  # how long what could not be given back at once is tried again


def invalidate(connection: Connection, lake: Lake, day: date, now: datetime) -> None:
    """Judge the charges up to a day (in the zone of `now`), as known before `now`; those found invalid are facts then.

    A charge once found invalid stays so: doing it again adds nothing.
    """
    days = Days(day - REACH, day, str(now.tzinfo))
    doubtful = lake.query(connection, doubtful_charges(days), as_of=now)
    found = invalid_facts(doubtful, limits(), microseconds(now) - 1)  # known to the close that found them
    if found.num_rows:
        lake.add(connection, FactBatch({Kind.INVALID: found}))


def give_back(connection: Connection, lake: Lake, day: date, now: datetime) -> None:
    """Credit what was charged for invalid traffic up to a day and is not credited yet, to where it came from.

    Never more than is left of a day's spend beside compensation and claims: it is given back once. What is kept from
    a day so is credited when a correction has made room.
    """
    zone_of = {kept.plan.id: kept.plan.timezone for kept in plans.load_all(connection)}
    ours = str(now.tzinfo)  # that of standard campaigns, which are kept nowhere
    for timezone in sorted({ours, *zone_of.values()}):
        days = Days(day - REMEMBERED, day, timezone)
        for (plan_id, of_day), found in invalid_of(lake.query(connection, plan_day_invalid(days), as_of=now)).items():
            if zone_of.get(plan_id, ours) == timezone:
                _give_back(connection, lake, (plan_id, of_day, timezone), found.amount, now)


def _give_back(connection: Connection, lake: Lake, plan_day: tuple[int, date, str], due: Micros, now: datetime) -> None:
    plan_id, day, _ = plan_day
    open_ = due - invalid_returned(connection, plan_id, day)
    of = spent_day(connection, lake, *plan_day) if open_ else None
    if of is not None and (amount := min(open_, of.left)):
        back = Return(of, amount, INVALID, invalid_id(plan_id, day))
        ledger.record(connection, transfers_back(connection, back, now))
        _tell(connection, back, now)


def _tell(connection: Connection, back: Return, now: datetime) -> None:
    plan_id, day = back.of.plan_id, back.of.day
    values = {"plan": plan_id, "day": day.isoformat(), "amount": yuan(back.amount)}
    key = stable_id("notice", back.reference, back.of.returned)
    shop = _shop(connection, plan_id)
    notices.tell(connection, Notice(key, now, shop, "claims.notice.invalid", f"plan {plan_id}", values))


def _shop(connection: Connection, plan_id: int) -> int | None:
    """The shop of a plan; a standard campaign is kept nowhere, its notice is the platform's."""
    try:
        return plans.load(connection, plan_id).plan.shop_id
    except NotFound:
        return None
