"""What stays of fee, commission and coupons after refunds: the share of what was kept, whatever the refunds' order."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.money import FEN, YUAN
from qianheng.incentives.settling import Taken
from qianheng.incentives.terms import Rate, Rule

ORDER = Taken(100 * YUAN, coupon=6 * YUAN, subsidy=4 * YUAN, commission=20 * YUAN, service_fee=600_000)


@pytest.mark.parametrize(
    ("refunded", "expected"),
    [
        pytest.param(0, ORDER, id="all is kept"),
        pytest.param(100 * YUAN, Taken(), id="nothing is kept"),
        pytest.param(130 * YUAN, Taken(), id="more was given back than paid"),
        pytest.param(25 * YUAN, Taken(75 * YUAN, 4_500_000, 3 * YUAN, 15 * YUAN, 450_000), id="a quarter"),
        pytest.param(1, Taken(99_999_999, 5_999_999, 3_999_999, 19_999_999, 599_999), id="a millionth, rounded down"),
    ],
)
def test_what_stays_of_an_order(refunded: int, expected: Taken) -> None:
    assert ORDER.settled(refunded) == expected


def test_what_a_shop_has_of_an_order_is_what_buyer_and_platform_pay_less_what_is_taken() -> None:
    assert ORDER.from_buyers == 90 * YUAN
    assert ORDER.proceeds == 90 * YUAN + 4 * YUAN - 20 * YUAN - 600_000


def test_an_order_of_nothing_keeps_nothing() -> None:
    assert Taken().settled(5) == Taken()


amounts = st.integers(1, 10**7).map(lambda fen: fen * FEN)
shares = st.decimals(0, Decimal("0.9999"), places=4)


@given(amounts, shares, st.lists(st.integers(0, 10**6).map(lambda fen: fen * FEN), max_size=6), st.randoms())
def test_after_any_refunds_in_any_order_what_stays_is_the_rate_times_what_was_kept(
    amount: int, share: Decimal, refunds: list[int], random: object
) -> None:
    order = Taken(amount, commission=Rate(share, Rule.CREATOR).of(amount))
    shuffled = sorted(refunds, key=lambda _: random.random())  # type: ignore[attr-defined]
    kept = max(amount - sum(refunds), 0)
    assert order.settled(sum(shuffled)).commission == int(kept * share)  # exact: amounts are fen, shares have 4 places


@given(st.integers(1, 10**12), st.decimals(0, Decimal("0.999999999"), places=9), st.integers(0, 10**12))
def test_an_amount_that_is_no_whole_fen_loses_under_two_micro_yuan_to_rounding(
    amount: int, share: Decimal, refunded: int
) -> None:
    order = Taken(amount, service_fee=Rate(share, Rule.CATEGORY).of(amount))
    exact = max(amount - refunded, 0) * share
    assert exact - 2 < order.settled(refunded).service_fee <= exact


@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=5))
def test_buyers_platform_and_shop_together_never_gain_or_lose(orders: list[tuple[int, int]]) -> None:
    kept = sum((Taken(a, a // 10, a // 20, a // 5, a // 30).settled(r) for a, r in orders), Taken())
    assert kept.from_buyers + kept.subsidy == kept.proceeds + kept.commission + kept.service_fee
    assert min(kept.from_buyers, kept.proceeds, kept.subsidy) >= 0
