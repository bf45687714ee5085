"""The studies run in a thin mode and tell what they promise; what they measure takes their full runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import stress
from benchmarks.intervals import figure
from benchmarks.lived import PlanDay


def day(seed: int, kept: float, orders: int, spend: float = 1000.0) -> PlanDay:
    """A day whose orders are all alike."""
    promised = kept * spend
    noise = orders * (promised / orders) ** 2 if orders else 0.0
    return PlanDay(seed, 1, 1, spend, spend, orders, promised, noise, 0.0, promised, 2 * promised)


def test_luck_is_what_so_many_orders_leave_to_chance() -> None:
    columns = stress.judged([day(1, 1.0, 100), day(1, 1.0, 25), day(1, 0.0, 0)])
    assert columns["noise"].tolist() == pytest.approx([0.1, 0.2, 1.0])
    assert columns["luck"].tolist() == pytest.approx([0.1587, 0.3085, 0.4602], abs=1e-4)


def test_a_day_far_below_its_target_is_an_error_and_one_at_its_target_is_not() -> None:
    found = stress.figures([day(seed, kept, 60) for seed in (1, 2, 3) for kept in (0.7, 1.0)])
    assert found["by_error"].value == 0.5
    assert found["roi"].value == pytest.approx(0.85)
    assert found["overspend"].value == 0


def test_days_without_spend_do_not_count() -> None:
    assert stress.figures([day(1, 1.0, 30), day(1, 1.0, 30, spend=0.0)])["orders"].value == 30


def test_an_interval_widens_with_what_seeds_differ() -> None:
    seeds = np.repeat(np.arange(8), 5)
    alike = figure({"seed": seeds, "x": np.ones(40)}, lambda rows: float(rows["x"].mean()))
    apart = figure({"seed": seeds, "x": seeds.astype(float)}, lambda rows: float(rows["x"].mean()))
    assert alike.low == alike.value == alike.high == 1
    assert apart.low < apart.value - 0.5
    assert apart.high > apart.value + 0.5


def test_every_stress_is_a_scenario() -> None:
    calm = stress.scenario_of(stress.Cell(), thin=False)
    for name, cell in stress.CELLS.items():
        assert name == "base" or stress.scenario_of(cell, thin=False) != calm


def test_the_stress_study_runs_ours_and_a_peer_and_keeps_the_money(tmp_path: Path) -> None:
    out = tmp_path / "stress.json"
    cells = ["target × 0.8"]
    command = ["--thin", "--seeds", "1", "--bidders", "qianheng", "pid", "--json", str(out), "--cells", *cells]
    stress.main(command)
    told = json.loads(out.read_text("utf-8"))
    assert list(told["cells"]) == cells
    for found in told["cells"].values():
        for bidder in ("qianheng", "pid"):
            assert set(found[bidder]) == set(stress.MEASURES)
            assert found[bidder]["overspend"]["value"] == 0
            assert found[bidder]["orders"]["value"] > 0
    assert "<svg" in out.with_suffix(".svg").read_text("utf-8")
