"""What a vendor's API told: each plan as it was seen to be, append-only, and the days read of each account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import microseconds, moment
from qianheng.core.ids import stable_id
from qianheng.store.database import Sequence, append, metadata

VENDOR_PLAN = sa.Table(
    "vendor_plan",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("account", sa.Text, nullable=False, index=True),
    sa.Column("plan_id", sa.Text, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
VENDOR_SYNC = sa.Table(
    "vendor_sync",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("account", sa.Text, nullable=False, index=True),
    sa.Column("first", sa.Date, nullable=False),
    sa.Column("last", sa.Date, nullable=False),
    sa.Column("read_at", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class SeenPlan:
    """A plan as it was first seen to be at a time: plain values by name (money in micro-yuan, times as ISO 8601)."""

    account: str
    plan_id: str
    seen_at: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DaysRead:
    """Days of an account that were read whole at a time, and how many rows were new or told anew."""

    account: str
    first: date
    last: date
    read_at: datetime
    rows: int


def see(connection: Connection, plans: Iterable[SeenPlan]) -> int:
    """Keep the plans that differ from what was seen of them last; how many."""
    told = seen(connection)
    known = {(one.account, one.plan_id): one.body for one in told}
    differing = [one for one in plans if known.get((one.account, one.plan_id)) != one.body]
    for number, one in enumerate(differing, len(told)):  # two may be seen at one time
        at = microseconds(one.seen_at)
        row = {"account": one.account, "plan_id": one.plan_id, "seen_at": at, "body": dict(one.body)}
        append(connection, VENDOR_PLAN, row | {"id": stable_id("vendor_plan", one.account, one.plan_id, at, number)})
    return len(differing)


def seen(connection: Connection, account: str = "") -> list[SeenPlan]:
    """All that was seen of the plans of an account, or of all, in the order of seeing."""
    query = sa.select(VENDOR_PLAN).order_by(VENDOR_PLAN.c.sequence)
    if account:
        query = query.where(VENDOR_PLAN.c.account == account)
    return [SeenPlan(row.account, row.plan_id, moment(row.seen_at), row.body) for row in connection.execute(query)]


def read_whole(connection: Connection, days: DaysRead) -> None:
    """Keep that days of an account were read."""
    at = microseconds(days.read_at)
    row = {"account": days.account, "first": days.first, "last": days.last, "read_at": at, "rows": days.rows}
    append(connection, VENDOR_SYNC, row | {"id": stable_id("vendor_sync", days.account, days.first, days.last, at)})


def days_read(connection: Connection, account: str = "") -> list[DaysRead]:
    """What was read of an account, or of all, in the order of reading."""
    query = sa.select(VENDOR_SYNC).order_by(VENDOR_SYNC.c.sequence)
    if account:
        query = query.where(VENDOR_SYNC.c.account == account)
    return [
        DaysRead(row.account, row.first, row.last, moment(row.read_at), row.rows) for row in connection.execute(query)
    ]
