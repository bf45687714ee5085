"""Records read from JSON tables: each field by its own function, all at once where all is well, every fault told."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from qianheng.core.errors import BadInput
from qianheng.core.words import say

Read = Callable[[Any], Any]
_REQUIRED: Any = object()
FEW = 3  # so many records are read one by one: columns would cost more than they spare


class Field(NamedTuple):
    """A field: its name, what reads it, and what is read where it is missing."""

    name: str
    read: Read
    default: Any = _REQUIRED


class Fields(NamedTuple):
    """The fields of a record in the order of its constructor; `values_of` takes them out of a table that has all."""

    make: Callable[..., Any]
    fields: tuple[Field, ...]
    reads: tuple[Read, ...]
    defaults: dict[str, Any]
    values_of: Callable[[Any], tuple[Any, ...]]


class Faults(Exception):
    """Faults found inside one value, each with its place relative to that value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__()
        self.faults = faults

    def under(self, place: str) -> list[str]:
        """The faults with their places told from one level further out."""
        return [f"{place}{fault}" for fault in self.faults]


_UNWELL = (KeyError, TypeError, BadInput, Faults)  # what reading at once meets where reading by field finds faults


def fields_of(make: Callable[..., Any], *fields: Field) -> Fields:
    """The fields of a record that `make` makes of their values, in this order."""
    defaults = {field.name: field.default for field in fields if field.default is not _REQUIRED}
    reads = tuple(field.read for field in fields)
    return Fields(make, fields, reads, defaults, itemgetter(*(field.name for field in fields)))


def record(kind: Fields, table: object) -> Any:
    """The record in a table: at once if all is well, else field by field, so that every fault is found: Faults."""
    try:
        values = kind.values_of(_whole(kind, table))
        return kind.make(*[read(value) for read, value in zip(kind.reads, values, strict=True)])
    except _UNWELL:
        return _by_field(kind, table)


def _whole(kind: Fields, table: Any) -> dict[str, Any]:
    """The table with its defaults, nothing missing and nothing unknown; KeyError or TypeError if it is not so."""
    whole: dict[str, Any] = table if len(table) == len(kind.reads) else kind.defaults | table
    if len(whole) != len(kind.reads):
        raise KeyError
    return whole


def _by_field(kind: Fields, table: object) -> Any:
    if not isinstance(table, dict):
        raise Faults([f": {say('core.fault.table', value=repr(table))}"])
    values, faults = [], []
    for name, read, default in kind.fields:
        try:
            if name in table or default is not _REQUIRED:
                values.append(read(table.get(name, default)))
            else:
                faults.append(f".{name}: {say('core.fault.missing')}")
        except Faults as found:
            faults += found.under(f".{name}")
        except BadInput as error:
            faults.append(f".{name}: {error}")
    names = [field.name for field in kind.fields]
    faults += [f".{name}: {say('core.fault.unknown', known=', '.join(names))}" for name in table if name not in names]
    if faults:
        raise Faults(faults)
    return kind.make(*values)


def list_of(kind: Fields) -> Read:
    """What reads a list of such records."""

    def read(items: Any) -> tuple[Any, ...]:
        if items == []:
            return ()
        try:
            return _by_column(kind, items) if len(items) > FEW else _one_by_one(kind, items)
        except _UNWELL:
            return _one_by_one(kind, items)

    return read


def _by_column(kind: Fields, items: list[Any]) -> tuple[Any, ...]:
    """The records of many tables that are well: each field of all of them in turn, which spares a call a record."""
    columns = zip(*[kind.values_of(_whole(kind, item)) for item in items], strict=True)
    return tuple(map(kind.make, *(map(read, column) for read, column in zip(kind.reads, columns, strict=True))))


def _one_by_one(kind: Fields, items: object) -> tuple[Any, ...]:
    if not isinstance(items, list):
        raise Faults([f": {say('core.fault.list', value=repr(items))}"])
    records, faults = [], []
    for i, item in enumerate(items):
        try:
            records.append(record(kind, item))
        except Faults as found:
            faults += found.under(f"[{i}]")
    if faults:
        raise Faults(faults)
    return tuple(records)


def table_of(kind: Fields) -> Read:
    """What reads one such record."""
    return lambda table: record(kind, table)
