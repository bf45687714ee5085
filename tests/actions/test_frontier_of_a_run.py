"""What each close of a run expects of the next day, and what is told of a target that cannot be reached."""

from pathlib import Path

from qianheng.actions.frontier import verdict
from qianheng.actions.simulation import run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary_json import as_json
from tests.actions.runs_for_tests import request


def test_a_target_out_of_reach_is_told_with_the_nearest_that_is_not(tmp_path: Path) -> None:
    wanted = {"plans.0.target": "30", "plans.0.changes": "[]", "days": "1", "learning.impressions": "0"}
    summary = summarise(run_simulation(request(tmp_path, **wanted)))
    outlook = summary.plans[0].outlook
    assert outlook is not None
    assert not outlook["feasible"]
    assert float(outlook["nearest"]["target_roi"]) < 30
    assert outlook["nearest"]["target_roi"] in verdict(outlook)
    assert as_json(summary)["plans"][0]["outlooks"][0]["feasible"] is False
