"""Automation in a simulated market: it stays inside its limits, is the same after a kill, and stops when told to."""

from datetime import date
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.core.actors import AUTOMATION
from qianheng.plans.plan import PlanChange
from qianheng.store import plans, proposals
from qianheng.store.database import reading
from qianheng.strategy.decisions import Standing, Status, Step
from tests.actions.runs_for_tests import Killed, killed_each_day, told

# Six small days of a plan whose target lies far above what pays most.
SIXTH = date(2025, 10, 6)
SHANGHAI = ZoneInfo("Asia/Shanghai")
AUTOMATED = {
    "days": "6",
    "opportunities_per_day": "1500",
    "step_minutes": "60",
    "journal": "0",
    "buyers.population": "1500",
    "ad_account.top_up": "100000",
    "plans.0.changes": "[]",
    "plans.0.target": "6",
    "plans.0.budget_daily": "900",
    "automation.enabled": "true",
    "automation.only_if_sure": "false",
}


def automated(folder: Path, until: date | None = None, **overrides: str) -> RunFolder:
    return run_simulation(RunRequest("tiny", overrides={**AUTOMATED, **overrides}, folder=folder, until=until))


def kept(run: RunFolder) -> list[Standing]:
    database = run.database()
    with reading(database) as connection:
        found = proposals.of_shop(connection, "1")
    database.dispose()
    return found


def changes(run: RunFolder) -> list[PlanChange]:
    database = run.database()
    with reading(database) as connection:
        found = [made for plan_id in (1, 2) for made in plans.log(connection, plan_id)]
    database.dispose()
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return automated(tmp_path_factory.mktemp("automated"))


def test_it_changes_plans_within_its_limits_and_says_why(run: RunFolder) -> None:
    done = [one for one in kept(run) if one.made(Step.CARRY_OUT)]
    assert done
    assert {made.actor for made in changes(run)} == {AUTOMATION.name}
    assert len(changes(run)) == len(done)
    for one in done:
        before, after = one.proposal.before, one.after
        assert all(abs(float(after[name]) / float(before[name]) - 1) <= 0.2 + 1e-9 for name in after)  # type: ignore[arg-type]
        assert one.proposal.reason.text()


def test_a_plan_rests_between_two_changes(run: RunFolder) -> None:
    for plan_id in (1, 2):
        times = [made.at for made in changes(run) if made.plan_id == plan_id]
        assert all((later - sooner).days >= 3 for sooner, later in pairwise(times))


def test_killed_each_day_it_does_the_same(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deaths = killed_each_day(monkeypatch)
    while True:
        try:
            again = automated(tmp_path)
            break
        except Killed:
            continue
    assert len(deaths) == 6
    assert told(again) == told(run)
    assert kept(again) == kept(run)
    assert changes(again) == changes(run)


def test_owners_hours_say_when(tmp_path: Path) -> None:
    late = automated(tmp_path, SIXTH, **{"automation.hours": "[9, 10]"})
    assert changes(late)
    assert {made.at.astimezone(SHANGHAI).hour for made in changes(late)} == {9}


def test_what_goes_beyond_a_limit_is_left_to_the_owner(tmp_path: Path) -> None:
    careful = automated(tmp_path, SIXTH, **{"automation.change_most": "0.01"})
    assert not changes(careful)
    held = [one.made(Step.HOLD) for one in kept(careful)]
    assert held
    assert all(move is not None and "too_large" in move.reason for move in held)
    assert {one.status for one in kept(careful)} == {Status.EXPIRED, Status.OPEN}
