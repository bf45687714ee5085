"""What the end of a day does to the money of ad accounts: holds that nobody captured end, credit lapses, and shops are
warned before it does and when their balance is low (SPEC 4.5, 5.9).

Every id is a function of what it is for, so doing any step again changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from qianheng.actions.books import BOOST, last_instant
from qianheng.actions.money_terms import terms
from qianheng.core.days import day_of
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros, yuan
from qianheng.ledger import spending
from qianheng.ledger.terms import Terms, mean_daily_spend
from qianheng.ledger.transfers import AccountKind, Transfer, account
from qianheng.measures.days import Days
from qianheng.measures.query import plan_spend
from qianheng.store import grants, ledger, notices, plans, statement
from qianheng.store.lake import Lake
from qianheng.store.notices import Notice


@dataclass(frozen=True, slots=True)
class _Keeper:
    """One ad account, whose it is, and when it is looked after."""

    connection: Connection
    shop_id: int
    ad_account_id: int
    now: datetime
    terms: Terms

    @property
    def timezone(self) -> str:
        """The zone its days are in."""
        return str(self.now.tzinfo)

    def tell(self, key: int, kind: str, **values: Any) -> None:
        """Tell the shop, unless that was done before."""
        if not notices.told(self.connection, key):
            about = f"ad account {self.ad_account_id}"
            notices.tell(self.connection, Notice(key, self.now, self.shop_id, f"money.notice.{kind}", about, values))


def keep(connection: Connection, lake: Lake, now: datetime) -> None:
    """Look after the money of every ad account, at the end of a day, in the zone of `now`."""
    for shop_id, ad_account_id in plans.ad_accounts(connection):
        keeper = _Keeper(connection, shop_id, ad_account_id, now, terms())
        _end_holds(keeper, lake)
        _lapse(keeper)
        _warn_of_lapse(keeper)
        _warn_of_balance(keeper)


def _end_holds(keeper: _Keeper, lake: Lake) -> None:
    """End the holds whose time is over: what facts say was spent is captured first, the rest released."""
    over: defaultdict[tuple[int, datetime], list[Transfer]] = defaultdict(list)
    cash = account(AccountKind.CASH, keeper.ad_account_id).id
    for held in statement.pending(keeper.connection, keeper.ad_account_id):
        if held.expires_at is not None and held.expires_at <= keeper.now:
            over[held.reference, held.as_told.at].append(held)
    for (reference, at), parts in over.items():
        parts.sort(key=lambda part: part.debit == cash)  # from credit first
        amount = sum(part.amount for part in parts)
        spent = min(_spent(keeper, lake, parts[0]), amount)
        day = day_of(at, keeper.timezone)
        ledger.record(keeper.connection, spending.capture(parts, spent, last_instant(day, keeper.timezone)))
        told = {"held": yuan(amount), "spent": yuan(spent), "released": yuan(amount - spent)}
        keeper.tell(stable_id("hold_ended", reference, day), "hold_ended", **told, day=day.isoformat())


def _spent(keeper: _Keeper, lake: Lake, held: Transfer) -> Micros:
    """What facts say was spent of a hold and nothing captured yet: a plan's or campaign's own charges of its day, or of
    a boost's plan those of its kind that no boost has paid.
    """
    day = day_of(held.as_told.at, keeper.timezone)
    spend = _charged(keeper, lake, Days(day, day, keeper.timezone))
    if held.reason != BOOST:
        return spend.get((held.reference, 0), 0)
    boosts = {boost_id: (plan_id, kind) for boost_id, plan_id, kind in _boosts(keeper, lake)}
    if held.reference not in boosts:
        return 0
    ours = boosts[held.reference]
    alike = [boost_id for boost_id, of in boosts.items() if of == ours]
    found = [
        statement.sources_of(keeper.connection, keeper.ad_account_id, one, keeper.timezone).get(day) for one in alike
    ]
    return max(spend.get(ours, 0) - sum(sources.total for sources in found if sources), 0)


def _charged(keeper: _Keeper, lake: Lake, days: Days) -> Mapping[tuple[int, int], Micros]:
    rows = lake.query(keeper.connection, plan_spend(days)).to_pylist()
    return {(row["plan_id"], row["boost"]): row["spend"] for row in rows}


def _boosts(keeper: _Keeper, lake: Lake) -> Sequence[tuple[int, int, int]]:
    rows = lake.query(keeper.connection, "SELECT DISTINCT boost_id, plan_id, boost FROM boosts").to_pylist()
    return [(row["boost_id"], row["plan_id"], row["boost"]) for row in rows]


def _lapse(keeper: _Keeper) -> None:
    for lapsed in ledger.lapse_credit(keeper.connection, keeper.ad_account_id, keeper.now):
        keeper.tell(stable_id("notice", lapsed.id), "lapsed", amount=yuan(lapsed.amount))


def _warn_of_lapse(keeper: _Keeper) -> None:
    """Tell of each grant once that it will lapse soon and how much of it is left."""
    soon = keeper.now + timedelta(days=keeper.terms.lapse_notice_days)
    for grant in grants.grants_of(keeper.connection, keeper.ad_account_id):
        if grant.available and grant.expires_at <= soon:
            day = grant.expires_at.astimezone(keeper.now.tzinfo).date()
            key = stable_id("lapse_soon", grant.id)
            keeper.tell(key, "lapse_soon", amount=yuan(grant.available), day=day.isoformat())


def _warn_of_balance(keeper: _Keeper) -> None:
    """Tell when the balance is below so many mean days of spend, not again for a while (SPEC 4.5)."""
    today, zone = keeper.now.date(), keeper.timezone
    since = keeper.now - timedelta(days=keeper.terms.mean_over_days)
    spent = statement.spent_by_day(keeper.connection, keeper.ad_account_id, since, lambda at: day_of(at, zone))
    mean = mean_daily_spend(spent, today, keeper.terms)
    funds = ledger.funds(keeper.connection, keeper.ad_account_id)
    if funds.cash + funds.credit >= keeper.terms.low_balance_days * mean:
        return
    days = [today - timedelta(days=back) for back in range(keeper.terms.warn_again_days)]
    keys = [stable_id("low_balance", keeper.ad_account_id, day) for day in days]
    if not any(notices.told(keeper.connection, key) for key in keys):
        amounts = {"balance": yuan(funds.cash + funds.credit), "mean": yuan(mean)}
        keeper.tell(keys[0], "low_balance", **amounts, days=keeper.terms.low_balance_days)
