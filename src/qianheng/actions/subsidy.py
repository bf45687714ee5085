"""The subsidy programme ("10 billion", SPEC 10.1): a budgeted account that pays the platform's part of coupons.

What may be given in a day is held before the day begins, like the budget of a plan, and let go at its close, in the
transaction that promises what really was given: so the programme is never overdrawn, whoever else asks it meanwhile.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from qianheng.core.ids import stable_id
from qianheng.core.money import micros
from qianheng.incentives.coupons import Wallet
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.simulator.incentives import Programme
from qianheng.store import ledger

FUNDING, LEASE = "subsidy_programme", "subsidy_lease"


def fund(connection: Connection, programme: Programme | None, at: datetime) -> None:
    """Put the programme's budget into its account, once."""
    if programme is None or not (budget := micros(str(programme.budget))):
        return
    clearing, coupons = account(AccountKind.CLEARING), account(AccountKind.COUPONS)
    key = stable_id(FUNDING, programme.name, at)
    ledger.record(connection, [Transfer(key, clearing.id, coupons.id, budget, at, reason=FUNDING)])


def lease(connection: Connection, wallet: Wallet, at: datetime) -> None:
    """Hold what coupons may ask of the programme in the day that begins at `at`, once for all, and let them give it."""
    key = stable_id(LEASE, at)
    known = [one for one in ledger.transfers_about(connection, key) if one.state is State.PENDING]
    if known:
        wallet.lease(known[0].amount)
        return
    coupons, clearing = account(AccountKind.COUPONS), account(AccountKind.CLEARING)
    wanted = wallet.wanted()
    most = min(wanted, ledger.balance(connection, coupons.id).available) if wanted else 0
    if most > 0:
        held = Transfer(key, coupons.id, clearing.id, most, at, State.PENDING, reason=LEASE, reference=key)
        ledger.record(connection, [held])
    wallet.lease(max(most, 0))


def release(connection: Connection, now: datetime) -> None:
    """Let go what is still held of days that are over: what they gave is promised in the same transaction."""
    for held in ledger.unsettled(connection, account(AccountKind.COUPONS).id, [LEASE]):
        if held.at < now:
            ledger.void(connection, held.id, now)
