"""A look at a test: whose sums go where, and that what cannot be believed is said to be so."""

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from qianheng.core.interval import Interval
from qianheng.diagnosis.paired import Difference
from qianheng.experiments.blocks import Switched
from qianheng.experiments.designs import Arm, Experiment, Phase
from qianheng.experiments.looking import (
    Looked,
    Met,
    foreseen,
    foreseen_of_days,
    look,
    rails_of_days,
    verdict_of_days,
)
from qianheng.experiments.results import Rail, Verdict
from qianheng.facts.assignment import shares_of
from qianheng.measures.users import SUMMED, UserSums
from tests.experiments.test_designs import planned

PLANS = {"A": 1, "B": 1001}
USERS = np.arange(20_000)


def lived(test: Experiment, factor: float = 1.0, seed: int = 1, leak: int = 0) -> UserSums:
    """Users of whom one in five buys; those of B buy `factor` times as much."""
    rng = np.random.default_rng(seed)
    b = shares_of(test.salt, USERS) >= 5000
    bought = (rng.random(len(USERS)) < 0.2) * rng.lognormal(4, 0.5, len(USERS)) * 1e6
    gmv = np.rint(bought * np.where(b, factor, 1)).astype(np.int64)
    spend = np.full(len(USERS), 2_000_000, np.int64)
    columns = dict.fromkeys(SUMMED, np.zeros(len(USERS), np.int64))
    columns |= {"gmv": gmv, "counted_gmv": gmv, "orders": (gmv > 0).astype(np.int64), "spend": spend}
    columns["refunded_1h"] = (gmv * rng.uniform(0, 0.2, len(USERS))).astype(np.int64)
    mine = np.where(b, 0, spend)
    mine[b.argmax()] = leak
    return UserSums(USERS, columns, {1: mine, 1001: np.where(b, spend, 0)})


def looked(factor: float = 1.0, leak: int = 0, test: Experiment | None = None) -> Looked:
    test = test or planned("ab-test")
    return look(test, PLANS, Met(lived(test, factor, leak=leak), lived(test, seed=2)), 0.03)


def test_an_arm_that_sells_half_as_much_again_wins() -> None:
    found = looked(1.5)
    (b,) = found.comparisons
    told = b.of("gmv").relative
    assert b.verdict is Verdict.WINNER_B
    assert told is not None
    assert told.low < 0.5 < told.high
    assert b.rails["refund_rate_1h"] is Rail.KEPT


def test_the_sums_of_the_arms_are_those_of_their_users() -> None:
    test = planned("ab-test")
    during = lived(test, 1.5)
    b = shares_of(test.salt, USERS) >= 5000
    found = looked(1.5)
    assert found.met == {"A": int((~b).sum()), "B": int(b.sum())}
    assert found.spend == {"A": int(during["spend"][~b].sum()), "B": int(during["spend"][b].sum())}
    assert found.shares.users == (int((~b).sum()), int(b.sum()))


def test_money_spent_on_another_arms_users_makes_it_worthless() -> None:
    found = looked(1.5, leak=1)
    assert found.leaked == 1
    assert found.comparisons[0].verdict is Verdict.BROKEN


def test_users_that_are_not_divided_as_drawn_make_it_worthless() -> None:
    test = planned("ab-test")
    early = lived(test, seed=2)
    lost = early.user_id[(shares_of(test.salt, USERS) < 5000) | (USERS % 5 > 0)]
    columns = {name: early[name][np.isin(early.user_id, lost)] for name in SUMMED}
    found = look(test, PLANS, Met(lived(test, 1.5), UserSums(lost, columns)), 0.03)
    assert not found.shares.believed
    assert found.comparisons[0].verdict is Verdict.BROKEN


def test_users_that_nobody_met_count_as_having_bought_nothing() -> None:
    test = planned("ab-test")
    whole = lived(test)
    buyers = whole["gmv"] > 0
    few = UserSums(USERS[buyers], {name: whole[name][buyers] for name in SUMMED})
    (b,) = look(test, PLANS, Met(few, lived(test, seed=2)), 0.03).comparisons
    gmv = b.of("gmv")
    assert gmv.users[0] == gmv.users[1] >= buyers.sum() // 2
    assert gmv.relative is not None


def test_to_whom_nothing_is_promoted_has_no_roi() -> None:
    found = looked(test=planned("hold-out", arms=held_out()))
    assert {result.measure.name for result in found.comparisons[0].results} == {
        "gmv",
        "net_gmv",
        "orders",
        "refund_rate_1h",
    }


def test_an_arm_that_sells_more_at_a_price_that_eats_it_earns_less() -> None:
    test = planned("ab-test")
    during = lived(test, 1.5)
    dear = np.where(shares_of(test.salt, USERS) >= 5000, 8_000_000, 2_000_000)
    during = replace(during, columns=during.columns | {"spend": dear}).earning(Fraction(2, 5))
    (b,) = look(test, PLANS, Met(during, lived(test, seed=2)), 0.03).comparisons
    assert b.verdict is Verdict.WINNER_B
    assert b.profit is not None
    assert b.profit.verdict is Verdict.WINNER_A
    assert (b.profit.relative, b.profit.once) == (None, None)
    assert b.profit.difference is not None
    assert b.profit.difference.high < 0


