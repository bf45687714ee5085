"""A quarter of many shops: they differ as they say, pairs are fairly compared, it is told where advice loses."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks import arms, quarter
from benchmarks.paired import difference, sign_test
from benchmarks.quarter_report import markdown, results
from benchmarks.shop_quarter import Followed, Life, Outcome
from benchmarks.shops import BUDGETS, FIRST_DAY, TARGETS, shop
from qianheng.core.money import YUAN
from qianheng.measures.history import About, History, PlanHistory, Setting, ShopHistory, Subject
from qianheng.measures.reports import Figures
from qianheng.plans.plan import Goal, PlanKind
from qianheng.simulator.loading import load


def test_a_shop_is_the_same_again_and_another_in_every_set_and_number() -> None:
    assert shop("held-out", 7) == shop("held-out", 7)
    others = [shop("held-out", 8), shop("training", 7)]
    assert all(one.scenario["shops"] != shop("held-out", 7).scenario["shops"] for one in others)


def test_fifty_shops_are_scenarios_of_every_kind_within_the_bounds_they_state(tmp_path: Path) -> None:
    shops = [shop("held-out", number) for number in range(50)]
    for one in shops:
        scenario = load(one.write(tmp_path))
        assert 3 <= len(scenario.products()) <= 60
        assert 30 <= one.scenario["categories"][scenario.products()[0].category]["price"] <= 1500
        assert scenario.first_day == FIRST_DAY
        assert len(scenario.seasons) > 5
    for way, kinds in {"target": set(TARGETS), "budget": set(BUDGETS), "sells": {"products", "live", "both"}}.items():
        assert {one.kinds[way] for one in shops} == kinds


def test_a_target_that_is_right_is_above_what_breaks_even_and_one_too_low_is_below() -> None:
    assert TARGETS["too low"] < 1 < TARGETS["right"] < TARGETS["too high"]


@pytest.mark.parametrize(
    ("gained", "lost", "chance"), [(0, 0, 1.0), (1, 1, 1.0), (5, 0, 1 / 16), (0, 5, 1 / 16), (8, 2, 0.109375)]
)
def test_the_sign_test_tells_the_chance_of_so_uneven_a_count(gained: int, lost: int, chance: float) -> None:
    assert sign_test(gained, lost) == pytest.approx(chance)


def test_pairs_that_differ_alike_have_a_narrow_interval_and_ties_are_not_counted() -> None:
    alike = difference([(11.0, 10.0), (21.0, 20.0), (30.0, 30.0)], [10.0, 20.0, 30.0])
    apart = difference([(40.0, 10.0), (0.0, 20.0), (30.0, 30.0)], [10.0, 20.0, 30.0])
    assert alike.mean == pytest.approx(2 / 3)
    assert alike.share == pytest.approx(2 / 60)
    assert (alike.gained, alike.lost) == (2, 0)
    assert 0 <= alike.low <= alike.mean <= alike.high <= 1
    assert apart.low < 0 < apart.high


def history(roi: str, spent: str, goal: Goal = Goal.PAYMENT) -> History:
    """A plan of target 3 and budget 100 that spent such a share of it for a week, at such an ROI."""
    now, plan = datetime(2025, 10, 8, tzinfo=UTC), Subject(About.PLAN, "1")
    spend = round(Decimal(spent) * 100 * YUAN)
    day = Figures(spend=spend, gmv=2 * round(spend * Decimal(roi)), net_gmv=round(spend * Decimal(roi)))
    if goal is Goal.PAYMENT:
        day = replace(day, gmv=day.net_gmv)
    days = {(now - timedelta(days=back)).date(): day for back in range(1, 8)}
    setting = Setting(now, goal, target=Decimal(3), budget_daily=100 * YUAN)
    plans = {"1": PlanHistory(plan, PlanKind.PRODUCT, settings=(setting,))}
    return History("run", ShopHistory("1", margin=Fraction(1, 2)), "UTC", now, {plan: days}, {}, plans)


@pytest.mark.parametrize(
    ("roi", "spent", "asked"),
    [
        ("3.0", "0.9", "3.2"),  # met with the budget spent: a step up
        ("3.0", "0.8", None),  # met, and the budget is not spent to more than 80 %
        ("3.5", "0.5", "2.85"),  # met, and half the budget is left: a little down
        ("2.39", "0.9", "2.70"),  # below 80 % of the target: down
        ("2.7", "0.9", None),  # watched
        ("2.7", "0.0", None),  # nothing spent, nothing known
    ],
)
@pytest.mark.parametrize("goal", [Goal.PAYMENT, Goal.NET])
def test_the_ladder_knows_the_rules_of_thumb_alone(roi: str, spent: str, asked: str | None, goal: Goal) -> None:
    found = arms.asked(history(roi, spent, goal))
    assert found == ({} if asked is None else {"1": Decimal(asked)})


def outcome(shop_number: int, arm: str, profit: float, followed: tuple[Followed, ...] = ()) -> Outcome:
    money = {"net_gmv": 900.0, "gmv": 1000.0, "spend": 200.0, "compensation": 10.0}
    counted = {"orders": 10, "changes": len(followed), "voided": 0, "days_compensated": 1}
    weekly, made = [profit / 2, profit / 2], list(followed)
    return Outcome("held-out", shop_number, arm, 10, profit, **money, **counted, weekly=weekly, followed=made)  # type: ignore[arg-type]


HURT = Followed("1", 5, "raise_target", "most_profit", "target 3 → 3.3", 4.0, -6.0, "hurt")
QUARTER = [
    outcome(0, "fixed", 100.0),
    outcome(0, "advised", 150.0),
    outcome(0, "breakeven x 1.4", 200.0),
    outcome(1, "fixed", 80.0),
    outcome(1, "advised", 60.0, (HURT,)),
    outcome(1, "breakeven x 1.4", 70.0),
]
KINDS = {0: {"target": "too low"}, 1: {"target": "right"}}


def test_the_report_says_what_advice_adds_where_it_loses_and_how_far_it_is_from_the_best() -> None:
    told = results(QUARTER, KINDS)
    profit = told["against fixed"]["advised"]["profit"]
    assert profit["mean"] == pytest.approx((5 - 2) / 2)  # a day
    assert profit["share"] == pytest.approx(30 / 180)
    assert told["regret"] == {"advised": pytest.approx(30 / 100)}  # 100 more were possible, at shop 0 alone
    assert told["by kind"]["target"]["right"]["mean"] == pytest.approx(-2)
    assert [one["shop"] for one in told["lost"]] == [1]
    assert told["changes"]["raise_target"]["measured a day"] == -6.0
    text = markdown(told)
    assert "target 3 → 3.3" in text
    assert "gained : lost" in text


def test_outcomes_that_are_kept_are_not_lived_again(tmp_path: Path) -> None:
    kept, out = tmp_path / "kept.jsonl", tmp_path / "quarter.json"
    kept.write_text("".join(json.dumps(asdict(one)) + "\n" for one in QUARTER), "utf-8")
    asked = ["--shops", "2", "--days", "10", "--arms", "fixed", "advised", "--kept", str(kept), "--json", str(out)]
    quarter.main(asked)
    told = json.loads(out.read_text("utf-8"))
    assert told["arms"]["advised"]["profit"] == pytest.approx((150 + 60) / 20)
    assert told["changes"]["raise_target"]["hurt"] == 1
    assert len(kept.read_text("utf-8").splitlines()) == len(QUARTER)
    assert out.with_suffix(".svg").exists()


@pytest.mark.slow
def test_a_shop_that_is_advised_makes_changes_and_every_arm_lives_the_same_market() -> None:
    lived = {arm: Life("training", 1, arm, 12).live() for arm in ("fixed", "advised", "ladder")}
    assert lived["fixed"].changes == 0
    assert lived["advised"].changes == len(lived["advised"].followed) > 0
    assert lived["ladder"].changes > 0
    assert {len(one.weekly) for one in lived.values()} == {2}
