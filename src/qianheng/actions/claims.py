"""Refund claims as people make them: filed, withdrawn, taken, decided, paid; each with its audit entry (SPEC 5.8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction

from sqlalchemy import Connection

from qianheng.actions.claim_facts import day_sums, policy_of, room_for, spent_in
from qianheng.actions.desk import Desk
from qianheng.actions.giving_back import Return, transfers_back
from qianheng.actions.planning import Wanted, change_plan
from qianheng.core.actors import SYSTEM, Act, demand
from qianheng.core.days import is_working_day
from qianheng.core.errors import BadInput, NotFound, Refused, raise_together
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros, to_fen, yuan
from qianheng.core.words import say
from qianheng.guarantee.claim_findings import figure, figures
from qianheng.guarantee.claim_limits import Room, shared_out
from qianheng.guarantee.claim_policy import CONDITIONS, ClaimPolicy
from qianheng.guarantee.claims import Claim, Condition, Move, Share, Standing, Step, after, filed
from qianheng.guarantee.overlap import uncovered
from qianheng.ledger.transfers import State
from qianheng.plans.plan import Plan
from qianheng.store import audit, claims, closes, ledger, notices, plans
from qianheng.store.audit import Entry
from qianheng.store.claims import Returning
from qianheng.store.database import reading
from qianheng.store.notices import Notice

CLAIM = "claim"  # why transfers give back what was claimed


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks back: for which days of which plan, why, how much (`None`: all that may be claimed).

    The same again is the same claim, unless it has another `key`.
    """

    plan_id: int
    first: date
    last: date
    condition: str
    reason: str
    amount: Micros | None = None
    key: str = ""


def file(desk: Desk, asked: Asked) -> Standing:
    """File a claim; asked again with the same content it is the one filed before.

    What cannot be meant: BadInput, all of it at once; what the policy does not allow, or more than is left: Refused.
    """
    demand(desk.actor, Act.FILE_CLAIM)
    with desk.database.begin() as connection:
        closes.take_turn(connection)
        plan = desk.plan(connection, asked.plan_id).plan
        key = stable_id("claim", *(getattr(asked, name) for name in Asked.__dataclass_fields__))
        if known := claims.find(connection, key):
            return known
        policy = policy_of(desk.now.date())
        _check(asked, policy, desk.now.date())
        claim = _claim(connection, desk, (key, plan, asked), policy)
        claims.file(connection, claim)
        detail = {"asked": yuan(claim.asked), "condition": str(claim.condition), "reason": claim.reason}
        desk.enter(connection, Act.FILE_CLAIM, subject(claim.id), detail, plan.shop_id)
        return filed(claim)


def withdraw(desk: Desk, claim_id: int, reason: str = "") -> Standing:
    """Take a claim back before it is decided."""
    return _step(desk, claim_id, (Act.FILE_CLAIM, Step.WITHDRAW, reason))


def answer_offer(desk: Desk, claim_id: int, accept: bool) -> Standing:
    """Decline the smaller budget that was offered first, which submits the claim, or accept it: the plan's budget is
    changed and the claim withdrawn.
    """
    if not accept:
        return _step(desk, claim_id, (Act.FILE_CLAIM, Step.DECLINE_OFFER, ""))
    demand(desk.actor, Act.CHANGE_PLAN)
    with reading(desk.database) as connection:
        before = visible(connection, desk, claim_id)
    after(before, _move(desk, claim_id, Step.ACCEPT_OFFER, ""))  # whether it may be, before the plan is changed
    reason = say("claims.offer_accepted", id=claim_id)
    change_plan(desk, Wanted(before.claim.plan_id, {"budget_daily": before.claim.offer}, reason))
    return _step(desk, claim_id, (Act.CHANGE_PLAN, Step.ACCEPT_OFFER, ""))


def take(desk: Desk, claim_id: int) -> Standing:
    """Begin to review a claim."""
    return _step(desk, claim_id, (Act.DECIDE_CLAIM, Step.TAKE, ""))


def reject(desk: Desk, claim_id: int, reason: str) -> Standing:
    """Reject a claim, with the reason that its claimant reads."""
    return _step(desk, claim_id, (Act.DECIDE_CLAIM, Step.REJECT, reason))


