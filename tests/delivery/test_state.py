"""A plan's delivery state is the first reason why it does not run, or that it does."""

from dataclasses import replace

import numpy as np
import pytest

from qianheng.bidding.protocol import Binding, Reading
from qianheng.core.days import MINUTE, moment
from qianheng.delivery.state import DeliveryState, Standing, state, states
from qianheng.plans.plan import PlanStatus
from tests.delivery.markets import ROOM, SHOP, START, engine, serve

READING = Reading(1.0, Binding.BUDGET, 100.0, 100.0, 0.0, 0.0)
RUNNING = Standing(True, True, True, 1000, 1000, 0, READING)


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (RUNNING, DeliveryState.RUNNING),
        (replace(RUNNING, spent=1000), DeliveryState.NO_BUDGET),
        (replace(RUNNING, leased=400, spent=400), DeliveryState.NO_BALANCE),
        (replace(RUNNING, leased=0), DeliveryState.NO_BALANCE),
        (replace(RUNNING, leased=0, allowed=0), DeliveryState.NO_BUDGET),
        (replace(RUNNING, reading=replace(READING, binding=Binding.ROI)), DeliveryState.RUNNING),
        (
            replace(RUNNING, reading=replace(READING, binding=Binding.ROI, forecast_spend=1.0)),
            DeliveryState.TARGET_TOO_HIGH,
        ),
        (replace(RUNNING, in_schedule=False, spent=1000), DeliveryState.OUTSIDE_SCHEDULE),
        (replace(RUNNING, on_air=False, in_schedule=False), DeliveryState.ROOM_OFF),
        (replace(RUNNING, active=False, on_air=False), DeliveryState.NOT_ACTIVE),
    ],
)
def test_the_first_reason_is_the_state(standing: Standing, expected: DeliveryState) -> None:
    assert state(standing) is expected


def test_an_engine_tells_the_state_of_each_plan_as_it_changes() -> None:
    made, rng = engine(), np.random.default_rng(1)
    serve(made, rng, START)
    told = {plan.id: made.bidder.reading(row) for row, plan in enumerate(made.plans)}
    assert states(made, START + MINUTE, told) == {SHOP.id: DeliveryState.RUNNING, ROOM.id: DeliveryState.RUNNING}
    made.on_air(9, False, START + MINUTE)
    made.change(replace(SHOP, schedule=(moment(START, SHOP.timezone).hour + 1,)), 1)
    later = states(made, START + 12 * MINUTE, {})
    assert later == {SHOP.id: DeliveryState.OUTSIDE_SCHEDULE, ROOM.id: DeliveryState.ROOM_OFF}
    made.change(replace(SHOP, status=PlanStatus.PAUSED), 2)
    assert states(made, START + 13 * MINUTE, {})[SHOP.id] is DeliveryState.NOT_ACTIVE
    made.change(replace(SHOP, budget_daily=0), 3)
    assert states(made, START + 14 * MINUTE, {})[SHOP.id] is DeliveryState.NO_BUDGET


def test_pause_and_budget_act_within_the_same_step() -> None:
    made, rng = engine(), np.random.default_rng(2)
    for minute in range(3):
        serve(made, rng, START + minute * MINUTE)
    before = made.spent_today.copy()
    made.change(replace(SHOP, status=PlanStatus.PAUSED), 1)
    made.change(replace(ROOM, budget_daily=int(before[1])), 1)
    serve(made, rng, START + 3 * MINUTE, 300)
    assert made.spent_today.tolist() == before.tolist()
