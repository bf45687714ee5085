"""Where a report begins: its header row, which report it is, and the period in its file name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from qianheng.core.errors import BadInput
from qianheng.core.words import say
from qianheng.vendors.cells import Cell, text
from qianheng.vendors.layouts import Column, Layout, column_name, layouts
from qianheng.vendors.sheets import Sheet

ROWS_OF_NOTES_AT_MOST = 30
_PERIOD = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ _T]\d{2}[_:]\d{2}[_:]\d{2})?[-_~至]+(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, slots=True)
class Heading:
    """The header of a report: its row, its cells up to the last named one, and the known columns by place from 1."""

    layout: Layout
    row: int
    names: tuple[str, ...]
    columns: dict[int, tuple[str, Column]]
    warnings: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many cells a whole line has."""
        return len(self.names)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The columns no layout knows; their cells are kept beside the rows."""
        return tuple(name for place, name in enumerate(self.names, 1) if name and place not in self.columns)

    def column_of(self, field: str) -> str | None:
        """The vendor's name of the column that holds a field of ours."""
        return next((name for name, column in self.columns.values() if column.field == field), None)

    def repeats_in(self, row: list[Cell]) -> bool:
        """Whether a line is the header once more, as in files put together by hand."""
        pairs = zip(row, self.names, strict=False)
        return len(row) >= self.width and all(column_name(text(cell)) == name for cell, name in pairs)


def find_heading(sheets: list[Sheet]) -> tuple[Sheet, Heading]:
    """The first sheet with a header we know, and that header. None: BadInput that names the nearest report and what
    it lacks."""
    for sheet in sheets:
        for number, row in enumerate(sheet.rows[:ROWS_OF_NOTES_AT_MOST], 1):
            names = _names(row)
            if layout := layouts().recognise(names):
                others = [other.name for other in sheets if other is not sheet]
                warnings = [say("vendors.other_sheets", names=", ".join(others))] if others else []
                return sheet, Heading(layout, number, tuple(names), _columns(names), tuple(warnings))
    rows = [_names(row) for sheet in sheets for row in sheet.rows[:ROWS_OF_NOTES_AT_MOST]]
    best = max(rows, key=lambda names: sum(name in layouts().columns for name in names))
    if not any(name in layouts().columns for name in best):
        raise BadInput("vendors.no_report")
    layout, lacking = layouts().nearest(best)
    raise BadInput("vendors.columns_missing", layout=say(f"vendors.layout.{layout.name}"), columns=", ".join(lacking))


def period_in(file_name: str) -> tuple[date, date] | None:
    """The period that the vendor writes into the file name ("…2026-06-01 00_00_00-2026-06-07 23_59_59-…")."""
    match = _PERIOD.search(file_name)
    try:
        first, last = (date.fromisoformat(day) for day in match.groups()) if match else (None, None)
    except ValueError:
        return None
    return (first, last) if first and last and first <= last else None


def _names(row: list[Cell]) -> list[str]:
    names = [column_name(text(cell)) for cell in row]
    while names and not names[-1]:
        names.pop()
    return names


def _columns(names: list[str]) -> dict[int, tuple[str, Column]]:
    known = layouts().columns
    return {place: (name, known[name]) for place, name in enumerate(names, 1) if name in known}
