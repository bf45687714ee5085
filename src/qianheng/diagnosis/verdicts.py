"""Verdicts: each measure against the bands of `thresholds.toml`, which the owner may replace (SPEC 11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Literal

from qianheng.core import tables
from qianheng.core.errors import BadInput
from qianheng.core.money import decimal
from qianheng.core.words import area, known

MEASURES = (
    "net_roi_to_target",
    "payment_roi_to_target",
    "refund_rate_1h",
    "spend_to_budget",
    "net_roi_to_breakeven",
)
SHIPPED = Path(__file__).with_name("thresholds.toml")


@dataclass(frozen=True, slots=True)
class Band:
    """A range of a measure and what it means: under `below`, or at most `up_to`, or all the rest."""

    verdict: str
    severity: Literal["normal", "watch", "act", "urgent"]
    below: str | None = None
    up_to: str | None = None

    def __post_init__(self) -> None:
        if not known(f"diagnosis.verdict.{self.verdict}"):
            names = ", ".join(area("diagnosis")["verdict"])
            raise BadInput("diagnosis.unknown_verdict", value=self.verdict, known=names)

    @property
    def end(self) -> Decimal | None:
        """Where the band ends; `None` when it does not."""
        limit = self.below if self.below is not None else self.up_to
        return None if limit is None else decimal(limit)

    def holds(self, value: Fraction) -> bool:
        """Whether a value lies under the end of the band."""
        if self.end is None:
            return True
        return value < self.end if self.below is not None else value <= self.end

    @property
    def limit(self) -> str:
        """The end as a person writes it; "" when open."""
        return f"< {self.below}" if self.below is not None else f"<= {self.up_to}" if self.up_to is not None else ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Which rows may be called best or worst: those that spent at least this many yuan and this share of all."""

    spend_at_least: str
    spend_share_at_least: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The rules the figures are judged by."""

    ranking: Ranking
    bands: dict[str, tuple[Band, ...]]

    def __post_init__(self) -> None:
        for measure, bands in self.bands.items():
            if measure not in MEASURES:
                raise BadInput("diagnosis.unknown_measure", place=f"bands.{measure}", known=", ".join(MEASURES))
            ends = [band.end for band in bands]
            limits = [end for end in ends[:-1] if end is not None]
            if not ends or ends[-1] is not None or len(limits) != len(ends) - 1 or limits != sorted(limits):
                raise BadInput("diagnosis.open_band", place=f"bands.{measure}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a measure's value means; `limit` is the end of the band it fell into."""

    measure: str
    value: Fraction
    limit: str
    verdict: str
    severity: str


def thresholds(path: Path | None = None) -> Thresholds:
    """The rules in a TOML file, or those shipped. Unknown key, measure or verdict, or bands out of order: BadInput."""
    place = path or SHIPPED
    return tables.build(Thresholds, tables.read_toml(place), str(place))


def verdicts(figures: Mapping[str, Fraction | None], rules: Thresholds) -> tuple[Verdict, ...]:
    """Judge each measure that is known; an unknown one (`None`) has no verdict. Order: as in the rules."""
    judged = []
    for measure, bands in rules.bands.items():
        value = figures.get(measure)
        if value is not None:
            band = next(band for band in bands if band.holds(value))
            judged.append(Verdict(measure, value, band.limit, band.verdict, band.severity))
    return tuple(judged)
