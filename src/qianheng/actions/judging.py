"""Judging plans' days under the guarantee: kept facts and change logs in, verdicts out, with the ledger in view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from qianheng.actions.policies import policies
from qianheng.core.days import microseconds
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.guarantee.case import Log, Unit
from qianheng.guarantee.figures import Figures, Period
from qianheng.guarantee.history import log_of, plan_of_day, target_of, unit_of
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.timeline import status
from qianheng.guarantee.verdict import Status, Verdict, judge
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.measures.days import Days
from qianheng.measures.query import Counted, Invalid, counted_of, invalid_of, plan_day, plan_day_invalid
from qianheng.plans.plan import Counting, Goal, Plan
from qianheng.store import ledger, plans
from qianheng.store.lake import Lake

COMPENSATION, CORRECTION = "compensation", "correction"
CREDITS = (COMPENSATION, CORRECTION)  # why transfers are made for a unit


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan (as it was that day) on a day under the version of its policy in force then: its verdict and what the
    ledger paid for it.
    """

    plan: Plan
    day: date
    policy: Policy
    verdict: Verdict
    paid: Micros
    promised: Micros  # pending, not yet posted
    status: Status

    @property
    def plan_id(self) -> int:
        """The plan that was judged."""
        return self.plan.id

    @property
    def unit(self) -> Unit:
        """What was judged, as the guarantee names it."""
        return unit_of(self.plan, self.day)


class Promise(NamedTuple):
    """Credit promised for a unit (below zero: taken back): the pending transfer, and what posted or voided it."""

    pending: Transfer
    amount: Micros
    settling: Transfer | None

    @property
    def open(self) -> bool:
        """Whether it is neither paid nor withdrawn."""
        return self.settling is None

    @property
    def standing(self) -> Micros:
        """What of it still holds or was kept: nothing once voided."""
        return 0 if self.settling and self.settling.state is State.VOIDED else self.amount

    @property
    def paid(self) -> Micros:
        """What of it was paid."""
        return self.standing if self.settling else 0


def judge_days(connection: Connection, lake: Lake, days: Days, now: datetime) -> list[Judged]:
    """The verdict on every plan whose days are these, on the facts received before `now`, with the ledger in view.

    What was charged for traffic found invalid is left out of the spend: it is given back as such.
    """
    answer = lake.query(connection, plan_day(days), as_of=now)
    counted: dict[bool, dict[tuple[int, date], list[Counted]]] = {
        promoted: dict(counted_of(answer, promoted)) for promoted in (False, True)
    }
    invalid = invalid_of(lake.query(connection, plan_day_invalid(days), as_of=now))
    kept, judged = policies(), []
    for stored in plans.load_all(connection):
        if stored.plan.timezone != days.timezone:
            continue
        history = plans.history(connection, stored.plan.id)
        changes = plans.log(connection, stored.plan.id)
        log = log_of(history, changes)
        rows = counted[stored.plan.counting is Counting.ATTRIBUTED]
        for number in range((days.last - days.first).days + 1):
            day = days.first + timedelta(days=number)
            found = _figures(rows.get((stored.plan.id, day), []), history)
            found = found._replace(spend=found.spend - invalid.get((stored.plan.id, day), Invalid()).counted)
            plan = plan_of_day(history, changes, Days(day, day, stored.plan.timezone))
            judged.append(_judge(connection, plan, day, (kept.in_force(plan.policy, day), log, found), now))
    return judged


def unit_id(plan_id: int, day: date) -> int:
    """What the transfers of a plan's day refer to."""
    return stable_id("unit", plan_id, day)


def promised(connection: Connection, unit: int) -> Micros:
    """What of a unit's compensation is promised or paid, corrections taken off."""
    return sum(one.standing for one in promises(connection, unit))


def promises(connection: Connection, unit: int) -> list[Promise]:
    """What was promised for a unit so far, oldest first."""
    transfers = [one for one in ledger.transfers_about(connection, unit) if one.reason in CREDITS]
    settling = {transfer.pending_id: transfer for transfer in transfers}
    expense = account(AccountKind.GUARANTEE_EXPENSE).id
    return [
        Promise(made, made.amount if made.debit == expense else -made.amount, settling.get(made.id))
        for made in transfers
        if made.pending_id is None
    ]


def _judge(connection: Connection, plan: Plan, day: date, case: tuple[Policy, Log, Figures], now: datetime) -> Judged:
    policy, log, found = case
    verdict = judge(policy, unit_of(plan, day), log, found, microseconds(now))
    made = promises(connection, unit_id(plan.id, day))
    paid = sum(one.paid for one in made)
    pending = sum(one.standing for one in made) - paid
    return Judged(plan, day, policy, verdict, paid, pending, status(verdict, [paid]))


def _figures(rows: Sequence[Counted], history: Sequence[Plan]) -> Figures:
    """The sums of a plan's day under each target version, read by the goal and target that version had."""
    periods = []
    for row in rows:
        plan = history[row.target_version]
        net = plan.goal is Goal.NET
        orders, gmv = (row.net_orders, row.net_gmv) if net else (row.payment_orders, row.payment_gmv)
        periods.append(Period(plan.goal, target_of(plan), orders, gmv))
    return Figures(sum(row.spend for row in rows), tuple(periods))
