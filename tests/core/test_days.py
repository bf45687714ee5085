"""Days begin at local midnight whatever the clocks do, and working days are those China works."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.days import (
    add_working_days,
    day_of,
    is_working_day,
    microseconds,
    midnight,
    moment,
    parse_day,
    parse_time,
    zone,
)
from qianheng.core.errors import BadInput

# With clock changes at midnight (Havana back to it, Cairo away from it), at half past (Lord Howe) and none (Shanghai).
ZONES = ["Asia/Shanghai", "America/New_York", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe", "UTC"]


@given(st.dates(date(2015, 1, 1), date(2030, 12, 31)), st.sampled_from(ZONES))
def test_midnight_is_the_first_instant_of_its_day(day: date, name: str) -> None:
    first = microseconds(midnight(day, name))
    assert day_of(moment(first, "UTC"), name) == day
    assert day_of(moment(first - 1, "UTC"), name) == day - timedelta(days=1)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.sampled_from(ZONES))
def test_microseconds_and_moments_are_the_same_time(at: datetime, name: str) -> None:
    aware = at.replace(tzinfo=UTC)
    assert moment(microseconds(aware), name) == aware
    assert microseconds(moment(microseconds(aware), name)) == microseconds(aware)


def test_days_with_clock_changes_are_an_hour_shorter_or_longer() -> None:
    lengths = [
        (midnight(day + timedelta(days=1), "America/New_York").astimezone(UTC) - midnight(day, "America/New_York"))
        for day in (date(2025, 3, 9), date(2025, 11, 2), date(2025, 11, 3))
    ]
    assert [length / timedelta(hours=1) for length in lengths] == [23, 25, 24]


# 国务院办公厅 notices on public holidays of 2024, 2025 and 2026.
MADE_UP = """2024-02-04 2024-02-18 2024-04-07 2024-04-28 2024-05-11 2024-09-14 2024-09-29 2024-10-12
2025-01-26 2025-02-08 2025-04-27 2025-09-28 2025-10-11
2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 2026-10-10""".split()
OFF = """2024-01-01 2024-02-12 2024-02-16 2024-04-04 2024-05-03 2024-06-10 2024-09-17 2024-10-07
2025-01-01 2025-01-28 2025-02-04 2025-04-04 2025-05-05 2025-06-02 2025-10-01 2025-10-08
2026-01-02 2026-02-16 2026-02-23 2026-04-06 2026-05-05 2026-06-19 2026-09-25 2026-10-07""".split()


@pytest.mark.parametrize("day", MADE_UP)
def test_a_make_up_weekend_is_worked(day: str) -> None:
    assert date.fromisoformat(day).weekday() >= 5
    assert is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize("day", OFF)
def test_a_public_holiday_on_a_weekday_is_not_worked(day: str) -> None:
    assert date.fromisoformat(day).weekday() < 5
    assert not is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize(("year", "worked"), [(2024, 251), (2025, 248), (2026, 248)])
def test_a_year_has_as_many_working_days_as_its_notice_leaves(year: int, worked: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    assert sum(is_working_day(day) for day in days if day.year == year) == worked


def test_working_days_are_counted_over_a_holiday_and_its_make_up_days() -> None:
    assert add_working_days(date(2025, 9, 30), 1) == date(2025, 10, 9)
    assert add_working_days(date(2025, 10, 10), 1) == date(2025, 10, 11)  # a worked Saturday
    assert add_working_days(date(2025, 10, 10), 2) == date(2025, 10, 13)
    assert add_working_days(date(2025, 10, 10), 0) == date(2025, 10, 10)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("2025-10-01T09:30:00", "core.time_without_offset"),
        ("yesterday", "core.not_a_time"),
        (20251001, "core.not_a_time"),
        (None, "core.not_a_time"),
    ],
)
def test_a_time_needs_its_offset(text: object, key: str) -> None:
    with pytest.raises(BadInput) as refusal:
        parse_time(text)
    assert refusal.value.key == key


def test_unreadable_days_and_zones_are_refused() -> None:
    for parse, text in ((parse_day, "2025-02-30"), (parse_day, 7), (zone, "Mars/Olympus"), (zone, "../etc")):
        with pytest.raises(BadInput):
            parse(text)  # type: ignore[operator]
