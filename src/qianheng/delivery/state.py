"""The delivery state of a plan: whether it runs and, if not, the first reason why (SPEC 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from qianheng.bidding.protocol import Binding, Reading
from qianheng.core.money import Micros
from qianheng.delivery.engine import Engine
from qianheng.plans.plan import PlanStatus

HOPELESS = 0.01  # a target that lets less than this share of the money left be spent is too high to win


class DeliveryState(StrEnum):
    """What a plan is doing, in order of precedence."""

    NOT_ACTIVE = "not_active"  # draft, paused or deleted
    ROOM_OFF = "room_off"
    OUTSIDE_SCHEDULE = "outside_schedule"
    NO_BALANCE = "no_balance"  # the ad account had less than the plan's budgets allow
    NO_BUDGET = "no_budget"
    TARGET_TOO_HIGH = "target_too_high"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the state of a plan depends on; money in micro-yuan."""

    active: bool
    on_air: bool
    in_schedule: bool
    leased: Micros  # what the balance gave for today
    allowed: Micros  # what the budgets allow today
    spent: Micros
    reading: Reading | None  # `None` for a plan that does not serve


def state(standing: Standing) -> DeliveryState:
    """The first state that holds."""
    left = min(standing.leased, standing.allowed) - standing.spent
    reading = standing.reading
    hopeless = reading is not None and reading.binding is Binding.ROI and reading.forecast_spend < HOPELESS * left
    holds = {
        DeliveryState.NOT_ACTIVE: not standing.active,
        DeliveryState.ROOM_OFF: not standing.on_air,
        DeliveryState.OUTSIDE_SCHEDULE: not standing.in_schedule,
        DeliveryState.NO_BALANCE: left <= 0 and standing.leased < standing.allowed,
        DeliveryState.NO_BUDGET: left <= 0,
        DeliveryState.TARGET_TOO_HIGH: hopeless,
    }
    return next((name for name, true in holds.items() if true), DeliveryState.RUNNING)


def states(engine: Engine, now: int, readings: Mapping[int, Reading]) -> dict[int, DeliveryState]:
    """The state of every plan of an engine, by its id. `readings`: of those that serve now, by their ids."""
    in_schedule = engine.openings.now(now)
    return {
        plan.id: state(
            Standing(
                active=plan.status is PlanStatus.ACTIVE,
                on_air=bool(engine.on_air_until[row] > now),
                in_schedule=bool(in_schedule[row]),
                leased=int(engine.leased[row]),
                allowed=int(engine.allowed[row]),
                spent=int(engine.spent_today[row]),
                reading=readings.get(plan.id),
            )
        )
        for row, plan in enumerate(engine.plans)
    }
