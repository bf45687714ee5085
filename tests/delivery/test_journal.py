"""Every decision kept can be made again from its own record, and says truly why it was lost."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.auction.pricing import Pricing
from qianheng.core.days import MINUTE, moment
from qianheng.core.placements import Placement
from qianheng.delivery.journal import Journal, crossed, replayed, sampled
from qianheng.facts.schema import Fate
from qianheng.plans.plan import PlanStatus
from tests.delivery.markets import ROOM, SHOP, SITE, START, engine, requests

AMOUNTS = st.integers(0, 50_000) | st.integers(0, 5_000_000)


def journal_of(made: object, rate: float, seed: int, minutes: int = 4, count: int = 40) -> pa.Table:
    """Some minutes of service, written down."""
    kept, rng = Journal(rate), np.random.default_rng(seed)
    for minute in range(minutes):
        now = START + minute * MINUTE
        tick = made.tick(requests(rng, now, count), now)  # type: ignore[attr-defined]
        seen = rng.random(len(tick.decisions)) < 0.8
        kept.note(made, tick, seen, now)  # type: ignore[arg-type]
        made.shown(tick, seen, seen, now)  # type: ignore[attr-defined]
    return kept.take()


@settings(max_examples=25, deadline=None)
@given(st.tuples(AMOUNTS, AMOUNTS), st.integers(0, 2**32))
def test_every_decision_is_made_again_from_its_record(leases: tuple[int, int], seed: int) -> None:
    kept = journal_of(engine(leases=leases), 1.0, seed)
    again = replayed(kept)
    assert again.agrees.all(), kept.filter(pa.array(~again.agrees)).to_pylist()[:2]
    assert kept.num_rows == 4 * 40 * 2


@pytest.mark.parametrize("rule", [*Pricing])
def test_every_rule_of_a_price_is_made_again(rule: Pricing) -> None:
    made = engine()
    made.site = replace(SITE, pricing=(rule, rule))
    kept = journal_of(made, 1.0, 11)
    assert replayed(kept).agrees.all()
    assert {*kept["pricing"].to_pylist()} == {str(rule)}
    assert fates(kept, SHOP.id)[Fate.WON] > 0


@pytest.mark.parametrize("column", ["predicted", "share", "factor", "shade", "slot", "price", "prices"])
def test_a_record_that_was_tampered_with_does_not_agree(column: str) -> None:
    kept = journal_of(engine(), 1.0, 3)
    won = kept.filter(pc.field("slot") > 0)
    values: list[Any] = won[column].to_pylist()
    wrong = [[price * 2 + 10 for price in one] if column == "prices" else one * 2 + 10 for one in values]
    place = won.schema.get_field_index(column)
    changed = won.set_column(place, won.schema.field(place), pa.array(wrong, won.schema.field(place).type))
    assert not replayed(changed).agrees.any()


def test_all_wins_are_kept_and_the_sample_grows_with_its_rate() -> None:
    few, many, all_ = (journal_of(engine(), rate, 5) for rate in (0.0, 0.3, 1.0))
    wins = [np.sort(kept.filter(pc.field("slot") > 0)["id"].to_numpy()).tolist() for kept in (few, many, all_)]
    assert wins[0] == wins[1] == wins[2] != []
    assert few.num_rows == len(wins[0])
    assert {*few["id"].to_pylist()} <= {*many["id"].to_pylist()} <= {*all_["id"].to_pylist()}
    assert len({*all_["id"].to_pylist()}) == all_.num_rows


@given(st.floats(0, 1))
def test_the_sample_has_its_rate(rate: float) -> None:
    ids = np.random.default_rng(1).integers(0, 2**62, 4000)
    assert abs(sampled(ids, rate).mean() - rate) < 0.05
    assert not sampled(ids, 0.0).any()
    assert sampled(ids, 1.0).all()


def fates(kept: pa.Table, plan_id: int) -> Counter[str]:
    return Counter(map(str, kept.filter(pc.field("plan_id") == plan_id)["fate"].to_pylist()))


def test_a_plan_that_is_paused_off_air_or_without_money_says_so() -> None:
    made = engine(leases=(10_000_000, 0))
    made.change(replace(SHOP, status=PlanStatus.PAUSED), 1)
    kept = journal_of(made, 1.0, 6)
    assert fates(kept, SHOP.id) == {Fate.PAUSED: 160}
    assert fates(kept, ROOM.id) == {Fate.OUT_OF_BUDGET: 160}
    made = engine()
    made.on_air_until[made.row(ROOM.id)] = 0
    assert fates(journal_of(made, 1.0, 6), ROOM.id) == {Fate.OFF_AIR: 160}


def test_a_plan_outside_its_placements_or_hours_says_so() -> None:
    told = fates(journal_of(engine([replace(SHOP, placements=(Placement(0),))], [10_000_000]), 1.0, 6), SHOP.id)
    assert told[Fate.OUTSIDE_PLACEMENT] > 0
    assert told[Fate.WON] > 0
    hour = moment(START, SHOP.timezone).hour
    closed = replace(SHOP, schedule=tuple(one for one in range(24) if one != hour))
    assert fates(journal_of(engine([closed], [10_000_000]), 1.0, 6), SHOP.id) == {Fate.OFF_SCHEDULE: 160}


def test_a_plan_with_money_is_never_said_to_be_without() -> None:
    assert not fates(journal_of(engine([SHOP], [10_000_000]), 1.0, 10), SHOP.id)[Fate.OUT_OF_BUDGET]


def test_money_that_ends_within_a_step_is_told_from_being_outbid() -> None:
    told = fates(journal_of(engine([SHOP], [150_000]), 1.0, 7, minutes=1, count=400), SHOP.id)
    assert told[Fate.OUT_OF_BUDGET] > 0
    assert told[Fate.OUTBID] > 0
    assert told[Fate.WON] > 0
    assert told[Fate.UNSEEN] > 0


def test_a_bid_below_the_reserve_is_told_as_such() -> None:
    made = engine([replace(SHOP, target=SHOP.target and SHOP.target * 400)], [10_000_000])
    assert fates(journal_of(made, 1.0, 8), SHOP.id) == {Fate.BELOW_RESERVE: 160}


def test_the_opportunity_of_a_decision_is_found_again() -> None:
    kept, rng = journal_of(engine(), 1.0, 9, minutes=1), np.random.default_rng(9)
    found = crossed(kept["id"].to_numpy(), kept["plan_id"].to_numpy())
    assert sorted(found.tolist()) == sorted(requests(rng, START, 40).id.tolist() * 2)
