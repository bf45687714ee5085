"""What an audit says of days that were paid and of units that no day of a plan judges."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from qianheng.actions.auditing import Apart, Audit, AuditedDay
from qianheng.actions.policies import policies
from qianheng.core.money import YUAN
from qianheng.guarantee.audit import Audited
from qianheng.guarantee.case import Case, Charge, Log, Order, Target, Unit
from qianheng.guarantee.verdict import evaluate
from qianheng.measures.reports import Figures
from qianheng.plans.plan import BidMode, Goal

DAY, NOW = date(2025, 10, 1), 2_000_000_000_000_000


def day_due(plan: str = "7", bid_mode: BidMode = BidMode.TARGET_ROI, **told: int) -> AuditedDay:
    """A final day that 700 yuan are due for: 1000 spent, 12 orders of 50 at a target of 2."""
    unit, policy = Unit(plan, DAY), policies().in_force("seed", DAY)
    orders = tuple(Order(f"o{n}", unit.window[0] + n + 1, 50 * YUAN) for n in range(12))
    log = Log((Target(unit.window[0] - 1, Goal.PAYMENT, Fraction(2)),))
    case = Case("seed", unit, log, (Charge("c", unit.window[0], 1000 * YUAN, None),), orders, NOW)
    verdict = evaluate(policy, case)
    due = verdict.compensation
    audited = Audited(replace(unit, bid_mode=bid_mode), due, due, verdict, "orders", ())
    return AuditedDay(plan, policy, "change_log", audited, Figures(spend=1000 * YUAN, **told))


@pytest.mark.parametrize(
    ("credited", "said"),
    [(None, "due"), (0, "due"), (699, "due"), (700, "compensated"), (900, "compensated")],
)
def test_a_day_is_due_until_all_that_is_due_was_credited(credited: int | None, said: str) -> None:
    one = day_due()
    assert one.audited.most == 700 * YUAN
    audit = Audit((one,), None if credited is None else ((DAY, credited * YUAN),))
    assert audit.status_of(one) == said


def test_a_day_that_cannot_be_judged_has_no_status() -> None:
    one = day_due()
    unknown = replace(one, audited=replace(one.audited, verdict=None, least=None, most=None))
    assert Audit((unknown,), ()).status_of(unknown) is None


def test_boosts_and_weeks_are_told_apart_with_what_was_spent_on_them() -> None:
    days = (day_due(boosted_spend=30 * YUAN), day_due("8"), day_due("9", BidMode.MAX_DELIVERY, boosted_spend=5 * YUAN))
    assert Audit(days, None).apart == (Apart("boost", 2, 35 * YUAN), Apart("week", 1, 1000 * YUAN))
    assert Audit((day_due("8"),), None).apart == ()
