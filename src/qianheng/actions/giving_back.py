"""Money that goes back to where it came from: what a plan's day has left to be given back, and the transfers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from qianheng.actions.boost_rows import claimed_of, compensated_of, spenders
from qianheng.actions.promises import promises_of, unit_id
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.guarantee.case import BoostUnit, Unit
from qianheng.guarantee.overlap import GivenBack, SpentDay
from qianheng.ledger.sources import Sources
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.measures.days import Days
from qianheng.measures.query import invalid_of, plan_day_invalid
from qianheng.store import claims, ledger
from qianheng.store.grants import grants_of
from qianheng.store.lake import Lake
from qianheng.store.statement import payer_of

INVALID = "invalid_traffic"  # why transfers give back what was charged for it


class Return(NamedTuple):
    """Money that goes back: how much of which day's spend, why, and what the transfers refer to."""

    of: SpentDay
    amount: Micros
    reason: str
    reference: int


def spent_day(connection: Connection, lake: Lake, plan_id: int, day: date, timezone: str) -> SpentDay | None:
    """The same of one day; `None` if the plan or campaign never spent anything."""
    return next(iter(spent_days(connection, lake, plan_id, Days(day, day, timezone))), None)


def spent_days(connection: Connection, lake: Lake, plan_id: int, days: Days, but: int | None = None) -> list[SpentDay]:
    """What a plan, or a standard campaign, spent in each of these days, its boosts included, and what was given back of
    it, but for what the boost `but` was compensated; none of them if it never spent anything.
    """
    payer = payer_of(connection, plan_id)
    if payer is None:
        return []
    spent = spenders(connection, lake, plan_id, days.timezone)
    made = promises_of(connection, [unit_id(plan_id, day) for day in days.each()])
    claimed = claims.claimed(connection, days.first, days.last)
    returned = _invalid_returned(connection, [invalid_id(plan_id, day) for day in days.each()])
    return [
        SpentDay(
            plan_id=plan_id,
            day=day,
            ad_account_id=payer,
            sources=sum((by_day.get(day, Sources()) for by_day in spent.values()), Sources()),
            compensated=sum(one.standing for one in made.get(unit_id(plan_id, day), ())),
            claimed=claimed.get((plan_id, day), ()),
            invalid=returned.get(invalid_id(plan_id, day), 0),
            boosted=compensated_of(connection, (plan_id, day), spent, but),
        )
        for day in days.each()
    ]


def given_back(connection: Connection, lake: Lake, unit: Unit, now: datetime) -> GivenBack | None:
    """What claims gave back of a plan's day or a boost, and what they and all else leave it; `None` without claims.

    What was found invalid before `now` has its place, credited already or not: whatever comes first leaves the same.
    """
    claimed = claimed_of(connection, lake, unit)
    if claimed is None:
        return None
    plan_id, days = int(unit.plan_id), Days(unit.day, unit.last_day, unit.timezone)
    boost_id = int(unit.boost_id) if isinstance(unit, BoostUnit) else None
    invalid = invalid_of(lake.query(connection, plan_day_invalid(days), as_of=now))
    room = 0
    for one in spent_days(connection, lake, plan_id, days, boost_id):
        found = invalid[plan_id, one.day].amount if (plan_id, one.day) in invalid else 0
        others = one.compensated if boost_id is not None else 0
        room += replace(one, compensated=others, invalid=max(found, one.invalid)).left
    return GivenBack(room, claimed)


def transfers_back(connection: Connection, back: Return, at: datetime) -> list[Transfer]:
    """The transfers of a return, to cash and to each grant of credit it came from, which keeps its expiry.

    The same return has the same ids.
    """
    of, before = back.of, back.of.returned
    parts = of.sources.next(before, back.amount)
    expiry = {grant.id: grant.expires_at for grant in grants_of(connection, of.ad_account_id)}
    cash = [(AccountKind.CASH, parts.cash, None)] if parts.cash else []
    credit = [(AccountKind.CREDIT, amount, expiry[grant]) for grant, amount in parts.grants]
    return [
        Transfer(
            id=stable_id("return", back.reason, back.reference, of.day, before, number),
            debit=account(AccountKind.REVENUE).id,
            credit=account(kind, of.ad_account_id).id,
            amount=amount,
            at=at,
            reason=back.reason,
            reference=back.reference,
            expires_at=expires_at,
        )
        for number, (kind, amount, expires_at) in enumerate([*cash, *credit])
    ]


def invalid_id(plan_id: int, day: date) -> int:
    """What the transfers that give back a plan's day's invalid traffic refer to."""
    return stable_id(INVALID, plan_id, day)


def invalid_returned(connection: Connection, plan_id: int, day: date) -> Micros:
    """What was given back for the invalid traffic of a plan's day."""
    reference = invalid_id(plan_id, day)
    return _invalid_returned(connection, [reference]).get(reference, 0)


def _invalid_returned(connection: Connection, references: Iterable[int]) -> dict[int, Micros]:
    about = ledger.transfers_about_each(connection, references)
    return {
        reference: sum(transfer.amount for transfer in transfers if transfer.state is State.POSTED)
        for reference, transfers in about.items()
    }
