"""What an experiment has shown so far: values with intervals, and one plain verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from qianheng.core.interval import Interval
from qianheng.experiments.sums import Measure


class Verdict(StrEnum):
    """What can be said; each has its sentence in the catalogue (`experiments.verdict.…`)."""

    BROKEN = "broken"  # the shares of users are not those drawn, or a guard rail is broken: nothing else counts
    WINNER_B = "winner_b"
    WINNER_A = "winner_a"
    NO_DIFFERENCE = "no_difference"  # none that would be worth it: the whole interval is smaller than the effect sought
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True)
class Result:
    """A measure under B beside A, at one look.

    users, values: of A and of B; a value is `None` where nothing is below the line.
    difference: B − A; relative: B / A − 1. Both hold however often one looks; `None` while there are too few users for
    any interval to be believed (`missing` says how many users it takes about).
    once: what `relative` would be, had one looked this once only; p_once: how often chance alone would do as much then.
    What naive peeking reads: shown beside, never used.
    """

    measure: Measure
    users: tuple[int, int]
    values: tuple[Fraction | None, Fraction | None]
    difference: Interval | None
    relative: Interval | None
    once: Interval | None
    p_once: float | None
    verdict: Verdict
    missing: int | None = None
