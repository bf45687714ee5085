"""Scenarios: what is read, what is refused and how that is told."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from qianheng.core.errors import BadInput, NotFound
from qianheng.core.placements import Placement
from qianheng.core.words import speak
from qianheng.plans.plan import Goal, Pace, PlanStatus
from qianheng.simulator.loading import load, shipped
from qianheng.simulator.market import Market
from tests.simulator.worlds import small


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_scenario_can_be_read_and_is_named_like_its_file(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert all(plan.status is PlanStatus.ACTIVE for plan in scenario.plan_records())
    assert all(scenario.about.en and scenario.about.zh for _ in [0])


def test_plans_are_given_as_records_with_exact_money() -> None:
    product, live = small().plan_records()
    assert (product.goal, product.target, product.budget_daily) == (Goal.NET, Decimal("2.4"), 300_000_000)
    assert (live.room_id, live.counting, live.timezone) == (1, "all", "Asia/Shanghai")
    assert small().top_up() == 3_000_000_000
    assert small().reserves() == (6000, 6000, 6000, 10000)


def test_changes_of_one_moment_are_one_change_and_those_after_the_last_day_are_left_out() -> None:
    scenario = small(
        plans__0__changes='[{ day = 2, time = "10:00", field = "target", value = "2.0" }, '
        '{ day = 2, time = "10:00", field = "goal", value = "payment" }, '
        '{ day = 1, time = "09:00", field = "budget_daily", value = "99.5" }, '
        '{ day = 9, time = "09:00", field = "status", value = "paused" }]'
    )
    changes = scenario.timed_changes()
    assert [made.at.isoformat() for made in changes] == ["2025-10-01T09:00:00+08:00", "2025-10-02T10:00:00+08:00"]
    assert [made.after for made in changes] == [
        {"budget_daily": 99_500_000},
        {"target": Decimal("2.0"), "goal": Goal.PAYMENT},
    ]


def test_limits_and_levers_of_a_plan_are_read_as_people_write_them() -> None:
    scenario = small(
        plans__0__placements='["search", "feed"]',
        plans__0__budget_weekly="1500",
        plans__0__budget_total="4000",
        plans__0__pace="slow",
        plans__0__roi_float="true",
        plans__0__schedule="8-10,22",
        plans__0__changes='[{ day = 2, time = "10:00", field = "placements", value = "mall" }, '
        '{ day = 2, time = "10:00", field = "budget_weekly", value = "" }]',
    )
    plan = scenario.plan_records()[0]
    assert (plan.placements, plan.schedule) == ((Placement.FEED, Placement.SEARCH), (8, 9, 10, 22))
    assert (plan.budget_weekly, plan.budget_total) == (1_500_000_000, 4_000_000_000)
    assert (plan.pace, plan.roi_float) == (Pace.SLOW, True)
    assert [made.after for made in scenario.timed_changes()] == [
        {"placements": (Placement.MALL,), "budget_weekly": None}
    ]


def test_single_values_can_be_overridden() -> None:
    scenario = load("tiny", {"plans.0.goal": "payment", "first_day": "2026-01-05", "buyers.fatigue": "0"})
    assert scenario.plan_records()[0].goal is Goal.PAYMENT
    assert scenario.first_day == date(2026, 1, 5)
    assert scenario.buyers.fatigue == 0


def test_an_unknown_key_is_told_with_file_and_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(shipped()["tiny"].read_text(encoding="utf-8").replace("top_up", "topup"), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load(path)
    assert "mine.toml" in str(caught.value)
    assert "ad_account.topup" in str(caught.value)
    assert "ad_account.top_up" in str(caught.value)


def test_all_contradictions_are_told_at_once_in_both_languages() -> None:
    wrong = {
        "plans.0.products": "[11, 99]",
        "plans.1.room": "7",
        "plans.1.id": "1",
        "placements.feed.share": "0.9",
        "shops.0.products.0.category": "hats",
        "plans.0.target": "-1",
    }
    for language, word in (("en", "not defined"), ("zh", "此处没有")):
        speak(language)  # type: ignore[arg-type]
        with pytest.raises(BadInput) as caught:
            load("tiny", wrong)
        said = str(caught.value)
        for part in ("plan 1, products", "99", "room", "7", "plans: ", "1.35", "hats", "-1", word):
            assert part in said, (part, said)
    speak("en")


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("plans.5.goal", "net", "plans.5.goal"),
        ("days.length", "3", "days.length"),
        ("days", "0", "1 to 3660"),
        ("days", "9" * 30, "1 to 3660"),
        ("name", "../elsewhere", "../elsewhere"),
        ("plans.0.changes", '[{ day = 1, time = "9h", field = "target", value = "2" }]', "9h"),
        ("plans.0.changes", '[{ day = 1, time = "09:00", field = "goal", value = "fame" }]', "fame"),
        ("plans.0.changes", '[{ day = 1, time = "09:00", field = "target", value = "high" }]', "high"),
        ("plans.0.changes", '[{ day = 1, time = "09:00", field = "schedule", value = "8-25" }]', "0 to 23"),
        ("plans.0.changes", '[{ day = 1, time = "09:00", field = "bid_mode", value = "max_delivery" }]', "maximum"),
        ("plans.0.changes", '[{ day = 1, time = "09:00", field = "budget_daily", value = "0.5" }]', "minimum"),
        ("plans.0.budget_weekly", "1", "7.00"),
        ("marketplace", "lax", "standard"),
        ("rooms.0.sessions", '[{ on = "22:00", off = "14:00" }]', "on air"),
        ("rooms.0.sessions", '[{ on = "09:00", off = "12:00" }, { on = "11:00", off = "13:00" }]', "same time"),
        ("placements.mall.seen", "[0.5, 0.9]", "seen"),
        ("placements.shelf.share", "0.1", "placements.shelf"),
        ("delays.order.chance", "[0.0, 0.5]", "delays.order"),
        ("traffic.weekly", "[[1.0]]", "24 hours"),
        ("timezone", "Mars/Base", "Mars/Base"),
    ],
)
def test_what_cannot_be_is_refused_by_name(key: str, value: str, part: str) -> None:
    with pytest.raises(BadInput) as caught:
        load("tiny", {key: value})
    assert part in str(caught.value)


def test_an_unknown_scenario_is_told_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="month"):
        load("mouth")


def test_a_market_can_be_made_in_a_zone_with_summer_time() -> None:
    scenario = small(timezone="Europe/Berlin", first_day="2025-10-25", days="3")
    market = Market(scenario, 1)
    hours = len(market._traffic.rate)
    assert hours == 73
