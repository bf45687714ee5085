"""The end of a day and the money of an ad account: nothing stays frozen, nothing lapses unannounced."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

from qianheng.actions import books, upkeep
from qianheng.core.days import HOUR, microseconds, midnight
from qianheng.core.money import YUAN
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import SCHEMAS, Kind
from qianheng.ledger.spending import Payment
from qianheng.ledger.transfers import AccountKind, Transfer, account
from qianheng.plans.boost import Boost, BoostKind
from qianheng.plans.plan import Goal, Plan, PlanKind, PlanStatus
from qianheng.store import ledger, plans
from qianheng.store.database import connect, migrate
from qianheng.store.lake import Lake
from qianheng.store.notices import notices
from qianheng.store.statement import pending, statement

DAY = date(2025, 9, 10)
PLAN = Plan(1, 1, 5, "p", PlanKind.PRODUCT, Goal.PAYMENT, Decimal("7.5"), 300 * YUAN, (11,), status=PlanStatus.ACTIVE)
CREDIT, PROMOTIONS = account(AccountKind.CREDIT, 5).id, account(AccountKind.PROMOTIONS).id


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = connect(f"sqlite:///{tmp_path / 'run.db'}")
    migrate(database)
    with database.begin() as open_connection:
        books.open_accounts(open_connection, PLAN.ad_account_id, 1000 * YUAN, midnight(DAY))
        plans.create(open_connection, PLAN)
        yield open_connection
    database.dispose()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def fact(kind: Kind, number: int, amount: int, **known: int) -> FactBatch:
    columns: dict[str, np.ndarray | int | bool] = dict.fromkeys(SCHEMAS[kind].names, 0)
    at = microseconds(midnight(DAY)) + 9 * HOUR
    columns |= {"id": np.array([number]), "at": at, "received_at": at, "plan_id": PLAN.id, "amount": amount}
    return FactBatch({kind: table(kind, columns | known)})


def told(connection: Connection) -> list[str]:
    return [notice.kind.removeprefix("money.notice.") for notice in notices(connection)]


def keep_twice(connection: Connection, lake: Lake, now: datetime) -> None:
    for _ in range(2):
        upkeep.keep(connection, lake, now)


@pytest.mark.parametrize(("charged", "spent"), [(0, 0), (120, 120), (300, 300), (400, 300)])
def test_a_hold_that_nobody_captured_ends_with_what_facts_say_was_spent(
    connection: Connection, lake: Lake, charged: int, spent: int
) -> None:
    books.lease(connection, [PLAN], DAY)
    if charged:
        lake.add(connection, fact(Kind.CHARGE, 1, charged * YUAN))
    ends = midnight(DAY + timedelta(days=1))
    keep_twice(connection, lake, ends)
    assert ledger.funds(connection, 5).frozen == 300 * YUAN
    keep_twice(connection, lake, ends + timedelta(hours=6))
    assert ledger.funds(connection, 5) == ((1000 - spent) * YUAN, 0, 0)
    assert pending(connection, 5) == []
    assert told(connection).count("hold_ended") == 1
    assert {line.transfer.at for line in statement(connection, 5) if line.change < 0} <= {
        ends - timedelta(microseconds=1)
    }
    assert ledger.balanced(connection)


def test_the_hold_of_a_boost_pays_what_its_kind_was_charged_and_no_other_boost_has_paid(
    connection: Connection, lake: Lake
) -> None:
    start = microseconds(midnight(DAY))
    boosts = [Boost(number, PLAN.id, BoostKind.PLAN, 100 * YUAN, start + HOUR, start + 3 * HOUR) for number in (71, 72)]
    for boost in boosts:
        books.lease_boost(connection, boost, PLAN, DAY)
        lake.add(connection, fact(Kind.BOOST, boost.id, boost.budget, boost_id=boost.id, boost=1))
    lake.add(connection, fact(Kind.CHARGE, 1, 130 * YUAN, boost=1))
    keep_twice(connection, lake, midnight(DAY + timedelta(days=2)))
    assert [books.boost_spend(connection, boost) for boost in boosts] == [100 * YUAN, 30 * YUAN]


def test_credit_is_announced_a_month_before_it_lapses_and_lapses_once(connection: Connection, lake: Lake) -> None:
    at = midnight(DAY)
    grants = [
        Transfer(1, PROMOTIONS, CREDIT, 70 * YUAN, at, reason="promotion", expires_at=at + timedelta(days=60)),
        Transfer(2, PROMOTIONS, CREDIT, 50 * YUAN, at, reason="promotion"),
    ]
    ledger.record(connection, grants)
    ledger.spend(connection, Payment(9, 5, 20 * YUAN, at))
    keep_twice(connection, lake, at + timedelta(days=29))
    assert told(connection) == []
    keep_twice(connection, lake, at + timedelta(days=30))
    keep_twice(connection, lake, at + timedelta(days=31))
    assert [(notice.kind, notice.values["amount"]) for notice in notices(connection)] == [
        ("money.notice.lapse_soon", "50.00")
    ]
    keep_twice(connection, lake, at + timedelta(days=60))
    assert ledger.funds(connection, 5).credit == 50 * YUAN
    assert told(connection) == ["lapse_soon", "lapsed"]
    keep_twice(connection, lake, at + timedelta(days=365))
    assert ledger.funds(connection, 5).credit == 0
    assert ledger.balanced(connection)


def test_a_shop_is_warned_below_three_days_of_its_mean_spend_and_not_every_day(
    connection: Connection, lake: Lake
) -> None:
    for day in range(6):
        at = midnight(DAY + timedelta(days=day))
        ledger.spend(connection, Payment(100 + day, 5, 120 * YUAN, at + timedelta(hours=12)))
        keep_twice(connection, lake, at + timedelta(days=1))
    warnings = [(notice.at, notice.values["balance"], notice.values["mean"]) for notice in notices(connection)]
    assert warnings == [(midnight(DAY + timedelta(days=6)), "280.00", "120.00")]
    for day in range(6, 15):
        keep_twice(connection, lake, midnight(DAY + timedelta(days=day + 1)))
    assert told(connection) == ["low_balance"]  # a week later the mean is none
