"""Why nothing is due, where a unit stands, and the checks and sums that say so (CONTRACTS 2, SPEC 5.2 to 5.4)."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from qianheng.core.money import YUAN, Micros, ratio


class Status(StrEnum):
    """Where a unit stands (SPEC 5.4)."""

    NONE = "none"
    IN_EFFECT = "in_effect"
    CONFIRMING = "confirming"
    COMPENSATED = "compensated"
    ENDED = "ended"
    VOID = "void"


class Reason(StrEnum):
    """Why nothing is due, in precedence: the first that holds is the answer's."""

    NO_POLICY = "no_policy"
    NO_TARGET = "no_target"
    GOAL_NOT_COVERED = "goal_not_covered"
    UNIT_NOT_COVERED = "unit_not_covered"
    ACCOUNT_TOO_LARGE = "account_too_large"
    CHANGES_TOO_CLOSE = "changes_too_close"
    TOO_MANY_CHANGES = "too_many_changes"
    CHANGED_THAT_DAY = "changed_that_day"
    PAUSED_THAT_DAY = "paused_that_day"
    DELETED = "deleted"
    TOO_MANY_TARGETING_CHANGES = "too_many_targeting_changes"
    FRAUD = "fraud"
    COMMISSION_TOO_HIGH = "commission_too_high"
    TOO_FEW_EFFECTIVE_DAYS = "too_few_effective_days"
    NOTHING_SPENT = "nothing_spent"
    TOO_FEW_ORDERS = "too_few_orders"
    SPENT_TOO_LITTLE = "spent_too_little"
    ROI_MET = "roi_met"
    BELOW_MINIMUM = "below_minimum"


NOTHING = Fraction(0)
exact = lru_cache(Fraction)
"""A policy's decimal as an exact fraction; there are few, and every verdict asks for them."""

PRECEDENCE = {reason: place for place, reason in enumerate(Reason)}
NOT_COVERED = frozenset(
    {
        Reason.NO_POLICY,
        Reason.NO_TARGET,
        Reason.GOAL_NOT_COVERED,
        Reason.UNIT_NOT_COVERED,
        Reason.ACCOUNT_TOO_LARGE,
    }
)
VOIDS = frozenset(
    {
        Reason.CHANGES_TOO_CLOSE,
        Reason.TOO_MANY_CHANGES,
        Reason.CHANGED_THAT_DAY,
        Reason.PAUSED_THAT_DAY,
        Reason.DELETED,
        Reason.TOO_MANY_TARGETING_CHANGES,
        Reason.FRAUD,
    }
)


class Check(NamedTuple):
    """A condition of the policy: the value found, the limit it had to keep, and the reason it gives when it fails."""

    name: str
    passed: bool
    value: str | None
    limit: str
    reason: Reason


class Sums(NamedTuple):
    """The figures of a unit added up. `promised` is Σ GMV/target and `expected_spend` Σ GMV/(pay ratio × target); where
    a price per conversion is held (`per_conversion`), Σ price × conversions. `effective_days` are those of a week.
    """

    spend: Micros
    orders: int
    gmv: Micros
    promised: Fraction
    expected_spend: Fraction
    per_conversion: bool = False
    effective_days: int = 0

    @property
    def weighted_target(self) -> Fraction | None:
        """Σ GMV / Σ (GMV/target), or Σ price × conversions / conversions in yuan; `None` without GMV."""
        if self.per_conversion:
            return ratio(self.promised, self.orders * YUAN)
        return ratio(self.gmv, self.promised)

    @property
    def spend_per_conversion(self) -> Fraction | None:
        """Spend / conversions in yuan; `None` without any."""
        return ratio(self.spend, self.orders * YUAN)

    @property
    def actual_roi(self) -> Fraction | None:
        """GMV / spend; `None` without spend."""
        return ratio(self.gmv, self.spend)

    @property
    def shortfall(self) -> Fraction:
        """What was spent beyond the expected, exactly; negative when less was spent."""
        return self.spend - self.expected_spend
