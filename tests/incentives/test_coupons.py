"""Coupons: who gets which, who pays, and never a fen beyond a budget, a lease or a limit."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.errors import BadInput
from qianheng.core.money import YUAN
from qianheng.incentives.coupons import NONE, Basket, Coupon, Given, Wallet

TEN = Coupon(1, "100-10", 10 * YUAN, 100 * YUAN, Decimal("0.4"), 35 * YUAN, frozenset({11, 12}), 1000, 2000, 2)
FIVE = replace(TEN, id=2, name="50-5", value=5 * YUAN, threshold=50 * YUAN, shop_share=Decimal(1), per_user=0)
ORDER = Basket(order_id=1, user_id=7, product_id=11, amount=120 * YUAN, at=1000)
GOT = Given(1, 4 * YUAN, 6 * YUAN)


def wallet(*coupons: Coupon, lease: int = 1000 * YUAN) -> Wallet:
    made = Wallet(coupons)
    made.lease(lease)
    return made


@pytest.mark.parametrize(
    ("basket", "expected"),
    [
        pytest.param(ORDER, GOT, id="shared by shop and platform"),
        pytest.param(replace(ORDER, amount=100 * YUAN), GOT, id="exactly at the threshold"),
        pytest.param(replace(ORDER, amount=100 * YUAN - 1), Given(2, 5 * YUAN, 0), id="below it: the smaller one"),
        pytest.param(replace(ORDER, amount=49 * YUAN), NONE, id="below both"),
        pytest.param(replace(ORDER, at=999), NONE, id="too early"),
        pytest.param(replace(ORDER, at=1999), GOT, id="at the last moment"),
        pytest.param(replace(ORDER, at=2000), NONE, id="too late"),
        pytest.param(replace(ORDER, product_id=13), NONE, id="another product"),
    ],
)
def test_which_coupon_an_order_gets(basket: Basket, expected: Given) -> None:
    assert wallet(FIVE, TEN).give(basket) == expected


def test_a_user_gets_it_as_often_as_the_limit_says() -> None:
    made = wallet(TEN)
    assert [made.give(replace(ORDER, order_id=number)) for number in range(3)] == [GOT, GOT, NONE]
    assert made.give(replace(ORDER, order_id=9, user_id=8)) == GOT


def test_the_same_order_again_gets_what_it_got_and_counts_once() -> None:
    made = wallet(replace(TEN, budget=10 * YUAN))
    refused = replace(ORDER, order_id=2)
    assert [made.give(ORDER), made.give(refused), made.give(ORDER)] == [GOT, NONE, GOT]
    made.coupons = [replace(TEN, budget=20 * YUAN)]
    assert made.give(refused) == NONE
    assert made.given[1] == 10 * YUAN


def test_what_the_budget_does_not_hold_whole_is_not_given() -> None:
    made = wallet(replace(TEN, per_user=0))  # 35 yuan: three times, and five are left
    got = [made.give(replace(ORDER, order_id=number)) for number in range(5)]
    assert got == [GOT, GOT, GOT, NONE, NONE]
    assert made.left(made.coupons[0]) == 5 * YUAN


def test_without_a_lease_the_platform_pays_nothing_and_a_shops_own_coupon_goes_on() -> None:
    made = wallet(TEN, FIVE, lease=6 * YUAN - 1)
    assert made.give(ORDER) == Given(2, 5 * YUAN, 0)
    assert made.leased == 6 * YUAN - 1


def test_what_could_be_asked_of_the_platform_is_its_part_of_all_that_is_left() -> None:
    made = wallet(TEN, FIVE)
    assert made.wanted() == 3 * 6 * YUAN
    made.give(ORDER)
    assert made.wanted() == 2 * 6 * YUAN


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": 0},
        {"value": 101 * YUAN},
        {"shop_share": Decimal("1.1")},
        {"budget": -1},
        {"per_user": -1},
        {"until": 1000},
    ],
)
def test_what_a_coupon_may_not_be(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        replace(TEN, **wrong)  # type: ignore[arg-type]


baskets = st.builds(
    Basket,
    order_id=st.integers(0, 40),
    user_id=st.integers(0, 3),
    product_id=st.integers(11, 13),
    amount=st.integers(0, 300).map(lambda yuan: yuan * YUAN),
    at=st.integers(900, 2100),
)
coupons = st.builds(
    Coupon,
    id=st.integers(1, 4),
    name=st.just("c"),
    value=st.integers(1, 20).map(lambda yuan: yuan * YUAN),
    threshold=st.integers(20, 200).map(lambda yuan: yuan * YUAN),
    shop_share=st.decimals(0, 1, places=3),
    budget=st.integers(0, 90).map(lambda yuan: yuan * YUAN),
    product_ids=st.frozensets(st.integers(11, 13)),
    first=st.just(1000),
    until=st.just(2000),
    per_user=st.integers(0, 2),
)
days = st.lists(st.tuples(st.integers(0, 60 * YUAN), st.lists(baskets, max_size=15)), max_size=4)


@given(st.lists(coupons, max_size=4, unique_by=lambda coupon: coupon.id), days)
def test_no_budget_lease_or_limit_is_ever_exceeded_also_after_a_kill(
    told: list[Coupon], lived: list[tuple[int, list[Basket]]]
) -> None:
    made = Wallet(told)
    got: dict[int, tuple[Basket, Given]] = {}
    for lease, orders in lived:
        made.lease(lease)
        before = {basket.order_id for basket, _ in got.values()}
        for basket in orders:
            got.setdefault(basket.order_id, (basket, made.give(basket)))
        assert sum(had.of_platform for key, (_, had) in got.items() if key not in before) == lease - made.leased
        assert made.leased >= 0
        again = Wallet(told)
        again.restore(made.snapshot())
        made = again
    total, used = Counter[int](), Counter[tuple[int, int]]()
    for basket, had in got.values():
        total[had.coupon_id] += had.of_shop + had.of_platform
        used[had.coupon_id, basket.user_id] += 1
    for coupon in told:
        assert total[coupon.id] == made.given[coupon.id] <= coupon.budget
        assert not coupon.per_user or max((used[coupon.id, user] for user in range(4)), default=0) <= coupon.per_user
