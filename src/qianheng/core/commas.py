"""Tables as CSV text, and cells that a spreadsheet leaves as they are."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO
from typing import TypeVar

T = TypeVar("T")
DIGITS_KEPT = 11  # a spreadsheet rounds, or writes in powers of ten, what is longer


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """The rows as CSV: commas, quotes where they are needed, lines that end as the standard says (RFC 4180)."""
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def inert(cell: T) -> T | str:
    """A cell of which a spreadsheet makes nothing: text that it would run as a formula, or an id that it would round,
    is marked as text; a number, written so or not, stays.
    """
    if not isinstance(cell, str) or _number(cell):
        return cell
    rounded = cell.isdigit() and len(cell) > DIGITS_KEPT
    return f"\t{cell}" if rounded or cell.startswith(("=", "+", "-", "@", "\t")) else cell


def _number(text: str) -> bool:
    plain = text.removesuffix("%").replace(",", "")
    return plain[:1] in ("+", "-") and plain[1:].replace(".", "", 1).isdecimal()
