"""The book: what transfers do to balances, and the rules that every transfer keeps (SPEC 5.9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from qianheng.core.errors import NotFound, Refused
from qianheng.core.money import Micros, yuan
from qianheng.ledger.credits import Credits
from qianheng.ledger.transfers import Account, AccountKind, State, Transfer


class Balance(NamedTuple):
    """An account's money: what it holds, what of that pending transfers reserve, and what pending ones will bring."""

    posted: Micros = 0
    reserved: Micros = 0
    incoming: Micros = 0

    @property
    def available(self) -> Micros:
        """What can be promised or spent now."""
        return self.posted - self.reserved


class StatementLine(NamedTuple):
    """One line of a statement (资金明细): a posted transfer, what it changed and the balance after it."""

    transfer: Transfer
    change: Micros
    balance: Micros


@dataclass(frozen=True, slots=True)
class Book:
    """What must be known to judge a transfer: the accounts and balances it touches, and the transfers known so far.

    `settled` maps a pending transfer's id to the id of what posted or voided it; `closed` an account's id to the first
    instant after its closed months.
    """

    accounts: dict[int, Account]
    balances: dict[int, Balance] = field(default_factory=dict)
    transfers: dict[int, Transfer] = field(default_factory=dict)
    settled: dict[int, int] = field(default_factory=dict)
    credits: Credits = field(default_factory=Credits)
    closed: dict[int, datetime] = field(default_factory=dict)

    def copy(self) -> Book:
        """The same book, to be written on."""
        transfers, settled = dict(self.transfers), dict(self.settled)
        return Book(self.accounts, dict(self.balances), transfers, settled, self.credits.copy(), self.closed)

    def open_promises(self) -> Book:
        """The book without the transfers that no later one can refer to."""
        pending = {id_: kept for id_, kept in self.transfers.items() if kept.state is State.PENDING}
        promised = {id_: kept for id_, kept in pending.items() if id_ not in self.settled}
        uses = {id_: kept for id_, kept in self.credits.uses.items() if id_ in promised}
        return Book(self.accounts, self.balances, promised, {}, Credits(self.credits.grants, uses), self.closed)


def record(book: Book, transfers: Iterable[Transfer]) -> tuple[Book, list[Transfer]]:
    """The book after these transfers, in order, and those of them that were new; all or none.

    The same transfer again changes nothing. The same id with another content, an account that would fall below zero
    and may not, a promise kept twice or overstepped, an amount not above zero: Refused. Unknown account: NotFound.
    What is dated in a month closed before is dated right after it, with a note of when it happened.
    """
    after = book.copy()
    entered = (_enter(after, transfer) for transfer in transfers)
    return after, [transfer for transfer in entered if transfer is not None]


def balances(transfers: Iterable[Transfer]) -> dict[int, Balance]:
    """The balance of every account, folded from transfers that kept the rules."""
    found: defaultdict[int, Balance] = defaultdict(Balance)
    promised: dict[int, Transfer] = {}
    for transfer in transfers:
        if transfer.state is State.PENDING:
            promised[transfer.id] = transfer
        pending = None if transfer.pending_id is None else promised[transfer.pending_id]
        _move(found, transfer, pending)
    return dict(found)


def statement(transfers: Iterable[Transfer], account_id: int) -> Iterator[StatementLine]:
    """The posted transfers of one account, in order, with its running balance."""
    balance = 0
    for transfer in transfers:
        if transfer.state is State.POSTED and account_id in (transfer.debit, transfer.credit):
            change = transfer.amount if transfer.credit == account_id else -transfer.amount
            balance += change
            yield StatementLine(transfer, change, balance)


def _enter(book: Book, told: Transfer) -> Transfer | None:
    known = book.transfers.get(told.id)
    if known is not None:
        if known.as_told != told.as_told:
            raise _refused("ledger.other_content", told)
        return None
    _check_shape(book, told)
    transfer = _after_closed_months(book, told)
    pending = _promise(book, transfer)
    _check_funds(book, transfer, pending)
    _move(book.balances, transfer, pending)
    _move_credit(book, transfer, pending)
    book.transfers[transfer.id] = transfer
    if pending is not None:
        book.settled[pending.id] = transfer.id
    return transfer


def _after_closed_months(book: Book, transfer: Transfer) -> Transfer:
    closed = [until for key in (transfer.debit, transfer.credit) if (until := book.closed.get(key)) is not None]
    until = max(closed, default=transfer.at)
    return transfer if until <= transfer.at else replace(transfer, at=until, happened_at=transfer.as_told.at)


def _move_credit(book: Book, transfer: Transfer, pending: Transfer | None) -> None:
    if book.accounts[transfer.debit].kind is AccountKind.CREDIT:
        book.credits.take(transfer, pending)
    if book.accounts[transfer.credit].kind is AccountKind.CREDIT and transfer.state is State.POSTED:
        book.credits.grant(transfer)


def _check_shape(book: Book, transfer: Transfer) -> None:
    for account_id in (transfer.debit, transfer.credit):
        if account_id not in book.accounts:
            raise NotFound("ledger.no_account", place=_place(transfer), account=account_id)
    if transfer.amount <= 0:
        raise _refused("ledger.not_positive", transfer, amount=yuan(transfer.amount))
    if transfer.debit == transfer.credit:
        raise _refused("ledger.same_account", transfer)


def _promise(book: Book, transfer: Transfer) -> Transfer | None:
    """The pending transfer that this one settles, if it settles any."""
    if transfer.pending_id is None:
        if transfer.state is State.VOIDED:
            raise _refused("ledger.voids_nothing", transfer)
        return None
    pending = book.transfers.get(transfer.pending_id)
    if pending is None or pending.state is not State.PENDING or transfer.state is State.PENDING:
        raise _refused("ledger.not_pending", transfer, pending=transfer.pending_id)
    if pending.id in book.settled:
        raise _refused("ledger.settled_before", transfer, pending=pending.id)
    if (transfer.debit, transfer.credit) != (pending.debit, pending.credit):
        raise _refused("ledger.other_accounts", transfer, pending=pending.id)
    if transfer.amount > pending.amount or (transfer.state is State.VOIDED and transfer.amount != pending.amount):
        raise _refused("ledger.other_amount", transfer, amount=yuan(transfer.amount), promised=yuan(pending.amount))
    return pending


def _check_funds(book: Book, transfer: Transfer, pending: Transfer | None) -> None:
    if pending is not None or book.accounts[transfer.debit].may_be_negative:
        return
    available = book.balances.get(transfer.debit, Balance()).available
    if transfer.amount > available:
        raise _refused("ledger.no_funds", transfer, amount=yuan(transfer.amount), available=yuan(available))


def _move(found: dict[int, Balance], transfer: Transfer, pending: Transfer | None) -> None:
    moved = transfer.amount if transfer.state is State.POSTED else 0
    promised = transfer.amount if transfer.state is State.PENDING else -pending.amount if pending else 0
    posted, reserved, incoming = found.get(transfer.debit, Balance())
    found[transfer.debit] = Balance(posted - moved, reserved + promised, incoming)
    posted, reserved, incoming = found.get(transfer.credit, Balance())
    found[transfer.credit] = Balance(posted + moved, reserved, incoming + promised)


def _refused(key: str, transfer: Transfer, **values: object) -> Refused:
    return Refused(key, place=_place(transfer), **values)


def _place(transfer: Transfer) -> str:
    return f"{transfer.reason or 'transfer'} {transfer.id}"
