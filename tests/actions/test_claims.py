"""Refund claims from filing to payment: within what is left, to where it came from, once, by those who may."""

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from qianheng.actions import claims
from qianheng.actions.claim_evidence import attach, evidence
from qianheng.actions.claim_review import claims_of, queue, show
from qianheng.actions.judging import judge_days
from qianheng.core.actors import REVIEWER, Actor, Role
from qianheng.core.days import midnight
from qianheng.core.errors import BadInput, Damaged, NotFound, Refused
from qianheng.core.money import YUAN
from qianheng.guarantee.claims import Standing, Status
from qianheng.guarantee.reasons import Status as UnitStatus
from qianheng.ledger.transfers import AccountKind
from qianheng.measures.days import Days
from qianheng.store.database import reading
from qianheng.store.grants import grants_of
from qianheng.store.notices import notices
from qianheng.store.plans import load
from tests.actions.claimed_days import (
    DAY,
    EXPIRES,
    FINANCE,
    OWNER,
    PLAN,
    SPEND,
    STRANGER,
    VIEWER,
    Shop,
    asked,
    fraud,
    opened,
    orders,
    undone,
)

CASH, CREDIT = AccountKind.CASH, AccountKind.CREDIT
JUDGED = DAY + timedelta(days=8)  # Thursday


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as found:
        yield found


def granted(shop: Shop, amount: int, key: str = "") -> Standing:
    filed = claims.file(shop.of(FINANCE), asked(amount, key=key))
    claims.take(shop.of(REVIEWER), filed.claim.id)
    return claims.approve(shop.of(REVIEWER), filed.claim.id)


def test_what_is_granted_goes_back_to_cash_and_credit_as_the_day_was_paid_and_credit_keeps_its_expiry(
    shop: Shop,
) -> None:
    claim = granted(shop, 100 * YUAN)
    assert claim.status is Status.APPROVED
    assert shop.posted("claim") == {CASH: 0, CREDIT: 0}  # promised only
    for later in (2, 2, 3):  # Friday, again, and a Saturday
        shop.close_until(DAY + timedelta(days=later))
    assert shop.posted("claim") == {CASH: 70 * YUAN, CREDIT: 30 * YUAN}
    with reading(shop.desk.database) as connection:
        assert {grant.expires_at for grant in grants_of(connection, PLAN.ad_account_id)} == {EXPIRES}
        told = [notice.kind for notice in notices(connection, 1) if notice.subject == f"claim {claim.claim.id}"]
    assert told == ["claims.notice.approve", "claims.notice.pay"]
    assert show(shop.of(FINANCE), claim.claim.id).standing.status is Status.PAID


@pytest.mark.parametrize(
    ("claimed", "due", "late_orders", "in_the_end"),
    [
        (300, 300, 0, 600),  # the claim's yuan are not compensated again
        (500, 100, 0, 600),
        (300, 300, 5, 400),  # 600 − 5 × 40 = 400, of which 300 are claimed: 200 are taken back
    ],
)
def test_a_compensation_that_comes_after_a_claim_is_reduced_by_it(
    shop: Shop, claimed: int, due: int, late_orders: int, in_the_end: int
) -> None:
    granted(shop, claimed * YUAN)
    shop.close_until(JUDGED)
    assert shop.day.compensated == due * YUAN
    if late_orders:
        shop.tell(orders(11, late_orders, midnight(JUDGED)))
    shop.close_until(JUDGED + timedelta(days=5))
    assert shop.day.compensated + shop.day.claimed_amount == in_the_end * YUAN
    with reading(shop.desk.database) as connection:
        days = Days(DAY, DAY, PLAN.timezone)
        now = midnight(JUDGED + timedelta(days=5))
        judged = next(one for one in judge_days(connection, shop.desk.lake, days, now) if one.plan_id == PLAN.id)
    assert judged.status is UnitStatus.COMPENSATED


