"""What would have made a compensation due: each remedy is judged again, and nothing less than it would do."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given

from qianheng.core.days import DAY, HOUR, MINUTE
from qianheng.core.money import YUAN
from qianheng.guarantee.case import Case, Charge, Event, Log, Order, PlanEvent, Target, Unit
from qianheng.guarantee.reasons import Reason
from qianheng.guarantee.remedies import remedies
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.verdict import evaluate
from qianheng.plans.plan import Goal
from tests.guarantee.test_guarantee_laws import cases

UNIT = Unit("p", date(2025, 10, 1))
START, END = UNIT.window
FIRST = Target(START - DAY, Goal.PAYMENT, Fraction(15, 2))


def case(
    orders: int = 11,
    spend: int = 1000,
    changes: Sequence[int] = (),
    events: Sequence[PlanEvent] = (),
    rate: str | None = None,
    policy: str = "seed",
) -> Case:
    """Eleven orders of 300 of 7.5 each; `changes`: minutes of the day at which the target is changed."""
    unit = Unit("p", date(2025, 10, 1), commission_rate=None if rate is None else Decimal(rate))
    values = (Fraction(8), Fraction(7))
    targets = [Target(START + at * MINUTE, Goal.PAYMENT, values[i % 2]) for i, at in enumerate(changes)]
    sold = tuple(Order(f"o{i}", START + 12 * HOUR, 300 * YUAN) for i in range(orders))
    charges = (Charge("c", START + HOUR, spend * YUAN),)
    return Case(policy, unit, Log((FIRST, *targets), tuple(events)), charges, sold, END + 30 * DAY)


PAUSE = PlanEvent(START + 9 * HOUR, Event.PAUSE)
# case, then of each remedy: step, kind, something told, what would be due or why nothing
TABLE: list[tuple[Case, list[tuple[int, str, tuple[str, Any], str]]]] = [
    (case(), []),
    (case(changes=(540, 600)), []),
    (
        case(changes=(540, 580)),
        [
            (1, "later_changes", ("changes", "20"), "due"),
            (1, "fewer_changes", ("times", "09:40"), "due"),
        ],
    ),
    (case(changes=(60, 180, 300)), [(1, "fewer_changes", ("times", "05:00"), "due")]),
    (case(changes=(60,), policy="shopee-gmv-max"), [(1, "fewer_changes", ("times", "01:00"), "due")]),
    (
        case(events=[PAUSE], policy="tiktok-gmv-max", orders=21, spend=4000),
        [(1, "no_event", ("events", "pause"), "due")],
    ),
    (case(orders=2), [(1, "more_orders", ("orders", 8), "due")]),
    (case(orders=0), [(1, "more_orders", ("orders", 10), "unknown")]),
    (
        case(orders=2, spend=101),
        [(1, "more_orders", ("orders", 8), "roi_met"), (2, "worse_roi", ("roi", "29.7"), "due")],
    ),
    (case(spend=550), [(1, "worse_roi", ("spend", "550.01"), "due")]),
    (case(rate="0.14", policy="qianchuan-product"), [(1, "lower_target", ("target", "7.14"), "due")]),
    (case(policy="none"), []),
    (case(orders=0, spend=0), []),
]


@pytest.mark.parametrize(("given_case", "expected"), TABLE)
def test_what_would_have_helped(given_case: Case, expected: list[tuple[int, str, tuple[str, Any], str]]) -> None:
    policy = shipped().in_force(given_case.policy, given_case.unit.day)
    found = remedies(policy, given_case)
    assert [(one.step, one.kind) for one in found] == [(step, kind) for step, kind, _, _ in expected]
    for one, (_, _, (name, value), outcome) in zip(found, expected, strict=True):
        assert str(value) in str(one.told[name])
        failed = "unknown"
        if one.after is not None:
            failed = next((check.reason for check in one.after.checks if not check.passed), "due")
        assert failed == outcome


def test_a_change_is_put_off_no_longer_than_it_must_be() -> None:
    close = case(changes=(540, 580))
    (later, *_) = remedies(shipped().in_force("seed", UNIT.day), close)
    assert later.told["changes"] == [
        {"at": "2025-10-01T09:40:00+08:00", "to": "2025-10-01T10:00:00+08:00", "minutes": "20"}
    ]


@given(cases())
def test_a_remedy_is_only_told_where_nothing_is_due_and_always_does_away_with_the_reason(given_case: Case) -> None:
    policy = shipped().in_force(given_case.policy, given_case.unit.day)
    verdict = evaluate(policy, given_case)
    failed = {check.reason for check in verdict.checks if not check.passed}
    found = remedies(policy, given_case)
    assert failed or not found
    for one in found:
        if one.step == 1 and one.after is not None:
            after = [check.reason for check in one.after.checks if not check.passed]
            assert first(after) is not first(failed)


def first(reasons: Collection[Reason]) -> Reason | None:
    return min(reasons, key=list(Reason).index, default=None)
