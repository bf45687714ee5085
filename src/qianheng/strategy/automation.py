"""What may be done without asking: limits that the owner set, and which of them a proposal meets (SPEC 7.7, 7.9).

Nothing is automatic until the owner says so. A proposal that meets a limit stays a proposal, with all of them named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, cast

from qianheng.core.errors import BadInput, raise_together
from qianheng.core.money import Micros, decimal, micros
from qianheng.plans import writing
from qianheng.plans.plan import HOURS_OF_DAY, PlanStatus, Value
from qianheng.strategy.proposal import Action, Measure, Proposal, kinds

STEADY = (Action.RAISE_TARGET, Action.LOWER_TARGET, Action.RAISE_BUDGET, Action.CUT_BUDGET, Action.UNDO)


@dataclass(frozen=True, slots=True)
class Limits:
    """What automation may do in a shop, as its owner says. Shares are of the value before, money in 元.

    change_most: of a target or a budget in one change; budget_change_most: of all daily budgets together in one day;
    changes_a_day: of all plans together; hours: the hours of the day (0–23) it may act in, all without any;
    only_if_sure: only where even the low end of the expected profit is above zero; may_void: also where the guarantee
    of the day is lost; may_pause: also pause plans (SPEC 7.7: losing plans are never stopped without a rule).
    """

    enabled: bool = False
    actions: tuple[str, ...] = tuple(str(action) for action in STEADY)
    change_most: Decimal = Decimal("0.2")
    budget_change_most: Decimal = Decimal(1000)
    changes_a_day: int = 4
    hours: tuple[int, ...] = ()
    target_floor: Decimal | None = None
    target_ceiling: Decimal | None = None
    budget_floor: Decimal | None = None
    budget_ceiling: Decimal | None = None
    only_if_sure: bool = True
    may_void: bool = False
    may_pause: bool = False

    def __post_init__(self) -> None:
        raise_together([*_faults(self)])


def written(name: str, text: str) -> Any:
    """The value of a limit as a person writes it: "true", "raise_target,pause", "8-22", "0.15"; empty text is none.

    What cannot be read as one: BadInput.
    """
    if name == "actions":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if name == "hours":
        return writing.written("schedule", text)
    if isinstance(getattr(Limits(), name), bool):
        return writing.written("roi_float", text)
    if name == "changes_a_day":
        return writing.written("picks", text)
    if not text and name.endswith(("floor", "ceiling")):
        return None
    return decimal(text)


def shown(name: str, value: Any) -> str | None:
    """A limit as `written` reads it; `None` where there is none."""
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or None
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def _faults(limits: Limits) -> Iterator[BadInput]:
    able = [str(action) for action in Action if kinds()[action].work == "plan_change"]
    for action in limits.actions:
        if action not in able:
            yield BadInput("proposals.automation.unknown_action", place="actions", value=action, known=", ".join(able))
    if not set(limits.hours) <= {*range(HOURS_OF_DAY)}:
        yield BadInput("plans.schedule", place="hours")
    for name in ("change_most", "budget_change_most", "changes_a_day"):
        if getattr(limits, name) < 0:
            yield BadInput("proposals.automation.negative", place=name, value=getattr(limits, name))
    for name in ("target", "budget"):
        floor, ceiling = getattr(limits, f"{name}_floor"), getattr(limits, f"{name}_ceiling")
        if floor is not None and ceiling is not None and floor > ceiling:
            yield BadInput("proposals.automation.floor", place=f"{name}_floor", value=floor, ceiling=ceiling)


class Obstacle(StrEnum):
    """Why automation leaves a proposal to a person, in the order they are told."""

    STOPPED = "stopped"
    DISABLED = "disabled"
    A_PERSONS_WORK = "a_persons_work"
    NOT_ALLOWED = "not_allowed"
    MAY_NOT_PAUSE = "may_not_pause"
    OUTSIDE_HOURS = "outside_hours"
    ENOUGH_TODAY = "enough_today"
    TOO_LARGE = "too_large"
    BUDGETS_TOO_FAR = "budgets_too_far"
    BELOW_FLOOR = "below_floor"
    ABOVE_CEILING = "above_ceiling"
    NOT_SURE = "not_sure"
    VOIDS_GUARANTEE = "voids_guarantee"
    REFUSED = "refused"


class Today(NamedTuple):
    """What automation has done in a shop on a day: how many changes, and by how much daily budgets moved in all."""

    changes: int = 0
    budget_moved: Micros = 0


def obstacles(
    limits: Limits, proposal: Proposal, today: Today, now: datetime, costs_guarantee: bool
) -> tuple[Obstacle, ...]:
    """Every limit that a proposal meets; empty where it may be carried out.

    costs_guarantee: whether the change would take the day's guarantee away, as the edit guard judges it.
    """
    return tuple(
        obstacle
        for obstacle in (*_of_action(limits, proposal, now), *_of_size(limits, proposal, today))
        if obstacle is not None
    ) + ((Obstacle.VOIDS_GUARANTEE,) if costs_guarantee and not limits.may_void else ())


def _of_action(limits: Limits, proposal: Proposal, now: datetime) -> Iterator[Obstacle | None]:
    pauses = proposal.after.get("status") == PlanStatus.PAUSED
    yield None if limits.enabled else Obstacle.DISABLED
    yield None if proposal.changes_plan else Obstacle.A_PERSONS_WORK
    yield None if proposal.action in limits.actions or not proposal.changes_plan else Obstacle.NOT_ALLOWED
    yield Obstacle.MAY_NOT_PAUSE if pauses and not limits.may_pause else None
    yield Obstacle.OUTSIDE_HOURS if limits.hours and now.hour not in limits.hours else None


def _of_size(limits: Limits, proposal: Proposal, today: Today) -> Iterator[Obstacle | None]:
    profit = proposal.effect(Measure.PROFIT)
    sure = profit is not None and profit.change.low > 0
    yield Obstacle.ENOUGH_TODAY if today.changes >= limits.changes_a_day else None
    yield Obstacle.TOO_LARGE if any(share > limits.change_most for share in _shares(proposal)) else None
    moved = today.budget_moved + budget_moved(proposal.before, proposal.after)
    yield Obstacle.BUDGETS_TOO_FAR if moved > micros(str(limits.budget_change_most)) else None
    yield from _of_ends(limits, proposal.after)
    yield Obstacle.NOT_SURE if limits.only_if_sure and not sure else None


def _of_ends(limits: Limits, after: Mapping[str, Value]) -> Iterator[Obstacle | None]:
    values: list[tuple[Decimal, Decimal | None, Decimal | None]] = []
    if after.get("target") is not None:
        values.append((cast(Decimal, after["target"]), limits.target_floor, limits.target_ceiling))
    if after.get("budget_daily") is not None:
        budget = Decimal(cast(int, after["budget_daily"])) / 1_000_000
        values.append((budget, limits.budget_floor, limits.budget_ceiling))
    yield Obstacle.BELOW_FLOOR if any(floor is not None and value < floor for value, floor, _ in values) else None
    yield Obstacle.ABOVE_CEILING if any(top is not None and value > top for value, _, top in values) else None


def _shares(proposal: Proposal) -> Iterator[Decimal]:
    """By what share each number changes; a number that was not there before counts as no change of size."""
    for name in _numbers(proposal.before.keys() & proposal.after.keys()):
        before, after = proposal.before[name], proposal.after[name]
        if before and after is not None:
            yield abs(Decimal(str(after)) / Decimal(str(before)) - 1)


def _numbers(names: Collection[str]) -> list[str]:
    return [name for name in ("target", "budget_daily") if name in names]


def budget_moved(before: Mapping[str, Value], after: Mapping[str, Value]) -> Micros:
    """By how much a change moves the daily budget, up or down; micro-yuan."""
    if "budget_daily" not in after or before.get("budget_daily") is None:
        return 0
    return abs(cast(int, after["budget_daily"]) - cast(int, before["budget_daily"]))
