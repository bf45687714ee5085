"""The ledger's rules hold in SQL itself: whoever writes wrong rows past the product is refused, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from qianheng.core.days import microseconds
from qianheng.ledger.spending import Payment
from qianheng.ledger.transfers import AccountKind, Transfer, account, accounts_of, platform_accounts
from qianheng.store import ledger

NOW = datetime(2025, 10, 1, tzinfo=UTC)
AT = microseconds(NOW)
CASH, CREDIT = (entry.id for entry in accounts_of(1))
CLEARING, EXPENSE, REVENUE = (
    account(kind).id for kind in (AccountKind.CLEARING, AccountKind.GUARANTEE_EXPENSE, AccountKind.REVENUE)
)
CLOSED = microseconds(NOW - timedelta(days=30))


@pytest.fixture
def connection(engine: Engine) -> Connection:
    """A ledger with cash, credit, and a hold on both; the accounts of the ad account closed until a month ago."""
    with engine.begin() as connection:
        ledger.open_accounts(connection, [*platform_accounts(), *accounts_of(1)])
        top_up, grant = Transfer(1, CLEARING, CASH, 100, NOW), Transfer(2, EXPENSE, CREDIT, 30, NOW)
        ledger.record(connection, [top_up, grant])
        ledger.hold(connection, Payment(7, 1, 60, NOW))
        connection.execute(sa.update(ledger.ACCOUNT).where(ledger.ACCOUNT.c.id == CASH).values(closed_until=CLOSED))
    return engine.connect()


def entry(**other: object) -> str:
    row = {"id": 99, "debit": CASH, "credit": REVENUE, "amount": 1, "at": AT, "state": "'posted'", "pending_id": "NULL"}
    row |= {"reason": "'wrong'", "reference": 0} | other
    return f"INSERT INTO transfer ({', '.join(row)}) VALUES ({', '.join(map(str, row.values()))})"


HELD = "(SELECT id FROM transfer WHERE state = 'pending' AND debit = {})"
CASH_HELD, CREDIT_HELD = HELD.format(CASH), HELD.format(CREDIT)

WRONG = {
    "entries stay": [
        "UPDATE transfer SET amount = amount + 1",
        "UPDATE transfer SET reason = 'other' WHERE id = 1",
        "DELETE FROM transfer",
        "DELETE FROM account",
        "DELETE FROM credit_grant",
        "DELETE FROM credit_use",
        "UPDATE credit_use SET amount = 1",
    ],
    "above zero": [entry(amount=0), entry(amount=-5)],
    "two accounts": [entry(credit=CASH)],
    "pending, posted or voided": [entry(state="'settled'")],
    "only a pending entry": [
        entry(state="'voided'"),
        entry(state="'pending'", pending_id=CASH_HELD),
        entry(pending_id=1),
        entry(pending_id=12345),
        entry(pending_id=CASH_HELD, amount=31),
        entry(pending_id=CASH_HELD, amount=29, state="'voided'"),
        entry(pending_id=CASH_HELD, amount=30, credit=CLEARING),
        entry(pending_id=CREDIT_HELD, amount=30),
    ],
    "closed month takes no entry": [entry(at=CLOSED - 1), entry(at=CLOSED - 1, debit=CLEARING, credit=CASH)],
    "closed month stays": ["UPDATE account SET closed_until = NULL", "UPDATE account SET closed_until = 1"],
    "balance moves by": [
        f"UPDATE account SET posted = posted + 1 WHERE id = {CASH}",
        f"UPDATE account SET posted = posted - 1 WHERE id = {CLEARING}",
        f"UPDATE account SET reserved = 0 WHERE id = {CASH}",
        f"UPDATE account SET incoming = 0 WHERE id = {REVENUE}",
        f"UPDATE account SET posted = posted + 1, moved_to = moved_to + 1 WHERE id = {CASH}",
        "UPDATE account SET moved_to = 1000",
        "UPDATE account SET moved_to = 0",
    ],
    "what an account is": [
        f"UPDATE account SET may_be_negative = (1 = 1) WHERE id = {CASH}",
        f"UPDATE account SET owner = 2 WHERE id = {CASH}",
        f"UPDATE account SET kind = 'revenue' WHERE id = {CASH}",
    ],
    "nothing in it": [
        "INSERT INTO account (id, kind, owner, may_be_negative, posted, reserved, incoming)"
        " VALUES (5, 'cash', 5, (1 = 0), 100, 0, 0)"
    ],
    "what a grant is": ["UPDATE credit_grant SET expires_at = expires_at + 1", "UPDATE credit_grant SET amount = 31"],
    "between nothing and all": [
        "UPDATE credit_grant SET available = -1",
        "UPDATE credit_grant SET available = 31",
    ],
}
CASES = [(rule, statement) for rule, statements in WRONG.items() for statement in statements]


@pytest.mark.parametrize(("rule", "statement"), CASES)
def test_rows_against_the_rules_are_refused_by_the_database_itself(
    connection: Connection, rule: str, statement: str
) -> None:
    with connection, pytest.raises(DatabaseError, match=f"ledger: .*{rule}"), connection.begin():
        connection.exec_driver_sql(statement)


def test_a_pending_entry_is_settled_once_whoever_tries(connection: Connection) -> None:
    with connection, connection.begin():
        connection.exec_driver_sql(entry(pending_id=CASH_HELD, amount=30))
        with pytest.raises(DatabaseError, match=r"(?i)unique"):
            connection.exec_driver_sql(entry(id=98, pending_id=CASH_HELD, amount=29))


def test_an_account_never_falls_below_zero_even_by_entries_that_add_up(connection: Connection) -> None:
    newest = "moved_to = (SELECT MAX(sequence) FROM transfer)"
    with connection, connection.begin():
        connection.exec_driver_sql(entry(amount=71))
        with pytest.raises(DatabaseError, match="below zero"):
            connection.exec_driver_sql(f"UPDATE account SET posted = posted - 71, {newest} WHERE id = {CASH}")


def test_an_entry_smuggled_in_stops_the_next_that_its_accounts_record(connection: Connection) -> None:
    with connection, connection.begin():
        connection.exec_driver_sql(entry())
    with connection.engine.begin() as other, pytest.raises(DatabaseError, match="balance moves by"):
        ledger.record(other, [Transfer(5, CLEARING, CASH, 1, NOW)])
