"""What record files of other platforms tell: append-only; of one record the latest telling stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.measures.reports import Span
from qianheng.measures.shop_orders import ShopOrder, ShopRefund
from qianheng.plans.entries import LogEntry, LogField
from qianheng.plans.plan import Goal
from qianheng.store.database import Sequence, metadata

RECORD_FILE = sa.Table(
    "record_file",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("first", sa.Date),
    sa.Column("last", sa.Date),
    sa.Column("imported_at", sa.BigInteger, nullable=False),
)
RECORD = sa.Table(
    "record",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("file_id", sa.BigInteger, sa.ForeignKey("record_file.id"), nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Index("record_kind_at", "kind", "at"),
)

Record: TypeAlias = ShopOrder | ShopRefund | LogEntry
T = TypeVar("T", ShopOrder, ShopRefund, LogEntry)
ALWAYS = (-(2**62), 2**62)


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file or an answer that records came from. `id` is a function of its content and how it was read; `kind` is
    "orders", "refunds" or "change_log"; `period` the days it tells all of, `None` if nobody knows.
    """

    id: int
    name: str
    kind: str
    timezone: str
    period: Span | None
    imported_at: int


def save(connection: Connection, file: RecordFile, records: Iterable[Record]) -> bool:
    """Append what a file tells that was not known, or known otherwise; false when the file is there already."""
    if connection.scalar(sa.select(RECORD_FILE.c.id).where(RECORD_FILE.c.id == file.id)) is not None:
        return False
    first, last = file.period or (None, None)
    about = {"id": file.id, "name": file.name, "kind": file.kind, "timezone": file.timezone}
    days = {"first": first, "last": last, "imported_at": file.imported_at}
    connection.execute(sa.insert(RECORD_FILE), about | days)
    told = [_row(file.id, record) for record in records]
    known = _known(connection, {row["kind"] for row in told})
    if fresh := [row for row in told if known.get((row["kind"], row["key"])) != row["body"]]:
        connection.execute(sa.insert(RECORD), fresh)
    return True


def load(connection: Connection, kind: type[T], window: tuple[int, int] = ALWAYS) -> list[T]:
    """The records of a kind that happened in a window of UTC microseconds, as last told, in order of time."""
    columns = RECORD.c
    query = sa.select(columns.key, columns.body).where(columns.kind == kind.__name__)
    query = query.where(columns.at >= window[0], columns.at < window[1]).order_by(columns.sequence)
    latest = {row.key: row.body for row in connection.execute(query)}
    return sorted((_record(kind, body) for body in latest.values()), key=lambda one: (one.at, one.key))


def told_days(connection: Connection, kind: str) -> list[Span]:
    """The periods that files of a kind tell all of."""
    query = sa.select(RECORD_FILE.c.first, RECORD_FILE.c.last).where(RECORD_FILE.c.kind == kind)
    return [(row.first, row.last) for row in connection.execute(query) if row.first and row.last]


def _known(connection: Connection, kinds: set[str]) -> dict[tuple[str, str], Any]:
    query = sa.select(RECORD.c.kind, RECORD.c.key, RECORD.c.body).where(RECORD.c.kind.in_(kinds))
    return {(row.kind, row.key): row.body for row in connection.execute(query.order_by(RECORD.c.sequence))}


def _row(file_id: int, record: Record) -> dict[str, Any]:
    kind = type(record).__name__
    return {"file_id": file_id, "kind": kind, "key": record.key, "at": record.at, "body": asdict(record)}


def _record(kind: type[T], body: dict[str, Any]) -> T:
    told = {one.name: body[one.name] for one in fields(kind) if one.name in body}
    if kind is LogEntry:
        told |= {"field": LogField(told["field"]), "goal": Goal(told["goal"]) if told["goal"] else None}
    return kind(**told)
