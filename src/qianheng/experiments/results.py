"""What an experiment has shown so far: values with intervals, whether to believe them, and one plain verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import isfinite

import numpy as np

from qianheng.core.errors import BadInput
from qianheng.core.interval import Interval, exact
from qianheng.core.words import say
from qianheng.experiments.estimates import Estimate, estimates
from qianheng.experiments.intervals import (
    SKEWNESS_MOST,
    USERS_LEAST,
    Reach,
    chance_once,
    difference,
    relative,
    relative_error,
    unevenness,
    users_needed,
)
from qianheng.experiments.looks import Always, Looks, Once
from qianheng.experiments.shares import Shares
from qianheng.experiments.sums import ArmSums, Measure


class Verdict(StrEnum):
    """What can be said; each has its sentence in the catalogue (`experiments.verdict.…`)."""

    BROKEN = "broken"  # the shares of users are not those drawn, or a guard rail is broken: nothing else counts
    WINNER_B = "winner_b"
    WINNER_A = "winner_a"
    NO_DIFFERENCE = "no_difference"  # none that would be worth it: the whole interval is smaller than the effect sought
    NOT_YET = "not_yet"


class Rail(StrEnum):
    """Where a guard rail stands; each has its sentence (`experiments.rail.…`)."""

    BROKEN = "broken"  # B is worse by more than the margin, surely
    KEPT = "kept"  # B is not worse by the margin, surely
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Terms:
    """How a comparison is to be read, fixed before the start.

    error: the standard error of B / A − 1 planned for the end (`power` tells it): intervals are narrowest there.
    worth: the smallest relative effect worth acting on; `None`: any is.
    looks: how often one looks; `alpha` is in there, shared among comparisons (`shared`).
    information: how much of what was planned for is known, of a measure that may be 0; `None`: its error says.
    """

    error: float
    worth: Fraction | None = None
    looks: Looks = field(default_factory=Always)
    information: float | None = None

    def __post_init__(self) -> None:
        if not self.error > 0:
            raise BadInput("experiments.error", value=self.error)


@dataclass(frozen=True, slots=True)
class Result:
    """A measure under B beside A, at one look.

    users, values: of A and of B; a value is `None` where nothing is below the line.
    difference: B − A; relative: B / A − 1. They hold however often one looks, if the `looks` of the terms do; `None`
    while there are too few users for any interval to be believed (then `missing` says about how many more it takes),
    and the relative one as long as A might be 0, and of what is signed.
    once: what `relative` would be, had one looked this once only; p_once: how often chance alone would do as much then.
    What naive peeking reads: shown beside, never used.
    information: how much of what was planned for is known; 1 is the planned end.
    """

    measure: Measure
    users: tuple[int, int]
    values: tuple[Fraction | None, Fraction | None]
    difference: Interval | None = None
    relative: Interval | None = None
    once: Interval | None = None
    p_once: float | None = None
    information: float | None = None
    missing: int | None = None
    verdict: Verdict = Verdict.NOT_YET


def compare(measure: Measure, arms: tuple[ArmSums, ArmSums], terms: Terms) -> Result:
    """B (`arms[1]`) beside A (`arms[0]`). The verdict minds this measure alone; `verdict` minds the others too."""
    a, b = estimates(arms)
    users = (arms[0].users, arms[1].users)
    values = (_value(a), _value(b))
    if a is None or b is None or not a.variance + b.variance > 0:
        return Result(measure, users, values, missing=max(0, 2 * USERS_LEAST - sum(users)))
    known = terms.information
    information = (terms.error / relative_error(a, b)) ** 2 if known is None else np.asarray(known, np.float64)
    if min(users) < USERS_LEAST or abs(unevenness(a, b)) > SKEWNESS_MOST:
        missing = int(users_needed(a, b)) - sum(users)
        return Result(measure, users, values, information=float(information), missing=missing)
    wide = terms.looks.wide(information)
    apart = _interval(difference(a, b, wide))
    told = None if measure.signed else _interval(relative(a, b, wide))
    return Result(
        measure,
        users,
        values,
        apart,
        told,
        None if measure.signed else _interval(relative(a, b, Once(terms.looks.alpha).wide(information))),
        float(chance_once(a, b)),
        float(information),
        None,
        verdict_of(measure, apart, None) if measure.signed else verdict_of(measure, told, terms.worth),
    )


def rail(result: Result, margin: Fraction) -> Rail:
    """Whether B keeps to a guard rail: not worse than A by `margin` of A's value (a non-inferiority test)."""
    return rail_of(result.relative, result.measure.rising, margin)


def rail_of(relative: Interval | None, rising: bool, margin: Fraction) -> Rail:
    """The same of B / A − 1 of any measure; rising: whether more of it is better."""
    if relative is None:
        return Rail.OPEN
    worst, best = (relative.low, relative.high) if rising else (-relative.high, -relative.low)
    if best < -margin:
        return Rail.BROKEN
    return Rail.KEPT if worst > -margin else Rail.OPEN


def verdict(primary: Result, rails: Sequence[Rail], shares: Shares) -> Verdict:
    """The plain verdict over all: a broken draw or guard rail comes before any winner."""
    if not shares.believed or Rail.BROKEN in rails:
        return Verdict.BROKEN
    return primary.verdict


def shared(alpha: float, comparisons: int) -> float:
    """The alpha of each of several comparisons or guard rails, so that all together miss with a chance of at most
    `alpha` (Bonferroni: simple, and its intervals mean something, as Holm's do not). At least one comparison.
    """
    return alpha / comparisons


def in_words(found: Verdict | Rail) -> str:
    """A verdict or the state of a guard rail as a person reads it."""
    return say(f"experiments.{type(found).__name__.lower()}.{found}")


def verdict_of(measure: Measure, told: Interval | None, worth: Fraction | None) -> Verdict:
    """What the interval of B / A − 1 (of B − A, with no `worth`) says of one measure; worth: as in `Terms`."""
    if told is None:
        return Verdict.NOT_YET
    if worth is not None and -worth < told.low and told.high < worth:
        return Verdict.NO_DIFFERENCE
    if told.low <= 0 <= told.high:
        return Verdict.NOT_YET
    return Verdict.WINNER_B if (told.low > 0) == measure.rising else Verdict.WINNER_A


def _value(estimate: Estimate | None) -> Fraction | None:
    return None if estimate is None else exact(float(estimate.value))


def _interval(reach: Reach) -> Interval | None:
    low, value, high = (float(end) for end in (reach.low, reach.value, reach.high))
    if not (isfinite(low) and isfinite(value) and isfinite(high)):
        return None
    return Interval(exact(low), exact(value), exact(high))
