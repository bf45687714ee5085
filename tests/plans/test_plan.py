"""A plan is the fold of its change log, and no change makes it what a plan may not be."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.errors import BadInput, Refused
from qianheng.core.placements import Placement
from qianheng.plans.plan import (
    BidMode,
    Goal,
    Pace,
    Plan,
    PlanChange,
    PlanKind,
    PlanStatus,
    Value,
    apply,
    change,
)
from qianheng.plans.writing import written

NOON = datetime(2025, 10, 1, 4, tzinfo=UTC)
PRODUCT = Plan(
    1, 1, 1, "推商品", PlanKind.PRODUCT, Goal.NET, Decimal("2.4"), 300_000_000, (11, 12), status=PlanStatus.ACTIVE
)
LIVE = Plan(2, 1, 1, "推直播间", PlanKind.LIVE, Goal.PAYMENT, Decimal(3), 200_000_000, (11,), room_id=1)

CHANGES: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {},
    optional={
        "goal": st.sampled_from([str(goal) for goal in Goal if goal is not Goal.PROFIT]),
        "target": st.decimals(Decimal("0.01"), 1000, places=2),
        "budget_daily": st.integers(0, 10**15),
        "name": st.text(max_size=5),
        "status": st.sampled_from(["active", "paused"]),
        "budget_weekly": st.none() | st.integers(0, 10**15),
        "budget_total": st.none() | st.integers(0, 10**15),
        "placements": st.sets(st.sampled_from(Placement)).map(sorted).map(tuple),
        "schedule": st.sets(st.integers(0, 23)).map(sorted).map(tuple),
        "pace": st.sampled_from([str(pace) for pace in Pace]),
        "roi_float": st.booleans(),
        "product_ids": st.lists(st.integers(1, 99), min_size=1, max_size=3).map(tuple),
    },
)


def changed(plan: Plan, after: Mapping[str, Value], version: int = 1) -> PlanChange:
    return change(plan, version, NOON + timedelta(minutes=version), "owner", "because", **after)


@given(st.lists(CHANGES, max_size=6))
def test_replaying_the_change_log_gives_the_plan(wanted: list[dict[str, Value]]) -> None:
    plan, log = PRODUCT, []
    for version, after in enumerate(wanted, 1):
        log.append(changed(plan, after, version))
        plan = apply(plan, log[-1])
        assert {name: getattr(plan, name) for name in after} == after
    assert reduce(apply, log, PRODUCT) == plan


def test_the_profit_goal_comes_with_no_target_and_leaves_with_one() -> None:
    earning = apply(PRODUCT, changed(PRODUCT, {"goal": "profit", "target": None}))
    assert (earning.goal, earning.target) == (Goal.PROFIT, None)
    for plan, after in ((PRODUCT, {"goal": "profit"}), (earning, {"goal": "net"}), (earning, {"roi_float": True})):
        with pytest.raises(BadInput):
            changed(plan, after)


@given(CHANGES)
def test_a_change_remembers_what_was_before_and_leaves_the_rest_alone(after: dict[str, Value]) -> None:
    made = changed(PRODUCT, after)
    undone = PlanChange(1, 2, NOON, "owner", "back", made.after, made.before)
    assert reduce(apply, [made, undone], PRODUCT) == PRODUCT
    differs = {name: value for name, value in after.items() if value != getattr(PRODUCT, name)}
    assert made.before == tuple((name, getattr(PRODUCT, name)) for name in differs)
    assert made.after == tuple(differs.items())


@pytest.mark.parametrize(
    "same",
    [{"target": Decimal("2.40")}, {"goal": "net"}, {"status": "active", "schedule": ()}, {"product_ids": [11, 12]}],
)
def test_what_is_so_already_is_no_change(same: dict[str, Value]) -> None:
    assert changed(PRODUCT, same).after == ()
    assert [name for name, _ in changed(PRODUCT, {**same, "name": "new"}).after] == ["name"]


@pytest.mark.parametrize(
    ("status", "next_ones"),
    [
        ("draft", {"draft", "active", "deleted"}),
        ("active", {"active", "paused", "deleted"}),
        ("paused", {"paused", "active", "deleted"}),
    ],
)
def test_a_plan_lives_from_draft_to_active_and_paused_and_ends_deleted(status: str, next_ones: set[str]) -> None:
    plan = replace(PRODUCT, status=PlanStatus(status))
    for after in PlanStatus:
        if after in next_ones:
            assert apply(plan, changed(plan, {"status": after})).status is after
            continue
        with pytest.raises(Refused) as refusal:
            changed(plan, {"status": after})
        assert refusal.value.key == "plans.no_such_step"


def test_a_goal_and_a_mode_are_held_as_their_kind() -> None:
    plan = apply(PRODUCT, changed(PRODUCT, {"goal": "payment", "bid_mode": "max_delivery", "target": None}))
    assert plan.goal is Goal.PAYMENT
    assert plan.bid_mode is BidMode.MAX_DELIVERY


def test_a_deleted_plan_is_never_changed_again() -> None:
    deleted = apply(PRODUCT, changed(PRODUCT, {"status": "deleted"}))
    assert deleted.status is PlanStatus.DELETED
    for after in ({"status": "active"}, {"name": "again"}, {}):
        with pytest.raises(Refused) as refusal:
            changed(deleted, after, 2)
        assert refusal.value.key == "plans.deleted"


@pytest.mark.parametrize("field", ["id", "kind", "policy", "counting", "room_id", "colour", "shop_id"])
def test_an_unknown_or_fixed_field_is_refused(field: str) -> None:
    with pytest.raises(BadInput) as refusal:
        changed(PRODUCT, {field: "x"})
    assert (refusal.value.key, refusal.value.place) == ("plans.unchangeable", field)


@pytest.mark.parametrize(
    ("plan", "after", "key"),
    [
        (PRODUCT, {"budget_daily": -1}, "plans.negative_budget"),
        (PRODUCT, {"target": None}, "plans.target_and_mode"),
        (PRODUCT, {"bid_mode": "max_delivery"}, "plans.target_and_mode"),
        (PRODUCT, {"target": Decimal(0)}, "plans.target_out_of_range"),
        (PRODUCT, {"target": Decimal("1000.01")}, "plans.target_out_of_range"),
        (PRODUCT, {"target": Decimal("NaN")}, "plans.target_out_of_range"),
        (PRODUCT, {"target": Decimal("Infinity")}, "plans.target_out_of_range"),
        (LIVE, {"product_ids": ()}, "plans.no_products"),
        (PRODUCT, {"goal": "fame"}, "plans.unknown_value"),
        (PRODUCT, {"status": "gone"}, "plans.unknown_value"),
        (PRODUCT, {"bid_mode": None}, "plans.unknown_value"),
    ],
)
def test_an_impossible_combination_is_never_saved(plan: Plan, after: dict[str, Value], key: str) -> None:
    with pytest.raises(BadInput) as refusal:
        changed(plan, after)
    assert refusal.value.key == key
    assert str(refusal.value)


@pytest.mark.parametrize(("kind", "room"), [(PlanKind.LIVE, None), (PlanKind.PRODUCT, 1)])
def test_only_a_live_plan_has_a_room(kind: PlanKind, room: int | None) -> None:
    with pytest.raises(BadInput) as refusal:
        Plan(1, 1, 1, "", kind, Goal.NET, Decimal(2), 0, (1,), room_id=room)
    assert refusal.value.key == "plans.room_and_kind"


def test_several_faults_are_told_at_once() -> None:
    with pytest.raises(BadInput) as refusal:
        changed(PRODUCT, {"budget_weekly": -1, "schedule": (24,), "placements": (3, 0), "product_ids": ()})
    said = str(refusal.value)
    assert all(part in said for part in ("budget_weekly", "0 to 23", "placements", "at least one product"))
    with pytest.raises(BadInput) as refusal:
        changed(PRODUCT, {"id": 3, "colour": "red"})
    assert "id:" in str(refusal.value)
    assert "colour:" in str(refusal.value)


@pytest.mark.parametrize(
    ("after", "key"),
    [
        ({"budget_total": -1}, "plans.negative_budget"),
        ({"placements": (4,)}, "plans.unknown_value"),
        ({"placements": (1, 1)}, "plans.not_ascending"),
        ({"schedule": (9, 8)}, "plans.schedule"),
        ({"pace": "hurried"}, "plans.unknown_value"),
        ({"bid_mode": "max_delivery", "target": None, "roi_float": True}, "plans.nothing_to_float"),
    ],
)
def test_limits_and_levers_are_checked(after: dict[str, Value], key: str) -> None:
    with pytest.raises(BadInput) as refusal:
        changed(PRODUCT, after)
    assert refusal.value.key == key


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("target", "2.50", Decimal("2.50")),
        ("target", "", None),
        ("budget_daily", "99.5", 99_500_000),
        ("budget_weekly", "700", 700_000_000),
        ("budget_total", "", None),
        ("placements", "search, feed", (Placement.FEED, Placement.SEARCH)),
        ("placements", "", ()),
        ("schedule", "8-10,22", (8, 9, 10, 22)),
        ("schedule", "", ()),
        ("roi_float", "true", True),
        ("pace", "fast", Pace.FAST),
        ("product_ids", "11,12", (11, 12)),
        ("users", "7, 0, 5000", (7, 0, 5000)),
        ("name", "秋装", "秋装"),
    ],
)
def test_values_are_read_as_people_write_them(field: str, text: str, value: Value) -> None:
    assert written(field, text) == value


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("target", "high"),
        ("budget_weekly", "1.0000001"),
        ("placements", "feed, shelf"),
        ("schedule", "8-x"),
        ("roi_float", "perhaps"),
        ("pace", "hurried"),
        ("product_ids", "one"),
    ],
)
def test_what_cannot_be_read_names_its_field(field: str, text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        written(field, text)
    assert refusal.value.place == field