def approve(desk: Desk, claim_id: int, amount: Micros | None = None, reason: str = "") -> Standing:
    """Grant a claim, or only `amount` of it with the reason; the money is promised at once to where it came from.

    More than is left of the days by now: Refused, which tells what is.
    """
    demand(desk.actor, Act.DECIDE_CLAIM)
    with desk.database.begin() as connection:
        closes.take_turn(connection)
        before = visible(connection, desk, claim_id)
        granted = before.claim.asked if amount is None else amount
        move = _move(desk, claim_id, Step.APPROVE, reason)
        if made := before.made(Step.APPROVE):  # done before: the same again is answered as before, another refused
            same = sum(share.amount for share in made.shares) == granted
            return after(before, replace(move, shares=made.shares if same else ()))
        after(before, replace(move, shares=(Share(desk.now.date(), granted),)))  # whether it may be, before the money
        returns = _returns(connection, desk, before.claim, granted)
        move = replace(move, shares=tuple(share for share, _ in returns))
        standing = _make(connection, desk, before, (move, Act.DECIDE_CLAIM))
        for _, back in returns:
            _promise(connection, back, desk.now)
        return standing


def pay(connection: Connection, now: datetime) -> Micros:
    """Post what was granted, on a working day after the one it was granted on; what went back."""
    paid = 0
    if not is_working_day(now.date()):
        return paid
    for standing in claims.to_be_paid(connection):
        granted = standing.made(Step.APPROVE)
        if granted is None or granted.at.astimezone(now.tzinfo).date() >= now.date():
            continue
        for returning in claims.promised(connection, standing.claim.id):
            ledger.post(connection, returning.transfer_id, now, returning.expires_at)
        move = Move(standing.claim.id, Step.PAY, now, SYSTEM.name, SYSTEM.role)
        claims.move(connection, move, standing.claim.plan_id)
        entry = (now, SYSTEM.name, SYSTEM.role, Act.MOVE_MONEY, subject(standing.claim.id))
        detail = {"step": str(Step.PAY), "amount": yuan(standing.granted)}
        audit.enter(connection, Entry(move.id, *entry, detail, standing.claim.shop_id))
        _tell(connection, after(standing, move), move)
        paid += standing.granted
    return paid


def pay_now(desk: Desk) -> Micros:
    """What the close of a day pays of claims, on a run that closes no more days."""
    demand(desk.actor, Act.DECIDE_CLAIM)
    with desk.database.begin() as connection:
        closes.take_turn(connection)
        return pay(connection, desk.now)


def subject(claim_id: int) -> str:
    """What audit entries and notices of a claim are about."""
    return f"claim {claim_id}"


def _check(asked: Asked, policy: ClaimPolicy, today: date) -> None:
    """Everything that a claim cannot be, told at once."""
    known, faults = ", ".join(CONDITIONS), list[BadInput]()
    if asked.condition not in CONDITIONS:
        faults.append(BadInput("claims.fault.condition", place="--condition", value=asked.condition, known=known))
    if not asked.reason.strip():
        faults.append(BadInput("claims.fault.reason", place="--reason"))
    if asked.amount is not None and asked.amount <= 0:
        faults.append(BadInput("claims.fault.amount", place="--amount", value=yuan(asked.amount)))
    if asked.first > asked.last:
        faults.append(BadInput("claims.fault.order", place="--from", first=asked.first, last=asked.last))
    raise_together(faults)
    if asked.condition not in policy.conditions:
        raise Refused("claims.no_condition", value=asked.condition, known=", ".join(policy.conditions))
    if asked.last >= today:
        raise Refused("claims.day_not_over", day=asked.last)
    if (asked.last - asked.first).days >= policy.most_days:
        raise Refused("claims.too_many_days", most=policy.most_days)
    if (today - asked.first).days > policy.file_within_days:
        raise Refused("claims.too_late", day=asked.first, days=policy.file_within_days)


