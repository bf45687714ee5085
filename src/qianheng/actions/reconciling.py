"""Reconcile imported reports of plans with imported shop orders (SPEC 13.2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from qianheng.core.days import SHANGHAI, day_of, midnight, moment
from qianheng.core.errors import NotFound
from qianheng.measures.reconciling import Books, Reconciled, reconcile
from qianheng.measures.reports import Figures, ReportKind, add
from qianheng.measures.shop_orders import ShopOrder, ShopRefund
from qianheng.store import records, reports
from qianheng.store.database import reading

MOVES_FOR = timedelta(days=1)  # after its end a day's figures still come in


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days, by day or by plan and day, as of when."""

    now: datetime
    first: date | None = None
    last: date | None = None
    by_plan: bool = False
    timezone: str = SHANGHAI


def reconcile_reports(engine: Engine, asked: Asked) -> list[Reconciled]:
    """Every day that both daily rows of plans and orders were imported of. None: NotFound.

    Orders that name no plan belong to none, unless no order names one: then all are the shop's, and are not told apart
    by plan.
    """
    with reading(engine) as connection:
        rows = [one.row for one in reports.load(connection, asked.first, asked.last)]
        bought, given_back = records.load(connection, ShopOrder), records.load(connection, ShopRefund)
    named = any(one.plan_id for one in bought)
    by_plan = asked.by_plan and named
    told = defaultdict[tuple[date, str], list[Figures]](list)
    for row in rows:
        if row.kind is ReportKind.PLAN and row.first and row.first == row.last and row.hour is None:
            told[row.first, row.entity_id if by_plan else ""].append(row.figures)
    shop = _Shop([one for one in bought if one.plan_id or not named], given_back, asked.timezone)
    days = {day for day, _ in told} & set(shop.days)
    if not days:
        raise NotFound("reconcile.nothing")
    return [
        reconcile(plan, add(figures), shop.books(day, plan if by_plan else None), _mature(day, asked))
        for (day, plan), figures in sorted(told.items())
        if day in days
    ]


def _mature(day: date, asked: Asked) -> bool:
    return asked.now >= midnight(day + timedelta(days=1), asked.timezone) + MOVES_FOR


class _Shop:
    """The shop's orders by the day they were paid and by that they were placed on."""

    def __init__(self, orders: Sequence[ShopOrder], refunds: Sequence[ShopRefund], timezone: str) -> None:
        self.timezone = timezone
        self.days = defaultdict[date, list[ShopOrder]](list)
        self._placed = defaultdict[date, list[ShopOrder]](list)
        self._refunds = defaultdict[str, list[ShopRefund]](list)
        for one in orders:
            paid = day_of(moment(one.at), timezone)
            placed = paid if one.placed_at is None else day_of(moment(one.placed_at), timezone)
            self.days[paid].append(one)
            if placed != paid:
                self._placed[placed].append(one)
        for back in refunds:
            self._refunds[back.item_id].append(back)

    def books(self, day: date, plan: str | None) -> Books:
        """What the files tell of a day, of one plan if asked."""
        mine, placed = (
            tuple(one for one in some[day] if plan is None or one.plan_id == plan) for some in (self.days, self._placed)
        )
        back = tuple(back for one in mine for back in self._refunds[one.item_id])
        return Books(day, mine, back, self.timezone, placed)
