"""The levers of a plan move what they promise, in the promised direction and within their bounds (SPEC 4.8)."""

from dataclasses import replace
from decimal import Decimal
from functools import cache

import numpy as np
import pytest

from qianheng.core.days import DAY, MINUTE
from qianheng.delivery.engine import Engine
from qianheng.facts.batch import join
from qianheng.facts.schema import Kind
from qianheng.plans.plan import BidMode, Pace, Plan
from qianheng.prediction.predictor import Predictor
from tests.delivery.markets import SHOP, SITE, SPACE, START, serve

STEP = 15 * MINUTE
BOUND = replace(SHOP, bid_mode=BidMode.MAX_DELIVERY, target=None, budget_daily=20_000_000)
RICH = replace(SHOP, budget_daily=10**12, target=Decimal(12))


@cache
def lived(plan: Plan, *changes: tuple[int, Plan]) -> tuple[list[int], float]:
    """A third day of one plan after two like it, with changes at its steps: spend by step, and predicted ROI."""
    made = Engine([plan], SPACE, replace(SITE, step=STEP), START)
    made.refit(Predictor(SPACE), made.offers.calibrated, 1, START)
    facts = []
    for day in range(3):
        start, rng = START + day * DAY, np.random.default_rng(day)
        made.start_day(start)
        made.lease(plan.id, plan.budget_daily)
        for step in range(DAY // STEP):
            for _, after in (change for change in changes if day == 2 and change[0] == step):
                made.change(after, 1)
            facts.append((day, serve(made, rng, start + step * STEP, 120)))
    last = [each for day, each in facts if day == 2]
    spend = [int(each[Kind.CHARGE]["amount"].to_numpy().sum()) for each in last]
    predicted = int(join(last)[Kind.IMPRESSION]["predicted_gmv"].to_numpy().sum())
    return spend, predicted / max(sum(spend), 1)


def test_maximum_delivery_spends_its_budget_evenly_by_value_and_answers_to_no_target() -> None:
    spend, _ = lived(BOUND)
    assert 0.97 * BOUND.budget_daily < sum(spend) <= BOUND.budget_daily
    quarters = np.array(spend).reshape(4, -1).sum(axis=1) / sum(spend)
    assert quarters.min() > 0.2  # the traffic of these days is even
    assert quarters.max() < 0.3


def test_maximum_delivery_spends_a_budget_that_no_target_would_allow() -> None:
    held = replace(BOUND, bid_mode=BidMode.TARGET_ROI, target=Decimal(100))
    assert sum(lived(held)[0]) < 0.2 * BOUND.budget_daily
    assert lived(BOUND)[1] < 100


def test_a_pace_moves_spending_within_the_day_and_the_day_spends_the_same() -> None:
    by_noon = {}
    for pace in Pace:
        spend, _ = lived(replace(BOUND, pace=pace))
        assert 0.95 * BOUND.budget_daily < sum(spend) <= BOUND.budget_daily
        by_noon[pace] = sum(spend[: len(spend) // 2]) / sum(spend)
    assert 0.28 < by_noon[Pace.SLOW] < 0.42
    assert 0.45 < by_noon[Pace.NORMAL] < 0.55
    assert 0.62 < by_noon[Pace.FAST] < 0.80


@pytest.mark.parametrize(("pace", "faster"), [(Pace.FAST, True), (Pace.SLOW, False)])
def test_a_change_of_pace_spreads_what_is_left_anew_at_once(pace: Pace, faster: bool) -> None:
    usual, _ = lived(BOUND)
    changed, _ = lived(BOUND, (48, replace(BOUND, pace=pace)))
    assert changed[:48] == usual[:48]
    soon_usual, soon = sum(usual[48:60]), sum(changed[48:60])
    assert soon > 1.05 * soon_usual if faster else soon < 0.95 * soon_usual
    assert sum(changed) > 0.95 * BOUND.budget_daily


def test_a_pace_never_breaks_the_target() -> None:
    assert lived(replace(RICH, pace=Pace.FAST))[1] > 0.97 * 12


def test_an_roi_that_may_float_buys_more_and_never_falls_below_its_floor() -> None:
    held, floating = lived(RICH), lived(replace(RICH, roi_float=True))
    assert held[1] > 0.97 * 12
    assert sum(floating[0]) > 1.1 * sum(held[0])
    assert 0.97 * 0.85 * 12 < floating[1] < held[1]


def test_an_roi_that_may_float_stays_where_the_budget_leaves_no_volume_to_gain() -> None:
    poor = replace(RICH, budget_daily=2_000_000)
    held, floating = lived(poor), lived(replace(poor, roi_float=True))
    assert floating[1] > 0.9 * held[1]
    assert floating[1] > 12


def test_switching_the_float_on_in_the_day_acts_at_once() -> None:
    usual, _ = lived(RICH)
    changed, _ = lived(RICH, (48, replace(RICH, roi_float=True)))
    assert sum(changed[48:52]) > sum(usual[48:52])
