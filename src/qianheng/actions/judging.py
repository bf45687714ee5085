"""Judging plans' days under the guarantee: kept facts and change logs in, verdicts out, with the ledger in view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from qianheng.actions.policies import policies
from qianheng.core.days import microseconds
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.guarantee.case import Log
from qianheng.guarantee.figures import Figures, Period
from qianheng.guarantee.history import log_of, plan_of_day, target_of, unit_of
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.timeline import status
from qianheng.guarantee.verdict import Status, Verdict, judge
from qianheng.ledger.transfers import AccountKind, State, account
from qianheng.measures.days import Days
from qianheng.measures.query import Counted, counted_of, plan_day
from qianheng.plans.plan import Counting, Goal, Plan
from qianheng.store import ledger, plans
from qianheng.store.lake import Lake


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan's day under the guarantee: its verdict and what the ledger paid for it."""

    plan_id: int
    day: date
    verdict: Verdict
    paid: Micros
    promised: Micros  # pending, not yet posted
    status: Status


def judge_days(connection: Connection, lake: Lake, days: Days, now: datetime) -> list[Judged]:
    """The verdict on every plan for each of these days, on the facts received before `now`, with the ledger in view."""
    answer = lake.query(connection, plan_day(days), as_of=now)
    counted: dict[bool, dict[tuple[int, date], list[Counted]]] = {
        promoted: dict(counted_of(answer, promoted)) for promoted in (False, True)
    }
    kept, judged = policies(), []
    for stored in plans.load_all(connection):
        history = plans.history(connection, stored.plan.id)
        changes = plans.log(connection, stored.plan.id)
        log = log_of(history, changes)
        rows = counted[stored.plan.counting is Counting.ATTRIBUTED]
        for number in range((days.last - days.first).days + 1):
            day = days.first + timedelta(days=number)
            found = _figures(rows.get((stored.plan.id, day), []), history)
            plan = plan_of_day(history, changes, Days(day, day, stored.plan.timezone))
            judged.append(_judge(connection, plan, day, (kept.in_force(plan.policy, day), log, found), now))
    return judged


def unit_id(plan_id: int, day: date) -> int:
    """What the transfers of a plan's day refer to."""
    return stable_id("unit", plan_id, day)


def credited(connection: Connection, plan_id: int, day: date) -> dict[int, Micros]:
    """What was promised for a plan's day so far, by transfer; what was taken back is below zero."""
    expense = account(AccountKind.GUARANTEE_EXPENSE).id
    transfers = ledger.transfers_about(connection, unit_id(plan_id, day))
    return {t.id: t.amount if t.debit == expense else -t.amount for t in transfers if t.pending_id is None}


def _posted(connection: Connection, plan_id: int, day: date) -> Micros:
    """What of it has been paid."""
    transfers = ledger.transfers_about(connection, unit_id(plan_id, day))
    settled = {transfer.pending_id for transfer in transfers if transfer.state is State.POSTED}
    return sum(amount for key, amount in credited(connection, plan_id, day).items() if key in settled)


def _judge(connection: Connection, plan: Plan, day: date, case: tuple[Policy, Log, Figures], now: datetime) -> Judged:
    policy, log, found = case
    verdict = judge(policy, unit_of(plan, day), log, found, microseconds(now))
    promised = sum(credited(connection, plan.id, day).values())
    posted = _posted(connection, plan.id, day)
    return Judged(plan.id, day, verdict, posted, promised - posted, status(verdict, [posted]))


def _figures(rows: Sequence[Counted], history: Sequence[Plan]) -> Figures:
    """The sums of a plan's day under each target version, read by the goal and target that version had."""
    periods = []
    for row in rows:
        plan = history[row.target_version]
        net = plan.goal is Goal.NET
        orders, gmv = (row.net_orders, row.net_gmv) if net else (row.payment_orders, row.payment_gmv)
        periods.append(Period(plan.goal, target_of(plan), orders, gmv))
    return Figures(sum(row.spend for row in rows), tuple(periods))
