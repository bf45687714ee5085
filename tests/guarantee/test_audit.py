"""The audit of a plan's day: exact where orders add up to its row, bounds that hold where they do not."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.core.days import HOUR, MINUTE, SECOND
from qianheng.core.money import YUAN
from qianheng.guarantee.audit import Evidence, State, audit, settings_of
from qianheng.guarantee.case import Case, Charge, Log, Order, Refund, Target, Unit
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.verdict import evaluate
from qianheng.measures.reports import Figures
from qianheng.plans.entries import LogEntry, LogField
from qianheng.plans.plan import BidMode, Goal

DAY = date(2026, 9, 10)
UNIT = Unit("1790", DAY)
SINCE, UNTIL = UNIT.window
LATER = UNTIL + 60 * 24 * HOUR
POLICY = shipped().in_force("seed", DAY)
ORDERS = tuple(Order(str(i), SINCE + i * HOUR, 300 * YUAN) for i in range(1, 11))


def entry(at: int, field: LogField, before: str | None, after: str, goal: Goal | None = None) -> LogEntry:
    return LogEntry(f"{at}{field}", at, "1790", "", field, before, after, "", goal)


TARGET = (entry(SINCE - HOUR, LogField.TARGET, "6.0", "7.5", Goal.PAYMENT),)


def row_of(orders: tuple[Order, ...], spend: int = 1000 * YUAN) -> Figures:
    soon = [sum(back.amount for back in one.refunds if back.at - one.at <= HOUR) for one in orders]
    gmv = sum(one.amount for one in orders)
    return Figures(
        spend=spend,
        orders=len(orders),
        gmv=gmv,
        net_orders=sum(back < one.amount for one, back in zip(orders, soon, strict=True)),
        net_gmv=gmv - sum(soon),
        refunded_orders_1h=sum(back > 0 for back in soon),
        refunded_1h=sum(soon),
    )


def known(**differently: Any) -> Evidence:
    """Everything there is to know of the day, but for what is said."""
    whole: dict[str, Any] = {
        "row": row_of(ORDERS),
        "settings": settings_of(TARGET),
        "orders": ORDERS,
        "refunds_known": True,
        "boosts_known": True,
        "abnormal_known": True,
        "logged_that_day": True,
    }
    return Evidence(**(whole | differently))


def test_a_day_of_which_all_is_known_is_owed_exactly() -> None:
    found = audit(POLICY, UNIT, known(), LATER)
    assert (found.least, found.most) == (600 * YUAN, 600 * YUAN)
    assert (found.rests_on, found.missing, found.assumed) == ("orders", (), ())


REFUNDED = (ORDERS[0]._replace(refunds=(Refund("r", ORDERS[0].at + 30 * MINUTE, 300 * YUAN),)), *ORDERS[1:])
TWO_TARGETS = settings_of([*TARGET, entry(SINCE + 4 * HOUR, LogField.TARGET, "7.5", "8.0", Goal.PAYMENT)])
OWNER = settings_of([], [(0, State(Goal.PAYMENT, Fraction("7.5")))])
MATRIX = [
    ("no row", {"row": None}, None, None, ("plan_row",)),
    ("no targets", {"settings": settings_of([])}, None, None, ("targets",)),
    ("no log: an edit may have cost the day", {"settings": OWNER, "logged_that_day": False}, 0, 600, ("change_log",)),
    ("no orders, one target, nothing refunded", {"orders": None}, 600, 600, ()),
    ("no orders, two targets", {"orders": None, "settings": TWO_TARGETS}, 600, 625, ("orders",)),
    ("orders of half the day", {"orders": ORDERS[:5], "settings": TWO_TARGETS}, 600, 625, ("orders_differ",)),
    (
        "no orders, one perhaps refunded at once: nine would be too few",
        {"orders": None, "row": row_of(REFUNDED)},
        0,
        640,
        ("orders",),
    ),
    (
        "boosts, and nobody says whose orders they drove",
        {"row": replace(row_of(ORDERS), boosted_spend=100 * YUAN), "boosts_known": False},
        0,
        900,
        ("boost_orders",),
    ),
]


@pytest.mark.parametrize(("why", "differently", "least", "most", "missing"), MATRIX, ids=[case[0] for case in MATRIX])
def test_what_is_missing_is_named_and_bounds_what_is_due(
    why: str, differently: dict[str, Any], least: int | None, most: int | None, missing: tuple[str, ...]
) -> None:
    found = audit(POLICY, UNIT, known(**differently), LATER)
    bounds = tuple(None if end is None else end * YUAN for end in (least, most))
    assert (found.least, found.most, found.missing) == (*bounds, missing), why


def test_orders_nobody_judged_are_assumed_normal_and_that_is_said() -> None:
    assert audit(POLICY, UNIT, known(abnormal_known=False), LATER).assumed == ("abnormal_orders",)


def test_the_log_tells_what_held_before_its_first_entry() -> None:
    told = settings_of(
        [
            entry(SINCE + HOUR, LogField.GOAL, "payment", "net"),
            entry(SINCE + HOUR, LogField.TARGET, "2.0", "2.5", Goal.NET),
            entry(SINCE + 2 * HOUR, LogField.BID_MODE, "target_roi", "max_delivery"),
            entry(SINCE + 3 * HOUR, LogField.STATUS, "active", "paused"),
        ]
    )
    first, second, third = told.log.targets
    assert second == Target(SINCE + HOUR, Goal.NET, Fraction("2.5"))
    assert first.value == 2
    assert third.at == SINCE + 2 * HOUR
    assert told.bid_mode((SINCE, UNTIL)) is BidMode.MAX_DELIVERY
    assert [event.type for event in told.log.events] == ["pause"]


amounts = st.integers(1, 400).map(lambda yuan: yuan * YUAN)
refunds = st.none() | st.tuples(st.sampled_from((20 * SECOND, MINUTE, 30 * MINUTE, HOUR, 2 * HOUR)), st.integers(1, 10))
sold = st.lists(st.tuples(st.integers(0, 24 * 60 - 1), amounts, refunds), max_size=16)
edits = st.lists(
    st.tuples(st.integers(0, 23), st.sampled_from((Goal.PAYMENT, Goal.NET)), st.integers(2, 9)),
    max_size=2,
    unique_by=lambda e: e[0],
)


@settings(max_examples=150, deadline=None)
@given(sold=sold, edits=edits, spend=st.integers(0, 2000))
def test_bounds_from_the_row_alone_hold_what_orders_say(
    sold: list[tuple[int, int, tuple[int, int] | None]], edits: list[tuple[int, Goal, int]], spend: int
) -> None:
    orders = tuple(
        Order(str(i), SINCE + at * MINUTE, amount, refunds=_refund(i, SINCE + at * MINUTE, amount, back))
        for i, (at, amount, back) in enumerate(sold)
    )
    entries = [
        *TARGET,
        *(entry(SINCE + hour * HOUR, LogField.TARGET, None, str(value), goal) for hour, goal, value in edits),
    ]
    told = settings_of(entries)
    row = row_of(orders, spend * YUAN)
    exact = evaluate(POLICY, Case("seed", UNIT, told.log, (Charge("c", SINCE, spend * YUAN),), orders, LATER))
    whole = audit(POLICY, UNIT, known(row=row, settings=told, orders=orders), LATER)
    assert whole.least == whole.most == exact.compensation
    found = audit(POLICY, UNIT, known(row=row, settings=told, orders=None), LATER)
    assert found.least is not None
    assert found.most is not None
    assert found.least <= exact.compensation <= found.most
    assert found.least == found.most or "orders" in found.missing


def _refund(i: int, at: int, amount: int, back: tuple[int, int] | None) -> tuple[Refund, ...]:
    return (Refund(f"r{i}", at + back[0], amount * back[1] // 10),) if back else ()


def test_a_log_of_nothing_tells_no_target() -> None:
    assert settings_of([]).log == Log(())
