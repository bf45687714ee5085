"""A proposal: one change worth making, why, what it is expected to bring and what that rests on (SPEC 7.9).

A value. Whether anybody takes it up is told by `strategy.decisions`; what came of it by `strategy.followup`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal

from qianheng.core import tables
from qianheng.core.days import midnight
from qianheng.core.ids import stable_id
from qianheng.core.interval import Interval
from qianheng.core.money import Micros
from qianheng.core.words import known, say, spoken
from qianheng.diagnosis.evidence import Evidence
from qianheng.plans.plan import Value

SHIPPED = Path(__file__).with_name("actions.toml")


class Action(StrEnum):
    """What a proposal asks for."""

    RAISE_TARGET = "raise_target"
    LOWER_TARGET = "lower_target"
    RAISE_BUDGET = "raise_budget"
    CUT_BUDGET = "cut_budget"
    SWITCH_GOAL = "switch_goal"
    SPLIT_GOALS = "split_goals"
    START_PROMOTION = "start_promotion"
    END_PROMOTION = "end_promotion"
    CHANGE_PACE = "change_pace"
    RESTART_DECAYED = "restart_decayed"
    ROTATE_CREATIVE = "rotate_creative"
    FIX_PRICE = "fix_price"
    FIX_REFUNDS = "fix_refunds"
    RESTOCK = "restock"
    FIX_TRACKING = "fix_tracking"
    STOP_OFF_AIR = "stop_off_air"
    TOP_UP_BALANCE = "top_up_balance"
    PAUSE = "pause"
    RESUME = "resume"
    WIDEN_SCHEDULE = "widen_schedule"
    NARROW_SCHEDULE = "narrow_schedule"
    UNDO = "undo"
    WAIT = "wait"


class Measure(StrEnum):
    """What an effect is an effect on, in micro-yuan a day."""

    PROFIT = "profit"
    GMV = "gmv"
    SPEND = "spend"
    GUARANTEE = "guarantee"  # compensation at stake


@dataclass(frozen=True, slots=True)
class Kind:
    """What is the same of all proposals of one action. work: a change of a plan that can be carried out here, a task
    for a person, or nothing at all to be done. days_good: how long it holds; days_measured: over how many days its
    effect is measured, and the same before it.
    """

    work: Literal["plan_change", "task", "wait"]
    days_good: int = 1
    days_measured: int = 7


@cache
def kinds() -> Mapping[Action, Kind]:
    """The kind of every action, as shipped."""
    table = tables.read_toml(SHIPPED)
    return {action: tables.build(Kind, table[action], f"{SHIPPED}: {action}") for action in Action}


@dataclass(frozen=True, slots=True)
class Effect:
    """What is expected of one measure, a day, against doing nothing; micro-yuan.

    baseline: what doing nothing would bring; `None` where it is not known.
    """

    measure: Measure
    change: Interval
    baseline: Micros | None = None
    per: str = "day"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, by the rule that asked for it, or what was found wrong: its sentence is the catalogue's."""

    rule: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """The sentence in the language spoken; the rule's name where it is one of an earlier version."""
        told = {name: spoken(value) for name, value in self.values.items()}
        if known(found := f"findings.anomaly.{self.rule}"):
            return say("proposals.reason.found", what=say(found), **told)
        key = f"proposals.reason.{self.rule}"
        return say(key, **told) if known(key) else self.rule


@dataclass(frozen=True, slots=True)
class Proposal:
    """One change worth making. `plan_id` is `None` for the whole shop; `before` and `after` hold the fields of the plan
    that would change, and are empty for a task. It holds until `good_until`.
    """

    plan_id: str | None
    action: Action
    reason: Reason
    made_at: datetime
    good_until: datetime
    before: Mapping[str, Value] = field(default_factory=dict)
    after: Mapping[str, Value] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def id(self) -> int:
        """The same for the same proposal made again on the same day."""
        after = sorted((name, str(value)) for name, value in self.after.items())
        return stable_id("proposal", self.plan_id, self.action, self.reason.rule, after, self.made_at.date())

    @property
    def kind(self) -> Kind:
        """What is the same of all proposals of its action."""
        return kinds()[self.action]

    @property
    def changes_plan(self) -> bool:
        """Whether it is a change of a plan, which can be carried out here."""
        return self.kind.work == "plan_change"

    @property
    def window(self) -> timedelta:
        """Over how long its effect is measured."""
        return timedelta(days=self.kind.days_measured)

    def effect(self, measure: Measure) -> Effect | None:
        """What is expected of a measure; `None` where that is not known."""
        return next((one for one in self.effects if one.measure is measure), None)

    @property
    def gain(self) -> Micros | None:
        """The profit a day it is expected to add; `None` where that is not known."""
        found = self.effect(Measure.PROFIT)
        return None if found is None else round(found.change.expected)


def lasting(made: Proposal, timezone: str) -> Proposal:
    """The same, good to the end of the last day that its action holds."""
    return replace(made, good_until=midnight(made.made_at.date() + timedelta(days=made.kind.days_good), timezone))


def most_gain_first(proposals: list[Proposal]) -> list[Proposal]:
    """In the order of expected profit; after them those of which none is known, as they stand."""
    return sorted(proposals, key=lambda one: (one.gain is None, -(one.gain or 0)))
