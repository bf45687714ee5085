"""Best and worst: by ROI, among those that spent enough to tell (the `ranking` of `thresholds.toml`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

from qianheng.core.money import Micros, decimal, micros
from qianheng.diagnosis.verdicts import Ranking

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Contender(Generic[T]):
    """Something with what it spent, the share of all spend that is, and its ROI; `None` where not known."""

    what: T
    spend: Micros | None
    spend_share: Fraction | None
    roi: Fraction | None


def best_and_worst(of: Sequence[Contender[T]], rules: Ranking, top: int) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """The best, the best first, and the worst, the worst first; at most `top` each, and nobody stands on both lists."""
    least, share = micros(rules.spend_at_least), Fraction(decimal(rules.spend_share_at_least))
    telling = [one for one in of if (one.spend or 0) >= least and one.spend_share is not None]
    scored = [(one.roi, one.what) for one in telling if one.roi is not None and (one.spend_share or 0) >= share]
    ordered = [what for _, what in sorted(scored, key=lambda pair: -pair[0])]
    count = min(top, (len(ordered) + 1) // 2)
    return tuple(ordered[:count]), tuple(reversed(ordered[count:][-count:]))
