"""Closes that meet, die, or find no room: each day is closed once, whole, and in the end the same rows are there."""

import random
import sqlite3
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from benchmarks import crash
from benchmarks.crash import DAY, World
from qianheng.actions.close import close_until
from qianheng.actions.desk import Desk
from qianheng.actions.promises import unit_id
from qianheng.core.actors import SYSTEM
from qianheng.core.days import midnight
from qianheng.core.errors import BadInput
from qianheng.core.money import YUAN
from qianheng.ledger.transfers import State, Transfer
from qianheng.store import ledger
from qianheng.store.database import connect, reading
from qianheng.store.lake import Lake


@pytest.fixture
def world(url: str, tmp_path: Path) -> World:
    made = World(url, tmp_path / "lake", plans=12)
    made.make()
    return made


def desk_at(database: Engine, world: World, days_later: int) -> Desk:
    return Desk(database, Lake(world.folder), SYSTEM, midnight(DAY + timedelta(days=days_later)))


def test_eight_that_close_at_once_pay_each_unit_once(world: World) -> None:
    for days_later in (8, 9):
        assert crash.together(world, days_later, many=8) == [0] * 8
    database = connect(world.url)
    with reading(database) as connection:
        assert ledger.balanced(connection)
        transfers = [one for number in range(1, 13) for one in credits_of(connection, number)]
    database.dispose()
    assert Counter(one.state for one in transfers) == {State.PENDING: 11, State.POSTED: 11}  # one has too few orders
    assert len({one.reference for one in transfers}) == 11
    assert {one.amount // YUAN for one in transfers} == {600}


def credits_of(connection: sa.Connection, plan_id: int) -> list[Transfer]:
    return ledger.transfers_about(connection, unit_id(plan_id, DAY))


@pytest.mark.slow
def test_closes_killed_at_any_moment_come_to_the_same_rows(tmp_path: Path) -> None:
    made = World(f"sqlite:///{tmp_path / 'made' / 'run.db'}", tmp_path / "made" / "lake", plans=12)
    made.make()
    whole, seconds = crash.undisturbed(crash.copy_of(tmp_path / "made", tmp_path / "whole"))
    trial = crash.copy_of(tmp_path / "made", tmp_path / "trial")
    assert crash.killed(trial, seconds, random.Random(7)) > 0
    assert trial.rows() == whole


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # SQLite has no connection to lose
def test_a_lost_connection_is_told_and_leaves_the_day_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    database, other = connect(world.url), connect(world.url)
    before = world.rows()
    real, lost = ledger.record, list[int]()

    def recorded_then_lost(connection: sa.Connection, *rest: object) -> object:
        found = real(connection, *rest)  # type: ignore[arg-type]
        if not lost:
            lost.append(connection.scalar(sa.text("SELECT pg_backend_pid()")) or 0)
            with other.begin() as killer:
                killer.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": lost[0]})
        return found

    monkeypatch.setattr(ledger, "record", recorded_then_lost)
    with pytest.raises(BadInput, match="then close it again"):
        list(close_until(desk_at(database, world, 8)))
    assert lost
    assert world.rows() == before
    monkeypatch.undo()
    other.dispose()
    list(close_until(desk_at(database, world, 8)))
    database.dispose()
    assert len(world.rows()["verdict"]) == 12


def test_a_full_disk_is_told_and_leaves_the_day_as_it_was(tmp_path: Path) -> None:
    world = World(f"sqlite:///{tmp_path / 'run.db'}", tmp_path / "lake", plans=60)
    world.make()
    before = world.rows()
    database = connect(world.url)

    def little_room(connection: sqlite3.Connection, *_: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 6}")

    sa.event.listen(database, "connect", little_room)
    with pytest.raises(BadInput, match="full") as refusal:
        list(close_until(desk_at(database, world, 8)))
    database.dispose()
    assert "make room" in str(refusal.value)
    assert world.rows() == before
    world.close(8)
    assert len(world.rows()["verdict"]) == 60
