from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from qianheng.ledger.book import Book, record
from qianheng.ledger.credits import Use, a_year_after, lapsing
from qianheng.ledger.sources import Sources, sources
from qianheng.ledger.spending import Payment, capture, pay
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
ACCOUNTS = {entry.id: entry for entry in (*platform_accounts(), *accounts_of(1))}
EXPENSE, PROMOTIONS, REVENUE, CLEARING = (
    account(kind).id
    for kind in (AccountKind.GUARANTEE_EXPENSE, AccountKind.PROMOTIONS, AccountKind.REVENUE, AccountKind.CLEARING)
)
CASH, CREDIT = (entry.id for entry in accounts_of(1))


def grant(number: int, amount: int, days_ago: int, days: int | None = None) -> Transfer:
    at = NOW - timedelta(days=days_ago)
    return Transfer(number, EXPENSE, CREDIT, amount, at, expires_at=None if days is None else at + timedelta(days))


def spent(number: int, amount: int, days_ago: int, state: State = State.POSTED) -> Transfer:
    return Transfer(number, CREDIT, REVENUE, amount, NOW - timedelta(days=days_ago), state)


def written(*transfers: Transfer) -> Book:
    return record(Book(ACCOUNTS), transfers)[0]


def available(book: Book) -> dict[int, int]:
    return {id_: grant.available for id_, grant in book.credits.grants.items()}


@pytest.mark.parametrize(
    ("transfers", "lapsed"),
    [
        ([grant(1, 100, 364)], []),
        ([grant(1, 100, 365)], [100]),
        ([grant(1, 100, 400), spent(2, 30, 10)], [70]),
        ([grant(1, 100, 400), grant(2, 50, 10), spent(3, 120, 5)], []),
        ([grant(1, 100, 400), spent(2, 30, 10, State.PENDING)], [70]),
        ([grant(1, 100, 20), grant(2, 50, 10, days=10)], [50]),
        ([grant(1, 100, 20), grant(2, 50, 10, days=10), spent(3, 20, 5)], [30]),
        ([grant(1, 100, 20), spent(3, 60, 15), grant(2, 50, 10, days=10)], [50]),
        ([grant(1, 100, 400), grant(2, 7, 390), grant(3, 9, 10, days=9)], [100, 7, 9]),
    ],
)
def test_what_is_left_of_a_grant_ends_when_it_expires_the_first_expiring_being_spent_first(
    transfers: list[Transfer], lapsed: list[int]
) -> None:
    book = written(*transfers)
    due = lapsing(book.credits.grants.values(), NOW)
    assert [transfer.amount for transfer in due] == lapsed
    assert {transfer.credit for transfer in due} <= {EXPENSE}
    after, _ = record(book, due)
    assert lapsing(after.credits.grants.values(), NOW) == []
    assert sum(available(after).values()) == after.balances[CREDIT].available


def test_what_a_hold_did_not_spend_goes_back_to_the_very_grants_it_was_held_of() -> None:
    first, second = grant(1, 30, 10, days=20), grant(2, 70, 10)
    hold = spent(3, 60, 5, State.PENDING)
    held = written(first, second, hold)
    assert available(held) == {1: 0, 2: 40}
    partly, _ = record(held, [posting(hold, NOW, 20)])
    assert available(partly) == {1: 10, 2: 70}
    assert partly.credits.uses[posting(hold, NOW, 20).id] == (Use(1, 20),)
    released, _ = record(held, [voiding(hold, NOW)])
    assert available(released) == {1: 30, 2: 70}


def test_a_promise_of_credit_is_a_grant_only_once_it_is_posted() -> None:
    promise = replace(grant(1, 100, 400), state=State.PENDING)
    assert written(promise).credits.grants == {}
    paid = written(promise, posting(promise, NOW))
    assert [grant.expires_at for grant in paid.credits.grants.values()] == [a_year_after(NOW)]


def test_credit_given_back_keeps_its_old_expiry_when_the_transfer_says_so() -> None:
    soon = NOW + timedelta(days=3)
    back = Transfer(9, REVENUE, CREDIT, 5, NOW, expires_at=soon)
    book = written(grant(1, 5, 10), spent(2, 5, 5), back)
    (lapse,) = lapsing(book.credits.grants.values(), soon)
    assert (lapse.credit, lapse.amount, lapse.reference) == (REVENUE, 5, 9)


def test_credit_released_after_the_rest_of_its_grant_has_lapsed_lapses_too_even_at_that_very_instant() -> None:
    hold, later = spent(3, 20, 5, State.PENDING), NOW + timedelta(days=400)
    book = written(grant(1, 30, 10), hold)
    for left in (10, 20):
        (lapse,) = lapsing(book.credits.grants.values(), later)
        assert lapse.amount == left
        book, _ = record(book, [lapse])
        assert lapsing(book.credits.grants.values(), later) == []
        book, _ = record(book, [voiding(hold, later)])


def test_a_year_after_a_leap_day_is_the_last_of_february() -> None:
    assert a_year_after(datetime(2024, 2, 29, tzinfo=UTC)) == datetime(2025, 2, 28, tzinfo=UTC)


def test_the_book_forgets_all_but_what_later_transfers_can_refer_to() -> None:
    hold, open_hold = spent(3, 60, 5, State.PENDING), spent(4, 10, 5, State.PENDING)
    book = written(grant(1, 100, 10), hold, posting(hold, NOW), open_hold).open_promises()
    assert book.transfers == {4: open_hold}
    again, _ = record(book, [voiding(open_hold, NOW)])
    assert available(again) == {1: 40}


def test_spend_is_traced_to_cash_and_grants_by_the_day_it_was_held_for() -> None:
    top_up = Transfer(5, CLEARING, CASH, 500, NOW - timedelta(days=20))
    book = written(grant(1, 30, 10, days=20), grant(2, 70, 10), top_up)
    day, transfers = NOW - timedelta(days=2), list[Transfer]()
    for number, (amount, taken) in enumerate([(50, 40), (80, 75), (60, 60)]):
        funds = book.balances[CREDIT].available, book.balances[CASH].available
        held = pay(Payment(100 + number, 1, amount, day + timedelta(days=number), reference=42), funds, State.PENDING)
        settled = capture(held, taken, day + timedelta(days=number + 1))
        book, new = record(book, [*held, *settled])
        transfers += new
    found = sources(transfers, book.credits.uses, 1, "UTC")
    assert list(found.values()) == [
        Sources(0, (Use(1, 30), Use(2, 10))),
        Sources(15, (Use(2, 60),)),
        Sources(60, ()),
    ]
    assert [day.isoformat() for day in found] == ["2025-09-29", "2025-09-30", "2025-10-01"]


@pytest.mark.parametrize(
    ("amount", "shared"),
    [
        (0, Sources()),
        (100, Sources(60, (Use(1, 10), Use(2, 30)))),
        (10, Sources(6, (Use(1, 4),))),
        (7, Sources(5, (Use(1, 2),))),
        (50, Sources(30, (Use(1, 10), Use(2, 10)))),
    ],
)
def test_a_share_of_spend_has_its_proportion_of_cash_and_credit(amount: int, shared: Sources) -> None:
    found = Sources(60, (Use(1, 10), Use(2, 30))).share(amount)
    assert found == shared
    assert found.total == amount
