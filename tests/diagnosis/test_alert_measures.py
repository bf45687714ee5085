"""What each measure reads off what is known, as a table; unknown stays unknown."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from qianheng.core.money import YUAN
from qianheng.diagnosis.alert_measures import MEASURES, like_today
from qianheng.measures.history import Setting
from qianheng.measures.windows import Watched
from qianheng.plans.plan import Goal

NOW = datetime(2025, 10, 15, tzinfo=UTC)
DAY = Watched(
    spend=1000 * YUAN,
    orders=20,
    gmv=3000 * YUAN,
    refunded_1h=300 * YUAN,
    promoted_orders=20,
    impressions=10_000,
    clicks=400,
)
SETTING = Setting(NOW, Goal.NET, target=Decimal("3"), budget_daily=2000 * YUAN)


@dataclass(frozen=True)
class Known:
    """All that is known of a subject, said outright."""

    sums: Watched = DAY
    base: Sequence[Watched] = (DAY,) * 5
    setting: Setting | None = SETTING
    changed_days_ago: int | None = 30
    target_changes_today: int | None = 0
    serving: bool | None = True
    balance: int | None = 2500 * YUAN
    margin: Fraction | None = Fraction(1, 2)
    past: Sequence[Watched] = field(default=(DAY,) * 14)

    def days(self, count: int) -> Sequence[Watched]:
        return self.past[:count]


NOTHING = Watched()
QUIET = Known(sums=DAY._replace(orders=0, promoted_orders=0, gmv=0, refunded_1h=0))
FELL = Known(past=(DAY._replace(spend=500 * YUAN, gmv=1200 * YUAN, orders=8),) * 3 + (DAY,) * 7)


@pytest.mark.parametrize(
    ("measure", "known", "value"),
    [
        ("net_roi_to_target", Known(), "9/10"),
        ("net_roi_to_target", Known(setting=replace(SETTING, goal=Goal.PAYMENT)), None),
        ("net_roi_to_target", Known(setting=replace(SETTING, target=None)), None),
        ("net_roi_to_target", Known(setting=None), None),
        ("net_roi_to_target", QUIET, "0"),
        ("net_roi_to_target", replace(QUIET, past=()), None),  # nothing tells what an order costs
        ("payment_roi_to_target", Known(setting=replace(SETTING, goal=Goal.PAYMENT)), "1"),
        ("net_roi_to_breakeven", Known(), "27/20"),
        ("net_roi_to_breakeven", Known(margin=None), None),
        ("refund_rate_1h", Known(), "1/10"),
        ("refund_rate_1h", Known(sums=DAY._replace(refunded_1h=None)), None),
        ("refund_rate_1h", QUIET, None),
        ("spend_to_budget", Known(), "1/2"),
        ("spend_to_budget", Known(past=()), None),
        ("spend_without_orders", QUIET, "20"),
        ("spend_without_orders", Known(), "0"),
        ("spend_without_orders", replace(QUIET, past=()), None),
        ("clicks_without_orders", QUIET, "20"),
        ("clicks_without_orders", Known(), "0"),
        ("silent_impressions", Known(sums=NOTHING), "10000"),
        ("silent_impressions", Known(sums=NOTHING, serving=False), None),
        ("silent_impressions", Known(sums=NOTHING, base=(DAY,) * 2), None),
        ("silent_impressions", Known(), "0"),
        ("ctr_to_same_hour", Known(sums=DAY._replace(clicks=100)), "1/4"),
        ("ctr_to_same_hour", Known(sums=DAY._replace(impressions=None)), None),
        ("cvr_to_same_hour", Known(sums=DAY._replace(promoted_orders=10)), "1/2"),
        ("cvr_to_same_hour", Known(sums=DAY._replace(promoted_orders=None)), "1"),
        ("gmv_to_same_hour", Known(sums=DAY._replace(gmv=1500 * YUAN)), "1/2"),
        ("gmv_to_same_hour", Known(serving=False), None),
        ("gmv_to_same_hour", Known(base=(NOTHING,) * 5), None),
        ("spend_to_same_hour", Known(sums=DAY._replace(spend=3000 * YUAN)), "3"),
        ("cpm_to_same_hour", Known(sums=DAY._replace(spend=1500 * YUAN)), "3/2"),
        ("order_value_to_same_hour", Known(sums=DAY._replace(gmv=600 * YUAN)), "1/5"),
        ("off_air_spend", Known(sums=DAY._replace(off_air_spend=5_500_000)), "11/2"),
        ("balance_days", Known(), "5/2"),
        ("balance_days", Known(balance=None), None),
        ("balance_days", Known(past=()), None),
        ("decay", FELL, "2/5"),
        ("decay", replace(FELL, changed_days_ago=5), None),
        ("decay", replace(FELL, changed_days_ago=None), None),
        ("decay", Known(past=(DAY._replace(gmv=1),) * 3 + (DAY,) * 7), "1"),  # it still spends: not worn out
        ("target_changes_today", Known(target_changes_today=2), "2"),
        ("target_changes_today", Known(target_changes_today=None), None),
    ],
)
def test_what_a_measure_reads(measure: str, known: Known, value: str | None) -> None:
    found = MEASURES[measure].read(known, 0.36)
    assert (None if found is None else found.value) == (None if value is None else Fraction(value))


def test_days_that_differ_much_leave_a_figure_looser() -> None:
    calm = Known(sums=DAY._replace(gmv=1500 * YUAN, orders=10))
    swinging = replace(calm, base=[DAY._replace(gmv=amount * YUAN) for amount in (1000, 2000, 3000, 4000, 5000)])
    (low, high), (lower, higher) = (
        MEASURES["gmv_to_same_hour"].read(one, 0.36).between(1.645)  # type: ignore[union-attr]
        for one in (calm, swinging)
    )
    assert lower < low < 0.5 < high < higher


@pytest.mark.parametrize(
    ("today", "known", "backs"),
    [
        (date(2025, 11, 19), 28, (7, 14, 21, 28)),  # four Wednesdays
        (date(2025, 11, 19), 14, (1, 2, 5, 6, 7, 8, 9, 12, 13, 14)),  # working days
        (date(2025, 11, 22), 14, (6, 7, 13, 14)),  # a Saturday
        (date(2025, 10, 1), 5, (1, 2, 3, 4, 5)),  # a holiday, and too few free days before it
    ],
)
def test_today_is_held_against_the_days_most_like_it(today: date, known: int, backs: tuple[int, ...]) -> None:
    assert like_today(today, known) == backs
