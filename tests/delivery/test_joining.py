"""An arm of an experiment begins where the plan stands that it is a copy of, and reads it under its own target."""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from qianheng.bidding.bidder import Bidder
from qianheng.core.days import MINUTE
from qianheng.delivery.engine import Engine
from qianheng.delivery.joining import join
from qianheng.delivery.learning import Learning
from qianheng.delivery.unpromoted import Unpromoted
from qianheng.plans.learning import Rules
from tests.delivery.markets import ROOM, SHOP, START, engine, serve

COPY = replace(SHOP, id=9, name="copy")


def lived(minutes: int = 20) -> Engine:
    made, rng = engine(), np.random.default_rng(4)
    for minute in range(minutes):
        serve(made, rng, START + minute * MINUTE, 120)
    return made


def test_a_copy_knows_what_its_model_knows_and_has_spent_nothing() -> None:
    made = lived()
    join(made, COPY, SHOP.id)
    source, row = made.row(SHOP.id), made.row(COPY.id)
    known = made.bidder.snapshot()
    np.testing.assert_array_equal(known["landscape.current"][row], known["landscape.current"][source])
    assert known["landscape.current"][row].any()
    assert made.spent_today[row] == 0 < made.spent_today[source]
    assert made.plans[row] == COPY


def test_a_copy_of_a_live_plan_is_on_air_with_it() -> None:
    made = lived(1)
    join(made, replace(ROOM, id=9), ROOM.id)
    assert made.serving(START + MINUTE)[made.row(9)]


def test_a_copy_with_another_target_reads_the_landscape_under_its_own() -> None:
    made, other = lived(), replace(COPY, target=Decimal(4))
    join(made, other, SHOP.id)
    known = made.bidder.snapshot()["bidder.retargeted"]
    shift = known[made.row(9)] - known[made.row(SHOP.id)]
    assert abs(shift + np.log(2)) < 1e-9  # worth is halved where the target is doubled


def test_a_copy_for_a_quarter_of_the_users_expects_a_quarter_of_what_they_bring() -> None:
    made = lived()
    join(made, replace(COPY, users=(1, 0, 2500)), SHOP.id)
    assert isinstance(made.bidder, Bidder)
    source, row, land = made.row(SHOP.id), made.row(COPY.id), made.bidder.landscape
    np.testing.assert_allclose(land.rest(row, 600), land.rest(source, 600) / 4)
    assert land.rest(source, 600).any()
    made.change(COPY, 1)
    np.testing.assert_allclose(land.rest(row, 600), land.rest(source, 600))


def test_learning_goes_on_where_the_model_stands_and_begins_anew_without_one() -> None:
    rules = Rules(orders=20, days=3, budget_share=0.1, target_share=0.8, impressions=100)
    learning, free = Learning(2, rules), Unpromoted(2)
    learning.seen[1], free.mean[1] = 70, 5.0
    for part in (learning, free):
        part.join(1)
        part.join(None)
    assert learning.seen.tolist() == [0, 70, 70, 0]
    assert free.mean.sum(axis=1).tolist() == [0, 120, 120, 0]
    assert len(learning.phase) == len(learning.courage) == 4
