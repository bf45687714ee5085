"""Closing months (月结): what a month brought to an ad account by reason, and what of it may be invoiced (SPEC 5.9)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from qianheng.core.days import SHANGHAI, midnight
from qianheng.core.errors import BadInput
from qianheng.core.money import Micros


class Month(NamedTuple):
    """A natural month."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    def days(self) -> list[date]:
        """Its days."""
        return [date(self.year, self.number, day + 1) for day in range(monthrange(self.year, self.number)[1])]

    def begins(self, timezone: str = SHANGHAI) -> datetime:
        """Its first instant in a time zone; it ends when the next one begins."""
        return midnight(date(self.year, self.number, 1), timezone)


class Holding(NamedTuple):
    """Cash and credit of an ad account, micro-yuan."""

    cash: Micros = 0
    credit: Micros = 0

    @property
    def total(self) -> Micros:
        """Both."""
        return self.cash + self.credit

    def plus(self, other: Holding) -> Holding:
        """Both holdings together."""
        return Holding(self.cash + other.cash, self.credit + other.credit)


class Movement(NamedTuple):
    """What the transfers of one reason brought to an ad account (taken: below zero), and how many lines they are."""

    reason: str
    holding: Holding
    lines: int


@dataclass(frozen=True, slots=True)
class MonthTotals:
    """A month of an ad account: what it began with, what moved by reason, and of cash what went to and came back from
    the platform's revenue.
    """

    month: Month
    opening: Holding
    movements: Sequence[Movement]
    cash_spent: Micros
    cash_refunded: Micros
    credit_spent: Micros

    @property
    def closing(self) -> Holding:
        """What it ended with: opening and movements, exactly."""
        closing = self.opening
        for movement in self.movements:
            closing = closing.plus(movement.holding)
        return closing

    @property
    def invoiceable(self) -> Micros:
        """What may be invoiced (发票): cash spent less cash given back, never credit. Below zero: a credit note."""
        return self.cash_spent - self.cash_refunded


def month_of(day: date) -> Month:
    """The month a day lies in."""
    return Month(day.year, day.month)


def parse_month(text: str, place: str = "") -> Month:
    """The month written "2025-09". Anything else: BadInput, told at `place` (the option it stands in)."""
    try:
        return month_of(date.fromisoformat(f"{text}-01"))
    except ValueError:
        raise BadInput("ledger.not_a_month", place=place, value=text) from None
