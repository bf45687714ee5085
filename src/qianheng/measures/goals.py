"""What a target under one goal is under another: payment, net and settled ROI of the same sales (SPEC 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Rates:
    """What of GMV is left after one hour and after seven days, of the sums of the last 30 days; `None` if not known."""

    net: Fraction | None
    settled: Fraction | None


def converted(target: Fraction, goal: str, rates: Rates) -> dict[str, Fraction | None]:
    """The target as payment, net and settled ROI, given as one of them; `None` where a rate is not known or 0."""
    kept = {"payment": Fraction(1), "net": rates.net, "settled": rates.settled}
    own = kept[goal]
    payment = target / own if own else None
    return {name: None if payment is None or rate is None else payment * rate for name, rate in kept.items()}
