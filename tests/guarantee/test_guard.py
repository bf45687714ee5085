"""The edit guard never disagrees with the verdict, and the safe time it names is the first one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.days import day_of, microseconds, moment, parse_time
from qianheng.core.errors import BadInput, Refused
from qianheng.guarantee.figures import Figures, Period
from qianheng.guarantee.guard import Effect, Known, weigh
from qianheng.guarantee.history import log_of, plan_of_day, unit_of
from qianheng.guarantee.policy import ChangeRule, OrdersRule, Policy, Rules
from qianheng.guarantee.reasons import VOIDS, Reason, Status
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.verdict import Verdict, judge
from qianheng.measures.days import Days
from qianheng.plans.plan import Goal, Plan, PlanChange, PlanKind, PlanStatus, Value, apply, change

DAY = date(2025, 10, 1)
PLAN = Plan(
    1,
    1,
    1,
    "推商品",
    PlanKind.PRODUCT,
    Goal.NET,
    Decimal(3),
    300_000_000,
    (11,),
    status=PlanStatus.ACTIVE,
    policy="seed",
)
SPENT = Figures(1_000_000_000, (Period(Goal.NET, Fraction(3), 11, 1_162_800_000),))  # 612.40 yuan too much


def at(text: str) -> datetime:
    return parse_time(text, "Asia/Shanghai")


def known(changes: list[tuple[str, dict[str, Value]]], policy: str = "seed", plan: Plan = PLAN) -> Known:
    history, log = [plan], list[PlanChange]()
    for when, after in changes:
        log.append(change(history[-1], len(log) + 1, at(when), "li", "", **after))
        history.append(apply(history[-1], log[-1]))
    return Known(tuple(history), tuple(log), SPENT, partial(shipped().in_force, policy))


def changed(of: Known, when: str, **after: Value) -> PlanChange:
    return change(of.plan, len(of.changes) + 1, at(when), "li", "", **after)


LIVE = "qianchuan-live"
EARLIER: list[tuple[str, dict[str, Value]]] = [("2025-10-01T14:20", {"target": "3.1"})]
TWICE = [*EARLIER, ("2025-10-01T15:30", {"target": "3.2"})]
LATE: list[tuple[str, dict[str, Value]]] = [("2025-10-01T23:30", {"target": "3.1"})]


@pytest.mark.parametrize(
    ("policy", "before", "when", "after", "effect", "reason", "safe"),
    [
        ("seed", [], "2025-10-01T15:00", {"target": "3.2"}, "nothing", None, "2025-10-01T15:00"),
        ("seed", EARLIER, "2025-10-01T15:00", {"target": "3.2"}, "void", "changes_too_close", "2025-10-01T15:20"),
        ("seed", EARLIER, "2025-10-01T15:20", {"target": "3.2"}, "nothing", None, "2025-10-01T15:20"),
        ("seed", TWICE, "2025-10-01T17:00", {"target": "3.3"}, "void", "too_many_changes", "2025-10-02"),
        ("seed", LATE, "2025-10-01T23:50", {"target": "3.2"}, "void", "changes_too_close", "2025-10-02T00:30"),
        ("seed", LATE, "2025-10-02T00:10", {"target": "3.2"}, "void", "changes_too_close", "2025-10-02T00:30"),
        ("seed", EARLIER, "2025-10-01T15:00", {"goal": "payment"}, "void", "changes_too_close", "2025-10-01T15:20"),
        ("seed", EARLIER, "2025-10-01T15:00", {"budget_daily": 9}, "nothing", None, "2025-10-01T15:00"),
        ("seed", EARLIER, "2025-10-01T15:00", {"status": "paused"}, "nothing", None, "2025-10-01T15:00"),
        ("seed", [], "2025-10-01T15:00", {"goal": "settled"}, "not_covered", "goal_not_covered", None),
        (
            "seed", [], "2025-10-01T15:00", {"bid_mode": "max_delivery", "target": None}, "not_covered",
            "goal_not_covered", None,
        ),
        (LIVE, EARLIER, "2025-10-01T14:30", {"target": "3"}, "void", "changes_too_close", "2025-10-01T14:35"),
        (LIVE, EARLIER, "2025-10-01T14:30", {"goal": "payment"}, "nothing", None, "2025-10-01T14:30"),
        ("tiktok-gmv-max", [], "2025-10-01T15:00", {"target": "3.2"}, "void", "changed_that_day", None),
        ("tiktok-gmv-max", [], "2025-10-01T15:00", {"status": "paused"}, "void", "paused_that_day", None),
        ("tiktok-gmv-max", [], "2025-10-01T15:00", {"status": "deleted"}, "void", "deleted", None),
        ("shopee-gmv-max", [], "2025-10-01T15:00", {"status": "paused"}, "void", "paused_that_day", None),
        ("shopee-gmv-max", [], "2025-10-01T15:00", {"status": "deleted"}, "nothing", None, "2025-10-01T15:00"),
        ("none", [], "2025-10-01T15:00", {"goal": "settled"}, "nothing", None, "2025-10-01T15:00"),
    ],
)  # fmt: skip
def test_the_guard_says_what_a_change_does_and_when_it_is_safe(
    policy: str,
    before: list[tuple[str, dict[str, Value]]],
    when: str,
    after: dict[str, Value],
    effect: str,
    reason: str | None,
    safe: str | None,
) -> None:
    of = known(before, policy)
    found = weigh(of, changed(of, when, **after))
    assert (found.effect, found.reason) == (effect, reason)
    assert found.safe_at == (None if safe is None else microseconds(at(safe)))


def test_a_target_beyond_the_commission_is_told_before_it_is_judged() -> None:
    of = known([], "qianchuan-product", replace(PLAN, commission_rate=Decimal("0.2")))
    found = weigh(of, changed(of, "2025-10-01T15:00", target="5"))
    assert (found.effect, found.reason) == (Effect.WILL_BE_VOID, Reason.COMMISSION_TOO_HIGH)
    assert found.costs
    assert weigh(of, changed(of, "2025-10-01T15:00", target="4.99")).effect is Effect.NOTHING


def test_at_stake_is_what_would_be_due_so_far_and_nothing_once_it_is_void() -> None:
    of = known(EARLIER)
    made = changed(of, "2025-10-01T15:00", target="3.2")
    assert weigh(of, made).at_stake == 612_400_000
    void = of.having(made)
    again = weigh(void, changed(void, "2025-10-01T15:10", target="3.3"))
    assert (again.effect, again.at_stake, again.costs) == (Effect.VOID, 0, False)


def test_the_largest_part_that_keeps_the_guarantee_is_named() -> None:
    of = known(EARLIER)
    smaller = weigh(of, changed(of, "2025-10-01T15:00", target="3.2", budget_daily=5, status="paused")).smaller
    assert smaller is not None
    assert dict(smaller.after) == {"budget_daily": 5, "status": "paused"}
    assert weigh(of, changed(of, "2025-10-01T15:00", target="3.2")).smaller is None


# The laws, over policies of anybody's making.
change_rules = st.builds(
    ChangeRule,
    of=st.sampled_from(["any", "value", "goal"]),
    gap_minutes=st.none() | st.sampled_from([1, 15, 60, 600, 1500]),
    most_a_day=st.none() | st.integers(0, 3),
)
rules = st.builds(
    Rules,
    goals=st.sampled_from([("payment", "net"), ("net",)]),
    bid_modes=st.sampled_from([("target_roi",), ("target_roi", "max_delivery")]),
    orders=st.just(OrdersRule(at_least=10)),
    trigger_ratio=st.just(Decimal("0.8")),
    pay_ratio=st.just(Decimal(1)),
    changes=st.lists(change_rules, max_size=3).map(tuple),
    void_events=st.sets(st.sampled_from(["pause", "resume", "delete"])).map(sorted).map(tuple),
    commission_limits_target=st.booleans(),
    data_days=st.integers(0, 7),
    credit_days=st.just((1, 3)),
    minimum=st.just(Decimal("0.01")),
)
policies = st.builds(Policy, st.just("own"), st.just(1), st.just(DAY), st.just(""), st.none() | rules)
wanted: st.SearchStrategy[dict[str, Value]] = st.one_of(
    st.fixed_dictionaries({"target": st.sampled_from(["2", "3", "4.5"])}),
    st.fixed_dictionaries({"goal": st.sampled_from(["payment", "net", "settled"])}),
    st.fixed_dictionaries({"goal": st.sampled_from(["payment", "net"]), "target": st.sampled_from(["2", "3"])}),
    st.fixed_dictionaries({"bid_mode": st.just("max_delivery"), "target": st.none()}),
    st.fixed_dictionaries({"bid_mode": st.just("target_roi"), "target": st.just("3")}),
    st.fixed_dictionaries({"status": st.sampled_from(["active", "paused", "deleted"])}),
    st.fixed_dictionaries({"budget_daily": st.integers(1, 9)}),
)
waits = st.sampled_from([0, 1, 60_000_000, 14 * 60_000_000, 3_599_999_999, 3_600_000_000]) | st.integers(
    0, 12 * 3_600_000_000
)


@st.composite
def weighings(draw: st.DrawFn) -> tuple[Known, PlanChange]:
    """A plan changed some times from the evening before on, and one change more."""
    policy = draw(policies)
    plan = replace(PLAN, commission_rate=draw(st.sampled_from([Decimal(0), Decimal("0.25")])))
    time = microseconds(at("2025-09-30T20:00")) + draw(waits)
    history, log = [plan], list[PlanChange]()
    for after in [*draw(st.lists(wanted, max_size=6)), draw(wanted)]:
        made = possible(history[-1], len(log) + 1, moment(time, plan.timezone), after)
        if made is not None:
            log.append(made)
            history.append(apply(history[-1], made))
        time += draw(waits)
    figures = draw(st.sampled_from([SPENT, Figures(0, ())]))
    if not log:
        log.append(change(plan, 1, moment(time, plan.timezone), "li", "", name="new"))
        history.append(apply(plan, log[-1]))
    return Known(tuple(history[:-1]), tuple(log[:-1]), figures, lambda _: policy), log[-1]


def possible(plan: Plan, version: int, when: datetime, after: Mapping[str, Value]) -> PlanChange | None:
    try:
        made = change(plan, version, when, "li", "", **after)
    except (BadInput, Refused):
        return None
    return made if made.after else None


def judged_after(of: Known, made: PlanChange, when: int) -> Verdict:
    """The verdict once the change is made at a time, asked of the judge without the guard."""
    moved = replace(made, at=moment(when, PLAN.timezone))
    history, changes = (*of.history, apply(of.plan, made)), (*of.changes, moved)
    day = day_of(moved.at, PLAN.timezone)
    unit = unit_of(plan_of_day(history, changes, Days(day, day, PLAN.timezone)), day)
    return judge(of.policy(day), unit, log_of(history, changes), of.figures, when)


@given(weighings())
def test_it_says_void_exactly_when_the_verdict_does(weighing: tuple[Known, PlanChange]) -> None:
    of, made = weighing
    found, verdict = weigh(of, made), judged_after(of, made, microseconds(made.at))
    assert (found.effect is Effect.VOID) == (verdict.status is Status.VOID) == (verdict.reason in VOIDS)
    if found.effect in (Effect.VOID, Effect.NOT_COVERED):
        assert found.reason is verdict.reason
        assert verdict.compensation == 0


@given(weighings())
def test_the_safe_time_is_the_first(weighing: tuple[Known, PlanChange]) -> None:
    of, made = weighing
    found, now = weigh(of, made), microseconds(made.at)
    if found.safe_at is None:
        assert found.effect is not Effect.NOTHING
        return
    assert found.safe_at >= now
    assert judged_after(of, made, found.safe_at).status is not Status.VOID
    if found.safe_at > now:
        earlier = replace(made, at=moment(found.safe_at - 1, PLAN.timezone))
        assert weigh(of, earlier).effect is not Effect.NOTHING
    if found.safe_at > now and found.effect is Effect.VOID:
        assert judged_after(of, made, found.safe_at - 1).status is Status.VOID


@given(weighings(), st.floats(0, 1, exclude_max=True))
def test_no_time_before_the_safe_one_is_safe(weighing: tuple[Known, PlanChange], share: float) -> None:
    of, made = weighing
    found, now = weigh(of, made), microseconds(made.at)
    end = found.safe_at if found.safe_at is not None else now + timedelta(days=2) // timedelta(microseconds=1)
    if end > now:
        between = now + int((end - now) * share)
        assert weigh(of, replace(made, at=moment(between, PLAN.timezone))).effect is not Effect.NOTHING


@given(weighings())
def test_a_smaller_change_does_nothing_and_is_part_of_it(weighing: tuple[Known, PlanChange]) -> None:
    of, made = weighing
    smaller = weigh(of, made).smaller
    if smaller is not None:
        assert {*smaller.after} < {*made.after}
        assert weigh(of, smaller).effect is Effect.NOTHING
