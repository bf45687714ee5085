"""A kept run as the books of a vendor: what 巨量千川 would tell of it, for the server that speaks its JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.histories import Asked, history_of
from qianheng.actions.judging import judge_days
from qianheng.core.days import microseconds, midnight, moment
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.measures.days import Days
from qianheng.measures.history import About, History, PlanHistory, Subject
from qianheng.measures.reports import Figures, add
from qianheng.store import plans, statement
from qianheng.store.database import reading
from qianheng.vendors.qianchuan.books import Books, Change, Money
from qianheng.vendors.qianchuan.orders import sentence
from qianheng.vendors.qianchuan.reading import AdPlan

DAYS, HOURS = 180, 7
JUDGED_DAYS = 10  # a day's guarantee is judged by then
At = TypeVar("At", date, datetime)


def books_of(desk: Desk) -> dict[str, Books]:
    """The books of every ad account of a run, as known at the desk's time, by the account's id."""
    with reading(desk.database) as connection:
        accounts = plans.ad_accounts(connection)
        logged = plans.logged(connection)
        guarantees = _guarantees(desk, connection)
    histories = {shop: history_of(desk, Asked(str(shop), DAYS, HOURS)) for shop in {shop for shop, _ in accounts}}
    found = {}
    for shop, account in accounts:
        mine = {str(one.plan.id): one for one in logged if one.plan.ad_account_id == account}
        history = histories[shop]
        told = {id_: _plan(history.plans[id_], guarantees.get(id_, "")) for id_ in mine}
        days = _of_plans(history.days, mine)
        found[str(account)] = Books(
            advertiser_id=str(account),
            now=lambda: desk.now,
            plans=told,
            days=days,
            hours=_of_plans(history.hours, mine),
            changes=[one for logged_plan in mine.values() for one in _changes(logged_plan, desk.now)],
            money=_money(desk, account, history, days),
        )
    return found


def _of_plans(
    figures: Mapping[Subject, Mapping[At, Figures]], mine: Mapping[str, object]
) -> dict[Subject, dict[At, Figures]]:
    """What is of some plans, and of the products and creatives within them, the same in all of them together."""
    found: dict[Subject, dict[At, list[Figures]]] = defaultdict(lambda: defaultdict(list))
    for subject, told in figures.items():
        if (subject.id if subject.about is About.PLAN else subject.within) in mine:
            for at, one in told.items():
                found[Subject(subject.about, subject.id, subject.name)][at].append(one)
    return {subject: {at: add(ones) for at, ones in told.items()} for subject, told in found.items()}


def _plan(history: PlanHistory, guarantee: str) -> AdPlan:
    first, last = history.settings[0], history.settings[-1]
    return AdPlan(
        id=history.subject.id,
        name=history.subject.name,
        kind=history.kind,
        goal=last.goal,
        bid_mode=last.bid_mode,
        target=last.target,
        budget_daily=last.budget_daily,
        status=last.status,
        created=first.at,
        modified=last.at,
        scene="UNI_PROJECT",
        status_there="DELIVERY_OK" if last.status == "active" else "DISABLE",
        guarantee=guarantee,
    )


def _changes(logged: plans.LoggedPlan, now: datetime) -> Iterator[Change]:
    """The log of a plan's changes up to a time, each field on a line of its own."""
    for made in logged.changes:
        if made.at <= now:
            after = dict(made.after)
            for field, before in made.before:
                if told := sentence(field, before, after[field]):
                    id_ = str(stable_id("change", made.plan_id, made.version, field))
                    plan = (str(made.plan_id), logged.plan.name)
                    yield Change(id_, made.at, *plan, told[0], (told[1],), made.actor)


def _guarantees(desk: Desk, connection: Connection) -> dict[str, str]:
    """How the guarantee of each plan stands: of its latest day that anything was spent on."""
    today = desk.now.date()
    days = Days(today - timedelta(days=JUDGED_DAYS), today, str(desk.now.tzinfo))
    judged = sorted(judge_days(connection, desk.lake, days, desk.now), key=lambda one: one.day)
    return {str(one.plan_id): str(one.status) for one in judged if one.verdict.sums.spend}


def _money(
    desk: Desk, account: int, history: History, days: Mapping[Subject, Mapping[date, Figures]]
) -> dict[date, Money]:
    """What the account paid and held by day: its plans' spend, and what the ledger says was left in the evening."""
    spent: dict[date, Micros] = defaultdict(int)
    for subject, told in days.items():
        if subject.about is About.PLAN:
            for day, figures in told.items():
                spent[day] += figures.spend or 0
    with reading(desk.database) as connection:
        evenings = {day: midnight(day + timedelta(days=1), history.timezone) for day in sorted(spent)}
        held = {day: statement.held_at(connection, account, _just_before(at)) for day, at in evenings.items()}
    return {day: Money(spent[day], cash=one.cash, credit=one.credit) for day, one in held.items()}


def _just_before(at: datetime) -> datetime:
    return moment(microseconds(at) - 1)
