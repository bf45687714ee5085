"""The shipped super plan, lived for a short day: its split is told in the summary, as JSON and on the page."""

from pathlib import Path

from typer.testing import CliRunner

from qianheng.actions.simulation import RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary_json import as_json
from qianheng.cli.app import build_app
from qianheng.delivery.split import MemberKind, Reason
from qianheng.pages.run import render

SHORT = {"days": "1", "opportunities_per_day": "4000", "buyers.population": "4000"}


def test_a_super_plan_runs_from_its_scenario_to_its_split(tmp_path: Path) -> None:
    summary = summarise(run_simulation(RunRequest("super", overrides=SHORT, folder=tmp_path)))
    (plan,) = summary.plans
    assert sum(member.spend for member in plan.members) == plan.sums.spend > 0
    assert {member.kind for member in plan.members} == {*MemberKind}
    creator = next(member for member in plan.members if member.kind is MemberKind.CREATOR)
    assert creator.hours[0].reason is Reason.OFF_AIR
    assert 0 < plan.sums.service_fee <= plan.sums.gmv * 6 // 1000
    told = as_json(summary)["plans"][0]["members"]
    assert [one["name"] for one in told] == [member.name for member in plan.members]
    page = render(summary)
    assert creator.name in page
    assert '"color":"@overall_roi"' in page


def test_the_command_prints_where_the_one_budget_went(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    changes = [word for name, value in SHORT.items() for word in ("--set", f"{name}={value}")]
    answer = CliRunner().invoke(build_app(), ["simulate", "super", *changes])
    assert answer.exit_code == 0
    assert "where the one budget went" in answer.stdout
    assert "boosts'" not in answer.stdout
