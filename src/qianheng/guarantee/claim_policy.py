"""What may be claimed back: conditions, caps, times and automatic checks, as a versioned file of data (SPEC 5.8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal

from qianheng.core.errors import BadInput
from qianheng.core.tables import build, read_toml

SHIPPED = Path(__file__).with_name("claim_policies")
CONDITIONS = ("poor_performance", "budget", "system_fault", "dispute")

Figure = Literal["spend", "gmv", "orders", "roi", "ctr", "cvr"]


@dataclass(frozen=True, slots=True)
class ConditionRule:
    """What a claim under a condition must show, and the share of the budget that is offered first, if any."""

    figures: tuple[Figure, ...]
    offers_budget: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that claims give back: of a day's spend; in yuan of a shop's days in a month, and of a plan."""

    share_of_spend: Decimal
    per_month: Decimal | None = None
    per_plan: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """How many files of which types may be added to a claim, and how large each may be."""

    most_files: int
    most_bytes: int
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckRule:
    """When an automatic finding is unusual; see the policy file."""

    base_days: int
    fallen_below: Decimal
    invalid_above: Decimal
    earlier_claims: int


@dataclass(frozen=True, slots=True)
class ClaimPolicy:
    """A version of the policy."""

    name: str
    version: int
    effective_from: date
    most_days: int
    file_within_days: int
    review_days: tuple[int, int]
    conditions: dict[str, ConditionRule]
    caps: Caps
    evidence: EvidenceRule
    checks: CheckRule

    def __post_init__(self) -> None:
        if unknown := sorted(self.conditions.keys() - set(CONDITIONS)):
            raise BadInput("claims.policy.unknown_condition", value=", ".join(unknown), known=", ".join(CONDITIONS))
        if not 0 <= self.caps.share_of_spend <= 1:
            raise BadInput("claims.policy.share", value=self.caps.share_of_spend)
        if not 1 <= self.review_days[0] <= self.review_days[1]:
            raise BadInput("claims.policy.review_days", value=list(self.review_days))


def claim_policy(day: date, folder: Path | None = None) -> ClaimPolicy:
    """The version in force on a day, of those shipped and those in an operator's folder, which need not exist: the last
    that is effective by then; before the first one, the first.

    A file that cannot be used: BadInput naming it.
    """
    paths = [path for place in (SHIPPED, folder) if place is not None for path in sorted(place.glob("*.toml"))]
    versions = sorted(map(_read, paths), key=lambda policy: (policy.effective_from, policy.version))
    return next((policy for policy in reversed(versions) if policy.effective_from <= day), versions[0])


@lru_cache(maxsize=64)
def _read(path: Path) -> ClaimPolicy:
    return build(ClaimPolicy, read_toml(path), str(path))
