"""In a promotion of a whole run a target is lowered to its floor and no further; the refusal is kept and shown."""

from decimal import Decimal
from pathlib import Path

from qianheng.actions.simulation import run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary_json import as_json
from qianheng.pages.run import render
from tests.actions.runs_for_tests import request

CHANGES = """[
    { day = 1, time = "08:00", field = "target", value = "0.5" },
    { day = 2, time = "10:00", field = "target", value = "0.02" },
    { day = 2, time = "14:00", field = "budget_daily", value = "90" }]""".replace("\n", "")


def test_a_target_below_the_floor_is_refused_and_everything_else_goes_on(tmp_path: Path) -> None:
    asked = request(tmp_path, **{"plans.0.changes": CHANGES, "promotions": "[{ first = 1, last = 2 }]"})
    summary = summarise(run_simulation(asked))
    plan = summary.plans[0]
    assert [dict(made.after) for made in plan.log] == [{"target": Decimal("0.5")}, {"budget_daily": 90_000_000}]
    ((at, why),) = plan.refused
    assert (at.day, at.hour) == (2, 10)
    assert all(part in why for part in ("promotion", "70%", "0.02"))
    assert as_json(summary)["plans"][0]["refused_changes"] == [{"at": at.isoformat(), "why": why}]
    assert "Refused" in render(summary)


def test_outside_a_promotion_there_is_no_floor(tmp_path: Path) -> None:
    summary = summarise(run_simulation(request(tmp_path, **{"plans.0.changes": CHANGES})))
    assert len(summary.plans[0].log) == 3
    assert summary.plans[0].refused == []
