"""A shop with one day to claim: 1000 spent in ten charges, 300 of it credit, and a compensation of 600 due for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection

from qianheng.actions import books, close
from qianheng.actions.claims import Asked
from qianheng.actions.desk import Desk
from qianheng.actions.giving_back import spent_day
from qianheng.core.actors import REVIEWER, Actor, Role
from qianheng.core.days import HOUR, microseconds, midnight
from qianheng.core.money import YUAN
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import SCHEMAS, Channel, Kind
from qianheng.guarantee.overlap import SpentDay
from qianheng.ledger.transfers import AccountKind, Transfer, account
from qianheng.plans.plan import Goal, Plan, PlanKind, PlanStatus
from qianheng.store import ledger, members, plans
from qianheng.store.database import connect, migrate
from qianheng.store.lake import Lake

DAY = date(2025, 9, 10)
PLAN = Plan(1, 1, 5, "p", PlanKind.PRODUCT, Goal.PAYMENT, Decimal("7.5"), 2000 * YUAN, (11,), status=PlanStatus.ACTIVE)
OTHER = replace(PLAN, id=2, shop_id=2, ad_account_id=6)
OWNER, FINANCE = Actor("owner", Role.OWNER, 1), Actor("chen", Role.FINANCE, 1)
VIEWER, STRANGER = Actor("viewer", Role.VIEWER, 1), Actor("stranger", Role.OWNER, 2)
CHARGES, SPEND, CREDIT = 10, 1000 * YUAN, 300 * YUAN
EXPIRES = midnight(date(2025, 12, 31))


@dataclass
class Shop:
    """The desk of that shop, and what may happen at it."""

    desk: Desk

    def of(self, actor: Actor) -> Desk:
        return replace(self.desk, actor=actor)

    def on(self, day: date) -> "Shop":
        """The same desk at nine in the morning of a day."""
        return Shop(replace(self.desk, now=midnight(day) + timedelta(hours=9)))

    def close_until(self, day: date) -> None:
        """Close every day before that one, at its midnight."""
        with self.desk.database.begin() as connection:
            for later in range((day - DAY).days):
                now = midnight(DAY + timedelta(days=later + 1))
                close.close_day(connection, self.desk.lake, now.date() - timedelta(days=1), now)

    def tell(self, batch: FactBatch) -> None:
        with self.desk.database.begin() as connection:
            self.desk.lake.add(connection, batch)

    @property
    def day(self) -> SpentDay:
        """What was given back of the day."""
        with self.desk.database.begin() as connection:
            found = spent_day(connection, self.desk.lake, PLAN.id, DAY, PLAN.timezone)
        assert found is not None
        return found

    def posted(self, reason: str) -> dict[AccountKind, int]:
        """What transfers of a reason brought to credit and to cash."""
        with self.desk.database.begin() as connection:
            assert ledger.balanced(connection)
            found = {}
            for kind in (AccountKind.CASH, AccountKind.CREDIT):
                lines = ledger.statement(connection, account(kind, PLAN.ad_account_id).id)
                found[kind] = sum(line.change for line in lines if line.transfer.reason == reason)
        return found


def asked(amount: int | None = None, condition: str = "dispute", key: str = "") -> Asked:
    return Asked(PLAN.id, DAY, DAY, condition, "why", amount, key)


def facts(kind: Kind, first: int, count: int, received: datetime | None = None, **known: Any) -> FactBatch:
    """Facts of the day's morning from an id on, a minute apart, so that no click follows another at once."""
    at = microseconds(midnight(DAY)) + 9 * HOUR + np.arange(first, first + count) * 60_000_000
    told = at if received is None else np.full(count, microseconds(received))
    columns: dict[str, Any] = dict.fromkeys(SCHEMAS[kind].names, 0)
    columns |= {"id": np.arange(first, first + count), "at": at, "received_at": told, "plan_id": PLAN.id}
    return FactBatch({kind: table(kind, columns | known)})


def orders(first: int, count: int, received: datetime | None = None, **known: Any) -> FactBatch:
    told = {"amount": 300 * YUAN, "channel": int(Channel.PROMOTED), "flagged": False, "click_id": -1} | known
    return facts(Kind.ORDER, first, count, received, **told)


def fraud(charge: int, received: datetime) -> FactBatch:
    """An order judged a fraud, which came from the impression of a charge; it does not count itself."""
    return orders(1000 + charge, 1, received, flagged=True, click_id=charge)


def undone(order: int, received: datetime) -> FactBatch:
    """All of an order of `orders` refunded half a minute after it, which is told late: it counts no more."""
    at = microseconds(midnight(DAY)) + 9 * HOUR + order * 60_000_000
    told: dict[str, Any] = {"order_id": order, "order_at": at, "at": at + 30_000_000, "amount": 300 * YUAN}
    return facts(Kind.REFUND, order, 1, received, **told)


@contextmanager
def opened(folder: Path, live: bool = True, policy: str = "seed") -> Iterator[Shop]:
    """The shop in a folder: made there under a policy, or as somebody left it."""
    database = connect(f"sqlite:///{folder / 'run.db'}")
    migrate(database)
    lake = Lake(folder / "lake")
    if live:
        with database.begin() as connection:
            _live(connection, lake, replace(PLAN, policy=policy))
    yield Shop(Desk(database, lake, OWNER, midnight(DAY) + timedelta(days=1, hours=9)))
    database.dispose()


def _live(connection: Connection, lake: Lake, plan: Plan) -> None:
    start, end = midnight(DAY), midnight(DAY + timedelta(days=1))
    for one in (plan, OTHER):
        books.open_accounts(connection, one.ad_account_id, 5000 * YUAN, start)
    credit, gift = account(AccountKind.CREDIT, PLAN.ad_account_id).id, account(AccountKind.PROMOTIONS).id
    ledger.record(connection, [Transfer(1, gift, credit, CREDIT, start, expires_at=EXPIRES)])
    for one in (plan, OTHER):
        plans.create(connection, one)
    for member in (OWNER, FINANCE, VIEWER, STRANGER, REVIEWER):
        members.add(connection, member, start)
    books.lease(connection, [plan], DAY)
    books.capture(connection, plan, DAY, end, SPEND)
    charge: dict[str, Any] = {"amount": SPEND // CHARGES, "impression_id": np.arange(1, CHARGES + 1)}
    lake.add(connection, facts(Kind.CHARGE, 1, CHARGES, **charge))
    lake.add(connection, facts(Kind.IMPRESSION, 1, 200))
    lake.add(connection, facts(Kind.CLICK, 1, 20, impression_id=np.arange(1, 21), user_id=np.arange(20)))
    lake.add(connection, orders(1, 10))
