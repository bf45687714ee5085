"""Claims as they are read: one with everything behind it, a shop's list, and the platform's queue (SPEC 5.8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from qianheng.actions.claim_facts import day_sums, policy_of, room_for, spent_in
from qianheng.actions.claims import subject, visible
from qianheng.actions.desk import Desk
from qianheng.core.actors import Act, demand
from qianheng.guarantee.claim_findings import Finding, Known, findings
from qianheng.guarantee.claims import Standing, Status
from qianheng.store import audit, claims, plans
from qianheng.store.audit import Entry
from qianheng.store.database import reading
from qianheng.store.evidence import Evidence, evidence_of

LATELY = timedelta(days=90)  # how far back earlier claims of a plan are counted
WAITING = (Status.SUBMITTED, Status.UNDER_REVIEW)


@dataclass(frozen=True, slots=True)
class Review:
    """A claim with what a decision needs; `due_by` is `None` once it is decided."""

    standing: Standing
    due_by: date | None
    overdue: bool
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]
    trail: tuple[Entry, ...]


def show(desk: Desk, claim_id: int) -> Review:
    """A claim with its findings, evidence and audit trail. None of that id in the actor's shop: NotFound."""
    with reading(desk.database) as connection:
        return _review(connection, desk, visible(connection, desk, claim_id))


def claims_of(desk: Desk, plan_id: int | None = None) -> list[Standing]:
    """The claims of the actor's shop, or of one of its plans, in the order of filing."""
    with reading(desk.database) as connection:
        if plan_id is not None:
            desk.plan(connection, plan_id)
        return claims.claims(connection, desk.actor.shop_id, plan_id)


def queue(desk: Desk) -> list[Review]:
    """What waits for the platform's decision, the longest waiting first, each with what is found beside it."""
    demand(desk.actor, Act.DECIDE_CLAIM)
    with reading(desk.database) as connection:
        waiting = [one for one in claims.claims(connection) if one.status in WAITING]
        return sorted((_review(connection, desk, one) for one in waiting), key=lambda one: one.due_by or date.max)


def _review(connection: Connection, desk: Desk, standing: Standing) -> Review:
    claim = standing.claim
    policy = policy_of(claim.at.date())
    due_by = standing.due_by(policy.review_days)
    entries = audit.entries(connection, subject=subject(claim.id))
    files = evidence_of(connection, claim.id)
    overdue = due_by is not None and desk.now.date() > due_by
    found = _findings(connection, desk, standing) if due_by is not None else ()
    return Review(standing, due_by, overdue, found, tuple(files), tuple(entries))


def _findings(connection: Connection, desk: Desk, standing: Standing) -> tuple[Finding, ...]:
    claim = standing.claim
    policy, plan = policy_of(claim.at.date()), plans.load(connection, claim.plan_id).plan
    first, _ = claim.days
    spent = spent_in(connection, desk, plan, claim.days)
    base = (first - timedelta(days=policy.checks.base_days), first - timedelta(days=1))
    lately = [
        one
        for one in claims.claims(connection, plan_id=plan.id)
        if one.claim.id != claim.id and claim.at - LATELY <= one.claim.at <= claim.at
    ]
    known = Known(
        goal=plan.goal,
        days=day_sums(connection, desk, plan, claim.days),
        base=day_sums(connection, desk, plan, base),
        spent=sum(one.sources.total for one in spent),
        compensated=sum(one.compensated + one.boosts_compensated for one in spent),
        claimed=sum(one.claimed_amount for one in spent),
        earlier_claims=len(lately),
    )
    room = room_for(connection, desk, plan, claim.days, policy.caps, but=claim.id)
    return tuple(findings(known, room.shares, policy.checks))
