"""A report as a merchant exported it → typed rows. What cannot be believed is rejected with its line and reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from qianheng.core.days import midnight
from qianheng.core.errors import BadInput
from qianheng.core.money import yuan
from qianheng.core.words import say
from qianheng.measures.reports import FIGURES, MONEY, Figures, ReportKind, ReportRow, add
from qianheng.vendors import cells
from qianheng.vendors.heading import Heading, Span, find_heading, period_in
from qianheng.vendors.lines import Line, Rejected, Table, is_total, part_of, read_line, total_of
from qianheng.vendors.records import RecordFile, RecordKind, not_understood
from qianheng.vendors.sheets import Sheet, read_sheets

TEXTS_SHOWN = 5
LAST_TO_SEE_A_DAY = "Etc/GMT+12"  # where a day ends last; no window is taken for closed too early
_WINDOWS = (("settled_gmv_7d", 7), ("settled_gmv_14d", 14))


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read: the time now (figures of an open window are not known yet), and what the person states of the
    report: the zone of its days, its period, its currency. What is not stated, the report or its platform says."""

    now: datetime
    timezone: str = ""
    period: Span | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class TotalRow:
    """The vendor's own total, never counted; `differences` are (column, total, sum of the rows)."""

    row: int
    differences: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Export:
    """One file read: its rows, and everything a person should know about what was not taken.

    `lines` are the rows of the file that were taken; a live board has more of them than `rows`, see `_sessions`.
    `timezone` is that of its days, "" where nothing tells it.
    """

    platform: str
    layout: str
    kind: ReportKind | RecordKind
    period: Span | None
    timezone: str
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
    return read_report(file_name, read_sheets(content), reading)


def record_export(read: RecordFile, timezone: str) -> Export:
    """A record file as what a person is told of any file."""
    texts = not_understood(read.records)
    unknown = [say("records.not_understood", count=len(texts), texts=" | ".join(texts[:TEXTS_SHOWN]))] if texts else []
    return Export(
        platform=read.kind.platform,
        layout=read.kind,
        kind=read.kind,
        period=read.period,
        timezone=timezone,
        rows=(),
        lines=read.lines,
        rejected=read.rejected,
        ignored_columns=read.ignored_columns,
        totals=(),
        warnings=(*read.warnings, *unknown),
    )


def read_report(file_name: str, sheets: list[Sheet], reading: Reading) -> Export:
    """`read_export` of a file whose sheets have been read."""
    sheet, heading = find_heading(sheets)
    span = reading.period or heading.span or period_in(file_name)
    body = _body(Table(sheet, heading, span, _currency(heading, reading)))
    rows, repeated = _without_repetitions(_daily(body.taken), heading)
    totals = tuple(_compare(total, rows, heading) for total in body.totals)
    timezone, assumed = _zone(heading, rows, reading)
    rows, immature = _mature(_sessions(rows) if heading.layout.cumulative else rows, reading.now, timezone)
    return Export(
        platform=heading.platform.name,
        layout=heading.layout.name,
        kind=ReportKind(heading.layout.kind),
        period=span or _span_of(rows),
        timezone=timezone,
        rows=tuple(rows),
        lines=len(body.taken) - len(repeated),
        rejected=tuple(sorted([*body.rejected, *repeated], key=lambda fault: fault.row)),
        ignored_columns=heading.ignored,
        totals=totals,
        warnings=(*heading.warnings, *_empty(body), *assumed, *_told(body, totals), *immature),
    )


def _empty(body: _Body) -> list[str]:
    return [] if body.taken or body.rejected else [say("vendors.no_rows")]


def _currency(heading: Heading, reading: Reading) -> str:
    """The money of the report's lines where they do not say: as stated, else of its country or platform. None at all:
    BadInput."""
    told = heading.country.currency if heading.country else heading.platform.currency
    if not reading.currency and not told and not heading.column_of("currency"):
        raise BadInput("vendors.no_currency")
    return reading.currency or told


