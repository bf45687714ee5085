"""Reading a case: JSON checked completely, all faults told at once with their place (CONTRACTS 2).

Every field is read by a function that takes what stood there and gives the value or raises BadInput; a table per kind
of record names its fields. Places are put together only for faults, since cases come by the hundred thousand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, NamedTuple, cast

from qianheng.core import days
from qianheng.core.errors import BadInput
from qianheng.core.money import Micros, decimal, micros
from qianheng.core.words import say
from qianheng.guarantee.case import (
    BoostUnit,
    Budget,
    Case,
    Charge,
    DaySpend,
    Event,
    Log,
    Order,
    PlanEvent,
    Price,
    Refund,
    Target,
    Unit,
    WeekUnit,
)
from qianheng.guarantee.shelf import shipped, unknown_policy
from qianheng.guarantee.targets import in_force, known_targets
from qianheng.plans.plan import BidMode, Goal, PlanKind

Read = Callable[[Any], Any]
_REQUIRED: Any = object()
PLACES = 18  # decimals a target or a rate may have
FEW = 3  # so many records are read one by one: columns would cost more than they spare
EARLIEST, LATEST = 1970, 9000  # the years a case may speak of


class _Field(NamedTuple):
    """A field: its name, what reads it, and what is read where it is missing."""

    name: str
    read: Read
    default: Any = _REQUIRED


class _Fields(NamedTuple):
    """The fields of a record in the order of its constructor; `values_of` takes them out of a table that has all."""

    make: Callable[..., Any]
    fields: tuple[_Field, ...]
    reads: tuple[Read, ...]
    defaults: dict[str, Any]
    values_of: Callable[[Any], tuple[Any, ...]]


class _Faults(Exception):
    """Faults found inside one value, each with its place relative to that value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__()
        self.faults = faults

    def under(self, place: str) -> list[str]:
        return [f"{place}{fault}" for fault in self.faults]


_UNWELL = (KeyError, TypeError, BadInput, _Faults)  # what reading at once meets where reading by field finds faults


@dataclass(frozen=True, slots=True)
class Given:
    """What is given beside a case: the time and the policy that stand in for those written there, and the policies
    known by name (default: those shipped)."""

    now: int | None = None
    policy: str | None = None
    policies: Collection[str] | None = None


def parse_case(text: str | bytes, place: str, given: Given = Given()) -> Case:
    """The case written as JSON in `text`.

    Not JSON, or any field unknown, missing or wrong: BadInput at `place` with every fault and where it is.
    """
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput("guarantee.case.not_json", place=place, why=error) from None
    return read_case(table, place, given)


def read_case(table: object, place: str, given: Given) -> Case:
    """The case in a JSON table; see `parse_case`."""
    faults: list[str] = []
    if isinstance(table, dict):
        stands_in = {"now": None if given.now is None else days.moment(given.now).isoformat(), "policy": given.policy}
        table = table | {name: value for name, value in stands_in.items() if value is not None}
        faults += _unknown_policy(table.get("policy"), given.policies)
    kind, table = _of_type(table, faults)
    try:
        case = cast(Case, _record(_CASES[kind], table))
    except _Faults as found:
        faults += [fault.lstrip(".: ") for fault in found.faults]
    if faults:
        raise BadInput("core.bad_table", place=place, faults="\n  ".join(["", *faults]))
    return case


def _of_type(table: object, faults: list[str]) -> tuple[object, object]:
    """The type of a case's unit, and the case without it; an unknown one is a fault."""
    unit = table.get("unit") if isinstance(table, dict) else None
    if not isinstance(unit, dict) or "type" not in unit:
        return Unit.type, table
    kind = unit["type"]
    if not isinstance(kind, str) or kind not in _CASES:
        choices = ", ".join(map(str, _CASES))
        faults.append(f"unit.type: {say('core.fault.choice', choices=choices, value=repr(kind))}")
        kind = Unit.type
    rest = {name: value for name, value in unit.items() if name != "type"}
    return kind, cast(dict[str, object], table) | {"unit": rest}


