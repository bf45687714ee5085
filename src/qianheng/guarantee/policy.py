"""The policy: what is promised and what voids it, as a versioned file of data that an operator can write (SPEC 5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

from qianheng.core.errors import BadInput, raise_together
from qianheng.core.tables import build, read_toml
from qianheng.guarantee.case import UnitType

SMALLEST_PAYMENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class OrdersRule:
    """How many orders a unit needs: `at_least` so many or `more_than` so many, one of the two."""

    at_least: int | None = None
    more_than: int | None = None

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.more_than is None):
            raise BadInput("guarantee.policy.one_orders_rule")

    @property
    def fewest(self) -> int:
        """The smallest number of orders that is enough."""
        return self.at_least if self.at_least is not None else 1 + (self.more_than or 0)

    def __str__(self) -> str:
        return f">= {self.at_least}" if self.at_least is not None else f"> {self.more_than}"


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """How far apart and how many a day changes may be: of the target's value, of its goal, any change of the target,
    or of a boost's targeting."""

    of: Literal["any", "value", "goal", "targeting"]
    gap_minutes: int | None = None
    most_a_day: int | None = None


@dataclass(frozen=True, slots=True)
class WeekRule:
    """What a week of maximum delivery needs: so many effective days, so much spent on them by a plan of products, and
    an ad account that since a day has never spent more than so much in so many consecutive days. Money is in yuan.
    """

    effective_days: int
    product_spend: Decimal
    account_spend: Decimal
    account_days: int
    account_since: date

    def __post_init__(self) -> None:
        if self.effective_days < 1 or self.account_days < 1 or min(self.product_spend, self.account_spend) < 0:
            raise BadInput("guarantee.policy.week_out_of_range")


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a policy that promises something.

    `trigger_ratio`: compensation is due below this share of the weighted target, strictly; for the goal `conversion`,
    above `bid_trigger_ratio` times the weighted price. `pay_ratio`: expected spend is Σ GMV / (pay_ratio × target).
    `rapid_boost_pays`: the share that is paid of a day with rapid boost. `void_events`: events that void the day they
    fall in. `fraud_days`: days without cover from a fraud on. `data_days`: days the data window stays open after the
    unit's last. `credit_days`: first and last working day of the credit. `minimum`: in yuan. `week`: what a week needs.
    """

    goals: tuple[Literal["payment", "net", "conversion"], ...]
    bid_modes: tuple[Literal["target_roi", "max_delivery"], ...]
    orders: OrdersRule
    trigger_ratio: Decimal
    pay_ratio: Decimal
    changes: tuple[ChangeRule, ...]
    void_events: tuple[Literal["pause", "resume", "delete"], ...]
    commission_limits_target: bool
    data_days: int
    credit_days: tuple[int, int]
    minimum: Decimal
    unit: UnitType = "plan_day"
    bid_trigger_ratio: Decimal | None = None
    rapid_boost_pays: Decimal = Decimal(1)
    fraud_days: int = 0
    week: WeekRule | None = None

    def __post_init__(self) -> None:
        raise_together([*_faults_of_amounts(self), *_faults_of_units(self)])


def _faults_of_amounts(rules: Rules) -> Iterator[BadInput]:
    if not (0 < rules.trigger_ratio <= 1 and 0 < rules.pay_ratio <= 1):
        yield BadInput("guarantee.policy.ratio_out_of_range")
    if not 0 < rules.rapid_boost_pays <= 1:
        yield BadInput("guarantee.policy.rapid_boost_out_of_range")
    if rules.minimum < SMALLEST_PAYMENT:
        yield BadInput("guarantee.policy.minimum_too_small", value=rules.minimum)
    if min(rules.data_days, rules.fraud_days) < 0 or not 1 <= rules.credit_days[0] <= rules.credit_days[1]:
        yield BadInput("guarantee.policy.days_out_of_order")


def _faults_of_units(rules: Rules) -> Iterator[BadInput]:
    if (rules.unit == "week") != (rules.week is not None):
        yield BadInput("guarantee.policy.week_and_unit")
    if ("conversion" in rules.goals) != (rules.bid_trigger_ratio is not None):
        yield BadInput("guarantee.policy.conversion_and_ratio")
    if rules.bid_trigger_ratio is not None and rules.bid_trigger_ratio < 1:
        yield BadInput("guarantee.policy.bid_ratio_out_of_range", value=rules.bid_trigger_ratio)


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of a policy. Without `rules` it promises nothing.

    `effective_from` is the first day it is known to be in force, `announced_on` the day it was told, if that is known.
    """

    name: str
    version: int
    effective_from: date
    source: str
    rules: Rules | None = None
    announced_on: date | None = None

    def __post_init__(self) -> None:
        faults = []
        if self.version < 1:
            faults.append(BadInput("guarantee.policy.version_below_one", value=self.version))
        if self.announced_on is not None and self.announced_on > self.effective_from:
            faults.append(BadInput("guarantee.policy.announced_too_late", value=self.announced_on))
        raise_together(faults)


def read_policy(path: Path) -> Policy:
    """The policy in a TOML file. Broken, unknown key, missing or wrong value: BadInput naming the file and the keys."""
    return build(Policy, read_toml(path), str(path))
