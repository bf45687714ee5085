"""Alerts in SQL: what happened to each, append-only, the silences, and how far the watch has come.

The row of the watch is a fold kept for speed: it can be made again from the facts.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.errors import NotFound
from qianheng.diagnosis.alerts import Alert, AlertEvent, Board, Happened, Key, Silence, Standing, alerts_of
from qianheng.diagnosis.evidence import Severity
from qianheng.measures.history import About, Subject
from qianheng.store.database import Sequence as RowNumber
from qianheng.store.database import insert_unless_there, metadata

State = Mapping[str, npt.NDArray[Any]]

ALERT_EVENT = sa.Table(
    "alert_event",
    metadata,
    sa.Column("sequence", RowNumber, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("alert_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("happened", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("shop_id", sa.Text, nullable=False, index=True),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("within", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("quiet", sa.Boolean, nullable=False),
)
ALERT_SILENCE = sa.Table(
    "alert_silence",
    metadata,
    sa.Column("sequence", RowNumber, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("shop_id", sa.Text, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("plan_id", sa.Text, nullable=False),
)
ALERT_WATCH = sa.Table(
    "alert_watch",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("board", sa.JSON, nullable=False),
    sa.Column("state", sa.LargeBinary, nullable=False),
)
_THE_WATCH = 1


class Numbered(NamedTuple):
    """An alert and the number it goes by among people ("a12")."""

    number: int
    alert: Alert


@dataclass(frozen=True, slots=True)
class Watched:
    """How far a watch has come: what is pending or raised, and the arrays to go on from."""

    board: Board
    state: State


def enter(connection: Connection, events: Iterable[AlertEvent]) -> list[AlertEvent]:
    """Append events; those that were not there before."""
    new = []
    for event in events:
        result = connection.execute(insert_unless_there(connection, ALERT_EVENT), _row(event))
        if result.rowcount:
            new.append(event)
    return new


def events(connection: Connection, shop_id: str | None = None) -> list[AlertEvent]:
    """All that happened, in the order of entering: to the alerts of all shops or of one."""
    return [_event(row) for row in connection.execute(_asked(shop_id))]


def alerts(connection: Connection, shop_id: str | None, now: int) -> list[Numbered]:
    """All alerts as they stood at a time (UTC microseconds), oldest first, of all shops or of one."""
    rows = list(connection.execute(_asked(shop_id).where(ALERT_EVENT.c.at <= now)))
    number_of = {row.alert_id: row.sequence for row in rows if row.happened == Happened.FIRED}
    return [Numbered(number_of[alert.id], alert) for alert in alerts_of(map(_event, rows))]


def alert(connection: Connection, number: int, shop_id: str | None = None) -> tuple[Alert, list[AlertEvent]]:
    """The alert of a number and all that happened to it. None of that number, or another shop's: NotFound."""
    raised = sa.and_(ALERT_EVENT.c.sequence == number, ALERT_EVENT.c.happened == str(Happened.FIRED))
    alert_id = connection.scalar(sa.select(ALERT_EVENT.c.alert_id).where(raised))
    mine = [event for event in events(connection, shop_id) if event.alert_id == alert_id]
    if not mine:
        raise NotFound("alerts.no_alert", value=f"a{number}")
    return alerts_of(mine)[0], mine


def handled(connection: Connection) -> list[int]:
    """The alerts that somebody has handled."""
    query = sa.select(ALERT_EVENT.c.alert_id).where(ALERT_EVENT.c.happened == str(Happened.HANDLED))
    return list(connection.scalars(query))


def silence(connection: Connection, made: Silence) -> None:
    """Keep a silence; the same again: nothing."""
    connection.execute(insert_unless_there(connection, ALERT_SILENCE), asdict(made))


def silences(connection: Connection, shop_id: str | None = None) -> list[Silence]:
    """All silences, of all shops or of one, in the order they were made."""
    columns = [ALERT_SILENCE.c[name] for name in Silence.__dataclass_fields__]
    query = sa.select(*columns).order_by(ALERT_SILENCE.c.sequence)
    if shop_id is not None:
        query = query.where(ALERT_SILENCE.c.shop_id == shop_id)
    return [Silence(**row._mapping) for row in connection.execute(query)]


def watched(connection: Connection) -> Watched | None:
    """How far the watch has come; `None` before its first look."""
    row = connection.execute(sa.select(ALERT_WATCH.c.board, ALERT_WATCH.c.state)).first()
    if row is None:
        return None
    with np.load(io.BytesIO(row.state), allow_pickle=False) as arrays:
        return Watched(_board(row.board), {name: arrays[name] for name in arrays.files})


def keep_watch(connection: Connection, come: Watched) -> None:
    """The watch has come so far."""
    sink = io.BytesIO()
    np.savez_compressed(sink, allow_pickle=False, **come.state)
    values = {"board": _told(come.board), "state": sink.getvalue()}
    if connection.execute(sa.update(ALERT_WATCH).values(values)).rowcount == 0:
        connection.execute(sa.insert(ALERT_WATCH), {"id": _THE_WATCH, **values})


def _asked(shop_id: str | None) -> sa.Select[Any]:
    query = sa.select(ALERT_EVENT).order_by(ALERT_EVENT.c.sequence)
    return query if shop_id is None else query.where(ALERT_EVENT.c.shop_id == shop_id)


def _row(event: AlertEvent) -> dict[str, Any]:
    row = {"id": event.id, "alert_id": event.alert_id, "happened": str(event.happened), "at": event.at}
    row |= {"severity": str(event.severity), "detail": dict(event.detail), "quiet": event.quiet}
    return row | _key_row(event.key)


def _key_row(key: Key) -> dict[str, Any]:
    subject = key.subject
    row = {"rule": key.rule, "shop_id": key.shop_id, "about": str(subject.about), "subject_id": subject.id}
    return row | {"name": subject.name, "within": subject.within}


def _key(row: Mapping[str, Any]) -> Key:
    subject = Subject(About(row["about"]), row["subject_id"], row["name"], row["within"])
    return Key(row["rule"], row["shop_id"], subject)


def _event(row: Any) -> AlertEvent:
    happened, severity = Happened(row.happened), Severity(row.severity)
    return AlertEvent(row.id, row.alert_id, happened, row.at, _key(row._mapping), severity, row.detail, row.quiet)


def _told(board: Board) -> list[dict[str, Any]]:
    """A board as JSON."""
    return [{**_key_row(key), **asdict(standing)} for key, standing in board.items()]


def _board(rows: Sequence[Mapping[str, Any]]) -> Board:
    names = Standing.__dataclass_fields__
    return {_key(row): Standing(**{name: row[name] for name in names}) for row in rows}
