"""Everything there is to read of an account, asked for as the vendor wants it asked, and made ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from qianheng.core.days import microseconds
from qianheng.core.errors import BadInput
from qianheng.core.money import YUAN, Micros
from qianheng.measures.reports import ReportKind, ReportRow, Span
from qianheng.plans.entries import LogEntry
from qianheng.plans.plan import PlanKind
from qianheng.vendors.change_log import VendorLog, entries_of
from qianheng.vendors.qianchuan.api import Api, Json, Topic, number, windows
from qianheng.vendors.qianchuan.client import Client, together
from qianheng.vendors.qianchuan.reading import (
    DAY_DIMENSION,
    HOUR_DIMENSION,
    AdPlan,
    Unlike,
    ad_plan,
    finance_row,
    listed_row,
    report_row,
    time_of,
    unlike,
    wallet_row,
    with_plan,
)

LIVE_GOAL = "LIVE_PROM_GOODS"


@dataclass(slots=True)
class Fetched:
    """What was read of some days: rows, where two answers do not fit, and what had to be left out, with the reason."""

    rows: list[ReportRow] = field(default_factory=list)
    unlike: list[Unlike] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose answers are asked for, and what sets their rows apart from those of other accounts."""

    advertiser: str
    within: str


def fetch_plans(client: Client, account: Account, today: date) -> list[AdPlan]:
    """Every plan of an account with its guarantee: of each goal, scene and way of bidding."""
    days = client.api.endpoints["plans"].span_days
    span = today - timedelta(days=days - 1), today
    asked = (
        client.rows("plans", _list(client.api, account, span, goal, {"adlab_scene": scene, **_mode(mode)}))
        for goal in client.api.lists.goals
        for scene in client.api.lists.scenes
        for mode in client.api.lists.modes
    )
    plans = {plan.id: plan for rows in asked for plan in (ad_plan(client.api, row) for row in rows)}
    stand = _guarantees(client, account, list(plans))
    return [replace(plan, guarantee=stand.get(id_) or plan.guarantee) for id_, plan in plans.items()]


def _list(api: Api, account: Account, span: Span, goal: str, more: Json) -> Json:
    fields = [name for name in api.metrics if name not in api.lists.untold]
    whole = {"start_time": f"{span[0]} 00:00:00", "end_time": f"{span[1]} 23:59:59", "marketing_goal": goal}
    return {"advertiser_id": account.advertiser, **whole, "fields": fields, "need_compensate_info": "true", **more}


def _mode(mode: str) -> Json:
    return {"filtering": {"smart_bid_type": mode}}


def _guarantees(client: Client, account: Account, ids: list[str]) -> dict[str, str]:
    """How the guarantee of each plan stands, where the vendor can say."""
    found = {}
    for some in together(client.api.endpoints["guarantee"], ids):
        asked = {"advertiser_id": account.advertiser, "ad_ids": [int(id_) for id_ in some]}
        for row in client.rows("guarantee", asked):
            if row.get("status") == "SUCCESS":
                found[str(row.get("ad_id"))] = client.api.words.guarantee.get(str(row.get("compensate_status")), "")
    return found


def fetch_days(
    client: Client, account: Account, span: Span, plans: Mapping[str, AdPlan], hourly_since: date
) -> Fetched:
    """All rows of some days (at most as many as one question holds), each plan's with its name and goal."""
    found = Fetched()
    for topic in client.api.topics:
        questions = [_report(client.api, account, topic, span, DAY_DIMENSION)]
        if topic.hourly and hourly_since <= span[1]:
            recent = max(span[0], hourly_since), span[1]
            questions.append(_report(client.api, account, topic, recent, HOUR_DIMENSION))
        for asked in questions:
            _read(client, account, topic, asked, found)
    _rooms(client, account, span, plans, found)
    asked = {"advertiser_id": account.advertiser, "start_date": str(span[0]), "end_date": str(span[1])}
    finance = [finance_row(client.api, row, account.within) for row in client.rows("finance", asked)]
    found.unlike += _compared(client, asked, found.rows, finance)
    found.rows = [
        with_plan(row, plans.get(row.entity_id)) if row.kind is ReportKind.PLAN else row for row in found.rows
    ]
    found.rows += finance
    return found


