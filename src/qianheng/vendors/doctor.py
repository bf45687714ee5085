"""What is wrong with a report, line by line, and what can be put right without guessing (SPEC 13.1). Nothing is stored.

A finding is told once for all lines it is found in. A repair keeps every figure as it stands: it changes how a file is
written, drops what is there twice, and undoes a split cell only where the vendor's own ratios prove the row.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from qianheng.core.commas import csv_text
from qianheng.core.days import SHANGHAI
from qianheng.core.errors import BadInput
from qianheng.core.words import say
from qianheng.vendors import cells
from qianheng.vendors.cells import Cell
from qianheng.vendors.exports import Export, Reading, read_export, record_export
from qianheng.vendors.heading import ROWS_OF_NOTES_AT_MOST, Heading, find_heading, names_of, nearest, period_in
from qianheng.vendors.layouts import column_key, platforms
from qianheng.vendors.lines import Rejected, Table, read_line
from qianheng.vendors.records import RecordHeading, read_records, record_heading
from qianheng.vendors.sheets import Sheet, decoded, read_sheets

MISREAD = ("cp1252", "latin-1", "gb18030", "big5", "cp437")  # what UTF-8 and GB 18030 are wrongly opened as
PROVED = 2  # so many of the vendor's own ratios have to prove a row that was put together again
LIKE = 0.6  # how much of a name two columns share to be taken for one another (difflib's own measure)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: its key, the lines it was found in (`rows`, the first of them first), the column and an
    example, what it is and what to do. `fixable`: a repaired copy has it put right. `grave`: it is not taken so.
    """

    key: str
    what: str
    remedy: str
    rows: tuple[int, ...] = ()
    column: str | None = None
    value: str = ""
    fixable: bool = False
    grave: bool = True


@dataclass(frozen=True, slots=True)
class Examined:
    """A report as the doctor found it: how it is written, what it was recognised as, what is wrong, a repaired copy.

    `export` is what an import would take of it, `fixed` the bytes of the copy; both `None` where there is none.
    """

    written: str
    findings: tuple[Finding, ...]
    export: Export | None = None
    heading: Heading | RecordHeading | None = None
    fixed: bytes | None = None

    @property
    def healthy(self) -> bool:
        """Whether an import takes the report whole."""
        return not any(finding.grave for finding in self.findings)


@dataclass(slots=True)
class _Copy:
    """A table on its way to being repaired: its rows, and what was put right."""

    rows: list[list[Cell]]
    findings: list[Finding] = field(default_factory=list)


def examine(file_name: str, content: bytes, reading: Reading) -> Examined:
    """Look a report over. Never raises for what is in the file: that is what it tells."""
    try:
        sheets = read_sheets(content)
    except BadInput as error:
        return Examined("", (_finding(error.key.rpartition(".")[2], str(error)),))
    written = sheets[0].written
    if (record := record_heading(sheets)) is not None:
        return _examined_record(file_name, written, record, reading)
    try:
        sheet, heading = find_heading(sheets)
    except BadInput as error:
        return _unrecognised(written, sheets, content, error)
    try:
        export = read_export(file_name, content, reading)
    except BadInput as error:
        return Examined(written, (_finding(error.key.rpartition(".")[2], str(error)),), heading=heading)
    span = reading.period or heading.span or period_in(file_name)
    copy = _repaired(Table(sheet, heading, span, _currency(export)), export.rejected)
    mended = {row for finding in copy.findings if finding.grave for row in finding.rows}
    findings = [*copy.findings, *_grouped(fault for fault in export.rejected if fault.row not in mended)]
    findings += [_finding("noted", warning, grave=False) for warning in export.warnings]
    findings += _unknown_columns(heading)
    fixed = _csv(copy.rows) if copy.findings and not sheet.doubtful else None
    return Examined(written, tuple(findings), export, heading, fixed)


def _examined_record(file_name: str, written: str, heading: RecordHeading, reading: Reading) -> Examined:
    """Orders, after-sales or a log: what an import would reject or leave out. Nothing of it is repaired."""
    timezone = reading.timezone or SHANGHAI
    export = record_export(read_records(heading, file_name, timezone, reading.period), timezone)
    notes = [_finding("noted", warning, grave=False) for warning in export.warnings]
    rejected = (replace(fault, key=fault.key or "record_line") for fault in export.rejected)
    return Examined(written, (*_grouped(rejected), *notes), export, heading)


def _finding(key: str, what: str, grave: bool = True) -> Finding:
    return Finding(key, what, say(f"doctor.remedy.{key}"), grave=grave)


def _currency(export: Export) -> str:
    return next((row.currency for row in export.rows), platforms()[export.platform].currency)


def _grouped(rejected: Iterable[Rejected]) -> list[Finding]:
    """Faults of one kind in one column are one finding."""
    groups: dict[tuple[str, str | None], list[Rejected]] = {}
    for fault in rejected:
        groups.setdefault((fault.key, fault.column), []).append(fault)
    return [
        Finding(
            key,
            faults[0].reason,
            say(f"doctor.remedy.{key}"),
            rows=tuple(fault.row for fault in faults),
            column=column,
            value=faults[0].value,
        )
        for (key, column), faults in groups.items()
    ]


def _unknown_columns(heading: Heading) -> Iterator[Finding]:
    """Columns nobody knows, each beside the known one it is most like, if it is like one."""
    absent = {own for own in heading.platform.columns if own not in heading.platform.canonical(list(heading.names))}
    for name in heading.ignored:
        like = difflib.get_close_matches(name, sorted(absent), n=1, cutoff=LIKE)
        key = "column_like" if like else "column_unknown"
        yield replace(_finding(key, say(f"doctor.{key}", column=name, like="".join(like)), grave=False), column=name)


