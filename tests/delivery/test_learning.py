"""A plan explores within its bound, and has learnt, or has failed to for a reason that its counts tell."""

from pathlib import Path

import numpy as np
import pytest

from qianheng.actions.simulation import run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary_json import as_json
from qianheng.core.errors import BadInput
from qianheng.delivery.learning import Counts, Learning, Obstacle, Phase, obstacle
from qianheng.plans.learning import Rules
from tests.actions import runs_for_tests

RULES = Rules(target_share=0.8, budget_share=0.1, impressions=1000, orders=20, days=3)
BUDGET = np.array([1e9])


def day(orders: float, opportunities: float = 50_000.0) -> np.ndarray:
    return np.array([[orders, opportunities, 100.0, 5e8, 1e9]])


@pytest.mark.parametrize(
    ("orders", "phases"),
    [
        ((20,), ["learned"]),
        ((7, 7, 6), ["learning", "learning", "learned"]),
        ((7, 7, 5), ["learning", "learning", "learning_failed"]),
        ((0, 0, 0, 25), ["learning", "learning", "learning_failed", "learned"]),
        ((25, 0, 0, 0), ["learned", "learned", "learned", "learned"]),
    ],
)
def test_a_plan_has_learnt_at_twenty_orders_in_three_days(orders: tuple[int, ...], phases: list[str]) -> None:
    made = Learning(1, RULES)
    assert [made.close_day(day(count), np.zeros(1))[0].phase for count in orders] == phases


def test_a_day_without_serving_does_not_count_against_a_plan() -> None:
    made = Learning(1, RULES)
    lessons = [made.close_day(day(0, opportunities=0.0), np.zeros(1))[0] for _ in range(5)]
    assert lessons[-1].phase is Phase.LEARNING


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        (Counts(3, 3_000, 50, 5e8, 3e9), Obstacle.OPPORTUNITIES),
        (Counts(3, 90_000, 2_000, 29e8, 3e9), Obstacle.CLICKS),
        (Counts(3, 90_000, 500, 29e8, 3e9), Obstacle.BUDGET),
        (Counts(3, 90_000, 500, 5e8, 3e9), Obstacle.TARGET),
    ],
)
def test_why_a_plan_could_not_learn(counts: Counts, why: Obstacle) -> None:
    assert obstacle(counts, RULES) is why


def boldness(made: Learning, beyond: float) -> float:
    return float(made.boldness(np.array([beyond]), made.allowed(BUDGET))[0])


def test_exploring_ends_where_its_budget_does_and_for_good() -> None:
    made = Learning(1, RULES)
    assert [boldness(made, beyond) for beyond in (0.0, 1.1e8)] == [1.25, 1]
    made.close_day(day(2), np.array([0.6e8]))
    assert [boldness(made, beyond) for beyond in (0.3e8, 0.5e8)] == [1.25, 1]
    assert made.close_day(day(30), np.array([0.5e8]))[0].explored == 110_000_000
    assert [boldness(made, beyond) for beyond in (-1.0, 0.0)] == [1, 1]


def test_a_plan_that_is_hardly_seen_dares_more_each_hour_until_it_is() -> None:
    made, served = Learning(1, RULES), np.array([True])
    for hour, daring in enumerate((2, 4, 8, 8)):
        made.dare(served)
        assert boldness(made, 0.0) == 1.25 * daring, hour
    made.note(np.array([150.0]))
    made.dare(served)
    assert boldness(made, 0.0) == 1.25 * 8
    made.note(np.array([900.0]))
    made.dare(served)
    assert boldness(made, 0.0) == 1.25


def test_hours_in_which_a_plan_does_not_serve_do_not_embolden_it() -> None:
    made = Learning(1, RULES)
    made.dare(np.array([False]))
    assert boldness(made, 0.0) == 1.25


def test_rules_that_make_no_sense_are_refused() -> None:
    with pytest.raises(BadInput):
        Rules(target_share=1.2, budget_share=0.1, impressions=1000, orders=20, days=3)


def test_a_run_tells_its_learning_and_going_on_from_a_snapshot_keeps_it(tmp_path: Path) -> None:
    run = run_simulation(runs_for_tests.request(tmp_path, **{"learning.target_share": "0.8", "learning.days": "1"}))
    told = as_json(summarise(run))
    phases = [[one["learning"]["phase"] for one in plan["days"]] for plan in told["plans"]]
    assert all(phase == ["learning_failed"] * 2 or "learned" in phase for phase in phases)
    made, again = Learning(1, RULES), Learning(1, RULES)
    made.close_day(day(7), np.array([1e6]))
    again.restore(made.snapshot())
    assert again.close_day(day(13), np.zeros(1)) == made.close_day(day(13), np.zeros(1))
