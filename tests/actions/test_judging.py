"""Judging many units at a time: asked for in few questions, told as if each were asked for alone."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.actions import judging
from qianheng.actions.simulation import RunFolder
from qianheng.core.days import midnight
from qianheng.measures.days import Days
from qianheng.store.database import reading


def days_of(run: RunFolder) -> Days:
    first = run.scenario.first_day
    return Days(first, first + timedelta(days=run.scenario.days - 1))


def verdicts(run: RunFolder) -> dict[tuple[int, date], judging.Judged]:
    """Every unit of a run as judged in the end."""
    database, now = run.database(), midnight(days_of(run).last + timedelta(days=20))
    with reading(database) as connection:
        found = {(one.plan_id, one.day): one for one in judging.judge_days(connection, run.lake(), days_of(run), now)}
    database.dispose()
    return found


def test_units_judged_a_few_at_a_time_are_those_judged_together(
    missed: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = verdicts(missed)
    assert len(together) == 6
    assert any(one.paid for one in together.values())
    for few in (1, 3, 4):
        monkeypatch.setattr(judging, "UNITS_AT_ONCE", few)
        assert verdicts(missed) == together


def test_the_database_is_asked_as_often_for_many_plans_and_days_as_for_few(missed: RunFolder) -> None:
    first = missed.scenario.first_day
    assert _questions(missed, Days(first, first)) == _questions(missed, days_of(missed))


def _questions(run: RunFolder, days: Days) -> int:
    database, asked = run.database(), list[str]()
    with reading(database) as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda _, __, statement, *___: asked.append(statement))
        units = _judged(connection, run, days)
    database.dispose()
    assert units
    return len(asked)


def _judged(connection: Connection, run: RunFolder, days: Days) -> int:
    now = midnight(days.last + timedelta(days=20))
    return len(list(judging.judge_days(connection, run.lake(), days, now)))
