"""What a transfer of the ledger follows from: spend from its charges, credit from the verdict it was promised for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from qianheng.actions.books import BOOST, SPEND
from qianheng.actions.boost_units import boost_case
from qianheng.actions.cases import Asked, case_of
from qianheng.actions.claims import CLAIM
from qianheng.actions.desk import Desk
from qianheng.actions.giving_back import INVALID
from qianheng.actions.judging import PLAN_DAY
from qianheng.actions.policies import in_force
from qianheng.actions.proceeds_proofs import proceeds_proof
from qianheng.actions.promises import COMPENSATION, CREDITS, Promise, promises
from qianheng.actions.proofs import Books, charge_part, zone_of
from qianheng.actions.return_proofs import claim_proof, granted, invalid_proof, sources_part
from qianheng.actions.traces import Traces
from qianheng.core.days import day_of
from qianheng.core.errors import NotFound
from qianheng.core.money import Micros
from qianheng.core.proof import Part
from qianheng.facts.schema import Kind
from qianheng.guarantee.case import Case
from qianheng.guarantee.overlap import payable
from qianheng.guarantee.proof import compensation_proof
from qianheng.guarantee.verdict import Verdict, evaluate
from qianheng.incentives.dues import Flow
from qianheng.ledger.credits import LAPSE
from qianheng.ledger.sources import Sources
from qianheng.ledger.transfers import AccountKind, State, Transfer, account, accounts_of
from qianheng.measures.days import Days
from qianheng.store import closes, grants, ledger, plans
from qianheng.store.closes import OpenUnit


def transfer_proof(desk: Desk, connection: Connection, transfer_id: int) -> Part:
    """A transfer of the actor's shop, by its id or its line in a statement, and what it follows from. None of that id,
    or another shop's: NotFound.
    """
    by_id = ledger.named(connection, [transfer_id]).get(transfer_id)
    found = by_id or ledger.transfer_at(connection, transfer_id)
    if found is None:
        raise NotFound("ledger.no_transfer", transfer=transfer_id)
    shop, kept = desk.actor.shop_id, ledger.accounts(connection)
    if shop is not None and not {found.debit, found.credit} & _accounts(connection, shop):
        raise NotFound("ledger.no_transfer", transfer=transfer_id)
    books = Books(connection, desk.lake, desk.now.tzinfo)
    told = {"id": str(found.id), "at": found.at.astimezone(desk.now.tzinfo).isoformat(), "reason": found.reason}
    told |= {"state": found.state, "from": kept[found.debit].kind, "to": kept[found.credit].kind}
    return Part("transfer", found.amount, told, below=lambda: _below(books, found))


def _accounts(connection: Connection, shop_id: int) -> set[int]:
    """The accounts that a shop may look into."""
    owners = {kept.plan.ad_account_id for kept in plans.load_all(connection, shop_id)}
    own = [one for owner in owners for one in accounts_of(owner)]
    return {one.id for one in (*own, account(AccountKind.PROCEEDS, shop_id))}


def _below(books: Books, found: Transfer) -> Iterator[Part]:
    """What a transfer follows from, by its reason."""
    promised = found if found.pending_id is None else ledger.transfer(books.connection, found.pending_id)
    if found.reason in CREDITS:
        yield from _credit(books, promised)
    elif found.reason in (SPEND, BOOST) and found.pending_id is not None and found.state is State.POSTED:
        yield from _captured(books, found, promised)
        if uses := grants.uses_of(books.connection, [found.id]).get(found.id):
            yield sources_part(books, Sources(grants=uses))
    elif found.reason in list(Flow):
        yield from proceeds_proof(books, found)
    elif found.reason == CLAIM:
        yield from claim_proof(books, found)
    elif found.reason == INVALID:
        yield from invalid_proof(books, found)
    elif found.reason == LAPSE:
        yield from _lapsed(books, found)
    else:
        yield Part(_origin(found), found.amount, fact=f"transfer {found.id}")


def _origin(found: Transfer) -> str:
    """What a transfer is that follows from no fact: somebody's instruction, or money that is only held."""
    clearing, promotions = account(AccountKind.CLEARING).id, account(AccountKind.PROMOTIONS).id
    if found.state is not State.POSTED:
        return "held"
    if found.debit == promotions:
        return "given_by_hand"
    return "from_outside" if found.debit == clearing else "to_outside" if found.credit == clearing else "instructed"


def _lapsed(books: Books, found: Transfer) -> Iterator[Part]:
    """The grant that ended, less what was spent or held of it by then."""
    grant = ledger.transfer(books.connection, found.reference)
    yield Part("paid_by_grant", grant.amount, {"id": str(grant.id), "why": grant.reason}, fact=f"grant {grant.id}")
    if used := grant.amount - found.amount:
        yield Part("used_before", used, factor=-1, fact="rule")


