from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from qianheng.core.errors import QianhengError, Refused
from qianheng.ledger.book import Balance, Book, balances, record, statement
from qianheng.ledger.transfers import (
    AccountKind,
    State,
    Transfer,
    account,
    accounts_of,
    platform_accounts,
    posting,
    voiding,
)

NOW = datetime(2025, 10, 1, tzinfo=UTC)
ACCOUNTS = {entry.id: entry for entry in (*platform_accounts(), *accounts_of(1), *accounts_of(2))}

account_ids = st.sampled_from(sorted(ACCOUNTS))
amounts = st.integers(-1, 1_000)


class AnyTransfers(RuleBasedStateMachine):
    """Whatever is tried, in whatever order: the book keeps its laws, and what it refuses leaves no trace."""

    promises = Bundle("promises")
    told = Bundle("told")

    def __init__(self) -> None:
        super().__init__()
        self.book = Book(ACCOUNTS)
        self.kept: list[Transfer] = []

    def offer(self, *transfers: Transfer) -> bool:
        before = dict(self.book.balances)
        try:
            self.book, new = record(self.book, transfers)
        except Refused:
            assert self.book.balances == before
            return False
        self.kept += new
        return True

    @rule(target=told, debit=account_ids, credit=account_ids, amount=amounts)
    def moves_money(self, debit: int, credit: int, amount: int) -> Transfer:
        transfer = Transfer(len(self.kept) + 1, debit, credit, amount, NOW)
        self.offer(transfer)
        return transfer

    @rule(target=promises, debit=account_ids, credit=account_ids, amount=amounts)
    def promises_money(self, debit: int, credit: int, amount: int) -> Transfer:
        transfer = Transfer(len(self.kept) + 1, debit, credit, amount, NOW, State.PENDING)
        return transfer if self.offer(transfer) else multiple()  # type: ignore[return-value]

    @rule(target=told, pending=promises, amount=st.none() | amounts)
    def posts(self, pending: Transfer, amount: int | None) -> Transfer:
        transfer = posting(pending, NOW, amount)
        if self.offer(transfer) and amount is not None:
            assert amount <= pending.amount
        return transfer

    @rule(target=told, pending=promises)
    def voids(self, pending: Transfer) -> Transfer:
        transfer = voiding(pending, NOW)
        self.offer(transfer)
        return transfer

    @rule(transfer=consumes(told))
    def tells_again(self, transfer: Transfer) -> None:
        if transfer in self.kept:
            count, before = len(self.kept), dict(self.book.balances)
            assert self.offer(transfer, transfer)
            assert (len(self.kept), self.book.balances) == (count, before)
            assert not self.offer(replace(transfer, amount=transfer.amount + 1))

    @invariant()
    def all_balances_add_up_to_zero(self) -> None:
        assert sum(found.posted for found in self.book.balances.values()) == 0
        assert sum(found.reserved - found.incoming for found in self.book.balances.values()) == 0

    @invariant()
    def only_accounts_that_may_are_negative(self) -> None:
        for account_id, found in self.book.balances.items():
            assert found.reserved >= 0
            assert found.available >= 0 or ACCOUNTS[account_id].may_be_negative

    @invariant()
    def balances_are_a_fold_of_the_transfers(self) -> None:
        assert balances(self.kept) == self.book.balances
        for account_id, found in self.book.balances.items():
            lines = list(statement(self.kept, account_id))
            assert (lines[-1].balance if lines else 0) == found.posted


TestAnyTransfers = AnyTransfers.TestCase
TestAnyTransfers.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


CLEARING, CASH = account(AccountKind.CLEARING).id, account(AccountKind.CASH, 1).id
REVENUE = account(AccountKind.REVENUE).id
TOP_UP = Transfer(1, CLEARING, CASH, 100, NOW)
PROMISE = Transfer(2, CASH, REVENUE, 60, NOW, State.PENDING)


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        (replace(TOP_UP, amount=99), "other_content"),
        (Transfer(3, CASH, REVENUE, 0, NOW), "not_positive"),
        (Transfer(3, CASH, CASH, 1, NOW), "same_account"),
        (Transfer(3, CASH, REVENUE, 1, NOW, State.VOIDED), "voids_nothing"),
        (Transfer(3, CASH, REVENUE, 1, NOW, State.POSTED, pending_id=1), "not_pending"),
        (Transfer(3, CASH, REVENUE, 1, NOW, State.POSTED, pending_id=99), "not_pending"),
        (Transfer(3, CASH, REVENUE, 1, NOW, State.PENDING, pending_id=2), "not_pending"),
        (Transfer(3, CASH, CLEARING, 1, NOW, State.POSTED, pending_id=2), "other_accounts"),
        (Transfer(3, CASH, REVENUE, 61, NOW, State.POSTED, pending_id=2), "other_amount"),
        (Transfer(3, CASH, REVENUE, 59, NOW, State.VOIDED, pending_id=2), "other_amount"),
        (Transfer(3, CASH, REVENUE, 41, NOW), "no_funds"),
        (Transfer(3, CASH, REVENUE, 41, NOW, State.PENDING), "no_funds"),
        (Transfer(3, CASH, 12345, 1, NOW), "no_account"),
    ],
)
def test_a_transfer_against_the_rules_is_refused_by_name(wrong: Transfer, key: str) -> None:
    book, _ = record(Book(ACCOUNTS), [TOP_UP, PROMISE])
    with pytest.raises(QianhengError) as refusal:
        record(book, [Transfer(9, CASH, REVENUE, 1, NOW), wrong])
    assert refusal.value.key == f"ledger.{key}"
    assert str(wrong.id) in str(refusal.value)


def test_a_promise_is_kept_or_taken_back_once() -> None:
    book, _ = record(Book(ACCOUNTS), [TOP_UP, PROMISE])
    assert book.balances[CASH] == Balance(100, 60, 0)
    posted, _ = record(book, [posting(PROMISE, NOW, 50)])
    assert posted.balances[CASH] == Balance(50, 0, 0)
    assert posted.balances[REVENUE] == Balance(50, 0, 0)
    for second in (voiding(PROMISE, NOW), posting(PROMISE, NOW), replace(voiding(PROMISE, NOW), id=77)):
        with pytest.raises(Refused):
            record(posted, [second])
    voided, _ = record(book, [voiding(PROMISE, NOW + timedelta(days=1))])
    assert voided.balances[CASH] == Balance(100, 0, 0)
