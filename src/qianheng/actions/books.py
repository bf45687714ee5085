"""The money of plans: leases before bidding, captures after, judgement and compensation of days (SPEC 4.5, 5.5).

Every transfer's id is a function of what it is for, so doing any step again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction

from sqlalchemy import Connection

from qianheng.core.days import is_working_day, microseconds, midnight
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros, ratio
from qianheng.guarantee.case import Event, Log, PlanEvent, Target, Unit
from qianheng.guarantee.figures import Figures, Period
from qianheng.guarantee.policy import load_policy
from qianheng.guarantee.timeline import Payment as CreditDue
from qianheng.guarantee.timeline import payment, status
from qianheng.guarantee.verdict import Status, Verdict, judge
from qianheng.ledger.spending import Payment
from qianheng.ledger.transfers import AccountKind, State, Transfer, account, accounts_of, platform_accounts
from qianheng.measures.days import Days
from qianheng.measures.query import Counted, counted_of, plan_day
from qianheng.plans.allowance import NOTHING, Lease, Used, allowance, monday
from qianheng.plans.boost import Boost
from qianheng.plans.campaign import StandardCampaign
from qianheng.plans.plan import BidMode, Counting, Goal, Plan, PlanChange, PlanStatus
from qianheng.store import ledger, plans
from qianheng.store.lake import Lake

LOOK_BACK = timedelta(days=21)  # how long after its day a unit is looked at again for late facts
BOOST = "boost"
SPEND = "spend"  # why transfers move what a plan spent
BEGUN = 0  # a plan's first target is older than any of its days
_EVENTS = {PlanStatus.PAUSED: Event.PAUSE, PlanStatus.ACTIVE: Event.RESUME, PlanStatus.DELETED: Event.DELETE}


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan's day under the guarantee: its verdict and what the ledger paid for it."""

    plan_id: int
    day: date
    verdict: Verdict
    paid: Micros
    promised: Micros  # pending, not yet posted
    status: Status


def open_accounts(connection: Connection, ad_account_id: int, top_up: Micros, at: datetime) -> None:
    """Open the accounts of an ad account and the platform, and pay in its first cash."""
    ledger.open_accounts(connection, [*platform_accounts(), *accounts_of(ad_account_id)])
    clearing, cash = account(AccountKind.CLEARING), account(AccountKind.CASH, ad_account_id)
    top_up_id = stable_id("top_up", ad_account_id, at)
    ledger.record(connection, [Transfer(top_up_id, clearing.id, cash.id, top_up, at, reason="top_up")])


def achieved_roi(connection: Connection, lake: Lake, plan: Plan, days: Days) -> Fraction | None:
    """The ROI a plan achieved on some days under its goal, boosts left out, as known when the last of them ended; of
    the sums of all days, `None` without spend.
    """
    now = midnight(days.last + timedelta(days=1), days.timezone)
    rows = counted_of(lake.query(connection, plan_day(days), as_of=now), plan.counting is Counting.ATTRIBUTED)
    counted = [row for (plan_id, _), found in rows if plan_id == plan.id for row in found]
    gmv = sum(row.net_gmv if plan.goal is Goal.NET else row.payment_gmv for row in counted)
    return ratio(gmv, sum(row.spend for row in counted))


def lease(connection: Connection, versions: Sequence[Plan], day: date) -> Lease:
    """Hold what a plan may spend in its day under the most generous of the day's versions of it, once for all; less
    when the balance is low.
    """
    plan, at = versions[0], midnight(day, versions[0].timezone)
    used = spent_before(connection, plan, day)
    most = max(allowance(version, used, day) for version in versions)
    held = ledger.held(connection, _lease_id(plan, day)) or _hold(connection, plan, (_lease_id(plan, day), at), most)
    return Lease(held, used)


