"""How people write the values of a plan's fields: "300.5" is a budget in yuan, "feed, search" some placements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from qianheng.core.errors import BadInput
from qianheng.core.money import decimal, micros, yuan
from qianheng.core.placements import Placement
from qianheng.plans.plan import Value, held
from qianheng.plans.rules import BUDGETS


def written(name: str, text: str) -> Value:
    """The value of a plan's field from text; empty text is none (no target, no limit, all placements, all hours).

    Unreadable, or none of the field's kind: BadInput naming the field.
    """
    try:
        value = _READERS[name](text.strip()) if name in _READERS else text
        checked: Value = held(name, value)
        return checked
    except BadInput as error:
        raise BadInput(error.key, place=name, **error.values) from None


def shown(name: str, value: Value) -> str:
    """The value of a plan's field as people write it: `written` reads the same value from it."""
    if value is None:
        return ""
    if name in BUDGETS:
        return yuan(int(cast(int, value)))
    if isinstance(value, tuple):
        return ", ".join(Placement(one).name.lower() if name == "placements" else str(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unless_empty(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: read(text) if text else None


def _placements(text: str) -> tuple[Placement, ...]:
    names = {place.name.lower(): place for place in Placement}
    return tuple(sorted(_named(names, part.strip()) for part in text.split(",") if text))


def _named(names: dict[str, Placement], name: str) -> Placement:
    if name not in names:
        raise BadInput("plans.unknown_value", value=name, known=", ".join(names))
    return names[name]


def _hours(text: str) -> tuple[int, ...]:
    """The hours in "0-1,8-22": each beginning hour, both ends included."""
    try:
        spans = [[int(mark) for mark in part.split("-", 1)] for part in text.split(",") if text]
    except ValueError:
        raise BadInput("plans.bad_hours", value=text) from None
    return tuple(sorted({hour for span in spans for hour in range(span[0], span[-1] + 1)}))


def _switch(text: str) -> bool:
    if text not in ("true", "false"):
        raise BadInput("plans.not_a_switch", value=text)
    return text == "true"


def _count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadInput("core.not_a_number", value=text) from None


def _ids(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if text)
    except ValueError:
        raise BadInput("core.not_a_number", value=text) from None


_READERS: dict[str, Callable[[str], Any]] = {
    "target": _unless_empty(decimal),
    "budget_daily": micros,
    "budget_weekly": _unless_empty(micros),
    "budget_total": _unless_empty(micros),
    "product_ids": _ids,
    "placements": _placements,
    "schedule": _hours,
    "users": _ids,
    "creative_ids": _ids,
    "roi_float": _switch,
    "picks": _count,
}
