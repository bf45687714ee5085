"""What may be owed, on a run: as known at a time, kept by each close, held against what was paid."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from qianheng.actions import liability
from qianheng.actions.judging import judge_days
from qianheng.actions.simulation import RunFolder
from qianheng.core.days import midnight
from qianheng.measures.days import Days
from qianheng.store import forecasts, plans
from qianheng.store.database import reading
from tests.actions.conftest import Say


def asked(run: RunFolder, hours: float, shop_id: int | None = None) -> liability.Liability:
    """What may be owed so many hours after a run began."""
    database = run.database()
    with reading(database) as connection:
        at = midnight(run.scenario.first_day) + timedelta(hours=hours)
        found = liability.liability(connection, run.lake(), at, shop_id)
    database.dispose()
    return found


def test_a_day_that_still_runs_is_uncertain_and_one_long_over_is_not(missed: RunFolder) -> None:
    running, over = asked(missed, 14), asked(missed, 24 + 2)
    (today,) = [one for one in running.units if one.expected.low < one.expected.high]
    assert today.day == missed.scenario.first_day
    yesterday = [one for one in over.units if one.day == missed.scenario.first_day]
    assert yesterday
    assert all(one.expected.low == one.expected.high == one.expected.mean for one in yesterday)


def test_what_is_expected_of_days_that_are_over_is_what_was_paid_for_them(missed: RunFolder) -> None:
    first, database = missed.scenario.first_day, missed.database()
    days = Days(first, first + timedelta(days=missed.scenario.days - 1))
    with reading(database) as connection:
        end = midnight(days.last + timedelta(days=20))
        paid = sum(one.paid for one in judge_days(connection, missed.lake(), days, end))
    database.dispose()
    after = asked(missed, 24 * missed.scenario.days + 2).total
    assert after.low == after.mean == after.high == paid > 0
    assert not asked(missed, 24 * 20).units


def test_the_sums_by_plan_and_by_pay_day_are_those_of_the_units(missed: RunFolder) -> None:
    found = asked(missed, 24 + 15)
    for parts in (found.by_plan(), found.by_pay_day()):
        whole = [sum(world) for world in zip(*(one.paid for one in parts.values()), strict=True)]
        assert tuple(whole) == found.total.paid
    assert all(one.pay_on > one.day for one in found.units)


def test_a_shop_sees_what_is_open_of_its_own_plans_only(missed: RunFolder) -> None:
    assert asked(missed, 24 + 15, shop_id=1).units
    assert not asked(missed, 24 + 15, shop_id=2).units


def test_each_close_keeps_what_was_expected_once(missed: RunFolder) -> None:
    database, now = missed.database(), midnight(missed.scenario.first_day + timedelta(days=20))
    with reading(database) as connection:
        kept = forecasts.totals(connection)
        held = liability.history(connection, now)
    assert len({one.at for one in kept}) == len(kept) >= missed.scenario.days + 8
    assert [one.expected for one in held] == kept
    assert all(one.final for one in held)
    assert any(one.paid for one in held)
    with database.begin() as connection:
        liability.keep_forecast(connection, missed.lake(), held[2].at)
        assert forecasts.totals(connection) == kept
    database.dispose()


def test_a_member_of_a_shop_sees_the_totals_of_that_shop_only(missed: RunFolder) -> None:
    database, now = missed.database(), midnight(missed.scenario.first_day + timedelta(days=20))
    at = midnight(missed.scenario.first_day) + timedelta(hours=38)
    with database.connect() as connection:  # never committed
        assert not liability.history(connection, now, shop_id=2)
        plan = plans.load(connection, 1).plan
        plans.create(connection, replace(plan, id=99, shop_id=2, name="other", product_ids=(99,)))
        liability.keep_forecast(connection, missed.lake(), at)
        (other,) = liability.history(connection, now, shop_id=2)
        own = {one.at: one for one in liability.history(connection, now, shop_id=1)}
        (everything,) = [one for one in liability.history(connection, now) if one.at == at]
    database.dispose()
    assert (other.paid, other.expected.high) == (0, 0)
    assert own[at].paid == everything.paid > 0
    assert (own[at].expected.low, own[at].expected.high) == (everything.expected.low, everything.expected.high)


def test_the_command_tells_total_days_plans_and_units(say: Say, missed: RunFolder) -> None:
    run = ("--run", str(missed.path), "--as-of", f"{missed.scenario.first_day}T14:00:00+08:00")
    told: dict[str, Any] = json.loads(say("guarantee", "liability", *run, "--json"))
    assert told["total"].keys() == {"mean", "low", "high"}
    assert sum(float(one["mean"]) for one in told["by_plan"]) == pytest.approx(float(told["total"]["mean"]), abs=0.02)
    assert {chance for unit in told["units"] for chance in unit["chances"]} >= {"paid"}
    assert "Open units" in say("guarantee", "liability", *run)
    assert "settled forecasts hold what was paid" in say("guarantee", "liability", *run[:2], "--history")
    assert "'soon' is not a time" in say("guarantee", "liability", *run[:2], "--as-of", "soon")
