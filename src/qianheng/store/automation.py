"""What automation may do in a shop, and whether it is stopped: what was said last counts; append-only in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core import tables
from qianheng.core.days import microseconds, moment
from qianheng.store.database import Sequence, metadata
from qianheng.strategy.automation import Limits

AUTOMATION_LIMITS = sa.Table(
    "automation_limits",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("shop_id", sa.Text, nullable=False, index=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
AUTOMATION_SWITCH = sa.Table(
    "automation_switch",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("shop_id", sa.Text, index=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("stopped", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
_LOCK_OF_SWITCH = 7_242_091_322


class Switch(NamedTuple):
    """A turn of the kill switch: of a shop (`None`: of every shop), by whom, when, why."""

    shop_id: str | None
    at: datetime
    actor: str
    stopped: bool
    reason: str


def limits(connection: Connection, shop_id: str) -> Limits | None:
    """What the owner of a shop said last; `None` if nothing was said."""
    query = sa.select(AUTOMATION_LIMITS.c.body).where(AUTOMATION_LIMITS.c.shop_id == shop_id)
    body = connection.scalar(query.order_by(AUTOMATION_LIMITS.c.sequence.desc()).limit(1))
    return None if body is None else tables.build(Limits, _read(body), "automation_limits")


def set_limits(connection: Connection, shop_id: str, allowed: Limits, by: tuple[datetime, str]) -> None:
    """Keep what the owner says from now on. As it is already: nothing."""
    if limits(connection, shop_id) != allowed:
        at, actor = by
        row = {"shop_id": shop_id, "at": microseconds(at), "actor": actor, "body": _body(allowed)}
        connection.execute(sa.insert(AUTOMATION_LIMITS), row)


def turn(connection: Connection, switch: Switch) -> None:
    """Turn the kill switch. Whoever is just changing something automatically ends first."""
    hold_switch(connection)
    connection.execute(sa.insert(AUTOMATION_SWITCH), switch._asdict() | {"at": microseconds(switch.at)})


def stopped(connection: Connection, shop_id: str, timezone: str) -> Switch | None:
    """What stops automation in a shop: its own switch or that of every shop; `None` if it may go on."""
    for whose in (None, shop_id):
        query = sa.select(AUTOMATION_SWITCH).where(AUTOMATION_SWITCH.c.shop_id.is_not_distinct_from(whose))
        row = connection.execute(query.order_by(AUTOMATION_SWITCH.c.sequence.desc()).limit(1)).first()
        if row is not None and row.stopped:
            return Switch(row.shop_id, moment(row.at, timezone), row.actor, row.stopped, row.reason)
    return None


def hold_switch(connection: Connection) -> None:
    """Keep the kill switch as it is until the transaction ends: who asks whether it is stopped may rely on the answer
    for what the transaction changes. SQLite has one writer at a time.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_OF_SWITCH)))


def _body(allowed: Limits) -> dict[str, Any]:
    return {field.name: _plain(getattr(allowed, field.name)) for field in fields(Limits)}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    return list(value) if isinstance(value, tuple) else value


def _read(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value["decimal"]) if isinstance(value, dict) else value for name, value in body.items()}
