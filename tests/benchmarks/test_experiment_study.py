"""The study of experiments runs thin, and its own statistics are right."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import experiments
from benchmarks.other_intervals import LIFT, bootstrap, capped
from benchmarks.user_worlds import World, log_normal, walks
from qianheng.experiments.estimates import of_users

EVEN = World("everybody buys for one to three", lambda draw, shape: 1 + 2 * draw.random(shape))


def test_growing_arms_have_the_moments_of_their_users() -> None:
    seen: list[np.ndarray] = []

    def draw(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        seen.append(log_normal(1.0, 0.5).draw(generator, shape))
        return seen[-1]

    a, _ = walks(World("as drawn", draw), 3, (40, 50), 2)
    whole = of_users(np.concatenate(seen[:2], axis=1))
    for grown, known in zip((a.value, a.variance, a.third), (whole.value, whole.variance, whole.third), strict=True):
        assert grown[:, -1] == pytest.approx(known, rel=1e-6)


def test_every_interval_holds_where_users_are_nearly_alike() -> None:
    cell = experiments.coverage("even", EVEN, (400, 400), 400)
    assert cell.told == 1
    assert all(0.92 < held < 0.98 for held in cell.held.values())
    assert all(0.85 < held <= 1 for held in bootstrap(EVEN, 300, 40, 100).values())


def test_cutting_large_orders_finds_less_than_the_truth() -> None:
    assert capped(log_normal(1.5, 0.1), 1000, 100)["effect"] < 0.8 * LIFT


def test_the_study_tells_all_its_parts(tmp_path: Path) -> None:
    experiments.main(["--thin", "--runs", "100", "--json", str(tmp_path / "told.json")])
    found = json.loads((tmp_path / "told.json").read_text("utf-8"))
    assert found["ever"]["ln1"]["naive"] > found["ever"]["ln1"]["always"]
    assert {cell["world"] for cell in found["coverage"]} >= {"ln2", "pareto2.1"}
    assert (tmp_path / "told.svg").exists()
    assert (tmp_path / "told_calibration.svg").exists()
