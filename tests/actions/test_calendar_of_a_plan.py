"""The guarantee of a plan as a month of days, on a run."""

import json
from datetime import date

import pytest

from qianheng.actions.calendar import calendar
from qianheng.actions.desk import desk_of
from qianheng.actions.simulation import RunFolder
from qianheng.core.days import is_working_day
from qianheng.core.errors import NotFound
from qianheng.guarantee.reasons import Status
from qianheng.ledger.months import Month
from tests.actions.conftest import Say


def test_every_day_of_the_month_stands_there_with_what_became_of_it(missed: RunFolder) -> None:
    with desk_of(str(missed.path)) as desk:
        days = calendar(desk, 1)
    assert [one.day for one in days] == [date(2025, 10, number) for number in range(1, 32)]
    assert all(one.works == is_working_day(one.day) for one in days)
    assert {one.status for one in days} >= {None, Status.COMPENSATED, Status.VOID}
    for one in days:
        if one.status is Status.COMPENSATED:
            assert one.stake > 0
            assert one.judged_on is not None
            assert one.paid_on is not None
            assert one.day < one.judged_on <= one.paid_on
            assert is_working_day(one.paid_on)
        if one.status is Status.VOID:
            assert one.stake > 0
            assert one.pay_on is one.paid_on is None


def test_looked_at_earlier_the_calendar_shows_what_was_known_then(missed: RunFolder) -> None:
    with desk_of(str(missed.path), now="2025-10-02T12:00:00+08:00") as desk:
        days = calendar(desk, 1, Month(2025, 10))
    assert days[0].status is Status.CONFIRMING
    assert all(one.paid_on is None for one in days)


def test_a_month_without_anything_is_a_month_of_empty_days(missed: RunFolder) -> None:
    with desk_of(str(missed.path)) as desk:
        days = calendar(desk, 1, Month(2024, 2))
        assert len(days) == 29
        assert {one.status for one in days} == {None}
        with pytest.raises(NotFound):
            calendar(desk, 99)


def test_the_command_shows_a_grid_that_needs_no_colour_and_the_same_as_json(say: Say, missed: RunFolder) -> None:
    run = ("guarantee", "calendar", "--run", str(missed.path), "--plan", "1")
    shown = say(*run)
    assert "(1) ¥" in shown
    assert "¥ compensated" in shown
    told = json.loads(say(*run, "--month", "2025-10", "--json"))
    assert len(told) == 31
    assert told[0]["status"] == "compensated"
    assert told[0]["working_day"] is False
    assert "周一" in say("--lang", "zh", *run)
    assert "--month: 'October' is no month" in say(*run, "--month", "October")
