"""Evidence: one figure, what it is held against, and where the rule stands that holds it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["ratio", "share", "yuan", "count", "days", "hours", "text"]
Figure: TypeAlias = Fraction | int | str | None


class Severity(StrEnum):
    """How much it matters, the least first."""

    NORMAL = "normal"
    WATCH = "watch"
    ACT = "act"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """0 for normal, 3 for urgent."""
        return tuple(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A figure by name (its words are the catalogue's `evidence.<name>`), and what it is held against; `None`: unknown.

    unit: money ("yuan") is in micro-yuan, a "ratio" is an ROI and the like, a "share" is told in per cent, "text" is a
    word. source: where the rule stands ("SPEC 7.3"); "" for a figure that no rule judges.
    """

    name: str
    value: Figure
    against: Figure = None
    unit: Unit = "ratio"
    source: str = ""
