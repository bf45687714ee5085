"""A refund claim (退费申请): what was asked, every step since, and where it stands, folded from them (SPEC 5.8).

draft ─ decline_offer → submitted ─ take → under_review ─ approve → approved | partly_approved ─ pay → paid
  └ accept_offer, withdraw ↘    └ withdraw ↘    ├ withdraw → withdrawn
                                                └ reject → rejected

Only a claim whose condition offers something first (a smaller budget) begins as a draft.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from qianheng.core.actors import Role
from qianheng.core.days import add_working_days
from qianheng.core.errors import Refused
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros, yuan
from qianheng.core.words import say
from qianheng.guarantee.overlap import Stretch


class Condition(StrEnum):
    """Why money is asked back."""

    POOR_PERFORMANCE = "poor_performance"
    BUDGET = "budget"
    SYSTEM_FAULT = "system_fault"
    DISPUTE = "dispute"


class Status(StrEnum):
    """Where a claim stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    APPROVED = "approved"
    PARTLY_APPROVED = "partly_approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    PAID = "paid"


class Step(StrEnum):
    """What is done to a claim; each at most once."""

    DECLINE_OFFER = "decline_offer"
    ACCEPT_OFFER = "accept_offer"
    TAKE = "take"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    PAY = "pay"


OPEN = (Status.DRAFT, Status.SUBMITTED, Status.UNDER_REVIEW)
REVIEWED = (Step.TAKE, Step.APPROVE, Step.REJECT)  # steps of the platform's reviewer
NEXT: dict[Step, dict[Status, Status]] = {
    Step.DECLINE_OFFER: {Status.DRAFT: Status.SUBMITTED},
    Step.ACCEPT_OFFER: {Status.DRAFT: Status.WITHDRAWN},
    Step.TAKE: {Status.SUBMITTED: Status.UNDER_REVIEW},
    Step.APPROVE: {Status.UNDER_REVIEW: Status.APPROVED},
    Step.REJECT: {Status.UNDER_REVIEW: Status.REJECTED},
    Step.WITHDRAW: dict.fromkeys(OPEN, Status.WITHDRAWN),
    Step.PAY: {Status.APPROVED: Status.PAID, Status.PARTLY_APPROVED: Status.PAID},
}


class Share(NamedTuple):
    """What of a claim is about one day's spend, micro-yuan; of one approved, which yuan of it."""

    day: date
    amount: Micros
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """What was asked, by whom and when. `figures` are the claimed days' own, taken from the facts at filing.

    `offer` is the daily budget that was offered instead, micro-yuan; `policy` the name and version it was filed under.
    """

    id: int
    shop_id: int
    plan_id: int
    condition: Condition
    shares: tuple[Share, ...]
    reason: str
    claimant: str
    at: datetime
    figures: Mapping[str, Any]
    policy: tuple[str, int]
    offer: Micros | None = None

    @property
    def asked(self) -> Micros:
        """What is asked in all."""
        return sum(share.amount for share in self.shares)

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day claimed."""
        return self.shares[0].day, self.shares[-1].day


@dataclass(frozen=True, slots=True)
class Move:
    """A step: by whom, as what, when and why. An approval says what of which day is granted."""

    claim_id: int
    step: Step
    at: datetime
    actor: str
    role: Role
    reason: str = ""
    shares: tuple[Share, ...] = ()

    @property
    def id(self) -> int:
        """Its idempotency key: a step is made once."""
        return stable_id("claim_move", self.claim_id, self.step)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a claim stands after its moves."""

    claim: Claim
    status: Status
    moves: tuple[Move, ...] = ()

    @property
    def granted(self) -> Micros:
        """What was approved."""
        return sum(share.amount for move in self.moves for share in move.shares)

    def made(self, step: Step) -> Move | None:
        """The move that made a step; `None` if nobody has."""
        return next((move for move in self.moves if move.step is step), None)

    def due_by(self, review_days: tuple[int, int]) -> date | None:
        """The last day, in the zone of its filing, to decide it without being overdue; `None` if nobody waits."""
        if self.status not in (Status.SUBMITTED, Status.UNDER_REVIEW):
            return None
        declined = self.made(Step.DECLINE_OFFER)
        since = (declined.at if declined else self.claim.at).astimezone(self.claim.at.tzinfo)
        return add_working_days(since.date(), review_days[1])


def filed(claim: Claim) -> Standing:
    """A claim that has just been filed."""
    return Standing(claim, Status.SUBMITTED if claim.offer is None else Status.DRAFT)


def standing(claim: Claim, moves: Iterable[Move]) -> Standing:
    """Where a claim stands after moves, in the order they were made."""
    now = filed(claim)
    for move in moves:
        now = after(now, move)
    return now


def after(now: Standing, move: Move) -> Standing:
    """Where a claim stands after one more move; the same move again changes nothing.

    A step that cannot be made from where it stands, made otherwise before, by the claimant where a reviewer is needed,
    without the reason it needs, or more granted than asked: Refused.
    """
    before = now.made(move.step)
    if before is not None:
        if replace(before, at=move.at) != move:
            raise _refused("claims.done_otherwise", now, step=_step(move.step), who=before.actor)
        return now
    status = NEXT[move.step].get(now.status)
    if status is None:
        possible = say("claims.list").join(say(f"claims.status.{one}") for one in NEXT[move.step])
        told = {"step": _step(move.step), "status": say(f"claims.status.{now.status}")}
        raise _refused("claims.not_now", now, **told, possible=possible)
    if move.step in REVIEWED and move.actor == now.claim.claimant:
        raise _refused("claims.own_claim", now, name=move.actor)
    if move.step is Step.APPROVE:
        status = _approved(now, move)
    if move.step is Step.REJECT and not move.reason.strip():
        raise _refused("claims.reason_needed", now)
    return Standing(now.claim, status, (*now.moves, move))


def _approved(now: Standing, move: Move) -> Status:
    granted, asked = sum(share.amount for share in move.shares), now.claim.asked
    if not 0 < granted <= asked:
        raise _refused("claims.granted_range", now, amount=yuan(granted), asked=yuan(asked))
    if granted < asked and not move.reason.strip():
        raise _refused("claims.reason_needed", now)
    return Status.APPROVED if granted == asked else Status.PARTLY_APPROVED


def _step(step: Step) -> str:
    return say(f"claims.step.{step}")


def _refused(key: str, now: Standing, **values: object) -> Refused:
    return Refused(key, place=say("claims.claim", id=now.claim.id), **values)
