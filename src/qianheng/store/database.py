"""The one SQL database of the control plane, the ledger and the log: SQLite embedded, PostgreSQL by URL.

The tables are declared on `metadata` by the modules that use them and made by the numbered files in `migrations/`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Insert,
    Integer,
    MetaData,
    Table,
    create_engine,
    event,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError

from qianheng.core.errors import BadInput, Damaged

metadata = MetaData()

Sequence = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only under this very type

MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_SECONDS = 60
_VALUES_A_QUERY = 10_000
_LOCK_OF_MIGRATIONS = 7_242_091_317  # any number, the same in every process


def home() -> Path:
    """The folder that holds all state (`home_path`), made if missing. It cannot be made: BadInput."""
    path = home_path()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput("store.no_home", place="QIANHENG_HOME", path=path, why=error.strerror or error) from None
    return path


def home_path() -> Path:
    """Where all state is kept, whether anything is yet: `QIANHENG_HOME`, else the platform's user data folder."""
    folder = os.environ.get("QIANHENG_HOME")
    if not folder:
        from platformdirs import user_data_dir

        folder = user_data_dir("qianheng", appauthor=False)
    return Path(folder)


def own_file(name: str) -> Path | None:
    """The owner's copy of a file of rules in the home folder; `None` where those shipped hold."""
    path = home_path() / name
    return path if path.exists() else None


def default_url() -> str:
    """The URL of the embedded database in `home()`."""
    return f"sqlite:///{home() / 'qianheng.db'}"


def connect(url: str) -> Engine:
    """An engine on that database (`sqlite:///FILE` or `postgresql://…`); nothing is opened yet but SQLite's folder.

    `with engine.begin() as connection` writes: on SQLite it waits its turn at once (BEGIN IMMEDIATE), so that what was
    read stays true until commit. `reading(engine)` reads one consistent picture and blocks nobody. Any other kind of
    database, or a URL that cannot be read: BadInput.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        if parsed.get_backend_name() == "postgresql":
            return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError):
        pass
    raise BadInput("store.bad_url", place="--database", value=url.partition("@")[2] or url)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reading only: every query in it sees the same picture."""
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def insert_unless_there(connection: Connection, table: Table) -> Insert:
    """An insert that leaves rows alone whose key is taken, also by another process that is just writing it."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def append(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Append a row to a log unless its `id` is in it; whether the log now holds this very content under the id."""
    connection.execute(insert_unless_there(connection, table), dict(row))
    kept = connection.execute(select(table).where(table.c.id == row["id"])).one()._mapping
    return all(kept[name] == value for name, value in row.items())


def chunks(values: Iterable[int]) -> Iterator[list[int]]:
    """The values in lists short enough to be named in one query."""
    rest = iter(values)
    while chunk := list(islice(rest, _VALUES_A_QUERY)):
        yield chunk


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest version. At once when they are; when several processes start, one of them works.

    A database made by a newer release, or a file that is none: Damaged.
    """
    try:
        _migrate(engine)
    except OperationalError:  # no room, no right, no server: not the database's fault
        raise
    except DatabaseError as error:
        raise Damaged("store.no_database", place=str(engine.url.database), why=error.orig) from None


def _migrate(engine: Engine) -> None:
    with reading(engine) as connection:
        if _version(connection) == newest_version():
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_OF_MIGRATIONS})
        version = _version(connection)
        if version is not None and version > newest_version():
            raise Damaged("store.newer_database", found=version, known=newest_version())
        if version != newest_version():
            _upgrade(connection)


@cache
def newest_version() -> str:
    """The number of the last migration shipped: its file begins with it and names it as its revision."""
    return max(path.name[:4] for path in MIGRATIONS.glob("[0-9]*_*.py"))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if version is None else str(version)


def _upgrade(connection: Connection, version: str = "head") -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS)])

    def steps(revision: Any, _: Any) -> Any:
        return script._upgrade_revs(version, revision)

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says, not where the driver guesses
    _write_ahead(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")  # acknowledged means on the disk


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; SQLite does not wait for a lock here, so that two first starts must be told to."""
    give_up = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone() not in {("wal",), ("memory",)}:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    reading_only = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading_only else "BEGIN IMMEDIATE")
