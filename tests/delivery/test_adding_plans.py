"""A plan can join while others serve: it bids, nobody else's books move, and a snapshot carries it."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from qianheng.bidding import Aim
from qianheng.bidding.aims import AIMS
from qianheng.core.days import MINUTE
from qianheng.delivery.engine import Engine
from qianheng.facts.schema import Kind
from qianheng.plans.plan import BidMode
from tests.delivery.markets import ROOM, SHOP, SITE, SPACE, START, engine, serve

MIDDLE = replace(SHOP, id=2, name="middle")


def aim_of(made: Engine) -> Aim:
    return AIMS[int(made.bidder.snapshot()["bidder.aim"][0])]


def test_a_plan_added_between_others_serves_within_its_lease_and_the_others_keep_their_books() -> None:
    made, rng = engine(), np.random.default_rng(1)
    serve(made, rng, START, 300)
    before = made.spent_today.tolist()
    assert made.add(MIDDLE) == 1
    assert made.ids.tolist() == [SHOP.id, MIDDLE.id, ROOM.id]
    assert made.spent_today.tolist() == [before[0], 0, before[1]]
    assert made.left[1] == 0
    made.lease(MIDDLE.id, 200_000)
    facts = [serve(made, rng, START + minute * MINUTE, 300) for minute in range(1, 4)]
    assert any(MIDDLE.id in each[Kind.CHARGE]["plan_id"].to_pylist() for each in facts)
    assert 0 < made.spent_today[1] <= 200_000


def test_a_plan_cannot_be_added_twice() -> None:
    with pytest.raises(ValueError, match="plan 1 is served already"):
        engine().add(SHOP)


def test_a_snapshot_carries_a_plan_that_was_added() -> None:
    made, rng = engine(), np.random.default_rng(2)
    made.add(MIDDLE)
    serve(made, rng, START)
    again = Engine([SHOP, MIDDLE, ROOM], SPACE, SITE, START)
    again.restore(made.snapshot())
    for name, held in made.snapshot().items():
        np.testing.assert_array_equal(held, again.snapshot()[name])


def test_the_aim_of_a_plan_follows_its_bid_mode_and_frees_it_of_its_target() -> None:
    freely = replace(SHOP, bid_mode=BidMode.MAX_DELIVERY, target=None)
    made = engine([SHOP], [10_000_000])
    assert aim_of(made) is Aim.TARGET
    made.change(freely, 1)
    assert aim_of(made) is Aim.DELIVERY
    rng = np.random.default_rng(3)
    for minute in range(5):
        serve(made, rng, START + minute * MINUTE, 100)
    made.change(replace(SHOP, target=Decimal(3)), 2)
    assert aim_of(made) is Aim.TARGET
    assert made.bidder.reading(0).slack == 0
    assert aim_of(engine([freely], [10_000_000])) is Aim.DELIVERY