def test_a_claim_that_comes_after_a_compensation_is_for_the_rest(shop: Shop) -> None:
    shop.close_until(JUDGED)
    later = shop.on(JUDGED)
    with pytest.raises(Refused, match=r"400\.00 are left"):
        claims.file(later.of(FINANCE), asked(401 * YUAN))
    granted(later, 400 * YUAN)
    shop.tell(orders(11, 1, midnight(JUDGED + timedelta(days=1))))
    shop.close_until(JUDGED + timedelta(days=5))
    assert (shop.day.compensated, shop.day.claimed_amount) == (560 * YUAN, 400 * YUAN)  # only the correction goes


def test_invalid_traffic_a_claim_and_a_compensation_together_are_never_more_than_the_spend(shop: Shop) -> None:
    granted(shop, 500 * YUAN)
    for charge in range(1, 8):  # 700 turn out invalid, of which 500 were given back already
        shop.tell(fraud(charge, midnight(DAY + timedelta(days=2))))
    shop.close_until(JUDGED + timedelta(days=5))
    assert (shop.day.claimed_amount, shop.day.invalid, shop.day.compensated) == (500 * YUAN, 500 * YUAN, 0)
    assert {kind: shop.posted("claim")[kind] + shop.posted("invalid_traffic")[kind] for kind in (CASH, CREDIT)} == {
        CASH: 700 * YUAN,
        CREDIT: 300 * YUAN,
    }


def test_a_correction_upward_leaves_what_was_given_back_since_as_claim_and_as_invalid_traffic(tmp_path: Path) -> None:
    with opened(tmp_path, policy="shopee-gmv-max") as shop:  # judged the next day, before traffic is found invalid
        shop.close_until(DAY + timedelta(days=1))
        promised = shop.day.compensated  # 1000 − 3000 / (0.9 × 7.5)
        granted(shop, SPEND - promised)
        for charge in range(1, 6):
            shop.tell(fraud(charge, midnight(DAY + timedelta(days=1))))
        shop.close_until(DAY + timedelta(days=2))
        assert (shop.day.compensated, shop.day.invalid) == (promised - 500 * YUAN, 500 * YUAN)
        for order in (1, 2):
            shop.tell(undone(order, midnight(DAY + timedelta(days=3))))
        shop.close_until(DAY + timedelta(days=9))
        assert shop.day.compensated + shop.day.claimed_amount + shop.day.invalid == SPEND


def test_a_claim_within_the_cap_is_taken_and_one_beyond_it_says_what_is_left_and_why(shop: Shop) -> None:
    claims.file(shop.of(FINANCE), asked(200 * YUAN))
    with pytest.raises(Refused) as refused:
        claims.file(shop.of(FINANCE), asked(301 * YUAN))
    assert refused.value.values["left"] == "300.00"
    assert "share" in str(refused.value)
    assert claims.file(shop.of(FINANCE), asked()).claim.asked == 300 * YUAN  # all that is left


def test_the_same_claim_twice_is_one_and_another_key_makes_another(shop: Shop) -> None:
    first, again = (claims.file(shop.of(FINANCE), asked(100 * YUAN)) for _ in range(2))
    other = claims.file(shop.of(FINANCE), asked(100 * YUAN, key="second"))
    assert first == again
    assert [one.claim.id for one in claims_of(shop.desk)] == [first.claim.id, other.claim.id]


def test_deciding_again_the_same_changes_nothing_and_otherwise_is_refused(shop: Shop) -> None:
    first = granted(shop, 100 * YUAN)
    assert claims.approve(shop.of(REVIEWER), first.claim.id) == first
    with pytest.raises(Refused):
        claims.approve(shop.of(REVIEWER), first.claim.id, 50 * YUAN, "less")
    with pytest.raises(Refused):
        claims.reject(shop.of(REVIEWER), first.claim.id, "no")
    assert shop.day.claimed_amount == 100 * YUAN


def test_a_withdrawn_claim_leaves_its_money_to_others(shop: Shop) -> None:
    first = claims.file(shop.of(FINANCE), asked(500 * YUAN))
    with pytest.raises(Refused):
        claims.file(shop.of(FINANCE), asked(1 * YUAN))
    claims.withdraw(shop.of(OWNER), first.claim.id, "mistake")
    assert claims.file(shop.of(FINANCE), asked(1 * YUAN)).status is Status.SUBMITTED


