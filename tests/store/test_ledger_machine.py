"""Whatever is done with an ad account's money, in any order, crashed or doubled: SQL keeps what the pure book says, on
both databases, and what was recorded makes the same ledger again.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, Engine

from qianheng.core.errors import Refused
from qianheng.ledger import book, spending
from qianheng.ledger.book import Balance, Book
from qianheng.ledger.credits import first_expiring, lapsing
from qianheng.ledger.spending import Payment
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
from qianheng.store import grants, ledger
from qianheng.store.database import connect, migrate, reading
from qianheng.store.grants import CREDIT_GRANT, CREDIT_USE
from qianheng.store.ledger import ACCOUNT, TRANSFER, TRANSFER_COLUMNS
from qianheng.store.statement import statement
from qianheng.store.verify import verify

EXPENSE, CLEARING = account(AccountKind.GUARANTEE_EXPENSE).id, account(AccountKind.CLEARING).id
NUMBERS = count(1)  # of transfers, payments and ad accounts, over all examples: they share one ledger
Write = Callable[[Connection], object]

amounts = st.integers(0, 120)
steps = st.integers(0, 40)
fates = st.sampled_from(["done", "done", "done", "crashed", "doubled"])


class Crash(Exception):
    """The process died before its transaction committed."""


class MoneyOfAnAdAccount(RuleBasedStateMachine):
    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.id = next(NUMBERS)
        self.cash, self.credit = (entry.id for entry in accounts_of(self.id))
        known = {entry.id: entry for entry in (*platform_accounts(), *accounts_of(self.id))}
        self.book, self.now = Book(known), datetime(2025, 1, 1, tzinfo=UTC)
        self.holds: list[tuple[int, tuple[Transfer, ...]]] = []
        self.promises: list[Transfer] = []
        with self.engine.begin() as connection:
            ledger.open_accounts(connection, known.values())

    def do(self, fate: str, write: Write, transfers: Callable[[], list[Transfer]]) -> bool:
        """Write to SQL, crashed or doubled, and to the book; both refuse, or both do it. Whether it was done."""
        try:
            after, _ = book.record(self.book, transfers())
        except Refused:
            after = None
        try:
            with self.engine.begin() as connection:
                write(connection)
                if fate == "doubled":
                    write(connection)
                if fate == "crashed":
                    raise Crash
        except Crash:
            assert after is not None
            return False
        except Refused:
            assert after is None
            return False
        assert after is not None
        self.book = after
        return True

    def record(self, fate: str, *transfers: Transfer) -> bool:
        return self.do(fate, lambda connection: ledger.record(connection, transfers), lambda: list(transfers))

    def available(self) -> tuple[int, int]:
        credit, cash = (self.book.balances.get(key, Balance()).available for key in (self.credit, self.cash))
        return credit, cash

    @rule(days=steps)
    def time_goes_on(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(amount=amounts, fate=fates)
    def tops_up(self, amount: int, fate: str) -> None:
        self.record(fate, Transfer(next(NUMBERS), CLEARING, self.cash, amount, self.now))

    @rule(amount=amounts, fate=fates)
    def withdraws(self, amount: int, fate: str) -> None:
        self.record(fate, Transfer(next(NUMBERS), self.cash, CLEARING, amount, self.now))

    @rule(amount=amounts, days=st.none() | steps, fate=fates)
    def is_granted_credit(self, amount: int, days: int | None, fate: str) -> None:
        expires_at = None if days is None else self.now + timedelta(days=days)
        self.record(fate, Transfer(next(NUMBERS), EXPENSE, self.credit, amount, self.now, expires_at=expires_at))

    @rule(amount=amounts, back=st.booleans(), fate=fates)
    def is_promised_or_asked_back(self, amount: int, back: bool, fate: str) -> None:
        sides = (self.credit, EXPENSE) if back else (EXPENSE, self.credit)
        promise = Transfer(next(NUMBERS), *sides, amount, self.now, State.PENDING)
        if self.record(fate, promise):
            self.promises.append(promise)

    @rule(data=st.data(), kept=st.booleans(), fate=fates)
    def settles_a_promise(self, data: st.DataObject, kept: bool, fate: str) -> None:
        if self.promises:
            promise = data.draw(st.sampled_from(self.promises))
            settling = posting(promise, self.now) if kept else voiding(promise, self.now)
            known = self.book.transfers.get(settling.id)
            if known is not None and known.state is settling.state:
                settling = known  # again, later: the settlement that was made stands
            write = ledger.post if kept else ledger.void
            self.do(fate, lambda connection: write(connection, promise.id, self.now), lambda: [settling])

    @rule(amount=amounts.filter(bool), at_once=st.booleans(), fate=fates)
    def pays(self, amount: int, at_once: bool, fate: str) -> None:
        payment = Payment(next(NUMBERS), self.id, amount, self.now, reference=self.id)
        state, write = (State.POSTED, ledger.spend) if at_once else (State.PENDING, ledger.hold)
        parts = list[Transfer]()

        def transfers() -> list[Transfer]:
            parts.extend(spending.pay(payment, self.available(), state))
            return parts

        if self.do(fate, lambda connection: write(connection, payment), transfers):
            self.first_to_expire_was_taken(parts)
            if not at_once:
                self.holds.append((payment.id, tuple(parts)))

    @rule(data=st.data(), amount=amounts, fate=fates)
    def captures(self, data: st.DataObject, amount: int, fate: str) -> None:
        if self.holds:
            payment_id, parts = data.draw(st.sampled_from(self.holds))
            now = self.now
            write: Write = lambda connection: ledger.capture(connection, payment_id, amount, now)  # noqa: E731
            self.do(fate, write, lambda: list(spending.capture(parts, amount, now)))

    @rule(fate=fates)
    def credit_lapses(self, fate: str) -> None:
        due = lapsing(self.book.credits.grants.values(), self.now)
        self.do(fate, lambda connection: ledger.lapse_credit(connection, self.id, self.now), lambda: due)
        if fate != "crashed":
            left = [grant for grant in self.book.credits.grants.values() if grant.available]
            assert all(grant.expires_at > self.now for grant in left)

    def first_to_expire_was_taken(self, parts: list[Transfer]) -> None:
        """No credit of a grant is taken while one that expires before it has any left; no cash while there is any."""
        known = self.book.credits.grants
        taken = [known[use.grant_id] for part in parts for use in self.book.credits.uses.get(part.id, ())]
        last = max(taken, key=first_expiring, default=None)
        for grant in known.values():
            if last is not None and first_expiring(grant) < first_expiring(last):
                assert grant.available == 0
        if any(part.debit == self.cash for part in parts):
            assert self.available()[0] == 0

    @invariant()
    def sql_keeps_what_the_book_says(self) -> None:
        with reading(self.engine) as connection:
            for key in (self.cash, self.credit):
                kept = ledger.balance(connection, key)
                assert kept == self.book.balances.get(key, Balance())
                assert kept.available >= 0
                assert kept.reserved >= 0
            found = grants.grants_of(connection, self.id)
            assert {grant.id: grant for grant in found} == self.book.credits.grants
            assert sum(grant.available for grant in found) == ledger.balance(connection, self.credit).available
            lines = list(statement(connection, self.id))
            holding = lines[-1].holding if lines else (0, 0)
            assert holding == tuple(ledger.balance(connection, key).posted for key in (self.cash, self.credit))


def test_any_interleaving_keeps_the_laws_and_replays_to_the_same_rows(engine: Engine, tmp_path: Path) -> None:
    class OnThisDatabase(MoneyOfAnAdAccount):
        pass

    OnThisDatabase.engine = engine
    run_state_machine_as_test(OnThisDatabase, settings=settings(max_examples=8, stateful_step_count=25, deadline=None))
    with reading(engine) as connection:
        assert verify(connection, "UTC").differences == ()
        assert sum(found.posted for found in ledger.balances(connection).values()) == 0
        recorded, rows = list(ledger.all_transfers(connection)), kept_rows(connection)
        opened = list(ledger.accounts(connection).values())
    again = connect(f"sqlite:///{tmp_path / 'again.db'}")
    migrate(again)
    with again.begin() as connection:
        ledger.open_accounts(connection, opened)
        for transfer in recorded:
            ledger.record(connection, [transfer])
        assert kept_rows(connection) == rows
    again.dispose()


def kept_rows(connection: Connection) -> list[list[tuple[object, ...]]]:
    """All that the ledger keeps, but for the numbers that the database gives its rows."""
    tables = (
        sa.select(*(column for column in ACCOUNT.c if column.name != "moved_to")).order_by(ACCOUNT.c.id),
        sa.select(*TRANSFER_COLUMNS).order_by(TRANSFER.c.sequence),
        sa.select(CREDIT_GRANT).order_by(CREDIT_GRANT.c.id),
        sa.select(CREDIT_USE).order_by(CREDIT_USE.c.transfer_id, CREDIT_USE.c.grant_id),
    )
    return [[tuple(row) for row in connection.execute(table)] for table in tables]
