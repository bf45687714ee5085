"""A report as a merchant exported it → typed rows. What cannot be believed is rejected with its line and reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from qianheng.core.days import SHANGHAI, midnight
from qianheng.core.money import yuan
from qianheng.core.words import say
from qianheng.measures.reports import FIGURES, MONEY, Figures, ReportKind, ReportRow, add
from qianheng.vendors import cells
from qianheng.vendors.heading import Heading, find_heading, period_in
from qianheng.vendors.lines import Line, Rejected, Span, is_total, read_line, total_of
from qianheng.vendors.sheets import Sheet, read_sheets

_WINDOWS = (("settled_gmv_7d", 7), ("settled_gmv_14d", 14))


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read: the time now (figures of an open window are not known yet), the zone of the days, the period if the
    person states it."""

    now: datetime
    timezone: str = SHANGHAI
    period: Span | None = None


@dataclass(frozen=True, slots=True)
class TotalRow:
    """The vendor's own total, never counted; `differences` are (column, total, sum of the rows)."""

    row: int
    differences: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Export:
    """One file read: its rows, and everything a person should know about what was not taken.

    `lines` are the rows of the file that were taken; a live board has more of them than `rows`, see `_sessions`.
    """

    layout: str
    kind: ReportKind
    period: Span | None
    rows: tuple[ReportRow, ...]
    lines: int
    rejected: tuple[Rejected, ...]
    ignored_columns: tuple[str, ...]
    totals: tuple[TotalRow, ...]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Body:
    """The lines of a file sorted into what they are."""

    taken: list[tuple[int, ReportRow]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    totals: list[tuple[int, Figures, Span | None]] = field(default_factory=list)
    doubts: dict[str, list[tuple[int, str]]] = field(default_factory=dict)


def read_export(file_name: str, content: bytes, reading: Reading) -> Export:
    """Read a vendor's report. `file_name` may tell the period. No report that we know, or unreadable: BadInput."""
    sheet, heading = find_heading(read_sheets(content))
    span = reading.period or period_in(file_name)
    body = _body(sheet, heading, span)
    rows, repeated = _without_repetitions(_daily(body.taken))
    totals = tuple(_compare(total, rows, heading) for total in body.totals)
    rows, immature = _mature(_sessions(rows) if heading.layout.cumulative else rows, reading)
    return Export(
        layout=heading.layout.name,
        kind=ReportKind(heading.layout.kind),
        period=span or _span_of(rows),
        rows=tuple(rows),
        lines=len(body.taken) - len(repeated),
        rejected=tuple(sorted([*body.rejected, *repeated], key=lambda fault: fault.row)),
        ignored_columns=heading.ignored,
        totals=totals,
        warnings=(*heading.warnings, *_told(body, totals), *immature),
    )


def _body(sheet: Sheet, heading: Heading, span: Span | None) -> _Body:
    body = _Body()
    for number, row in enumerate(sheet.rows[heading.row :], heading.row + 1):
        if all(not cells.text(cell) for cell in row) or heading.repeats_in(row):
            continue
        if is_total(row, heading):
            figures, when = total_of(row, heading)
            body.totals.append((number, figures, when[:2] if when else None))
        else:
            _sort_in(body, read_line(number, sheet, heading, span))
    return body


def _sort_in(body: _Body, line: Line) -> None:
    body.rejected.extend(line.faults)
    if line.row is not None:
        body.taken.append((line.number, line.row))
        for key, sentence in line.doubts:
            body.doubts.setdefault(key, []).append((line.number, sentence))


def _daily(taken: list[tuple[int, ReportRow]]) -> list[tuple[int, ReportRow]]:
    """Days written as midnight are days; only a file that names other hours too is hourly."""
    if any(row.hour for _, row in taken):
        return taken
    return [(number, row if row.hour is None else replace(row, hour=None)) for number, row in taken]


def _without_repetitions(taken: list[tuple[int, ReportRow]]) -> tuple[list[ReportRow], list[Rejected]]:
    """One id has one line a period: a second one would count twice, or contradicts the first; either way it is told.

    Lines without an id share a name by chance, so only the very same line is a repetition; live boards repeat anyway.
    """
    seen: dict[object, int] = {}
    rows: list[ReportRow] = []
    rejected: list[Rejected] = []
    for number, row in taken:
        key = row.key if row.entity_id else (row.key, row.figures)
        if row.kind is not ReportKind.LIVE and key in seen:
            rejected.append(Rejected(number, None, row.entity_id or row.name, say("vendors.repeated", row=seen[key])))
        else:
            seen[key] = number
            rows.append(row)
    return _apart(rows), rejected


def _apart(rows: list[ReportRow]) -> list[ReportRow]:
    """Lines without an id that share name and period are told apart by their order."""
    counted: dict[object, int] = {}
    apart = []
    for row in rows:
        counted[row.key] = nth = counted.get(row.key, 0) + 1
        alike = nth > 1 and row.kind is not ReportKind.LIVE
        apart.append(replace(row, within=f"{row.within}#{nth}") if alike else row)
    return apart


def _sessions(rows: list[ReportRow]) -> list[ReportRow]:
    """The last line of each live session. Spend that falls, or another room or day, begins a new session."""
    last: list[ReportRow] = []
    for row in rows:
        row = replace(row, hour=None)
        before = last[-1] if last else None
        if before and before.key == row.key and (before.figures.spend or 0) <= (row.figures.spend or 0):
            last[-1] = row
        else:
            last.append(row)
    numbered: dict[object, int] = {}
    for i, row in enumerate(last):
        numbered[row.key] = nth = numbered.get(row.key, 0) + 1
        last[i] = replace(row, within=f"{row.within}#{nth}") if nth > 1 else row
    return last


def _compare(total: tuple[int, Figures, Span | None], rows: list[ReportRow], heading: Heading) -> TotalRow:
    number, stated, span = total
    sums = add(row.figures for row in rows if span is None or (row.first, row.last) == span)
    differences = []
    for name in FIGURES:
        column, expected, actual = heading.column_of(name), getattr(stated, name), getattr(sums, name)
        if column and expected is not None and expected != (actual or 0):
            told = [yuan(value or 0) if name in MONEY else str(value or 0) for value in (expected, actual)]
            differences.append((column, told[0], told[1]))
    return TotalRow(number, tuple(differences))


def _mature(rows: Iterable[ReportRow], reading: Reading) -> tuple[list[ReportRow], list[str]]:
    """Settled figures are not known until their window has closed (SPEC 1): until then what the vendor shows moves."""
    matured, waiting = [], 0
    for row in rows:
        known = [(name, days) for name, days in _WINDOWS if getattr(row.figures, name) is not None]
        early = [name for name, days in known if _open(row, days, reading)]
        waiting += bool(early)
        matured.append(replace(row, figures=replace(row.figures, **dict.fromkeys(early))) if early else row)
    return matured, [say("vendors.window_open", rows=waiting)] if waiting else []


def _open(row: ReportRow, days: int, reading: Reading) -> bool:
    return row.last is None or reading.now < midnight(row.last + timedelta(days=days + 1), reading.timezone)


def _told(body: _Body, totals: Iterable[TotalRow]) -> list[str]:
    doubts = body.doubts.values()
    warnings = [say("vendors.doubt", rows=len(found), row=found[0][0], what=found[0][1]) for found in doubts]
    for total in totals:
        for column, stated, summed in total.differences:
            warnings.append(say("vendors.total_differs", row=total.row, column=column, total=stated, sum=summed))
    return warnings


def _span_of(rows: Iterable[ReportRow]) -> Span | None:
    days = [(row.first, row.last) for row in rows if row.first and row.last]
    return (min(first for first, _ in days), max(last for _, last in days)) if days else None
