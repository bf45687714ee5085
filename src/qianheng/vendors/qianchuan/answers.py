"""What the vendor's server answers: plans, reports, changes, guarantees and money, in the vendor's words and units."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from qianheng.core.days import zone
from qianheng.core.money import FEN, YUAN, Micros, ratio, to_fen
from qianheng.measures.history import About, Subject
from qianheng.measures.reports import Figures, add
from qianheng.plans.plan import PlanKind
from qianheng.vendors.qianchuan.api import Api, Json, Topic
from qianheng.vendors.qianchuan.books import Books, Change
from qianheng.vendors.qianchuan.question import BAD_PARAMETER, Asked, No
from qianheng.vendors.qianchuan.reading import DAY_DIMENSION, HOUR_DIMENSION, AdPlan

_SCALE = 100_000  # of ValueStr
_ABOUT = {"plan": About.PLAN, "product": About.PRODUCT, "creative": About.CREATIVE}
_GOALS = {PlanKind.PRODUCT: "VIDEO_PROM_GOODS", PlanKind.SUPER: "VIDEO_PROM_GOODS", PlanKind.LIVE: "LIVE_PROM_GOODS"}


def _plans(asked: Asked) -> Json:
    """The list: of one goal, one scene and one way of bidding; those that spend their budget only if asked for."""
    first, last = asked.days("start_time", "end_time")
    goal, fields = asked.text("marketing_goal"), asked.read("fields")
    if unknown := [name for name in fields if name in asked.api.lists.untold]:
        raise No(BAD_PARAMETER, f"fields: {', '.join(unknown)}: Not a valid choice.")
    scene = str(asked.params.get("adlab_scene") or "UNI_PROJECT")
    filtering = json.loads(str(asked.params.get("filtering") or "{}"))
    mode = asked.api.lists.modes.get(filtering.get("smart_bid_type", "SMART_BID_CUSTOM"), "")
    found = [
        plan
        for plan in asked.books.plans.values()
        if (_GOALS[plan.kind], plan.scene or "UNI_PROJECT", plan.bid_mode) == (goal, scene, mode)
    ]
    compensated = asked.params.get("need_compensate_info") in (True, "true", "True")
    rows = [_listed(asked, plan, (first, last), fields) for plan in found]
    if not compensated:
        for row in rows:
            row["ad_info"].pop("compensate_info", None)
    return asked.page(rows, "total_num")


def _listed(asked: Asked, plan: AdPlan, span: tuple[date, date], fields: list[str]) -> Json:
    by_day = asked.books.days.get(Subject(About.PLAN, plan.id), {})
    sums = add([figures for day, figures in by_day.items() if span[0] <= day <= span[1]])
    known = [name for name in fields if name in asked.api.metrics and _known(asked.api, name, sums)]
    stats = {name: _listed_value(asked.api, name, sums) for name in known}
    return {"ad_info": _ad_info(asked.api, plan), "room_info": [], "stats_info": stats}


def _ad_info(api: Api, plan: AdPlan) -> Json:
    def theirs(words: Mapping[str, str], ours: str, usual: str) -> str:
        return next((name for name, word in words.items() if word == ours), usual)

    info: Json = {
        "id": int(plan.id),
        "name": plan.name,
        "adlab_scene": plan.scene or "UNI_PROJECT",
        "marketing_goal": _GOALS[plan.kind],
        "smart_bid_type": theirs(api.lists.modes, plan.bid_mode, "SMART_BID_CUSTOM"),
        "deep_external_action": theirs(api.words.goals, plan.goal, "AD_CONVERT_TYPE_LIVE_PAY_ROI"),
        "budget": _yuan(plan.budget_daily),
        "budget_mode": "BUDGET_MODE_INFINITE" if plan.budget_daily is None else "BUDGET_MODE_DAY",
        "opt_status": theirs(api.words.status, plan.status, "ENABLE"),
        "status": plan.status_there,
        "delivery_seconds": 0,
    }
    if plan.target is not None:
        info["roi2_goal"] = float(plan.target)
    for name, at in (("create_time", plan.created), ("modify_time", plan.modified)):
        if at is not None:
            info[name] = f"{at.astimezone(zone(api.timezone)):%Y-%m-%d %H:%M:%S}"
    info["compensate_info"] = _compensated(api, plan)
    return info


def _compensated(api: Api, plan: AdPlan) -> Json:
    status = next((name for name, word in api.words.guarantee.items() if word == plan.guarantee), "DEFAULT")
    return {"status": "SUCCESS", "compensate_status": status, "reason": ""}


def _report(asked: Asked) -> Json:
    """Rows by the dimensions asked for: of a thing and a day, or an hour."""
    first, last = asked.days("start_time", "end_time")
    topic = next((one for one in asked.api.topics if one.topic == asked.text("data_topic")), None)
    dimensions, metrics = asked.read("dimensions"), asked.read("metrics")
    asked.read("filters"), asked.read("order_by")
    if topic is None or topic.id not in dimensions:
        raise No(BAD_PARAMETER, "data_topic, dimensions: Not a valid choice.")
    unknown = [name for name in metrics if name not in asked.api.metrics]
    if unknown:
        raise No(BAD_PARAMETER, f"metrics: {', '.join(unknown)}: Not a valid choice.")
    rows = [
        {"dimensions": {name: _dimension(told[name]) for name in dimensions if name in told},
         "metrics": {name: _cell_of(asked.api, name, figures) for name in metrics}}
        for told, figures in _told(asked.books, topic, HOUR_DIMENSION in dimensions)
        if first.isoformat() <= told[DAY_DIMENSION][:10] <= last.isoformat()
    ]  # fmt: skip
    return asked.page(rows, "total_number")


def _told(books: Books, topic: Topic, hourly: bool) -> Iterator[tuple[dict[str, str], Figures]]:
    """What a report tells of, with its dimensions; plans of the other scene and of rooms are told elsewhere."""
    of = _ABOUT[topic.kind]
    scene = "OVERALL_PROJECT" if topic.topic.startswith("OVERALL") else "UNI_PROJECT"
    source: Mapping[Subject, Mapping[Any, Figures]] = books.hours if hourly else books.days
    for subject, told in source.items():
        plan = books.plans.get(subject.id) if of is About.PLAN else None
        elsewhere = plan and ((plan.scene or "UNI_PROJECT") != scene or plan.kind is PlanKind.LIVE)
        if subject.about is not of or subject.within or elsewhere:
            continue
        for at, figures in told.items():
            if figures.spend or figures.gmv:
                at_hour = at.strftime("%Y-%m-%d %H:00:00") if hourly else f"{at} 00:00:00"
                names = {topic.id: subject.id, topic.label: subject.name} if topic.label else {topic.id: subject.id}
                yield {**names, DAY_DIMENSION: at_hour, HOUR_DIMENSION: at_hour}, figures


def _dimension(text: str) -> Json:
    return {"Value": int(text) if text.isdigit() else 0, "ValueStr": text}


def _cell_of(api: Api, name: str, figures: Figures) -> Json:
    """A cell: the value in yuan to two decimals, and in text a hundred thousand times as much."""
    value = _value(api, name, figures) * _SCALE // api.units["yuan"]
    exact = Fraction(round(value), _SCALE)
    return {"Value": float(Decimal(round(exact * 100)) / 100), "ValueStr": str(round(value))}


def _listed_value(api: Api, name: str, figures: Figures) -> float | int:
    value = _value(api, name, figures)
    if api.metrics[name].unit == "money":
        return round(value * api.unit("plans"))
    return int(value) if api.metrics[name].unit == "count" else round(float(value), 2)


def _known(api: Api, name: str, figures: Figures) -> bool:
    """Whether the books know a figure, or what a ratio is taken of; what they do not know they do not tell."""
    field = {"payment_roi": "gmv", "net_roi": "net_gmv"}.get(api.metrics[name].field, api.metrics[name].field)
    return getattr(figures, field) is not None


def _value(api: Api, name: str, figures: Figures) -> Fraction:
    """A figure as a plain number: money in yuan; a ratio to nothing is told as 0 by the vendor."""
    metric = api.metrics[name]
    if metric.unit == "ratio":
        over = figures.gmv if metric.field == "payment_roi" else figures.net_gmv
        return ratio(over or 0, figures.spend or 0) or Fraction(0)
    held = Fraction(getattr(figures, metric.field) or 0)
    return held / YUAN if metric.unit == "money" else held


def _totals(asked: Asked) -> Json:
    """What the whole account spent and sold with plans of the whole domain."""
    first, last = asked.days("start_date", "end_date")
    sums = add(
        figures
        for subject, told in asked.books.days.items()
        if subject.about is About.PLAN and not subject.within
        for day, figures in told.items()
        if first <= day <= last
    )
    per = asked.api.unit("totals")
    known = [name for name in asked.read("fields") if name in asked.api.metrics]
    values = {name: _value(asked.api, name, sums) for name in known}
    return {
        name: float(round(value * per, 2)) if asked.api.metrics[name].unit == "money" else float(round(value, 2))
        for name, value in values.items()
    }


def _changes(asked: Asked) -> Json:
    """The log of changes, the latest first."""
    first, last = asked.days("start_time", "end_time")
    if asked.text("object_type") == "AD" and not asked.params.get("object_id"):
        raise No(BAD_PARAMETER, "object_id: Missing data for required field.")
    wanted = str(asked.params.get("object_id") or "")
    rows = [
        _change(asked.api, one)
        for one in sorted(asked.books.changes, key=lambda one: (one.at, one.id), reverse=True)
        if wanted in ("", one.plan_id) and first <= one.at.astimezone(zone(asked.api.timezone)).date() <= last
    ]
    return asked.page(rows, "total_number")


def _change(api: Api, one: Change) -> Json:
    return {
        "log_id": one.id,
        "create_time": f"{one.at.astimezone(zone(api.timezone)):%Y-%m-%d %H:%M:%S}",
        "object_id": int(one.plan_id),
        "object_name": one.plan_name,
        "object_type": "AD",
        "content_title": one.title,
        "content_log": list(one.content),
        "operator_id": "0",
        "operator_name": one.operator,
        "opt_ip": "127.0.0.1",
        "sub_logs": [],
    }


def _guarantees(asked: Asked) -> Json:
    ids = [str(one) for one in asked.read("ad_ids")]
    if not 1 <= len(ids) <= asked.endpoint.at_once:
        raise No(BAD_PARAMETER, f"ad_ids: 1 to {asked.endpoint.at_once} at once.")
    known = [(id_, asked.books.plans.get(id_)) for id_ in ids]
    failed = {"status": "FAILED", "compensate_status": "DEFAULT", "reason": "no such plan", "url": ""}
    return {"list": [{"ad_id": int(id_), **(_compensated(asked.api, plan) | {"url": ""} if plan else failed)}
                     for id_, plan in known]}  # fmt: skip


def _wallet(asked: Asked) -> Json:
    """What the account holds: in thousandths of a fen."""
    latest = max((day for day in asked.books.money if day <= asked.books.now().date()), default=None)
    money = asked.books.money[latest] if latest else None
    cash, credit = (money.cash, money.credit) if money else (0, 0)

    def told(value: Micros) -> int:
        return round(Fraction(value, YUAN) * asked.api.unit("wallet"))

    return {
        "total_balance_abs": told(cash + credit),
        "grant_balance": told(credit),
        "general_total_balance": told(cash + credit),
        "general_balance_valid": told(cash + credit),
        "general_balance_valid_non_grant": told(cash),
        "general_balance_valid_grant_default": told(credit),
        "general_balance_invalid": 0,
        "grant_expiring": 0,
        "share_expiring_detail_list": [],
    }


def _finance(asked: Asked) -> Json:
    first, last = asked.days("start_date", "end_date")
    per = asked.api.unit("finance")

    def told(value: Micros) -> int:
        return round(Fraction(value, YUAN) * per)

    rows = [
        {
            "date": day.isoformat(),
            "cost": told(one.spend),
            "cash_cost": told(one.spend - one.credit_spend),
            "grant_cost": told(one.credit_spend),
            "income": told(one.came_in),
            "transfer_in": 0,
            "transfer_out": 0,
            "cash_balance": told(one.cash),
            "grant_balance": told(one.credit),
            "total_balance": told(one.cash + one.credit),
            "view_delivery_type": "ALL",
        }
        for day, one in sorted(asked.books.money.items())
        if first <= day <= last
    ]
    return asked.page(rows, "total_number")


def _yuan(amount: Micros | None) -> float:
    """Money as the vendor writes it where it is in yuan: a number of two decimals."""
    return float(Decimal(to_fen(amount or 0) // FEN) / 100)


READS: dict[str, Callable[[Asked], Json]] = {
    "plans": _plans,
    "report": _report,
    "totals": _totals,
    "changes": _changes,
    "guarantee": _guarantees,
    "wallet": _wallet,
    "finance": _finance,
}
