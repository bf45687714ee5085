"""The exact interval of a rate, and how incidents are summed up."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.bounds import Shown, best_power, poisson_interval
from benchmarks.ill_shops import TRAINING
from benchmarks.incidents import Clean, Kept, Outcome, Task, summary


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (20, 12.217, 30.888)]
)
def test_an_interval_of_a_count_is_the_one_of_the_tables(count: int, low: float, high: float) -> None:
    assert poisson_interval(count, 1.0) == pytest.approx((low, high), abs=2e-3)
    assert poisson_interval(count, 4.0) == pytest.approx((low / 4, high / 4), abs=2e-3)


def test_what_was_not_found_counts_and_what_was_not_told_says_nothing_of_causes() -> None:
    def outcome(hours: float | None, first: str | None) -> Outcome:
        return Outcome("wear", 1, "stock_out", "strong", False, hours, hours, first, first == "stock_out")

    outcomes = [outcome(4.0, "stock_out"), outcome(8.0, "wrong_price"), outcome(None, None)]
    found = summary([Clean("wear", 1, 5.0, ("10-08 22 wrong_price 12",))], outcomes)
    told = found["incidents"]
    assert isinstance(told, dict)
    assert told["all"]["found"] == pytest.approx(2 / 3)
    assert told["all"]["right_cause_first"] == 0.5
    assert told["stock_out strong"]["hours_median"] == 6
    assert found["told_first"] == {
        "stock_out as nothing": 1,
        "stock_out as stock_out": 1,
        "stock_out as wrong_price": 1,
    }
    clean = found["clean"]
    assert isinstance(clean, dict)
    assert clean["per_shop_week"] == 0.2


@pytest.mark.parametrize("usual", [0.5, 4.0, 30.0])
def test_the_best_test_cries_wolf_just_as_often_as_it_may(usual: float) -> None:
    assert best_power(Shown(usual, 1.0), 0.09) == pytest.approx(0.09)
    assert best_power(Shown(usual, 0.5), 0.09) > 0.09 < best_power(Shown(usual, 2.0), 0.09)


@pytest.mark.parametrize(("usual", "factor"), [(6.0, 2.0), (20.0, 0.5)])
def test_no_other_test_of_the_same_level_finds_more_than_the_bound(usual: float, factor: float) -> None:
    """One that splits the days in two and looks at the larger half, at the level it is measured to have."""
    drawn = np.random.default_rng(1)
    halves = [drawn.poisson(usual * of / 2, (200_000, 2)).astype(float) for of in (1.0, factor)]
    seen = [one.max(axis=1) if factor > 1 else -one.min(axis=1) for one in halves]
    limit = np.quantile(seen[0], 0.9)
    level, power = ((one > limit).mean() for one in seen)
    assert power <= best_power(Shown(usual, factor), float(level)) + 0.005


def test_nothing_is_found_of_what_nothing_is_known_of() -> None:
    assert best_power(Shown(0.0, 2.0), 0.09) == pytest.approx(0.09)
    assert best_power(Shown(200.0, 0.0), 0.001) == pytest.approx(1.0)


def test_a_run_that_was_stopped_goes_on_with_the_shops_it_kept(tmp_path: Path) -> None:
    task, other = Task(TRAINING[0], 7, 3), Task(TRAINING[0], 8, 3)
    lived = (
        Clean("wear", 7, 4.0, ("10-08 22 wrong_price 12",)),
        [Outcome("wear", 7, "stock_out", "weak", False, None, None, None, False, True, 0.5, 0.25)],
    )
    Kept(tmp_path / "shops.jsonl").keep(task, lived)
    again = Kept(tmp_path / "shops.jsonl")
    assert again.of(task) == lived
    assert again.of(other) is None
    assert Kept(None).of(task) is None
