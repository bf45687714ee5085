"""The study of interference runs in a thin mode, and sums up what worlds say as it promises."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.interference import DESIGNS, World, bold_days, main, rows


def test_biases_are_against_the_truth_of_the_same_worlds() -> None:
    found = [
        {name: {"true": true, "naive": true + 0.5, "split": true, "switchback": 0.1} for name in ("gmv", "spend")}
        for true in (0.0, 0.2)
    ]
    told = {row.design: row for row in rows("calm", found) if row.measure == "gmv"}
    assert {row.design for row in told.values()} == {*DESIGNS}
    assert told["naive"].bias == pytest.approx(0.5)
    assert told["split"].bias == 0 == told["split"].low
    assert told["switchback"].low is not None
    assert rows("calm", found[:1])[0].low is None


def test_of_every_two_days_one_is_bs() -> None:
    days = bold_days(World("calm", 3, 10))
    assert np.add.reduceat(days, range(0, 10, 2)).tolist() == [1] * 5


@pytest.mark.slow
def test_the_study_of_interference_lives_each_design(tmp_path: Path) -> None:
    out = tmp_path / "interference.json"
    main(["--thin", "--markets", "calm", "--json", str(out)])
    told = json.loads(out.read_text("utf-8"))
    spend = told["worlds"]["calm"][0]["spend"]
    assert spend["naive"] > spend["split"]
