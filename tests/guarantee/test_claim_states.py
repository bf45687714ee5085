"""A refund claim is where its steps have brought it, and a step that cannot be made says what could be."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.actors import Role
from qianheng.core.days import midnight
from qianheng.core.errors import BadInput, QianhengError, Refused
from qianheng.core.money import YUAN
from qianheng.guarantee.claim_limits import Taken, room, shared_out
from qianheng.guarantee.claim_policy import SHIPPED, Caps, claim_policy
from qianheng.guarantee.claims import Claim, Condition, Move, Share, Standing, Status, Step, after, filed, standing
from qianheng.guarantee.overlap import SpentDay, Stretch
from qianheng.ledger.sources import Sources

FRIDAY = date(2025, 9, 12)
CLAIM = Claim(
    id=1,
    shop_id=1,
    plan_id=7,
    condition=Condition.DISPUTE,
    shares=(Share(date(2025, 9, 10), 60 * YUAN), Share(date(2025, 9, 11), 40 * YUAN)),
    reason="why",
    claimant="chen",
    at=midnight(FRIDAY),
    figures={},
    policy=("standard", 1),
)
ALL = (Share(date(2025, 9, 10), 100 * YUAN),)


def move(step: Step, actor: str = "reviewer", reason: str = "said", shares: tuple[Share, ...] = ()) -> Move:
    role = Role.REVIEWER if actor == "reviewer" else Role.FINANCE
    return Move(CLAIM.id, step, midnight(date(2025, 9, 15)), actor, role, reason, shares)


def made(*steps: Step, offer: int | None = None) -> Standing:
    moves = [move(step, shares=ALL if step is Step.APPROVE else ()) for step in steps]
    return standing(replace(CLAIM, offer=offer), moves)


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ((), Status.SUBMITTED),
        ((Step.TAKE,), Status.UNDER_REVIEW),
        ((Step.TAKE, Step.APPROVE), Status.APPROVED),
        ((Step.TAKE, Step.APPROVE, Step.PAY), Status.PAID),
        ((Step.TAKE, Step.REJECT), Status.REJECTED),
        ((Step.WITHDRAW,), Status.WITHDRAWN),
        ((Step.TAKE, Step.WITHDRAW), Status.WITHDRAWN),
    ],
)
def test_a_claim_stands_where_its_steps_brought_it(steps: tuple[Step, ...], status: Status) -> None:
    assert made(*steps).status is status


def test_a_claim_that_is_offered_something_is_taken_only_when_the_offer_was_declined() -> None:
    assert made(offer=1).status is Status.DRAFT
    with pytest.raises(Refused):
        made(Step.TAKE, offer=1)
    assert made(Step.DECLINE_OFFER, Step.TAKE, offer=1).status is Status.UNDER_REVIEW
    assert made(Step.ACCEPT_OFFER, offer=1).status is Status.WITHDRAWN


@given(st.lists(st.sampled_from(Step), max_size=6))
def test_whatever_is_tried_only_the_drawn_ways_are_gone(steps: list[Step]) -> None:
    ways = {
        (Status.SUBMITTED, Step.TAKE): Status.UNDER_REVIEW,
        (Status.SUBMITTED, Step.WITHDRAW): Status.WITHDRAWN,
        (Status.UNDER_REVIEW, Step.WITHDRAW): Status.WITHDRAWN,
        (Status.UNDER_REVIEW, Step.APPROVE): Status.APPROVED,
        (Status.UNDER_REVIEW, Step.REJECT): Status.REJECTED,
        (Status.APPROVED, Step.PAY): Status.PAID,
    }
    now, done = filed(CLAIM), set[Step]()
    for step in steps:
        made_now = move(step, shares=ALL if step is Step.APPROVE else ())
        way = ways.get((now.status, step))
        if step in done:
            assert after(now, made_now) == now
        elif way is None:
            with pytest.raises(Refused):
                after(now, made_now)
        else:
            now, done = after(now, made_now), done | {step}
            assert now.status is way
    assert now == standing(CLAIM, now.moves)


def test_a_part_is_granted_and_a_claim_rejected_only_with_a_reason() -> None:
    review, part = made(Step.TAKE), (Share(date(2025, 9, 10), 30 * YUAN),)
    assert after(review, move(Step.APPROVE, shares=part)).status is Status.PARTLY_APPROVED
    for bare in (move(Step.APPROVE, reason=" ", shares=part), move(Step.REJECT, reason="")):
        with pytest.raises(Refused) as refused:
            after(review, bare)
        assert refused.value.key == "claims.reason_needed"


@pytest.mark.parametrize("amount", [0, 100 * YUAN + 1])
def test_never_more_is_granted_than_asked_nor_nothing(amount: int) -> None:
    with pytest.raises(Refused):
        after(made(Step.TAKE), move(Step.APPROVE, shares=(Share(date(2025, 9, 10), amount),)))


@pytest.mark.parametrize("step", [Step.TAKE, Step.APPROVE, Step.REJECT])
def test_nobody_reviews_their_own_claim(step: Step) -> None:
    before = made() if step is Step.TAKE else made(Step.TAKE)
    with pytest.raises(Refused) as refused:
        after(before, move(step, actor=CLAIM.claimant, shares=ALL))
    assert refused.value.key == "claims.own_claim"


def test_what_was_decided_stays_decided() -> None:
    rejected = made(Step.TAKE, Step.REJECT)
    assert after(rejected, move(Step.REJECT)) == rejected
    with pytest.raises(Refused):
        after(rejected, move(Step.REJECT, reason="another"))


def test_a_decision_is_due_three_working_days_after_the_claim_was_taken_in() -> None:
    assert made().due_by((1, 3)) == date(2025, 9, 17)  # from Friday over a weekend
    declined = made(Step.DECLINE_OFFER, offer=1)  # on Monday
    assert declined.due_by((1, 3)) == date(2025, 9, 18)
    assert made(offer=1).due_by((1, 3)) is None
    assert made(Step.TAKE, Step.REJECT).due_by((1, 3)) is None


def spent(day: int, amount: int, **given: Any) -> SpentDay:
    claimed = given.pop("claimed", 0)
    stretches = (Stretch(0, claimed),) if claimed else ()
    return SpentDay(7, date(2025, 9, day), 5, Sources(amount), claimed=stretches, **given)


NO_CAPS = Caps(Decimal(1))


@pytest.mark.parametrize(
    ("days", "taken", "caps", "left", "limits"),
    [
        ([spent(1, 100)], Taken(), NO_CAPS, [100], ()),
        ([spent(1, 100, compensated=60)], Taken(), NO_CAPS, [40], ("given_back",)),
        ([spent(1, 100, compensated=60, invalid=15, claimed=5)], Taken(), NO_CAPS, [20], ("given_back",)),
        ([spent(1, 100, claimed=30)], Taken({date(2025, 9, 1): 50}), NO_CAPS, [20], ("asked",)),
        ([spent(1, 100, claimed=30)], Taken(), Caps(Decimal("0.5")), [20], ("share_of_spend",)),
        ([spent(1, 100), spent(2, 0)], Taken(), NO_CAPS, [100, 0], ()),
        ([spent(1, 3 * YUAN), spent(2, YUAN)], Taken(of_plan=8 * YUAN), Caps(Decimal(1), per_plan=Decimal(10)),
         [3 * YUAN // 2, YUAN // 2], ("per_plan",)),
        ([spent(30, 3 * YUAN), spent(1, YUAN)], Taken(of_month={(2025, 9): 8 * YUAN}),
         Caps(Decimal(1), per_month=Decimal(9)), [3 * YUAN // 4, YUAN // 4], ("per_month",)),
    ],
)  # fmt: skip
def test_what_may_be_claimed_is_what_no_other_money_has_given_back_within_the_caps(
    days: list[SpentDay], taken: Taken, caps: Caps, left: list[int], limits: tuple[str, ...]
) -> None:
    found = room(days, taken, caps)
    assert ([share.amount for share in found.shares], found.limits) == (left, limits)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.data())
def test_an_amount_is_shared_out_exactly_and_no_day_gets_more_than_it_has_room_for(
    room_: list[int], data: st.DataObject
) -> None:
    shares = [Share(date(2025, 9, number + 1), amount) for number, amount in enumerate(room_)]
    amount = data.draw(st.integers(0, sum(room_)))
    found = {share.day: share.amount for share in shared_out(amount, shares)}
    assert sum(found.values()) == amount
    assert all(0 <= found.get(share.day, 0) <= share.amount for share in shares)


def test_shares_of_spend_taken_one_after_another_add_up_in_cash_and_in_every_grant() -> None:
    from qianheng.ledger.credits import Use

    sources = Sources(7, (Use(1, 3), Use(2, 9)))
    for cuts in product(range(20), repeat=2):
        first, second = sorted(cuts)
        parts = [sources.next(0, first), sources.next(first, second - first), sources.next(second, 19 - second)]
        assert sum((part for part in parts), Sources()) == sources
        assert [part.total for part in parts] == [first, second - first, 19 - second]
        assert all(use.amount > 0 for part in parts for use in part.grants)
        assert all(part.cash >= 0 for part in parts)


def test_an_operators_version_of_the_policy_is_in_force_from_its_day(tmp_path: Path) -> None:
    text = (SHIPPED / "standard.toml").read_text(encoding="utf-8")
    newer = text.replace("version = 1", "version = 2").replace("2025-01-01", "2025-10-01").replace("= 30 ", "= 5 ")
    (tmp_path / "standard.toml").write_text(newer, encoding="utf-8")
    assert claim_policy(date(2025, 9, 30), tmp_path).version == 1
    assert claim_policy(date(2025, 10, 1), tmp_path).file_within_days == 5
    assert claim_policy(date(2024, 1, 1), tmp_path / "nowhere").version == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[conditions.dispute]", "[conditions.weather]"),
        ("share_of_spend = 0.5", "share_of_spend = 1.5"),
        ("review_days = [1, 3]", "review_days = [3, 1]"),
        ("most_days = 31", "most_weeks = 4"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_by_name(old: str, new: str, tmp_path: Path) -> None:
    text = (SHIPPED / "standard.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "own.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BadInput, match=r"own\.toml"):
        claim_policy(date(2025, 9, 30), tmp_path)


def test_every_refusal_is_an_error_a_person_can_act_on() -> None:
    with pytest.raises(QianhengError, match="possible while"):
        made(Step.PAY)
