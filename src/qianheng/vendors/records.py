"""Record files of a vendor → what happened, line by line: orders, after-sales, the log of what was done to plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from qianheng.core import tables
from qianheng.core.days import day_of, microseconds, moment, parse_time
from qianheng.core.errors import BadInput
from qianheng.core.money import Micros
from qianheng.core.words import say
from qianheng.measures.shop_orders import ShopOrder, ShopRefund
from qianheng.plans.entries import LogEntry, LogField
from qianheng.vendors import cells
from qianheng.vendors.change_log import VendorLog, entries_of
from qianheng.vendors.heading import ROWS_OF_NOTES_AT_MOST, Span, names_of, period_in
from qianheng.vendors.lines import Rejected
from qianheng.vendors.sheets import Sheet

Record: TypeAlias = ShopOrder | ShopRefund | LogEntry
Values: TypeAlias = Mapping[str, Any]


class RecordKind(StrEnum):
    """What the lines of a record file are."""

    CHANGE_LOG = "change_log"
    REFUNDS = "refunds"
    ORDERS = "orders"

    @property
    def platform(self) -> str:
        """Whose files they are."""
        return "qianchuan" if self is RecordKind.CHANGE_LOG else "doudian"


@dataclass(frozen=True, slots=True)
class Column:
    """The vendor's names of a column, the one we write first, and how its cells are written."""

    names: tuple[str, ...]
    unit: Literal["id", "text", "time", "money", "flag"]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a record file, and which it needs."""

    needs: tuple[str, ...]
    columns: dict[str, Column]

    def places(self, header: list[str]) -> dict[str, int]:
        """Where each known column stands in a header; the first of its names that is there."""
        return {
            name: next(header.index(one) for one in column.names if one in header)
            for name, column in self.columns.items()
            if any(one in header for one in column.names)
        }


@dataclass(frozen=True, slots=True)
class Words:
    """The vendor's words that decide what a line is."""

    refunded: tuple[str, ...]
    in_room: tuple[str, ...]
    plan_boost: tuple[str, ...]
    creative_boost: tuple[str, ...]
    yes: tuple[str, ...]
    no: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layouts:
    """All record files known: `records.toml`."""

    change_log: Layout
    refunds: Layout
    orders: Layout
    words: Words

    def of(self, kind: RecordKind) -> Layout:
        """The layout of a kind."""
        layout: Layout = getattr(self, kind.value)
        return layout


@cache
def layouts() -> Layouts:
    """The record files as shipped."""
    path = Path(__file__).with_name("records.toml")
    return tables.build(Layouts, tables.read_toml(path), path.name)


@dataclass(frozen=True, slots=True)
class RecordHeading:
    """The header of a record file: its sheet, its row from 1, and the known columns by place from 0."""

    kind: RecordKind
    sheet: Sheet
    row: int
    places: Mapping[str, int]

    @property
    def known_as(self) -> tuple[str, str]:
        """The names of its platform and its layout."""
        return self.kind.platform, self.kind.value

    @property
    def names(self) -> list[str]:
        """The cells of the header."""
        return names_of(self.sheet.rows[self.row - 1])


@dataclass(frozen=True, slots=True)
class RecordFile:
    """One record file read: what happened, and what a person should know about what was not taken."""

    kind: RecordKind
    period: Span | None
    records: tuple[Record, ...]
    lines: int
    rejected: tuple[Rejected, ...]
    ignored_columns: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Body:
    records: dict[str, Record] = field(default_factory=dict)
    lines: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


def record_heading(sheets: list[Sheet]) -> RecordHeading | None:
    """The header of a record file in these sheets; `None` where there is none."""
    for sheet in sheets:
        for number, row in enumerate(sheet.rows[:ROWS_OF_NOTES_AT_MOST], 1):
            header = names_of(row)
            for kind in RecordKind:
                places = layouts().of(kind).places(header)
                if places.keys() >= set(layouts().of(kind).needs):
                    return RecordHeading(kind, sheet, number, places)
    return None


def read_records(heading: RecordHeading, file_name: str, timezone: str, period: Span | None = None) -> RecordFile:
    """Read the lines under a header. `timezone` is that of their clocks; the period is the one stated, else the file
    name's, else that of the lines."""
    body = _Body()
    for number, row in enumerate(heading.sheet.rows[heading.row :], heading.row + 1):
        if any(cells.text(cell) for cell in row):
            _sort_in(body, number, heading, timezone)
    known = set(heading.places.values())
    return RecordFile(
        kind=heading.kind,
        period=period or period_in(file_name) or _span(body, timezone),
        records=tuple(body.records.values()),
        lines=body.lines,
        rejected=tuple(body.rejected),
        ignored_columns=tuple(name for place, name in enumerate(heading.names) if name and place not in known),
        warnings=tuple(say(f"records.{why}", lines=count) for why, count in body.left_out.items()),
    )


def _sort_in(body: _Body, number: int, heading: RecordHeading, timezone: str) -> None:
    values, faults = _values(number, heading, timezone)
    if not faults:
        try:
            made = _MAKE[heading.kind](values)
        except BadInput as error:
            faults = [Rejected(number, error.place or None, "", say(error.key, **error.values))]
        else:
            body.lines += 1
            if isinstance(made, str):
                body.left_out[made] = body.left_out.get(made, 0) + 1
            else:
                body.records.update({record.key: record for record in made})
    body.rejected.extend(faults)


