"""A scenario may set another price rule for a placement, and the whole run keeps its promises under it."""

from pathlib import Path

import pytest

from qianheng.actions.simulation import RunFolder, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.core.errors import BadInput
from tests.actions.runs_for_tests import request


def lived(folder: Path, **pricing: str) -> RunFolder:
    overrides = {f"placements.{name}.pricing": rule for name, rule in pricing.items()}
    return run_simulation(request(folder, **overrides))


def test_first_price_and_vcg_placements_keep_budgets_books_and_the_optimum(run: RunFolder, tmp_path: Path) -> None:
    mixed = lived(tmp_path, feed="first", mall="vcg", search="vcg")
    summary = summarise(mixed)
    assert summary.balanced
    assert summary.sums.spend != summarise(run).sums.spend
    for plan in summary.plans:
        assert all(0 < day.sums.spend <= plan.first.budget_daily for day in plan.days)
        assert all(0 <= day.reached <= 1.02 * day.best for day in plan.days)


def test_an_unknown_rule_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="pricing"):
        lived(tmp_path, feed="third")