def test_without_a_margin_nothing_is_said_of_profit() -> None:
    assert looked(1.5).comparisons[0].profit is None


@pytest.mark.parametrize("margin", [Fraction(1, 3), Fraction(1), Fraction(-1, 7)])
def test_profit_is_the_margin_of_what_refunds_left_less_spend(margin: Fraction) -> None:
    during = replace(lived(planned("ab-test")), columns=lived(planned("ab-test")).columns | {"refunded_7d": USERS * 7})
    left = [int(gmv) - 7 * user for gmv, user in zip(during["gmv"], USERS.tolist(), strict=True)]
    wanted = [math.floor(margin * one) - int(spent) for one, spent in zip(left, during["spend"], strict=True)]
    assert during.earning(margin)["profit"].tolist() == wanted


def held_out() -> tuple[Arm, ...]:
    a, b = planned("ab-test").arms
    return a, replace(b, settings=(), holds_out=True)


@pytest.mark.parametrize("effect", ["0.05", "0.2"])
def test_the_smaller_the_effect_wanted_the_longer_it_takes(effect: str) -> None:
    test = planned("ab-test")
    told = foreseen(replace(test, effect=type(test.effect)(effect)), lived(test), 14)
    assert told.days_needed is not None
    assert told.smallest is not None
    assert (told.days_needed <= 14) == (effect == "0.2")
    assert told.error is not None


def test_who_keeps_to_the_last_day_needs_a_third_fewer_users() -> None:
    test = planned("ab-test")
    always, until = (foreseen(replace(test, looks=looks), lived(test), 14) for looks in ("always", "until"))
    assert always.smallest is not None
    assert until.smallest is not None
    assert 0.6 < (until.smallest / always.smallest) ** 2 < 0.75
    known = Met(lived(test, 1.5), lived(test, seed=2))
    wide, narrow = (look(replace(test, looks=looks), PLANS, known, 0.03) for looks in ("always", "until"))
    one, other = (found.comparisons[0].of("gmv").relative for found in (wide, narrow))
    assert one is not None
    assert other is not None
    assert other.high - other.low < one.high - one.low


def test_days_needed_are_those_on_which_the_effect_is_the_smallest_shown() -> None:
    past = Switched(Interval(Fraction(-1, 20), Fraction(0), Fraction(1, 20)), 0.04, (14, 14), 0.9)
    test = planned("switchback")
    told = foreseen_of_days(test, past)
    assert told.users is None
    assert told.days_needed is not None
    assert told.smallest is not None
    assert (told.smallest <= test.effect) == (told.days_needed <= test.days)
    longer = replace(test, phases=(Phase(told.days_needed, (1, 1)),))
    shorter = replace(test, phases=(Phase(told.days_needed - 2, (1, 1)),))
    enough, too_few = (foreseen_of_days(one, past).smallest for one in (longer, shorter))
    assert enough is not None
    assert too_few is not None
    assert enough <= test.effect < too_few
    assert foreseen_of_days(replace(test, effect=Decimal("0.0001")), past).days_needed is None


def test_a_smallest_effect_of_more_than_ten_times_is_none() -> None:
    """Few scattered days would show 32379 % only: nobody plans for that."""
    few = replace(planned("switchback"), phases=(Phase(8, (1, 1)),))
    for error, told in ((0.1, True), (0.22, False)):
        past = Switched(Interval(Fraction(-1), Fraction(0), Fraction(1)), error, (4, 4), 0.9)
        assert (foreseen_of_days(few, past).smallest is not None) is told
        assert foreseen_of_days(few, past).days_needed is not None


@pytest.mark.parametrize(
    ("low", "high", "rails", "said"),
    [
        ("0.02", "0.4", (), Verdict.WINNER_B),
        ("-0.4", "-0.02", (), Verdict.WINNER_A),
        ("-0.05", "0.05", (), Verdict.NO_DIFFERENCE),
        ("-0.3", "0.4", (), Verdict.NOT_YET),
        ("0.02", "0.4", (Rail.KEPT, Rail.BROKEN), Verdict.BROKEN),
    ],
)
def test_the_days_of_a_test_come_to_one_verdict(low: str, high: str, rails: tuple[Rail, ...], said: Verdict) -> None:
    relative = Interval(Fraction(low), (Fraction(low) + Fraction(high)) / 2, Fraction(high))
    assert verdict_of_days(planned("switchback"), relative, rails) is said


def test_a_guard_rail_of_days_is_a_share_of_what_the_first_arm_has() -> None:
    test = planned("switchback")  # its refund rate may rise by a fifth
    a = Fraction(1, 10)
    for low, high, state in (("0.03", "0.05", Rail.BROKEN), ("-0.01", "0.01", Rail.KEPT), ("-0.01", "0.05", Rail.OPEN)):
        told = Difference(a, a + (Fraction(low) + Fraction(high)) / 2, Fraction(low), Fraction(high))
        assert rails_of_days(test, {"refund_rate_1h": told}) == {"refund_rate_1h": state}
    unknown = {"refund_rate_1h": Difference(None, None)}
    assert rails_of_days(test, unknown) == {"refund_rate_1h": Rail.OPEN}
