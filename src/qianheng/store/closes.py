"""What closing days keeps in SQL: the units that facts have opened, the verdicts on them, and the days closed.

All three are append-only. A verdict is kept as it was given; a later one names the one that it corrects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import microseconds, moment
from qianheng.core.errors import NotFound
from qianheng.core.money import Micros
from qianheng.store.database import Sequence, chunks, insert_unless_there, metadata

GUARANTEE_UNIT = sa.Table(
    "guarantee_unit",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.BigInteger, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False, index=True),
)
VERDICT = sa.Table(
    "verdict",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("unit_id", sa.BigInteger, sa.ForeignKey("guarantee_unit.id"), nullable=False, index=True),
    sa.Column("given_at", sa.BigInteger, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("policy_version", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("compensation", sa.BigInteger, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("corrects", sa.BigInteger, unique=True),
)
DAY_CLOSE = sa.Table(
    "day_close",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("facts_through", sa.BigInteger, nullable=False),
)
_LOCK_OF_CLOSES = 7_242_091_319


@dataclass(frozen=True, slots=True)
class OpenUnit:
    """A unit of the guarantee that facts are known of: of what it is (a plan's id, a boost's), its first day as it was
    first known, and when it is judged (UTC microseconds).
    """

    id: int
    type: str
    subject: int
    day: date
    due_at: int


@dataclass(frozen=True, slots=True)
class Given:
    """A verdict as it was given: when (UTC microseconds), under which version of which policy, and the whole answer as
    JSON. `compensation` in micro-yuan. `corrects` names the verdict that this one takes the place of.
    """

    id: int
    unit_id: int
    given_at: int
    policy: str
    policy_version: int
    status: str
    reason: str | None
    compensation: Micros
    answer: Mapping[str, Any]
    corrects: int | None = None


@dataclass(frozen=True, slots=True)
class DayClose:
    """A day that has been closed: when, and the last file of facts that was in the lake then."""

    day: date
    at: datetime
    facts_through: int


def take_turn(connection: Connection) -> None:
    """One close at a time, until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_OF_CLOSES)))


def last(connection: Connection) -> DayClose | None:
    """The last day that was closed; `None` if none was."""
    row = connection.execute(sa.select(DAY_CLOSE).order_by(DAY_CLOSE.c.day.desc()).limit(1)).first()
    return None if row is None else DayClose(row.day, moment(row.at), row.facts_through)


def enter(connection: Connection, closed: DayClose) -> None:
    """Note that a day is closed."""
    connection.execute(sa.insert(DAY_CLOSE), asdict(closed) | {"at": microseconds(closed.at)})


def open_units(connection: Connection, units: Iterable[OpenUnit]) -> None:
    """Note units that facts are known of. One that is open already stays as it is."""
    if rows := [asdict(unit) for unit in units]:
        connection.execute(insert_unless_there(connection, GUARANTEE_UNIT), rows)


def falling_due(connection: Connection, after: int, until: int) -> list[OpenUnit]:
    """The units to be judged after one time and at the latest at another (UTC microseconds)."""
    due_at = GUARANTEE_UNIT.c.due_at
    query = sa.select(GUARANTEE_UNIT).where(due_at > after, due_at <= until).order_by(GUARANTEE_UNIT.c.id)
    return [OpenUnit(*row) for row in connection.execute(query)]


def unit(connection: Connection, unit_id: int) -> OpenUnit:
    """A unit that facts are known of. No such unit: NotFound."""
    row = connection.execute(sa.select(GUARANTEE_UNIT).where(GUARANTEE_UNIT.c.id == unit_id)).first()
    if row is None:
        raise NotFound("close.no_unit", value=unit_id)
    return OpenUnit(*row)


def units(connection: Connection, subjects: Collection[int] | None = None, day: date | None = None) -> list[OpenUnit]:
    """The units that facts are known of, of some subjects or one day if asked, in the order of days and subjects."""
    wanted: list[sa.ColumnElement[bool]] = [] if subjects is None else [GUARANTEE_UNIT.c.subject.in_(subjects)]
    wanted += [] if day is None else [GUARANTEE_UNIT.c.day == day]
    query = sa.select(GUARANTEE_UNIT).where(*wanted).order_by(GUARANTEE_UNIT.c.day, GUARANTEE_UNIT.c.subject)
    return [OpenUnit(*row) for row in connection.execute(query)]


def give(connection: Connection, verdicts: Iterable[Given]) -> None:
    """Append verdicts."""
    if rows := [asdict(verdict) for verdict in verdicts]:
        connection.execute(sa.insert(VERDICT), rows)


def given(connection: Connection, unit_ids: Collection[int]) -> dict[int, list[Given]]:
    """The verdicts given on these units, by unit, oldest first; a unit without any is left out."""
    found: dict[int, list[Given]] = {}
    for verdict in _given(connection, unit_ids):
        found.setdefault(verdict.unit_id, []).append(verdict)
    return found


def _given(connection: Connection, unit_ids: Collection[int]) -> Iterator[Given]:
    columns = [VERDICT.c[field.name] for field in fields(Given)]
    for ids in chunks(sorted(unit_ids)):
        query = sa.select(*columns).where(VERDICT.c.unit_id.in_(ids)).order_by(VERDICT.c.sequence)
        yield from (Given(*row) for row in connection.execute(query))
