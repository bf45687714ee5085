"""What an ad account's money looks like from the desk: balance, statement, holds, months and invoices as plain values.

Answers are as `--json` prints them: money as decimal strings in yuan, times with their offset, `None` for unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from qianheng.actions.books import BOOST, SPEND
from qianheng.actions.claims import CLAIM
from qianheng.actions.desk import Desk
from qianheng.actions.giving_back import INVALID, invalid_id
from qianheng.actions.judging import plan_id_of
from qianheng.actions.money import AdAccount, ad_account
from qianheng.core.actors import Act, demand
from qianheng.core.days import midnight, moment
from qianheng.core.errors import NotFound
from qianheng.core.money import yuan
from qianheng.core.plain import Json
from qianheng.core.words import known, say
from qianheng.ledger.book import Balance
from qianheng.ledger.credits import LAPSE, Grant
from qianheng.ledger.months import Holding, Month, MonthTotals
from qianheng.ledger.transfers import AccountKind, Transfer, account
from qianheng.store import boosts, claims, closes, grants, ledger, months, plans
from qianheng.store.statement import Line, Wanted, pending, statement


@dataclass(frozen=True, slots=True)
class View:
    """An ad account as one connection sees it, shown to the actor of a desk."""

    desk: Desk
    connection: Connection
    ours: AdAccount

    @property
    def timezone(self) -> str:
        """The zone its days are in."""
        return str(self.desk.now.tzinfo)

    def time(self, at: datetime | None) -> str | None:
        """A time as told, in the zone of the desk."""
        return None if at is None else at.astimezone(self.desk.now.tzinfo).isoformat()


def view(desk: Desk, connection: Connection, wanted: int | None = None) -> View:
    """The ad account asked for, or the only one the actor sees; refusals as those of `ad_account` and `demand`."""
    ours = ad_account(desk, connection, wanted)
    demand(desk.actor, Act.SEE, ours.shop_id)
    return View(desk, connection, ours)


def balance(of: View) -> Json:
    """What it has: by account, what is available, frozen and promised; and each grant of credit not used up."""
    told: Json = {"ad_account": of.ours.id, "at": of.time(of.desk.now)}
    cash, credit = (
        ledger.balance(of.connection, account(kind, of.ours.id).id) for kind in (AccountKind.CASH, AccountKind.CREDIT)
    )
    total = Balance(*(mine + yours for mine, yours in zip(cash, credit, strict=True)))
    told |= {"cash": _balance(cash), "credit": _balance(credit), "total": _balance(total)}
    open_grants = [grant for grant in grants.grants_of(of.connection, of.ours.id) if grant.available]
    about = _Names(of)
    brought = ledger.named(of.connection, [grant.id for grant in open_grants])
    return told | {"grants": [_grant(of, grant, brought[grant.id], about) for grant in open_grants]}


def lines(of: View, wanted: Wanted, after: int = 0, limit: int | None = None) -> Iterator[Json]:
    """The statement, line by line, `limit` of them or all, in the same memory however many there are."""
    about = _Names(of)
    when = {grant.id: of.time(grant.expires_at) for grant in grants.grants_of(of.connection, of.ours.id)}
    for line in islice(statement(of.connection, of.ours.id, wanted, after), limit):
        yield _line(of, line, about) | {
            "grants": [
                {"grant": str(use.grant_id), "amount": yuan(use.amount), "expires_at": when[use.grant_id]}
                for use in line.grants
            ]
        }


def wanted(of: View, days: tuple[date | None, date | None], plan_id: int | None, **also: Any) -> Wanted:
    """Which lines: of days from one to another, both included, in the desk's zone; about a plan of the shop."""
    since, until = days
    return Wanted(
        since=None if since is None else midnight(since, of.timezone),
        until=None if until is None else midnight(until + timedelta(days=1), of.timezone),
        references=None if plan_id is None else frozenset(_about_plan(of, plan_id)),
        **also,
    )


def holds(of: View) -> list[Json]:
    """What is frozen of it and what is promised to it, with what it is for and until when."""
    about = _Names(of)
    ids = {account(kind, of.ours.id).id: kind for kind in (AccountKind.CASH, AccountKind.CREDIT)}
    return [
        {
            "transfer": str(one.id),
            "what": "hold" if one.debit in ids else "promise",
            "account": str(ids.get(one.debit) or ids[one.credit]),
            "amount": yuan(one.amount),
            "reason": one.reason,
            "about": about.of(one),
            "at": of.time(one.at),
            "expires_at": of.time(one.expires_at),
        }
        for one in pending(of.connection, of.ours.id)
    ]


def month(of: View, which: Month) -> Json:
    """A month: closed or as it stands, opening and movements by reason to the closing balance, and what is open."""
    found = months.totals(of.connection, of.ours.id, which, of.timezone)
    is_closed = which in months.closed(of.connection, of.ours.id)
    left = [] if is_closed else months.open_in(of.connection, of.ours.id, which, of.timezone)
    about = _Names(of)
    return {
        "ad_account": of.ours.id,
        "closed": is_closed,
        **month_told(found),
        "open": [{"transfer": str(one.id), "reason": one.reason, "amount": yuan(one.amount), "about": about.of(one),
                  "at": of.time(one.at)} for one in left],
    }  # fmt: skip


def month_told(found: MonthTotals) -> Json:
    """The figures of a month."""
    return {
        "month": str(found.month),
        "opening": _holding(found.opening),
        "movements": [{"reason": one.reason, **_holding(one.holding), "lines": one.lines} for one in found.movements],
        "closing": _holding(found.closing),
    }