def test_a_budget_claim_is_taken_when_the_smaller_budget_was_declined(shop: Shop) -> None:
    filed = claims.file(shop.of(FINANCE), asked(100 * YUAN, "budget"))
    assert (filed.status, filed.claim.offer) == (Status.DRAFT, 1600 * YUAN)
    assert queue(shop.of(REVIEWER)) == []
    assert claims.answer_offer(shop.of(FINANCE), filed.claim.id, accept=False).status is Status.SUBMITTED
    (waiting,) = queue(shop.of(REVIEWER))
    assert waiting.due_by == date(2025, 9, 16)


def test_the_smaller_budget_is_taken_by_who_may_change_plans_and_ends_the_claim(shop: Shop) -> None:
    filed = claims.file(shop.of(FINANCE), asked(100 * YUAN, "budget"))
    with pytest.raises(Refused):
        claims.answer_offer(shop.of(FINANCE), filed.claim.id, accept=True)
    assert claims.answer_offer(shop.of(OWNER), filed.claim.id, accept=True).status is Status.WITHDRAWN
    with reading(shop.desk.database) as connection:
        assert load(connection, PLAN.id).plan.budget_daily == 1600 * YUAN


DECIDER_OF_THE_SHOP = Actor("chen", Role.REVIEWER)


@pytest.mark.parametrize(
    ("actor", "does"),
    [
        (VIEWER, lambda desk, id_: claims.file(desk, asked(1 * YUAN))),
        (VIEWER, lambda desk, id_: claims.withdraw(desk, id_)),
        (OWNER, lambda desk, id_: claims.take(desk, id_)),
        (FINANCE, lambda desk, id_: claims.approve(desk, id_)),
        (OWNER, lambda desk, id_: claims.reject(desk, id_, "no")),
        (REVIEWER, lambda desk, id_: claims.withdraw(desk, id_)),
        (REVIEWER, lambda desk, id_: claims.file(desk, asked(1 * YUAN))),
        (OWNER, lambda desk, id_: queue(desk)),
        (OWNER, lambda desk, id_: claims.pay_now(desk)),
        (DECIDER_OF_THE_SHOP, lambda desk, id_: claims.take(desk, id_)),
    ],
)
def test_who_may_not_is_refused_with_the_reason(shop: Shop, actor: Actor, does: Callable[..., object]) -> None:
    filed = claims.file(shop.of(FINANCE), asked(100 * YUAN))
    with pytest.raises(Refused):
        does(shop.of(actor), filed.claim.id)
    assert show(shop.of(OWNER), filed.claim.id).standing == filed


@pytest.mark.parametrize(
    "does",
    [
        lambda desk, id_: claims.file(desk, asked(1 * YUAN)),
        lambda desk, id_: show(desk, id_),
        lambda desk, id_: claims.withdraw(desk, id_),
        lambda desk, id_: attach(desk, id_, []),
        lambda desk, id_: evidence(desk, id_),
        lambda desk, id_: claims_of(desk, PLAN.id),
        lambda desk, id_: claims.answer_offer(desk, id_, accept=False),
    ],
)
def test_another_shop_sees_nothing_of_it(shop: Shop, does: Callable[..., object]) -> None:
    filed = claims.file(shop.of(FINANCE), asked(100 * YUAN))
    with pytest.raises(NotFound) as hidden:
        does(shop.of(STRANGER), filed.claim.id)
    with pytest.raises(NotFound) as unknown:
        does(shop.of(STRANGER), 12345)
    if "plan" not in hidden.value.values:
        assert str(hidden.value).replace(str(filed.claim.id), "") == str(unknown.value).replace("12345", "")
    assert claims_of(shop.of(STRANGER)) == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"first": DAY + timedelta(days=1), "last": DAY + timedelta(days=1)}, "claims.day_not_over"),
        ({"first": DAY - timedelta(days=40)}, "claims.too_many_days"),
        ({"first": DAY - timedelta(days=31), "last": DAY - timedelta(days=29)}, "claims.too_late"),
        ({"first": DAY - timedelta(days=2), "last": DAY - timedelta(days=2)}, "claims.too_much"),
        ({"amount": 501 * YUAN}, "claims.too_much"),
    ],
)
def test_what_the_policy_does_not_take_is_refused_by_its_rule(shop: Shop, change: dict[str, object], key: str) -> None:
    from dataclasses import replace

    with pytest.raises(Refused) as refused:
        claims.file(shop.of(FINANCE), replace(asked(), **change))  # type: ignore[arg-type]
    assert refused.value.key == key
    assert claims_of(shop.desk) == []