def _unknown_policy(name: object, known: Collection[str] | None) -> list[str]:
    names = shipped().names if known is None else known
    if not isinstance(name, str) or name.endswith(".toml") or name in names:
        return []
    return [f"policy: {unknown_policy(name, names)}"]


def _record(kind: _Fields, table: object) -> Any:
    """The record in a table: at once if all is well, else field by field, so that every fault is found."""
    try:
        values = kind.values_of(_whole(kind, table))
        return kind.make(*[read(value) for read, value in zip(kind.reads, values, strict=True)])
    except _UNWELL:
        return _record_by_field(kind, table)


def _whole(kind: _Fields, table: Any) -> dict[str, Any]:
    """The table with its defaults, nothing missing and nothing unknown; KeyError or TypeError if it is not so."""
    whole: dict[str, Any] = table if len(table) == len(kind.reads) else kind.defaults | table
    if len(whole) != len(kind.reads):
        raise KeyError
    return whole


def _record_by_field(kind: _Fields, table: object) -> Any:
    if not isinstance(table, dict):
        raise _Faults([f": {say('core.fault.table', value=repr(table))}"])
    values, faults = [], []
    for name, read, default in kind.fields:
        try:
            if name in table or default is not _REQUIRED:
                values.append(read(table.get(name, default)))
            else:
                faults.append(f".{name}: {say('core.fault.missing')}")
        except _Faults as found:
            faults += found.under(f".{name}")
        except BadInput as error:
            faults.append(f".{name}: {error}")
    names = [field.name for field in kind.fields]
    faults += [f".{name}: {say('core.fault.unknown', known=', '.join(names))}" for name in table if name not in names]
    if faults:
        raise _Faults(faults)
    return kind.make(*values)


def _list(kind: _Fields) -> Read:
    def read(items: Any) -> tuple[Any, ...]:
        if items == []:
            return ()
        try:
            return _by_column(kind, items) if len(items) > FEW else _one_by_one(kind, items)
        except _UNWELL:
            return _one_by_one(kind, items)

    return read


def _by_column(kind: _Fields, items: list[Any]) -> tuple[Any, ...]:
    """The records of many tables that are well: each field of all of them in turn, which spares a call a record."""
    columns = zip(*[kind.values_of(_whole(kind, item)) for item in items], strict=True)
    return tuple(map(kind.make, *(map(read, column) for read, column in zip(kind.reads, columns, strict=True))))


def _one_by_one(kind: _Fields, items: object) -> tuple[Any, ...]:
    if not isinstance(items, list):
        raise _Faults([f": {say('core.fault.list', value=repr(items))}"])
    records, faults = [], []
    for i, item in enumerate(items):
        try:
            records.append(_record(kind, item))
        except _Faults as found:
            faults += found.under(f"[{i}]")
    if faults:
        raise _Faults(faults)
    return tuple(records)


def _one(kind: _Fields) -> Read:
    return lambda table: _record(kind, table)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not value.strip():
        raise BadInput("guarantee.case.not_text", value=value)
    return value


def _id(value: object) -> str:
    return str(value) if type(value) is int else _text(value)


def _time(value: object) -> int:
    """Nearly all are written "2025-10-01T09:30:00+08:00": when their day began has been found before."""
    if isinstance(value, str) and len(value) == 25:
        try:
            at = datetime.fromisoformat(value)
            if not at.microsecond:
                seconds = (at.hour * 60 + at.minute) * 60 + at.second
                return _day_begins(value[:11], value[19:]) + seconds * days.SECOND
        except (ValueError, BadInput):
            pass
    return _any_time(value)


@lru_cache(maxsize=1024)
def _day_begins(day: str, offset: str) -> int:
    return _any_time(f"{day}00:00:00{offset}")


