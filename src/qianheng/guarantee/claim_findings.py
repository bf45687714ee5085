"""What the system finds beside a claim by itself, so that a reviewer needs a minute: pure, from sums (SPEC 5.8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from qianheng.core.money import Micros, ratio, ratio_text, yuan
from qianheng.guarantee.claim_policy import CheckRule, Figure
from qianheng.guarantee.claims import Share
from qianheng.measures.sums import Sums
from qianheng.plans.plan import Goal

AGAINST_BASE: tuple[Figure, ...] = ("roi", "ctr", "cvr")


class Finding(NamedTuple):
    """Something found: its value, what it is held against, and whether that is unusual."""

    name: str
    value: str | None
    against: str | None
    unusual: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What findings are made of: the sums of the days claimed and of the base before them, what was spent, what was
    given back already (`compensated`, `claimed`, micro-yuan), and how many claims of the plan came lately.
    """

    goal: Goal
    days: Sums
    base: Sums
    spent: Micros
    compensated: Micros
    claimed: Micros
    earlier_claims: int


def figure(sums: Sums, name: Figure, goal: Goal) -> Fraction | int | None:
    """A figure of some days; `None` where it is not known. ROI is the net one under the net goal, else payment."""
    if name == "roi":
        return sums.net_roi if goal is Goal.NET else sums.payment_roi
    found: Fraction | int | None = getattr(sums, name)
    return found


def figures(sums: Sums, goal: Goal) -> dict[str, str | int | None]:
    """All figures a claim may need, as JSON: money in yuan, ratios as decimal strings."""
    roi, ctr, cvr = (figure(sums, name, goal) for name in AGAINST_BASE)
    told: dict[str, str | int | None] = {"spend": yuan(sums.spend), "gmv": yuan(sums.gmv), "orders": sums.orders}
    ratios = {"roi": roi, "ctr": ctr, "cvr": cvr}
    return told | {name: None if found is None else ratio_text(Fraction(found)) for name, found in ratios.items()}


def findings(known: Known, left: tuple[Share, ...], rules: CheckRule) -> Iterator[Finding]:
    """What stands beside a claim: figures against the plan's own base, invalid traffic, overlap, earlier claims, and
    what could be granted at most (`left`).
    """
    for name in AGAINST_BASE:
        yield _against_base(name, known, Fraction(rules.fallen_below))
    share = ratio(known.days.invalid_spend, known.days.spend)
    limit = Fraction(rules.invalid_above)
    yield Finding("invalid_share", ratio_text(share), ratio_text(limit), share is not None and share > limit)
    yield Finding("compensated", yuan(known.compensated), yuan(known.spent), known.compensated > 0)
    yield Finding("claimed", yuan(known.claimed), yuan(known.spent), known.claimed > 0)
    many = known.earlier_claims > rules.earlier_claims
    yield Finding("earlier_claims", str(known.earlier_claims), str(rules.earlier_claims), many)
    room = sum(one.amount for one in left)
    yield Finding("left", yuan(room), yuan(known.spent), room == 0)


def _against_base(name: Figure, known: Known, fallen_below: Fraction) -> Finding:
    now, base = (figure(sums, name, known.goal) for sums in (known.days, known.base))
    fallen = now is not None and base is not None and now < fallen_below * base
    value, against = (None if found is None else ratio_text(Fraction(found)) for found in (now, base))
    return Finding(name, value, against, fallen)