def lease_campaign(connection: Connection, campaign: StandardCampaign, day: date, at: datetime) -> Lease:
    """Hold what a standard campaign may spend in its day, once for all; less when the balance is low."""
    lease_id = _lease_id(campaign, day)
    held = ledger.held(connection, lease_id)
    return Lease(held or _hold(connection, campaign, (lease_id, at), campaign.budget_daily), NOTHING)


def lease_boost(connection: Connection, boost: Boost, plan: Plan, day: date) -> Lease:
    """Hold what a boost may still spend, on a day its window touches, once for all; less when the balance is low."""
    start, end = (midnight(day + timedelta(days=days), plan.timezone) for days in (0, 1))
    if boost.starts >= microseconds(end) or boost.ends <= microseconds(start):
        return Lease(0, NOTHING)
    lease_id = _lease_id(boost, day)
    if not (held := ledger.held(connection, lease_id)):
        left = boost.budget - boost_spend(connection, boost)
        funds = ledger.funds(connection, plan.ad_account_id)
        if held := max(min(left, funds.cash + funds.credit), 0):
            ledger.hold(connection, Payment(lease_id, plan.ad_account_id, held, start, BOOST, boost.id))
    return Lease(held, NOTHING)


def boost_spend(connection: Connection, boost: Boost) -> Micros:
    """What a boost has spent, as the ledger has it."""
    transfers = ledger.transfers_about(connection, boost.id)
    return sum(transfer.amount for transfer in transfers if transfer.state is State.POSTED)


def spent_before(connection: Connection, plan: Plan, day: date) -> Used:
    """What a plan spent before a day, as the ledger has it: since that week's Monday and in all its life."""
    week, today = midnight(monday(day), plan.timezone), midnight(day, plan.timezone)
    captured = [
        transfer
        for transfer in ledger.transfers_about(connection, plan.id)
        if transfer.reason == SPEND and transfer.state is State.POSTED and transfer.at <= today
    ]
    life = sum(transfer.amount for transfer in captured)
    return Used(sum(transfer.amount for transfer in captured if transfer.at > week), life)


def _hold(connection: Connection, plan: Plan | StandardCampaign, what: tuple[int, datetime], amount: Micros) -> Micros:
    """Hold up to `amount` for (payment, time); what could be held."""
    payment_id, at = what
    funds = ledger.funds(connection, plan.ad_account_id)
    held = max(min(amount, funds.cash + funds.credit), 0)
    if held:
        ledger.hold(connection, Payment(payment_id, plan.ad_account_id, held, at, SPEND, plan.id))
    return held


def capture(
    connection: Connection, plan: Plan | StandardCampaign | Boost, day: date, at: datetime, spent: Micros
) -> None:
    """Take what a plan spent of its lease of the day; the rest is free again."""
    ledger.capture(connection, _lease_id(plan, day), spent, at)


def judge_days(connection: Connection, lake: Lake, days: Days, now: datetime) -> list[Judged]:
    """The verdict on every plan for each of these days, on the facts received before `now`, with the ledger in view."""
    answer = lake.query(connection, plan_day(days), as_of=now)
    counted: dict[bool, dict[tuple[int, date], list[Counted]]] = {
        promoted: dict(counted_of(answer, promoted)) for promoted in (False, True)
    }
    judged = []
    for stored in plans.load_all(connection):
        history = plans.history(connection, stored.plan.id)
        changes = plans.log(connection, stored.plan.id)
        log = _log(history, changes)
        rows = counted[stored.plan.counting is Counting.ATTRIBUTED]
        for number in range((days.last - days.first).days + 1):
            day = days.first + timedelta(days=number)
            found = _figures(rows.get((stored.plan.id, day), []), history)
            plan = _of_day(history, changes, Days(day, day, stored.plan.timezone))
            judged.append(_judge(connection, plan, day, (log, found), now))
    return judged


