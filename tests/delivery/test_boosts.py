"""A boost spends its own money in its own window, on what the plan would not have had, and moves no other books."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.core.days import HOUR, MINUTE
from qianheng.delivery.engine import Engine
from qianheng.facts.batch import FactBatch, join
from qianheng.facts.schema import Kind
from qianheng.plans.boost import Boost, BoostKind
from qianheng.plans.plan import PlanStatus
from tests.delivery.markets import ROOM, SHOP, START, engine, requests, serve

STEP = MINUTE
RUSH = Boost(71, SHOP.id, BoostKind.PLAN, 3_000_000, START + HOUR, START + 2 * HOUR)
PUSH = Boost(72, SHOP.id, BoostKind.CREATIVE, 3_000_000, START + HOUR, START + 3 * HOUR, None, (11,))


def boosted(boosts: Sequence[Boost], lease: int = 3_000_000, budget: int = 10_000_000) -> Engine:
    made = engine([replace(SHOP, budget_daily=budget)], [budget])
    made.run_boosts(boosts)
    for boost in boosts:
        made.lease(boost.id, lease)
    return made


def hours(made: Engine, count: float, each: int = 12) -> FactBatch:
    rng = np.random.default_rng(1)
    return join(serve(made, rng, START + minute * MINUTE, each) for minute in range(int(60 * count)))


def charged(facts: FactBatch, kind: BoostKind) -> list[tuple[int, int]]:
    """(time, amount) of the charges of that kind."""
    charges = facts[Kind.CHARGE]
    columns = (charges[name].to_pylist() for name in ("at", "amount", "boost"))
    return [(at, amount) for at, amount, boost in zip(*columns, strict=True) if boost == kind]


def test_a_boost_spends_its_budget_within_its_window_and_nothing_outside() -> None:
    charges = charged(hours(boosted([RUSH]), 3), BoostKind.PLAN)
    assert 0.9 * RUSH.budget < sum(amount for _, amount in charges) <= RUSH.budget
    assert all(RUSH.starts <= at < RUSH.ends for at, _ in charges)


def test_it_spreads_its_budget_over_its_window() -> None:
    charges = charged(hours(boosted([RUSH]), 2), BoostKind.PLAN)
    first_half = sum(amount for at, amount in charges if at < RUSH.starts + HOUR // 2)
    assert 0.3 < first_half / sum(amount for _, amount in charges) < 0.7


def test_a_boost_brings_more_than_the_plan_alone() -> None:
    alone, with_boost = hours(boosted([]), 2), hours(boosted([RUSH]), 2)
    assert with_boost[Kind.IMPRESSION].num_rows > 1.05 * alone[Kind.IMPRESSION].num_rows


def test_the_plans_own_books_hold_only_its_own_spend() -> None:
    made = boosted([RUSH])
    facts = hours(made, 2)
    own = sum(amount for _, amount in charged(facts, BoostKind.NONE))
    assert made.spent_today[0] == own
    assert made.bidder.snapshot()["bidder.spend"][0] == own
    assert made.boosts.spent_today[0] == sum(amount for _, amount in charged(facts, BoostKind.PLAN))


def test_the_plan_pays_where_its_own_bid_would_have_won_and_the_boost_only_elsewhere() -> None:
    made, rng = boosted([RUSH]), np.random.default_rng(3)
    for minute in range(70):
        serve(made, rng, START + minute * MINUTE, 12)
    tick = made.tick(requests(rng, START + 70 * MINUTE, 400), START + 70 * MINUTE)
    own_bid = np.minimum(tick.asked.bid[tick.decisions.row, 0], tick.asked.left[0])
    would_have_won = np.ceil(own_bid) >= tick.decisions.price
    assert set(tick.boost[would_have_won].tolist()) == {BoostKind.NONE}
    assert set(tick.boost[~would_have_won].tolist()) == {BoostKind.PLAN}


def test_a_boost_of_creatives_shows_nothing_but_them() -> None:
    facts = hours(boosted([PUSH]), 3)
    charges, impressions = facts[Kind.CHARGE], facts[Kind.IMPRESSION]
    product = dict(zip(impressions["id"].to_pylist(), impressions["product_id"].to_pylist(), strict=True))
    columns = (charges[name].to_pylist() for name in ("impression_id", "boost"))
    driven = {product[id_] for id_, boost in zip(*columns, strict=True) if boost == BoostKind.CREATIVE}
    assert driven == {11}


def test_a_boost_with_a_target_holds_it_rather_than_spend() -> None:
    greedy, held = (boosted([replace(PUSH, target=target)], 30_000_000) for target in (None, Decimal(3)))
    for made in (greedy, held):
        hours(made, 3)
    worth, spent = held.boosts.worth[0] * float(SHOP.target or 1), held.boosts.spent[0]
    assert 0 < spent < 0.7 * greedy.boosts.spent[0]
    assert worth > 0.95 * 3 * spent


def test_a_paused_plan_is_not_boosted() -> None:
    made = boosted([RUSH])
    made.change(replace(SHOP, status=PlanStatus.PAUSED), 1)
    assert len(hours(made, 2)) == 0


def test_a_plan_without_money_of_its_own_is_still_boosted() -> None:
    made = boosted([RUSH], budget=10_000)
    assert sum(amount for _, amount in charged(hours(made, 2), BoostKind.PLAN)) > 0.5 * RUSH.budget
    assert made.spent_today[0] <= 10_000


AMOUNTS = st.integers(0, 50_000) | st.integers(0, 5_000_000)


@settings(max_examples=20, deadline=None)
@given(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS), st.integers(0, 2**32))
def test_nobody_ever_spends_above_its_own_purse(leases: tuple[int, int, int, int], seed: int) -> None:
    early = [replace(boost, starts=START - HOUR) for boost in (RUSH, PUSH)]
    made, rng = engine((SHOP, ROOM), leases[:2]), np.random.default_rng(seed)
    made.run_boosts(early)
    for boost, lease in zip(early, leases[2:], strict=True):
        made.lease(boost.id, lease)
    facts = join(_minute(made, rng, START + minute * MINUTE) for minute in range(6))
    assert (made.spent_today <= leases[:2]).all()
    assert (made.boosts.spent_today <= leases[2:]).all()
    for kind, spent in zip((BoostKind.PLAN, BoostKind.CREATIVE), made.boosts.spent_today.tolist(), strict=True):
        assert sum(amount for _, amount in charged(facts, kind)) == spent


def _minute(made: Engine, rng: np.random.Generator, now: int) -> FactBatch:
    from qianheng.delivery.shown import facts_of

    tick = made.tick(requests(rng, now, 30), now)
    count = len(tick.decisions)
    return facts_of([made.shown(tick, rng.random(count) < 0.8, rng.random(count) < 0.3, now)])


def test_going_on_from_a_snapshot_is_the_same_as_never_having_stopped() -> None:
    made = boosted([RUSH])
    hours(made, 2)
    again = boosted([RUSH])
    again.restore(made.snapshot())
    assert again.boosts.spent.tolist() == made.boosts.spent.tolist()
    assert again.boosts.worth.tolist() == made.boosts.worth.tolist()


def test_a_boost_starts_and_ends_once_as_facts() -> None:
    made = boosted([RUSH])
    told = [
        made.boosts.events(now).to_pylist() for now in (START, RUSH.starts, RUSH.starts + STEP, RUSH.ends, RUSH.ends)
    ]
    assert [[(one["ended"], one["at"]) for one in each] for each in told] == [
        [],
        [(False, RUSH.starts)],
        [],
        [(True, RUSH.ends)],
        [],
    ]
