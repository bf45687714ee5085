"""Months of ad accounts in SQL: their totals, and those that are closed, which take no transfer any more (SPEC 5.9)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import SHANGHAI, microseconds, moment
from qianheng.core.errors import Refused
from qianheng.core.money import Micros, yuan
from qianheng.ledger.months import Holding, Month, MonthTotals, Movement, month_of, parse_month
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.store import ledger
from qianheng.store.database import metadata
from qianheng.store.ledger import ACCOUNT, TRANSFER
from qianheng.store.statement import pending

_AMOUNTS = ("opening_cash", "opening_credit", "cash_spent", "cash_refunded", "credit_spent")
NAMED = 5  # of what is open
MONTH_CLOSE = sa.Table(
    "month_close",
    metadata,
    sa.Column("ad_account_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("month", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in _AMOUNTS),
    sa.Column("movements", sa.JSON, nullable=False),
)


def totals(connection: Connection, ad_account_id: int, month: Month, timezone: str = SHANGHAI) -> MonthTotals:
    """A month of an ad account: as kept if it is closed, else as it stands."""
    kept = closed(connection, ad_account_id)
    return kept.get(month) or counted(connection, ad_account_id, month, timezone)


def closed(connection: Connection, ad_account_id: int) -> dict[Month, MonthTotals]:
    """The closed months of an ad account, in order."""
    ours = MONTH_CLOSE.c.ad_account_id == ad_account_id
    rows = connection.execute(sa.select(MONTH_CLOSE).where(ours).order_by(MONTH_CLOSE.c.month))
    return {month.month: month for month in map(_totals, rows)}


def lived(connection: Connection, ad_account_id: int, now: datetime) -> list[Month]:
    """The months from an ad account's first transfer to the one that `now` lies in."""
    begun = min((_first(connection, ad_account_id, side) or now for side in ("debit", "credit")), default=now)
    months = [month_of(begun.astimezone(now.tzinfo).date())]
    while months[-1] < month_of(now.date()):
        months.append(months[-1].next)
    return months


def open_in(connection: Connection, ad_account_id: int, month: Month, timezone: str = SHANGHAI) -> list[Transfer]:
    """What keeps a month from being closed: the transfers dated in it or before that are pending still."""
    end = month.next.begins(timezone)
    return [transfer for transfer in pending(connection, ad_account_id) if transfer.at < end]


def close_month(connection: Connection, ad_account_id: int, month: Month, now: datetime) -> MonthTotals:
    """Close a month in the zone of `now`: what is dated in it will be dated after it. Closed before: as it was closed.

    A month that is not over, or before which another is to be closed, or with something pending: Refused.
    """
    timezone = str(now.tzinfo)
    ledger.lock_ad_account(connection, ad_account_id)
    kept = closed(connection, ad_account_id)
    if month in kept:
        return kept[month]
    if now < month.next.begins(timezone):
        raise Refused("ledger.month_not_over", place=str(month), until=month.next.begins(timezone).date())
    due = next(one for one in lived(connection, ad_account_id, now) if one not in kept)
    if due < month:
        raise Refused("ledger.month_before", place=str(month), before=due)
    if left := open_in(connection, ad_account_id, month, timezone):
        named = [f"{one.reason} {yuan(one.amount)} ({one.at.astimezone(now.tzinfo).date()})" for one in left[:NAMED]]
        raise Refused("ledger.month_open", place=str(month), count=len(left), named="; ".join(named))
    found = counted(connection, ad_account_id, month, timezone)
    connection.execute(sa.insert(MONTH_CLOSE), _row(ad_account_id, found, now))
    ids = [account(kind, ad_account_id).id for kind in (AccountKind.CASH, AccountKind.CREDIT)]
    until = microseconds(month.next.begins(timezone))
    connection.execute(sa.update(ACCOUNT).where(ACCOUNT.c.id.in_(ids)).values(closed_until=until))
    return found


def ad_accounts(connection: Connection) -> list[int]:
    """The ad accounts that have closed months."""
    return sorted(connection.scalars(sa.select(MONTH_CLOSE.c.ad_account_id).distinct()))


