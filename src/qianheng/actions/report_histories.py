"""The history of imported reports, as far as their columns reach (SPEC 13.2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Engine

from qianheng.actions.histories import Asked, missing_of
from qianheng.actions.shop import completed, own_shop, plans_said
from qianheng.actions.vendor_plans import plans_told
from qianheng.core.days import SHANGHAI, midnight, parse_time, zone
from qianheng.core.errors import BadInput, NotFound
from qianheng.core.money import Micros
from qianheng.measures.history import About, History, PlanHistory, Setting, ShopHistory, Subject
from qianheng.measures.reports import CNY, Figures, ReportKind, ReportRow, add, counted_once
from qianheng.plans.plan import PlanKind
from qianheng.store import reports
from qianheng.store.database import reading

ABOUT = {
    ReportKind.PLAN: About.PLAN,
    ReportKind.PRODUCT: About.PRODUCT,
    ReportKind.CREATIVE: About.CREATIVE,
    ReportKind.LIVE: About.ROOM,
}


def history_of_reports(engine: Engine, now: str = "", asked: Asked | None = None) -> History:
    """What imported reports tell, at a time (default: the morning after their last day).

    Rows of several days are no part of it: no day of theirs is known; nor are those of other currencies: the rules of
    advice are in yuan. Nothing imported, no such account, or none in yuan: NotFound.
    """
    asked = asked or Asked()
    with reading(engine) as connection:
        rows = [one.row for one in reports.load(connection)]
        told = plans_told(connection, asked.shop_id)
    rows = [row for row in rows if asked.shop_id in ("", row.account) and row.first and row.first == row.last]
    others = sorted({row.currency for row in rows} - {CNY})
    rows = [row for row in rows if row.currency == CNY]
    if others and not rows:
        raise NotFound("histories.other_currency", currencies=", ".join(others))
    if not rows:
        raise NotFound("histories.no_reports")
    at = _now(now, rows)
    first = at.date() - timedelta(days=asked.days - 1)
    rows = [row for row in rows if row.first and first <= row.first < at.date()]
    said = own_shop()
    shop = completed(ShopHistory(asked.shop_id, balance=_balance(rows)), said)
    days = _days(rows, shop)
    plans = _plans(days, rows, said_or_told(plans_said(said, SHANGHAI), told))
    days |= _of_the_only_plan(days, shop, plans)
    plans = {id_: _begun(plan, days.get(plan.subject, {})) for id_, plan in plans.items()}
    return History(
        source="reports",
        shop=shop,
        timezone=SHANGHAI,
        now=at,
        days=days,
        hours=_hours(rows) if asked.hours else {},
        plans=plans,
        missing=missing_of(shop, days),
    )


def _now(written: str, rows: Sequence[ReportRow]) -> datetime:
    if not written:
        return midnight(max(row.last for row in rows if row.last) + timedelta(days=1))
    try:
        return parse_time(written, SHANGHAI).astimezone(zone(SHANGHAI))
    except BadInput as error:
        raise error.at("--now") from None


def _days(rows: Sequence[ReportRow], shop: ShopHistory) -> dict[Subject, Mapping[date, Figures]]:
    """Of everything by day; the shop is what counts each day's spend once."""
    whole = Subject(About.SHOP, shop.id, shop.name)
    found: dict[Subject, dict[date, list[Figures]]] = defaultdict(lambda: defaultdict(list))
    for row in counted_once(rows)[0]:
        if row.first:
            found[whole][row.first].append(row.figures)
    for kind in ABOUT:
        for row in counted_once(row for row in rows if row.kind is kind)[0]:
            for subject in _subjects(row):
                if row.first:
                    found[subject][row.first].append(row.figures)
    return {subject: {day: add(told) for day, told in sorted(by_day.items())} for subject, by_day in found.items()}


