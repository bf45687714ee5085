"""Money that goes back to where it came from: what a plan's day has left to be given back, and the transfers."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from qianheng.actions.judging import promised, unit_id
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.guarantee.overlap import SpentDay
from qianheng.ledger.sources import Sources
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.store import claims, ledger
from qianheng.store.grants import grants_of
from qianheng.store.lake import Lake
from qianheng.store.statement import payer_of, sources_of

INVALID = "invalid_traffic"  # why transfers give back what was charged for it


class Return(NamedTuple):
    """Money that goes back: how much of which day's spend, why, and what the transfers refer to."""

    of: SpentDay
    amount: Micros
    reason: str
    reference: int


def spent_day(connection: Connection, lake: Lake, plan_id: int, day: date, timezone: str) -> SpentDay | None:
    """What a plan, or a standard campaign, spent in a day, its boosts included, and what was given back of it; `None`
    if it never spent anything.
    """
    payer = payer_of(connection, plan_id)
    if payer is None:
        return None
    boosts = lake.query(connection, f"SELECT DISTINCT f.boost_id FROM boosts AS f WHERE f.plan_id = {plan_id}")
    spenders = (plan_id, *boosts["boost_id"].to_numpy().tolist())
    by_day = (sources_of(connection, payer, spender, timezone) for spender in spenders)
    sources = sum((found.get(day, Sources()) for found in by_day), Sources())
    compensated = promised(connection, unit_id(plan_id, day))
    claimed = claims.claimed(connection, day, day).get((plan_id, day), ())
    return SpentDay(plan_id, day, payer, sources, compensated, claimed, invalid_returned(connection, plan_id, day))


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
    transfers = ledger.transfers_about(connection, invalid_id(plan_id, day))
    return sum(transfer.amount for transfer in transfers if transfer.state is State.POSTED)
