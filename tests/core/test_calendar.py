"""Days begin at local midnight whatever the clocks do, and working days are those China works."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
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


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(ZONES))
def test_microseconds_and_moments_are_the_same_time(at: datetime, name: str) -> None:
    assume(2 < at.year < 9998)
    assert moment(microseconds(at), name).astimezone(UTC) == at  # an hour that comes twice equals no other zone's
    assert microseconds(moment(microseconds(at), name)) == microseconds(at)


def test_days_with_clock_changes_are_an_hour_shorter_or_longer() -> None:
    lengths = [
        (midnight(day + timedelta(days=1), "America/New_York").astimezone(UTC) - midnight(day, "America/New_York"))
        for day in (date(2025, 3, 9), date(2025, 11, 2), date(2025, 11, 3))
    ]
    assert [length / timedelta(hours=1) for length in lengths] == [23, 25, 24]


# 国务院办公厅 notices on public holidays of 2024, 2025 and 2026.
MADE_UP = {
    2024: ["02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"],
    2025: ["01-26", "02-08", "04-27", "09-28", "10-11"],
    2026: ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
}
OFF = {
    2024: ["01-01", "02-12", "02-16", "04-04", "05-03", "06-10", "09-17", "10-07"],
    2025: ["01-01", "01-28", "02-04", "04-04", "05-05", "06-02", "10-01", "10-08"],
    2026: ["01-02", "02-16", "02-23", "04-06", "05-05", "06-19", "09-25", "10-07"],
}


def days_of(years: dict[int, list[str]]) -> list[date]:
    return [date.fromisoformat(f"{year}-{day}") for year, days in years.items() for day in days]


@pytest.mark.parametrize("day", days_of(MADE_UP), ids=str)
def test_a_make_up_weekend_is_worked(day: date) -> None:
    assert day.weekday() >= 5
    assert is_working_day(day)


@pytest.mark.parametrize("day", days_of(OFF), ids=str)
def test_a_public_holiday_on_a_weekday_is_not_worked(day: date) -> None:
    assert day.weekday() < 5
    assert not is_working_day(day)


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


@pytest.mark.parametrize("text", ["2025-02-30", "1 May", 7, None])
def test_an_unreadable_day_is_refused(text: object) -> None:
    with pytest.raises(BadInput):
        parse_day(text)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc", ""])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        zone(name)
