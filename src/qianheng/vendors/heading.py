"""Where a report begins: its header row, which report of which platform it is, and what the lines before it tell."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from qianheng.core.errors import BadInput
from qianheng.core.words import say
from qianheng.vendors.cells import Cell, text
from qianheng.vendors.layouts import Column, Country, Layout, Platform, column_key, column_name, platforms
from qianheng.vendors.sheets import Sheet

ROWS_OF_NOTES_AT_MOST = 30
Span = tuple[date, date]

_DAY = r"(20\d{2})[-_.]?(\d{2})[-_.]?(\d{2})(?:[ _T]\d{2}[_:]\d{2}[_:]\d{2})?"
_PERIOD = re.compile(rf"(?<!\d){_DAY}\s*(?:to|[-_~至])+\s*{_DAY}(?!\d)")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\s*(?:-|~|至)\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})\s*(?:-|~|至)\s*(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})")


@dataclass(frozen=True, slots=True)
class Heading:
    """The header of a report: its row, its cells up to the last named one, and the known columns by place from 1.

    `span` and `country` are what the lines before it tell, if they do.
    """

    platform: Platform
    layout: Layout
    row: int
    names: tuple[str, ...]
    columns: dict[int, tuple[str, Column]]
    warnings: tuple[str, ...] = ()
    span: Span | None = None
    country: Country | None = None

    @property
    def known_as(self) -> tuple[str, str]:
        """The names of its platform and its layout."""
        return self.platform.name, self.layout.name

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
        return len(row) >= self.width and all(column_key(text(cell)) == column_key(name) for cell, name in pairs)


def find_heading(sheets: list[Sheet]) -> tuple[Sheet, Heading]:
    """The first sheet with a header we know, and that header. None: BadInput that names the nearest report and what
    it lacks."""
    for sheet in sheets:
        for number, row in enumerate(sheet.rows[:ROWS_OF_NOTES_AT_MOST], 1):
            names = names_of(row)
            if found := _recognised(names):
                others = [other.name for other in sheets if other is not sheet]
                warnings = [say("vendors.other_sheets", names=", ".join(others))] if others else []
                notes = [text(cell) for above in sheet.rows[: number - 1] for cell in above]
                return sheet, Heading(
                    *found,
                    row=number,
                    names=tuple(names),
                    columns=columns_of(found[0], names),
                    warnings=tuple(warnings),
                    span=_span_in(found[0], notes),
                    country=_country_in(found[0], notes),
                )
    layout, lacking = nearest(sheets)
    raise BadInput("vendors.columns_missing", layout=say(f"vendors.layout.{layout.name}"), columns=", ".join(lacking))


def nearest(sheets: list[Sheet]) -> tuple[Layout, list[str]]:
    """The report that the file is most like, by the columns it knows, and the columns that it lacks of it. Like none:
    BadInput."""
    rows = [names_of(row) for sheet in sheets for row in sheet.rows[:ROWS_OF_NOTES_AT_MOST]]
    known = [(len(columns_of(platform, names)), platform, names) for names in rows for platform in platforms().values()]
    count, platform, names = max(known, key=lambda entry: entry[0])
    if not count:
        raise BadInput("vendors.no_report")
    return min(platform.lacking(names), key=lambda entry: len(entry[1]) / len(entry[0].needs))


def period_in(file_name: str) -> Span | None:
    """The period that the vendor writes into the file name ("…2026-06-01 00_00_00-2026-06-07 23_59_59-…")."""
    return _span(_PERIOD.search(file_name))


def names_of(row: list[Cell]) -> list[str]:
    """A row as a header: its names up to the last one."""
    names = [column_name(text(cell)) for cell in row]
    while names and not names[-1]:
        names.pop()
    return names


def columns_of(platform: Platform, names: Iterable[str]) -> dict[int, tuple[str, Column]]:
    """The columns of a header that a platform knows, by place from 1: as written, and what they are."""
    known = {place: (name, platform.known.get(column_key(name))) for place, name in enumerate(names, 1)}
    return {place: (name, platform.columns[own]) for place, (name, own) in known.items() if own}


def _recognised(names: list[str]) -> tuple[Platform, Layout] | None:
    for platform in platforms().values():
        if layout := platform.recognise(names):
            return platform, layout
    return None


def _span_in(platform: Platform, notes: list[str]) -> Span | None:
    """The period told before the header: in the cell after its name, or after a colon."""
    words = {column_key(word) for word in platform.notes.period}
    for cell, after in itertools.zip_longest(notes, notes[1:], fillvalue=""):
        name, _, told = cell.replace("：", ":").partition(":")
        if column_key(name) in words:
            written = told.strip() or after
            if platform.day_first and (match := _DAY_FIRST.search(written)):
                day, month, year, to_day, to_month, to_year = match.groups()
                return _between((year, month, day), (to_year, to_month, to_day))
            return _span(_YEAR_FIRST.search(written))
    return None


def _country_in(platform: Platform, notes: list[str]) -> Country | None:
    told = [note.casefold() for note in notes]
    found = (country for name, country in platform.countries.items() if any(name.casefold() in one for one in told))
    return next(found, None)


def _span(match: re.Match[str] | None) -> Span | None:
    return _between(match.groups()[:3], match.groups()[3:]) if match else None


def _between(first: tuple[str, ...], last: tuple[str, ...]) -> Span | None:
    try:
        begun, ended = (date(int(year), int(month), int(day)) for year, month, day in (first, last))
    except ValueError:
        return None
    return (begun, ended) if begun <= ended else None
