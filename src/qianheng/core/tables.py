"""Configuration is typed data: a TOML or JSON table becomes a frozen dataclass; unknown and missing keys are errors."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import tomllib
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from qianheng.core.errors import BadInput
from qianheng.core.words import say

T = TypeVar("T")


def read_toml(path: Path) -> dict[str, Any]:
    """The table in a TOML file, numbers with a point as exact `Decimal`. Missing or broken: BadInput with its place."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("core.unreadable_file", place=str(path), why=getattr(error, "strerror", None) or error) from None
    except tomllib.TOMLDecodeError as error:
        raise BadInput("core.broken_toml", place=str(path), why=error) from None


def build(kind: type[T], table: Mapping[str, Any], place: str) -> T:
    """Build the frozen dataclass `kind` from a table, checking every key and type; nested dataclasses likewise.

    Keys are field names. A field without default is required. All faults are collected and told at once: BadInput.
    """
    faults: list[str] = []
    value = _build(kind, table, "", faults)
    if faults:
        raise BadInput("core.bad_table", place=place, faults="\n  ".join(["", *faults]))
    return typing.cast(T, value)


def _build(kind: Any, table: object, path: str, faults: list[str]) -> Any:
    if not isinstance(table, Mapping):
        faults.append(_fault(path, "core.fault.table", table))
        return None
    known_before = len(faults)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    unknown = sorted(table.keys() - fields.keys())
    faults.extend(_fault(f"{path}{key}", "core.fault.unknown", known=", ".join(fields)) for key in unknown)
    values = {}
    for name, field in fields.items():
        if name in table:
            values[name] = _value(hints[name], table[name], f"{path}{name}", faults)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            faults.append(_fault(f"{path}{name}", "core.fault.missing"))
    if len(faults) > known_before:
        return None
    try:
        return kind(**values)
    except BadInput as error:  # a check of the dataclass itself, in __post_init__
        faults.append(f"{path.rstrip('.')}: {error}" if path else str(error))
        return None


def _value(hint: Any, value: object, path: str, faults: list[str]) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        options = [option for option in arguments if option is not type(None)]
        if value is None and len(options) < len(arguments):
            return None
        return _value(options[0], value, path, faults)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, f"{path}.", faults)
    if origin is tuple:
        return _sequence(arguments, value, path, faults)
    if origin is dict:
        return _mapping(arguments[1], value, path, faults)
    return _scalar(hint, value, path, faults)


def _sequence(arguments: tuple[Any, ...], value: object, path: str, faults: list[str]) -> Any:
    if not isinstance(value, list | tuple):
        faults.append(_fault(path, "core.fault.list", value))
        return None
    variable = len(arguments) == 2 and arguments[1] is Ellipsis
    if not variable and len(value) != len(arguments):
        faults.append(_fault(path, "core.fault.length", value, length=len(arguments)))
        return None
    kinds = [arguments[0]] * len(value) if variable else arguments
    return tuple(
        _value(kind, item, f"{path}[{i}]", faults) for i, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _mapping(kind: Any, value: object, path: str, faults: list[str]) -> Any:
    if not isinstance(value, Mapping):
        faults.append(_fault(path, "core.fault.table", value))
        return None
    return {key: _value(kind, item, f"{path}.{key}", faults) for key, item in value.items()}


def _scalar(hint: Any, value: object, path: str, faults: list[str]) -> Any:
    if typing.get_origin(hint) is typing.Literal:
        choices = typing.get_args(hint)
        if value not in choices:
            faults.append(_fault(path, "core.fault.choice", value, choices=", ".join(map(str, choices))))
        return value
    if hint in (Decimal, float):
        if _is_number(value):
            return hint(str(value))
    elif hint is date and isinstance(value, str):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(value)
    elif isinstance(value, hint) and not isinstance(value, _LOOKALIKES.get(hint, ())):
        return value
    faults.append(_fault(path, "core.fault.kind", value, kind=say(f"core.kind.{hint.__name__.lower()}")))
    return None


_LOOKALIKES: dict[Any, type] = {int: bool, date: datetime}
"""A truth value passes for a number in Python, and a time for a day; here they do not."""


def _is_number(value: object) -> bool:
    """Whether it is a number, not a truth value, that is finite also as a float."""
    try:
        number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        return number and math.isfinite(typing.cast(float, value))
    except (OverflowError, ValueError):
        return False


def _fault(path: str, key: str, value: object = None, **values: object) -> str:
    return f"{path.rstrip('.') or '.'}: {say(key, value=repr(value), **values)}"
