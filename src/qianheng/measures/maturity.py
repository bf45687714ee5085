"""How figures ripen: what is left of a cohort's GMV by the age of its orders, and what its days looked like when they
were one, two, … days old (SPEC 3, 3.6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate

import pyarrow as pa

from qianheng.core.days import microseconds, midnight
from qianheng.core.money import Micros, ratio
from qianheng.measures.days import Days, date_of
from qianheng.measures.query import PlanDay

AGES = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
    "14d": timedelta(days=14),
}
DAYS_OLD = 14


@dataclass(frozen=True, slots=True)
class Seen:
    """What was known of some days at a time, micro-yuan; `refunded` is everything given back so far."""

    spend: Micros = 0
    gmv: Micros = 0
    refunded_1h: Micros = 0
    refunded: Micros = 0

    def __add__(self, other: Seen) -> Seen:
        return Seen(
            self.spend + other.spend,
            self.gmv + other.gmv,
            self.refunded_1h + other.refunded_1h,
            self.refunded + other.refunded,
        )

    @property
    def payment_roi(self) -> Fraction | None:
        """GMV over spend, as known then."""
        return ratio(self.gmv, self.spend)

    @property
    def net_roi(self) -> Fraction | None:
        """GMV less refunds within an hour, over spend, as known then."""
        return ratio(self.gmv - self.refunded_1h, self.spend)

    @property
    def kept_roi(self) -> Fraction | None:
        """GMV less everything given back so far, over spend, as known then."""
        return ratio(self.gmv - self.refunded, self.spend)


def known_sql(days: Days) -> str:
    """The number of the first midnight after the first day by which a fact `f` had been received, as SQL."""
    nights = (days.last - days.first).days + 1 + DAYS_OLD
    whens = " ".join(f"WHEN f.received_at < {_night(days, number)} THEN {number}" for number in range(1, nights + 1))
    return f"(CASE {whens} ELSE {nights + 1} END)"


def aged(answer: pa.Table, days: Days) -> dict[PlanDay, list[Seen]]:
    """From the answer of `known`: what was known of each plan's day when it was 1, 2, … 14 days over."""
    told = defaultdict[PlanDay, dict[int, Seen]](dict)
    for row in answer.to_pylist():
        seen = Seen(row["spend"], row["gmv"], row["refunded_1h"], row["refunded"])
        told[row["plan_id"], date_of(row["day"])][row["known"]] = seen
    return {key: _ripening(by_night, (key[1] - days.first).days) for key, by_night in told.items()}


def _ripening(by_night: dict[int, Seen], place: int) -> list[Seen]:
    """The running sums at the midnights from the end of the day on; `place`: of the day among the days."""
    nights = range(1, place + 1 + DAYS_OLD)
    running = list(accumulate((by_night.get(night, Seen()) for night in nights), initial=Seen()))
    return running[place + 1 :]


def cohort(days: Iterable[Sequence[Seen]], known_for: int) -> list[Seen | None]:
    """Days together at each age; `None` from the age on that the youngest has not reached (`known_for` days)."""
    rows = list(days)
    sums = [sum((row[age] for row in rows), Seen()) for age in range(DAYS_OLD)]
    return [one if age < known_for else None for age, one in enumerate(sums)]


def closed_for(last: date, now: int, timezone: str) -> int:
    """How many days old a day is at a time (UTC microseconds): midnights passed since it began."""
    return sum(microseconds(midnight(last + timedelta(days=age), timezone)) <= now for age in range(1, DAYS_OLD + 1))


def _night(days: Days, number: int) -> int:
    return microseconds(midnight(days.first + timedelta(days=number), days.timezone))
