"""How a figure that advice rests on is told: its name, its value, what it is held against, where the rule stands."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from qianheng.cli.output import headings, money_text, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qianheng.core.plain import Json
    from qianheng.diagnosis.evidence import Evidence, Figure, Unit


def figure_text(value: Figure, unit: Unit) -> str | None:
    """A figure for a person: money with its thousands, shares in per cent, ratios with two decimals."""
    if value is None or isinstance(value, str):
        return value
    match unit:
        case "yuan":
            return money_text(round(value))
        case "share":
            return f"{float(value):.1%}"
        case "ratio":
            return f"{float(value):.2f}"
        case _:
            return f"{float(value):.1f}".removesuffix(".0")


def figure_json(value: Figure, unit: Unit) -> str | int | None:
    """A figure for a program: money as a decimal string in yuan, ratios and shares as decimal strings."""
    from qianheng.core.money import ratio_text, yuan

    if value is None or isinstance(value, str):
        return value
    if unit == "yuan":
        return yuan(round(value))
    if unit in ("ratio", "share") or value.denominator != 1:
        return ratio_text(Fraction(value))
    return int(value)


def evidence_name(one: Evidence) -> str:
    """What the figure is called."""
    return say(f"evidence.{one.name}")


def evidence_row(one: Evidence) -> list[str | None]:
    """A line of a table: name, value, limit, source."""
    return [
        evidence_name(one),
        figure_text(one.value, one.unit),
        figure_text(one.against, one.unit),
        one.source or None,
    ]


def evidence_json(one: Evidence) -> Json:
    """A figure and what it is held against."""
    told = {"value": figure_json(one.value, one.unit), "against": figure_json(one.against, one.unit)}
    return {"name": one.name, **told, "unit": one.unit, "source": one.source}


def print_evidence(evidence: Iterable[Evidence]) -> None:
    """A table of figures."""
    print_table(
        "", headings("evidence", "figure", "value", "against", "source"), [evidence_row(one) for one in evidence]
    )
