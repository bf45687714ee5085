"""What the ledger tells when it is read: statements, what is pending, and where spent money came from (SPEC 5.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import SHANGHAI, microseconds
from qianheng.core.money import Micros
from qianheng.ledger.credits import Use
from qianheng.ledger.months import Holding
from qianheng.ledger.sources import Sources, sources
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.store import grants, ledger
from qianheng.store.ledger import TRANSFER, TRANSFER_COLUMNS, transfer_of

LINES_AT_ONCE = 1_000
OURS = (AccountKind.CASH, AccountKind.CREDIT)


class Line(NamedTuple):
    """A line of an ad account's statement: what a posted transfer brought to its cash or credit (taken: below zero),
    what it holds since, and of which grants the credit was. `sequence` is the place in the order of recording.
    """

    sequence: int
    transfer: Transfer
    account: AccountKind
    change: Micros
    holding: Holding
    grants: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines of a statement are shown: all, or those of an account, a time, a reason, of what they are about."""

    account: AccountKind | None = None
    since: datetime | None = None
    until: datetime | None = None
    reason: str | None = None
    references: frozenset[int] | None = None

    def __call__(self, line: Line) -> bool:
        """Whether a line is wanted."""
        transfer = line.transfer
        return (
            self.account in (None, line.account)
            and (self.since is None or transfer.at >= self.since)
            and (self.until is None or transfer.at < self.until)
            and self.reason in (None, transfer.reason)
            and (self.references is None or transfer.reference in self.references)
        )


def statement(
    connection: Connection, ad_account_id: int, wanted: Callable[[Line], bool] = Wanted(), after: int = 0
) -> Iterator[Line]:
    """The statement (资金明细) of an ad account in the order of recording, from the line after sequence `after` on.

    What it holds is told at every line over cash and credit, whatever lines are left out. Memory stays the same however
    many lines there are.
    """
    lines = filter(wanted, _lines(connection, ad_account_id, after))
    while some := list(islice(lines, LINES_AT_ONCE)):
        uses = grants.uses_of(connection, [one.transfer.id for one in some if one.account is AccountKind.CREDIT])
        yield from (one._replace(grants=uses.get(one.transfer.id, ())) for one in some)


def held_after(connection: Connection, ad_account_id: int, after: int) -> Holding:
    """What an ad account held once the transfer of that sequence was recorded."""
    return Holding(*(_sum(connection, account(kind, ad_account_id).id, TRANSFER.c.sequence <= after) for kind in OURS))


def held_at(connection: Connection, ad_account_id: int, at: datetime) -> Holding:
    """What an ad account held at a time, by what was posted and is dated no later."""
    dated = TRANSFER.c.at <= microseconds(at)
    return Holding(*(_sum(connection, account(kind, ad_account_id).id, dated) for kind in OURS))


def pending(connection: Connection, ad_account_id: int) -> list[Transfer]:
    """What is promised and neither posted nor voided: holds of its money, and what others promised it; by account."""
    ids = [account(kind, ad_account_id).id for kind in OURS]
    return [transfer for account_id in ids for transfer in ledger.unsettled(connection, account_id)]


def spent_by_day(
    connection: Connection, ad_account_id: int, since: datetime, day_of: Callable[[datetime], date]
) -> list[tuple[date, Micros]]:
    """What an ad account paid for delivery since a time, newest first, by the day it is dated in."""
    ids, revenue = [account(kind, ad_account_id).id for kind in OURS], account(AccountKind.REVENUE).id
    ours = sa.and_(TRANSFER.c.debit.in_(ids), TRANSFER.c.credit == revenue, TRANSFER.c.state == State.POSTED.value)
    query = sa.select(*TRANSFER_COLUMNS).where(ours, TRANSFER.c.at >= microseconds(since))
    transfers = (transfer_of(row) for row in connection.execute(query.order_by(TRANSFER.c.sequence.desc())))
    return [(day_of(transfer.at), transfer.amount) for transfer in transfers]


def payer_of(connection: Connection, reference: int) -> int | None:
    """The ad account that a plan, a standard campaign or a boost (`reference`) spends of; `None` if of none so far."""
    accounts, transfers = ledger.ACCOUNT, ledger.TRANSFER
    query = sa.select(accounts.c.owner).join(transfers, transfers.c.debit == accounts.c.id)
    query = query.where(transfers.c.reference == reference, accounts.c.kind.in_(["cash", "credit"]))
    owner = connection.scalar(query.limit(1))
    return None if owner is None else int(owner)


def sources_of(
    connection: Connection, ad_account_id: int, reference: int, timezone: str = SHANGHAI
) -> dict[date, Sources]:
    """Of what an ad account spent on a plan or boost (`reference`), how much came from cash and how much from which
    grants of credit, by day. `grants.grants_of` tells when each of those expires.
    """
    transfers = ledger.transfers_about(connection, reference)
    uses = grants.uses_of(connection, [transfer.id for transfer in transfers])
    return sources(transfers, uses, ad_account_id, timezone)


def _lines(connection: Connection, ad_account_id: int, after: int) -> Iterator[Line]:
    kind_of = {account(kind, ad_account_id).id: kind for kind in OURS}
    holding = held_after(connection, ad_account_id, after)
    for row in _rows(connection, kind_of, after):
        kind, change = kind_of[row.account], row.change
        holding = holding.plus(Holding(change, 0) if kind is AccountKind.CASH else Holding(0, change))
        yield Line(row.sequence, transfer_of(row[: len(TRANSFER_COLUMNS)]), kind, change, holding)


def _rows(connection: Connection, account_ids: Iterable[int], after: int) -> Iterable[Any]:
    """The posted transfers of some accounts as they were recorded; each branch of the union comes in order already."""
    sides = [
        (side, sa.select(*TRANSFER_COLUMNS, TRANSFER.c.sequence, side.label("account"), change.label("change")))
        for side, change in ((TRANSFER.c.debit, -TRANSFER.c.amount), (TRANSFER.c.credit, TRANSFER.c.amount))
    ]
    later = sa.and_(TRANSFER.c.state == State.POSTED.value, TRANSFER.c.sequence > after)
    branches = (rows.where(side == account_id, later) for account_id in account_ids for side, rows in sides)
    query = sa.union_all(*branches).order_by("sequence")
    return connection.execute(query, execution_options={"yield_per": LINES_AT_ONCE})


def _sum(connection: Connection, account_id: int, until: sa.ColumnElement[bool]) -> Micros:
    """What the posted transfers that fulfil a condition brought an account."""
    moved = 0
    for side, sign in ((TRANSFER.c.debit, -1), (TRANSFER.c.credit, 1)):
        posted = sa.and_(side == account_id, TRANSFER.c.state == State.POSTED.value, until)
        moved += sign * int(connection.scalar(sa.select(sa.func.sum(TRANSFER.c.amount)).where(posted)) or 0)
    return moved
