"""Plans bid to the goals `overall` and `profit` as they promise, in the eyes of truth."""

import numpy as np

from qianheng.plans.plan import Goal
from tests.actions.driving import Driven, drive, scenario_of

ALONE = {"days": "4", "opportunities_per_day": "16000", "step_minutes": "15"}


def alone(goal: str, target: str | None, seen_as: Goal | None = None) -> Driven:
    """A plan of tiny's two products with more money than it can spend well, nobody else beside it."""
    aim = "" if target is None else f"target = {target}, "
    plan = f'{{ id = 1, shop = 1, name = "p", kind = "product", goal = "{goal}", {aim}'
    plan += "budget_daily = 900, products = [11, 12], commission_rate = 0.1 }"
    return drive(scenario_of("tiny", ALONE | {"plans": f"[{plan}]"}), 1, seen_as)[1]


def test_an_overall_plan_spends_within_what_its_sales_are_worth_after_fee_and_commission() -> None:
    driven = alone(Goal.OVERALL, "1.9")
    assert driven.spend.sum() > 0
    assert driven.worth.sum() > 0.95 * driven.spend.sum()


def test_no_fixed_target_earns_much_more_than_the_profit_goal() -> None:
    profit = alone(Goal.PROFIT, None).worth.sum()
    assert profit > 0
    for target in ("2.5", "5"):
        assert alone(Goal.NET, target, Goal.PROFIT).worth.sum() < 1.05 * profit


def test_an_overall_target_that_its_extras_alone_exceed_buys_nothing() -> None:
    assert np.all(alone(Goal.OVERALL, "8").spend == 0)
