"""The parts pages are made of: HTML that escapes whatever is not HTML already, and figures as people write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from html import escape
from typing import TypeAlias
from urllib.parse import quote

from qianheng.core.commas import csv_text, inert
from qianheng.core.money import Micros, to_fen, yuan_text
from qianheng.core.words import say

UNKNOWN = "–"
_VOID = frozenset({"meta"})


class Html(str):
    """Text that is HTML already. Every other string is escaped when it becomes part of an element."""

    __slots__ = ()


Child: TypeAlias = str | None
Cell: TypeAlias = str | tuple[str, str]  # a text, or a text and the class of its cell


def element(name: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """An element; `None` children and attributes are left out, `True` is an attribute without value.

    `class_` and `data_group` are written `class` and `data-group`.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """Children one after another, escaped where they are not HTML."""
    return Html("".join(c if isinstance(c, Html) else escape(c) for c in children if c is not None))


def _attribute(key: str, value: str | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def table(columns: Sequence[Cell], rows: Iterable[Sequence[Cell]], title: str) -> Html:
    """A table in a box of its own that scrolls when it is wide; `title` is told to those who do not see it."""
    head = element("tr", *(_cell("th", cell, scope="col") for cell in columns))
    body = (element("tr", *(_cell("td", cell) for cell in row)) for row in rows)
    whole = element("table", element("thead", head), element("tbody", *body))
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=title)


def _cell(name: str, cell: Cell, **attributes: str) -> Html:
    text, kind = (cell, None) if isinstance(cell, str) else cell
    return element(name, text, class_=kind, **attributes)


def export(name: str, columns: Iterable[str], rows: Iterable[Sequence[object]]) -> Html:
    """A link that saves a table as the file `name`.csv: UTF-8 with the mark that spreadsheets look for."""
    content = quote("\N{ZERO WIDTH NO-BREAK SPACE}" + csv_text([columns, *(map(inert, row) for row in rows)]))
    link = element("a", say("pages.export"), href=f"data:text/csv;charset=utf-8,{content}", download=f"{name}.csv")
    return element("p", link, class_="export")


def section(identity: str | None, title: str, *children: Child, **attributes: str) -> Html:
    """A section with its heading."""
    return element("section", element("h2", title), *children, id=identity, **attributes)


def panel(title: str, hint: str | None, *children: Child, **attributes: str | None) -> Html:
    """A part of a section with a smaller heading and a line on how to read it."""
    kind = " ".join(filter(None, ("panel", attributes.pop("class_", None))))
    line = element("p", hint, class_="hint") if hint else None
    heading = element("h3", title) if title else None
    return element("div", heading, line, *children, class_=kind, **attributes)


def empty(text: str) -> Html:
    """What is said where there is nothing to show."""
    return element("p", text, class_="empty")


def money(amount: Micros | Fraction | None) -> str:
    """Micro-yuan as people write them: ¥1,234.50."""
    if amount is None:
        return UNKNOWN
    fen = to_fen(amount)
    return f"{'−' if fen < 0 else ''}¥{yuan_text(abs(fen))}"


def roi(value: Fraction | None) -> str:
    """A ratio with two decimals."""
    return UNKNOWN if value is None else f"{float(value):.2f}"


def percent(share: Fraction | float | None, places: int = 1) -> str:
    """A share in percent."""
    return UNKNOWN if share is None else f"{100 * float(share):.{places}f}%"


def count(number: int) -> str:
    """A number of things."""
    return f"{number:,}"


def listed(words: Iterable[str]) -> str:
    """Words one after another, as the language separates them."""
    return say("pages.list").join(words)
