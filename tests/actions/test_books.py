"""The money of a plan's day: held once, taken once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection

from qianheng.actions import books
from qianheng.core.days import midnight
from qianheng.core.money import YUAN
from qianheng.plans.allowance import Lease, Used
from qianheng.plans.plan import Goal, Plan, PlanKind, PlanStatus
from qianheng.store import ledger, plans
from qianheng.store.database import connect, migrate

DAY = date(2025, 9, 10)
PLAN = Plan(1, 1, 5, "p", PlanKind.PRODUCT, Goal.PAYMENT, Decimal("7.5"), 2000 * YUAN, (11,), status=PlanStatus.ACTIVE)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = connect(f"sqlite:///{tmp_path / 'run.db'}")
    migrate(database)
    with database.begin() as open_connection:
        books.open_accounts(open_connection, PLAN.ad_account_id, 5000 * YUAN, midnight(DAY))
        plans.create(open_connection, PLAN)
        yield open_connection
    database.dispose()


def test_a_lease_is_held_once_and_what_was_not_spent_is_free_again(connection: Connection) -> None:
    generous = replace(PLAN, budget_daily=3000 * YUAN)
    for _ in range(2):
        assert books.lease(connection, [PLAN, generous], DAY).amount == 3000 * YUAN
    assert ledger.funds(connection, PLAN.ad_account_id) == (2000 * YUAN, 0, 3000 * YUAN)
    for _ in range(2):
        books.capture(connection, PLAN, DAY, midnight(DAY + timedelta(days=1)), 1 * YUAN + 1)
    assert ledger.funds(connection, PLAN.ad_account_id) == (4999 * YUAN - 1, 0, 0)


def test_a_low_balance_leases_what_there_is(connection: Connection) -> None:
    assert books.lease(connection, [replace(PLAN, budget_daily=9000 * YUAN)], DAY).amount == 5000 * YUAN
    assert books.lease(connection, [PLAN], DAY + timedelta(days=1)).amount == 0


def test_what_was_spent_before_a_day_is_told_by_week_and_life(connection: Connection) -> None:
    plan = replace(PLAN, budget_weekly=700 * YUAN, budget_total=400 * YUAN)
    sunday = date(2025, 9, 14)
    for days in range(3):  # Friday, Saturday, Sunday
        day = sunday + timedelta(days=days - 2)
        assert books.lease(connection, [plan], day).used == Used(100 * days * YUAN, 100 * days * YUAN)
        books.capture(connection, plan, day, midnight(day + timedelta(days=1)), 100 * YUAN)
    lease = books.lease(connection, [plan], sunday + timedelta(days=1))
    assert lease == Lease(100 * YUAN, Used(0, 300 * YUAN))  # a new week; of the total 100 is left
