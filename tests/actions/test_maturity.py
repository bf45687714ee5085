"""How figures ripen: read at once, they are what anybody would have read at each midnight."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from qianheng.actions.desk import Desk, desk_of
from qianheng.actions.maturity import Cohort, aged_days, ripening
from qianheng.actions.simulation import RunFolder
from qianheng.core.days import midnight
from qianheng.core.money import micros
from qianheng.measures.days import Days
from qianheng.measures.maturity import DAYS_OLD
from qianheng.measures.query import plan_day, sums_of
from qianheng.measures.sums import Sums
from qianheng.store.database import connect, migrate, reading
from qianheng.store.lake import Lake
from tests.actions.conftest import Say
from tests.actions.test_cases import FIRST, ZONE, stamped
from tests.store.random_facts import world


@pytest.fixture
def desk(missed: RunFolder) -> Iterator[Desk]:
    with desk_of(str(missed.path)) as open_desk:
        yield open_desk


def check_every_age(connection: Connection, lake: Lake, days: Days) -> int:
    """That each day's figures at each age are those of a re-reading as of that midnight; how many were compared."""
    now = midnight(days.last + timedelta(days=40), days.timezone)
    seen = aged_days(Cohort(connection, lake, days, now))
    compared = 0
    for age in range(1, DAYS_OLD + 1, 3):
        for night in range((days.last - days.first).days + 1):
            day = days.first + timedelta(days=night)
            as_of = midnight(day + timedelta(days=age), days.timezone)
            known = sums_of(lake.query(connection, plan_day(days), as_of=as_of))
            for (plan, of), rows in seen.items():
                if of == day:
                    found, then = rows[age - 1], known.get((plan, of), Sums())
                    assert (found.spend, found.gmv, found.refunded_1h) == (then.spend, then.gmv, then.refunded_1h)
                    compared += 1
    return compared


def test_what_a_day_looked_like_is_what_an_earlier_look_would_have_read(missed: RunFolder, desk: Desk) -> None:
    first = missed.scenario.first_day
    with reading(desk.database) as connection:
        assert check_every_age(connection, desk.lake, Days(first, first + timedelta(days=2)))


def test_it_holds_for_late_facts_and_where_clocks_change(tmp_path: Path) -> None:
    engine, lake = connect(f"sqlite:///{tmp_path / 'run.db'}"), Lake(tmp_path / "lake")
    migrate(engine)
    with engine.begin() as connection:
        lake.add(connection, stamped(world(3, 300)))
    with reading(engine) as connection:
        assert check_every_age(connection, lake, Days(FIRST, FIRST + timedelta(days=3), ZONE))
    engine.dispose()


def test_the_ages_of_orders_are_the_windows_of_the_sums(missed: RunFolder, desk: Desk) -> None:
    first = missed.scenario.first_day
    days = Days(first, first)
    with reading(desk.database) as connection:
        sums = sums_of(desk.lake.query(connection, plan_day(days)))[1, first]
    told = ripening(desk, 1, (str(first), str(first)))[0]
    by_age = {one["age"]: one["refunded"] for one in told["by_age"]}
    assert micros(told["gmv"]) == sums.gmv
    assert (micros(by_age["1h"]), micros(by_age["7d"])) == (sums.refunded_1h, sums.refunded_7d)
    assert by_age["14d"] is None  # the run's clock is not that far


def test_nothing_is_told_of_an_age_that_the_youngest_day_has_not_reached(missed: RunFolder) -> None:
    first = missed.scenario.first_day
    with desk_of(str(missed.path), now=f"{first + timedelta(days=4)}T00:00") as early:
        told = ripening(early, 1, ("", ""))[0]
    assert [one["roi"] is None for one in told["by_age"]] == [False, False, False, True, True, True]
    assert [one["payment_roi"] is None for one in told["known"]][:3] == [False, False, True]


def test_the_command_tells_it_in_both_languages(kept: Path, say: Say) -> None:
    assert [plan["plan_id"] for plan in json.loads(say("maturity", "--json"))["plans"]] == ["1", "2"]
    assert "ROI after all refunds so far" in say("maturity", "--plan", "1")
    assert "7 天" in say("--lang", "zh", "maturity")
