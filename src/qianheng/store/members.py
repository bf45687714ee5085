"""Who works in which shop and as what: a log of entries and leavings in SQL, folded by name."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.actors import Actor, Role
from qianheng.core.days import microseconds
from qianheng.store.database import Sequence, metadata

MEMBER_CHANGE = sa.Table(
    "member_change",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False, index=True),
    sa.Column("role", sa.Text),
    sa.Column("shop_id", sa.BigInteger),
)


def members(connection: Connection) -> dict[str, Actor]:
    """Everybody by name, in the order they came, as of now."""
    found: dict[str, Actor] = {}
    for row in connection.execute(sa.select(MEMBER_CHANGE).order_by(MEMBER_CHANGE.c.sequence)):
        if row.role is None:
            found.pop(row.name, None)
        else:
            found[row.name] = Actor(row.name, Role(row.role), row.shop_id)
    return found


def add(connection: Connection, member: Actor, at: datetime) -> None:
    """Let somebody in, or give them another role. As they are already: nothing."""
    if members(connection).get(member.name) != member:
        row = {"at": microseconds(at), "name": member.name, "role": str(member.role), "shop_id": member.shop_id}
        connection.execute(sa.insert(MEMBER_CHANGE), row)


def found(connection: Connection, member: Actor, at: datetime) -> None:
    """Let somebody in from the beginning: not again if they have left since, or have another role by now."""
    if not connection.scalar(sa.select(sa.exists().where(MEMBER_CHANGE.c.name == member.name))):
        add(connection, member, at)


def remove(connection: Connection, name: str, at: datetime) -> None:
    """Let somebody go. Nobody of that name: nothing."""
    if name in members(connection):
        connection.execute(sa.insert(MEMBER_CHANGE), {"at": microseconds(at), "name": name})
