"""Who did what, when and in which role: an append-only log in SQL, written in the transaction of what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.actors import Act, Role
from qianheng.core.days import microseconds, moment
from qianheng.core.errors import Refused
from qianheng.store.database import Sequence, append, metadata

AUDIT = sa.Table(
    "audit",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("shop_id", sa.BigInteger, index=True),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something done: by whom, as what, to what ("plan 7"). Without `shop_id` it is the platform's."""

    id: int
    at: datetime
    actor: str
    role: Role
    act: Act
    subject: str
    detail: Mapping[str, Any]
    shop_id: int | None = None


def enter(connection: Connection, entry: Entry) -> None:
    """Append an entry. The same again: nothing; its id with another content: Refused."""
    row = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    row |= {"at": microseconds(entry.at), "role": str(entry.role), "act": str(entry.act), "detail": dict(entry.detail)}
    if not append(connection, AUDIT, row):
        raise Refused("store.other_content", place=f"audit {entry.id}")


def entries(connection: Connection, shop_id: int | None = None, subject: str | None = None) -> list[Entry]:
    """The log in the order of writing, of all or of one shop, about all or one subject."""
    query = sa.select(AUDIT).order_by(AUDIT.c.sequence)
    if shop_id is not None:
        query = query.where(AUDIT.c.shop_id == shop_id)
    if subject is not None:
        query = query.where(AUDIT.c.subject == subject)
    return [_entry(row) for row in connection.execute(query)]


def by_people(connection: Connection) -> bool:
    """Whether anybody but the system has done something."""
    return bool(connection.scalar(sa.select(sa.exists().where(AUDIT.c.role != str(Role.SYSTEM)))))


def _entry(row: Any) -> Entry:
    who = (row.actor, Role(row.role), Act(row.act))
    return Entry(row.id, moment(row.at), *who, row.subject, row.detail, row.shop_id)
