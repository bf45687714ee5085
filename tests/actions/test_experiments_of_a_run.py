"""A test on a kept run, from the design to the decision, as its owner meets it on the command line."""

import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from qianheng.actions.desk import desk_of
from qianheng.actions.experiment_results import told_of
from qianheng.actions.experiments import experiments_of
from qianheng.actions.simulation import RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary_json import as_json
from qianheng.cli import main
from qianheng.core.days import microseconds
from qianheng.plans.plan import PlanStatus
from qianheng.store import plans
from qianheng.store.database import reading
from tests.actions.runs_for_tests import Killed, killed_each_day

Say = Callable[..., str]
SMALL = {"opportunities_per_day": "800", "buyers.population": "800", "days": "5", "step_minutes": "60"}
SMALL |= {"plans.0.target": "9", "shops.0.products.0.organic": "3", "shops.0.products.1.organic": "4"}
SMALL |= {"experiments.0.day": "2", "experiments.0.settings": '{B = {target = "4.5"}}'}
ALONE = {**SMALL, "experiments": "[]"}


def lived(folder: Path, changes: dict[str, str], until: int | None = None) -> Path:
    day = None if until is None else date(2025, 10, until)
    return run_simulation(RunRequest("experiment", overrides=changes, folder=folder / "runs", until=day)).path


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    return tmp_path


def plans_of(path: Path) -> dict[int, Any]:
    with desk_of(str(path)) as desk, reading(desk.database) as connection:
        return {stored.plan.id: stored.plan for stored in plans.load_all(connection)}


