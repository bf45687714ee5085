from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.money import YUAN
from qianheng.measures.sums import NAMES, Sums, breakeven_roi, mature, total

sums = st.builds(Sums, **{name: st.integers(-(10**15), 10**15) for name in NAMES})

# SPEC 3.2: GMV 150,000, spend 60,000, refunds of one hour 12,000 and 18,000 more in seven days.
WORKED = Sums(spend=60_000 * YUAN, gmv=150_000 * YUAN, refunded_1h=12_000 * YUAN, refunded_7d=30_000 * YUAN)


@given(sums, sums)
def test_what_is_added_can_be_taken_away_again(one: Sums, other: Sums) -> None:
    assert one + other - other == one
    assert one + Sums() == one
    assert total([one, other]) == other + one


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (WORKED.payment_roi, "2.5"),
        (WORKED.net_roi, "2.3"),
        (WORKED.settled_roi(closed=True), "2"),
        (WORKED.settled_roi(closed=False), None),
        (WORKED.settled_roi_14d(closed=False), None),
        (replace(WORKED, refunded_14d=60_000 * YUAN).settled_roi_14d(closed=True), "1.5"),
        (WORKED.refund_rate_1h, "0.08"),
        (WORKED.net_rate_1h, "0.92"),
        (WORKED.settle_rate_7d(closed=True), "0.8"),
        (WORKED.settle_rate_7d(closed=False), None),
        (replace(WORKED, service_fee=6_000 * YUAN, commission=2_000 * YUAN, coupon=1_000 * YUAN).overall_roi, "2"),
        (Sums(clicks=30, impressions=1000).ctr, "0.03"),
        (Sums(clicks=30, promoted_orders=3, orders=9).cvr, "0.1"),
        (Sums(spend=5 * YUAN, impressions=200).cpm, str(25 * YUAN)),
        (breakeven_roi(Fraction(2, 5)), "2.5"),
        (breakeven_roi(Fraction(2, 5), kept=Fraction(4, 5)), "3.125"),
        (breakeven_roi(Fraction(0)), None),
        (breakeven_roi(Fraction(-1, 5)), None),
    ],
)
def test_ratios_are_taken_last_and_exactly(found: Fraction | None, expected: str | None) -> None:
    assert found == (None if expected is None else Fraction(expected))


def test_without_data_every_ratio_is_unknown_and_none_is_zero() -> None:
    nothing = Sums()
    closed = [nothing.settled_roi(True), nothing.settled_roi_14d(True), nothing.settle_rate_7d(True)]
    rates = [nothing.refund_rate_1h, nothing.net_rate_1h, nothing.ctr, nothing.cvr, nothing.cpm]
    assert {*closed, *rates, nothing.payment_roi, nothing.net_roi, nothing.overall_roi} == {None}


def test_a_day_is_mature_when_the_window_of_its_last_order_has_closed() -> None:
    day, closes = date(2025, 10, 1), datetime(2025, 10, 8, 16, tzinfo=UTC)  # midnight in Shanghai after seven days
    assert mature(day, closes)
    assert not mature(day, closes - timedelta(microseconds=1))
    assert not mature(day, closes, timedelta(days=14))
    assert not mature(day, closes, timezone="America/New_York")
