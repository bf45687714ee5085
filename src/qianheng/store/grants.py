"""Grants of credit kept in SQL: what of each is available, and what every transfer took of which (SPEC 5.9).

Only `store.ledger.record` moves them, in the transaction of the transfers they follow from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import microseconds, moment
from qianheng.ledger.credits import Credits, Grant, Use, first_expiring
from qianheng.ledger.transfers import AccountKind, account
from qianheng.store.database import chunks, metadata

CREDIT_GRANT = sa.Table(
    "credit_grant",
    metadata,
    sa.Column("id", sa.BigInteger, sa.ForeignKey("transfer.id"), primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("source", sa.BigInteger, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("available", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Index("credit_grant_of_account", "account_id", "expires_at"),
)
CREDIT_USE = sa.Table(
    "credit_use",
    metadata,
    sa.Column("transfer_id", sa.BigInteger, sa.ForeignKey("transfer.id"), primary_key=True, autoincrement=False),
    sa.Column("grant_id", sa.BigInteger, sa.ForeignKey("credit_grant.id"), primary_key=True, autoincrement=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
)
_GRANT = [CREDIT_GRANT.c[name] for name in Grant._fields]


def grants_of(connection: Connection, ad_account_id: int) -> list[Grant]:
    """All grants an ad account ever had, first expiring first."""
    return _grants(connection, CREDIT_GRANT.c.account_id == account(AccountKind.CREDIT, ad_account_id).id)


def all_grants(connection: Connection) -> list[Grant]:
    """All grants of all ad accounts, first expiring first."""
    return _grants(connection, sa.true())


def uses_of(connection: Connection, transfer_ids: Iterable[int]) -> dict[int, tuple[Use, ...]]:
    """What each of these transfers took or holds of which grants, first expiring first; none for those of cash."""
    columns = (CREDIT_USE.c.transfer_id, CREDIT_USE.c.grant_id, CREDIT_USE.c.amount)
    joined = sa.select(*columns).join(CREDIT_GRANT, CREDIT_GRANT.c.id == CREDIT_USE.c.grant_id)
    ordered = joined.order_by(CREDIT_GRANT.c.expires_at, CREDIT_GRANT.c.id)
    found: dict[int, tuple[Use, ...]] = {}
    for ids in chunks(transfer_ids):
        for transfer_id, *use in connection.execute(ordered.where(CREDIT_USE.c.transfer_id.in_(ids))):
            found[transfer_id] = (*found.get(transfer_id, ()), Use(*use))
    return found


def load(connection: Connection, account_ids: list[int], promises: set[int]) -> Credits:
    """What must be known to draw on these accounts and to settle these promises."""
    if not account_ids:
        return Credits()
    uses = uses_of(connection, promises)
    held = {use.grant_id for drawn in uses.values() for use in drawn}
    there = sa.and_(CREDIT_GRANT.c.account_id.in_(account_ids), CREDIT_GRANT.c.available > 0)
    found = _grants(connection, there)
    for ids in chunks(held - {grant.id for grant in found}):
        found += _grants(connection, CREDIT_GRANT.c.id.in_(ids))
    return Credits({grant.id: grant for grant in found}, uses)


def save(connection: Connection, before: Credits, after: Credits) -> None:
    """Keep what has been granted, drawn and released since."""
    new = [grant for id_, grant in after.grants.items() if id_ not in before.grants]
    moved = [grant for id_, grant in after.grants.items() if before.grants.get(id_, grant).available != grant.available]
    uses = [
        {"transfer_id": id_, **use._asdict()}
        for id_, drawn in after.uses.items()
        if id_ not in before.uses
        for use in drawn
    ]
    if new:
        connection.execute(sa.insert(CREDIT_GRANT), [grant_row(grant) for grant in new])
    if moved:
        update = sa.update(CREDIT_GRANT).where(CREDIT_GRANT.c.id == sa.bindparam("grant_id"))
        values = [{"grant_id": grant.id, "rest": grant.available} for grant in moved]
        connection.execute(update.values(available=sa.bindparam("rest")), values)
    if uses:
        connection.execute(sa.insert(CREDIT_USE), uses)


def grant_row(grant: Grant) -> Mapping[str, Any]:
    """A grant as its row."""
    return grant._asdict() | {"expires_at": microseconds(grant.expires_at)}


def _grants(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Grant]:
    rows = connection.execute(sa.select(*_GRANT).where(condition))
    return sorted(
        (Grant(row.id, row.account_id, row.source, row.amount, row.available, moment(row.expires_at)) for row in rows),
        key=first_expiring,
    )
