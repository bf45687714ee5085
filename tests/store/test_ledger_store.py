import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from qianheng.core.errors import NotFound, Refused
from qianheng.core.ids import stable_id
from qianheng.ledger.credits import Use
from qianheng.ledger.sources import Sources
from qianheng.ledger.spending import Payment
from qianheng.ledger.transfers import AccountKind, State, Transfer, account, accounts_of, platform_accounts
from qianheng.store import ledger
from qianheng.store.database import reading
from qianheng.store.grants import grants_of
from qianheng.store.statement import sources_of

NOW = datetime(2025, 10, 1, tzinfo=UTC)
CASH, CREDIT = (entry.id for entry in accounts_of(1))
CLEARING, EXPENSE, REVENUE = (
    account(kind).id for kind in (AccountKind.CLEARING, AccountKind.GUARANTEE_EXPENSE, AccountKind.REVENUE)
)


def open_with(connection: Connection, cash: int = 0, credit: int = 0) -> None:
    ledger.open_accounts(connection, [*platform_accounts(), *accounts_of(1)])
    top_up = Transfer(1, CLEARING, CASH, cash, NOW, reason="top_up")
    grant = Transfer(2, EXPENSE, CREDIT, credit, NOW, reason="grant")
    ledger.record(connection, [transfer for transfer in (top_up, grant) if transfer.amount])


def test_money_is_held_captured_and_told_in_a_statement(engine: Engine) -> None:
    with engine.begin() as connection:
        open_with(connection, cash=100, credit=30)
        ledger.hold(connection, Payment(7, 1, 60, NOW, reference=42))
        assert ledger.funds(connection, 1) == (70, 0, 60)
    with engine.begin() as connection:
        ledger.capture(connection, 7, 50, NOW + timedelta(minutes=1))
        assert ledger.funds(connection, 1) == (80, 0, 0)
        assert ledger.balance(connection, REVENUE).posted == 50
        assert [(line.change, line.balance) for line in ledger.statement(connection, CASH)] == [(100, 100), (-20, 80)]
        assert len(ledger.transfers_about(connection, 42)) == 4
        assert ledger.balanced(connection)


def test_every_step_told_again_changes_nothing(engine: Engine) -> None:
    def steps(connection: Connection, at: datetime) -> None:
        open_with(connection, cash=100, credit=30)
        held = ledger.hold(connection, Payment(7, 1, 60, NOW))
        assert ledger.hold(connection, Payment(7, 1, 60, NOW)) == held
        ledger.capture(connection, 7, 50, NOW)
        ledger.spend(connection, Payment(8, 1, 5, NOW))
        ledger.record(connection, [Transfer(3, EXPENSE, CREDIT, 600, NOW, State.PENDING, reason="compensation")])
        ledger.post(connection, 3, at)

    with engine.begin() as connection:
        steps(connection, NOW)
        before = connection.execute(sa.select(ledger.ACCOUNT)).all()
    with engine.begin() as connection:
        steps(connection, NOW + timedelta(days=1))
        assert connection.execute(sa.select(ledger.ACCOUNT)).all() == before
        assert ledger.balanced(connection)


def test_a_record_refused_half_way_leaves_no_trace(engine: Engine) -> None:
    with engine.begin() as connection:
        open_with(connection, cash=100)
        good, bad = Transfer(5, CASH, REVENUE, 90, NOW), Transfer(6, CASH, REVENUE, 11, NOW)
        with pytest.raises(Refused):
            ledger.record(connection, [good, bad])
    with engine.begin() as connection:
        assert ledger.funds(connection, 1) == (100, 0, 0)
        assert ledger.transfers_about(connection, 0)[0].reason == "top_up"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda c: ledger.hold(c, Payment(7, 1, 61, NOW)), Refused),
        (lambda c: ledger.spend(c, Payment(7, 1, 60, NOW)), Refused),
        (lambda c: ledger.spend(c, Payment(9, 1, 1000, NOW)), Refused),
        (lambda c: ledger.capture(c, 7, 61, NOW), Refused),
        (lambda c: ledger.capture(c, 99, 1, NOW), NotFound),
        (lambda c: ledger.post(c, 99, NOW), NotFound),
        (lambda c: ledger.funds(c, 99), NotFound),
        (lambda c: ledger.record(c, [Transfer(1, CLEARING, CASH, 99, NOW)]), Refused),
    ],
)
def test_what_the_ledger_refuses(engine: Engine, wrong: object, error: type[Exception]) -> None:
    with engine.begin() as connection:
        open_with(connection, cash=100)
        ledger.hold(connection, Payment(7, 1, 60, NOW))
    with pytest.raises(error), engine.begin() as connection:
        wrong(connection)  # type: ignore[operator]


