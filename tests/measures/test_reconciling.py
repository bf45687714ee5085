"""Differences between a platform's row and the shop's orders: the causes named always add up to them exactly."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.days import HOUR, SHANGHAI, microseconds, midnight
from qianheng.core.money import YUAN
from qianheng.measures.reconciling import Books, Reconciled, Told, reconcile
from qianheng.measures.reports import Figures
from qianheng.measures.shop_orders import ShopOrder, ShopRefund

DAY = date(2026, 9, 10)
SINCE = microseconds(midnight(DAY, SHANGHAI))
ORDERS = tuple(ShopOrder(str(i), str(i), "36", SINCE + i * HOUR, 100 * YUAN, 5 * YUAN, 3 * YUAN) for i in range(1, 5))
REFUNDS = (ShopRefund("r1", "1", SINCE + HOUR + HOUR // 2, 50 * YUAN, 4 * YUAN),)
TOLD = Figures(
    gmv=432 * YUAN, orders=4, refunded_1h=54 * YUAN, coupon=12 * YUAN, subsidy=20 * YUAN, buyer_paid=400 * YUAN
)
BOOKS = Books(DAY, ORDERS, REFUNDS, SHANGHAI)


def sums(found: Reconciled) -> Told:
    """What all causes come to; of what the platform does not tell, none may have any."""
    told = {
        name: None if getattr(found.platform, name) is None and not whole else whole
        for name in ("gmv", "orders", "refunded_1h")
        for whole in [sum(getattr(part, name) for part in found.parts)]
    }
    return Told(**told)


def causes(found: Reconciled) -> dict[str, tuple[int, int, int]]:
    return {part.cause: (part.gmv // YUAN, part.orders, part.refunded_1h // YUAN) for part in found.parts}


WHOLE = {"coupon": (12, 0, 0), "subsidy": (20, 0, 0), "refund_discount": (0, 0, 4)}
ABNORMAL = replace(ORDERS[3], abnormal=True)
LATE = replace(ORDERS[0], placed_at=SINCE - HOUR)
CASES = [
    ("the official formula", TOLD, BOOKS, True, WHOLE),
    (
        "a presale the platform counts already",
        replace(TOLD, gmv=482 * YUAN),
        BOOKS,
        True,
        WHOLE | {"presale": (50, 0, 0)},
    ),
    (
        "an abnormal order that the platform leaves out",
        replace(TOLD, gmv=332 * YUAN, orders=3, buyer_paid=300 * YUAN),
        replace(BOOKS, orders=(*ORDERS[:3], ABNORMAL)),
        True,
        WHOLE | {"abnormal": (-100, -1, 0)},
    ),
    (
        "an order placed before midnight",
        replace(TOLD, gmv=332 * YUAN, orders=3, buyer_paid=300 * YUAN),
        replace(BOOKS, orders=(LATE, *ORDERS[1:])),
        True,
        WHOLE | {"day_border": (-100, -1, 0)},
    ),
    (
        "an order that only the platform has",
        replace(TOLD, gmv=493 * YUAN, orders=5, buyer_paid=461 * YUAN),
        BOOKS,
        True,
        WHOLE | {"only_platform": (61, 1, 0)},
    ),
    (
        "a day that still moves",
        replace(TOLD, gmv=332 * YUAN, orders=3, buyer_paid=300 * YUAN),
        BOOKS,
        False,
        WHOLE | {"not_mature": (-100, -1, 0)},
    ),
    (
        "an abnormal order that does not explain it",
        replace(TOLD, gmv=302 * YUAN, orders=3, buyer_paid=270 * YUAN),
        replace(BOOKS, orders=(*ORDERS[:3], ABNORMAL)),
        True,
        WHOLE | {"only_shop": (-130, -1, 0)},
    ),
]


@pytest.mark.parametrize(("why", "told", "books", "mature", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_difference_is_laid_to_its_cause(
    why: str, told: Figures, books: Books, mature: bool, expected: dict[str, tuple[int, int, int]]
) -> None:
    found = reconcile("1790", told, books, mature)
    assert causes(found) == expected, why
    assert sums(found) == found.difference


amount = st.integers(0, 10**10)


@given(
    told=st.builds(
        Figures,
        gmv=st.none() | amount,
        orders=st.none() | st.integers(0, 9),
        refunded_1h=st.none() | amount,
        buyer_paid=st.none() | amount,
    ),
    orders=st.lists(st.tuples(amount, st.booleans(), st.integers(0, 30)), max_size=6),
    mature=st.booleans(),
)
def test_causes_always_add_up_to_the_difference(
    told: Figures, orders: list[tuple[int, bool, int]], mature: bool
) -> None:
    bought = tuple(
        ShopOrder(str(i), str(i), "", SINCE + i, paid, abnormal=abnormal, placed_at=SINCE - hours * HOUR)
        for i, (paid, abnormal, hours) in enumerate(orders)
    )
    found = reconcile("", told, Books(DAY, bought, (), SHANGHAI), mature)
    assert sums(found) == found.difference


def test_what_the_platform_does_not_tell_is_compared_with_nothing() -> None:
    found = reconcile("", replace(TOLD, refunded_1h=None), BOOKS, True)
    assert (found.platform.refunded_1h, found.difference.refunded_1h) == (None, None)
    assert causes(found) == {"coupon": (12, 0, 0), "subsidy": (20, 0, 0)}