def _unrecognised(written: str, sheets: list[Sheet], content: bytes, error: BadInput) -> Examined:
    """No header that we know: text opened in the wrong encoding, or another report; which one it is most like."""
    if opened := _misread(content):
        text, encoding = opened
        finding = _finding("mojibake", say("doctor.mojibake", encoding=encoding.upper()))
        return Examined(written, (replace(finding, fixable=True),), fixed=b"\xef\xbb\xbf" + text.encode())
    findings = [_finding(error.key.rpartition(".")[2], str(error))]
    if error.key == "vendors.columns_missing":
        layout, lacking = nearest(sheets)
        rows = [names_of(row) for sheet in sheets for row in sheet.rows[:ROWS_OF_NOTES_AT_MOST]]
        header = max(rows, key=lambda names: sum(column_key(name) in _known() for name in names))
        findings += _renamed(lacking, [name for name in header if name])
        findings.append(_finding("needs", say("doctor.needs", columns=", ".join(layout.needs)), grave=False))
    return Examined(written, tuple(findings))


def _renamed(lacking: Iterable[str], header: list[str]) -> Iterator[Finding]:
    for name in lacking:
        if like := difflib.get_close_matches(name, header, n=1, cutoff=LIKE):
            yield _finding("renamed", say("doctor.renamed", column=name, like=like[0]))


def _known() -> set[str]:
    return {key for platform in platforms().values() for key in platform.known}


def _misread(content: bytes) -> tuple[str, str] | None:
    """The text as it was before it was opened in a wrong encoding and saved, if that gives back every letter."""
    try:
        text, _ = decoded(content)
    except BadInput:
        return None
    for wrong in MISREAD:
        for right in ("utf-8", "gb18030"):
            try:
                once = text.removeprefix("\ufeff").encode(wrong).decode(right)
                find_heading(read_sheets(once.encode()))
            except (UnicodeError, BadInput):
                continue
            return once, wrong
    return None


def _repaired(table: Table, rejected: tuple[Rejected, ...]) -> _Copy:
    """The rows with everything put right that needs no guess."""
    copy = _Copy([list(row) for row in table.sheet.rows])
    dropped = _twice(copy, table, rejected)
    _rejoined(copy, table, rejected)
    _written_plainly(copy, table)
    copy.rows = [row for number, row in enumerate(copy.rows, 1) if number not in dropped]
    return copy


def _twice(copy: _Copy, table: Table, rejected: tuple[Rejected, ...]) -> set[int]:
    """The lines that stand there cell for cell already."""
    seen: set[tuple[str, ...]] = set()
    same = set()
    for number, row in enumerate(table.sheet.rows, 1):
        told = tuple(cells.text(cell) for cell in row)
        if number > table.heading.row and told in seen:
            same.add(number)
        seen.add(told)
    faults = [fault for fault in rejected if fault.key == "repeated" and fault.row in same]
    copy.findings += [replace(finding, fixable=True) for finding in _grouped(faults)]
    return {fault.row for fault in faults}


def _rejoined(copy: _Copy, table: Table, rejected: tuple[Rejected, ...]) -> None:
    """Rows that one split or one empty cell made a cell too long, where the ratios prove how they belong together."""
    mended = []
    for number in sorted({fault.row for fault in rejected}):
        row = table.sheet.rows[number - 1]
        if len(row) == table.heading.width + 1 and (whole := _proved(row, table)):
            copy.rows[number - 1] = whole
            mended.append(number)
    if mended:
        split = _finding("split", say("doctor.split"))
        copy.findings.append(replace(split, rows=tuple(mended), fixable=True))


def _proved(row: list[Cell], table: Table) -> list[Cell] | None:
    """The one way to make the row a cell shorter that reads without a fault; several that differ in figures: none."""
    found: list[tuple[object, list[Cell]]] = []
    for place in range(len(row) - 1):
        here, after = cells.text(row[place]), cells.text(row[place + 1])
        joined: Cell = f"{here},{after}" if here and after else here or after
        tried = [*row[:place], joined, *row[place + 2 :]]
        line = read_line(1, replace(table, sheet=replace(table.sheet, rows=[tried], doubtful={})))
        if line.row is not None and line.confirmed >= PROVED:
            found.append((line.row.figures, tried))
    return found[0][1] if len({str(figures) for figures, _ in found}) == 1 else None


def _written_plainly(copy: _Copy, table: Table) -> None:
    """Ids without the guards that keep a spreadsheet from rounding them; nothing after the last named column."""
    ids = [place for place, (_, column) in table.heading.columns.items() if column.unit == "id"]
    guarded = []
    for number, row in enumerate(copy.rows[table.heading.row :], table.heading.row + 1):
        for place in ids:
            if place <= len(row) and isinstance(written := row[place - 1], str) and written[:1] in ("'", "=", "\t"):
                row[place - 1] = cells.text(written).removeprefix("'")
                guarded.append(number)
    if guarded:
        finding = _finding("guarded_id", say("doctor.guarded_id"), grave=False)
        copy.findings.append(replace(finding, rows=tuple(dict.fromkeys(guarded)), fixable=True))


def _csv(rows: list[list[Cell]]) -> bytes:
    """A table as any program opens it: UTF-8 with its mark, commas."""
    return csv_text(map(_plain, row) for row in rows).encode("utf-8-sig")


def _plain(cell: Cell) -> str:
    return cells.text(cell) if isinstance(cell, float) or cell is None else str(cell)
