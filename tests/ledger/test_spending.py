from datetime import UTC, datetime

import pytest

from qianheng.core.errors import Refused
from qianheng.ledger.book import Book, record
from qianheng.ledger.spending import Payment, capture, pay, split
from qianheng.ledger.transfers import AccountKind, State, Transfer, account, accounts_of, platform_accounts

NOW = datetime(2025, 10, 1, tzinfo=UTC)
ACCOUNTS = {entry.id: entry for entry in (*platform_accounts(), *accounts_of(1))}
CLEARING, EXPENSE = account(AccountKind.CLEARING).id, account(AccountKind.GUARANTEE_EXPENSE).id
CASH, CREDIT = (entry.id for entry in accounts_of(1))


@pytest.mark.parametrize(
    ("amount", "credit", "cash", "parts"),
    [
        (100, 0, 100, (0, 100)),
        (100, 100, 100, (100, 0)),
        (100, 30, 100, (30, 70)),
        (0, 30, 100, (0, 0)),
        (100, 99, 0, None),
        (100, 0, 99, None),
    ],
)
def test_credit_is_spent_before_cash(amount: int, credit: int, cash: int, parts: tuple[int, int] | None) -> None:
    if parts is None:
        with pytest.raises(Refused):
            split(amount, credit, cash)
    else:
        assert split(amount, credit, cash) == parts


@pytest.mark.parametrize(
    ("amount", "left"), [(100, (0, 0)), (30, (0, 70)), (29, (1, 70)), (31, (0, 69)), (0, (30, 70)), (101, None)]
)
def test_a_hold_is_captured_from_credit_first_and_the_rest_released(amount: int, left: tuple[int, int] | None) -> None:
    granted = [Transfer(1, EXPENSE, CREDIT, 30, NOW), Transfer(2, CLEARING, CASH, 70, NOW)]
    held = pay(Payment(7, 1, 100, NOW), (30, 70), State.PENDING)
    book, _ = record(Book(ACCOUNTS), [*granted, *held])
    assert book.balances[CASH].available == book.balances[CREDIT].available == 0
    if left is None:
        with pytest.raises(Refused):
            capture(held, amount, NOW)
    else:
        book, _ = record(book, capture(held, amount, NOW))
        assert (book.balances[CREDIT].available, book.balances[CASH].available) == left
