"""The frontier of a run's plan: by the command, and what is told of a target that cannot be reached."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qianheng.actions.explain import opened
from qianheng.actions.frontier import frontier_of, verdict
from qianheng.actions.simulation import RunFolder, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary_json import as_json
from qianheng.cli.app import build_app
from qianheng.core.errors import Refused
from tests.actions.runs_for_tests import request


def test_the_frontier_of_a_run_falls_with_the_target_and_rises_with_the_budget(run: RunFolder) -> None:
    answer = CliRunner().invoke(build_app(), ["frontier", "--run", str(run.path), "--plan", "1", "--json"])
    told = json.loads(answer.stdout)
    assert answer.exit_code == (0 if told["feasible"] else 1)
    spend = {(point["target_roi"], point["budget"]): float(point["spend"]) for point in told["points"]}
    budgets = sorted({budget for _, budget in spend}, key=float)
    targets = sorted({target for target, _ in spend}, key=float)
    assert all(spend[low, b] >= spend[high, b] for low, high in itertools.pairwise(targets) for b in budgets)
    assert all(spend[t, small] <= spend[t, big] for small, big in itertools.pairwise(budgets) for t in targets)
    assert max(spend.values()) > 0
    for point in told["points"]:
        low, high = map(float, point["spend_between"] or ("0", "0"))
        assert 0 <= low <= high <= float(point["budget"])
        assert high > low or float(point["spend"]) == 0


@pytest.mark.parametrize("plan", ["9", "2"])
def test_every_plan_answers_or_says_why_not(run: RunFolder, plan: str) -> None:
    answer = CliRunner().invoke(build_app(), ["frontier", "--run", str(run.path), "--plan", plan, "--json"])
    assert answer.exit_code in (0, 1)
    assert answer.stdout or str(answer.exception)


def test_a_run_of_an_earlier_version_is_refused_with_what_to_do(run: RunFolder) -> None:
    with opened(str(run.path)) as kept:
        told = {day: {**one} for day, one in kept.told.items()}
        for one in told.values():
            one["landscape"] = {"1": [[1.0, 2.0, 3.0]]}
        with pytest.raises(Refused, match="simulate"):
            frontier_of(replace(kept, told=told), 1)


def test_a_target_out_of_reach_is_told_with_the_nearest_that_is_not(tmp_path: Path) -> None:
    wanted = {"plans.0.target": "30", "plans.0.changes": "[]", "days": "1", "learning.impressions": "0"}
    summary = summarise(run_simulation(request(tmp_path, **wanted)))
    outlook = summary.plans[0].outlook
    assert outlook is not None
    assert not outlook["feasible"]
    assert float(outlook["nearest"]["target_roi"]) < 30
    assert outlook["nearest"]["target_roi"] in verdict(outlook)
    assert as_json(summary)["plans"][0]["outlooks"][0]["feasible"] is False
