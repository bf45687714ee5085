"""What an operator sets about money, as data: how long credit lives, when a balance is low, when holds end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from pathlib import Path

from qianheng.core.errors import BadInput
from qianheng.core.money import Micros
from qianheng.core.tables import build, read_toml
from qianheng.ledger.credits import a_year_after

SHIPPED = Path(__file__).with_name("terms.toml")


@dataclass(frozen=True, slots=True)
class Terms:
    """Days, but for `hold_hours`; what each means stands in `terms.toml`."""

    lapse_notice_days: int
    low_balance_days: int
    mean_over_days: int
    warn_again_days: int
    hold_hours: int
    credit_days: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "credit_days"}
        wrong = [name for name, count in (counts | self.credit_days).items() if count < 1]
        if wrong:
            raise BadInput("ledger.terms_below_one", names=", ".join(wrong))

    def lapses(self, reason: str, at: datetime) -> datetime:
        """When credit granted at a time for a reason lapses."""
        days = self.credit_days.get(reason)
        return a_year_after(at) if days is None else at + timedelta(days=days)

    def released(self, day_ends: datetime) -> datetime:
        """When a hold for a day that ends then is released at the latest."""
        return day_ends + timedelta(hours=self.hold_hours)


def read_terms(path: Path = SHIPPED) -> Terms:
    """The terms in a TOML file. Unreadable, or something in it unknown or below one: BadInput."""
    return build(Terms, read_toml(path), str(path))


def mean_daily_spend(spent: Iterable[tuple[date, Micros]], today: date, terms: Terms) -> Micros:
    """The mean spend of the days before `today` that the terms look at, from the first day anything was spent."""
    since = today - timedelta(days=terms.mean_over_days)
    recent = [(day, amount) for day, amount in spent if since <= day < today]
    days = (today - min((day for day, _ in recent), default=today)).days
    return sum(amount for _, amount in recent) // days if days else 0
