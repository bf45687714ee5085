"""What a transfer of the ledger follows from: spend from its charges, credit from the verdict it was promised for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from qianheng.actions.books import BOOST, SPEND
from qianheng.actions.boost_units import boost_case
from qianheng.actions.cases import Asked, case_of
from qianheng.actions.desk import Desk
from qianheng.actions.judging import COMPENSATION, CREDITS, PLAN_DAY, Promise, promises
from qianheng.actions.policies import in_force
from qianheng.actions.proofs import charge_part
from qianheng.actions.traces import Traces
from qianheng.core.days import day_of
from qianheng.core.errors import NotFound
from qianheng.core.money import Micros
from qianheng.core.proof import Part
from qianheng.facts.schema import Kind
from qianheng.guarantee.proof import compensation_proof
from qianheng.ledger.transfers import AccountKind, State, Transfer, account, accounts_of, platform_accounts
from qianheng.measures.days import Days
from qianheng.store import closes, ledger, plans
from qianheng.store.closes import OpenUnit
from qianheng.store.lake import Lake


class Books(NamedTuple):
    """Where transfers and facts are read, in which time zone days are."""

    connection: Connection
    lake: Lake
    timezone: str


def transfer_proof(desk: Desk, connection: Connection, transfer_id: int) -> Part:
    """A transfer of the actor's shop, by its id or its line in a statement, and what it follows from. None of that id,
    or another shop's: NotFound.
    """
    found = ledger.transfer_at(connection, transfer_id) or ledger.transfer(connection, transfer_id)
    names = _accounts(desk, connection)
    if not {found.debit, found.credit} & names.keys():
        raise NotFound("ledger.no_transfer", transfer=transfer_id)
    books = Books(connection, desk.lake, str(desk.now.tzinfo))
    platform = {one.id: one.kind for one in platform_accounts()}
    told = {"id": str(found.id), "at": found.at.astimezone(desk.now.tzinfo).isoformat(), "reason": found.reason}
    told |= {"state": found.state, "from": (names | platform).get(found.debit, "")}
    told |= {"to": (names | platform).get(found.credit, "")}
    promised = found if found.pending_id is None else ledger.transfer(connection, found.pending_id)
    if found.reason in CREDITS:
        return Part("transfer", found.amount, told, below=lambda: _credit(books, promised))
    if found.reason in (SPEND, BOOST) and found.pending_id is not None and found.state is State.POSTED:
        return Part("transfer", found.amount, told, below=lambda: _captured(books, found, promised))
    return Part("transfer", found.amount, told, fact=f"transfer {found.id}")


def _accounts(desk: Desk, connection: Connection) -> dict[int, str]:
    """The accounts that the actor may look into, by id."""
    mine = [kept.plan for kept in plans.load_all(connection, desk.actor.shop_id)]
    own = [one for owner in {plan.ad_account_id for plan in mine} for one in accounts_of(owner)]
    own += [account(AccountKind.PROCEEDS, shop_id) for shop_id in {plan.shop_id for plan in mine}]
    return {one.id: one.kind for one in own}


def _credit(books: Books, promised: Transfer) -> Iterator[Part]:
    """The verdict as it was when the credit was promised, less what stood promised then."""
    unit = closes.unit(books.connection, promised.reference)
    sign = 1 if promised.reason == COMPENSATION else -1
    verdict = _compensation(books, unit, promised)
    before = list(_standing(books, promised))
    yield Part(verdict.kind, verdict.amount, verdict.told, sign, below=verdict.below)
    yield from (
        Part("promised_before", one.amount, {"id": str(one.pending.id)}, -sign, f"transfer {one.pending.id}")
        for one in before
    )
    due = sign * (int(verdict.amount) - sum(one.amount for one in before))
    if due != promised.amount:
        yield Part("not_moved", due - promised.amount, factor=-1, fact="rule")


def _compensation(books: Books, unit: OpenUnit, promised: Transfer) -> Part:
    if unit.type == PLAN_DAY:
        case = case_of(books.connection, books.lake, unit.subject, unit.day, promised.at)
    else:
        case = boost_case(books.connection, books.lake, unit.subject, promised.at)
    days = Days(case.unit.day, case.unit.last_day, case.unit.timezone)
    asked = Asked(books.connection, books.lake, promised.at, int(case.unit.plan_id), days)
    return compensation_proof(in_force(case.policy, case.unit.day), case, Traces(asked).behind)


def _standing(books: Books, promised: Transfer) -> Iterator[Promise]:
    """What stood promised for the same unit when this was."""
    for one in promises(books.connection, promised.reference):
        if one.pending.id == promised.id:
            return
        withdrawn = one.settling is not None and one.settling.state is State.VOIDED and one.settling.at <= promised.at
        if not withdrawn:
            yield one


def _captured(books: Books, found: Transfer, promised: Transfer) -> Iterator[Part]:
    """What a plan, campaign or boost spent in its day, less what of it another account paid."""
    day = day_of(promised.at, books.timezone)
    held = {one.id: one for one in ledger.transfers_about(books.connection, found.reference)}
    others = [
        one
        for one in held.values()
        if one.state is State.POSTED
        and one.id != found.id
        and one.pending_id is not None
        and held[one.pending_id].at == promised.at
    ]
    yield _spend(books, found, day)
    for one in others:
        yield Part("paid_otherwise", one.amount, {"id": str(one.id)}, -1, f"transfer {one.id}")


def _spend(books: Books, found: Transfer, day: date) -> Part:
    days = Days(day, day, books.timezone)
    plan_id, condition = (found.reference, "f.boost = 0") if found.reason == SPEND else _boosted(books, found.reference)
    asked = Asked(books.connection, books.lake, found.at, plan_id, days)
    traces = Traces(asked)
    charges = [(key, at, amount) for key, at, amount in asked.facts("f.id, f.at, f.amount", Kind.CHARGE, condition)]
    amount: Micros = sum(amount for _, _, amount in charges)
    told = {"plan_id": str(plan_id), "day": day.isoformat(), "count": len(charges)}
    return Part("captured", amount, told, below=lambda: (charge_part(traces, *charge) for charge in charges))


def _boosted(books: Books, boost_id: int) -> tuple[int, str]:
    """The plan of a boost, and which of its charges the boost paid."""
    query = f"SELECT f.plan_id, f.boost, f.at, f.ended FROM boosts AS f WHERE f.boost_id = {boost_id} ORDER BY f.ended"
    rows = books.lake.query(books.connection, query).to_pylist()
    begun, *ended = rows
    until = f" AND f.at < {ended[0]['at']}" if ended else ""
    return begun["plan_id"], f"f.boost = {begun['boost']} AND f.at >= {begun['at']}{until}"
