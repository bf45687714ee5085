"""The lake of facts: Parquet files that nobody sees before their row in the manifest is committed (SPEC 15.1).

A file is written whole, synced and named by its content; its manifest row belongs to the caller's SQL transaction, so
facts become visible together with what depends on them, or not at all. Every fact is in the lake once, so that queries
need no de-duplication: it is kept out when written. Files never change; late facts make a file of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import DAY, HOUR, microseconds
from qianheng.core.errors import Damaged
from qianheng.facts.batch import NO_FACTS, FactBatch, having, unique
from qianheng.facts.schema import Kind
from qianheng.store import events
from qianheng.store.database import Sequence as RowNumber
from qianheng.store.database import metadata
from qianheng.store.files import write_whole
from qianheng.store.remembered import Remembered

FACT_FILE = sa.Table(
    "fact_file",
    metadata,
    sa.Column("sequence", RowNumber, primary_key=True),
    sa.Column("path", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False, index=True),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("first_id", sa.BigInteger, nullable=False),
    sa.Column("last_id", sa.BigInteger, nullable=False),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
)

REMEMBERED = timedelta(days=35)  # longer than any refund window and the judgement after it
_MONEY = frozenset({Kind.CHARGE, Kind.ORDER, Kind.REFUND})
_EPOCH = date(1970, 1, 1)
_ROWS_A_GROUP = 131_072
_LOCK_OF_LAKE = 7_242_091_318
_MEMORY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A row of the manifest: a file of facts of one kind received on one day, and the range of their ids and times."""

    path: str
    kind: Kind
    day: date
    rows: int
    bytes: int
    first_id: int
    last_id: int
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Lately:
    """The last of what happened: since a time (UTC microseconds), with facts that nobody keeps yet."""

    since: int = 0
    news: FactBatch = NO_FACTS

    def concerns(self, file: FileEntry) -> bool:
        """Whether a file tells of it. Of rooms each does: the last event tells who is on air, however long ago."""
        return file.last_at >= self.since or file.kind is Kind.LIVE


