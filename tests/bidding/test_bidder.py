"""Laws of the bidder: each plan lives for itself, money has no unit, state can be carried away and brought back."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qianheng.bidding import Bidder, Market, Outcome
from qianheng.bidding.curves import GRID, FloatArray, IntArray

STEPS = 48
few = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def candidates(seed: int, step: int, plans: int, n: int = 60) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    random = np.random.default_rng((seed, step))
    plan = random.integers(0, plans, n)
    price = np.sort(random.lognormal(0.0, 0.6, (n, 2)), axis=1)[:, ::-1]
    return plan, random.integers(0, 2, n), random.lognormal(-0.2, 0.8, n), price


def outcome_of(bids: FloatArray, given_: tuple[IntArray, IntArray, FloatArray, FloatArray], unit: float) -> Outcome:
    plan, placement, worth, price = given_
    wins = bids[:, None] > unit * price
    slot = np.where(wins.any(1), wins.argmax(1) + 1, 0)
    spend = np.where(slot > 0, unit * price[np.arange(len(plan)), np.maximum(slot - 1, 0)], 0.0)
    return Outcome(plan, placement, unit * worth, unit * price, slot, slot > 0, spend)


def live(bidder: Bidder, seed: int, steps: range, keep: int | None = None, unit: float = 1.0) -> list[FloatArray]:
    """Bids per step; `keep` leaves all other plans without candidates."""
    bids = []
    for step in steps:
        plan, placement, worth, price = candidates(seed, step, 3)
        rows = np.ones(len(plan), dtype=bool) if keep is None else plan == keep
        mine = (plan[rows] if keep is None else 0 * plan[rows], placement[rows], worth[rows], price[rows])
        bids.append(bidder.bid(step, mine[0], mine[1], unit * mine[2]))
        bidder.observe(step, outcome_of(bids[-1], mine, unit))
    return bids


def three(unit: float = 1.0) -> Bidder:
    return Bidder(Market(2, np.array([[1.0, 0.6], [0.8, 0.4]]), STEPS), unit * np.array([40.0, 90.0, 600.0]))


@given(st.integers(0, 100), st.integers(1, STEPS - 1))
@few
def test_a_restored_bidder_continues_bit_for_bit(seed: int, cut: int) -> None:
    first = three()
    live(first, seed, range(cut))
    state = first.snapshot()
    second = three()
    second.restore(state)
    for mine, other in zip(live(first, seed, range(cut, STEPS)), live(second, seed, range(cut, STEPS)), strict=True):
        np.testing.assert_array_equal(mine, other)
    for name, held in first.snapshot().items():
        np.testing.assert_array_equal(held, second.snapshot()[name])


@given(st.integers(0, 100))
@few
def test_a_plan_bids_as_if_it_were_alone(seed: int) -> None:
    together = live(three(), seed, range(STEPS))
    alone = live(Bidder(three().market, np.array([40.0])), seed, range(STEPS), keep=0)
    for step, bids in enumerate(together):
        np.testing.assert_allclose(bids[candidates(seed, step, 3)[0] == 0], alone[step], rtol=1e-9)


@given(st.integers(0, 100), st.sampled_from([2.0**-20, 2.0**20, 1e6]))
@few
def test_in_another_currency_the_bids_are_the_same_money(seed: int, unit: float) -> None:
    for one, many in zip(live(three(), seed, range(24)), live(three(unit), seed, range(24), unit=unit), strict=True):
        np.testing.assert_allclose(many, unit * one, rtol=1e-3)


def test_a_paused_plan_never_bids_until_it_is_resumed() -> None:
    bidder = three()
    live(bidder, 1, range(20))
    bidder.set_active(1, False)
    for step, bids in zip(range(20, 40), live(bidder, 1, range(20, 40)), strict=True):
        plan = candidates(1, step, 3)[0]
        assert (bids[plan == 1] == 0).all()
        assert (bids[plan == 2] > 0).all()
    assert bidder.reading(1).forecast_spend == 0
    bidder.set_active(1, True)
    assert (live(bidder, 1, range(40, 41))[0][candidates(1, 40, 3)[0] == 1] > 0).all()


def test_a_plan_without_budget_bids_nothing_and_with_a_new_budget_at_once() -> None:
    bidder = three()
    live(bidder, 2, range(20))
    bidder.set_budget(2, 0.0)
    live(bidder, 2, range(20, 21))
    assert bidder.multiplier[2] == 0
    bidder.set_budget(2, 900.0)
    bids = live(bidder, 2, range(21, 22))[0]
    assert (bids[candidates(2, 21, 3)[0] == 2] > 0).all()


def test_more_budget_bids_more_and_less_bids_less() -> None:
    multipliers = []
    for budget in (20.0, 40.0, 80.0):
        bidder = three()
        live(bidder, 3, range(40))
        bidder.set_budget(0, float(bidder.spend[0]) + budget)
        live(bidder, 3, range(40, 41))
        multipliers.append(bidder.multiplier[0])
    assert multipliers == sorted(multipliers)
    assert multipliers[0] < multipliers[-1]


def test_a_higher_target_keeps_the_slack_and_moves_the_landscape_with_it() -> None:
    bidder = three()
    live(bidder, 4, range(24))
    before, slack = bidder.landscape.levels.now[1], bidder.worth[1] - bidder.spend[1]
    bidder.retarget(1, 1.25)
    assert bidder.worth[1] - bidder.spend[1] == slack
    assert np.isclose(bidder.landscape.levels.now[1], before - np.log(1.25))
    assert bidder.landscape.levels.now[0] != bidder.landscape.levels.now[1]


def test_a_new_day_starts_with_nothing_spent_and_remembers_the_market() -> None:
    bidder = three()
    live(bidder, 6, range(STEPS))
    bidder.close_day()
    assert bidder.spend.sum() == bidder.worth.sum() == 0
    assert (bidder.landscape.base_count.sum(1) > 0).all()
    bids = live(bidder, 7, range(1))[0]
    assert (bids > 0).all()


def test_a_day_cut_short_is_history_too() -> None:
    bidder = three()
    live(bidder, 8, range(5))
    bidder.close_day()
    assert bidder.landscape.base_count.sum() == pytest.approx(5 * 60, rel=0.02)
    assert bidder.landscape.current_count.sum() == 0


def test_a_step_without_candidates_is_no_trouble() -> None:
    bidder, none = three(), np.zeros(0)
    nobody = none.astype(np.int64)
    for step in range(STEPS):
        assert len(bidder.bid(step, nobody, nobody, none)) == 0
        bidder.observe(step, Outcome(nobody, nobody, none, np.zeros((0, 2)), nobody, none > 0, none))
    assert np.isfinite(bidder.multiplier).all()


def test_worthless_and_free_opportunities_are_no_trouble() -> None:
    bidder = three()
    plan, placement = np.array([0, 1, 2]), np.array([0, 1, 0])
    worth, price = np.array([0.0, 1.0, 0.0]), np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    for step in range(STEPS):
        bids = bidder.bid(step, plan, placement, worth)
        assert np.isfinite(bids).all()
        bidder.observe(step, Outcome(plan, placement, worth, price, 0 * plan, plan < 0, 0 * worth))


def test_a_plan_needs_at_most_two_hundred_kilobytes() -> None:
    held = Bidder(Market(4, np.tile([1.0, 0.8, 0.48], (4, 1)), 1440), np.ones(10)).snapshot()
    assert sum(array.nbytes for array in held.values()) / 10 <= 200_000


@pytest.mark.parametrize("plans", [1, 2, 3, 12])
def test_a_crowded_step_is_learnt_from_some_candidates_of_every_plan(plans: int) -> None:
    plan = np.tile(np.arange(plans), 3000)
    amount = np.ones(len(plan))
    outcome = Outcome(plan, 0 * plan, amount, amount[:, None], 0 * plan, plan > 0, amount)
    left = np.bincount(outcome.some(500).plan, minlength=plans)
    assert (left >= 450).all()
    assert (left < 1100).all()
    assert outcome.some(2000) is outcome


def test_what_is_learnt_from_some_stands_for_all_of_them() -> None:
    random, n = np.random.default_rng(1), 40_000
    worth, price, nobody = random.lognormal(0, 0.5, n), random.lognormal(0, 0.5, (n, 1)), np.zeros(n, dtype=np.int64)
    bidder = Bidder(Market(1, np.ones((1, 1)), STEPS), np.array([1e6]))
    bidder.observe(0, Outcome(nobody, nobody, worth, price, nobody, nobody > 0, 0 * worth))
    spend, won = bidder.landscape.recent[0]
    passed = GRID[:, None] * worth >= price[:, 0]
    np.testing.assert_allclose(spend, (passed * price[:, 0]).sum(1), rtol=0.1, atol=0.05 * n)
    np.testing.assert_allclose(won, (passed * worth).sum(1), rtol=0.1, atol=0.05 * n)
    assert bidder.landscape.recent_count[0] == n
