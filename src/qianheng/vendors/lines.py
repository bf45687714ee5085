"""One line of a report → a typed row, or the reasons why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
from qianheng.vendors.heading import Heading, Span
from qianheng.vendors.layouts import Column, Platform
from qianheng.vendors.sheets import Sheet

_PARSERS: dict[str, Callable[[Cell], object]] = {
    "money": cells.money,
    "balance": cells.balance,
    "count": cells.count,
    "ratio": cells.ratio,
    "rate": cells.rate,
    "percent": cells.percent,
    "id": cells.identity,
    "text": cells.text,
    "day": cells.when,
    "hour": cells.hour,
    "currency": cells.currency,
    "kind": cells.text,
    "note": cells.text,
}
_NAMED = frozenset({"id", "text", "day"})
_TARGETS = (("net_target", Goal.NET), ("payment_target", Goal.PAYMENT), ("target", None))


@dataclass(frozen=True, slots=True)
class Table:
    """A report as it is read line by line: its cells, its header, its period and its money where lines do not say."""

    sheet: Sheet
    heading: Heading
    span: Span | None
    currency: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that was not taken: its row in the file, the vendor's column if one is to blame, what stood there, why.

    `key` is what the reasons of one kind have in common, of the words `vendors`.
    """

    row: int
    column: str | None
    value: str
    reason: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line read: the row, or the faults that keep it out; doubts are (key, sentence), `confirmed` how many of the
    vendor's own ratios prove the row."""

    number: int
    row: ReportRow | None
    faults: tuple[Rejected, ...] = ()
    doubts: tuple[tuple[str, str], ...] = ()
    confirmed: int = 0


def is_total(row: list[Cell], heading: Heading) -> bool:
    """Whether a line is the vendor's own total: it says so where a name, an id or a day would stand, and has no id."""
    named = [(place, column.field) for place, column in _cells(row, heading) if column.unit in _NAMED]
    labels = {field: cells.text(row[place - 1]) for place, field in named}
    if heading.layout.total_without and not labels.get(heading.layout.total_without):
        return True
    has_id = labels.get(f"{heading.layout.kind}_id", "").isdigit()
    words = _total(heading.platform.totals)
    return not has_id and any(words.fullmatch(label) for label in labels.values())


@cache
def _total(totals: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"({'|'.join(totals)})\s*([(（:：].*)?")


def total_of(row: list[Cell], heading: Heading) -> tuple[Figures, When | None]:
    """The figures of a total line as far as they can be read, and the days it is the total of, if it says."""
    values: dict[str, Any] = {}
    for place, column in _cells(row, heading):
        try:
            values[column.field] = _PARSERS[column.unit](row[place - 1])
        except BadInput:
            continue
    return Figures(**{name: values.get(name) for name in FIGURES}), values.get("day")


def read_line(number: int, table: Table) -> Line:
    """Understand one line; what it does not say of its period and its money, the file does."""
    sheet, heading = table.sheet, table.heading
    row = sheet.rows[number - 1]
    if sheet.ragged and len(row) < heading.width:
        reason = say("vendors.cut_row", cells=len(row), expected=heading.width)
        return Line(number, None, (Rejected(number, None, "", reason, "cut_row"),))
    values, faults = _values(number, row, sheet, heading)
    if faults:
        return Line(number, None, tuple(faults))
    checked = check(Figures(**{name: values.get(name) for name in FIGURES}), _stated(values, heading))
    faults = [_fault(number, fault, heading, row) for fault in checked.faults]
    if any(cells.text(cell) for cell in row[heading.width :]) and not checked.confirmed:
        faults.append(Rejected(number, None, cells.text(row[heading.width]), say("vendors.more_cells"), "more_cells"))
    try:
        made = _report_row(values, row, checked.figures, table)
    except BadInput as error:
        reason = say(error.key, **error.values)
        return Line(number, None, (*faults, Rejected(number, error.place or None, "", reason, _kind(error))))
    return Line(number, None if faults else made, tuple(faults), checked.doubts, checked.confirmed)


def _cells(row: list[Cell], heading: Heading) -> list[tuple[int, Column]]:
    return [(place, column) for place, (_, column) in heading.columns.items() if place <= len(row)]


def _values(number: int, row: list[Cell], sheet: Sheet, heading: Heading) -> tuple[dict[str, Any], list[Rejected]]:
    values: dict[str, Any] = {}
    spare: dict[str, Any] = {}
    faults: list[Rejected] = []
    for place, column in _cells(row, heading):
        try:
            if reason := sheet.doubtful.get((number, place)):
                raise BadInput(reason)
            value = _PARSERS[column.unit](row[place - 1])
            if column.fallback:
                spare[column.field] = value
            elif values.get(column.field, value) != value:
                raise BadInput("vendors.column_twice", other=values[column.field])
            else:
                values[column.field] = value
        except BadInput as error:
            told = cells.text(row[place - 1])
            faults.append(Rejected(number, heading.names[place - 1], told, str(error), _kind(error)))
    values |= {field: value for field, value in spare.items() if values.get(field) in (None, "")}
    return values | _entry(values, heading.platform), faults