def _zone(heading: Heading, rows: Iterable[ReportRow], reading: Reading) -> tuple[str, list[str]]:
    """The zone of the report's days: as stated, else of its platform or country, else assumed by its money and told."""
    known = reading.timezone or (heading.country.timezone if heading.country else heading.platform.timezone)
    zones = {heading.platform.timezones.get(row.currency, "") for row in rows}
    likely = next(iter(zones)) if len(zones) == 1 else ""
    return known or likely, [say("vendors.zone_assumed", zone=likely)] if likely and not known else []


def _body(table: Table) -> _Body:
    body, heading, whole = _Body(), table.heading, None
    for number, row in enumerate(table.sheet.rows[heading.row :], heading.row + 1):
        if all(not cells.text(cell) for cell in row) or heading.repeats_in(row):
            continue
        if is_total(row, heading):
            figures, when = total_of(row, heading)
            body.totals.append((number, figures, when[:2] if when else None))
            continue
        line = read_line(number, table)
        if line.row is not None:
            line = replace(line, row=part_of(line.row, whole, heading))
            whole = line.row if line.row and line.row.kind == heading.layout.kind else whole
        _sort_in(body, line)
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


def _without_repetitions(
    taken: list[tuple[int, ReportRow]], heading: Heading
) -> tuple[list[ReportRow], list[Rejected]]:
    """One id has one line a period: a second one would count twice, or contradicts the first; either way it is told.

    Lines without an id share a name by chance, so only the very same line is a repetition. The lines of a live board
    may stand still, yet never come back to what they were.
    """
    seen: dict[object, int] = {}
    rows: list[ReportRow] = []
    rejected: list[Rejected] = []
    for number, row in taken:
        told = row.figures if heading.layout.cumulative or not row.entity_id else None
        key = (row.key, told)
        stands = heading.layout.cumulative and (not row.figures.spend or (rows and rows[-1].figures == row.figures))
        if key in seen and not stands:
            rejected.append(
                Rejected(number, None, row.entity_id or row.name, say("vendors.repeated", row=seen[key]), "repeated")
            )
        else:
            seen[key] = number
            rows.append(row)
    return rows if heading.layout.cumulative else _apart(rows), rejected


def _apart(rows: list[ReportRow]) -> list[ReportRow]:
    """Lines without an id that share name and period are told apart by their order."""
    counted: dict[object, int] = {}
    apart = []
    for row in rows:
        counted[row.key] = nth = counted.get(row.key, 0) + 1
        apart.append(replace(row, within=f"{row.within}#{nth}") if nth > 1 else row)
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
    whole = (row for row in rows if row.kind == heading.layout.kind)
    sums = add(row.figures for row in whole if span is None or (row.first, row.last) == span)
    differences = []
    for name in FIGURES:
        column, expected, actual = heading.column_of(name), getattr(stated, name), getattr(sums, name)
        if column and expected is not None and expected != (actual or 0):
            told = [yuan(value or 0) if name in MONEY else str(value or 0) for value in (expected, actual)]
            differences.append((column, told[0], told[1]))
    return TotalRow(number, tuple(differences))


def _mature(rows: Iterable[ReportRow], now: datetime, timezone: str) -> tuple[list[ReportRow], list[str]]:
    """Settled figures are not known until their window has closed (SPEC 1): until then what the vendor shows moves."""
    matured, waiting = [], 0
    for row in rows:
        known = [(name, days) for name, days in _WINDOWS if getattr(row.figures, name) is not None]
        early = [name for name, days in known if _open(row, days, (now, timezone))]
        waiting += bool(early)
        matured.append(replace(row, figures=replace(row.figures, **dict.fromkeys(early))) if early else row)
    return matured, [say("vendors.window_open", rows=waiting)] if waiting else []


def _open(row: ReportRow, days: int, at: tuple[datetime, str]) -> bool:
    now, timezone = at
    return row.last is None or now < midnight(row.last + timedelta(days=days + 1), timezone or LAST_TO_SEE_A_DAY)


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
