"""The desk: a kept run, who works on it, and what time it is there."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from qianheng.core.actors import Act, Actor, Role, demand
from qianheng.core.days import SHANGHAI, midnight, parse_time
from qianheng.core.errors import BadInput, NotFound, Refused
from qianheng.core.ids import stable_id
from qianheng.store import audit, members, plans, runs
from qianheng.store.audit import Entry
from qianheng.store.database import connect, home, migrate, reading
from qianheng.store.lake import Lake
from qianheng.store.plans import StoredPlan

DATABASE = "run.db"
LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a person works: `with desk.database.begin()` writes, `reading(desk.database)` reads; `now` is in the
    zone of the run.
    """

    database: Database
    lake: Lake
    actor: Actor
    now: datetime

    def plan(self, connection: Connection, plan_id: int) -> StoredPlan:
        """A plan of the actor's shop. None of that id, or another shop's: NotFound, in the same words."""
        found = plans.load(connection, plan_id)
        if not self.actor.sees(found.plan.shop_id):
            raise NotFound("store.no_plan", plan=plan_id)
        return found

    def enter(
        self, connection: Connection, act: Act, about: str, detail: Mapping[str, Any], shop_id: int | None = None
    ) -> None:
        """Leave an audit entry of something done here and now, in the transaction that does it: to what ("plan 7"), of
        which shop (default: the actor's own). Who may not do it: as `demand` refuses.
        """
        demand(self.actor, act, shop_id)
        who = (self.actor.name, self.actor.role, act)
        key = stable_id("audit", self.now, *who, about, json.dumps(detail, sort_keys=True))
        where = self.actor.shop_id if shop_id is None else shop_id
        audit.enter(connection, Entry(key, self.now, *who, about, detail, where))


@contextmanager
def desk_of(run: str = "", actor: str = "", now: str = "") -> Iterator[Desk]:
    """The desk of a kept run (default: the newest), of a member (default: the owner of the first shop), at a time
    (ISO 8601, in the run's zone if it says none; default: the run's clock, the beginning of the next day to live).

    No such run or member: NotFound; a time that cannot be read: BadInput.
    """
    path = path_of(run)
    database = connect(f"sqlite:///{path / DATABASE}")
    try:
        migrate(database)
        with reading(database) as connection:
            clock = clock_of(connection)
            at = _time_of(now, clock) if now else clock
            who = _member(connection, actor)
        yield Desk(database, Lake(path / "lake"), who, at)
    finally:
        database.dispose()


def _time_of(text: str, clock: datetime) -> datetime:
    try:
        return parse_time(text, str(clock.tzinfo)).astimezone(clock.tzinfo)
    except BadInput as error:
        raise error.at("--now") from None


def path_of(run: str = "") -> Path:
    """The folder of a run, by that folder, by its name among all runs, or by its scenario: the latest of that; without
    a name the latest of all. Nothing goes by that name: NotFound.
    """
    if run and (Path(run) / DATABASE).exists():
        return Path(run)
    kept = sorted((home() / "runs").glob(f"*/{DATABASE}"), key=lambda path: path.stat().st_mtime, reverse=True)
    names = [path.parent.name for path in kept]
    matching = [name for name in names if run in ("", name, name.rsplit("-", 2)[0])]
    if matching:
        return home() / "runs" / matching[0]
    if not run:
        raise NotFound("desk.no_runs", place="--run")
    raise NotFound("desk.no_run", place="--run", value=run, known=", ".join(names[:8]) or "–")


def clock_of(connection: Connection) -> datetime:
    """The run's clock: the beginning of the next day to live. There is no run: NotFound."""
    if (clock := runs.clock(connection)) is None:
        raise NotFound("desk.no_runs", place="--run")
    return midnight(clock.next_day, clock.request.get("timezone", SHANGHAI))


@contextmanager
def locked(folder: Path, alone: bool) -> Iterator[None]:
    """Nobody lives the run of a folder meanwhile; `alone`: nobody changes its plans either. Somebody does: Refused."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError:
            raise Refused("simulation.running", place=str(folder)) from None
        yield


def _member(connection: Connection, name: str) -> Actor:
    known = members.members(connection)
    owners = [member for member in known.values() if member.role is Role.OWNER]
    if not name and owners:
        return owners[0]
    if name not in known:
        raise NotFound("desk.nobody", place="--as", value=name)
    return known[name]
