"""XLSX as the vendor writes it: cell references without row numbers (`r="A"`) are repaired before the file is read."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from qianheng.core.errors import BadInput
from qianheng.vendors.cells import Cell

BYTES_AT_MOST = 512 * 2**20
CELLS_AT_MOST = 20_000_000

Merges = list[tuple[tuple[int, int], tuple[int, int]]]

_TAG = re.compile(rb"<(?:\w+:)?(row|c|f)\b([^>]*)>")
_REFERENCE = re.compile(rb'\br="([A-Z]*)(\d*)"')
_ERROR = re.compile(rb'\bt="e"')
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class _Sheet:
    """Walks the tags of one sheet: completes references, remembers formulas and errors, measures the extent."""

    def __init__(self) -> None:
        self.row = self.column = self.bottom = self.right = 0
        self.doubtful: dict[tuple[int, int], str] = {}

    def walk(self, tag: re.Match[bytes]) -> bytes:
        """The tag, its reference completed."""
        name, attributes = tag[1], tag[2]
        if name == b"f":
            self.doubtful[self.row, self.column] = "vendors.formula_cell"
            return tag[0]
        reference = _REFERENCE.search(attributes)
        if name == b"row":
            self.row = int(reference[2]) if reference and reference[2] else self.row + 1
            self.column = 0
            return tag[0]
        self.column = _number_of(reference[1]) if reference and reference[1] else self.column + 1
        self.bottom, self.right = max(self.bottom, self.row), max(self.right, self.column)
        if _ERROR.search(attributes):
            self.doubtful[self.row, self.column] = "vendors.error_cell"
        if not reference or reference[2]:
            return tag[0]
        return tag[0].replace(reference[0], b'r="%s%d"' % (reference[1], self.row), 1)


def repair(content: bytes) -> tuple[bytes, dict[str, dict[tuple[int, int], str]]]:
    """The workbook with whole references, and per sheet the cells that hold a formula or an error.

    Every part is checked against its checksum, so a truncated file raises (zipfile.BadZipFile and kin) and is never
    read in part. Too large: BadInput.
    """
    made = io.BytesIO()
    found: dict[str, dict[tuple[int, int], str]] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(made, "w") as target:
        if sum(part.file_size for part in source.infolist()) > BYTES_AT_MOST:
            raise BadInput("vendors.too_large")
        names = _sheet_names(source)
        for part in source.infolist():
            xml = source.read(part)
            if part.filename in names:
                sheet = _Sheet()
                xml = _TAG.sub(sheet.walk, xml)
                if sheet.bottom * sheet.right > CELLS_AT_MOST:
                    raise BadInput("vendors.too_large")
                found[names[part.filename]] = sheet.doubtful
            target.writestr(part.filename, xml)
    return made.getvalue(), found


def cells(content: bytes) -> list[tuple[str, list[list[Cell]], Merges]]:
    """Name, cells and merged ranges of every sheet. Protected by a password or damaged: BadInput."""
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
        return [(sheet.name, _rows(sheet), sheet.merged_cell_ranges or []) for sheet in sheets]
    except (CalamineError, ValueError, OSError) as error:
        raise BadInput("vendors.damaged_workbook", why=error) from None


def _rows(sheet: CalamineSheet) -> list[list[Cell]]:
    return [list[Cell](row) for row in sheet.to_python(skip_empty_area=False)]


def _number_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _sheet_names(source: zipfile.ZipFile) -> dict[str, str]:
    """The part of each sheet and the name a person knows it by."""
    relations = _parse(source.read("xl/_rels/workbook.xml.rels"))
    targets = {entry.get("Id"): (entry.get("Target") or "").lstrip("/") for entry in relations}
    book = _parse(source.read("xl/workbook.xml"))
    named = {}
    for entry in book.iter():
        if entry.tag.endswith("}sheet") and (target := targets.get(entry.get(_RELATION))):
            named[target if target.startswith("xl/") else f"xl/{target}"] = entry.get("name") or ""
    return named


def _parse(xml: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise zipfile.BadZipFile(str(error)) from None
