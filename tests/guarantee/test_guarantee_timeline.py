"""From verdict to money: paid once, on the first working day after judgement, corrected by adding."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from qianheng.core.days import DAY, HOUR, SHANGHAI, microseconds, midnight
from qianheng.core.money import YUAN
from qianheng.guarantee.case import Log, Target, Unit
from qianheng.guarantee.figures import Figures, Period
from qianheng.guarantee.reasons import Reason, Status
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.timeline import Posting, Record, Said, compensation_id, moves, payment, status
from qianheng.guarantee.verdict import Verdict, judge, judgement
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


PLAIN = Log((TARGET,))


def standing(record: Record, log: Log = PLAIN, days_later: float = 99, policy: str = "seed") -> list[object]:
    """The moves of a unit as (days since its midnight, status, why, reason)."""
    of = unit()
    start = of.window[0]
    found = moves(shipped().in_force(policy, of.day), of, log, record, start + int(days_later * DAY))
    return [((one.at - start) / DAY, str(one.status), str(one.because), one.reason) for one in found]


def said(days_later: int, compensation: int, reason: Reason | None = None) -> Said:
    given = Status.CONFIRMING if compensation else Status.ENDED
    return Said(unit().window[0] + days_later * DAY, given, reason, compensation * YUAN)


def posted(days_later: int, amount: int) -> Posting:
    return Posting(unit().window[0] + days_later * DAY, amount * YUAN)


BEGAN, OVER = (0, "in_effect", "day_began", None), (1, "confirming", "day_ended", None)


@pytest.mark.parametrize(
    ("record", "after"),
    [
        (Record(), []),
        (Record((said(8, 0, Reason.ROI_MET),)), [(8, "ended", "judged", "roi_met")]),
        (Record((said(8, 600),)), []),  # it was confirming before, and is
        (Record((said(8, 600),), (posted(9, 600),)), [(9, "compensated", "paid", None)]),
        (
            Record((said(8, 600), said(12, 700)), (posted(9, 600), posted(13, 100))),
            [
                (9, "compensated", "paid", None),
                (12, "confirming", "corrected", None),
                (13, "compensated", "paid", None),
            ],
        ),
        (Record((said(8, 600), said(12, 560)), (posted(9, 600), posted(13, -40))), [(9, "compensated", "paid", None)]),
        (
            Record((said(8, 600), said(12, 0, Reason.ROI_MET)), (posted(9, 600),)),
            [(9, "compensated", "paid", None), (12, "ended", "corrected", "roi_met")],
        ),
    ],
)
def test_the_status_is_a_fold_over_what_was_said_and_paid(record: Record, after: list[object]) -> None:
    assert standing(record) == [BEGAN, OVER, *after]


def test_what_is_still_to_come_is_not_told() -> None:
    record = Record((said(8, 600),), (posted(9, 600),))
    assert standing(record, days_later=-0.5) == []
    assert standing(record, days_later=0.5) == [BEGAN]
    assert standing(record, days_later=8.5) == [BEGAN, OVER]


def test_a_change_voids_the_day_when_it_is_made_and_nothing_brings_it_back() -> None:
    start = unit().window[0]
    log = Log((TARGET, *(Target(start + at * HOUR // 2, Goal.PAYMENT, Fraction(at)) for at in (12, 13))))
    record = Record((Said(start + 8 * DAY, Status.VOID, Reason.CHANGES_TOO_CLOSE, 0),))
    assert standing(record, log) == [BEGAN, (6.5 / 24, "void", "plan_changed", "changes_too_close")]


def test_a_day_is_covered_from_its_first_target_on() -> None:
    log = Log((Target(unit().window[0] + 6 * HOUR, Goal.PAYMENT, Fraction(5)),))
    assert standing(Record(), log)[:2] == [
        (0, "none", "day_began", "no_target"),
        (0.25, "in_effect", "plan_changed", None),
    ]


def test_where_nothing_is_promised_there_is_one_status() -> None:
    assert standing(Record(), policy="none") == [(0, "none", "day_began", "no_policy")]
