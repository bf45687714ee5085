"""What a command prints: JSON for programs, tables for people, progress on standard error."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TextIO, TypeAlias

import typer
from typer.core import TyperGroup

from qianheng.core.errors import BadInput
from qianheng.core.words import known, say

WIDTH_UNSEEN = 1000
_CHINESE = re.compile("[\u2e80-\u9fff\uff00-\uffef]{1,4}")
_AMOUNT = re.compile(r"-?\d+\.\d{2,6}")
_ENCODER = json.JSONEncoder(ensure_ascii=False)

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help=say("cli.json"))]


class Commands(TyperGroup):
    """A group of commands whose help tells what each does in full, on as many lines as that takes."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each command's name and help."""
        self.write_section(formatter, say("cli.commands"), self.commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command asked for. Options before it, which it would never hear of: BadInput."""
        resolved = super().resolve_command(ctx, args)
        sources = {one.opts[-1]: ctx.get_parameter_source(one.name) for one in self.params if one.name}
        lost = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
        if lost and ctx.parent:
            raise BadInput("cli.options_before", place=", ".join(lost), command=f"{ctx.command_path} {resolved[0]}")
        return resolved

    def write_section(self, formatter: Any, title: str, names: Iterable[str]) -> None:
        """Write some of the commands under a title."""
        with formatter.section(title):
            formatter.write_dl([(name, self.commands[name].help or "") for name in names])


def print_json(value: object) -> None:
    """One JSON document on one line of standard output."""
    sys.stdout.write(json_line(value))


def json_line(value: object) -> str:
    """One JSON document as a line."""
    return _ENCODER.encode(value) + "\n"


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for a person. `None` is shown as "–", numbers stand on the right, amounts point under point with their
    thousands told apart; a table of no rows says so.

    It is as wide as the screen, or wider where words and numbers would be cut; where there is no screen, as wide as it
    likes.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    told = [["–" if cell is None else str(cell) for cell in row] for row in rows]
    table, apart = (Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=any(columns)) for _ in range(2))
    for i, column in enumerate(columns):
        cells = [row[i] for row in told]
        numeric = _numeric(cells)
        whole = numeric or not any(" " in _apart(cell) for cell in cells)  # days and codes stay on one line
        unbroken = column.replace(" ", "_") if whole else _apart(column)
        for one, name in ((table, column), (apart, unbroken)):
            one.add_column(name, justify="right" if numeric else "left", no_wrap=whole, overflow="fold")
        for row, cell in zip(told, _amounts(cells, numeric), strict=True):
            row[i] = cell
    for row in told:
        table.add_row(*row)
        apart.add_row(*map(_apart, row))
    console = Console(highlight=False)
    unseen = console.options.update(width=WIDTH_UNSEEN)
    console.width = max(console.width, apart.__rich_measure__(console, unseen).minimum) if _seen() else WIDTH_UNSEEN
    if title:
        console.print(title, style="italic", markup=False)
    console.print(table if told else say("cli.nothing"))


def _seen() -> bool:
    return sys.stdout.isatty()


def _apart(text: str) -> str:
    """A text with its Chinese signs apart, four by four: lines may break between them, while words stay whole."""
    return _CHINESE.sub(r" \g<0> ", text)


def _amounts(cells: list[str], aligned: bool) -> list[str]:
    """The cells of a column with the thousands of amounts told apart; aligned: with as many decimals as the finest."""
    places = [len(cell.partition(".")[2]) if _AMOUNT.fullmatch(cell) else 0 for cell in cells]
    finest = max(places, default=0)
    return [
        f"{Decimal(cell):,.{finest if aligned else own}f}" if own else cell
        for cell, own in zip(cells, places, strict=True)
    ]


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
    """The headings of a table, as an area of the catalogue words them; measures are called what they are everywhere."""
    keys = (f"{area}.column.{name}" for name in names)
    return [say(key) if known(key) else say(f"metrics.name.{name}") for key, name in zip(keys, names, strict=True)]


def money_text(amount: int) -> str:
    """Micro-yuan as 元 with two decimals."""
    from qianheng.core.money import yuan_text

    return yuan_text(amount)


def _numeric(cells: Iterable[str]) -> bool:
    known = [cell.replace(",", "").rstrip("%×") for cell in cells if cell != "–"]
    return bool(known) and all(cell.lstrip("+-–").replace(".", "", 1).isdigit() for cell in known)
