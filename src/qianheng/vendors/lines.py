"""One line of a report → a typed row, or the reasons why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

from qianheng.core.errors import BadInput
from qianheng.core.words import say
from qianheng.measures.reports import FIGURES, Figures, ReportKind, ReportRow
from qianheng.plans.plan import Goal
from qianheng.vendors import cells
from qianheng.vendors.cells import Cell, When
from qianheng.vendors.checks import check
from qianheng.vendors.heading import Heading
from qianheng.vendors.layouts import Column, layouts
from qianheng.vendors.sheets import Sheet

Span = tuple[date, date]

_PARSERS: dict[str, Callable[[Cell], object]] = {
    "money": cells.money,
    "balance": cells.balance,
    "count": cells.count,
    "ratio": cells.ratio,
    "rate": cells.rate,
    "id": cells.identity,
    "text": cells.text,
    "day": cells.when,
    "hour": cells.hour,
    "note": cells.text,
}
_NAMED = frozenset({"id", "text", "day"})


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that was not taken: its row in the file, the vendor's column if one is to blame, what stood there, why."""

    row: int
    column: str | None
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line read: the row, or the faults that keep it out; doubts are (key, sentence)."""

    number: int
    row: ReportRow | None
    faults: tuple[Rejected, ...] = ()
    doubts: tuple[tuple[str, str], ...] = ()


def is_total(row: list[Cell], heading: Heading) -> bool:
    """Whether a line is the vendor's own total: it says so where a name, an id or a day would stand, and has no id."""
    named = [(place, column.field) for place, column in _cells(row, heading) if column.unit in _NAMED]
    labels = {field: cells.text(row[place - 1]) for place, field in named}
    has_id = labels.get(f"{heading.layout.kind}_id", "").isdigit()
    return not has_id and any(_total().fullmatch(label) for label in labels.values())


@cache
def _total() -> re.Pattern[str]:
    return re.compile(rf"({'|'.join(layouts().totals)})\s*([(（:：].*)?")


def total_of(row: list[Cell], heading: Heading) -> tuple[Figures, When | None]:
    """The figures of a total line as far as they can be read, and the days it is the total of, if it says."""
    values: dict[str, Any] = {}
    for place, column in _cells(row, heading):
        try:
            values[column.field] = _PARSERS[column.unit](row[place - 1])
        except BadInput:
            continue
    return Figures(**{name: values.get(name) for name in FIGURES}), values.get("day")


def read_line(number: int, sheet: Sheet, heading: Heading, span: Span | None) -> Line:
    """Understand one line. `span` is the period of the file, for lines that name no day of their own."""
    row = sheet.rows[number - 1]
    if sheet.ragged and len(row) < heading.width:
        reason = say("vendors.cut_row", cells=len(row), expected=heading.width)
        return Line(number, None, (Rejected(number, None, "", reason),))
    values, faults = _values(number, row, sheet, heading)
    if faults:
        return Line(number, None, tuple(faults))
    checked = check(Figures(**{name: values.get(name) for name in FIGURES}), _stated(values, heading))
    faults = [_fault(number, field, reason, heading, row) for field, reason in checked.faults]
    if any(cells.text(cell) for cell in row[heading.width :]) and not checked.confirmed:
        faults.append(Rejected(number, None, cells.text(row[heading.width]), say("vendors.more_cells")))
    try:
        made = _report_row(values, row, checked.figures, heading, span)
    except BadInput as error:
        return Line(number, None, (*faults, Rejected(number, error.place or None, "", say(error.key, **error.values))))
    return Line(number, None if faults else made, tuple(faults), checked.doubts)


def _cells(row: list[Cell], heading: Heading) -> list[tuple[int, Column]]:
    return [(place, column) for place, (_, column) in heading.columns.items() if place <= len(row)]


def _values(number: int, row: list[Cell], sheet: Sheet, heading: Heading) -> tuple[dict[str, Any], list[Rejected]]:
    values: dict[str, Any] = {}
    faults: list[Rejected] = []
    for place, column in _cells(row, heading):
        try:
            if reason := sheet.doubtful.get((number, place)):
                raise BadInput(reason)
            value = _PARSERS[column.unit](row[place - 1])
            if values.get(column.field, value) != value:
                raise BadInput("vendors.column_twice", other=values[column.field])
            values[column.field] = value
        except BadInput as error:
            faults.append(Rejected(number, heading.names[place - 1], cells.text(row[place - 1]), str(error)))
    return values, faults


def _fault(number: int, field: str, reason: str, heading: Heading, row: list[Cell]) -> Rejected:
    place = next((place for place, column in _cells(row, heading) if column.field == field), None)
    if place is None:
        return Rejected(number, None, "", reason)
    return Rejected(number, heading.names[place - 1], cells.text(row[place - 1]), reason)


def _stated(values: dict[str, Any], heading: Heading) -> dict[str, Fraction]:
    units = {column.field: column.unit for _, column in heading.columns.values()}
    fields = [name for name in values if units[name] in ("ratio", "rate", "money") and name not in FIGURES]
    return {name: Fraction(values[name]) for name in fields if values[name] is not None}


def _report_row(
    values: dict[str, Any], row: list[Cell], figures: Figures, heading: Heading, span: Span | None
) -> ReportRow:
    kind = heading.layout.kind
    entity_id, name = values.get(f"{kind}_id") or "", values.get(f"{kind}_name") or ""
    if not entity_id and not name and kind not in ("finance", "live"):
        raise BadInput("vendors.nameless")
    first, last, hour = _when(values, heading, span)
    return ReportRow(
        kind=ReportKind(kind),
        entity_id=entity_id,
        name=name,
        first=first,
        last=last,
        hour=hour,
        within=_within(values, kind),
        goal=Goal.PAYMENT if last and last < layouts().net_goal_since else Goal.NET,
        figures=figures,
        aside=tuple(_aside(row, heading)),
    )


def _when(values: dict[str, Any], heading: Heading, span: Span | None) -> tuple[date | None, date | None, int | None]:
    """The days of a line, its own or else the file's, and its hour."""
    own: When | None = values.get("day")
    if own is None:
        return (*(span or (None, None)), values.get("hour"))
    first, last, hour = own
    if span and not span[0] <= first <= last <= span[1]:
        raise BadInput("vendors.day_outside", place=heading.column_of("day") or "", first=span[0], last=span[1])
    return first, last, values.get("hour", hour)


def _within(values: dict[str, Any], kind: str) -> str:
    """The other things that a line belongs to, such as the plan of a product's line: they set it apart from others."""
    owners = (owner for owner in ReportKind if owner.value != kind)
    ids = {owner.value: values.get(f"{owner.value}_id") or values.get(f"{owner.value}_name") for owner in owners}
    return ", ".join(f"{owner} {name}" for owner, name in ids.items() if name)


def _aside(row: list[Cell], heading: Heading) -> Iterator[tuple[str, str]]:
    for place, name in enumerate(heading.names, 1):
        known = heading.columns.get(place)
        unused = name and (known is None or known[1].unit == "note")
        if unused and place <= len(row) and (told := cells.text(row[place - 1])):
            yield name, told
