"""The money of plans: leases before bidding, captures after (SPEC 4.5).

Every transfer's id is a function of what it is for, so doing any step again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from qianheng.actions.money_terms import terms
from qianheng.core.days import microseconds, midnight
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.ledger.spending import Payment
from qianheng.ledger.transfers import AccountKind, State, Transfer, account, accounts_of, platform_accounts
from qianheng.plans.allowance import NOTHING, Lease, Used, allowance, monday
from qianheng.plans.boost import Boost
from qianheng.plans.campaign import StandardCampaign
from qianheng.plans.plan import Plan
from qianheng.store import ledger

BOOST = "boost"
SPEND = "spend"  # why transfers move what a plan spent


def open_accounts(connection: Connection, ad_account_id: int, top_up: Micros, at: datetime) -> None:
    """Open the accounts of an ad account and the platform, and pay in its first cash."""
    ledger.open_accounts(connection, [*platform_accounts(), *accounts_of(ad_account_id)])
    clearing, cash = account(AccountKind.CLEARING), account(AccountKind.CASH, ad_account_id)
    top_up_id = stable_id("top_up", ad_account_id, at)
    ledger.record(connection, [Transfer(top_up_id, clearing.id, cash.id, top_up, at, reason="top_up")])


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
            payment = Payment(lease_id, plan.ad_account_id, held, start, BOOST, boost.id, terms().released(end))
            ledger.hold(connection, payment)
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
    """Hold up to `amount` for (payment, beginning of its day); what could be held."""
    payment_id, at = what
    funds = ledger.funds(connection, plan.ad_account_id)
    held = max(min(amount, funds.cash + funds.credit), 0)
    if held:
        ends = terms().released(at + timedelta(days=1))
        ledger.hold(connection, Payment(payment_id, plan.ad_account_id, held, at, SPEND, plan.id, ends))
    return held


def capture(
    connection: Connection, plan: Plan | StandardCampaign | Boost, day: date, at: datetime, spent: Micros
) -> None:
    """Take what a plan spent of its lease of the day; the rest is free again."""
    ledger.capture(connection, _lease_id(plan, day), spent, at)


def last_instant(day: date, timezone: str) -> datetime:
    """The last instant of a natural day: what it spent is dated so, and is of its month."""
    return midnight(day + timedelta(days=1), timezone) - timedelta(microseconds=1)


def _lease_id(plan: Plan | StandardCampaign | Boost, day: date) -> int:
    return stable_id("lease", plan.id, day)
