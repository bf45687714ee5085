"""Which columns a vendor's report has and what they mean to us: `layouts.toml` as typed data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from qianheng.core import tables

Unit = Literal["money", "balance", "count", "ratio", "rate", "id", "text", "day", "hour", "note"]


@dataclass(frozen=True, slots=True)
class Column:
    """What a vendor's column is to us: a figure or an attribute, and how its cells are written."""

    field: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of report. `cumulative`: each line counts from the start of the session, so the last one is the sum."""

    name: str
    kind: Literal["plan", "account", "product", "creative", "live", "finance"]
    needs: tuple[str, ...]
    cumulative: bool = False


@dataclass(frozen=True, slots=True)
class Layouts:
    """All reports known, the columns they share, and how the vendor writes "missing" and "total"."""

    net_goal_since: date
    missing: tuple[str, ...]
    totals: tuple[str, ...]
    layouts: tuple[Layout, ...]
    columns: dict[str, Column]

    def recognise(self, header: list[str]) -> Layout | None:
        """The layout all of whose needs stand in the header; `None` when it is no report we know."""
        return next((layout for layout in self.layouts if set(layout.needs) <= set(header)), None)

    def nearest(self, header: list[str]) -> tuple[Layout, list[str]]:
        """The layout that lacks least in the header, and the columns it lacks."""
        lacking = [(layout, [name for name in layout.needs if name not in header]) for layout in self.layouts]
        return min(lacking, key=lambda entry: len(entry[1]) / len(entry[0].needs))


@cache
def layouts() -> Layouts:
    """The layouts as shipped."""
    path = Path(__file__).with_name("layouts.toml")
    return tables.build(Layouts, tables.read_toml(path), path.name)


_YUAN = re.compile(r"\s*[(（]\s*元\s*[)）]$")
_INVISIBLE = re.compile(r"[\s\u200b\u200e\u200f\ufeff]+")


def column_name(cell: object) -> str:
    """A header cell as the layouts write it: without white space and the unit "(元)"; other brackets as "( )"."""
    name = _INVISIBLE.sub("", str(cell if cell is not None else ""))
    return _YUAN.sub("", name).replace("（", "(").replace("）", ")")