@dataclass(frozen=True)
class Lake:
    """A folder of facts and how DuckDB may read it. `memory` is its limit ("512MB"); beyond it spills to the folder.

    A receive day begins `day_offset` microseconds before midnight UTC; it only names files.
    """

    folder: Path
    memory: str = "512MB"
    threads: int = 2
    day_offset: int = 8 * HOUR

    def add(self, connection: Connection, batch: FactBatch) -> list[FileEntry]:
        """Write the facts that the lake does not have yet; they are there once the caller's transaction commits.

        A fact known by its id is left out: for good if it says the same time, for at least `REMEMBERED` in any case.
        """
        _lock(connection)
        entries = [
            self._write(kind, day, facts)
            for kind, told in batch.tables.items()
            for day, facts in self._by_receive_day(self._new(connection, kind, unique(told)))
        ]
        if entries:
            connection.execute(sa.insert(FACT_FILE), [asdict(entry) for entry in entries])
        return entries

    def compact(self, connection: Connection) -> list[FileEntry]:
        """Move the log into the lake, each fact once, all in the caller's transaction."""
        return self.add(connection, events.take(connection))

    def query(
        self,
        connection: Connection,
        query: str,
        as_of: datetime | None = None,
        after: int = 0,
        lately: Lately | None = None,
    ) -> pa.Table:
        """Ask the facts in lake and log, as `connection` sees them, by SQL.

        Each kind is a view: impressions, clicks, charges, orders, refunds, lives. With `as_of`: what had been received
        before that time; with `after`: only the files after that one of the manifest, and the log; with `lately`: files
        of before are left out and news are there. A file that is missing or cut short: Damaged.
        """
        lately = lately or Lately()
        logged = events.read(connection)
        until = microseconds(as_of) if as_of else None
        cursor = self._duckdb.cursor()
        try:
            for kind in (kind for kind in Kind if f"{kind}s" in query):
                news = self._new(connection, kind, unique(logged[kind]))
                held, files = self._apart(filter(lately.concerns, self.files(connection, kind, after)))
                facts = _known(pa.concat_tables([news, lately.news[kind], *held], promote_options="default"), until)
                cursor.register(f"held_{kind}" if files else f"{kind}s", facts)
                if files:
                    cursor.execute(f"CREATE TEMP VIEW {kind}s AS {_with_files(f'held_{kind}', files, until)}")
            return _answer(cursor.sql(query))
        finally:
            cursor.close()

    def through(self, connection: Connection) -> int:
        """The number of the last file in the manifest; 0 while there is none."""
        return connection.scalar(sa.select(sa.func.max(FACT_FILE.c.sequence))) or 0

    def files(self, connection: Connection, kind: Kind, after: int = 0) -> list[FileEntry]:
        """The files of a kind that `connection` sees, oldest first; only those after one of the manifest if asked."""
        columns = [FACT_FILE.c[column.name] for column in fields(FileEntry)]
        wanted = (FACT_FILE.c.kind == kind.value, FACT_FILE.c.sequence > after)
        query = sa.select(*columns).where(*wanted).order_by(FACT_FILE.c.sequence)
        return [FileEntry(path, Kind(name), *rest) for path, name, *rest in connection.execute(query)]

    def sweep(self, connection: Connection) -> list[Path]:
        """Remove the files that no transaction made visible (its process died); those removed."""
        _lock(connection)
        known = set(connection.scalars(sa.select(FACT_FILE.c.path)))
        orphans = [
            path for path in self.folder.rglob("*.parquet*") if path.relative_to(self.folder).as_posix() not in known
        ]
        for path in orphans:
            path.unlink()
        return orphans

    @cached_property
    def _duckdb(self) -> duckdb.DuckDBPyConnection:
        spill = self.folder / ".spill"
        spill.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(
            ":memory:",
            config={
                "memory_limit": self.memory,
                "threads": self.threads,
                "temp_directory": str(spill),
                "preserve_insertion_order": False,
                "parquet_metadata_cache": True,  # files never change
                "autoinstall_known_extensions": False,
            },
        )

    @cached_property
    def _remembered(self) -> Remembered:
        return Remembered(_MEMORY)

    def _apart(self, files: Iterable[FileEntry]) -> tuple[list[pa.Table], list[str]]:
        """The contents of the files that are remembered, and the paths of the others."""
        paths = {entry.path: self._whole(entry) for entry in files}
        held = {path: found for path in paths if (found := self._remembered.of(path)) is not None}
        return list(held.values()), [whole for path, whole in paths.items() if path not in held]

    def _whole(self, entry: FileEntry) -> str:
        path = self.folder / entry.path
        if not path.exists() or path.stat().st_size != entry.bytes:
            raise Damaged("store.file_damaged", place=str(path), bytes=entry.bytes)
        return str(path)

    def _new(self, connection: Connection, kind: Kind, facts: pa.Table) -> pa.Table:
        """Those facts (each there once) that the lake does not have."""
        if not facts.num_rows:
            return facts
        held, files = self._apart([entry for entry in self.files(connection, kind) if _may_hold(entry, facts)])
        told = facts["id"].to_numpy()
        known = [self._among(facts, files), *(one["id"].to_numpy() for one in held)]
        return having(facts, ~_few_among_many(told, np.concatenate(known)))

    def _among(self, facts: pa.Table, files: Sequence[str]) -> npt.NDArray[np.int64]:
        """The ids of those facts that some files hold."""
        if not files:
            return np.zeros(0, np.int64)
        cursor = self._duckdb.cursor()
        try:
            cursor.register("told", facts.select(["id"]))
            semijoin = "SELECT DISTINCT id FROM read_parquet($paths) WHERE id IN (SELECT id FROM told)"
            return _answer(cursor.sql(semijoin, params={"paths": files}))["id"].to_numpy()
        finally:
            cursor.close()

    def _by_receive_day(self, facts: pa.Table) -> Iterator[tuple[date, pa.Table]]:
        days = (facts["received_at"].to_numpy() + self.day_offset) // DAY
        for day in np.unique(days):
            yield _EPOCH + timedelta(days=int(day)), facts.filter(pa.array(days == day))

    def _write(self, kind: Kind, day: date, facts: pa.Table) -> FileEntry:
        sink = pa.BufferOutputStream()
        pq.write_table(facts, sink, compression="zstd", row_group_size=_ROWS_A_GROUP)
        content = sink.getvalue()
        name = blake2b(content, digest_size=16).hexdigest()
        path = Path(kind) / day.isoformat() / f"{name}.parquet"
        write_whole(self.folder / path, content)
        self._remembered.keep(path.as_posix(), facts)
        ids, at = facts["id"].to_numpy(), facts["at"].to_numpy()
        ranges = [int(bound) for bound in (ids.min(), ids.max(), at.min(), at.max())]
        return FileEntry(path.as_posix(), kind, day, facts.num_rows, content.size, *ranges)


def _may_hold(entry: FileEntry, facts: pa.Table) -> bool:
    """Whether a file may hold one of these facts: some id in its range, and their time in it or money told of late."""
    ids, at, received = (facts[name].to_numpy() for name in ("id", "at", "received_at"))
    if ids.max() < entry.first_id or entry.last_id < ids.min():
        return False
    told = _EPOCH + timedelta(microseconds=int(received.min()))
    of_late = entry.kind in _MONEY and entry.day >= told - REMEMBERED
    return of_late or bool(at.min() <= entry.last_at and entry.first_at <= at.max())


def _few_among_many(told: npt.NDArray[np.int64], known: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of a few ids (each there once) are among many, without sorting the many."""
    order = np.argsort(told)
    place = np.searchsorted(told, known, sorter=order)
    near = order[np.minimum(place, len(told) - 1)]
    found = np.zeros(len(told), np.bool_)
    found[near[told[near] == known]] = True
    return found


def _known(facts: pa.Table, until: int | None) -> pa.Table:
    """What of these facts had been received before a time, if one is given; often all of them, which costs nothing."""
    return facts if until is None else having(facts, facts["received_at"].to_numpy() < until)


def _with_files(held: str, paths: Sequence[str], until: int | None) -> str:
    """SQL for all facts of a kind: those held in memory and those of files, which are others, as known at a time.

    A column that a file of an older version does not have is null there.
    """
    quoted = ", ".join(map(_quoted, paths))
    told = f"read_parquet([{quoted}], hive_partitioning = false, union_by_name = true)"
    known = "" if until is None else f"WHERE received_at < {until}"
    return f"SELECT * FROM {held} UNION ALL BY NAME SELECT * FROM {told} {known}"


def _answer(found: Any) -> pa.Table:
    answer: pa.Table = found.to_arrow_table()
    return answer


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _lock(connection: Connection) -> None:
    """One writer at a time; SQLite has no other."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_OF_LAKE)))
