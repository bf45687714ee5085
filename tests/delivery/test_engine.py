"""The engine never spends what it was not lent, serves only plans that run, and charges exactly what was seen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.core.days import DAY, HOUR, MINUTE
from qianheng.delivery.shown import facts_of
from qianheng.facts.batch import join
from qianheng.facts.schema import Kind
from qianheng.plans.allowance import Used
from qianheng.plans.plan import PlanStatus
from tests.delivery.markets import ROOM, SHOP, START, engine, requests, serve

AMOUNTS = st.integers(0, 50_000) | st.integers(0, 5_000_000)


def spent(made: object, facts: object) -> list[int]:
    """Charges by plan, summed exactly."""
    charges = facts[Kind.CHARGE]  # type: ignore[index]
    of_plan = charges["plan_id"].to_numpy()
    amount = charges["amount"].to_numpy()
    return [int(amount[of_plan == plan].sum()) for plan in made.ids.tolist()]  # type: ignore[attr-defined]


@settings(max_examples=25, deadline=None)
@given(st.tuples(AMOUNTS, AMOUNTS), st.tuples(AMOUNTS, AMOUNTS), st.integers(0, 2**32))
def test_no_plan_ever_spends_above_its_lease_or_its_budget(
    leases: tuple[int, int], budgets: tuple[int, int], seed: int
) -> None:
    plans = [replace(plan, budget_daily=budget) for plan, budget in zip((SHOP, ROOM), budgets, strict=True)]
    made, rng = engine(plans, leases), np.random.default_rng(seed)
    facts = join(serve(made, rng, START + minute * MINUTE) for minute in range(6))
    assert spent(made, facts) == made.spent_today.tolist()
    for total, lease, budget in zip(made.spent_today.tolist(), leases, budgets, strict=True):
        assert total <= min(lease, budget)


@settings(max_examples=20, deadline=None)
@given(AMOUNTS, AMOUNTS, st.integers(0, 2**32))
def test_a_budget_cut_or_raised_in_the_day_holds_at_once(first: int, second: int, seed: int) -> None:
    plan = replace(SHOP, budget_daily=first)
    made, rng = engine([plan], [max(first, second)]), np.random.default_rng(seed)
    for minute in range(3):
        serve(made, rng, START + minute * MINUTE)
    before = int(made.spent_today[0])
    assert before <= first
    made.change(replace(plan, budget_daily=second), 1)
    for minute in range(3, 6):
        serve(made, rng, START + minute * MINUTE)
    assert made.spent_today[0] <= max(before, second)
    assert before <= second or made.spent_today[0] == before


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(AMOUNTS, st.none() | AMOUNTS, st.none() | AMOUNTS), min_size=1, max_size=4), AMOUNTS, AMOUNTS)
def test_no_week_and_no_life_is_overspent_whatever_changes_in_the_day(
    budgets: list[tuple[int, int | None, int | None]], week: int, before: int
) -> None:
    used = Used(week, week + before)
    made, rng = engine([SHOP], [0]), np.random.default_rng(11)
    made.lease(SHOP.id, 10_000_000, used)
    for version, (daily, weekly, total) in enumerate(budgets):
        made.change(replace(SHOP, budget_daily=daily, budget_weekly=weekly, budget_total=total), version)
        for minute in range(2):
            so_far = int(made.spent_today[0])
            serve(made, rng, START + (2 * version + minute) * MINUTE)
            if (today := int(made.spent_today[0])) > so_far:
                assert today <= daily
                assert weekly is None or today + used.week <= weekly
                assert total is None or today + used.life <= total


def test_a_plan_with_enough_money_does_spend() -> None:
    made, rng = engine(), np.random.default_rng(1)
    for minute in range(6):
        serve(made, rng, START + minute * MINUTE)
    assert (made.spent_today > 0).all()


@pytest.mark.parametrize("status", [PlanStatus.DRAFT, PlanStatus.PAUSED, PlanStatus.DELETED])
def test_a_plan_that_does_not_run_spends_nothing(status: PlanStatus) -> None:
    made, rng = engine(), np.random.default_rng(2)
    made.change(replace(SHOP, status=status), 1)
    facts = join(serve(made, rng, START + minute * MINUTE) for minute in range(5))
    assert set(facts[Kind.CHARGE]["plan_id"].to_pylist()) == {ROOM.id}
    made.change(SHOP, 2)
    assert SHOP.id in serve(made, rng, START + 5 * MINUTE, 300)[Kind.CHARGE]["plan_id"].to_pylist()


def test_a_live_plan_waits_for_its_room_to_go_on_air() -> None:
    made, rng = engine(), np.random.default_rng(3)
    made.on_air_until[made.row(ROOM.id)] = 0
    assert ROOM.id not in serve(made, rng, START, 300)[Kind.CHARGE]["plan_id"].to_pylist()
    made.on_air(9, True, START + MINUTE)
    later = join(serve(made, rng, START + minute * MINUTE) for minute in range(1, 4))
    assert ROOM.id in later[Kind.CHARGE]["plan_id"].to_pylist()


def test_at_the_very_start_no_room_is_on_air() -> None:
    from qianheng.delivery.engine import Engine
    from tests.delivery.markets import SITE, SPACE

    assert Engine([SHOP, ROOM], SPACE, SITE, START).serving(START).tolist() == [True, False]


@pytest.mark.parametrize("seconds", [0, 20, 59])
def test_nothing_is_spent_after_the_grace_period_whenever_in_a_minute_it_ends(seconds: int) -> None:
    made, rng = engine(), np.random.default_rng(4)
    off = START + MINUTE + seconds * 1_000_000
    made.on_air(9, False, off)
    facts = join(serve(made, rng, START + minute * MINUTE) for minute in range(15))
    charges = facts[Kind.CHARGE]
    at = charges["at"].to_numpy()[charges["plan_id"].to_numpy() == ROOM.id]
    assert len(at)
    assert at.max() < off + made.site.grace


def test_a_room_that_comes_back_within_the_grace_period_goes_on() -> None:
    made, rng = engine(), np.random.default_rng(5)
    made.on_air(9, False, START)
    made.on_air(9, True, START + 5 * MINUTE)
    assert ROOM.id in serve(made, rng, START + 20 * MINUTE, 300)[Kind.CHARGE]["plan_id"].to_pylist()


def test_only_what_was_seen_is_charged_and_only_what_was_seen_is_clicked() -> None:
    made, rng = engine(), np.random.default_rng(6)
    tick = made.tick(requests(rng, START, 200), START)
    count = len(tick.decisions)
    seen, clicked = rng.random(count) < 0.5, rng.random(count) < 0.5
    facts = facts_of([made.shown(tick, seen, clicked, START)])
    assert facts[Kind.CHARGE]["amount"].to_pylist() == tick.decisions.price[seen].tolist()
    assert facts[Kind.IMPRESSION].num_rows == seen.sum()
    assert facts[Kind.CLICK].num_rows == (seen & clicked).sum()
    assert facts[Kind.CHARGE]["id"].to_pylist() == facts[Kind.IMPRESSION]["id"].to_pylist()
    assert len(set(facts[Kind.IMPRESSION]["id"].to_pylist())) == seen.sum()


def test_a_win_had_a_bid_at_its_price_and_a_charge_carries_the_version_in_force() -> None:
    made, rng = engine(), np.random.default_rng(7)
    made.change(replace(SHOP, target=SHOP.target * 2 if SHOP.target else None), 3)
    batch = requests(rng, START, 200)
    tick = made.tick(batch, START)
    row, slot = tick.decisions.row, tick.decisions.slot - 1
    plan = np.searchsorted(made.ids, tick.decisions.plan_id)
    against = tick.cleared.rival_price[row, plan, slot]
    assert (np.abs(tick.decisions.price - against) <= np.maximum(1, against * 1e-6)).all()
    facts = facts_of([made.shown(tick, np.ones(len(row), bool), np.zeros(len(row), bool), START)])
    versions = set(
        zip(facts[Kind.CHARGE]["plan_id"].to_pylist(), facts[Kind.CHARGE]["target_version"].to_pylist(), strict=True)
    )
    assert versions == {(SHOP.id, 3), (ROOM.id, 0)}


def test_a_minute_in_which_nobody_serves_is_no_trouble() -> None:
    made, rng = engine(), np.random.default_rng(8)
    for plan in (SHOP, ROOM):
        made.change(replace(plan, status=PlanStatus.PAUSED), 1)
    assert len(serve(made, rng, START)) == 0


def test_going_on_from_a_snapshot_is_the_same_as_never_having_stopped() -> None:
    made, rng = engine(), np.random.default_rng(9)
    for minute in range(0, 1440, 60):
        serve(made, rng, START + minute * MINUTE)
    again = engine()
    again.restore(made.snapshot())
    days = []
    for one in (made, again):
        one.start_day(START + DAY)
        for plan in one.plans:
            one.lease(plan.id, 5_000_000)
        rng = np.random.default_rng(10)
        facts = join(serve(one, rng, START + DAY + hour * HOUR) for hour in range(5))
        days.append({kind: held.to_pydict() for kind, held in facts.tables.items()})
    assert days[0] == days[1]
