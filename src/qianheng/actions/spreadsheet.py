"""Write a table to XLSX or CSV so that a spreadsheet opens it as meant: numbers as numbers, ids as text."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from qianheng.core.errors import BadInput

Value = str | int | Decimal | None


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> None:
    """Write the table, its form told by the suffix; a file there before is replaced at once or not at all.

    Text stays text, so no cell is ever run as a formula. Another suffix, or a place that cannot be written: BadInput.
    """
    writers = {".xlsx": _xlsx, ".csv": _csv}
    if path.suffix.lower() not in writers:
        raise BadInput("reports.export_suffix", place=str(path))
    content = writers[path.suffix.lower()](columns, rows)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        raise BadInput("reports.export_failed", place=str(path), why=error.strerror or error) from None


def _xlsx(columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> bytes:
    import xlsxwriter

    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, columns, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        for i, row in enumerate(rows, 1):
            for j, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(i, j, value)
                elif value is not None:
                    sheet.write_number(i, j, value)
    return made.getvalue()


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> bytes:
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(columns)
    writer.writerows([_inert(value) for value in row] for row in rows)
    return made.getvalue().encode("utf-8-sig")  # with its mark, or a Chinese spreadsheet takes it for GBK


def _inert(value: Value) -> Value:
    """Text that a spreadsheet would run as a formula, or an id it would round, is marked as text."""
    if not isinstance(value, str):
        return value
    rounded = value.isdigit() and len(value) > 11
    return f"\t{value}" if rounded or value.startswith(("=", "+", "-", "@", "\t")) else value
