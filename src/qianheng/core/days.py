"""Days, windows and working days. A time is an aware `datetime` at the edges and UTC microseconds in arrays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from qianheng.core.errors import BadInput

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SHANGHAI = "Asia/Shanghai"

REFUND_WINDOW_1H = HOUR
REFUND_WINDOW_7D = 7 * DAY
REFUND_WINDOW_14D = 14 * DAY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name. Unknown: BadInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput("core.unknown_zone", value=name) from None


def parse_time(text: object, zone_name: str | None = None) -> datetime:
    """An ISO 8601 time with its offset, or in that zone if it says none. Neither, or unreadable: BadInput."""
    try:
        if not isinstance(text, str):
            raise ValueError
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("core.not_a_time", value=text) from None
    if at.tzinfo is None and zone_name is not None:
        return at.replace(tzinfo=zone(zone_name))
    if at.tzinfo is None:
        raise BadInput("core.time_without_offset", value=text)
    return at


def parse_day(text: object, place: str = "") -> date:
    """An ISO 8601 day ("2025-10-01"). Unreadable: BadInput, told at `place` (the option or field it stands in)."""
    try:
        if not isinstance(text, str):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput("core.not_a_day", place=place, value=text) from None


def microseconds(at: datetime) -> int:
    """UTC microseconds since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at: int, zone_name: str = "UTC") -> datetime:
    """The time of these UTC microseconds, told in a time zone."""
    told = _EPOCH + timedelta(microseconds=at)
    return told if zone_name == "UTC" else told.astimezone(zone(zone_name))


def midnight(day: date, zone_name: str = SHANGHAI) -> datetime:
    """The first instant of a natural day in a time zone."""
    return datetime(day.year, day.month, day.day, tzinfo=zone(zone_name))


def day_of(at: datetime, zone_name: str = SHANGHAI) -> date:
    """The natural day that a time falls into."""
    return at.astimezone(zone(zone_name)).date()


def add_working_days(day: date, count: int) -> date:
    """The `count`-th working day after `day`, by the Chinese calendar with its make-up days (调休)."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def is_working_day(day: date) -> bool:
    """Whether China works that day: make-up weekends do, public holidays do not.

    Source: the State Council's yearly notices as kept by the `holidays` library; years it does not know yet fall
    back to its rule-based forecast of the public holidays.
    """
    calendar = _china(day.year)
    return bool(calendar.is_working_day(day))


@cache
def _china(year: int) -> Any:
    from holidays import country_holidays

    return country_holidays("CN", years=year)