def _hours(rows: Iterable[ReportRow]) -> dict[Subject, dict[datetime, Figures]]:
    found: dict[Subject, dict[datetime, list[Figures]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.hour is not None and row.first and row.kind in ABOUT:
            at = datetime.combine(row.first, time(row.hour), zone(SHANGHAI))
            for subject in _subjects(row):
                found[subject][at].append(row.figures)
    return {subject: {at: add(told) for at, told in sorted(by_hour.items())} for subject, by_hour in found.items()}


def _subjects(row: ReportRow) -> Iterator[Subject]:
    """What a row is of: it in all plans together, and as a part of its plan where the report says which."""
    id_ = _id(row)
    yield Subject(ABOUT[row.kind], id_, row.name)
    if row.of_plan:
        yield Subject(ABOUT[row.kind], id_, row.name, row.of_plan)


def _id(row: ReportRow) -> str:
    """What goes by a name alone is told apart by it."""
    return row.entity_id or f"name:{row.name}"


def _plans(
    days: Iterable[Subject], rows: Sequence[ReportRow], said: Mapping[str, PlanHistory]
) -> dict[str, PlanHistory]:
    """The plans of the reports and those that the owner spoke of; what the owner said of one goes first."""
    rows_of = defaultdict[str, list[ReportRow]](list)
    for row in rows:
        if row.kind is ReportKind.PLAN:
            rows_of[_id(row)].append(row)
    told = {subject.id: _plan(subject, rows_of[subject.id]) for subject in days if subject.about is About.PLAN}
    return told | {id_: _with_report(plan, told[id_]) if id_ in told else plan for id_, plan in said.items()}


def _begun(plan: PlanHistory, days: Mapping[date, Figures]) -> PlanHistory:
    """A plan with its beginning: the first day it is known to have been set or to have spent on."""
    known = [day for day, told in days.items() if told.spend]
    known += [one.at.date() for one in plan.settings[:1]]
    return replace(plan, began=min(known)) if known else plan


def said_or_told(said: Mapping[str, PlanHistory], told: Mapping[str, PlanHistory]) -> dict[str, PlanHistory]:
    """The plans that the owner spoke of or a vendor's API told of; what the owner said goes first."""
    both = {id_: _with_report(plan, told[id_]) if id_ in told else plan for id_, plan in said.items()}
    return {**told, **both}


def _balance(rows: Iterable[ReportRow]) -> Micros | None:
    """What the account held last, of one account: what several hold is not one sum that any of them may spend."""
    known = [row for row in rows if row.kind is ReportKind.FINANCE and row.figures.balance is not None]
    if not known or len({row.account for row in known}) > 1:
        return None
    return max(known, key=lambda row: (row.first or date.min, row.entity_id)).figures.balance


def _with_report(said: PlanHistory, told: PlanHistory) -> PlanHistory:
    subject = said.subject if said.subject.name else told.subject
    return replace(said, subject=subject, settings=said.settings or told.settings)


def _of_the_only_plan(
    days: Mapping[Subject, Mapping[date, Figures]], shop: ShopHistory, plans: Mapping[str, PlanHistory]
) -> dict[Subject, Mapping[date, Figures]]:
    """Where reports tell nothing by plan and the owner speaks of one plan, that plan has the figures of the shop."""
    if len(plans) != 1 or any(subject.about is About.PLAN for subject in days):
        return {}
    (plan,) = plans.values()
    return {plan.subject: days[Subject(About.SHOP, shop.id)]}


def _plan(subject: Subject, rows: Iterable[ReportRow]) -> PlanHistory:
    """A plan as its rows show it: what it bid to by day, and its target and budget where they tell them."""
    settings: list[Setting] = []
    for row in sorted(rows, key=lambda row: row.first or date.min):
        if row.first is None:
            continue
        target = None if row.target is None else Decimal(row.target.numerator) / row.target.denominator
        told = Setting(midnight(row.first), row.goal, target=target, budget_daily=row.budget)
        if not settings or replace(settings[-1], at=told.at) != told:
            settings.append(told)
    return PlanHistory(subject, PlanKind.PRODUCT, settings=tuple(settings))
