"""Runs with boosts, pools, a super plan or exploration: killed every day they come to the same, and sums stay apart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from qianheng.actions.simulation import RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary_json import as_json
from qianheng.core.money import micros
from tests.actions.runs_for_tests import Killed, killed_each_day

SMALL = {"days": "2", "opportunities_per_day": "3000", "buyers.population": "2500", "step_minutes": "20"}
BOOSTS = """[
    { day = 1, time = "20:00", hours = 6, budget = 60 },
    { day = 2, time = "10:00", hours = 8, budget = 40, kind = "creative", creatives = [12] }]""".replace("\n", "")
BOOSTED = {"plans.0.budget_daily": "60", "plans.0.boosts": BOOSTS}
LATE = {"rooms.1.sessions": '[{ on = "20:00", off = "23:59" }]'}
AT_MIDNIGHT = '[{ day = 2, time = "00:00", field = "goal", value = "net" }]'


def lived(scenario: str, changes: Mapping[str, str], folder: Path) -> dict[str, Any]:
    run = run_simulation(RunRequest(scenario, overrides={**SMALL, **changes}, folder=folder))
    return as_json(summarise(run)) | {"seconds": None}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "changes"),
    [
        ("super", BOOSTED | LATE),
        ("super", {"plans.0.changes": AT_MIDNIGHT}),
        ("pools", BOOSTED),
        ("tiny", BOOSTED | {"learning.target_share": "0.8"}),
    ],
    ids=["a boosted super plan", "a goal changed at midnight", "boosted pools", "a boosted plan that explores"],
)
def test_a_run_killed_every_day_comes_to_the_same(
    scenario: str, changes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lived(scenario, changes, tmp_path / "whole")
    deaths = killed_each_day(monkeypatch)
    for _ in range(int(SMALL["days"])):
        with pytest.raises(Killed):
            lived(scenario, changes, tmp_path / "killed")
    assert lived(scenario, changes, tmp_path / "killed") == whole
    assert len(deaths) == int(SMALL["days"])


def test_what_boosts_pay_is_neither_in_a_super_plans_split_nor_in_its_luck(tmp_path: Path) -> None:
    (plan,) = lived("super", BOOSTED, tmp_path)["plans"]
    assert micros(plan["boosted_spend"]) > micros("20")
    own = micros(plan["spend"]) - micros(plan["boosted_spend"])
    assert sum(micros(member["spend"]) for member in plan["members"]) == pytest.approx(own, abs=50_000)  # in fen each
    assert abs(float(plan["gap"]["luck"])) < 0.05
