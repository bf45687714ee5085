"""From verdicts to credit: what a unit is due is promised as a pending transfer, posted on a working day, and told to
the shop; what later facts change is a correction, both ways (SPEC 5.5).

Every transfer's id is a function of what it is for, so doing any step again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from qianheng.actions.judging import PLAN_DAY, Judged, plan_id_of
from qianheng.actions.money_terms import terms
from qianheng.actions.promises import COMPENSATION, CORRECTION, CREDITS, Promise, promises
from qianheng.core.days import is_working_day, microseconds, moment
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros, yuan
from qianheng.guarantee.timeline import Payment, payment
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.plans.plan import Plan
from qianheng.store import closes, ledger, notices, plans
from qianheng.store.closes import Given
from qianheng.store.notices import Notice


class Moved(NamedTuple):
    """What a verdict moved: the credit promised beyond what was promised before (below zero: taken back), and what of
    it is too much and cannot be taken back.
    """

    amount: Micros
    left: Micros


def promise(connection: Connection, one: Judged, now: datetime) -> Moved:
    """Put what a verdict is due beyond what was promised before into the ledger as a pending transfer.

    What was given back on refund claims is not paid again. A promise that is too much and not paid yet is taken back
    whole and made anew. Of what was paid, a correction takes back at most the ad credit that is still there: what has
    been spent stays spent.
    """
    made = promises(connection, one.unit_id)
    before = sum(promise.standing for promise in made)
    verdict = replace(one.verdict, compensation=one.due)
    if verdict.compensation < before or any(promise.open and promise.amount < 0 for promise in made):
        made = _withdrawn(connection, made, now)
    standing = [promise.standing for promise in made]
    due = payment(one.policy, one.unit, verdict, standing, microseconds(now))
    amount = _within_credit(connection, due, one.plan) if due else 0
    if due and amount:
        ledger.record(connection, [_pending(replace(due, amount=amount), one, now)])
    after = sum(standing) + amount
    return Moved(after - before, after - one.due)


def pay(connection: Connection, now: datetime) -> Micros:
    """Post what is promised, on a working day after the one it was promised on; the credit that came of it."""
    paid = 0
    if not is_working_day(now.date()):
        return paid
    for promised in unsettled(connection):
        if promised.at.astimezone(now.tzinfo).date() < now.date():
            ledger.post(connection, promised.id, now, terms().lapses(promised.reason, now))
            paid += promised.amount if promised.reason == COMPENSATION else -promised.amount
            _tell_payment(connection, promised, now)
    return paid


def unsettled(connection: Connection) -> list[Transfer]:
    """What is promised, or to be taken back, and neither paid nor withdrawn yet."""
    return ledger.unsettled(connection, account(AccountKind.GUARANTEE_EXPENSE).id, CREDITS)


def tell(connection: Connection, given: Given, before: Sequence[Given], one: Judged, moved: Moved) -> None:
    """Tell the shop of a verdict that is about money, and of what a correction asks back and cannot take."""
    said = before[-1].compensation if before else 0
    if given.compensation == said and not moved.amount:
        return
    raised = (moved.amount, given.compensation) > (0, said)
    kind = "confirmed" if not before else "raised" if raised else "lowered"
    values = {"day": one.day.isoformat(), "due": yuan(one.due), "amount": yuan(abs(moved.amount))}
    values |= {"left": yuan(moved.left)}
    at, about = moment(given.given_at), f"plan {one.plan_id}"
    notices.tell(
        connection, Notice(stable_id("notice", given.id), at, one.plan.shop_id, _of(one.unit.type, kind), about, values)
    )


def _tell_payment(connection: Connection, promised: Transfer, now: datetime) -> None:
    unit = closes.unit(connection, promised.reference)
    plan = plans.load(connection, plan_id_of(connection, unit)).plan
    kind = _of(unit.type, "paid" if promised.reason == COMPENSATION else "taken_back")
    values = {"day": unit.day.isoformat(), "amount": yuan(promised.amount)}
    about = f"plan {plan.id}"
    notices.tell(connection, Notice(stable_id("notice", promised.id), now, plan.shop_id, kind, about, values))


def _of(type_: str, kind: str) -> str:
    """The words of a notice on a unit of that type."""
    return f"close.notice.{kind}" if type_ == PLAN_DAY else f"close.{type_}_notice.{kind}"


def _withdrawn(connection: Connection, made: Sequence[Promise], now: datetime) -> list[Promise]:
    """The promises of a unit, after those not paid yet are taken back."""
    for promise in made:
        if promise.open:
            ledger.void(connection, promise.pending.id, now)
    return promises(connection, made[0].pending.reference) if made else []


def _within_credit(connection: Connection, due: Payment, plan: Plan) -> Micros:
    """What of a payment can be made: all of it, or of what is to be taken back as much as there is credit."""
    credit = account(AccountKind.CREDIT, plan.ad_account_id).id
    return due.amount if due.amount > 0 else max(due.amount, -ledger.balance(connection, credit).available)


def _pending(due: Payment, one: Judged, now: datetime) -> Transfer:
    expense = account(AccountKind.GUARANTEE_EXPENSE).id
    credit = account(AccountKind.CREDIT, one.plan.ad_account_id).id
    debit, to = (expense, credit) if due.amount > 0 else (credit, expense)
    reason = COMPENSATION if due.amount > 0 else CORRECTION
    return Transfer(due.id, debit, to, abs(due.amount), now, State.PENDING, None, reason, one.unit_id)
