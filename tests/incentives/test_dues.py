"""The money of orders in the ledger: promised when paid, moved when settled, never twice, always what was kept."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.money import YUAN
from qianheng.incentives.dues import UNNAMED, Due, Flow, Origin, Takings, accounts, dues, transfers
from qianheng.incentives.settling import Taken
from qianheng.ledger.book import Book, record
from qianheng.ledger.transfers import AccountKind, State, Transfer, account

ORIGIN, CREATOR = Origin(1, 5, date(2025, 10, 1)), 8
NOW = datetime(2025, 10, 2, tzinfo=UTC)
STAMPED = Taken(100 * YUAN, coupon=6 * YUAN, subsidy=4 * YUAN, commission=20 * YUAN, service_fee=600_000)
KEPT = STAMPED.settled(25 * YUAN)


def sold(estimated: Taken, kept: Taken) -> Takings:
    return Takings({CREATOR: estimated}, {CREATOR: kept})


def due(flow: Flow, settled: bool) -> Due:
    return next(one for one in dues(ORIGIN, sold(STAMPED, KEPT), settled) if one.flow is flow)


@pytest.mark.parametrize(
    ("flow", "debit", "credit", "estimated", "settled"),
    [
        (Flow.SALES, (AccountKind.CLEARING, 0), (AccountKind.PROCEEDS, 1), "90", "67.5"),
        (Flow.SUBSIDY, (AccountKind.COUPONS, 0), (AccountKind.PROCEEDS, 1), "4", "3"),
        (Flow.SERVICE_FEE, (AccountKind.PROCEEDS, 1), (AccountKind.SERVICE_FEES, 0), "0.6", "0.45"),
        (Flow.COMMISSION, (AccountKind.PROCEEDS, 1), (AccountKind.COMMISSION, CREATOR), "20", "15"),
    ],
)
def test_who_is_due_what(
    flow: Flow, debit: tuple[AccountKind, int], credit: tuple[AccountKind, int], estimated: str, settled: str
) -> None:
    found = due(flow, True)
    assert (found.debit, found.credit) == (account(*debit), account(*credit))
    assert (found.estimated, found.settled) == (round(float(estimated) * YUAN), round(float(settled) * YUAN))
    assert due(flow, False).settled is None


def test_orders_without_commission_owe_nobody_any() -> None:
    plain = Taken(100 * YUAN)
    found = list(dues(ORIGIN, Takings({UNNAMED: plain}, {UNNAMED: plain}), True))
    assert [one.flow for one in found] == [Flow.SALES]


def test_it_is_promised_once_and_the_refunded_part_is_released() -> None:
    fee = due(Flow.SERVICE_FEE, False)
    (promised,) = transfers(fee, [], NOW)
    assert (promised.state, promised.amount, promised.reason) == (State.PENDING, 600_000, "service_fee")
    assert list(transfers(fee, [promised], NOW + timedelta(days=1))) == []
    (posted,) = transfers(due(Flow.SERVICE_FEE, True), [promised], NOW)
    assert (posted.state, posted.amount, posted.pending_id) == (State.POSTED, 450_000, promised.id)
    assert list(transfers(due(Flow.SERVICE_FEE, True), [promised, posted], NOW)) == []


@pytest.mark.parametrize(
    ("known", "back"), [pytest.param(600_000, True, id="a refund told late"), pytest.param(1, False, id="a late order")]
)
def test_what_comes_to_be_known_after_settling_moves_the_difference(known: int, back: bool) -> None:
    fee = due(Flow.SERVICE_FEE, True)
    before = Transfer(1, fee.debit.id, fee.credit.id, known, NOW, reason="service_fee", reference=fee.reference)
    (made,) = transfers(fee, [before], NOW)
    assert made.amount == abs(450_000 - known)
    assert ((made.debit, made.credit) == (fee.credit.id, fee.debit.id)) is back
    assert list(transfers(fee, [before, made], NOW)) == []


orders = st.builds(
    lambda yuan, commission, subsidy: Taken(
        yuan * YUAN, subsidy=subsidy * YUAN, commission=yuan * commission * YUAN // 100, service_fee=yuan * YUAN // 20
    ),
    st.integers(10, 500),
    st.integers(0, 40),
    st.integers(0, 5),
)
# Each order: its stamp, its creator, the close that first knows it, what is refunded of it and the close that knows.
told = st.lists(
    st.tuples(orders, st.sampled_from([UNNAMED, CREATOR]), st.integers(0, 5), st.integers(0, 600), st.integers(0, 6)),
    max_size=8,
)


@given(told, st.integers(0, 6), st.booleans())
def test_after_everything_is_told_in_any_order_everybody_has_what_was_kept_and_nothing_is_pending(
    facts: list[tuple[Taken, int, int, int, int]], window_closes: int, twice: bool
) -> None:
    ledger = Book({one.id: one for one in (account(AccountKind.CLEARING), account(AccountKind.COUPONS))})
    coupons = account(AccountKind.COUPONS)
    fund = Transfer(9, account(AccountKind.CLEARING).id, coupons.id, 10**12, NOW)
    ledger, _ = record(ledger, [fund])
    for close in range(8):
        known = [one for one in facts if one[2] <= close]
        estimated, kept = dict[int, Taken](), dict[int, Taken]()
        for stamped, creator, _, refunded, at in known:
            estimated[creator] = estimated.get(creator, Taken()) + stamped
            left = stamped.settled(refunded * YUAN if at <= close else 0)
            kept[creator] = kept.get(creator, Taken()) + left
        found = list(dues(ORIGIN, Takings(estimated, kept), close >= window_closes))
        ledger.accounts.update({one.id: one for one in accounts(found)})
        for _ in range(1 + twice):
            moves = [move for one in found for move in transfers(one, ledger.transfers.values(), NOW)]
            ledger, _ = record(ledger, moves)
    total = sum((stamped.settled(refunded * YUAN) for stamped, _, _, refunded, _ in facts), Taken())
    of_creator = sum((s.settled(r * YUAN) for s, creator, _, r, _ in facts if creator == CREATOR), Taken())
    has = {key: balance.posted for key, balance in ledger.balances.items()}
    assert has.get(account(AccountKind.PROCEEDS, 1).id, 0) == total.proceeds
    assert has.get(account(AccountKind.SERVICE_FEES).id, 0) == total.service_fee
    assert has.get(account(AccountKind.COMMISSION, CREATOR).id, 0) == of_creator.commission
    assert has[coupons.id] == 10**12 - total.subsidy
    assert sum(has.values()) == 0
    assert all(balance.reserved == balance.incoming == 0 for balance in ledger.balances.values())
