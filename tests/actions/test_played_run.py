"""A run stopped, played by a person and gone on with is the run that the scenario would have lived itself."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from qianheng.actions.desk import desk_of
from qianheng.actions.judging import judge_days
from qianheng.actions.plan_standing import known_of
from qianheng.actions.planning import Wanted, change_plan, consider
from qianheng.actions.simulation import RunFolder, run_simulation
from qianheng.core.days import moment
from qianheng.core.errors import Refused
from qianheng.measures.days import Days
from qianheng.plans.plan import Value
from qianheng.store import plans, runs
from qianheng.store.database import reading
from tests.actions.desks_for_tests import SECOND_DAY, UNCHANGED, copied, lived_until, saying
from tests.actions.runs_for_tests import request, told, transfers

LOWER: dict[str, Value] = {"target": "2.1", "budget_daily": 250_000_000}
PAUSED: dict[str, Value] = {"status": "paused"}
PLANNED = {
    "plans.0.changes": """[
        { day = 2, time = "10:00", field = "target", value = "2.1" },
        { day = 2, time = "10:00", field = "budget_daily", value = "250" }]""".replace("\n", ""),
    "plans.1.changes": """[
        { day = 1, time = "16:00", field = "budget_daily", value = "20" },
        { day = 2, time = "19:00", field = "status", value = "paused" }]""".replace("\n", ""),
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return lived_until(tmp_path_factory.mktemp("stopped"), SECOND_DAY)


def test_stopping_and_going_on_gives_the_same_bytes(stopped: RunFolder, tmp_path: Path) -> None:
    assert (stopped.next_day, stopped.finished) == (SECOND_DAY, False)
    whole, going_on = lived_until(tmp_path / "whole", None), lived_until(copied(stopped, tmp_path).path.parent, None)
    assert going_on.finished
    assert told(going_on) == told(whole)
    assert transfers(going_on) == transfers(whole)
    with reading(whole.database()) as one, reading(going_on.database()) as other:
        assert runs.told(one, whole.run_id) == runs.told(other, going_on.run_id)


def test_a_persons_changes_are_lived_as_if_the_scenario_had_planned_them(stopped: RunFolder, tmp_path: Path) -> None:
    planned, played = lived_until(tmp_path / "planned", None, **PLANNED), copied(stopped, tmp_path)
    for plan_id, after, now in ((1, LOWER, "2025-10-02T10:00"), (2, PAUSED, "2025-10-02T19:00")):
        with desk_of(str(played.path), now=now) as desk:
            change_plan(desk, Wanted(plan_id, after))
    going_on = lived_until(played.path.parent, None)
    assert told(going_on) == told(planned)
    assert transfers(going_on) == transfers(planned)
    with reading(going_on.database()) as connection:
        assert [made.actor for made in plans.log(connection, 2)] == ["scenario", "owner"]


@pytest.mark.parametrize("patient", [False, True], ids=["at once", "at the safe time"])
def test_the_day_ends_as_the_guard_has_said(stopped: RunFolder, tmp_path: Path, patient: bool) -> None:
    played = copied(stopped, tmp_path)
    with desk_of(str(played.path), now="2025-10-02T10:00") as desk:
        change_plan(desk, Wanted(1, {"target": "2.5"}))
    wanted = Wanted(1, {"target": "2.6"}, confirmed=True)
    with desk_of(str(played.path), now="2025-10-02T10:40") as desk:
        said = consider(desk, wanted).weighed
        assert said.safe_at is not None
        when = moment(said.safe_at, "Asia/Shanghai") if patient else desk.now
        change_plan(replace(desk, now=when), wanted)
    (_, day) = told(lived_until(played.path.parent, None))["plans"][0]["days"]
    ended = {"status": day["guarantee"]["status"], "reason": day["guarantee"]["reason"]}
    assert (said.effect, said.reason) == ("void", "changes_too_close")
    assert (ended == {"status": said.effect, "reason": said.reason}) == (not patient)
    assert (ended["status"] == "void") == (not patient)


def test_the_guard_stands_on_the_verdict_of_the_judge(run: RunFolder) -> None:
    for day in (date(2025, 10, 1), SECOND_DAY):
        with desk_of(str(run.path), now=f"{day}T23:59:59") as desk, reading(desk.database) as connection:
            judged = {one.plan_id: one.verdict for one in judge_days(connection, desk.lake, Days(day, day), desk.now)}
            known = {plan_id: known_of(desk, connection, plan_id) for plan_id in judged}
        assert {plan_id: of.verdict(desk.now, of.figures) for plan_id, of in known.items()} == judged
        assert all(verdict.sums.spend > 0 for verdict in judged.values())


def test_what_the_scenario_planned_before_a_persons_change_is_refused_and_told(tmp_path: Path) -> None:
    stopped = lived_until(tmp_path / "runs", SECOND_DAY, **PLANNED)
    with desk_of(str(stopped.path), now="2025-10-02T11:00") as desk:
        change_plan(desk, Wanted(1, {"target": "2.2"}))
    plan = told(lived_until(tmp_path / "runs", None, **PLANNED))["plans"][0]
    assert [("owner" in one["why"], "11:00" in one["why"]) for one in plan["refused_changes"]] == [(True, True)]


def test_a_finished_run_that_people_worked_on_is_not_forgotten_by_accident(stopped: RunFolder, tmp_path: Path) -> None:
    folder = copied(stopped, tmp_path).path.parent
    finished = lived_until(folder, None)
    with desk_of(str(finished.path)) as desk:
        change_plan(desk, Wanted(1, {"name": "late"}))
    with pytest.raises(Refused, match="--fresh"):
        lived_until(folder, None)
    again = run_simulation(replace(request(folder, **UNCHANGED), fresh=True, until=SECOND_DAY))
    with reading(again.database()) as connection:
        assert plans.log(connection, 1) == []


def test_the_command_says_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    say = saying(monkeypatch, capsys)
    small = ("--set", "opportunities_per_day=600", "--days", "1", "--set", "buyers.population=500")
    code, out, _ = say("simulate", "tiny", *small, "--until", "2025-10-01", "--json")
    assert (code, json.loads(out)["next_day"]) == (0, "2025-10-01")
    code, out, _ = say("--lang", "zh", "simulate", "tiny", *small, "--until", "2025-10-03")
    assert (code, "2025-10-03" in out) == (0, True)
    code, out, _ = say("--lang", "en", "simulate", "tiny", *small, "--json")
    assert date.fromisoformat(json.loads(out)["plans"][0]["days"][0]["day"]) == date(2025, 10, 1)
    assert say("simulate", "tiny", *small, "--until", "tomorrow")[0] == 2
