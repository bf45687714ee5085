"""The ledger kept in SQL: transfers are appended and balances moved in one transaction, under the rules of the book."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import microseconds, moment
from qianheng.core.errors import NotFound, Refused
from qianheng.core.money import Micros
from qianheng.ledger import book, spending
from qianheng.ledger.book import Balance, Book, StatementLine
from qianheng.ledger.credits import lapsing
from qianheng.ledger.spending import Payment
from qianheng.ledger.transfers import Account, AccountKind, State, Transfer, account, posting, voiding
from qianheng.store import grants
from qianheng.store.database import Sequence as RowNumber
from qianheng.store.database import chunks, insert_unless_there, metadata

ACCOUNT = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("owner", sa.BigInteger, nullable=False),
    sa.Column("may_be_negative", sa.Boolean, nullable=False),
    sa.Column("posted", sa.BigInteger, nullable=False),
    sa.Column("reserved", sa.BigInteger, nullable=False),
    sa.Column("incoming", sa.BigInteger, nullable=False),
    sa.Column("moved_to", sa.BigInteger, nullable=False, server_default="0"),  # the sequence its balance has come to
    sa.Column("closed_until", sa.BigInteger),  # the first instant after its closed months
    sa.Index("account_of_owner", "owner", "kind", unique=True),
)
TRANSFER = sa.Table(
    "transfer",
    metadata,
    sa.Column("sequence", RowNumber, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("debit", sa.BigInteger, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("credit", sa.BigInteger, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("pending_id", sa.BigInteger, unique=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("reference", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("happened_at", sa.BigInteger),
    sa.Index("transfer_of_debit", "debit", "sequence"),
    sa.Index("transfer_of_credit", "credit", "sequence"),
    sa.Index("transfer_of_reference", "reference"),
)
TRANSFER_COLUMNS = [TRANSFER.c[name] for name in Transfer.__dataclass_fields__]
_ROWS_AT_ONCE = 1_000


class Funds(NamedTuple):
    """What an ad account has, micro-yuan: cash and credit to spend, and what of both is frozen by holds."""

    cash: Micros
    credit: Micros
    frozen: Micros


def open_accounts(connection: Connection, accounts: Iterable[Account]) -> None:
    """Open accounts that are not open yet, each with nothing in it."""
    known = set(connection.scalars(sa.select(ACCOUNT.c.id)))
    rows = [_account_row(account) for account in accounts if account.id not in known]
    if rows:
        connection.execute(insert_unless_there(connection, ACCOUNT), rows)


def record(connection: Connection, transfers: Sequence[Transfer]) -> list[Transfer]:
    """Append transfers and move balances: all of them or, on an error, none. Returns those that were new.

    The rules are those of `ledger.book.record`, with the same errors. They are checked under a lock on the accounts
    touched, so they hold among writers at the same time.
    """
    _lock(connection, _touched(transfers))
    before = _load(connection, transfers)
    after, new = book.record(before, transfers)
    if new:
        connection.execute(sa.insert(TRANSFER), [row_of(transfer) for transfer in new])
        _save(connection, before, after, _touched(new))
    return new


def hold(connection: Connection, payment: Payment) -> tuple[Transfer, ...]:
    """Freeze money for a payment, credit before cash; again with the same content: the same hold.

    Not enough of both, or the same id with another amount: Refused.
    """
    return _pay(connection, payment, State.PENDING)


def held(connection: Connection, payment_id: int) -> Micros:
    """What was frozen for a payment, whether it has been captured since or not; 0 if nothing ever was."""
    return sum(part.amount for part in _parts(connection, payment_id))


def spend(connection: Connection, payment: Payment) -> tuple[Transfer, ...]:
    """Pay at once, credit before cash, under the rules of `hold`."""
    return _pay(connection, payment, State.POSTED)


def capture(connection: Connection, payment_id: int, amount: Micros, at: datetime) -> list[Transfer]:
    """Take `amount` of a hold and release the rest; 0 releases all. Again with the same content: nothing new.

    More than is held, or settled otherwise before: Refused. No such hold: NotFound.
    """
    held = _parts(connection, payment_id)
    if not held:
        raise NotFound("ledger.no_hold", hold=payment_id)
    return record(connection, spending.capture(held, amount, at))


def post(connection: Connection, pending_id: int, at: datetime, expires_at: datetime | None = None) -> list[Transfer]:
    """Move what a pending transfer promised, once: empty if that was done before. Voided before: Refused.

    expires_at: when credit that it brings lapses; a year later if not said.
    """
    return _settle(connection, posting(_pending(connection, pending_id), at, expires_at=expires_at))


def void(connection: Connection, pending_id: int, at: datetime) -> list[Transfer]:
    """Take back what a pending transfer promised, once: empty if that was done before. Posted before: Refused."""
    return _settle(connection, voiding(_pending(connection, pending_id), at))


def balance(connection: Connection, account_id: int) -> Balance:
    """The balance of an account. No such account: NotFound."""
    row = connection.execute(
        sa.select(ACCOUNT.c.posted, ACCOUNT.c.reserved, ACCOUNT.c.incoming).where(ACCOUNT.c.id == account_id)
    ).first()
    if row is None:
        raise NotFound("ledger.no_account", account=account_id)
    return Balance(*row)


def funds(connection: Connection, ad_account_id: int) -> Funds:
    """What an ad account has of cash and credit, and what is frozen. Not open: NotFound."""
    cash = balance(connection, account(AccountKind.CASH, ad_account_id).id)
    credit = balance(connection, account(AccountKind.CREDIT, ad_account_id).id)
    return Funds(cash.available, credit.available, cash.reserved + credit.reserved)


def statement(connection: Connection, account_id: int) -> list[StatementLine]:
    """The statement (资金明细) of an account: its posted transfers in the order of recording, with running balance."""
    return list(book.statement(_of_account(connection, account_id), account_id))


def transfers_about_each(connection: Connection, references: Iterable[int]) -> dict[int, list[Transfer]]:
    """The transfers with each of these references, in the order of recording; one without any is left out."""
    found: dict[int, list[Transfer]] = {}
    for ids in chunks(references):
        query = sa.select(*TRANSFER_COLUMNS).where(TRANSFER.c.reference.in_(ids)).order_by(TRANSFER.c.sequence)
        for row in connection.execute(query):
            found.setdefault(row.reference, []).append(transfer_of(row))
    return found


def transfer(connection: Connection, transfer_id: int) -> Transfer:
    """One transfer. No such transfer: NotFound."""
    return _pending(connection, transfer_id)


def transfer_at(connection: Connection, line: int) -> Transfer | None:
    """The transfer recorded in that place, which is its line in a statement; `None` if there is none."""
    return next(iter(_find(connection, TRANSFER.c.sequence, [line])), None)


def transfers_about(connection: Connection, reference: int) -> list[Transfer]:
    """The transfers with that `reference`, in the order of recording."""
    query = sa.select(*TRANSFER_COLUMNS).where(TRANSFER.c.reference == reference).order_by(TRANSFER.c.sequence)
    return [transfer_of(row) for row in connection.execute(query)]


def named(connection: Connection, transfer_ids: Iterable[int]) -> dict[int, Transfer]:
    """The transfers of these ids; one that is not there is left out."""
    return {transfer.id: transfer for transfer in _find(connection, TRANSFER.c.id, transfer_ids)}


def unsettled(connection: Connection, account_id: int, reasons: Collection[str] | None = None) -> list[Transfer]:
    """The pending transfers of an account (for one of those reasons) that nothing has settled, as recorded."""
    settling = sa.alias(TRANSFER)
    query = sa.select(*TRANSFER_COLUMNS).where((TRANSFER.c.debit == account_id) | (TRANSFER.c.credit == account_id))
    query = query.where(TRANSFER.c.state == State.PENDING.value).order_by(TRANSFER.c.sequence)
    if reasons is not None:
        query = query.where(TRANSFER.c.reason.in_(reasons))
    query = query.where(~sa.exists().where(settling.c.pending_id == TRANSFER.c.id))
    return [transfer_of(row) for row in connection.execute(query)]


def lapse_credit(connection: Connection, ad_account_id: int, now: datetime) -> list[Transfer]:
    """End the grants of credit that have expired and are not spent (SPEC 5.9); what was recorded, if any was due."""
    lock_ad_account(connection, ad_account_id)
    return record(connection, lapsing(grants.grants_of(connection, ad_account_id), now))


def accounts(connection: Connection) -> dict[int, Account]:
    """Every account."""
    return {row.id: _account(row) for row in connection.execute(sa.select(ACCOUNT).order_by(ACCOUNT.c.id))}


def balances(connection: Connection) -> dict[int, Balance]:
    """The balance of every account."""
    return {row.id: _balance(row) for row in connection.execute(sa.select(ACCOUNT).order_by(ACCOUNT.c.id))}


def all_transfers(connection: Connection) -> Iterator[Transfer]:
    """Every transfer in the order of recording, a few at a time."""
    query = sa.select(*TRANSFER_COLUMNS).order_by(TRANSFER.c.sequence)
    return map(transfer_of, connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}))


def balanced(connection: Connection) -> bool:
    """Whether all balances add up to zero and each is what its transfers add up to."""
    kept, folded = balances(connection), book.balances(all_transfers(connection))
    zero = sum(found.posted for found in kept.values()) == 0
    return zero and all(found == folded.get(account_id, Balance()) for account_id, found in kept.items())


def _pay(connection: Connection, payment: Payment, state: State) -> tuple[Transfer, ...]:
    lock_ad_account(connection, payment.ad_account_id)
    if known := _parts(connection, payment.id):
        if sum(part.amount for part in known) != payment.amount or known[0].state is not state:
            raise Refused("ledger.other_content", place=f"{payment.reason} {payment.id}")
        return known
    transfers = spending.pay(payment, _available(connection, payment.ad_account_id), state)
    record(connection, transfers)
    return transfers


def _settle(connection: Connection, settling: Transfer) -> list[Transfer]:
    """Record a settling transfer; when the same settlement was made at another time, that one stands."""
    _lock(connection, {settling.debit, settling.credit})
    before = _find(connection, TRANSFER.c.id, [settling.id])
    if before and (before[0].state, before[0].amount) == (settling.state, settling.amount):
        return []
    return record(connection, [settling])


def _pending(connection: Connection, transfer_id: int) -> Transfer:
    found = _find(connection, TRANSFER.c.id, [transfer_id])
    if not found:
        raise NotFound("ledger.no_transfer", transfer=transfer_id)
    return found[0]


def _parts(connection: Connection, payment_id: int) -> tuple[Transfer, ...]:
    """The transfers of a payment, from credit first."""
    ids = [spending.part_id(payment_id, kind) for kind in (AccountKind.CREDIT, AccountKind.CASH)]
    return tuple(sorted(_find(connection, TRANSFER.c.id, ids), key=lambda part: ids.index(part.id)))


def _available(connection: Connection, ad_account_id: int) -> tuple[Micros, Micros]:
    found = funds(connection, ad_account_id)
    return found.credit, found.cash


def lock_ad_account(connection: Connection, ad_account_id: int) -> None:
    """Lock what a payment touches, all of it at once and in order, so that two payments never wait for each other."""
    kinds = (AccountKind.CASH, AccountKind.CREDIT)
    _lock(connection, {account(kind, ad_account_id).id for kind in kinds} | {account(AccountKind.REVENUE).id})


def _lock(connection: Connection, account_ids: Iterable[int]) -> None:
    """Lock accounts in the order of their ids. SQLite has one writer at a time and needs no lock."""
    if connection.dialect.name == "postgresql":
        for ids in chunks(sorted(account_ids)):
            locked = sa.select(ACCOUNT.c.id).where(ACCOUNT.c.id.in_(ids)).order_by(ACCOUNT.c.id).with_for_update()
            connection.execute(locked).all()


def _load(connection: Connection, transfers: Sequence[Transfer]) -> Book:
    """What must be known to judge these transfers."""
    queries = (sa.select(ACCOUNT).where(ACCOUNT.c.id.in_(ids)) for ids in chunks(_touched(transfers)))
    rows = [row for query in queries for row in connection.execute(query)]
    promises = {transfer.pending_id for transfer in transfers if transfer.pending_id is not None}
    known = _find(connection, TRANSFER.c.id, {transfer.id for transfer in transfers} | promises)
    settling = _find(connection, TRANSFER.c.pending_id, promises)
    return Book(
        {row.id: _account(row) for row in rows},
        {row.id: _balance(row) for row in rows},
        {transfer.id: transfer for transfer in known},
        {transfer.pending_id: transfer.id for transfer in settling if transfer.pending_id is not None},
        grants.load(connection, [row.id for row in rows if row.kind == AccountKind.CREDIT], promises),
        {row.id: moment(row.closed_until) for row in rows if row.closed_until is not None},
    )


def _save(connection: Connection, before: Book, after: Book, touched: Iterable[int]) -> None:
    """Move the balances of accounts touched to where their newest transfers bring them."""
    moved_to = connection.scalar(sa.select(sa.func.max(TRANSFER.c.sequence)))
    values: dict[str, Any] = {name: sa.bindparam(name) for name in (*Balance._fields, "moved_to")}
    update = sa.update(ACCOUNT).where(ACCOUNT.c.id == sa.bindparam("account_id")).values(values)
    rows = [{"account_id": key, "moved_to": moved_to, **after.balances[key]._asdict()} for key in sorted(touched)]
    connection.execute(update, rows)
    grants.save(connection, before.credits, after.credits)


def _find(connection: Connection, column: sa.Column[Any], values: Iterable[int]) -> list[Transfer]:
    queries = (sa.select(*TRANSFER_COLUMNS).where(column.in_(ids)) for ids in chunks(values))
    return [transfer_of(row) for query in queries for row in connection.execute(query)]


def _of_account(connection: Connection, account_id: int) -> list[Transfer]:
    ours = (TRANSFER.c.debit == account_id) | (TRANSFER.c.credit == account_id)
    query = sa.select(*TRANSFER_COLUMNS).where(ours).order_by(TRANSFER.c.sequence)
    return [transfer_of(row) for row in connection.execute(query)]


def _touched(transfers: Iterable[Transfer]) -> set[int]:
    return {account_id for transfer in transfers for account_id in (transfer.debit, transfer.credit)}


def _account(row: Any) -> Account:
    return Account(row.id, AccountKind(row.kind), row.owner, row.may_be_negative)


def _balance(row: Any) -> Balance:
    return Balance(row.posted, row.reserved, row.incoming)


def _account_row(account: Account) -> dict[str, object]:
    empty = Balance()._asdict()
    return {"id": account.id, "kind": account.kind.value, "owner": account.owner, **empty} | {
        "may_be_negative": account.may_be_negative
    }


def row_of(transfer: Transfer) -> dict[str, object]:
    """A transfer as its row of `TRANSFER`."""
    return {
        "id": transfer.id,
        "debit": transfer.debit,
        "credit": transfer.credit,
        "amount": transfer.amount,
        "at": microseconds(transfer.at),
        "state": transfer.state.value,
        "pending_id": transfer.pending_id,
        "reason": transfer.reason,
        "reference": transfer.reference,
        "expires_at": transfer.expires_at and microseconds(transfer.expires_at),
        "happened_at": transfer.happened_at and microseconds(transfer.happened_at),
    }


def transfer_of(row: Any) -> Transfer:
    """The transfer of a row of `TRANSFER_COLUMNS`."""
    key, debit, credit, amount, at, state, pending_id, reason, reference, *dates = row
    expires_at, happened_at = (None if date is None else moment(date) for date in dates)
    told = (key, debit, credit, amount, moment(at), State(state), pending_id, reason, reference)
    return Transfer(*told, expires_at, happened_at)
