"""The proof that the ledger adds up: everything is made again from its transfers and compared with what is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection

from qianheng.core.days import SHANGHAI
from qianheng.core.errors import QianhengError
from qianheng.core.money import yuan
from qianheng.ledger import book
from qianheng.ledger.book import Balance, Book
from qianheng.ledger.credits import Grant, Use
from qianheng.ledger.months import MonthTotals
from qianheng.ledger.transfers import AccountKind, Transfer
from qianheng.store import grants, ledger, months

TRANSFERS_AT_ONCE = 10_000


class Difference(NamedTuple):
    """Something kept that is not what the transfers come to: of what `kind`, of which subject, kept and expected."""

    kind: str
    subject: str
    found: str
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """How much was compared, and the differences found; none: the ledger is proven."""

    transfers: int
    accounts: int
    holds: int
    grants: int
    months: int
    differences: tuple[Difference, ...]


def verify(connection: Connection, timezone: str = SHANGHAI) -> Verified:
    """Record every transfer anew under the rules, in the order it was recorded, and compare what comes of it with what
    is kept: each balance, hold, grant and its use, each closed month (in that zone), and that all adds up to zero.

    It stops replaying at a transfer that breaks a rule. Memory grows with accounts, grants and open holds only.
    """
    differences: list[Difference] = []
    count, replayed = 0, Book(ledger.accounts(connection))
    for some in _in_parts(ledger.all_transfers(connection)):
        try:
            replayed, _ = book.record(replayed.open_promises(), some)
        except QianhengError as error:
            differences.append(Difference("entry", error.place, str(error)))
            break
        count += len(some)
        differences += _uses(connection, some, replayed)
    differences += [*_balances(connection, replayed), *_grants(connection, replayed)]
    closed = list(_months(connection, timezone))
    differences += [different for different in closed if different is not None]
    holds, known = len(replayed.open_promises().transfers), len(replayed.credits.grants)
    return Verified(count, len(replayed.accounts), holds, known, len(closed), tuple(differences))


def _in_parts(transfers: Iterator[Transfer]) -> Iterator[list[Transfer]]:
    while some := list(islice(transfers, TRANSFERS_AT_ONCE)):
        yield some


def _uses(connection: Connection, some: list[Transfer], replayed: Book) -> Iterator[Difference]:
    ids = [one.id for one in some if replayed.accounts[one.debit].kind is AccountKind.CREDIT]
    kept = grants.uses_of(connection, ids)
    for id_ in ids:
        found, expected = kept.get(id_, ()), replayed.credits.uses.get(id_, ())
        if found != expected:
            yield Difference("use", str(id_), _told(found), _told(expected))


def _told(uses: tuple[Use, ...]) -> str:
    return " + ".join(f"{yuan(use.amount)} ({use.grant_id})" for use in uses) or "–"


def _balances(connection: Connection, replayed: Book) -> Iterator[Difference]:
    kept = ledger.balances(connection)
    for id_, found in kept.items():
        expected = replayed.balances.get(id_, Balance())
        if found != expected:
            known = replayed.accounts[id_]
            yield Difference("balance", f"{known.kind} {known.owner}", _amounts(found), _amounts(expected))
    if total := sum(found.posted for found in kept.values()):
        yield Difference("sum", "", yuan(total), yuan(0))


def _amounts(balance: Balance) -> str:
    return " / ".join(map(yuan, balance))


def _grants(connection: Connection, replayed: Book) -> Iterator[Difference]:
    kept = {grant.id: grant for grant in grants.all_grants(connection)}
    made: Mapping[int, object] = replayed.credits.grants
    for id_ in sorted(kept.keys() | made.keys()):
        if kept.get(id_) != made.get(id_):
            found, expected = (_available(known.get(id_)) for known in (kept, replayed.credits.grants))
            yield Difference("grant", str(id_), found, expected)


def _available(grant: Grant | None) -> str:
    return "–" if grant is None else f"{yuan(grant.available)} / {yuan(grant.amount)}, {grant.expires_at.isoformat()}"


def _months(connection: Connection, timezone: str) -> Iterator[Difference | None]:
    """For every closed month the difference, `None` where there is none."""
    for ad_account_id in months.ad_accounts(connection):
        for month, kept in months.closed(connection, ad_account_id).items():
            counted = months.counted(connection, ad_account_id, month, timezone)
            subject = f"{ad_account_id} {month}"
            amounts = (_holding(kept), _holding(counted))
            yield None if kept == counted else Difference("month", subject, *amounts)


def _holding(totals: MonthTotals) -> str:
    return f"{yuan(totals.opening.total)} → {yuan(totals.closing.total)}"