def _claim(connection: Connection, desk: Desk, what: tuple[int, Plan, Asked], policy: ClaimPolicy) -> Claim:
    key, plan, asked = what
    room = room_for(connection, desk, plan, (asked.first, asked.last), policy.caps)
    amount = room.total if asked.amount is None else asked.amount
    _check_room(amount, room)
    rule = policy.conditions[asked.condition]
    sums = day_sums(connection, desk, plan, (asked.first, asked.last))
    if missing := [name for name in rule.figures if figure(sums, name, plan.goal) is None]:
        told = ", ".join(say(f"claims.figure.{name}") for name in missing)
        raise Refused("claims.no_figures", figures=told, condition=say(f"claims.condition.{asked.condition}"))
    offered = None if rule.offers_budget is None else to_fen(plan.budget_daily * Fraction(rule.offers_budget))
    return Claim(
        id=key,
        shop_id=plan.shop_id,
        plan_id=plan.id,
        condition=Condition(asked.condition),
        shares=shared_out(amount, room.shares),
        reason=asked.reason,
        claimant=desk.actor.name,
        at=desk.now,
        figures=figures(sums, plan.goal),
        policy=(policy.name, policy.version),
        offer=offered,
    )


def _check_room(amount: Micros, room: Room) -> None:
    """More than is left, or nothing left at all: Refused, with what limits it."""
    if not 0 < amount <= room.total:
        limits = say("claims.list").join(say(f"claims.limit.{name}") for name in room.limits or ("spend",))
        raise Refused("claims.too_much", amount=yuan(amount), left=yuan(room.total), limits=limits)


def _returns(connection: Connection, desk: Desk, claim: Claim, granted: Micros) -> list[tuple[Share, Return]]:
    """What of which day goes back where, when so much of a claim is granted now."""
    plan = plans.load(connection, claim.plan_id).plan
    room = room_for(connection, desk, plan, claim.days, policy_of(claim.at.date()).caps, but=claim.id)
    days = {share.day for share in claim.shares}
    room = replace(room, shares=tuple(share for share in room.shares if share.day in days))
    _check_room(granted, room)
    spent = {one.day: one for one in spent_in(connection, desk, plan, claim.days)}
    found = []
    for share in shared_out(granted, room.shares):
        of = spent[share.day]
        stretches = uncovered(share.amount, of.compensated, (*of.claimed, *of.boosted))
        found.append((share._replace(stretches=stretches), Return(of, share.amount, CLAIM, claim.id)))
    return found


def _promise(connection: Connection, back: Return, now: datetime) -> None:
    transfers = transfers_back(connection, back, now)
    ledger.record(connection, [replace(one, state=State.PENDING, expires_at=None) for one in transfers])
    claims.promise(connection, back.reference, [Returning(one.id, one.expires_at) for one in transfers])


def _step(desk: Desk, claim_id: int, what: tuple[Act, Step, str]) -> Standing:
    """Make a step that moves no money."""
    act, step, reason = what
    demand(desk.actor, act)
    with desk.database.begin() as connection:
        closes.take_turn(connection)
        before = visible(connection, desk, claim_id)
        return _make(connection, desk, before, (_move(desk, claim_id, step, reason), act))


def _make(connection: Connection, desk: Desk, before: Standing, what: tuple[Move, Act]) -> Standing:
    move, act = what
    now = after(before, move)
    if now is before:
        return now
    claims.move(connection, move, before.claim.plan_id)
    detail = {"step": str(move.step), "reason": move.reason} | (
        {"amount": yuan(now.granted)} if move.step is Step.APPROVE else {}
    )
    desk.enter(connection, act, subject(move.claim_id), detail, before.claim.shop_id)
    _tell(connection, now, move)
    return now


def _tell(connection: Connection, now: Standing, move: Move) -> None:
    """Tell the shop what the platform did."""
    if move.step not in (Step.APPROVE, Step.REJECT, Step.PAY):
        return
    claim = now.claim
    values = {"claim": str(claim.id), "plan": claim.plan_id, "asked": yuan(claim.asked), "reason": move.reason}
    values |= {"granted": yuan(now.granted)}
    kind = f"claims.notice.{move.step}"
    notices.tell(connection, Notice(move.id, move.at, claim.shop_id, kind, subject(claim.id), values))


def _move(desk: Desk, claim_id: int, step: Step, reason: str) -> Move:
    return Move(claim_id, step, desk.now, desk.actor.name, desk.actor.role, reason)


def visible(connection: Connection, desk: Desk, claim_id: int) -> Standing:
    """A claim of the actor's shop. None of that id, or another shop's: NotFound, in the same words."""
    found = claims.load(connection, claim_id)
    if not desk.actor.sees(found.claim.shop_id):
        raise NotFound("claims.no_claim", claim=claim_id)
    return found
