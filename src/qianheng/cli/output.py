"""What a command prints: JSON for programs, tables for people, progress on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO, TypeAlias

import typer

from qianheng.core.words import say

WIDTH_UNSEEN = 160
_ENCODER = json.JSONEncoder(ensure_ascii=False)

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help=say("cli.json"))]


def print_json(value: object) -> None:
    """One JSON document on one line of standard output."""
    sys.stdout.write(json_line(value))


def json_line(value: object) -> str:
    """One JSON document as a line."""
    return _ENCODER.encode(value) + "\n"


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for a person. `None` is shown as "–", numbers stand on the right.

    It is as wide as the screen; where there is no screen, as wide as it likes.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    rows = [list(row) for row in rows]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if _numeric(row[i] for row in rows) else "left")
    for row in rows:
        table.add_row(*("–" if cell is None else str(cell) for cell in row))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_UNSEEN)
    if title:
        console.print(title, style="italic", markup=False)
    console.print(table)


@contextmanager
def whole_file(path: str) -> Iterator[TextIO]:
    """A text file that is there whole or not at all; what stood there before stays if anything goes wrong."""
    incoming = Path(f"{path}.{os.getpid()}")
    try:
        with incoming.open("w", encoding="utf-8") as file:
            yield file
        incoming.replace(path)
    finally:
        incoming.unlink(missing_ok=True)


def headings(area: str, *names: str) -> list[str]:
    """The headings of a table, as an area of the catalogue words them."""
    return [say(f"{area}.column.{name}") for name in names]


def money_text(amount: int) -> str:
    """Micro-yuan as 元 with two decimals."""
    from qianheng.core.money import FEN, to_fen

    return f"{to_fen(amount) // FEN / 100:,.2f}"


def _numeric(cells: Iterable[object]) -> bool:
    known = [str(cell).replace(",", "").rstrip("%×") for cell in cells if cell is not None]
    return bool(known) and all(cell.lstrip("+-–").replace(".", "", 1).isdigit() for cell in known)
