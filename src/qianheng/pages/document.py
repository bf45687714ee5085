"""A document: sections of a few kinds of blocks, with exact figures in them. It is made once, in the language spoken,
and told as a page (`pages.web`), on paper (`pages.pdf`), on a terminal and as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from qianheng.core.money import YUAN, Micros, ratio_text, to_fen, yuan
from qianheng.core.plain import Json
from qianheng.core.words import say
from qianheng.pages.parts import UNKNOWN, count, money, percent, roi

Number: TypeAlias = int | Fraction
WHOLE_FROM = 100 * YUAN  # what is known within limits as wide as this is told to the yuan
Look: TypeAlias = Literal["", "normal", "watch", "act", "urgent"]


class Unit(StrEnum):
    """What a number is of: micro-yuan, a ratio, a share of one, things, or the change of a share."""

    MONEY = "money"
    ROI = "roi"
    SHARE = "share"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact number, `None` if not known; `low` and `high`: its interval, where it has one; `signed`: a change."""

    value: Number | None
    unit: Unit
    low: Number | None = None
    high: Number | None = None
    signed: bool = False
    look: Look = ""


@dataclass(frozen=True, slots=True)
class Badge:
    """A verdict in a word or two, and how bad it is."""

    text: str
    look: Look


Cell: TypeAlias = str | Amount | Badge | None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or more; `hint`: told more quietly."""

    text: str
    hint: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The one thing to decide: what, why, how bad it is if not, and the command that does it."""

    title: str
    why: str
    look: Look = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure by its name in JSON and in words, with a line on what it is held against."""

    name: str
    label: str
    value: Cell
    against: str = ""


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """The few figures to look at first."""

    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; text stands left, numbers right."""

    name: str
    label: str
    text: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under columns; `empty` is said where there are none."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    hint: str = ""
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A series of a chart, one value a label; its colour goes by its name. `right`: it has the axis on the right."""

    name: str
    label: str
    values: tuple[Number | None, ...]
    unit: Unit
    line: bool = False
    right: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars and lines over labels; of a `waterfall` the only series' first and last value are levels, those between
    them changes; of `ranges` the three series are values with the low and high ends of what they may be.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    hint: str = ""
    empty: str = ""
    waterfall: bool = False
    ranges: bool = False


@dataclass(frozen=True, slots=True)
class Sources:
    """The command lines that open the figures above down to what they sum."""

    commands: tuple[str, ...]


Block: TypeAlias = Paragraph | Decision | KeyFigures | Table | Chart | Sources


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document with a heading."""

    name: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def shown(self) -> Iterator[Block]:
        """The blocks as they are shown beneath the heading: a title that says the same again is left away."""
        for block in self.blocks:
            if isinstance(block, Table | Chart) and block.title == self.title:
                yield replace(block, title="")
            else:
                yield block


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document: what it is, of whom, as known when, and its sections in the order of their weight."""

    name: str
    kind: str
    title: str
    made_at: datetime
    sections: tuple[Section, ...]
    facts: tuple[Figure, ...] = field(default=())


def amount(value: Micros | Fraction | None, look: Look = "") -> Amount:
    """Money."""
    return Amount(value, Unit.MONEY, look=look)


def ratio_cell(value: Fraction | None, look: Look = "") -> Amount:
    """A ratio."""
    return Amount(value, Unit.ROI, look=look)


def share(value: Fraction | None, look: Look = "") -> Amount:
    """A share of one."""
    return Amount(value, Unit.SHARE, look=look)


def number(value: int | None) -> Amount:
    """A number of things."""
    return Amount(value, Unit.COUNT)


def text_of(cell: Cell) -> str:
    """A cell as people read it."""
    if cell is None:
        return UNKNOWN
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Badge):
        return cell.text
    if cell.value is None or cell.low is None or cell.high is None:
        return number_text(cell.value, cell.unit, cell.signed)
    numbers: tuple[Number, ...] = (cell.value, cell.low, cell.high)
    if cell.unit is Unit.MONEY and any(not -WHOLE_FROM < one < WHOLE_FROM for one in numbers):
        value, low, high = (number_text(one, cell.unit, cell.signed).rpartition(".")[0] for one in map(_whole, numbers))
    else:
        value, low, high = (number_text(one, cell.unit, cell.signed) for one in numbers)
    return say("reviews.between", value=value, low=low, high=high)


def _whole(amount: Number) -> Number:
    """Money to the yuan: an interval knows nothing of fen."""
    return round(Fraction(amount, YUAN)) * YUAN


def number_text(value: Number | None, unit: Unit, signed: bool = False) -> str:
    """A number of a unit as people read it; `signed`: with its sign."""
    if value is None:
        return UNKNOWN
    told = _TOLD[unit](abs(value))
    zero = not any(sign in told for sign in "123456789")
    sign = "" if zero else "−" if value < 0 else "+" if signed else ""
    return sign + told


def _count(value: Number) -> str:
    return count(int(value)) if value == int(value) else f"{float(value):,.1f}"


_TOLD: dict[Unit, Callable[[Any], str]] = {Unit.MONEY: money, Unit.ROI: roi, Unit.SHARE: percent, Unit.COUNT: _count}


def numeric(cell: Cell) -> bool:
    """Whether a cell is a number."""
    return isinstance(cell, Amount)


def plain(cell: Cell) -> object:
    """A cell as JSON: money in yuan and ratios as decimal strings, things as numbers, one with an interval as a table
    of value, low and high; `None` if not known.
    """
    if not isinstance(cell, Amount):
        return cell.text if isinstance(cell, Badge) else cell
    value = _plain_number(cell.value, cell.unit)
    if cell.low is None and cell.high is None:
        return value
    return {"value": value, "low": _plain_number(cell.low, cell.unit), "high": _plain_number(cell.high, cell.unit)}


def _plain_number(value: Number | None, unit: Unit) -> str | int | None:
    if value is None:
        return None
    if unit is Unit.MONEY:
        return yuan(value if isinstance(value, int) else to_fen(value))
    if unit is Unit.COUNT and isinstance(value, int):
        return value
    return ratio_text(Fraction(value))


def document_json(document: Document) -> Json:
    """A document as plain values."""
    return {
        "document": document.name,
        "kind": document.kind,
        "title": document.title,
        "made_at": document.made_at.isoformat(),
        "facts": {one.name: plain(one.value) for one in document.facts},
        "sections": {one.name: _section_json(one) for one in document.sections},
    }


def _section_json(section: Section) -> Json:
    told: Json = {"title": section.title}
    for block in section.blocks:
        for key, value in _block_json(block):
            held = told.setdefault(key, type(value)())
            held.update(value) if isinstance(value, dict) else held.extend(value)
    return told


def _block_json(block: Block) -> Iterator[tuple[str, list[object] | dict[str, object]]]:
    """Where a block goes in its section, and what goes there."""
    match block:
        case Paragraph():
            yield "told", [block.text]
        case Decision():
            yield "decisions", [{"title": block.title, "why": block.why, "look": block.look, "command": block.command}]
        case KeyFigures():
            yield "figures", {one.name: plain(one.value) for one in block.figures}
        case Table():
            yield "tables", {block.name: _rows_json(block)}
        case Chart():
            series = {one.name: [_plain_number(value, one.unit) for value in one.values] for one in block.series}
            yield "charts", {block.name: {"labels": list(block.labels), "series": series}}
        case Sources():
            yield "sources", list(block.commands)


def _rows_json(table: Table) -> list[Json]:
    names = [column.name for column in table.columns]
    return [dict(zip(names, map(plain, row), strict=True)) for row in table.rows]


def columns(area: str, *names: str, text: Iterable[str] = ()) -> tuple[Column, ...]:
    """Columns by their names, as an area of the catalogue words them; `text`: those that hold words."""
    return tuple(Column(name, say(f"{area}.column.{name}"), name in set(text)) for name in names)