def _values(number: int, heading: RecordHeading, timezone: str) -> tuple[dict[str, Any], list[Rejected]]:
    row, columns = heading.sheet.rows[number - 1], layouts().of(heading.kind).columns
    values: dict[str, Any] = {}
    faults = []
    for name, place in heading.places.items():
        cell = row[place] if place < len(row) else None
        try:
            if reason := heading.sheet.doubtful.get((number, place + 1)):
                raise BadInput(reason)
            values[name] = _read(columns[name].unit, cell, timezone)
        except BadInput as error:
            faults.append(Rejected(number, heading.names[place], cells.text(cell), str(error)))
    return values, faults


def _read(unit: str, cell: cells.Cell, timezone: str) -> object:
    if unit == "time":
        return instant(cell, timezone)
    if unit == "flag":
        return _flag(cell)
    if unit == "id":
        return cells.identity(cells.text(cell).lstrip("'") if isinstance(cell, str) else cell)
    return cells.money(cell) if unit == "money" else cells.text(cell)


def instant(cell: cells.Cell, timezone: str) -> int | None:
    """When something happened, by the clock of a time zone (UTC microseconds); `None` when missing. Else: BadInput."""
    if isinstance(cell, datetime):
        return microseconds(parse_time(cell.isoformat(), timezone))
    written = cells.text(cell).replace("/", "-")
    if not written:
        return None
    if len(written) < len("2026-01-01 00:00"):
        raise BadInput("records.no_clock", value=written)
    return microseconds(parse_time(written, timezone))


def _flag(cell: cells.Cell) -> bool | None:
    written = cells.text(cell).lower()
    if not written:
        return None
    if written not in (*layouts().words.yes, *layouts().words.no):
        raise BadInput("records.no_flag", value=written)
    return written in layouts().words.yes


def _log_entries(values: Values) -> list[Record] | str:
    _needed(values, RecordKind.CHANGE_LOG, "at", "plan_id", "title")
    log = VendorLog(
        log_id=values.get("log_id", ""),
        at=values["at"],
        plan_id=values["plan_id"],
        operator=values.get("operator", ""),
        title=values["title"],
        texts=(values["texts"],) if values.get("texts") else (),
        before=values.get("before", ""),
        after=values.get("after", ""),
    )
    return list(entries_of(log))


def _refund(values: Values) -> list[Record] | str:
    status = values.get("status", "")
    if "status" in values and not any(word in status for word in layouts().words.refunded):
        return "not_refunded"
    at = next((values[name] for name in ("refunded_at", "arrived_at", "ended_at", "applied_at") if values.get(name)), 0)
    _needed({**values, "refunded_at": at}, RecordKind.REFUNDS, "refund_id", "item_id", "paid", "refunded_at")
    return [ShopRefund(values["refund_id"], values["item_id"], at, values["paid"], values.get("discount"))]


def _order(values: Values) -> list[Record] | str:
    if "paid_at" in values and values["paid_at"] is None:
        return "not_paid"
    at: int = values.get("paid_at") or values.get("submitted_at") or 0
    _needed({**values, "paid_at": at}, RecordKind.ORDERS, "item_id", "order_id", "paid", "paid_at")
    content = values.get("content")
    order = ShopOrder(
        item_id=values["item_id"],
        order_id=values["order_id"],
        product_id=values.get("product_id", ""),
        at=at,
        paid=values["paid"],
        **{name: values.get(name) for name in ("platform_discount", "shop_discount", "creator_discount", "plan_id")},
        boost=_boost(values.get("boost")),
        abnormal=values.get("abnormal"),
        in_room=None if not content else any(word in content for word in layouts().words.in_room),
        placed_at=values.get("submitted_at"),
        status=values.get("status", ""),
    )
    return [order, *_inline_refund(values)]


def _inline_refund(values: Values) -> list[Record]:
    """What an order file itself tells of a refund: an amount above zero and its time."""
    amount: Micros | None = values.get("refunded")
    if not amount or not values.get("refunded_at"):
        return []
    return [ShopRefund(f"{values['item_id']}/refund", values["item_id"], values["refunded_at"], amount)]


def _boost(written: str | None) -> str | None:
    if not written:
        return written
    words = layouts().words
    for kind, known in (("plan", words.plan_boost), ("creative", words.creative_boost)):
        if any(word in written for word in known):
            return kind
    raise BadInput("records.unknown_boost", place=layouts().orders.columns["boost"].names[0], value=written)


def _needed(values: Values, kind: RecordKind, *names: str) -> None:
    missing = next((name for name in names if values.get(name) in (None, "", 0) and name != "paid"), None)
    if missing or values.get("paid", 0) is None:
        raise BadInput("records.nothing_there", place=layouts().of(kind).columns[missing or "paid"].names[0])


_MAKE: Mapping[RecordKind, Callable[[Values], list[Record] | str]] = {
    RecordKind.CHANGE_LOG: _log_entries,
    RecordKind.REFUNDS: _refund,
    RecordKind.ORDERS: _order,
}


def not_understood(records: tuple[Record, ...]) -> list[str]:
    """The texts of a change log that nothing was understood of."""
    return [one.text for one in records if isinstance(one, LogEntry) and one.field is LogField.OTHER]


def _span(body: _Body, timezone: str) -> tuple[date, date] | None:
    days = [day_of(moment(record.at), timezone) for record in body.records.values()]
    return (min(days), max(days)) if days else None
