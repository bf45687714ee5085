"""Training markets are recordings like any other, each a function of its number."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import training
from qianheng.actions.replay import recordings, replay, summary


def small(number: int) -> training.TrainingMarket:
    return replace(training.draw_market(number), impressions=3000, days=2)


def test_a_market_is_a_function_of_its_number_and_its_days_differ() -> None:
    first, again = (training.day_of(small(3), 0)["price_1"] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len(training.day_of(small(3), 1)["price_1"]) != len(first)


@pytest.mark.parametrize("number", range(6))
def test_every_kind_of_day_is_in_order(number: int) -> None:
    day = training.day_of(small(number), 0)
    assert (np.diff(day["tick"]) >= 0).all()
    assert (day["price_1"] >= day["price_2"]).all()
    assert (day["price_2"] >= day["price_3"]).all()
    assert (day["value"] > 0).all()


def test_a_written_market_is_replayed_with_its_other_days_as_history(tmp_path: Path) -> None:
    training.write_market(tmp_path / "market004", small(4))
    assert [len(recording.history) for recording in recordings([tmp_path / "market004"])] == [1, 1]
    scores = replay([tmp_path / "market004"], ["qianheng"], steps=96)
    assert summary(scores)["qianheng"]["recordings"] == 2
    assert all(0 < score.capped <= 1.05 for score in scores)


def test_the_command_makes_and_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market = small(0)
    monkeypatch.setattr(training, "draw_market", lambda _: market)
    training.main(["make", str(tmp_path), "--markets", "1"])
    training.main(["score", str(tmp_path), "--thin", "--json", str(tmp_path / "told.json")])
    assert "qianheng" in (tmp_path / "told.json").read_text()
