"""What advice looks at: sums of whole days, settings at a time, and unknowns that stay unknown."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from qianheng.core.errors import BadInput
from qianheng.core.interval import Interval
from qianheng.measures.history import About, History, PlanHistory, Setting, ShopHistory, Subject
from qianheng.measures.reports import Figures, figures_of
from qianheng.measures.sums import Sums
from qianheng.plans.plan import Goal, PlanKind

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
SHOP = Subject(About.SHOP, "1")
PLAN = Subject(About.PLAN, "7", "spring")


def history(days: dict[Subject, dict[date, Figures]]) -> History:
    settings = tuple(Setting(NOW - timedelta(days=back), Goal.NET, target=Decimal(back)) for back in (9, 4))
    plans = {"7": PlanHistory(PLAN, PlanKind.PRODUCT, settings=settings)}
    return History("run", ShopHistory("1"), "UTC", NOW, days, {}, plans)


def test_the_last_days_are_whole_days_so_today_is_none_of_them() -> None:
    days = {NOW.date() - timedelta(days=back): Figures(spend=10**back) for back in range(4)}
    assert history({SHOP: days}).last(2).spend == 110


def test_a_ratio_is_taken_of_the_days_that_know_both_figures() -> None:
    first, second = NOW.date() - timedelta(days=2), NOW.date() - timedelta(days=1)
    days = {first: Figures(gmv=100, refunded_7d=20), second: Figures(gmv=100)}
    assert history({SHOP: days}).ratio("refunded_7d", "gmv", 7) == Fraction(1, 5)


def test_what_nobody_told_is_unknown_and_not_zero() -> None:
    assert history({}).last(7) == Figures()
    assert history({}).ratio("gmv", "spend", 7) is None


def test_a_plan_is_known_by_what_it_was_set_to_at_a_time() -> None:
    plan = history({}).plans["7"]
    assert plan.set_at(NOW - timedelta(days=10)) is None
    assert [plan.set_at(NOW - timedelta(days=back)) for back in (9, 5, 4)] == [*plan.settings[:1] * 2, plan.settings[1]]
    assert plan.setting == plan.settings[1]


def test_the_name_of_a_subject_does_not_tell_it_from_another() -> None:
    told = history({PLAN: {date(2026, 3, 9): Figures(spend=5)}})
    assert told.last(1, Subject(About.PLAN, "7", "another name")).spend == 5
    assert told.of(About.PLAN) == [PLAN]
    assert told.of(About.PLAN, within="7") == []


def test_refunds_of_seven_days_are_figures_once_the_days_are_over() -> None:
    sums = Sums(spend=50, boosted_spend=20, gmv=100, refunded_1h=10, refunded_7d=30)
    young, old = figures_of(sums), figures_of(sums, closed=True)
    assert (young.base_spend, young.net_gmv, young.refunded_7d, young.settled_gmv_7d) == (30, 90, None, None)
    assert (old.refunded_7d, old.settled_gmv_7d) == (30, 70)


def test_an_interval_has_its_ends_in_order() -> None:
    assert 3 in Interval(1, 2, 3)
    assert Fraction(7, 2) not in Interval(1, 2, 3)
    with pytest.raises(BadInput, match="out of order"):
        Interval(2, 1, 3)
