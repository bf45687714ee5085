"""Files as the vendor writes them: headers in its words, GBK with ids marked as text, XLSX of inline strings."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from qianheng.core import tables
from qianheng.core.commas import csv_text
from qianheng.core.days import moment
from qianheng.core.money import FEN, YUAN, ratio_text, to_fen, yuan
from qianheng.measures.metrics import metrics
from qianheng.measures.reports import Figures
from qianheng.vendors.layouts import platforms
from qianheng.vendors.records import RecordKind, layouts

NOTHING = "-"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"

Rows = Iterable[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Written:
    """Which columns each file has: `written.toml`."""

    reports: dict[str, tuple[str, ...]]
    records: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Style:
    """How cells are written: the clock they tell, and whether as screens show them (fen, whole seconds) or exactly."""

    timezone: str
    as_shown: bool = False


@cache
def written() -> Written:
    """The columns as shipped."""
    path = Path(__file__).with_name("written.toml")
    return tables.build(Written, tables.read_toml(path), path.name)


def report_rows(kind: str, lines: Iterable[tuple[Mapping[str, Any], Figures]], style: Style) -> list[list[str]]:
    """The header and lines of a report: attributes by field (`plan_id`, `day` …) and the figures."""
    names = written().reports[kind]
    columns = [platforms()["qianchuan"].columns[name] for name in names]
    body = [[_cell(one.field, one.unit, about, figures, style) for one in columns] for about, figures in lines]
    return [list(names), *body]


def record_rows(kind: RecordKind, lines: Iterable[Mapping[str, Any]], style: Style) -> list[list[str]]:
    """The header and lines of a record file: values by field; times in UTC microseconds, money in micro-yuan."""
    known = layouts().of(kind).columns
    fields = written().records[kind]
    body = [[_written(known[name].unit, line.get(name), style) for name in fields] for line in lines]
    return [[known[name].names[0] for name in fields], *body]


def gbk(rows: Rows) -> bytes:
    """The rows as the vendor's CSV; a character that GBK lacks is written as GB 18030 has it, which reads the same."""
    return csv_text(rows).encode("gb18030")


def inline_xlsx(rows: Rows) -> bytes:
    """The rows as the vendor's XLSX: every cell an inline string, its place told by its column alone."""
    lines = []
    for number, row in enumerate(rows, 1):
        told = "".join(
            f'<c r="{_letters(place)}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
            for place, cell in enumerate(row)
        )
        lines.append(f'<row r="{number}">{told}</row>')
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
        for name, xml in _parts("".join(lines)).items():
            book.writestr(zipfile.ZipInfo(name), xml)
    return made.getvalue()


def _parts(lines: str) -> dict[str, str]:
    types = f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" \
ContentType="{_TYPES}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" \
ContentType="{_TYPES}.worksheet+xml"/>'
    sheet = '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets>'
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">{types}</Types>',
        "_rels/.rels": _relation("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{sheet}</workbook>',
        "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>',
    }


def _relation(kind: str, target: str) -> str:
    link = f'<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{link}</Relationships>'


def _letters(place: int) -> str:
    return (chr(64 + place // 26) if place >= 26 else "") + chr(65 + place % 26)


def _cell(field: str, unit: str, about: Mapping[str, Any], figures: Figures, style: Style) -> str:
    if field in about:
        return _written(unit, about[field], style)
    measure = metrics().get(field)
    if measure is not None and measure.kind == "ratio":
        return _ratio(unit, measure.of(figures))
    return _written(unit, getattr(figures, field), style)


def _ratio(unit: str, value: Fraction | int | None) -> str:
    if value is None:
        return NOTHING
    if unit == "rate":
        return f"{float(ratio_text(Fraction(value) * 100, 2) or 0):.2f}%"
    scaled = Fraction(value) / YUAN if unit == "money" else value
    return f"{float(ratio_text(Fraction(scaled), 2) or 0):.2f}"


def _exact(amount: int) -> str:
    """Yuan in two decimals or in six: three could be taken for a point between thousands."""
    return (
        yuan(amount)
        if amount % FEN == 0
        else f"{'-' if amount < 0 else ''}{abs(amount) // YUAN}.{abs(amount) % YUAN:06d}"
    )


def _written(unit: str, value: Any, style: Style) -> str:
    if value is None or value == "":
        return NOTHING
    if unit in ("money", "balance"):
        return _exact(to_fen(value) if style.as_shown else value)
    if unit == "time":
        told = moment(value, style.timezone).replace(tzinfo=None)
        return f"{told.replace(microsecond=0) if style.as_shown else told}"
    if unit == "flag":
        words = layouts().words
        return words.yes[0] if value else words.no[0]
    if unit == "id":
        return f"\t{value}"
    return value.isoformat() if isinstance(value, date) else str(value)