def invoices(of: View) -> list[Json]:
    """Month by month what may be invoiced: cash spent less cash given back, never credit; final once it is closed."""
    kept = months.closed(of.connection, of.ours.id)
    told = []
    for which in months.lived(of.connection, of.ours.id, of.desk.now):
        found = kept.get(which) or months.totals(of.connection, of.ours.id, which, of.timezone)
        amounts = (found.cash_spent, found.cash_refunded, found.invoiceable, found.credit_spent)
        names = ("cash_spent", "cash_refunded", "invoiceable", "credit_spent")
        amounts_told = dict(zip(names, map(yuan, amounts), strict=True))
        told.append({"ad_account": of.ours.id, "month": str(which), "closed": which in kept, **amounts_told})
    return told


def _balance(found: Balance) -> Json:
    return {"available": yuan(found.available), "frozen": yuan(found.reserved), "promised": yuan(found.incoming)}


def _grant(of: View, grant: Grant, brought: Transfer, about: _Names) -> Json:
    return {
        "grant": str(grant.id),
        "reason": brought.reason,
        "about": about.of(brought),
        "granted": yuan(grant.amount),
        "available": yuan(grant.available),
        "at": of.time(brought.at),
        "expires_at": of.time(grant.expires_at),
    }


def _line(of: View, line: Line, about: _Names) -> Json:
    transfer = line.transfer
    return {
        "line": line.sequence,
        "at": of.time(transfer.at),
        "happened_at": of.time(transfer.happened_at),
        "account": str(line.account),
        "reason": transfer.reason,
        "about": about.of(transfer),
        "change": yuan(line.change),
        **_holding(line.holding),
        "transfer": str(transfer.id),
    }


def _holding(holding: Holding) -> Json:
    return {"cash": yuan(holding.cash), "credit": yuan(holding.credit), "balance": yuan(holding.total)}


def _about_plan(of: View, plan_id: int) -> Iterable[int]:
    """What transfers about a plan refer to: itself, its boosts, its days under the guarantee, its claims."""
    of.desk.plan(of.connection, plan_id)
    own = {plan_id, *(boost.id for boost in boosts.of_plans(of.connection, [plan_id]))}
    asked = (one.claim.id for one in claims.claims(of.connection, plan_id=plan_id))
    return {*own, *(unit.id for unit in closes.units(of.connection, own)), *asked}


class _Names:
    """What transfers are about, as people say it."""

    def __init__(self, of: View) -> None:
        self._of = of
        self._plans = {kept.plan.id: kept.plan.name for kept in plans.load_all(of.connection, of.ours.shop_id)}
        self._zone = of.desk.now.tzinfo
        cached = lru_cache(maxsize=1_000)
        self._unit, self._claim = cached(self._look_up_unit), cached(self._look_up_claim)
        self._boost, self._invalid = cached(self._look_up_boost), cached(self._look_up_invalid)

    def of(self, transfer: Transfer) -> str | None:
        """A plan's name, its boost or its day, a claim, the grant that lapsed; `None` where there is no name."""
        if transfer.reference in self._plans:
            return self._plans[transfer.reference]
        return None if transfer.reference == 0 else self._look_up(transfer)

    def _look_up(self, transfer: Transfer) -> str | None:
        reason, reference = transfer.reason, transfer.reference
        if reason == LAPSE:
            grant = ledger.transfer(self._of.connection, reference)
            key = f"money.reason.{grant.reason}"
            why = say(key) if known(key) else say("money.account.credit")
            return say("money.about_grant", reason=why, at=f"{grant.at.astimezone(self._zone):%Y-%m-%d}")
        if reason == SPEND:
            return say("money.about_campaign", campaign=reference)
        named = {CLAIM: self._claim, BOOST: self._boost, INVALID: self._invalid}
        return named.get(reason, self._unit)(reference)

    def _look_up_unit(self, unit_id: int) -> str | None:
        try:
            unit = closes.unit(self._of.connection, unit_id)
        except NotFound:
            return None
        return self._plan_day(plan_id_of(self._of.connection, unit), unit.day)

    def _look_up_claim(self, claim_id: int) -> str | None:
        if (found := claims.find(self._of.connection, claim_id)) is None:
            return None
        return say("money.about_claim", plan=self._name(found.claim.plan_id), day=found.claim.shares[0].day)

    def _look_up_boost(self, boost_id: int) -> str | None:
        try:
            boost = boosts.load(self._of.connection, boost_id)
        except NotFound:
            return None
        at = f"{moment(boost.starts, self._of.timezone):%Y-%m-%d %H:%M}"
        return say("money.about_boost", plan=self._name(boost.plan_id), at=at)

    def _look_up_invalid(self, reference: int) -> str | None:
        """The plan's day whose invalid traffic was given back: what is referred to is a function of both."""
        first = "SELECT f.plan_id, MIN(f.at) AS since, MAX(f.at) AS until FROM invalids AS f GROUP BY f.plan_id"
        for one in self._of.desk.lake.query(self._of.connection, first).to_pylist():
            day, until = (moment(one[name], self._of.timezone).date() for name in ("since", "until"))
            for later in range((until - day).days + 1):
                if invalid_id(one["plan_id"], day + timedelta(days=later)) == reference:
                    return self._plan_day(one["plan_id"], day + timedelta(days=later))
        return None

    def _plan_day(self, plan_id: int, day: date) -> str:
        return say("money.about_plan_day", plan=self._name(plan_id), day=day)

    def _name(self, plan_id: int) -> str:
        return self._plans.get(plan_id) or say("money.about_campaign", campaign=plan_id)
