"""Industry templates: what is usual in fashion, beauty, electronics, food and home, as data (SPEC 7.8, 11)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from qianheng.core.errors import BadInput
from qianheng.core.tables import build, read_toml

SHIPPED = Path(__file__).with_name("industries.toml")


@dataclass(frozen=True, slots=True)
class Pack:
    """What to begin with for the products of a tier; see `industries.toml`."""

    target_to_base: Decimal
    budget_share: Decimal
    creatives_weekly: int
    live_minutes: int


@dataclass(frozen=True, slots=True)
class Packs:
    """The pack of each tier; their shares of the budget make up one."""

    hot: Pack
    trending: Pack
    potential: Pack
    tail: Pack

    def __post_init__(self) -> None:
        whole = sum(one.budget_share for one in (self.hot, self.trending, self.potential, self.tail))
        if whole != 1:
            raise BadInput("advice.rules.shares", place="packs", value=whole)


@dataclass(frozen=True, slots=True)
class Industry:
    """An industry: the categories that belong to it, the goal usual there, and its packs."""

    aliases: tuple[str, ...]
    goal: Literal["payment", "net", "settled"]
    packs: Packs


@dataclass(frozen=True, slots=True)
class Industries:
    """The industries known, by name."""

    industries: dict[str, Industry]

    def of(self, category: str | None) -> tuple[str, Industry] | None:
        """The industry that a category belongs to; `None` if none is known to."""
        named = (category or "").casefold()
        for name, one in self.industries.items():
            if named == name or named in {alias.casefold() for alias in one.aliases}:
                return name, one
        return None


def industries(path: Path | None = None) -> Industries:
    """The templates of a TOML file, or those shipped. Unknown key, shares that do not make up one: BadInput."""
    place = path or SHIPPED
    return build(Industries, read_toml(place), str(place))
