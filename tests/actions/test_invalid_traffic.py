"""Robots click and some orders are frauds: what was charged for them is found, given back once and told."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from qianheng.actions import judging
from qianheng.actions.desk import desk_of
from qianheng.actions.giving_back import INVALID, invalid_returned, spent_day
from qianheng.actions.invalid_traffic import give_back, invalidate
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.core.actors import SYSTEM
from qianheng.core.days import midnight
from qianheng.ledger.transfers import AccountKind, account
from qianheng.measures.days import Days
from qianheng.measures.query import invalid_of, plan_day, plan_day_invalid, sums_of
from qianheng.simulator.robots import Robots
from qianheng.store import ledger
from qianheng.store.database import reading
from qianheng.store.notices import notices
from tests.actions import runs_for_tests
from tests.actions.opened_trees import below, kinds, trees

SMALL: Mapping[str, str] = {
    "days": "2",
    "opportunities_per_day": "4000",
    "buyers.population": "3000",
    "fraud.bursts_per_day": "60",
    "plans.0.boosts": '[{ kind = "plan", day = 1, time = "12:00", hours = 6, budget = 30 }]',
}
PLAN = 1


def lived(folder: Path, **overrides: str) -> RunFolder:
    return run_simulation(RunRequest("robots", overrides={**SMALL, **overrides}, folder=folder))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return lived(tmp_path_factory.mktemp("robots"))


def days_of(run: RunFolder) -> Days:
    first = run.scenario.first_day
    return Days(first, first + timedelta(days=run.scenario.days - 1), run.scenario.timezone)


def test_everything_found_invalid_is_given_back_where_it_came_from_and_told(run: RunFolder) -> None:
    database, lake, days = run.database(), run.lake(), days_of(run)
    with reading(database) as connection:
        found = invalid_of(lake.query(connection, plan_day_invalid(days)))
        assert [day for _, day in found] == [days.first, days.last]
        returned = {(plan, day): invalid_returned(connection, plan, day) for plan, day in found}
        assert returned == {key: invalid.amount for key, invalid in found.items()}
        cash = ledger.statement(connection, account(AccountKind.CASH, 1).id)
        assert sum(line.change for line in cash if line.transfer.reason == INVALID) == sum(returned.values())
        told = [one for one in notices(connection, shop_id=1) if one.kind == "claims.notice.invalid"]
        assert {one.values["day"] for one in told} == {day.isoformat() for _, day in found}
        assert ledger.balanced(connection)
    database.dispose()


def test_every_transfer_of_the_run_opens_down_to_its_charges_or_says_it_is_from_outside(run: RunFolder) -> None:
    with desk_of(str(run.path), SYSTEM.name) as desk:
        found = trees(desk)
    assert kinds(below(found, "top_up")) == {"from_outside"}
    assert {"captured", "charge"} <= kinds(below(found, "spend")) & kinds(below(found, "boost"))
    assert {"found_invalid", "charge", "brought_by"} <= kinds(below(found, INVALID))


def test_the_spend_stays_as_charged_and_the_guarantee_judges_it_without_what_was_credited(run: RunFolder) -> None:
    database, lake, days = run.database(), run.lake(), days_of(run)
    now = midnight(days.last + timedelta(days=9), days.timezone)
    with reading(database) as connection:
        invalid = invalid_of(lake.query(connection, plan_day_invalid(days)))
        sums = sums_of(lake.query(connection, plan_day(days)))
        for unit in judging.judge_days(connection, lake, days, now):
            key = (unit.plan_id, unit.day)
            charged = sums[key].spend - sums[key].boosted_spend
            assert unit.verdict.sums.spend == charged - invalid[key].counted < charged
            of = spent_day(connection, lake, *key, days.timezone)
            assert of is not None
            assert of.sources.total == sums[key].spend
    database.dispose()


def test_most_of_what_robots_clicked_is_found_and_honest_clicks_are_left_alone(run: RunFolder) -> None:
    robots = set(Robots(run.scenario, run.seed).users.tolist())
    database = run.database()
    with reading(database) as connection:
        clicks = run.lake().query(connection, "SELECT user_id, impression_id FROM clicks").to_pylist()
        found = run.lake().query(connection, "SELECT id, reason FROM invalids").to_pylist()
    database.dispose()
    by_rule = {one["id"] for one in found if one["reason"] < 2}
    caught = [one["impression_id"] in by_rule for one in clicks if one["user_id"] in robots]
    wronged = [one["impression_id"] in by_rule for one in clicks if one["user_id"] not in robots]
    assert sum(caught) / len(caught) > 0.5
    assert not any(wronged)


def test_closing_a_day_again_gives_nothing_back_twice(run: RunFolder) -> None:
    before = runs_for_tests.transfers(run)
    database, lake, days = run.database(), run.lake(), days_of(run)
    with database.begin() as connection:
        for later in (1, 5):
            now = midnight(days.last + timedelta(days=later), days.timezone)
            invalidate(connection, lake, days.last, now)
            give_back(connection, lake, days.last, now)
    database.dispose()
    assert runs_for_tests.transfers(run) == before


@pytest.mark.slow
def test_a_run_killed_each_day_gives_back_the_same(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = runs_for_tests.killed_each_day(monkeypatch)
    for _ in range(run.scenario.days):
        with pytest.raises(runs_for_tests.Killed):
            lived(tmp_path)
    again = lived(tmp_path)
    assert len(deaths) == run.scenario.days
    assert runs_for_tests.transfers(again) == runs_for_tests.transfers(run)
    assert runs_for_tests.told(again) == runs_for_tests.told(run)


def test_without_fraud_nothing_is_invalid(tmp_path: Path) -> None:
    honest = lived(tmp_path, **{"fraud.robots": "0", "fraud.flagged": "0", "days": "1"})
    database = honest.database()
    with reading(database) as connection:
        assert honest.lake().query(connection, "SELECT id FROM invalids").num_rows == 0
    database.dispose()
