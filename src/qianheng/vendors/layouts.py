"""Which columns the reports of each platform have and what they mean to us: `platforms/*.toml` as typed data."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from qianheng.core import tables

Unit = Literal[
    "money", "balance", "count", "ratio", "rate", "percent", "id", "text", "day", "hour", "currency", "kind", "note"
]
Kind = Literal["plan", "account", "product", "creative", "live", "finance"]

PLATFORMS = ("qianchuan", "tiktok", "shopee")  # in the order in which a header is held against their layouts


@dataclass(frozen=True, slots=True)
class Column:
    """What a vendor's column is to us: a figure or an attribute, how its cells are written, other words for it.

    `fallback`: its cell counts only where no other column of the field says anything.
    """

    field: str
    unit: Unit
    also: tuple[str, ...] = ()
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """Lines that are parts of the line above them: those of a kind, without the field that only whole lines have."""

    kind: Kind
    without: str


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of report.

    `cumulative`: each line counts from the start of the session, so the last one is the sum. `nameless`: its lines are
    the account's and name nobody. `total_without`: a line that lacks this field is the total.
    """

    name: str
    kind: Kind
    needs: tuple[str, ...]
    cumulative: bool = False
    nameless: bool = False
    total_without: str = ""
    parts: Parts | None = None


@dataclass(frozen=True, slots=True)
class Country:
    """The money and the days of a marketplace."""

    currency: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Notes:
    """What the lines before a header are called: the words for the period."""

    period: tuple[str, ...] = ()


@dataclass(frozen=True)
class Platform:
    """The reports of one platform: the columns they share, and how it writes "missing" and "total".

    `currency`, `timezone`: of all its reports; "" where they differ by `countries`, `timezones` or report. `entries`:
    what a line of a statement is, by a word in its type. `goal`: what its bids aim at, "" where `net_goal_since` says.
    """

    name: str
    currency: str
    timezone: str
    missing: tuple[str, ...]
    totals: tuple[str, ...]
    layouts: tuple[Layout, ...]
    columns: dict[str, Column]
    goal: Literal["", "payment", "net"] = ""
    net_goal_since: date | None = None
    day_first: bool = False
    notes: Notes = Notes()
    countries: dict[str, Country] = field(default_factory=dict)
    timezones: dict[str, str] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)

    @cached_property
    def known(self) -> dict[str, str]:
        """The columns by every way to write them (`column_key`): their own names."""
        return {column_key(written): name for name, column in self.columns.items() for written in (name, *column.also)}

    def canonical(self, header: list[str]) -> list[str]:
        """The header in the platform's own words where it knows them."""
        return [self.known.get(column_key(name), name) for name in header]

    def recognise(self, header: list[str]) -> Layout | None:
        """The layout all of whose needs stand in the header; `None` when it is no report we know."""
        told = set(self.canonical(header))
        return next((layout for layout in self.layouts if set(layout.needs) <= told), None)

    def lacking(self, header: list[str]) -> list[tuple[Layout, list[str]]]:
        """Each layout and the columns it lacks in the header."""
        told = set(self.canonical(header))
        return [(layout, [name for name in layout.needs if name not in told]) for layout in self.layouts]


@cache
def platforms() -> dict[str, Platform]:
    """The platforms as shipped, by name."""
    folder = Path(__file__).with_name("platforms")
    return {
        name: tables.build(Platform, tables.read_toml(folder / f"{name}.toml"), f"{name}.toml") for name in PLATFORMS
    }


@cache
def missing_marks() -> frozenset[str]:
    """How any platform writes that a cell has nothing to tell."""
    return frozenset(mark for platform in platforms().values() for mark in platform.missing)


_UNIT = re.compile(r"\s*\((?:单位[::])?(?:元|人民币|CNY|RMB)\)$", re.IGNORECASE)
_INVISIBLE = re.compile(r"[\u200b\u200e\u200f\ufeff]+")


def column_name(cell: object) -> str:
    """A header cell as it is told: plain width, single spaces, without the unit "(元)"."""
    written = unicodedata.normalize("NFKC", _INVISIBLE.sub("", str(cell if cell is not None else "")))
    return _UNIT.sub("", " ".join(written.split())).rstrip()


def column_key(name: str) -> str:
    """What two ways to write one header have in common: neither width, case nor white space tells columns apart."""
    return "".join(column_name(name).casefold().split())