def fetch_changes(client: Client, account: Account, span: Span, plans: Mapping[str, AdPlan]) -> list[LogEntry]:
    """What was done in some days to the plans that were changed since, as entries in our words."""
    found: list[LogEntry] = []
    for plan in plans.values():
        if plan.modified is not None and plan.modified.date() < span[0]:
            continue
        asked = {"advertiser_id": account.advertiser, "object_type": "AD", "object_id": int(plan.id)}
        times = {"start_time": f"{span[0]} 00:00:00", "end_time": f"{span[1]} 23:59:59"}
        for row in client.rows("changes", {**asked, **times}):
            found += entries_of(_log(client.api, row))
    return found


def _log(api: Api, row: Json) -> VendorLog:
    return VendorLog(
        log_id=str(row.get("log_id", "")),
        at=microseconds(time_of(row.get("create_time"), api.timezone)),
        plan_id=str(row.get("object_id", "")),
        operator=str(row.get("operator_name", "")),
        title=str(row.get("content_title", "")),
        texts=tuple(map(str, row.get("content_log") or ())),
    )


def fetch_wallet(client: Client, account: Account, day: date) -> ReportRow:
    """What the account holds now, as a row of that day."""
    return wallet_row(client.api, client.get("wallet", {"advertiser_id": account.advertiser}), day, account.within)


def _report(api: Api, account: Account, topic: Topic, span: Span, by: str) -> Json:
    return {
        "advertiser_id": account.advertiser,
        "data_topic": topic.topic,
        "dimensions": [by, topic.id, *([topic.label] if topic.label else [])],
        "metrics": api.metrics_of(topic),
        "filters": [],
        "order_by": [{"field": topic.spend, "type": 0}],
        "start_time": f"{span[0]} 00:00:00",
        "end_time": f"{span[1]} 23:59:59",
    }


def _read(client: Client, account: Account, topic: Topic, asked: Json, found: Fetched) -> None:
    """The rows that answer a question; what cannot be read of them is left out, with the reason."""
    for row in client.rows("report", asked):
        try:
            found.rows.append(report_row(client.api, topic, row, account.within))
        except BadInput as error:
            found.left_out.append(str(error))


def _rooms(client: Client, account: Account, span: Span, plans: Mapping[str, AdPlan], found: Fetched) -> None:
    """The days of plans of live rooms, out of the list of plans asked for one day at a time."""
    scenes = sorted({(one.scene, one.bid_mode) for one in plans.values() if one.kind is PlanKind.LIVE})
    for day, _ in windows(*span, 1) if scenes else ():
        for scene, mode in scenes:
            name = next(name for name, ours in client.api.lists.modes.items() if ours == mode)
            more = {"adlab_scene": scene or client.api.lists.scenes[0], **_mode(name)}
            for row in client.rows("plans", _list(client.api, account, (day, day), LIVE_GOAL, more)):
                try:
                    told = listed_row(client.api, row, day, account.within)
                except BadInput as error:
                    found.left_out.append(str(error))
                    continue
                if told.figures.spend or told.figures.gmv:
                    found.rows.append(told)


def _compared(client: Client, asked: Json, rows: Sequence[ReportRow], finance: Sequence[ReportRow]) -> Iterator[Unlike]:
    """What the plans spent beside what the account's totals and its money tell."""
    spent = _spent(row for row in rows if row.kind is ReportKind.PLAN and row.hour is None)
    totals = client.get("totals", {**asked, "fields": ["stat_cost"], "marketing_goal": "ALL"})
    told = round(number(totals.get("stat_cost") or 0) * YUAN / client.api.unit("totals"))  # a wrong unit is not exact
    allowed = client.api.unlike_finance
    pairs = (unlike("totals", spent, told, allowed), unlike("finance", spent, _spent(finance), allowed, more=True))
    yield from (one for one in pairs if one is not None)


def _spent(rows: Iterator[ReportRow] | Sequence[ReportRow]) -> Micros:
    return sum(row.figures.spend or 0 for row in rows)
