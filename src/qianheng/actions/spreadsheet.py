"""Write a table to XLSX, CSV or Parquet so that it opens as meant: numbers as numbers, ids as text.

Rows are written as they come, in the same memory however many there are.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from qianheng.core.commas import inert
from qianheng.core.errors import BadInput

Value = str | int | Decimal | None
Rows = Iterable[Sequence[Value]]
SHEET_ROWS = 1_048_576  # a spreadsheet has no more
ROWS_AT_ONCE = 10_000
_KINDS = {int: pa.int64(), Decimal: pa.decimal128(26, 6)}


def write_table(path: Path, columns: Sequence[str], rows: Rows) -> int:
    """Write the table, its form told by the suffix, and tell how many rows it has; a file there before is replaced at
    once or not at all.

    Text stays text, so no cell is ever run as a formula. Another suffix, a place that cannot be written, or more rows
    than a spreadsheet holds: BadInput.
    """
    writers = {".xlsx": _xlsx, ".csv": _csv, ".parquet": _parquet}
    if path.suffix.lower() not in writers:
        raise BadInput("reports.export_suffix", place=str(path))
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    counted = _Counted(rows)
    try:
        writers[path.suffix.lower()](unfinished, columns, counted)
        unfinished.replace(path)
    except OSError as error:
        raise BadInput("reports.export_failed", place=str(path), why=error.strerror or error) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return counted.count


class _Counted:
    """Rows that are counted as they go by."""

    def __init__(self, rows: Rows) -> None:
        self._rows, self.count = rows, 0

    def __iter__(self) -> Iterator[Sequence[Value]]:
        for row in self._rows:
            self.count += 1
            yield row


def _xlsx(path: Path, columns: Sequence[str], rows: Rows) -> None:
    import xlsxwriter

    with path.open("wb") as file, xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, columns, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        for i, row in enumerate(rows, 1):
            if i == SHEET_ROWS:
                raise BadInput("reports.export_too_long", place=str(path), most=f"{SHEET_ROWS - 1:,}")
            for j, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(i, j, value)
                elif value is not None:
                    sheet.write_number(i, j, value)


def _csv(path: Path, columns: Sequence[str], rows: Rows) -> None:
    with path.open(
        "w", encoding="utf-8-sig", newline=""
    ) as file:  # its mark, or a Chinese spreadsheet takes it for GBK
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([inert(value) for value in row] for row in rows)


def _parquet(path: Path, columns: Sequence[str], rows: Rows) -> None:
    """A column is of numbers if the first rows have numbers in it, else text."""
    rest = iter(rows)
    first = list(islice(rest, ROWS_AT_ONCE))
    kinds = [_kind(values) for values in zip(*first, strict=True)] or [pa.string()] * len(columns)
    schema = pa.schema(list(zip(columns, kinds, strict=True)))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while first:
            writer.write_table(_table(first, schema))
            first = list(islice(rest, ROWS_AT_ONCE))


def _kind(values: Sequence[Value]) -> Any:
    return next((_KINDS.get(type(value), pa.string()) for value in values if value is not None), pa.string())


def _table(rows: Sequence[Sequence[Value]], schema: pa.Schema) -> pa.Table:
    cells = zip(*rows, strict=True)
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(cells, schema, strict=True)], schema=schema
    )
