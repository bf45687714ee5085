"""The rules of a plan's learning phase (SPEC 6.5), as data."""

from __future__ import annotations

from dataclasses import dataclass

from qianheng.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Rules:
    """When a plan has learnt, and what its exploration may cost."""

    target_share: float  # of the target, that a plan explores at; 1 is no exploration
    budget_share: float  # of a day's budget, that exploration may spend beyond worth, in all
    impressions: int  # that a new plan is to be seen, whatever is predicted of it
    orders: int
    days: int

    def __post_init__(self) -> None:
        shares = 0.5 <= self.target_share <= 1 and 0 <= self.budget_share <= 1
        if not (shares and self.impressions >= 0 and self.orders > 0 and self.days > 0):
            raise BadInput("plans.learning_rules")