def _entry(values: dict[str, Any], platform: Platform) -> dict[str, Any]:
    """The figure that a line of a statement is, by the words of its type; what is none of ours stays beside the row."""
    named = (field for word, field in platform.entries.items() if word in (values.get("entry") or ""))
    field, amount = next(named, None), values.get("amount")
    return {} if field is None or amount is None else {field: abs(amount)}


def _kind(error: BadInput) -> str:
    return error.key.rpartition(".")[2]


def _fault(number: int, fault: tuple[str, str], heading: Heading, row: list[Cell]) -> Rejected:
    field, reason = fault
    place = next((place for place, column in _cells(row, heading) if column.field == field), None)
    if place is None:
        return Rejected(number, None, "", reason, "disagrees")
    return Rejected(number, heading.names[place - 1], cells.text(row[place - 1]), reason, "disagrees")


def _stated(values: dict[str, Any], heading: Heading) -> dict[str, Fraction]:
    units = {column.field: column.unit for _, column in heading.columns.values()}
    fields = [
        name for name in values if units.get(name) in ("ratio", "rate", "percent", "money") and name not in FIGURES
    ]
    return {name: Fraction(values[name]) for name in fields if values[name] is not None}


def _report_row(values: dict[str, Any], row: list[Cell], figures: Figures, table: Table) -> ReportRow:
    heading = table.heading
    kind, entity_id, name = _named(values, heading)
    if not entity_id and not name and not heading.layout.nameless and kind not in ("finance", "live"):
        raise BadInput("vendors.nameless")
    first, last, hour = _when(values, heading, table.span)
    target, goal = _aim(values, heading.platform, last)
    return ReportRow(
        kind=ReportKind(kind),
        entity_id=entity_id,
        name=name,
        first=first,
        last=last,
        hour=hour,
        within=_within(values, kind),
        goal=goal,
        target=target,
        budget=values.get("budget"),
        currency=_money_of(values, table),
        figures=figures,
        aside=tuple(_aside(row, heading)),
    )


def _named(values: dict[str, Any], heading: Heading) -> tuple[str, str, str]:
    """What a line is about: its kind, id and name. A part of the line above is known by the name that stands there."""
    kind, parts = heading.layout.kind, heading.layout.parts
    if parts and not values.get(parts.without):
        return parts.kind, values.get(f"{parts.kind}_id") or "", values.get(f"{kind}_name") or ""
    return kind, values.get(f"{kind}_id") or "", values.get(f"{kind}_name") or ""


def _aim(values: dict[str, Any], platform: Platform, last: date | None) -> tuple[Fraction | None, Goal]:
    """The target a line states and the goal it is of, else the goal the vendor bid to in those days."""
    before = last is not None and platform.net_goal_since is not None and last < platform.net_goal_since
    usual = Goal(platform.goal) if platform.goal else Goal.PAYMENT if before else Goal.NET
    stated = ((values[field], goal or usual) for field, goal in _TARGETS if values.get(field))
    return next(stated, (None, usual))


def _money_of(values: dict[str, Any], table: Table) -> str:
    """The currency of a line. None known, or another than the person named: BadInput."""
    told = values.get("currency") or table.currency
    if not told:
        raise BadInput("vendors.no_currency")
    if table.currency and told != table.currency:
        raise BadInput("vendors.other_currency", place=table.heading.column_of("currency") or "", value=told)
    return told


def part_of(row: ReportRow, above: ReportRow | None, heading: Heading) -> ReportRow:
    """A line that is a part of the one above it (`Layout.parts`), as such; any other as it is."""
    parts = heading.layout.parts
    if not parts or row.kind != parts.kind or above is None:
        return row
    return replace(row, within=f"{above.kind} {above.entity_id or above.name}")


def _when(values: dict[str, Any], heading: Heading, span: Span | None) -> tuple[date | None, date | None, int | None]:
    """The days of a line, its own or else the file's, and its hour."""
    own: When | None = values.get("started") or values.get("day")
    if own is None:
        return (*(span or (None, None)), values.get("hour"))
    first, last, hour = own
    if span and not span[0] <= first <= last <= span[1]:
        raise BadInput(
            "vendors.day_outside",
            place=heading.column_of("started") or heading.column_of("day") or "",
            first=span[0],
            last=span[1],
        )
    return first, last, values.get("hour", hour)


def _within(values: dict[str, Any], kind: str) -> str:
    """The other things that a line belongs to, such as the plan of a product's line: they set it apart from others."""
    owners = (owner for owner in ReportKind if owner.value != kind)
    ids = {owner.value: values.get(f"{owner.value}_id") or values.get(f"{owner.value}_name") for owner in owners}
    return ", ".join(f"{owner} {name}" for owner, name in ids.items() if name)


def _aside(row: list[Cell], heading: Heading) -> Iterator[tuple[str, str]]:
    for place, name in enumerate(heading.names, 1):
        known = heading.columns.get(place)
        unused = name and (known is None or known[1].unit in ("note", "kind") or known[1].field == "amount")
        if unused and place <= len(row) and (told := cells.text(row[place - 1])):
            yield name, told
