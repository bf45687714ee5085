"""Claims, invalid traffic, compensations of a boost and of its plan on one day: never too much together."""

from datetime import timedelta
from pathlib import Path

import pytest

from qianheng.actions import claims
from qianheng.core.actors import REVIEWER
from qianheng.core.days import midnight
from qianheng.core.money import micros
from qianheng.guarantee.overlap import SpentDay
from qianheng.store import ledger
from qianheng.store.database import reading
from tests.actions.boosted_days import BOOSTED, boosted
from tests.actions.claimed_days import CHARGES, DAY, FINANCE, SPEND, Shop, asked, fraud, opened, undone


def claim(shop: Shop, later: int) -> None:
    """A claim for all that may be claimed, filed and granted at nine."""
    on = shop.on(DAY + timedelta(days=later + 1))
    filed = claims.file(on.of(FINANCE), asked())
    claims.take(on.of(REVIEWER), filed.claim.id)
    claims.approve(on.of(REVIEWER), filed.claim.id)


def find_invalid(shop: Shop, later: int, of_boost: bool) -> None:
    """Half of what the plan, or its boost, was charged turns out to be fraud, and half of the plan's orders are undone
    with the former."""
    told = midnight(DAY + timedelta(days=later + 1)) + timedelta(hours=10)
    for charge in range(1, CHARGES // 2 + 1):
        shop.tell(fraud(100 + charge if of_boost else charge, told))
    if not of_boost:
        for order in range(1, 6):
            shop.tell(undone(order, told))


def given_back(folder: Path, policy: str, happens: dict[int, str]) -> SpentDay:
    """What was given back of the day in the end, when so much happened on the mornings after its end."""
    with opened(folder, policy=policy) as shop:
        boosted(shop)
        for later in range(10):
            shop.close_until(DAY + timedelta(days=later + 1))
            if happens.get(later) == "claim":
                claim(shop, later)
            elif later in happens:
                find_invalid(shop, later, happens[later] == "invalid boost")
        with reading(shop.desk.database) as connection:
            assert ledger.balanced(connection)
        return shop.day


# When the claim for all that may be claimed is granted, what is found when (mornings after the day), and what went back
# in the end by the plan's compensation, its boost's, the claim, and as invalid traffic. Worth are 555.56 and 1800.
ORDERS = [
    ("shopee-gmv-max", {0: "claim", 4: "invalid"}, ("277.78", "244.44", "2000", "500")),
    (
        "shopee-gmv-max",
        {0: "claim", 4: "invalid boost"},
        ("500", "0", "2000", "1500"),
    ),  # no more is valid
    (
        "shopee-gmv-max",
        {3: "claim", 4: "invalid"},
        ("55.56", "1800", "1644.44", "500"),
    ),  # the boost's leaves so much
    (
        "shopee-gmv-max",
        {3: "claim", 4: "invalid boost"},
        ("555.56", "0", "1644.44", "1500"),
    ),  # and this is not lost
    ("shopee-gmv-max", {1: "invalid", 2: "claim"}, ("277.78", "1800", "1422.22", "500")),
    (
        "seed",
        {1: "claim", 4: "invalid"},
        ("0", "1500", "2000", "500"),
    ),  # the boost's falls itself
]


@pytest.mark.parametrize(("policy", "happens", "amounts"), ORDERS)
def test_in_every_order_no_more_is_compensated_than_is_valid_and_not_claimed(
    tmp_path: Path, policy: str, happens: dict[int, str], amounts: tuple[str, ...]
) -> None:
    day = given_back(tmp_path, policy, happens)
    went = (day.compensated, day.boosts_compensated, day.claimed_amount, day.invalid)
    assert went == tuple(micros(amount) for amount in amounts)
    assert sum(went) <= SPEND + BOOSTED
