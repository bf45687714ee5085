from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.days import day_of, microseconds
from qianheng.measures.days import Days, date_of, day_numbers

ZONES = ("Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "UTC")
SPAN = (datetime(2025, 3, 1), datetime(2025, 11, 30))  # noqa: DTZ001  # Hypothesis wants them so


@given(st.lists(st.datetimes(*SPAN, timezones=st.just(UTC)), max_size=20), st.sampled_from(ZONES))
def test_a_day_number_is_the_natural_day_of_the_zone(times: list[datetime], zone: str) -> None:
    found = day_numbers(np.array([microseconds(at) for at in times], np.int64), zone)
    assert [date_of(number) for number in found.tolist()] == [day_of(at, zone) for at in times]


@pytest.mark.parametrize("zone", ZONES)
def test_sql_tells_the_same_day_at_every_half_hour_of_the_year(zone: str) -> None:
    days = Days(date(2025, 1, 1), date(2025, 12, 31), zone)
    at = np.arange(days.since, days.until, 30 * 60 * 1_000_000)
    offset = days.offset_sql()
    told = f"SELECT CAST((f.at + {offset} - MOD(f.at + {offset}, 86400000000)) / 86400000000 AS BIGINT) AS day"
    with duckdb.connect() as connection:
        connection.register("times", {"at": at})
        found = connection.sql(f"{told} FROM times AS f ORDER BY f.at").fetchnumpy()["day"]
    assert np.array_equal(found, day_numbers(at, zone))
    assert (date_of(int(found[0])), date_of(int(found[-1]))) == (days.first, days.last)


def test_where_clocks_never_change_the_offset_is_one_number() -> None:
    assert Days(date(2025, 1, 1), date(2025, 12, 31)).offset_sql() == str(8 * 3600 * 1_000_000)


def test_days_run_from_the_first_midnight_to_that_after_the_last() -> None:
    days = Days(date(2025, 11, 2), date(2025, 11, 2), "America/New_York")  # 25 hours long
    assert days.until - days.since == timedelta(hours=25) // timedelta(microseconds=1)
