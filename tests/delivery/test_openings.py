"""A plan bids only in its placements and its hours, and a change of either acts in the same step."""

from dataclasses import replace

import numpy as np
import pytest

from qianheng.core.days import HOUR, MINUTE, moment
from qianheng.core.placements import Placement
from qianheng.facts.batch import join
from qianheng.facts.schema import Kind
from tests.delivery.markets import SHOP, START, engine, serve

MILLION = 10_000_000


@pytest.mark.parametrize("placement", [Placement.FEED, Placement.LIVE_SQUARE])
def test_a_plan_limited_to_a_placement_is_shown_nowhere_else(placement: Placement) -> None:
    plan = replace(SHOP, placements=(placement,))
    made, rng = engine([plan], [MILLION]), np.random.default_rng(1)
    facts = join(serve(made, rng, START + minute * MINUTE) for minute in range(20))
    assert set(facts[Kind.IMPRESSION]["placement"].to_pylist()) == {int(placement)}


def test_a_plan_bids_in_its_hours_only() -> None:
    hour = moment(START, SHOP.timezone).hour
    plan = replace(SHOP, schedule=(hour + 1,))
    made, rng = engine([plan], [MILLION]), np.random.default_rng(2)
    shown = [len(serve(made, rng, START + quarter * HOUR // 4, 100)) > 0 for quarter in range(12)]
    assert shown == [False] * 4 + [True] * 4 + [False] * 4


def test_a_change_of_placements_or_hours_acts_in_the_same_step() -> None:
    made, rng = engine([SHOP], [MILLION]), np.random.default_rng(3)
    made.change(replace(SHOP, placements=(Placement.LIVE_SQUARE,)), 1)
    assert set(serve(made, rng, START, 200)[Kind.CHARGE]["placement"].to_pylist()) == {int(Placement.LIVE_SQUARE)}
    made.change(replace(SHOP, schedule=(moment(START, SHOP.timezone).hour + 2,)), 2)
    assert len(serve(made, rng, START + MINUTE, 200)) == 0
