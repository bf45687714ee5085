"""The rules of the advice as typed data: `advice.toml`, or the owner's copy of it (SPEC 7.1–7.3, 7.8)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Literal

from qianheng.core.errors import BadInput
from qianheng.core.tables import build, read_toml

SHIPPED = Path(__file__).with_name("advice.toml")
Side = Literal["payment", "net"]
RowUnit = Literal["count", "yuan", "share", "days"]


@dataclass(frozen=True, slots=True)
class Class:
    """A class of a row's values, up to a limit that is not in it, and the goal it speaks for."""

    speaks_for: Side
    below: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of goals: a figure in classes, lowest first; only the last is open."""

    name: str
    unit: RowUnit
    classes: tuple[Class, ...]

    def __post_init__(self) -> None:
        ends = [one.below for one in self.classes]
        known = [end for end in ends if end is not None]
        if not ends or ends[-1] is not None or len(known) != len(ends) - 1 or not _rising(known):
            raise BadInput("advice.rules.open_classes", place=self.name)


def _rising(ends: list[Decimal]) -> bool:
    return all(low < high for low, high in pairwise(ends))


@dataclass(frozen=True, slots=True)
class Range:
    """What a figure must lie within for the table to hold; ends included."""

    name: str
    unit: RowUnit
    at_least: Decimal | None = None
    at_most: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """A figure that supports one goal below a limit or from one on."""

    name: str
    unit: RowUnit
    speaks_for: Side
    below: Decimal | None = None
    at_least: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.below is None) == (self.at_least is None):
            raise BadInput("advice.rules.one_limit", place=self.name)


@dataclass(frozen=True, slots=True)
class Quick:
    """The quick rule: payment if all are below, net if all are above, else both."""

    payment_below: dict[str, Decimal]
    net_above: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Ask:
    """What no figure tells and the owner knows, by the goal it speaks for; keys of `advice.ask`."""

    payment: tuple[str, ...]
    net: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GoalRules:
    """The table of goals and what stands beside it."""

    days: int
    run_both_at: int
    rows: tuple[Row, ...]
    valid: tuple[Range, ...]
    quick: Quick
    signals: tuple[Signal, ...]
    ask: Ask


@dataclass(frozen=True, slots=True)
class Stage:
    """An age of the account, in days below a limit, and payment's share of the budget; `variant`: another in use."""

    name: Literal["cold_start", "growth", "mature"]
    payment: Decimal
    below: int | None = None
    variant: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PlanWeeks:
    """The weeks of a plan, and how much of a mature plan's budget is on the settled goal."""

    exploration_days: int
    stable_days: int
    settled: Decimal


@dataclass(frozen=True, slots=True)
class OtherSplit:
    """The other split in use: steady, the rest for volume."""

    steady: Decimal


@dataclass(frozen=True, slots=True)
class SplitRules:
    """How a budget is split."""

    stages: tuple[Stage, ...]
    plan_weeks: PlanWeeks
    other: OtherSplit


@dataclass(frozen=True, slots=True)
class TargetRules:
    """How a target is set and stepped; shares of one, days as whole numbers, steps in ROI."""

    base_days: int
    rate_days: int
    band: Decimal
    explore_at: Decimal
    explore_days: int
    stable_days: int
    stable_float: Decimal
    settled_share: Decimal
    step: Decimal
    step_most: Decimal
    spent_over: Decimal
    change_most: Decimal
    little: Decimal
    miss_below: Decimal
    ladder_days: int
    ladder_weeks: int
    rest_days: int
    unstable_days: int
    judge_days: int
    lost_volume_over: Decimal
    budget_out: Decimal
    mature_creatives: int
    mature_creative_days: int


@dataclass(frozen=True, slots=True)
class TierRules:
    """What makes a product hot, trending or of potential."""

    days: int
    hot_share: Decimal
    growth: Decimal
    least_orders: int
    prior_clicks: int
    most_budget: Decimal


@dataclass(frozen=True, slots=True)
class PromotionRules:
    """What happens to targets around a promotion; shares of one."""

    test_days: int
    test_at: Decimal
    floor: Decimal
    least_test_days: int
    look_ahead_days: int
    test_hour: int
    pace: Literal["slow", "normal", "fast"]


@dataclass(frozen=True, slots=True)
class AdviceRules:
    """All rules of the advice."""

    goal: GoalRules
    split: SplitRules
    target: TargetRules
    promotion: PromotionRules
    tiers: TierRules


def advice_rules(path: Path | None = None) -> AdviceRules:
    """The rules in a TOML file, or those shipped. Unknown or missing key, classes out of order: BadInput."""
    place = path or SHIPPED
    return build(AdviceRules, read_toml(place), str(place))
