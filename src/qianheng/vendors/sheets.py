"""From the bytes of a file to rows of cells, numbered as a spreadsheet shows them: XLSX, XLS, CSV in any encoding."""

from __future__ import annotations

import csv
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from qianheng.core.errors import BadInput
from qianheng.vendors import workbook
from qianheng.vendors.cells import Cell

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_BROKEN = (  # what the zip reader raises on a file cut or changed anywhere
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    LookupError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
_DELIMITERS = {",": "(,)", "\t": "(tab)", ";": "(;)", "|": "(|)"}
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of one sheet; `rows[0]` is row 1.

    `doubtful` names cells whose value must not be believed, by (row, column) counted from 1, and the reason's key.
    `ragged`: a row shorter than the header was cut, since this format writes every cell. `written`: how, for a person.
    """

    name: str
    rows: list[list[Cell]]
    doubtful: Mapping[tuple[int, int], str] = field(default_factory=dict)
    ragged: bool = False
    written: str = "XLSX"


def read_sheets(content: bytes) -> list[Sheet]:
    """All sheets with something in them. Empty, damaged or no table at all: BadInput that says which and what to do."""
    if not content.strip():
        raise BadInput("vendors.empty_file")
    if content.startswith(b"PK"):
        sheets = _xlsx(content)
    elif content.startswith(_OLD_EXCEL):
        sheets = [Sheet(name, rows, written="XLS") for name, rows, _ in workbook.cells(content)]
    else:
        sheets = [_csv(content)]
    sheets = [sheet for sheet in sheets if any(any(cell not in ("", None) for cell in row) for row in sheet.rows)]
    if not sheets:
        raise BadInput("vendors.empty_file")
    return sheets


def _xlsx(content: bytes) -> list[Sheet]:
    try:
        repaired, doubtful = workbook.repair(content)
    except _BROKEN as error:
        raise BadInput("vendors.damaged_workbook", why=error) from None
    sheets = []
    for name, rows, merged in workbook.cells(repaired):
        merges = {(row + 1, column + 1): "vendors.merged_cell" for row, column in _covered(merged)}
        sheets.append(Sheet(name, rows, {**doubtful.get(name, {}), **merges}))
    return sheets


def _covered(merged: list[tuple[tuple[int, int], tuple[int, int]]]) -> Iterator[tuple[int, int]]:
    """The cells that a merge hides: their value stands in its first cell only, and belongs to none for certain."""
    for (top, left), (bottom, right) in merged:
        if bottom > top:
            height, width = min(bottom, top + 10_000), min(right, left + 200)
            yield from ((row, column) for row in range(top, height + 1) for column in range(left, width + 1))


def _csv(content: bytes) -> Sheet:
    written, encoding = decoded(content)
    first = next((line for line in written.splitlines() if line.strip()), "")
    if first.lstrip().lower().startswith(("<", "{", "%pdf")) or "\0" in written:
        raise BadInput("vendors.not_a_table")
    try:
        sign = _delimiter(written)
        rows = list(csv.reader(io.StringIO(written, newline=""), delimiter=sign, strict=True))
    except csv.Error as error:
        raise BadInput("vendors.broken_csv", why=error) from None
    told = f"CSV {encoding} {_DELIMITERS[sign]}"
    return Sheet("", [list[Cell](row) for row in rows], ragged=True, written=told)


def _delimiter(written: str) -> str:
    head = written[:20_000]
    return max(_DELIMITERS, key=head.count)


def decoded(content: bytes) -> tuple[str, str]:
    """The text, and the encoding it is written in: by its mark, else UTF-16 by its zeros, else UTF-8, else GB 18030."""
    marked = [name for mark, name in _BOMS if content.startswith(mark)]
    if not marked and 0 in content[:4096]:  # commas, digits and line ends have a zero byte in UTF-16, and only there
        marked = ["utf-16-le" if content[1:4096:2].count(0) > content[:4096:2].count(0) else "utf-16-be"]
    for name in marked or ["utf-8", "gb18030"]:
        try:
            return content.decode(name), name.upper()
        except UnicodeDecodeError as error:
            if name == "utf-8" and error.start > 0 and error.reason == "unexpected end of data":
                break  # cut within a character; read as GB 18030 it would be nonsense
    raise BadInput("vendors.unknown_encoding")
