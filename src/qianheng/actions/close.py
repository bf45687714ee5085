"""The end of a day: units whose window has closed are judged, what they are due is promised and paid (SPEC 5.5).

Every transfer's id is a function of what it is for, so doing any step again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from qianheng.actions.judging import Judged, credited, unit_id
from qianheng.actions.policies import policies
from qianheng.core.days import is_working_day, microseconds
from qianheng.core.money import Micros
from qianheng.guarantee.history import unit_of
from qianheng.guarantee.timeline import Payment as CreditDue
from qianheng.guarantee.timeline import payment
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.plans.plan import Plan
from qianheng.store import ledger, plans

LOOK_BACK = timedelta(days=21)  # how long after its day a unit is looked at again for late facts


def promise(connection: Connection, judged: Iterable[Judged], now: datetime) -> None:
    """Put what judged days are due into the ledger as pending transfers; what is promised already stays.

    A correction takes back at most the ad credit that is still there: what has been spent stays spent.
    """
    kept = policies()
    for unit in judged:
        plan = plans.load(connection, unit.plan_id).plan
        policy = kept.in_force(plan.policy, unit.day)
        known = list(credited(connection, unit.plan_id, unit.day).values())
        due = payment(policy, unit_of(plan, unit.day), unit.verdict, known, microseconds(now))
        if due is not None and (amount := _within_credit(connection, due, plan)):
            ledger.record(connection, [_promised(replace(due, amount=amount), plan, now)])


def pay(connection: Connection, judged: Iterable[Judged], now: datetime) -> None:
    """Post the pending compensation of these units on a working day after the one it was promised on."""
    if not is_working_day(now.date()):
        return
    for unit in judged:
        for transfer in ledger.transfers_about(connection, unit_id(unit.plan_id, unit.day)):
            if transfer.state is State.PENDING and transfer.at.astimezone(now.tzinfo).date() < now.date():
                ledger.post(connection, transfer.id, now)


def unpaid(connection: Connection) -> bool:
    """Whether something is promised to somebody and not paid yet."""
    return ledger.balance(connection, account(AccountKind.GUARANTEE_EXPENSE).id).reserved > 0


def _within_credit(connection: Connection, due: CreditDue, plan: Plan) -> Micros:
    """What of a payment can be made: all of it, or of what is to be taken back as much as there is credit."""
    credit = account(AccountKind.CREDIT, plan.ad_account_id).id
    return due.amount if due.amount > 0 else max(due.amount, -ledger.balance(connection, credit).available)


def _promised(due: CreditDue, plan: Plan, now: datetime) -> Transfer:
    expense, credit = account(AccountKind.GUARANTEE_EXPENSE).id, account(AccountKind.CREDIT, plan.ad_account_id).id
    debit, to = (expense, credit) if due.amount > 0 else (credit, expense)
    reason = "compensation" if due.amount > 0 else "correction"
    reference = unit_id(plan.id, due.day)
    return Transfer(due.id, debit, to, abs(due.amount), now, State.PENDING, None, reason, reference)
