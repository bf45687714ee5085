"""A boost is a few hours of extra money for a plan or its creatives, within the marketplace's rules."""

from dataclasses import replace
from decimal import Decimal

import pytest

from qianheng.core.days import HOUR
from qianheng.core.errors import BadInput
from qianheng.plans.boost import Boost, BoostKind
from qianheng.plans.plan import Goal, Plan, PlanKind
from qianheng.plans.rules import boost_faults, load_rules

PLAN = Plan(1, 1, 1, "p", PlanKind.PRODUCT, Goal.NET, Decimal(2), 300_000_000, (11, 12))
RUSH = Boost(1, 1, BoostKind.PLAN, 10_000_000, 0, 2 * HOUR)
PUSH = Boost(2, 1, BoostKind.CREATIVE, 10_000_000, 0, 20 * HOUR, Decimal(2), (11,))
RULES = load_rules("standard")


@pytest.mark.parametrize(
    ("boost", "key"),
    [
        (replace(RUSH, ends=HOUR * 30 // 60), None),
        (replace(RUSH, ends=6 * HOUR), None),
        (PUSH, None),
        (replace(RUSH, ends=HOUR * 29 // 60), "plans.boost_hours"),
        (replace(RUSH, ends=6 * HOUR + 1), "plans.boost_hours"),
        (replace(PUSH, ends=24 * HOUR + 1), "plans.boost_hours"),
        (replace(PUSH, creative_ids=tuple(range(11, 32))), "plans.boost_too_many"),
        (replace(PUSH, creative_ids=(99,)), "plans.boost_not_the_plans"),
        (replace(RUSH, budget=999_999), "plans.below_least"),
    ],
)
def test_the_rules_of_each_kind(boost: Boost, key: str | None) -> None:
    assert ([fault.key for fault in boost_faults([boost], PLAN, RULES)] + [None])[0] == key


@pytest.mark.parametrize(
    ("other", "refused"),
    [
        (replace(RUSH, id=3, starts=HOUR, ends=3 * HOUR), True),
        (replace(RUSH, id=3, starts=2 * HOUR, ends=3 * HOUR), False),  # one ends as the other starts
        (PUSH, False),  # of another kind
        (replace(RUSH, id=3, plan_id=2), False),
    ],
)
def test_only_one_boost_of_a_kind_runs_for_a_plan_at_once(other: Boost, refused: bool) -> None:
    assert (boost_faults([RUSH, other], PLAN, RULES) != []) == refused


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"ends": 0}, "plans.boost_ends_first"),
        ({"creative_ids": (11,)}, "plans.boost_creatives"),
        ({"kind": BoostKind.CREATIVE}, "plans.boost_creatives"),
        ({"target": Decimal(2)}, "plans.boost_target"),
    ],
)
def test_what_cannot_be_a_boost_is_refused(wrong: dict[str, object], key: str) -> None:
    with pytest.raises(BadInput) as refusal:
        replace(RUSH, **wrong)  # type: ignore[arg-type]
    assert refusal.value.key == key
    assert str(refusal.value)


def test_each_fault_says_which_boost_it_is_of() -> None:
    long, poor = replace(RUSH, ends=RUSH.starts + 20 * HOUR), replace(RUSH, id=RUSH.id + 1, budget=0)
    told = [str(fault) for fault in boost_faults([long, poor], PLAN, RULES)]
    assert [one.split(":")[0] for one in told] == ["boosts 0 & 1", "boosts[0]", "boosts[1]"]