def _any_time(value: object) -> int:
    at = days.parse_time(value)
    if not EARLIEST <= at.year <= LATEST:
        raise BadInput("guarantee.case.year_out_of_range", value=value, earliest=EARLIEST, latest=LATEST)
    return days.microseconds(at)


def _day(value: object) -> date:
    day = days.parse_day(value)
    if not EARLIEST <= day.year <= LATEST:
        raise BadInput("guarantee.case.year_out_of_range", value=value, earliest=EARLIEST, latest=LATEST)
    return day


def _day_or_none(value: object) -> date | None:
    return None if value is None else _day(value)


def _amount(value: Any) -> Micros:
    amount = micros(value)
    if amount < 0:
        raise BadInput("guarantee.case.negative", value=value)
    return amount


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadInput("core.fault.kind", kind=say("core.kind.bool"), value=repr(value))
    return value


def _timezone(value: object) -> str:
    return days.zone(_text(value)).key


def _decimal(value: Any) -> Decimal:
    number = decimal(value)
    if cast(int, number.as_tuple().exponent) < -PLACES:  # an exact fraction of "1e-999999999" would fill the memory
        raise BadInput("guarantee.case.too_fine", value=value, places=PLACES)
    return number


def _commission_rate(value: Any) -> Decimal | None:
    if value is None:
        return None
    rate = _decimal(value)
    if not 0 <= rate <= 1:
        raise BadInput("guarantee.case.rate_out_of_range", value=value)
    return rate


@lru_cache(maxsize=4096)
def _ratio(value: str) -> Fraction:
    ratio = Fraction(_decimal(value))
    if ratio <= 0:
        raise BadInput("guarantee.case.target_not_positive", value=value)
    return ratio


def _target_value(value: Any) -> Fraction | None:
    if value is None or isinstance(value, str):
        return None if value is None else _ratio(value)
    return _ratio(str(decimal(value)))


def _choice(*members: StrEnum) -> Read:
    choices: Mapping[object, StrEnum] = {member.value: member for member in members}

    def read(value: object) -> StrEnum:
        if not isinstance(value, str) or value not in choices:
            raise BadInput("core.fault.choice", choices=", ".join(map(str, choices)), value=repr(value))
        return choices[value]

    return read


def _boost(value: object) -> str | None:
    if value is not None and value not in ("plan", "creative"):
        raise BadInput("core.fault.choice", choices="null, plan, creative", value=repr(value))
    return value


def _amounts(values: object) -> tuple[Micros, ...]:
    if not isinstance(values, list):
        raise BadInput("core.fault.list", value=repr(values))
    return tuple(map(_amount, values))


def _case(policy: str, unit: Unit, targets: tuple[Target, ...], *rest: Any) -> Case:
    charges, orders, events, now, *of_week = rest
    faults = _without_value(unit, targets) if unit.bid_mode is BidMode.TARGET_ROI else []
    if isinstance(unit, BoostUnit):
        faults += _spent_before(unit, charges)
    if faults:
        raise _Faults(faults)
    return Case(policy, unit, Log(targets, events, *of_week), charges, orders, now)


def _spent_before(unit: BoostUnit, charges: tuple[Charge, ...]) -> list[str]:
    first = min((charge.at for charge in charges if charge.boost not in unit.boosts_left_out), default=unit.window[0])
    if first >= unit.window[0]:
        return []
    day = days.day_of(days.moment(first), unit.timezone)
    return [f".unit.day: {say('guarantee.case.spent_before', value=unit.day, first=day)}"]


def _with_own(kind: Callable[..., Unit], *values: Any) -> Unit:
    return kind(*values[:-1], False, values[-1])  # a rapid boost is a matter of plan-days