def test_all_that_cannot_be_meant_is_told_at_once(shop: Shop) -> None:
    wrong = claims.Asked(PLAN.id, DAY, DAY - timedelta(days=1), "weather", " ", -1)
    with pytest.raises(BadInput) as refused:
        claims.file(shop.of(FINANCE), wrong)
    assert str(refused.value).count("\n  --") == 4


def test_the_queue_shows_what_is_unusual_and_what_is_overdue(shop: Shop) -> None:
    for charge in (1, 2):
        shop.tell(fraud(charge, midnight(DAY) + timedelta(hours=12)))
    shop.close_until(DAY + timedelta(days=1))
    filed = claims.file(shop.of(FINANCE), asked(100 * YUAN))
    for day, overdue in ((16, False), (17, True)):
        (waiting,) = queue(shop.on(date(2025, 9, day)).of(REVIEWER))
        assert waiting.overdue is overdue
    found = {one.name: one for one in waiting.findings}
    assert found["invalid_share"] == ("invalid_share", "0.2", "0.1", True)
    assert found["left"].value == "500.00"
    assert found["ctr"].value == "0.1"
    assert waiting.standing == filed
    assert filed.claim.figures["spend"] == "1000.00"


def test_evidence_is_bounded_typed_and_closed_once_the_claim_is_decided(shop: Shop, tmp_path: Path) -> None:
    filed = claims.file(shop.of(FINANCE), asked(100 * YUAN)).claim.id
    good, bad, huge = (tmp_path / name for name in ("a.png", "b.png", "c.pdf"))
    good.write_bytes(b"\x89PNG\r\n\x1a\n")
    bad.write_bytes(b"\x7fELF\x00")
    huge.write_bytes(b"%PDF-" + b"x" * 10_000_000)
    with pytest.raises(BadInput) as refused:
        attach(shop.of(FINANCE), filed, [good, bad, huge, tmp_path / "none.png"])
    assert str(refused.value).count("\n  ") == 3
    assert evidence(shop.of(REVIEWER), filed) == []
    for _ in range(2):
        (kept,) = attach(shop.of(FINANCE), filed, [good])
    for number in range(10):
        good.write_bytes(b"\x89PNG\r\n\x1a\n%d" % number)
        if number < 9:
            attach(shop.of(FINANCE), filed, [good])
    with pytest.raises(Refused, match="11"):
        attach(shop.of(FINANCE), filed, [good])
    claims.withdraw(shop.of(FINANCE), filed)
    with pytest.raises(Refused, match="decided"):
        attach(shop.of(FINANCE), filed, [good])
    (tmp_path / "evidence" / kept.path).write_bytes(b"another")
    with pytest.raises(Damaged):
        evidence(shop.of(REVIEWER), filed)


def test_everything_done_is_in_the_trail(shop: Shop) -> None:
    claim = granted(shop, 100 * YUAN)
    shop.close_until(DAY + timedelta(days=2))
    trail = show(shop.of(OWNER), claim.claim.id).trail
    assert [(one.actor, json.loads(json.dumps(one.detail)).get("step")) for one in trail] == [
        ("chen", None),
        ("reviewer", "take"),
        ("reviewer", "approve"),
        ("system", "pay"),
    ]
