"""Reports of other platforms kept in SQL: append-only, the latest telling of a line wins, earlier ones stay known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.ids import stable_id
from qianheng.measures.reports import CNY, FIGURES, Figures, ReportKind, ReportRow, told_for_accounts, with_ids
from qianheng.plans.plan import Goal
from qianheng.store.database import Sequence, metadata

REPORT_FILE = sa.Table(
    "report_file",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("layout", sa.Text, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("imported_at", sa.BigInteger, nullable=False),
)
REPORT_ROW = sa.Table(
    "report_row",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("file_id", sa.BigInteger, sa.ForeignKey("report_file.id"), nullable=False, index=True),
    sa.Column("key", sa.BigInteger, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("entity_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("first", sa.Date, index=True),
    sa.Column("last", sa.Date),
    sa.Column("hour", sa.Integer),
    sa.Column("within", sa.Text, nullable=False),
    sa.Column("goal", sa.Text, nullable=False),
    sa.Column("target", sa.Text),
    sa.Column("budget", sa.BigInteger),
    sa.Column("currency", sa.Text, nullable=False, server_default=CNY),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("aside", sa.JSON, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file that was imported. `id` is a function of its content and how it was read; time in UTC microseconds."""

    id: int
    name: str
    layout: str
    timezone: str
    imported_at: int


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A line as last told, as told before if a later report restated it, and the layout of the file that told it;
    `twice`: a report that says no account tells it too, and is not counted.
    """

    row: ReportRow
    before: ReportRow | None
    layout: str = ""
    twice: bool = False


def save(connection: Connection, file: ReportFile, rows: Iterable[ReportRow]) -> bool:
    """Append a file with all of its rows; false when it is there already, and then nothing changes."""
    if connection.scalar(sa.select(REPORT_FILE.c.id).where(REPORT_FILE.c.id == file.id)) is not None:
        return False
    connection.execute(
        sa.insert(REPORT_FILE),
        {
            "id": file.id,
            "name": file.name,
            "layout": file.layout,
            "timezone": file.timezone,
            "imported_at": file.imported_at,
        },
    )
    if encoded := [_encode(file.id, row) for row in rows]:
        connection.execute(sa.insert(REPORT_ROW), encoded)
    return True


def load(connection: Connection, first: date | None = None, last: date | None = None) -> list[StoredRow]:
    """The rows whose whole period lies within the days given (all, and those without a day, when none is), as last
    told, in the order of their periods. What is told of an ad account is not told again by reports that name none, nor
    what is told of a 抖音号 with its id by reports that only name it.
    """
    columns = REPORT_ROW.c
    query = sa.select(REPORT_ROW, REPORT_FILE.c.layout).join(REPORT_FILE, REPORT_FILE.c.id == columns.file_id)
    query = query.order_by(columns.sequence)
    if first is not None:
        query = query.where(columns.first >= first)
    if last is not None:
        query = query.where(columns.last <= last)
    records = [(record, _decode(record)) for record in connection.execute(query)]
    ids, latest = with_ids(row for _, row in records), dict[int, StoredRow]()
    for record, told in records:
        id_ = ids.get((told.within, told.name)) if told.kind is ReportKind.ACCOUNT and not told.entity_id else None
        row = told if id_ is None else replace(told, entity_id=id_)
        key = record.key if id_ is None else _key(record.file_id, row)
        known = latest.get(key)
        if known is None or known.row.figures != row.figures:
            latest[key] = StoredRow(row, known.row if known else None, record.layout)
    in_order = sorted(latest.values(), key=lambda stored: (stored.row.first or date.min, stored.row.last or date.min))
    return _once(in_order)


def _once(stored: list[StoredRow]) -> list[StoredRow]:
    """Those of an account go before the same told of none."""
    of_accounts = told_for_accounts(one.row for one in stored)
    if not of_accounts:
        return stored
    twice = {one.row.told for one in stored if not one.row.account} & of_accounts
    kept = (one for one in stored if one.row.account or one.row.told not in twice)
    return [replace(one, twice=one.row.told in twice) for one in kept]


def files(connection: Connection) -> int:
    """How many files have been imported."""
    return connection.scalar(sa.select(sa.func.count()).select_from(REPORT_FILE)) or 0


def _key(file_id: int, row: ReportRow) -> int:
    """Without a day two files may tell of different days: neither replaces the other."""
    return stable_id("report_row", *(() if row.first is not None else (file_id,)), *row.key)


def _encode(file_id: int, row: ReportRow) -> dict[str, Any]:
    return {
        "file_id": file_id,
        "key": _key(file_id, row),
        "kind": row.kind.value,
        "entity_id": row.entity_id,
        "name": row.name,
        "first": row.first,
        "last": row.last,
        "hour": row.hour,
        "within": row.within,
        "goal": row.goal.value,
        "target": None if row.target is None else str(row.target),
        "budget": row.budget,
        "currency": row.currency,
        "figures": {name: value for name in FIGURES if (value := getattr(row.figures, name)) is not None},
        "aside": [list(pair) for pair in row.aside],
    }


def _decode(record: Any) -> ReportRow:
    return ReportRow(
        kind=ReportKind(record.kind),
        entity_id=record.entity_id,
        name=record.name,
        first=record.first,
        last=record.last,
        hour=record.hour,
        within=record.within,
        goal=Goal(record.goal),
        target=None if record.target is None else Fraction(record.target),
        budget=record.budget,
        currency=record.currency,
        figures=Figures(**record.figures),
        aside=tuple((column, told) for column, told in record.aside),
    )