def _without_value(unit: Unit, targets: tuple[Target, ...]) -> list[str]:
    """What is wrong with targets that hold nothing: that day; on other days the plan may have had another bid mode."""
    missing = [i for i, target in enumerate(targets) if target.value is None and target.goal is not Goal.PROFIT]
    that_day = in_force(known_targets(targets, unit.window[1]), unit.window) if missing else []
    return [f".targets[{i}].value: {say('core.fault.missing')}" for i in missing if targets[i] in that_day]


def _fields(make: Callable[..., Any], *fields: _Field) -> _Fields:
    defaults = {field.name: field.default for field in fields if field.default is not _REQUIRED}
    reads = tuple(field.read for field in fields)
    return _Fields(make, fields, reads, defaults, itemgetter(*(field.name for field in fields)))


def _saved(*goals: StrEnum) -> Read:
    return _list(_fields(Target, _Field("at", _time), _Field("goal", _choice(*goals)), _Field("value", _target_value)))


def _happened(*events: Event) -> Read:
    return _list(_fields(PlanEvent, _Field("at", _time), _Field("type", _choice(*events))))


def _facts(unit: _Fields, targets: Read, events: Read, *of_week: _Field) -> _Fields:
    return _fields(
        _case,
        _Field("policy", _text, "seed"),
        _Field("unit", _one(unit)),
        _Field("targets", targets, []),
        _Field("charges", _list(_CHARGE), []),
        _Field("orders", _list(_ORDER), []),
        _Field("events", events, []),
        _Field("now", _time),
        *of_week,
    )


_CHARGE = _fields(
    Charge, _Field("id", _id), _Field("at", _time), _Field("amount", _amount), _Field("boost", _boost, None)
)
_REFUND = _fields(Refund, _Field("id", _id), _Field("at", _time), _Field("amount", _amount))
_ORDER = _fields(
    Order,
    _Field("id", _id),
    _Field("at", _time),
    _Field("amount", _amount),
    _Field("boost", _boost, None),
    _Field("flagged", _flag, False),
    _Field("refunds", _list(_REFUND), []),
)
_BUDGET = _fields(Budget, _Field("at", _time), _Field("amount", _amount), _Field("suggested", _amounts))
_DAY_SPEND = _fields(DaySpend, _Field("day", _day), _Field("amount", _amount))
_STOPS = (Event.PAUSE, Event.RESUME, Event.DELETE)


def _unit(make: Callable[..., Unit], bid_mode: BidMode, own: _Field) -> _Fields:
    """The fields of a unit; the one of its own comes last."""
    return _fields(
        make,
        _Field("plan_id", _id),
        _Field("day", _day),
        _Field("kind", _choice(*PlanKind), PlanKind.PRODUCT),
        _Field("bid_mode", _choice(*BidMode), bid_mode),
        _Field("timezone", _timezone, days.SHANGHAI),
        _Field("commission_rate", _commission_rate, None),
        own,
    )


_PLAN_DAY = _unit(Unit, BidMode.TARGET_ROI, _Field("rapid_boost", _flag, False))
_BOOST = _unit(partial(_with_own, BoostUnit), BidMode.TARGET_ROI, _Field("boost_id", _id))
_WEEK = _unit(partial(_with_own, WeekUnit), BidMode.MAX_DELIVERY, _Field("first_spend_day", _day_or_none, None))
_CASES: Mapping[object, _Fields] = {
    Unit.type: _facts(_PLAN_DAY, _saved(*Goal), _happened(*_STOPS, Event.FRAUD)),
    BoostUnit.type: _facts(
        _BOOST,
        _saved(*Goal, Price.CONVERSION),
        _happened(*_STOPS, Event.TARGETING_CHANGE, Event.PLAN_TARGET_CHANGE),
    ),
    WeekUnit.type: _facts(
        _WEEK,
        _saved(*Goal),
        _happened(*_STOPS),
        _Field("budgets", _list(_BUDGET), []),
        _Field("account_spend", _list(_DAY_SPEND), []),
    ),
}
