"""Closing days under kill -9: 100 plans' days are judged, paid and corrected, and the process dies at random moments.

Each trial lives four closes (judgement, payment, late facts that correct, payment of the corrections) and kills each of
them five times, then lets it end. In the end every row of the database must be what an undisturbed run wrote. Writes
benchmarks/results/crash.json.

Run: python -m benchmarks.crash [--kills 200] [--minutes 60]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import blake2b
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Engine

from qianheng.actions import books
from qianheng.actions.close import close_until
from qianheng.actions.desk import Desk
from qianheng.core.actors import SYSTEM
from qianheng.core.days import HOUR, microseconds, midnight
from qianheng.core.money import YUAN
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import SCHEMAS, Channel, Kind
from qianheng.plans.plan import Goal, Plan, PlanKind, PlanStatus
from qianheng.store import plans
from qianheng.store.database import connect, migrate, reading
from qianheng.store.lake import Lake

RESULTS = Path(__file__).parent / "results" / "crash.json"
DAY = date(2025, 9, 10)  # a Wednesday
CLOSES = (8, 9, 10, 12)  # how many days later
LATE = 10  # the close before which late orders come in
KILLS_A_CLOSE = 5

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["qianheng.actions.close"])


@dataclass(frozen=True, slots=True)
class World:
    """A database and a lake with one day of so many plans that missed their targets, each by another amount."""

    url: str
    folder: Path
    plans: int = 100

    def make(self) -> None:
        """Fill an empty database and lake, and close all days before the first that judges."""
        database, lake = connect(self.url), Lake(self.folder)
        migrate(database)
        with database.begin() as connection:
            for number in range(1, self.plans + 1):
                books.open_accounts(connection, number, 5000 * YUAN, midnight(DAY))
                plans.create(connection, plan(number))
            lake.add(connection, FactBatch({Kind.CHARGE: charges(self.plans), Kind.ORDER: orders(self.plans, 10)}))
        database.dispose()
        self.close(0)
        self.close(CLOSES[0] - 1)

    def close(self, days_later: int) -> None:
        """Close every open day up to a midnight; what came in late is stored first."""
        database, lake = connect(self.url), Lake(self.folder)
        if days_later == LATE:
            with database.begin() as connection:
                lake.add(connection, FactBatch({Kind.ORDER: orders(self.plans, 11)}))
        list(close_until(Desk(database, lake, SYSTEM, midnight(DAY + timedelta(days=days_later)))))
        database.dispose()

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        database = connect(self.url)
        try:
            return rows_of(database)
        finally:
            database.dispose()


def rows_of(database: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of a database, in the order of their first column."""
    with reading(database) as connection:
        names = sorted(set(sa.inspect(connection).get_table_names()) - {"alembic_version"})
        return {
            name: [tuple(row) for row in connection.execute(sa.text(f'SELECT * FROM "{name}" ORDER BY 1'))]
            for name in names
        }


def plan(number: int) -> Plan:
    """A plan with an ad account of its own, in one of three shops."""
    goal, target = Goal.PAYMENT, Decimal("7.5")
    body = (PlanKind.PRODUCT, goal, target, 2000 * YUAN, (11,))
    return Plan(number, number % 3 + 1, number, f"plan {number}", *body, status=PlanStatus.ACTIVE)


def charges(count: int) -> Any:
    """A charge of each plan: 1000 yuan and a little more for each."""
    number = np.arange(1, count + 1)
    return _facts(Kind.CHARGE, {"id": number, "plan_id": number, "amount": 1000 * YUAN + number * 12_345})


def orders(count: int, each: int) -> Any:
    """So many orders of each plan; every seventh plan has one less, which is too few until late orders come in."""
    number, place = (column.ravel() for column in np.meshgrid(np.arange(1, count + 1), np.arange(each), indexing="ij"))
    there = (place < each - 1) | (number % 7 > 0)
    number, place = number[there], place[there]
    columns = {"id": number * 1000 + place, "plan_id": number, "amount": 300 * YUAN}
    return _facts(Kind.ORDER, columns | {"channel": int(Channel.PROMOTED)})


def _facts(kind: Kind, columns: dict[str, Any]) -> Any:
    at = microseconds(midnight(DAY)) + 9 * HOUR + np.arange(len(columns["id"]))
    filled: dict[str, Any] = dict.fromkeys(SCHEMAS[kind].names, 0)
    return table(kind, filled | {"at": at, "received_at": at} | columns)


def _close(world: World, days_later: int, ready: Pipe) -> None:
    ready.send(True)
    world.close(days_later)


def _start(world: World, days_later: int) -> Any:
    """A process that closes, from the moment on that it begins to."""
    here, there = processes.Pipe(duplex=False)
    process = processes.Process(target=_close, args=(world, days_later, there))
    process.start()
    here.recv()
    return process


def undisturbed(world: World) -> tuple[dict[str, list[tuple[Any, ...]]], dict[int, float]]:
    """What all closes write, and how many seconds each takes."""
    seconds = {}
    for days_later in CLOSES:
        process, began = _start(world, days_later), time.perf_counter()
        process.join()
        assert process.exitcode == 0
        seconds[days_later] = time.perf_counter() - began
    return world.rows(), seconds


def killed(world: World, seconds: dict[int, float], rng: random.Random) -> int:
    """Live all closes, each killed at random moments before it may end; how many were killed in time."""
    deaths = 0
    for days_later in CLOSES:
        for _ in range(KILLS_A_CLOSE):
            process = _start(world, days_later)
            time.sleep(rng.uniform(0, seconds[days_later]))
            process.kill()
            process.join()
            deaths += process.exitcode != 0
        again = _start(world, days_later)
        again.join()
        assert again.exitcode == 0, again.exitcode
    return deaths


def together(world: World, days_later: int, many: int) -> list[int | None]:
    """The exit codes of so many processes that close the same days at once."""
    started = [_start(world, days_later) for _ in range(many)]
    for process in started:
        process.join()
    return [process.exitcode for process in started]


def copy_of(made: Path, folder: Path) -> World:
    """A copy of a world made on SQLite."""
    shutil.copytree(made, folder)
    return World(f"sqlite:///{folder / 'run.db'}", folder / "lake")


def measure(folder: Path, kills: int, minutes: float) -> dict[str, Any]:
    """Kill so many closes, or as many as the time allows: how many trials came to the rows of the undisturbed run, and
    which tables differed in the others.
    """
    world = World(f"sqlite:///{folder / 'made' / 'run.db'}", folder / "made" / "lake")
    world.make()
    whole, seconds = undisturbed(copy_of(folder / "made", folder / "whole"))
    rng, deaths, differing, trials = random.Random(1), 0, Counter[str](), 0
    until = time.monotonic() + 60 * minutes
    while deaths < kills and time.monotonic() < until:
        trial = copy_of(folder / "made", folder / f"trial-{trials}")
        deaths += killed(trial, seconds, rng)
        rows = trial.rows()
        differing.update(name for name in whole if rows[name] != whole[name])
        trials += 1
        shutil.rmtree(folder / f"trial-{trials - 1}")
    return {
        "plans": world.plans,
        "kills": deaths,
        "trials": trials,
        "seconds_a_close": {str(days): round(found, 3) for days, found in seconds.items()},
        "rows": {name: len(found) for name, found in whole.items() if found},
        "digest": blake2b(repr(whole).encode(), digest_size=8).hexdigest(),
        "tables_that_differ": dict(differing),
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        result = measure(Path(temporary), options.kills, options.minutes)
    print(json.dumps(result, indent=2))
    assert not result["tables_that_differ"], "a close that was killed came to something else"
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
