"""Simulated runs in SQL: how far each got and the state to go on from, committed with the day's facts and money."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.store.database import metadata

State = Mapping[str, npt.NDArray[Any]]

RUN = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("next_day", sa.Date, nullable=False),
    sa.Column("finished", sa.Boolean, nullable=False),
    sa.Column("state", sa.LargeBinary, nullable=False),
)
RUN_DAY = sa.Table(
    "run_day",
    metadata,
    sa.Column("run_id", sa.BigInteger, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("told", sa.JSON, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run got: the next day to live, whether that was the last, and the state at its beginning."""

    next_day: date
    finished: bool
    state: State


def begin(connection: Connection, run_id: int, request: Mapping[str, Any], first_day: date) -> None:
    """Enter a run that has not lived a day yet. One that is entered already stays as it is."""
    if progress(connection, run_id) is None:
        row = {"id": run_id, "request": dict(request), "next_day": first_day, "finished": False, "state": b""}
        connection.execute(sa.insert(RUN), row)


def begun(connection: Connection) -> dict[int, dict[str, Any]]:
    """What each run kept here was asked to be, by its id."""
    return {row.id: row.request for row in connection.execute(sa.select(RUN.c.id, RUN.c.request))}


class Clock(NamedTuple):
    """Where a run stands: what it was asked to be, the next day to live, and whether that was the last."""

    request: dict[str, Any]
    next_day: date
    finished: bool


def clock(connection: Connection) -> Clock | None:
    """Where the run kept here stands; `None` if there is none."""
    row = connection.execute(sa.select(RUN.c.request, RUN.c.next_day, RUN.c.finished)).first()
    return None if row is None else Clock(*row)


class Span(NamedTuple):
    """The first day of a run, how many days it delivers, and the next it lives."""

    first: date
    days: int
    next_day: date


def span(connection: Connection) -> Span:
    """The days of the run kept here, which has been begun."""
    row = connection.execute(sa.select(RUN.c.request, RUN.c.next_day)).one()
    first = connection.scalar(sa.select(sa.func.min(RUN_DAY.c.day)))
    return Span(first or row.next_day, row.request["days"], row.next_day)


def progress(connection: Connection, run_id: int) -> Progress | None:
    """How far a run got; `None` if it was never begun."""
    columns = (RUN.c.next_day, RUN.c.finished, RUN.c.state)
    row = connection.execute(sa.select(*columns).where(RUN.c.id == run_id)).first()
    return None if row is None else Progress(row.next_day, row.finished, _unpack(row.state))


def advance(connection: Connection, run_id: int, progress: Progress) -> None:
    """A day is lived: the state to go on from replaces the one before."""
    values = {"next_day": progress.next_day, "finished": progress.finished, "state": _pack(progress.state)}
    connection.execute(sa.update(RUN).where(RUN.c.id == run_id).values(values))


def tell(connection: Connection, run_id: int, day: date, told: Mapping[str, Any]) -> None:
    """Keep what a day brought that no fact tells (scores by truth, readings of the bidder)."""
    connection.execute(sa.insert(RUN_DAY), {"run_id": run_id, "day": day, "told": dict(told)})


def told(connection: Connection, run_id: int) -> dict[date, dict[str, Any]]:
    """What each day brought, in order."""
    query = sa.select(RUN_DAY.c.day, RUN_DAY.c.told).where(RUN_DAY.c.run_id == run_id).order_by(RUN_DAY.c.day)
    return {row.day: row.told for row in connection.execute(query)}


def _pack(state: State) -> bytes:
    sink = io.BytesIO()
    np.savez(sink, allow_pickle=False, **state)
    return sink.getvalue()


def _unpack(packed: bytes) -> State:
    if not packed:
        return {}
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
