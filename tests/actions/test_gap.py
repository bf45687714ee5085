"""The gap to the hindsight optimum is split by cause: the causes add up, and each names what it says."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.actions.gap import Cause, Gap, GapDay
from qianheng.actions.scoring import Score
from qianheng.auction.hindsight import Limits, Pages, believing, optimum
from tests.actions.driving import drive, scenario_of

DAYS = {"days": "1", "opportunities_per_day": "3000", "buyers.population": "2000"}


@pytest.fixture
def gaps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[int, Score], dict[int, Gap]]]:
    """What each driven day came to: its scores and its gaps."""
    told: list[tuple[dict[int, Score], dict[int, Gap]]] = []
    real = GapDay.close

    def close(self: GapDay, scores: dict[int, Score], *rest: dict[int, float]) -> dict[int, Gap]:
        found = real(self, scores, *rest)  # type: ignore[arg-type]
        told.append((scores, found))
        return found

    monkeypatch.setattr(GapDay, "close", close)
    return told


@pytest.mark.parametrize("goal", ["net", "profit"])
def test_the_causes_add_up_to_the_gap(
    gaps: list[tuple[dict[int, Score], dict[int, Gap]]], goal: Literal["net", "profit"]
) -> None:
    scenario = scenario_of("tiny", DAYS | {"plans.0.changes": "[]"})
    first, *others = scenario.plans
    first = replace(first, goal=goal, target=None if goal == "profit" else first.target)
    drive(replace(scenario, plans=(first, *others)), 1)
    for scores, found in gaps:
        assert found.keys() == scores.keys()
        for plan_id, gap in found.items():
            assert list(gap) == list(Cause)
            assert sum(gap.values()) == pytest.approx(scores[plan_id].best - scores[plan_id].worth, abs=1)


def test_predictions_that_are_wrong_in_level_are_told_as_calibration(
    gaps: list[tuple[dict[int, Score], dict[int, Gap]]],
) -> None:
    shares = []
    for bias in ("1.0", "0.3"):
        unexplored = {"learning.impressions": "0", "plans.0.budget_daily": "3000"}
        drive(scenario_of("tiny", DAYS | unexplored | {"prediction.bias": bias}), 1)
        scores, found = gaps[-1]
        shares.append(found[1][Cause.CALIBRATION] / scores[1].best)
    assert shares[1] > shares[0] + 0.05


AUCTIONS = st.lists(st.tuples(*[st.integers(1, 60)] * 3), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(AUCTIONS, st.integers(0, 200), st.booleans())
def test_no_ranking_by_belief_beats_the_optimum(
    auctions: list[tuple[int, int, int]], budget: int, trusting: bool
) -> None:
    believed, truth, price = np.array(auctions, float).T
    pages = Pages(price[:, None], np.ones((len(price), 1)))
    found = believing(believed, truth, pages, Limits(budget, trusting=trusting))
    assert found.spend <= budget + 1e-6
    if not trusting:
        assert found.value <= optimum(truth, pages.price, pages.seen, budget).value + 1e-6
        assert found.spend <= found.value + 1e-6
    same = believing(truth, truth, pages, Limits(budget, trusting=trusting))
    assert same.value == pytest.approx(optimum(truth, pages.price, pages.seen, budget).value)
