"""Calibration finds a plan, product or placement that is predicted wrongly, and says how sure it is of that."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.days import DAY, HOUR
from qianheng.core.errors import BadInput
from qianheng.prediction.calibration import (
    AMPLE,
    BOUNDS,
    FADE,
    MARGIN_MOST,
    Calibrated,
    Calibrating,
    Calibration,
    Trust,
)
from qianheng.prediction.delay import EDGES, PRIOR, DelayCurve

START = 20_000 * DAY
ORDER = 100_000_000
SHAPE = Calibrating(plans=2, items=4, placements=2)
CELLS = np.arange(4)  # of the first plan: two products on their pages
TRUST = Trust(bias=1.0, confidence=0.8)


def lived(truth: np.ndarray, days: int, orders_a_day: int = 40, amounts: tuple[int, ...] = (ORDER,)) -> Calibration:
    """Days in each of which `truth` [4 cells] times as much comes as was predicted, delayed as the curve says."""
    rng, made = np.random.default_rng(1), Calibration(SHAPE, float(ORDER), TRUST)
    orders = np.empty((3, 0), np.int64)  # when touched, how long after, in which cell
    for day in range(days):
        now = START + day * DAY
        hours = now + np.tile(np.arange(24) * HOUR + HOUR // 2, 4)
        predicted = np.repeat(np.rint(orders_a_day * np.mean(amounts) / 96 / truth).astype(np.int64), 24)
        made.show(hours, np.repeat(CELLS, 24), predicted)
        bins = rng.choice(PRIOR.shape[1], orders_a_day, p=PRIOR[0])
        delay = rng.integers(EDGES[bins], EDGES[bins + 1])
        more = np.stack([rng.choice(hours, orders_a_day), delay, rng.choice(CELLS, orders_a_day)])
        orders = np.concatenate([orders, more], axis=1)
        touched, delay, cell = orders
        told = (touched + delay >= now) & (touched + delay < now + DAY)
        made.sell(touched[told], cell[told], rng.choice(amounts, told.sum()))
        made.close_day(now + DAY)
    return made


def calibrated(truth: float, days: int, orders_a_day: int = 40) -> Calibrated:
    made = lived(np.full(4, truth), days, orders_a_day)
    return made.calibrated(START + days * DAY, DelayCurve.start())


@pytest.mark.parametrize("truth", [0.5, 1.0, 1.8])
def test_the_factor_goes_to_the_truth(truth: float) -> None:
    assert calibrated(truth, 20).plan[0] == pytest.approx(truth, rel=0.12)


@pytest.mark.parametrize("bias", [0.8, 1.2])
def test_predictions_a_fifth_wrong_are_right_to_a_tenth_after_two_days(bias: float) -> None:
    assert calibrated(1 / bias, 2, orders_a_day=60).plan[0] * bias == pytest.approx(1, abs=0.1)


def test_a_plan_that_joins_as_another_is_corrected_as_that_one_until_it_sells_itself() -> None:
    now, delay, made = START + 4 * DAY, DelayCurve.start(), lived(np.full(4, 0.6), 4)
    made.shape = replace(SHAPE, plans=3)
    made.join(0, now)
    made.sell(np.full(9, now - HOUR), np.zeros(9, np.int64), np.full(9, ORDER))  # late orders are told of both
    found = made.calibrated(now, delay)
    assert found.plan[2] == pytest.approx(found.plan[0], rel=1e-6)
    assert found.error[2] == pytest.approx(found.error[0], rel=1e-6)
    again = Calibration(made.shape, float(ORDER), TRUST)
    again.restore(made.snapshot())
    for one in (made, again):
        one.sell(np.full(9, now + HOUR), np.zeros(9, np.int64), np.full(9, ORDER))  # what came after is its own
    later = made.calibrated(now + DAY, delay)
    assert later.plan[0] > 1.02 * later.plan[2]
    np.testing.assert_array_equal(later.plan, again.calibrated(now + DAY, delay).plan)


def test_a_plan_of_which_nothing_is_known_is_thought_to_be_as_the_others_are() -> None:
    found = calibrated(0.5, 10)
    assert found.plan[1] == pytest.approx(found.plan[0], rel=0.1)
    assert found.error[1] > 0.2 > 2 * found.error[0]


def test_a_product_predicted_wrongly_is_told_from_the_other_and_from_the_placements() -> None:
    found = lived(np.array([0.5, 0.5, 1.5, 1.5]), 25).calibrated(START + 25 * DAY, DelayCurve.start())
    factor = found.factor(0, np.arange(2)) / (1 - found.margin[0])
    assert factor.mean(axis=1) == pytest.approx([0.5, 1.5], rel=0.15)
    assert found.placement == pytest.approx(np.ones(2), abs=0.16)


def test_the_order_of_a_cohort_counts_in_it_however_late_it_comes() -> None:
    """Everything predicted of the first day comes on the third; nothing is shown in between."""
    made, zero = Calibration(SHAPE, float(ORDER), TRUST), np.zeros(1, np.int64)
    made.show(np.array([START]), zero, np.array([100 * ORDER]))
    before = made.calibrated(START + 3 * DAY, DelayCurve.start()).plan[0]
    made.sell(np.full(87, START), np.zeros(87, np.int64), np.full(87, ORDER))
    made.close_day(START + 3 * DAY)
    assert len(made.recent) == 1
    assert before < 0.5
    assert made.calibrated(START + 3 * DAY, DelayCurve.start()).plan[0] == pytest.approx(1, abs=0.05)


def test_the_factor_keeps_its_bounds() -> None:
    assert calibrated(0.02, 12).plan[0] == BOUNDS[0]
    assert calibrated(20.0, 12).plan[0] == BOUNDS[1]


def test_few_large_baskets_convince_less_than_many_small_ones() -> None:
    even = lived(np.ones(4), 6).calibrated(START + 6 * DAY, DelayCurve.start())
    heavy = lived(np.ones(4), 6, amounts=(ORDER // 10,) * 9 + (10 * ORDER,))
    assert heavy.calibrated(START + 6 * DAY, DelayCurve.start()).error[0] > 1.5 * even.error[0]


def test_the_margin_goes_as_cohorts_mature() -> None:
    margins = [calibrated(1.0, days, orders_a_day=100).margin[0] for days in (1, 3, 10)]
    assert MARGIN_MOST >= margins[0] > margins[1] > margins[2] == 0


@given(st.floats(0, 10), st.floats(0.5, 0.999))
def test_the_margin_is_bounded_and_grows_with_error_and_confidence(error: float, confidence: float) -> None:
    trust, surer = Trust(1.0, confidence), Trust(1.0, min(confidence + 0.0005, 0.999))
    margin = trust.margin(np.array([0, AMPLE, error, error + 0.1]))
    assert margin[0] == margin[1] == 0
    assert ((margin >= 0) & (margin <= MARGIN_MOST)).all()
    assert margin[3] >= margin[2]
    assert (surer.margin(np.array([error])) >= margin[2]).all()
    assert (Trust(1.0, 0.5).margin(np.array([error])) == 0).all()


@pytest.mark.parametrize("wrong", [{"bias": 0.0}, {"bias": float("inf")}, {"confidence": 0.49}, {"confidence": 1.0}])
def test_trust_beyond_reason_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        replace(TRUST, **wrong)


def test_memory_does_not_grow_with_orders_and_its_sums_stay() -> None:
    made, at = Calibration(SHAPE, float(ORDER), TRUST), START + np.arange(5000) * 1_000_000
    ones = np.ones(5000, np.int64)
    made.show(at, ones * 0, ones * 3)
    made.sell(at, ones * 0, ones * ORDER)
    made.close_day(START + DAY)
    assert len(made.recent) <= 3
    assert (made.recent["predicted"].sum(), made.recent["observed"].sum()) == (15_000, 5000 * ORDER)
    made.close_day(START + 2 * DAY)
    made.close_day(START + 3 * DAY)
    assert len(made.recent) == 1
    assert made.recent["squared"].sum() == 5000 * 100**2
    made.close_day(START + 9 * DAY)
    assert len(made.recent) == 0
    assert made.matured[0, :2] == pytest.approx(np.array([15_000, 5000 * ORDER]) * FADE**7)


def test_going_on_from_a_snapshot_is_the_same_bit_for_bit() -> None:
    made = lived(np.array([0.5, 0.7, 1.5, 1.0]), 9)
    again = Calibration(SHAPE, float(ORDER), TRUST)
    again.restore(made.snapshot())
    for one in (made, again):
        one.close_day(START + 10 * DAY)
    now = START + 10 * DAY
    assert (made.calibrated(now, DelayCurve.start()).plan == again.calibrated(now, DelayCurve.start()).plan).all()


def test_delays_are_found_again_from_cohorts_too_young_to_have_told_all_of_theirs() -> None:
    rng, curve = np.random.default_rng(3), DelayCurve.start()
    prompt = np.array([0.5, *[0.05] * 10])
    bins = rng.choice(len(prompt), 4000, p=prompt)
    delay, age = rng.integers(EDGES[bins], EDGES[bins + 1]), rng.integers(0, 4 * DAY, 4000)
    known = delay < age
    curve.refit(delay[known], age[known], np.ones(known.sum(), np.int64))
    shares = curve.reported(EDGES[[1, 4, 8]], np.ones(3, np.int64))
    within = prompt.cumsum()[[0, 3, 7]] / shares[2] * curve.reported(EDGES[[8]], np.ones(1, np.int64))
    assert shares / shares[2] == pytest.approx(within / within[2], abs=0.03)
    assert curve.reported(EDGES[[1]], np.zeros(1, np.int64)) == pytest.approx(PRIOR[0, 0])


@given(st.lists(st.integers(0, int(EDGES[-1]) * 2), max_size=50))
def test_the_reported_share_grows_from_nothing_to_all(delays: list[int]) -> None:
    curve, known = DelayCurve.start(), np.array(delays, np.int64)
    half = len(known) // 2
    live = np.arange(len(known)) % 2
    curve.add(known[:half], live[:half])
    curve.refit(known[half:], known[half:] + HOUR, live[half:])
    ages = np.array([-DAY, 0, *range(0, int(EDGES[-1]), DAY // 4), int(EDGES[-1]), 2 * int(EDGES[-1])])
    share = curve.reported(ages, np.arange(len(ages)) % 2 * 0)
    assert share[0] == share[1] == 0
    assert share[-1] == share[-2] == pytest.approx(1)
    assert (np.diff(share) >= 0).all()


def test_what_the_predictor_has_learnt_since_is_not_corrected_again() -> None:
    """Predictions twice too high are made right: the factor that halved them loses its evidence."""
    made, now = lived(np.full(4, 0.5), 6), START + 6 * DAY
    before = made.calibrated(now, DelayCurve.start())
    made.restate(np.full(SHAPE.items, 0.5), now)
    after = made.calibrated(now, DelayCurve.start())
    assert before.plan[0] == pytest.approx(0.53, abs=0.05)
    assert after.plan[0] > before.plan[0] + 0.05
    assert after.margin[0] > before.margin[0]
