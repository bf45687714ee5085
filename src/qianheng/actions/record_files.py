"""Import the record files a merchant holds beside reports: shop orders, after-sales, the log of what was done."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from qianheng.core.days import SHANGHAI, microseconds
from qianheng.core.ids import stable_id
from qianheng.store import records as stored_records
from qianheng.vendors.exports import Export, Reading, record_export
from qianheng.vendors.records import read_records, record_heading
from qianheng.vendors.sheets import Sheet


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file: its name, the digest of its content, its sheets."""

    name: str
    digest: str
    sheets: list[Sheet]


@dataclass(frozen=True, slots=True)
class ToldRecords:
    """What became of a record file: as read, stored now, or known before."""

    export: Export
    stored: bool
    known: bool


def import_records(engine: Engine, file: FileRead, reading: Reading, skip_bad_rows: bool) -> ToldRecords | None:
    """Import a record file whole, or not at all; `None` if it is no record file we know.

    The same file twice changes nothing; of one record, the file imported last stands.
    """
    heading = record_heading(file.sheets)
    if heading is None:
        return None
    timezone = reading.timezone or SHANGHAI
    read = read_records(heading, file.name, timezone, reading.period)
    told = record_export(read, timezone)
    if read.rejected and not skip_bad_rows:
        return ToldRecords(told, stored=False, known=False)
    kept = stored_records.RecordFile(
        id=stable_id("records", file.digest, timezone, read.period),
        name=file.name,
        kind=read.kind,
        timezone=timezone,
        period=read.period,
        imported_at=microseconds(reading.now),
    )
    with engine.begin() as connection:
        new = stored_records.save(connection, kept, read.records)
    return ToldRecords(told, stored=new, known=not new)
