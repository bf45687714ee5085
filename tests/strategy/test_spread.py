"""How far days missed is found again from days made to miss by so much, and little is concluded from few."""

from dataclasses import replace

import numpy as np
import pytest

from qianheng.actions.whatif import habits
from qianheng.plans.plan import BidMode, Goal
from qianheng.strategy.landscape import Market, Response, Shares, Spread
from qianheng.strategy.reported import ReportedDay, fitted, reported
from qianheng.strategy.spread import Day, Miss, spread_of

YUAN = 1e6
USUAL = habits().usual
SPEND = np.geomspace(1, 5000, 100) * YUAN
MARKET = Market(Response.of(SPEND, 40 * np.sqrt(SPEND * YUAN), 1000.0), Shares(), Goal.PAYMENT, BidMode.TARGET_ROI)


def spread(reach: float, value: float, days: int, swing: float = 0.0) -> Spread:
    """Of days at target 2 without a budget in the way, which is 400 yuan a day."""
    random = np.random.default_rng(5)
    missed = []
    for luck in random.standard_normal((days, 2)):
        larger, better = np.exp(np.array([reach, value]) + swing * luck)
        missed.append(Miss.of(MARKET, (2.0, None), Day(400 * YUAN * larger, 800 * YUAN * larger * better)))
    return spread_of(missed, (), MARKET.response, USUAL)


def test_no_days_tell_what_is_usual() -> None:
    found = spread_of([], (), MARKET.response, USUAL)
    assert (found.value.bias, found.days) == (0.0, 0)
    assert found.reach.bias == pytest.approx(USUAL.reach_bias)
    assert (found.reach.deviation, found.value.deviation) == pytest.approx((USUAL.reach, USUAL.value))
    assert found.value.doubt == pytest.approx(USUAL.value_doubt)


@pytest.mark.parametrize("truth", [-0.4, -0.1, 0.3])
def test_a_standing_miss_is_found_the_surer_the_more_days(truth: float) -> None:
    few, many = spread(truth, -truth, 2), spread(truth, -truth, 28)
    for one, sign in ((many.reach, 1), (many.value, -1)):
        assert one.bias == pytest.approx(sign * truth, abs=0.15)
    assert abs(few.value.bias) < abs(many.value.bias)
    assert many.value.doubt < few.value.doubt < USUAL.value_doubt


def test_wild_days_are_told_as_wild() -> None:
    calm, wild = spread(0, 0, 28, 0.02), spread(0, 0, 28, 0.5)
    assert calm.value.deviation < USUAL.value < wild.value.deviation
    assert calm.reach.deviation < USUAL.reach < wild.reach.deviation


def test_a_day_that_its_budget_ended_tells_of_its_value_and_not_of_its_reach() -> None:
    ended = Miss.of(MARKET, (2.0, 100 * YUAN), Day(99 * YUAN, 398 * YUAN))
    assert ended.reach is None
    assert ended.value == pytest.approx(1.0, abs=0.02)
    assert ended.left == pytest.approx(0.01)
    surprise = Miss.of(MARKET, (2.0, 1000 * YUAN), Day(999 * YUAN, 1300 * YUAN))
    assert surprise.reach is not None
    assert surprise.reach > 2


def missing(signs: list[int]) -> Spread:
    """Of days that spend a tenth more or less than was foreseen."""
    days = [Miss.of(MARKET, (2.0, None), Day(400 * YUAN * 1.1**sign, 800 * YUAN * 1.1**sign)) for sign in signs]
    return spread_of(days, (), MARKET.response, USUAL)


def ended(left: float) -> Spread:
    """Of ten days that their budget ended with so much of it left."""
    one = Miss.of(MARKET, (2.0, 100 * YUAN), Day(100 * YUAN * (1 - left), 400 * YUAN * (1 - left)))
    return spread_of([one] * 10, (), MARKET.response, USUAL)


def test_misses_that_last_into_the_next_day_are_carried_on_and_others_are_not() -> None:
    assert missing([1, 1, 1, 1, -1, -1, -1, -1] * 4).carry > USUAL.carry
    assert missing([1, -1] * 16).carry == 0


def test_what_is_left_of_a_budget_is_what_was_left_and_never_less_than_nothing() -> None:
    nothing, some, over = (ended(left).shortfall for left in (0.0, 0.02, -0.01))
    assert over == nothing < USUAL.shortfall
    assert some == pytest.approx((USUAL.days * USUAL.shortfall + 0.2) / (USUAL.days + 10))


def reports(slope: float, days: int, target: float | None = 2.0, kept: float = 1.0) -> list[ReportedDay]:
    """Days of a plan that brings 800 yuan for 400, and (spend / 400) ** slope as much for more or less."""
    random, found = np.random.default_rng(7), []
    for _ in range(days):
        spend = 400 * np.exp(0.4 * random.standard_normal())
        gmv = 800 * kept * (spend / 400) ** slope * np.exp(0.05 * random.standard_normal())
        found.append(ReportedDay(Day(spend * YUAN, gmv * YUAN), target, None))
    return found


def test_the_slope_of_reports_is_found_from_many_days_and_usual_on_few() -> None:
    many, few = fitted(reports(0.4, 60), USUAL), fitted(reports(0.4, 3), USUAL)
    assert many.slope == pytest.approx(0.4, abs=0.08)
    assert abs(few.slope - USUAL.slope) < abs(many.slope - USUAL.slope)
    assert many.doubt < few.doubt <= USUAL.slope_doubt
    assert many.of(400 * YUAN) == pytest.approx(800 * YUAN, rel=0.05)


def test_too_few_days_of_reports_tell_no_landscape() -> None:
    assert reported(reports(0.6, 6), MARKET, USUAL) is None
    nothing_sold = [replace_gmv(one) for one in reports(0.6, 30)]
    assert reported(nothing_sold, MARKET, USUAL) is None


def replace_gmv(day: ReportedDay) -> ReportedDay:
    return day._replace(lived=Day(day.lived.spend, 0.0))


def test_a_platform_that_misses_targets_is_believed_to_go_on_missing_them() -> None:
    found = reported(
        reports(0.6, 40, kept=0.7), replace(MARKET, response=replace(MARKET.response, order_value=10.0)), USUAL
    )
    assert found is not None
    assert found.spread.value.bias == pytest.approx(np.log(0.7), abs=0.12)
    assert float(found.market.unbound(2.0)) / YUAN == pytest.approx(400, rel=0.25)
    assert found.spread.slope_doubt < USUAL.slope_doubt