def promise(connection: Connection, judged: Iterable[Judged], now: datetime) -> None:
    """Put what judged days are due into the ledger as pending transfers; what is promised already stays.

    A correction takes back at most the ad credit that is still there: what has been spent stays spent.
    """
    for unit in judged:
        plan = plans.load(connection, unit.plan_id).plan
        known = list(_credited(connection, unit.plan_id, unit.day).values())
        due = payment(load_policy(plan.policy), _unit(plan, unit.day), unit.verdict, known, microseconds(now))
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


def unit_id(plan_id: int, day: date) -> int:
    """What the transfers of a plan's day refer to."""
    return stable_id("unit", plan_id, day)


def _lease_id(plan: Plan | StandardCampaign | Boost, day: date) -> int:
    return stable_id("lease", plan.id, day)


def _unit(plan: Plan, day: date) -> Unit:
    rate = plan.commission_rate or None
    return Unit(str(plan.id), day, plan.kind, plan.bid_mode, plan.timezone, rate)


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


def _credited(connection: Connection, plan_id: int, day: date) -> dict[int, Micros]:
    """What was promised for a plan's day so far, by transfer; what was taken back is below zero."""
    expense = account(AccountKind.GUARANTEE_EXPENSE).id
    transfers = ledger.transfers_about(connection, unit_id(plan_id, day))
    return {t.id: t.amount if t.debit == expense else -t.amount for t in transfers if t.pending_id is None}


def _posted(connection: Connection, plan_id: int, day: date) -> Micros:
    """What of it has been paid."""
    transfers = ledger.transfers_about(connection, unit_id(plan_id, day))
    settled = {transfer.pending_id for transfer in transfers if transfer.state is State.POSTED}
    return sum(amount for key, amount in _credited(connection, plan_id, day).items() if key in settled)


def _judge(connection: Connection, plan: Plan, day: date, case: tuple[Log, Figures], now: datetime) -> Judged:
    log, found = case
    verdict = judge(load_policy(plan.policy), _unit(plan, day), log, found, microseconds(now))
    promised = sum(_credited(connection, plan.id, day).values())
    posted = _posted(connection, plan.id, day)
    return Judged(plan.id, day, verdict, posted, promised - posted, status(verdict, [posted]))


def _of_day(history: Sequence[Plan], changes: Sequence[PlanChange], day: Days) -> Plan:
    """The plan as it was that day, whatever became of it later; under maximum delivery if it ever was in that day."""
    since = [BEGUN, *(microseconds(made.at) for made in changes)]
    in_force = [
        plan
        for plan, begins, ends in zip(history, since, [*since[1:], day.until], strict=True)
        if begins < day.until and ends > day.since
    ]
    return next((plan for plan in in_force if plan.bid_mode is BidMode.MAX_DELIVERY), in_force[-1])


def _figures(rows: Sequence[Counted], history: Sequence[Plan]) -> Figures:
    """The sums of a plan's day under each target version, read by the goal and target that version had."""
    periods = []
    for row in rows:
        plan = history[row.target_version]
        net = plan.goal is Goal.NET
        orders, gmv = (row.net_orders, row.net_gmv) if net else (row.payment_orders, row.payment_gmv)
        periods.append(Period(plan.goal, _target(plan), orders, gmv))
    return Figures(sum(row.spend for row in rows), tuple(periods))


def _log(history: Sequence[Plan], changes: Sequence[PlanChange]) -> Log:
    """What the guarantee asks of a change log: the targets in force over time, pauses, restarts and the deletion."""
    targets = [Target(BEGUN, history[0].goal, _target(history[0]))]
    events = []
    for made, plan in zip(changes, history[1:], strict=True):
        changed = dict(made.after)
        if changed.keys() & {"goal", "target"}:
            targets.append(Target(microseconds(made.at), plan.goal, _target(plan)))
        if "status" in changed:
            events.append(PlanEvent(microseconds(made.at), _EVENTS[plan.status]))
    return Log(tuple(targets), tuple(events))


def _target(plan: Plan) -> Fraction | None:
    return None if plan.target is None else Fraction(plan.target)
