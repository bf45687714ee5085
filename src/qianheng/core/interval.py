"""An interval: where something expected will lie, four times of five unless said otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from qianheng.core.errors import BadInput
from qianheng.core.money import yuan

ENDS = ("low", "expected", "high")
PLACES = 10**9  # what floats estimate is told no finer


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high` with `expected` between them: a ratio, a count, or money in micro-yuan.

    Ends out of order: BadInput.
    """

    low: Fraction | int
    expected: Fraction | int
    high: Fraction | int

    def __post_init__(self) -> None:
        if not self.low <= self.expected <= self.high:
            raise BadInput("core.interval", low=self.low, expected=self.expected, high=self.high)

    def __contains__(self, value: Fraction | int) -> bool:
        """Whether a value lies between the ends, both included."""
        return self.low <= value <= self.high


def exact(value: float) -> Fraction:
    """An estimate as it is told: to the billionth, so that an interval's ends compare and read the same everywhere."""
    return Fraction(round(value * PLACES), PLACES)


def yuan_json(interval: Interval | None) -> dict[str, str] | None:
    """An interval of money as plain values: decimal strings in yuan by `ENDS`; `None` where it is not known."""
    return None if interval is None else {end: yuan(round(getattr(interval, end))) for end in ENDS}