def code_of(*arguments: str) -> int:
    """What the command line leaves with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["qianheng", *arguments])
        with pytest.raises(SystemExit) as left:
            main.main()
    return int(left.value.code or 0)


def asked(say: Say, *arguments: str) -> Any:
    return json.loads(say("experiment", *arguments, "--json"))


def test_a_scenarios_test_runs_on_copies_that_share_users_and_budget(at_home: Path, say: Say) -> None:
    path = lived(at_home, SMALL, until=5)
    found = plans_of(path)
    assert {one.users[1:] for one in found.values()} == {(0, 5000), (5000, 10_000)}
    assert sum(one.budget_daily for one in found.values()) == 4_000_000_000
    (test,) = asked(say, "list")
    assert (test["status"], test["plans"]) == ("started", {"A": 1, "B": 1001})
    with desk_of(str(path)) as desk:
        told = told_of(desk, experiments_of(desk)[0])
    assert told.looked is not None
    assert told.looked.leaked == 0
    assert min(told.looked.spend.values()) > 0
    with desk_of(str(path)) as desk, reading(desk.database) as connection:
        (row,) = desk.lake.query(connection, "SELECT SUM(f.amount) AS spend FROM charges AS f WHERE f.plan_id = 1001")\
            .to_pylist()  # fmt: skip
    assert row["spend"] > 0


def test_a_run_whose_test_began_in_mid_life_is_summed_up(at_home: Path, say: Say) -> None:
    assert "小满女装" in say("simulate", "experiment", *(f"--set={name}={value}" for name, value in SMALL.items()))


def test_an_owner_plans_starts_looks_and_adopts(at_home: Path, say: Say) -> None:
    lived(at_home, ALONE, until=2)
    test = ("plan", "ab-test", "--plan", "1", "--set", "B.target=4.5")
    told = asked(say, *test, "--effect", "20%", "--looks", "until")
    assert (told["test"], told["days"]) == ("e1", 14)
    assert not told["feasible"]
    assert code_of("experiment", *test, "--effect", "20%", "--dry-run") == 1  # the answer is "no"
    assert code_of("experiment", *test, "--effect", "900%", "--dry-run") == 0
    assert "designs" not in say("experiment", "plan", "ab-test", "--plan", "1", "--set", "B.target=4", "--dry-run")
    assert len(asked(say, "list")) == 1
    days = asked(say, "plan", "switchback", "--plan", "1", "--dry-run")
    assert days["known_days"] == 1  # of which no turn is whole
    assert days["needed"] is None
    assert asked(say, "start", "e1")["plans"] == {"A": 1, "B": 1001}
    assert "the test is running" in say("experiment", "start", "e1")
    path = lived(at_home, ALONE, until=5)
    page, record = at_home / "e1.html", at_home / "e1.xlsx"
    assert str(page) in say("experiment", "show", "e1", "--html", str(page))
    assert "ab-test" in page.read_text("utf-8")
    told = asked(say, "show", "e1")
    assert told["sections"]["watch"]["figures"]["leaked"] == "0.00"
    assert told["sections"]["watch"]["figures"]["looks"] == 1
    assert "last day" in told["sections"]["design"]["figures"]["ways"]
    assert str(record) in say("experiment", "export", "e1", "--output", str(record))
    assert record.stat().st_size > 4000
    assert "expected one of B" in say("experiment", "export", "e1", "--output", str(record), "--b", "A")
    assert asked(say, "adopt", "e1", "B")["status"] == "adopted"
    found = plans_of(path)
    assert (str(found[1].target), found[1].users, found[1].budget_daily) == ("4.5", (), 4_000_000_000)
    assert found[1001].status is PlanStatus.DELETED
    assert "the test is decided" in say("experiment", "stop", "e1")


def test_a_test_that_is_stopped_leaves_the_plan_as_it_was(at_home: Path, say: Say) -> None:
    path = lived(at_home, SMALL, until=3)
    before = plans_of(lived(at_home, ALONE, until=1))[1]
    assert asked(say, "stop", "e1", "--run", str(path), "--reason", "enough")["status"] == "stopped"
    after = plans_of(path)
    assert after[1] == before
    assert after[1001].status is PlanStatus.DELETED
    lived(at_home, SMALL, until=4)  # and the run goes on


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plan", "no-test", "--plan", "1"), "there is no template no-test"),
        (("plan", "ab-test", "--plan", "1"), "would do the same"),
        (("plan", "ab-test", "--plan", "9"), "plan 9"),
        (("plan", "ab-test", "--plan", "1", "--set", "target"), "expected ARM.FIELD=VALUE"),
        (("plan", "ab-test", "--plan", "1", "--set", "B.target=2", "--effect", "much"), "expected a share"),
        (("plan", "ab-test", "--plan", "1", "--looks", "daily"), "expected one of always, until"),
        (("plan", "creative-test", "--plan", "1", "--set", "B.creative_ids=77"), "B: creative_ids: "),
        (("plan", "ab-test", "--plan", "1", "--set", "B.budget_daily=0.01"), "B: budget_daily: "),
        (("start", "e7"), "there is no test e7"),
        (("show", "e1"), "there is no test e1"),
        (("export", "e1", "--output", "e1.csv"), "ends in .xlsx"),
    ],
)
def test_what_cannot_be_is_told(at_home: Path, say: Say, arguments: tuple[str, ...], said: str) -> None:
    lived(at_home, ALONE, until=1)
    assert said in say("experiment", *arguments)


def test_who_may_only_look_cannot_start_a_test(at_home: Path, say: Say) -> None:
    lived(at_home, ALONE, until=2)
    asked(say, "plan", "ab-test", "--plan", "1", "--set", "B.target=4.5")
    say("member", "add", "vera", "--role", "viewer")
    assert "run experiments" in say("experiment", "start", "e1", "--as", "vera")
    assert asked(say, "list")[0]["status"] == "planned"


@pytest.mark.slow
def test_a_run_with_a_test_killed_every_day_comes_to_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(folder: Path) -> dict[str, Any]:
        run = run_simulation(RunRequest("experiment", overrides=SMALL, folder=folder))
        return as_json(summarise(run)) | {"seconds": None}

    whole = told(tmp_path / "whole")
    deaths = killed_each_day(monkeypatch)
    for _ in range(5):
        with pytest.raises(Killed):
            told(tmp_path / "killed")
    assert told(tmp_path / "killed") == whole
    assert len(deaths) == 5


@pytest.mark.slow
def test_days_that_were_drawn_are_compared_once_all_are_over(at_home: Path, say: Say) -> None:
    drawn = '[{day = 1, template = "short", plan = 1, settings = {B = {target = "3"}}}]'
    short = 'title = { en = "Short", zh = "短" }\nabout = { en = "Days in turn", zh = "按日轮换" }\narms = [{}, {}]\n'
    short += 'phases = [{ days = 8, budget = [1, 1] }]\nprimary = "gmv"\nunit = "days"\nsettles = 0\n'
    (at_home / "experiments.toml").write_text(f"[short]\n{short}", encoding="utf-8")
    run = lived(at_home, {**ALONE, "days": "9", "experiments": drawn})
    with desk_of(str(run), "", "2025-10-05T00:00:00+08:00") as desk:
        early = told_of(desk, experiments_of(desk)[0])
    with desk_of(str(run)) as desk:
        told = told_of(desk, experiments_of(desk)[0])
        test = told.standing.name
    assert (early.whole, early.by_days) == (False, None)
    assert told.by_days is not None
    assert told.by_days.switched.blocks == (4, 4)
    relative = told.by_days.switched.relative
    assert relative.low < relative.expected < relative.high
    assert "GMV a day" in say("experiment", "show", test)
    assert "per user" not in say("experiment", "show", test)
    assert "4 of B" in " ".join(say("experiment", "show", test).split())
    (verdict,) = asked(say, "show", test)["sections"]["verdict"]["decisions"]
    assert verdict["title"].startswith("Arm B against A")
    assert len(told.records["B"].days["a"]) == len(told.records["B"].days["b"]) == 4
    assert not {*told.records["B"].days["a"]} & {*told.records["B"].days["b"]}
    record = at_home / "days.xlsx"
    assert str(record) in say("experiment", "export", test, "--output", str(record))


def test_while_a_test_runs_its_plans_change_only_through_it(at_home: Path, say: Say) -> None:
    path = lived(at_home, SMALL, until=3)
    for plan in ("1", "1001"):
        told = say("plan", "change", plan, "target=3", "--confirm")
        assert "only through it: qianheng experiment stop e1" in " ".join(told.split())
    assert "only through it" in " ".join(say("plan", "pause", "1001", "--confirm").split())
    asked(say, "stop", "e1", "--confirm")
    assert "only through it" not in " ".join(say("plan", "change", "1", "target=3", "--confirm").split())
    assert str(plans_of(path)[1].target) == "3"


def test_a_scenario_changes_no_arm_of_a_running_test_either(at_home: Path, say: Say) -> None:
    changes = [{"day": day, "time": "09:00", "field": "target", "value": "5"} for day in (1, 3)]
    written = ", ".join("{" + ", ".join(f"{k} = {json.dumps(v)}" for k, v in one.items()) + "}" for one in changes)
    path = lived(at_home, {**SMALL, "plans.0.changes": f"[{written}]"}, until=4)
    told = " ".join(say("plan", "log", "1", "--run", str(path)).split())
    assert "2025-10-01 09:00" in told
    assert "2025-10-03 09:00" not in told


def test_templates_are_told_with_what_they_are(say: Say) -> None:
    told = {one["name"]: one for one in json.loads(say("experiment", "templates", "--json"))}
    assert told["switchback"].items() >= {"unit": "days", "primary": "gmv", "arms": 2, "days": 14}.items()
    assert all(one["title"] and one["about"] for one in told.values())


def test_arms_of_a_creative_test_show_their_own_creatives_only(at_home: Path, say: Say) -> None:
    two = '[{id = 1101, name = "a"}, {id = 1102, name = "b", appeal = 1.5}]'
    arms = '{A = {creative_ids = "1101"}, B = {creative_ids = "1102"}}'
    test = f'[{{day = 2, template = "creative-test", plan = 1, settings = {arms}}}]'
    path = lived(at_home, {**SMALL, "shops.0.products.0.creatives": two, "experiments": test}, until=5)
    sql = "SELECT DISTINCT f.plan_id, f.creative_id FROM impressions AS f WHERE f.product_id = 11 AND f.at >= {}"
    with desk_of(str(path)) as desk, reading(desk.database) as connection:
        began = microseconds(datetime.fromisoformat("2025-10-02T00:00:00+08:00"))
        rows = desk.lake.query(connection, sql.format(began)).to_pylist()
    assert {(row["plan_id"], row["creative_id"]) for row in rows} == {(1, 1101), (1001, 1102)}
    measured = asked(say, "show", "e1")["sections"]["arm_b"]["tables"]["results"]
    assert measured[0]["measure"] == "click rate"
    assert "1101" in str(asked(say, "show", "e1")["sections"]["design"])
    asked(say, "stop", "e1", "--confirm")
    assert plans_of(path)[1].creative_ids == ()
    assert "no creative of the plan's products" in say("plan", "change", "1", "creative_ids=77")
