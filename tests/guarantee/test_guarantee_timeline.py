"""From verdict to money: paid once, on the first working day after judgement, corrected by adding."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from qianheng.core.days import DAY, HOUR, SHANGHAI, microseconds, midnight
from qianheng.core.money import YUAN
from qianheng.guarantee.case import Log, Target, Unit
from qianheng.guarantee.figures import Figures, Period
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.timeline import compensation_id, payment, status
from qianheng.guarantee.verdict import Status, Verdict, judge, judgement
from qianheng.plans.plan import Goal

SEED = shipped().in_force("seed", date(2025, 10, 1))
TARGET = Target(0, Goal.PAYMENT, Fraction(15, 2))


def unit(day: str = "2025-10-11") -> Unit:
    return Unit("p1", date.fromisoformat(day))


def verdict(of: Unit, spend: int = 1000, days_later: int = 8, policy: str = "seed") -> Verdict:
    found = Figures(spend * YUAN, (Period(Goal.PAYMENT, TARGET.value, 11, 3000 * YUAN),))
    return judge(shipped().in_force(policy, of.day), of, Log((TARGET,)), found, of.window[0] + days_later * DAY)


# T + 8 is a local midnight; the credit is due on the first and overdue after the third working day after it.
@pytest.mark.parametrize(
    ("day", "due_on", "due_by"),
    [
        ("2025-10-13", "2025-10-22", "2025-10-24"),  # judged on a Tuesday
        ("2025-10-11", "2025-10-20", "2025-10-22"),  # judged on a Sunday
        (
            "2025-09-22",
            "2025-10-09",
            "2025-10-11",
        ),  # judged on 30 September, before the long holiday and its make-up day
        ("2025-10-02", "2025-10-11", "2025-10-14"),  # judged on a Friday before a working Saturday
        ("2025-12-23", "2026-01-04", "2026-01-06"),  # judged on New Year's Eve, before a working Sunday
    ],
)
def test_credit_comes_one_to_three_working_days_after_judgement(day: str, due_on: str, due_by: str) -> None:
    of = unit(day)
    paid = payment(SEED, of, verdict(of), [], now=of.window[0] + 8 * DAY)
    assert paid is not None
    assert (paid.amount, paid.plan_id, paid.day) == (600 * YUAN, "p1", of.day)
    assert (paid.due_on.isoformat(), paid.due_by.isoformat()) == (due_on, due_by)


def test_nothing_is_paid_before_judgement() -> None:
    of = unit()
    assert verdict(of, days_later=7).compensation == 600 * YUAN
    assert payment(SEED, of, verdict(of, days_later=7), [], now=of.window[0] + 7 * DAY) is None


def test_nothing_is_paid_where_nothing_is_due_or_promised() -> None:
    of = unit()
    assert payment(SEED, of, verdict(of, spend=400), [], now=0) is None
    assert payment(shipped().in_force("none", of.day), of, verdict(of, policy="none"), [], now=0) is None


def test_asked_again_it_is_the_same_payment_and_once_recorded_none() -> None:
    of = unit()
    first, again = (payment(SEED, of, verdict(of), [], now) for now in (0, 99 * DAY))
    assert first == again
    assert first is not None
    assert first.id == compensation_id(SEED, of)
    assert payment(SEED, of, verdict(of), [first.amount], now=99 * DAY) is None


def test_late_facts_are_corrected_by_another_payment_either_way() -> None:
    of, now = unit(), microseconds(midnight(date(2025, 11, 3))) + HOUR
    up = payment(SEED, of, verdict(of, spend=1100, days_later=23), [600 * YUAN], now)
    down = payment(SEED, of, verdict(of, spend=400, days_later=23), [600 * YUAN], now)
    assert up is not None
    assert down is not None
    assert (up.amount, down.amount) == (100 * YUAN, -600 * YUAN)
    assert up.id == down.id == compensation_id(SEED, of, corrections=1) != compensation_id(SEED, of)
    assert (up.due_on, up.due_by) == (date(2025, 11, 4), date(2025, 11, 6))


def test_ids_differ_by_plan_day_and_policy() -> None:
    of = unit()
    units = [of, replace(of, plan_id="p2"), replace(of, day=date(2025, 10, 12))]
    ids = {
        compensation_id(policy, u)
        for u in units
        for policy in (SEED, shipped().in_force("qianchuan-product", date(2025, 10, 1)))
    }
    assert len(ids) == 6


def test_the_day_is_compensated_once_the_ledger_has_posted_what_is_due() -> None:
    of = unit()
    assert status(verdict(of), []) is Status.CONFIRMING
    assert status(verdict(of), [600 * YUAN]) is Status.COMPENSATED
    assert status(verdict(of, spend=1100), [600 * YUAN]) is Status.CONFIRMING
    assert status(verdict(of, spend=1100), [600 * YUAN, 100 * YUAN]) is Status.COMPENSATED
    assert status(verdict(of, spend=400), [600 * YUAN]) is Status.ENDED
    assert status(verdict(of, days_later=7), [600 * YUAN]) is Status.CONFIRMING


def test_judgement_is_the_local_midnight_after_the_data_window() -> None:
    assert SEED.rules is not None
    assert judgement(SEED.rules, unit("2025-10-01")) == microseconds(midnight(date(2025, 10, 9), SHANGHAI))
