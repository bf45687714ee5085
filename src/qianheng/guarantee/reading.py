"""Reading a case: JSON checked completely, all faults told at once with their place (CONTRACTS 2).

Every field is read by a function that takes what stood there and gives the value or raises BadInput; a table per kind
of record names its fields. Places are put together only for faults, since cases come by the hundred thousand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any, cast

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
from qianheng.guarantee.records import Faults, Field, Fields, Read, fields_of, list_of, record, table_of
from qianheng.guarantee.shelf import shipped, unknown_policy
from qianheng.guarantee.targets import in_force, known_targets
from qianheng.plans.plan import BidMode, Goal, PlanKind

PLACES = 18  # decimals a target or a rate may have
EARLIEST, LATEST = 1970, 9000  # the years a case may speak of
_MINUTES = {f"{minute // 60:02d}:{minute % 60:02d}": minute * days.MINUTE for minute in range(24 * 60)}
_SECONDS = {f":{second:02d}": second * days.SECOND for second in range(60)}


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
        case = cast(Case, record(_CASES[kind], table))
    except Faults as found:
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
            clock = _MINUTES[value[11:16]] + _SECONDS[value[16:19]]
            return _day_begins(value[:11], value[19:]) + clock
        except (KeyError, BadInput):
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
        raise Faults(faults)
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


def _saved(*goals: StrEnum) -> Read:
    return list_of(fields_of(Target, Field("at", _time), Field("goal", _choice(*goals)), Field("value", _target_value)))


def _happened(*events: Event) -> Read:
    return list_of(fields_of(PlanEvent, Field("at", _time), Field("type", _choice(*events))))


def _facts(unit: Fields, targets: Read, events: Read, *of_week: Field) -> Fields:
    return fields_of(
        _case,
        Field("policy", _text, "seed"),
        Field("unit", table_of(unit)),
        Field("targets", targets, []),
        Field("charges", list_of(_CHARGE), []),
        Field("orders", list_of(_ORDER), []),
        Field("events", events, []),
        Field("now", _time),
        *of_week,
    )


_CHARGE = fields_of(
    Charge, Field("id", _id), Field("at", _time), Field("amount", _amount), Field("boost", _boost, None)
)
_REFUND = fields_of(Refund, Field("id", _id), Field("at", _time), Field("amount", _amount))
_ORDER = fields_of(
    Order,
    Field("id", _id),
    Field("at", _time),
    Field("amount", _amount),
    Field("boost", _boost, None),
    Field("flagged", _flag, False),
    Field("refunds", list_of(_REFUND), []),
)
_BUDGET = fields_of(Budget, Field("at", _time), Field("amount", _amount), Field("suggested", _amounts))
_DAY_SPEND = fields_of(DaySpend, Field("day", _day), Field("amount", _amount))
_STOPS = (Event.PAUSE, Event.RESUME, Event.DELETE)


def _unit(make: Callable[..., Unit], bid_mode: BidMode, own: Field) -> Fields:
    """The fields of a unit; the one of its own comes last."""
    return fields_of(
        make,
        Field("plan_id", _id),
        Field("day", _day),
        Field("kind", _choice(*PlanKind), PlanKind.PRODUCT),
        Field("bid_mode", _choice(*BidMode), bid_mode),
        Field("timezone", _timezone, days.SHANGHAI),
        Field("commission_rate", _commission_rate, None),
        own,
    )


_PLAN_DAY = _unit(Unit, BidMode.TARGET_ROI, Field("rapid_boost", _flag, False))
_BOOST = _unit(partial(_with_own, BoostUnit), BidMode.TARGET_ROI, Field("boost_id", _id))
_WEEK = _unit(partial(_with_own, WeekUnit), BidMode.MAX_DELIVERY, Field("first_spend_day", _day_or_none, None))
_CASES: Mapping[object, Fields] = {
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
        Field("budgets", list_of(_BUDGET), []),
        Field("account_spend", list_of(_DAY_SPEND), []),
    ),
}
