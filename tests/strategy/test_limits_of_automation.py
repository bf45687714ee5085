"""What may be done without asking: every limit is met where it should be, and none where it should not."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.errors import BadInput
from qianheng.core.interval import Interval
from qianheng.core.money import YUAN
from qianheng.plans.plan import PlanStatus
from qianheng.strategy.automation import Limits, Obstacle, Today, obstacles, written
from qianheng.strategy.proposal import Action, Effect, Measure, Proposal, Reason
from tests.strategy.shops_for_tests import NOW

SURE = Effect(Measure.PROFIT, Interval(1, 5 * YUAN, 9 * YUAN))
NOTHING_SURE = Effect(Measure.PROFIT, Interval(0, 5 * YUAN, 9 * YUAN))
UNTOLD = Effect(Measure.SPEND, Interval(1, 5 * YUAN, 9 * YUAN))
DOUBTFUL = Effect(Measure.PROFIT, Interval(-1, 5 * YUAN, 9 * YUAN))
OPEN = Limits(enabled=True, actions=("lower_target", "raise_budget", "pause"))
TARGET: dict[str, Any] = {"before": {"target": Decimal("2.00")}, "after": {"target": Decimal("1.80")}}
BUDGET: dict[str, Any] = {"before": {"budget_daily": 500 * YUAN}, "after": {"budget_daily": 600 * YUAN}}
CUT: dict[str, Any] = {"before": {"budget_daily": 500 * YUAN}, "after": {"budget_daily": 400 * YUAN}}
PAUSE: dict[str, Any] = {"before": {"status": PlanStatus.ACTIVE}, "after": {"status": PlanStatus.PAUSED}}


NOTHING_YET = Today()


def proposal(action: Action = Action.LOWER_TARGET, effect: Effect = SURE, values: dict[str, Any] = TARGET) -> Proposal:
    return Proposal("1", action, Reason("ladder"), NOW, NOW, effects=(effect,), **values)


def met(limits: Limits, made: Proposal, today: Today = NOTHING_YET, costs: bool = False) -> list[Obstacle]:
    return [*obstacles(limits, made, today, NOW + timedelta(hours=9), costs)]


@pytest.mark.parametrize(
    ("limits", "made", "expected"),
    [
        ({}, proposal(), []),
        ({"enabled": False}, proposal(), [Obstacle.DISABLED]),
        ({}, proposal(Action.RESTOCK, values={}), [Obstacle.A_PERSONS_WORK]),
        ({"actions": ("pause",)}, proposal(), [Obstacle.NOT_ALLOWED]),
        ({}, proposal(Action.PAUSE, values=PAUSE), [Obstacle.MAY_NOT_PAUSE]),
        ({"may_pause": True}, proposal(Action.PAUSE, values=PAUSE), []),
        ({"hours": (9,)}, proposal(), []),
        ({"hours": (10, 11)}, proposal(), [Obstacle.OUTSIDE_HOURS]),
        ({"change_most": Decimal("0.10")}, proposal(), []),
        ({"change_most": Decimal("0.09")}, proposal(), [Obstacle.TOO_LARGE]),
        ({"budget_change_most": Decimal(100)}, proposal(Action.RAISE_BUDGET, values=BUDGET), []),
        ({"budget_change_most": Decimal(99)}, proposal(Action.RAISE_BUDGET, values=BUDGET), [Obstacle.BUDGETS_TOO_FAR]),
        ({"target_floor": Decimal("1.80")}, proposal(), []),
        ({"target_floor": Decimal("1.81")}, proposal(), [Obstacle.BELOW_FLOOR]),
        ({"budget_ceiling": Decimal(600)}, proposal(Action.RAISE_BUDGET, values=BUDGET), []),
        ({"budget_ceiling": Decimal(599)}, proposal(Action.RAISE_BUDGET, values=BUDGET), [Obstacle.ABOVE_CEILING]),
        ({"change_most": Decimal("0.19")}, proposal(Action.RAISE_BUDGET, values=BUDGET), [Obstacle.TOO_LARGE]),
        ({"budget_change_most": Decimal(100)}, proposal(Action.RAISE_BUDGET, values=CUT), []),
        ({"budget_change_most": Decimal(99)}, proposal(Action.RAISE_BUDGET, values=CUT), [Obstacle.BUDGETS_TOO_FAR]),
        ({"budget_floor": Decimal(400)}, proposal(Action.RAISE_BUDGET, values=CUT), []),
        ({"budget_floor": Decimal(401)}, proposal(Action.RAISE_BUDGET, values=CUT), [Obstacle.BELOW_FLOOR]),
        ({}, proposal(effect=DOUBTFUL), [Obstacle.NOT_SURE]),
        ({}, proposal(effect=NOTHING_SURE), [Obstacle.NOT_SURE]),
        ({}, proposal(effect=UNTOLD), [Obstacle.NOT_SURE]),
        ({"only_if_sure": False}, proposal(effect=DOUBTFUL), []),
    ],
)
def test_each_limit(limits: dict[str, Any], made: Proposal, expected: list[Obstacle]) -> None:
    assert met(replace(OPEN, **limits), made) == expected


def test_what_was_done_today_counts() -> None:
    assert met(replace(OPEN, changes_a_day=2), proposal(), Today(1)) == []
    assert met(replace(OPEN, changes_a_day=2), proposal(), Today(2)) == [Obstacle.ENOUGH_TODAY]
    moved = Today(1, 950 * YUAN)
    assert met(OPEN, proposal(Action.RAISE_BUDGET, values=BUDGET), moved) == [Obstacle.BUDGETS_TOO_FAR]


def test_a_guarantee_is_given_up_only_where_the_owner_said_so() -> None:
    assert met(OPEN, proposal(), costs=True) == [Obstacle.VOIDS_GUARANTEE]
    assert met(replace(OPEN, may_void=True), proposal(), costs=True) == []


def test_everything_that_stands_in_the_way_is_told_at_once() -> None:
    strict = Limits(hours=(1,), changes_a_day=0, change_most=Decimal(0), actions=("pause",))
    assert len(met(strict, proposal(effect=DOUBTFUL), costs=True)) == 7


@given(st.decimals("0.01", 20, places=2), st.decimals("0.01", 20, places=2))
def test_no_target_leaves_its_floor_and_ceiling(floor: Decimal, after: Decimal) -> None:
    limits = replace(OPEN, change_most=Decimal(10_000), target_floor=floor, target_ceiling=floor + 5)
    made = proposal(values={"before": {"target": Decimal(2)}, "after": {"target": after}})
    assert (met(limits, made) == []) == (floor <= after <= floor + 5)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"actions": ("restock",)}, "actions"),
        ({"hours": (24,)}, "hours"),
        ({"change_most": Decimal(-1)}, "change_most"),
        ({"budget_change_most": Decimal(-1)}, "budget_change_most"),
        ({"changes_a_day": -1}, "changes_a_day"),
        ({"target_floor": Decimal(3), "target_ceiling": Decimal(2)}, "target_floor"),
        ({"budget_floor": Decimal(3), "budget_ceiling": Decimal(2)}, "budget_floor"),
    ],
)
def test_limits_that_cannot_be_are_refused_by_field(wrong: dict[str, Any], place: str) -> None:
    with pytest.raises(BadInput) as refused:
        Limits(**wrong)
    assert place in str(refused.value)


@pytest.mark.parametrize("name", ["target_floor", "target_ceiling", "budget_floor", "budget_ceiling"])
def test_an_end_may_be_taken_away_again_and_both_ends_may_be_one(name: str) -> None:
    assert written(name, "") is None
    assert written(name, "2.5") == Decimal("2.5")
    both = {f"{name.partition('_')[0]}_{end}": Decimal(2) for end in ("floor", "ceiling")}
    assert getattr(Limits(**both), name) == 2  # type: ignore[arg-type]