def _credit(books: Books, promised: Transfer) -> Iterator[Part]:
    """The verdict as it was when the credit was promised, less what claims gave back and what stood promised then."""
    unit, now = closes.unit(books.connection, promised.reference), promised.as_told.at
    sign = 1 if promised.reason == COMPENSATION else -1
    case = _case(books, unit, now)
    days = Days(case.unit.day, case.unit.last_day, case.unit.timezone)
    asked = Asked(books.connection, books.lake, now, int(case.unit.plan_id), days)
    policy = in_force(case.policy, case.unit.day)
    verdict = compensation_proof(policy, case, Traces(asked).behind)
    yield Part(verdict.kind, verdict.amount, verdict.told, sign, below=verdict.below)
    besides = list(_claimed(asked, evaluate(policy, case))) if unit.type == PLAN_DAY else []
    besides += [
        Part("promised_before", one.amount, {"id": str(one.pending.id)}, -1, f"transfer {one.pending.id}")
        for one in _standing(books, promised)
    ]
    yield from (replace(part, factor=sign * part.factor) for part in besides)
    due = sign * (verdict.amount + sum(part.counts for part in besides))
    if due != promised.amount:
        less = (due > promised.amount) == (sign > 0)
        yield Part(
            "no_room" if less and _any_claims(asked) else "not_moved", due - promised.amount, factor=-1, fact="rule"
        )


def _case(books: Books, unit: OpenUnit, now: datetime) -> Case:
    if unit.type == PLAN_DAY:
        return case_of(books.connection, books.lake, unit.subject, unit.day, now)
    return boost_case(books.connection, books.lake, unit.subject, now)


def _claimed(asked: Asked, verdict: Verdict) -> Iterator[Part]:
    """The yuan that a compensation covers and claims had given back: they are not paid again."""
    of = asked.plan_id, asked.days.first
    due, counted = verdict.compensation, verdict.sums.spend
    for claim_id, share in granted(asked.connection, *of, asked.now):
        if covered := min(due, counted) - payable(due, counted, counted, share.stretches):
            yield Part("claimed", covered, {"claim": str(claim_id)}, -1, f"claim {claim_id} {share.day}")


def _any_claims(asked: Asked) -> bool:
    return any(any(granted(asked.connection, asked.plan_id, day, asked.now)) for day in asked.days.each())


def _standing(books: Books, promised: Transfer) -> Iterator[Promise]:
    """What stood promised for the same unit when this was."""
    for one in promises(books.connection, promised.reference):
        if one.pending.id == promised.id:
            return
        withdrawn = (
            one.settling is not None
            and one.settling.state is State.VOIDED
            and one.settling.as_told.at <= promised.as_told.at
        )
        if not withdrawn:
            yield one


def _captured(books: Books, found: Transfer, promised: Transfer) -> Iterator[Part]:
    """What a plan, campaign or boost spent in its day, less what of it another account paid."""
    plan_id, condition = (found.reference, "f.boost = 0") if found.reason == SPEND else _boosted(books, found.reference)
    zone = zone_of(books, plan_id)
    day = day_of(promised.as_told.at, zone)
    held = {one.id: one for one in ledger.transfers_about(books.connection, found.reference)}
    others = [
        one
        for one in held.values()
        if one.state is State.POSTED
        and one.id != found.id
        and one.pending_id is not None
        and held[one.pending_id].as_told.at == promised.as_told.at
    ]
    asked = Asked(books.connection, books.lake, found.as_told.at, plan_id, Days(day, day, zone))
    yield _spend(asked, condition)
    for one in others:
        yield Part("paid_otherwise", one.amount, {"id": str(one.id)}, -1, f"transfer {one.id}")


def _spend(asked: Asked, condition: str) -> Part:
    traces = Traces(asked)
    charges = list(asked.facts("f.id, f.at, f.amount", Kind.CHARGE, condition))
    amount: Micros = sum(amount for _, _, amount in charges)
    told = {"plan_id": str(asked.plan_id), "day": asked.days.first.isoformat(), "count": len(charges)}
    return Part("captured", amount, told, below=lambda: (charge_part(traces, *charge) for charge in charges))


def _boosted(books: Books, boost_id: int) -> tuple[int, str]:
    """The plan of a boost, and which of its charges the boost paid."""
    query = f"SELECT f.plan_id, f.boost, f.at, f.ended FROM boosts AS f WHERE f.boost_id = {boost_id} ORDER BY f.ended"
    rows = books.lake.query(books.connection, query).to_pylist()
    begun, *ended = rows
    until = f" AND f.at < {ended[0]['at']}" if ended else ""
    return begun["plan_id"], f"f.boost = {begun['boost']} AND f.at >= {begun['at']}{until}"