def counted(connection: Connection, ad_account_id: int, month: Month, timezone: str) -> MonthTotals:
    """A month counted from its transfers, closed or not."""
    begins, ends = (microseconds(one.begins(timezone)) for one in (month, month.next))
    cash, revenue = account(AccountKind.CASH, ad_account_id).id, account(AccountKind.REVENUE).id
    credit = account(AccountKind.CREDIT, ad_account_id).id
    before = _flows(connection, (cash, credit), (None, begins))
    flows = _flows(connection, (cash, credit), (begins, ends))
    movements: defaultdict[str, list[Movement]] = defaultdict(list)
    for (reason, *sides), (amount, lines) in flows.items():
        movements[reason].append(Movement(reason, _moved(sides, amount, (cash, credit)), lines))
    between: defaultdict[tuple[int, int], Micros] = defaultdict(int)
    for (_, debit, to), (amount, _) in flows.items():
        between[debit, to] += amount
    return MonthTotals(
        month,
        _added([_moved(sides, amount, (cash, credit)) for (_, *sides), (amount, _) in before.items()]),
        [_merged(same) for _, same in sorted(movements.items())],
        between[cash, revenue],
        between[revenue, cash],
        between[credit, revenue],
    )


Flow = dict[tuple[str, int, int], tuple[Micros, int]]


def _flows(connection: Connection, ours: tuple[int, int], between: tuple[int | None, int]) -> Flow:
    """What was posted between two times to and from ours, and in how many transfers; by (reason, debit, credit)."""
    since, until = between
    touching = TRANSFER.c.debit.in_(ours) | TRANSFER.c.credit.in_(ours)
    dated = TRANSFER.c.at < until if since is None else sa.and_(TRANSFER.c.at >= since, TRANSFER.c.at < until)
    keys = (TRANSFER.c.reason, TRANSFER.c.debit, TRANSFER.c.credit)
    query = sa.select(*keys, sa.func.sum(TRANSFER.c.amount), sa.func.count())
    query = query.where(touching, dated, TRANSFER.c.state == State.POSTED.value).group_by(*keys)
    return {(reason, debit, to): (int(amount), lines) for reason, debit, to, amount, lines in connection.execute(query)}


def _moved(sides: list[int], amount: Micros, ours: tuple[int, int]) -> Holding:
    """What a flow brought to our cash and credit."""
    debit, to = sides
    return Holding(*(amount * ((to == one) - (debit == one)) for one in ours))


def _added(holdings: list[Holding]) -> Holding:
    return Holding(sum(one.cash for one in holdings), sum(one.credit for one in holdings))


def _merged(same: list[Movement]) -> Movement:
    return Movement(same[0].reason, _added([one.holding for one in same]), sum(one.lines for one in same))


def _first(connection: Connection, ad_account_id: int, side: str) -> datetime | None:
    ids = [account(kind, ad_account_id).id for kind in (AccountKind.CASH, AccountKind.CREDIT)]
    at = connection.scalar(sa.select(sa.func.min(TRANSFER.c.at)).where(TRANSFER.c[side].in_(ids)))
    return None if at is None else moment(at)


def _row(ad_account_id: int, found: MonthTotals, now: datetime) -> dict[str, Any]:
    amounts = (*found.opening, found.cash_spent, found.cash_refunded, found.credit_spent)
    movements = [[one.reason, *one.holding, one.lines] for one in found.movements]
    told = {"ad_account_id": ad_account_id, "month": str(found.month), "at": microseconds(now), "movements": movements}
    return told | dict(zip(_AMOUNTS, amounts, strict=True))


def _totals(row: Any) -> MonthTotals:
    movements = [Movement(reason, Holding(cash, credit), lines) for reason, cash, credit, lines in row.movements]
    opening = Holding(row.opening_cash, row.opening_credit)
    spent = (row.cash_spent, row.cash_refunded, row.credit_spent)
    return MonthTotals(parse_month(row.month), opening, movements, *spent)