def test_a_promise_voided_is_never_posted(engine: Engine) -> None:
    with engine.begin() as connection:
        open_with(connection)
        promise = Transfer(3, EXPENSE, CREDIT, 600, NOW, State.PENDING, reason="compensation")
        ledger.record(connection, [promise])
        assert ledger.balance(connection, CREDIT).incoming == 600
        ledger.void(connection, 3, NOW)
        assert ledger.void(connection, 3, NOW) == []
        assert ledger.balance(connection, CREDIT) == (0, 0, 0)
    with pytest.raises(Refused), engine.begin() as connection:
        ledger.post(connection, 3, NOW)


def test_credit_that_nobody_spent_ends_after_a_year(engine: Engine) -> None:
    later = NOW + timedelta(days=400)
    with engine.begin() as connection:
        open_with(connection, credit=30)
        assert ledger.lapse_credit(connection, 1, NOW) == []
        assert [transfer.amount for transfer in ledger.lapse_credit(connection, 1, later)] == [30]
        assert ledger.lapse_credit(connection, 1, later + timedelta(days=1)) == []
        assert ledger.balanced(connection)


def test_spend_on_a_plan_is_traced_to_cash_and_grants(engine: Engine) -> None:
    with engine.begin() as connection:
        open_with(connection, cash=100, credit=30)
        ledger.hold(connection, Payment(7, 1, 60, NOW, reference=42))
        ledger.capture(connection, 7, 50, NOW + timedelta(days=1))
        assert sources_of(connection, 1, 42) == {NOW.date(): Sources(20, (Use(2, 30),))}
        assert [grant.available for grant in grants_of(connection, 1)] == [0]


PAY = """
import sys
from datetime import UTC, datetime
from multiprocessing import get_context
from qianheng.core.errors import Refused
from qianheng.ledger.credits import Use
from qianheng.ledger.sources import Sources
from qianheng.ledger.spending import Payment
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.store import ledger
from qianheng.store.database import connect

now = datetime(2025, 10, 1, tzinfo=UTC)
expense, credit = account(AccountKind.GUARANTEE_EXPENSE).id, account(AccountKind.CREDIT, 1).id

def pay(number):
    engine = connect(sys.argv[1])
    for id in range(100, 110):
        with engine.begin() as connection:
            ledger.record(connection, [Transfer(id, expense, credit, 600, now, State.PENDING, reason="compensation")])
        with engine.begin() as connection:
            ledger.post(connection, id, now.replace(minute=number))
    try:
        for payment in range(20):
            with engine.begin() as connection:
                ledger.spend(connection, Payment(1000 * number + payment, 1, 50, now))
    except Refused:
        return "refused"

with get_context("fork").Pool(8) as pool:
    print(pool.map(pay, range(8), chunksize=1))
"""


def test_eight_processes_pay_the_same_compensations_once_and_together_spend_no_more_than_there_is(
    engine: Engine, url: str
) -> None:
    with engine.begin() as connection:
        open_with(connection, cash=500)
    answer = subprocess.run([sys.executable, "-c", PAY, url], capture_output=True, text=True, check=True)
    assert "refused" in answer.stdout
    with reading(engine) as connection:
        assert ledger.balance(connection, EXPENSE).posted == -6000
        assert ledger.balance(connection, REVENUE).posted == 6500
        assert ledger.funds(connection, 1) == (0, 0, 0)
        assert ledger.balanced(connection)


def test_a_day_of_many_transfers_is_recorded_at_once(engine: Engine) -> None:
    with engine.begin() as connection:
        open_with(connection, cash=10**9)
        day = [Transfer(stable_id("charge", i), CASH, REVENUE, 1 + i % 7, NOW, reference=i % 3) for i in range(12_000)]
        assert len(ledger.record(connection, day)) == 12_000
        assert ledger.record(connection, day) == []
        assert ledger.record(connection, [*day, replace(day[0], id=3)]) == [replace(day[0], id=3)]
        assert ledger.balanced(connection)
