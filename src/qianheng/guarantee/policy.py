"""The policy: what is promised and what voids it, as a versioned file of data that an operator can write (SPEC 5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

from qianheng.core.errors import BadInput
from qianheng.core.tables import build, read_toml
from qianheng.core.words import say

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
    """How far apart and how many a day the changes of a target may be: of its value, of its goal, or any change."""

    of: Literal["any", "value", "goal"]
    gap_minutes: int | None = None
    most_a_day: int | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a policy that promises something.

    `trigger_ratio`: compensation is due below this share of the weighted target, strictly. `pay_ratio`: expected spend
    is Σ GMV / (pay_ratio × target). `void_events`: events that void the day they fall in. `data_days`: days the data
    window stays open after the day. `credit_days`: first and last working day of the credit. `minimum`: in yuan.
    """

    goals: tuple[Literal["payment", "net"], ...]
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

    def __post_init__(self) -> None:
        if not (0 < self.trigger_ratio <= 1 and 0 < self.pay_ratio <= 1):
            raise BadInput("guarantee.policy.ratio_out_of_range")
        if self.minimum < SMALLEST_PAYMENT:
            raise BadInput("guarantee.policy.minimum_too_small", value=self.minimum)
        if self.data_days < 0 or not 1 <= self.credit_days[0] <= self.credit_days[1]:
            raise BadInput("guarantee.policy.days_out_of_order")


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
        if self.version < 1:
            raise BadInput("guarantee.policy.version_below_one", value=self.version)
        if self.announced_on is not None and self.announced_on > self.effective_from:
            raise BadInput("guarantee.policy.announced_too_late", value=self.announced_on)


def read_policy(path: Path) -> Policy:
    """The policy in a TOML file. Broken, unknown key, missing or wrong value: BadInput naming the file and the keys."""
    return build(Policy, read_toml(path), str(path))


def rules_in_words(policy: Policy) -> list[str]:
    """Each rule of a policy as a phrase in the language spoken."""
    if policy.rules is None:
        return [say("guarantee.rule.nothing")]
    return [*_promise(policy.rules), *_limits(policy.rules), *_settlement(policy.rules)]


def _promise(rules: Rules) -> Iterator[str]:
    yield say("guarantee.rule.goals", goals=", ".join(rules.goals), modes=", ".join(rules.bid_modes))
    yield say("guarantee.rule.orders", limit=rules.orders)
    yield say("guarantee.rule.trigger", percent=f"{(rules.trigger_ratio * 100).normalize():f}")
    key = "guarantee.rule.pay" if rules.pay_ratio == 1 else "guarantee.rule.pay_part"
    yield say(key, pay_ratio=rules.pay_ratio)


def _limits(rules: Rules) -> Iterator[str]:
    for rule in rules.changes:
        if rule.gap_minutes is not None:
            yield say(f"guarantee.rule.gap.{rule.of}", minutes=rule.gap_minutes)
        if rule.most_a_day == 0:
            yield say(f"guarantee.rule.never.{rule.of}")
        elif rule.most_a_day is not None:
            yield say(f"guarantee.rule.most.{rule.of}", count=rule.most_a_day)
    if rules.void_events:
        yield say("guarantee.rule.events", events=", ".join(rules.void_events))
    if rules.commission_limits_target:
        yield say("guarantee.rule.commission")
    yield say("guarantee.rule.boosts")


def _settlement(rules: Rules) -> Iterator[str]:
    first, last = rules.credit_days
    yield say("guarantee.rule.judged", day=rules.data_days + 1, first=first, last=last)
    yield say("guarantee.rule.minimum", minimum=rules.minimum)
