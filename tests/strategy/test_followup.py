"""What a change has done: known effects are found again, and what the whole market did is not taken for one."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.interval import Interval
from qianheng.core.money import YUAN
from qianheng.diagnosis.worth import worth_of
from qianheng.strategy.followup import FollowUp, Outcome, Trial, follow_up
from qianheng.strategy.proposal import Effect, Measure
from tests.strategy.shops_for_tests import NOW, Sold, at, day, history, setting

CHANGED = 21
WEEKDAYS = (1.0, 1.0, 1.1, 0.9, 1.2, 1.4, 1.3)


def plan(after: float, spend: float = 100.0, market: float = 1.0, noise: float = 0.0, seed: int = 1) -> Sold:
    """Sells 300 a day by weekday; from the change on `after` times that; the market moves then too."""

    def sold(number: int) -> tuple[float, float]:
        luck = 1 + noise * Random(seed * 1000 + number).uniform(-1, 1)
        factor = WEEKDAYS[number % 7] * luck * (market if number >= CHANGED else 1.0)
        return spend * factor, 300 * factor * (after if number >= CHANGED else 1.0)

    return sold


def trial(*effects: Effect, days: int = 7, ended: int | None = None) -> Trial:
    return Trial("1", at(CHANGED), effects, timedelta(days=days), None if ended is None else at(ended))


def found(*args: object, **kwargs: object) -> FollowUp:
    told = follow_up(*args, **kwargs)  # type: ignore[arg-type]
    assert told is not None
    return told


def yuan(told: FollowUp, measure: Measure) -> tuple[float, float, float]:
    measured = told.of(measure)
    assert measured is not None
    interval = measured.measured
    return float(interval.low) / YUAN, float(interval.expected) / YUAN, float(interval.high) / YUAN


def test_an_effect_is_measured_by_weekdays_with_its_baseline() -> None:
    told = found(history({"1": plan(1.2)}), trial())
    gmv = told.of(Measure.GMV)
    assert gmv
    mean = 300 * sum(WEEKDAYS) / 7
    assert gmv.baseline / YUAN == pytest.approx(mean)
    assert yuan(told, Measure.GMV)[1] == pytest.approx(0.2 * mean)
    assert yuan(told, Measure.PROFIT)[1] == pytest.approx(0.1 * mean)  # half of GMV is kept, spend stays
    assert (told.first, told.last, told.outcome) == (day(21), day(27), Outcome.HELPED)


def test_young_orders_whose_refunds_are_still_to_come_say_nothing_of_the_margin() -> None:
    told = history({"1": plan(1.0)}, margin=None)
    days = {
        about: {
            on: replace(one, contribution=None if on > day(20) else (one.gmv or 0) // 4, net_gmv=one.gmv)
            for on, one in by_day.items()
        }
        for about, by_day in told.days.items()
    }
    assert worth_of(replace(told, days=days), told.plans["1"].subject).margin == pytest.approx(1 / 4)


def test_a_market_that_grew_is_no_effect_where_other_plans_tell() -> None:
    alone = found(history({"1": plan(1.0, market=1.5)}), trial())
    beside = found(history({"1": plan(1.0, market=1.5), "2": plan(1.0, market=1.5)}), trial())
    assert (alone.outcome, alone.beside_others) == (Outcome.HELPED, False)
    assert (beside.outcome, beside.beside_others) == (Outcome.CANNOT_TELL, True)
    assert yuan(beside, Measure.GMV)[1] == pytest.approx(0, abs=1e-3)


def test_a_plan_that_was_changed_too_says_nothing_of_the_market() -> None:
    told = history({"1": plan(1.0, market=1.5), "2": plan(1.0, market=1.5)}, {"2": (setting(), setting(20))})
    assert not found(told, trial()).beside_others


def test_nothing_is_said_before_its_days_are_over_or_of_too_few() -> None:
    assert follow_up(history({"1": plan(1.2)}), trial(days=8)) is None
    assert follow_up(history({"1": plan(1.2)}), trial(ended=23)) is None
    assert found(history({"1": plan(1.2)}), trial(ended=24)).last == day(23)


def test_a_change_in_the_day_is_measured_from_the_next_day_on() -> None:
    told = found(history({"1": plan(1.2)}), Trial("1", at(20, 9), (), timedelta(days=7)))
    assert (told.first, told.last) == (day(21), day(27))


def test_what_was_expected_stands_beside_what_was_measured() -> None:
    expected = Interval(10 * YUAN, 60 * YUAN, 100 * YUAN)
    told = found(history({"1": plan(1.2)}), trial(Effect(Measure.GMV, expected)))
    gmv, spend = told.of(Measure.GMV), told.of(Measure.SPEND)
    assert gmv
    assert spend
    assert (gmv.held, spend.held) == (True, None)
    assert gmv.share(60 * YUAN) == pytest.approx(60 / (300 * sum(WEEKDAYS) / 7))
    wrong = trial(Effect(Measure.GMV, Interval(-2, -1, 0)))
    assert [one.held for one in found(history({"1": plan(1.2)}), wrong).measured][1] is False


@pytest.mark.parametrize("after", [1.0, 1.3])
def test_intervals_hold_four_times_of_five(after: float) -> None:
    held = 0
    for seed in range(300):
        told = found(history({"1": plan(after, noise=0.3, seed=seed)}), trial())
        low, _, high = yuan(told, Measure.GMV)
        held += low <= (after - 1) * 300 * sum(WEEKDAYS) / 7 <= high
    assert 0.74 <= held / 300 <= 0.88


@given(st.integers(1, 400), st.floats(0.5, 2.0))
def test_profit_adds_up_from_gmv_and_spend(seed: int, after: float) -> None:
    told = found(history({"1": plan(after, noise=0.4, seed=seed), "2": plan(1.0, noise=0.4, seed=seed + 1)}), trial())
    profit, gmv, spend = (yuan(told, measure)[1] for measure in (Measure.PROFIT, Measure.GMV, Measure.SPEND))
    assert profit == pytest.approx(gmv / 2 - spend, abs=1e-5)


def test_a_shop_without_a_margin_is_judged_by_gmv() -> None:
    told = found(history({"1": plan(0.8)}, margin=None), trial())
    assert told.of(Measure.PROFIT) is None
    assert told.outcome is Outcome.HURT
    assert NOW.date() > told.last
