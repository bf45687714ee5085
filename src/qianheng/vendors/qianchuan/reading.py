"""What the vendor's answers mean to us: plans and what they are set to, rows of reports, money, and where two answers
contradict each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from qianheng.core.days import zone
from qianheng.core.errors import BadInput
from qianheng.core.money import YUAN, Micros
from qianheng.measures.reports import FIGURES, Figures, ReportKind, ReportRow
from qianheng.plans.plan import BidMode, Goal, PlanKind, PlanStatus
from qianheng.vendors.checks import check
from qianheng.vendors.qianchuan.api import Api, Json, Topic, amount, number

DAY_DIMENSION, HOUR_DIMENSION = "stat_time_day", "stat_time_hour"
_SCALE = 100_000  # of ValueStr, whatever the field
_CENT = Decimal("0.01")
UNIT_APART = 50
_LIKE_A_UNIT = Fraction(1, 2)
_PLAN_FIELDS = frozenset(
    "id name budget budget_mode roi2_goal smart_bid_type deep_external_action marketing_goal opt_status".split()  # noqa: SIM905
    + "status create_time modify_time adlab_scene compensate_info".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class AdPlan:
    """A plan as the vendor tells of it: what it is set to since `modified`, and how its guarantee stands ("" unknown).

    `status_there` is the vendor's own, finer than ours; `aside` holds what is not used, by the vendor's name.
    """

    id: str
    name: str
    kind: PlanKind
    goal: Goal
    bid_mode: BidMode
    target: Decimal | None
    budget_daily: Micros | None
    status: PlanStatus
    created: datetime | None = None
    modified: datetime | None = None
    scene: str = ""
    status_there: str = ""
    guarantee: str = ""
    aside: tuple[tuple[str, str], ...] = ()


def ad_plan(api: Api, row: Json) -> AdPlan:
    """A plan of the list. A field that cannot be read: BadInput that names plan and field."""
    info: Json = row.get("ad_info") or {}
    if not info.get("id"):
        raise BadInput("sync.not_as_documented", place="ad_list", field="ad_info.id")
    try:
        return _ad_plan(api, info)
    except BadInput as error:
        raise error.at(f"ad_list, {info.get('id')}") from None


def _ad_plan(api: Api, info: Json) -> AdPlan:
    mode = BidMode(_word(api.lists.modes, info, "smart_bid_type", "SMART_BID_CUSTOM"))
    guarantee = (info.get("compensate_info") or {}).get("compensate_status", "")
    target = _optional(info, "roi2_goal") if mode is BidMode.TARGET_ROI else None
    by_day = info.get("budget_mode", "BUDGET_MODE_DAY") == "BUDGET_MODE_DAY"
    return AdPlan(
        id=str(info["id"]),
        name=str(info.get("name", "")),
        kind=PlanKind(_word(api.lists.goals, info, "marketing_goal", "VIDEO_PROM_GOODS")),
        goal=Goal(_word(api.words.goals, info, "deep_external_action", "AD_CONVERT_TYPE_LIVE_PAY_ROI")),
        bid_mode=mode,
        target=target or None,
        budget_daily=_budget(info) if by_day else None,
        status=PlanStatus(_word(api.words.status, info, "opt_status", "ENABLE")),
        created=_time(api, info, "create_time"),
        modified=_time(api, info, "modify_time"),
        scene=str(info.get("adlab_scene", "")),
        status_there=str(info.get("status", "")),
        guarantee=api.words.guarantee.get(str(guarantee), ""),
        aside=tuple((name, str(value)) for name, value in info.items() if name not in _PLAN_FIELDS),
    )


def _word(known: Mapping[str, str], info: Json, name: str, usual: str) -> str:
    said = str(info.get(name) or usual)
    if said not in known:
        raise BadInput("sync.unknown_word", place=name, value=said, known=", ".join(known))
    return known[said]


def _optional(info: Json, name: str) -> Decimal | None:
    try:
        return None if info.get(name) is None else number(info[name])
    except BadInput as error:
        raise error.at(name) from None


def _budget(info: Json) -> Micros | None:
    told = _optional(info, "budget")
    return amount(told, 1) if told else None


def _time(api: Api, info: Json, name: str) -> datetime | None:
    return time_of(info[name], api.timezone) if info.get(name) else None


def time_of(text: object, timezone: str) -> datetime:
    """A time as the vendor writes it ("2026-06-01 10:00:00"), in the account's zone. Unreadable: BadInput."""
    try:
        return datetime.fromisoformat(str(text).strip()).replace(tzinfo=zone(timezone))
    except ValueError:
        raise BadInput("core.not_a_time", value=str(text)) from None


def report_row(api: Api, topic: Topic, row: Json, within: str) -> ReportRow:
    """A row of a detailed report. What cannot be read, or contradicts itself: BadInput that names row and field."""
    dimensions = {name: _text(cell) for name, cell in (row.get("dimensions") or {}).items()}
    hourly = HOUR_DIMENSION in dimensions
    id_ = dimensions.get(topic.id, "")
    try:
        at = time_of(dimensions.get(HOUR_DIMENSION if hourly else DAY_DIMENSION), api.timezone)
        metrics = row.get("metrics") or {}
        cells = {name: _cell(name, cell, api.per_yuan("report", name)) for name, cell in metrics.items()}
        figures = whole(api, cells)
    except BadInput as error:
        raise error.at(f"{topic.topic}, {id_ or '?'}, {dimensions.get(DAY_DIMENSION, '')}") from None
    return ReportRow(
        kind=ReportKind(topic.kind),
        entity_id=id_,
        name=dimensions.get(topic.label, ""),
        first=at.date(),
        last=at.date(),
        hour=at.hour if hourly else None,
        within=within,
        goal=Goal.NET,
        figures=figures,
        aside=tuple((name, str(value)) for name, value in cells.items() if name not in api.metrics),
    )


def listed_row(api: Api, row: Json, day: date, within: str) -> ReportRow:
    """The day of a plan out of the list of plans asked for that day only. Errors as `report_row`."""
    info, stats = row.get("ad_info") or {}, row.get("stats_info") or {}
    try:
        cells = {name: number(told) / api.per_yuan("plans", name) for name, told in stats.items() if told is not None}
        figures = whole(api, cells)
    except BadInput as error:
        raise error.at(f"stats_info, {info.get('id')}, {day}") from None
    aside = tuple((name, str(value)) for name, value in cells.items() if name not in api.metrics)
    kind, id_, name = ReportKind.PLAN, str(info.get("id", "")), str(info.get("name", ""))
    return ReportRow(kind, id_, name, day, day, None, within, Goal.NET, figures, aside)


def whole(api: Api, cells: Mapping[str, Decimal]) -> Figures:
    """The figures in the cells of a row (money in yuan). Ratios among them that the sums contradict: BadInput."""
    told: dict[str, Any] = {}
    for name, value in cells.items():
        if (metric := api.metrics.get(name)) is None:
            continue
        told[metric.field] = _figure(name, metric.unit, value)
    stated = {name: value for name, value in told.items() if isinstance(value, Fraction) and value}
    checked = check(Figures(**{name: value for name, value in told.items() if name in FIGURES}), stated)
    if checked.faults:
        raise BadInput("sync.contradicts", what=" ".join(sentence for _, sentence in checked.faults))
    return checked.figures


def _figure(name: str, unit: str, value: Decimal) -> int | Fraction:
    try:
        if unit == "money":
            return amount(value, 1)
        if unit == "ratio":
            return Fraction(value)
        if value != int(value):
            raise BadInput("vendors.not_whole", value=value)
        return int(value)
    except BadInput as error:
        raise error.at(name) from None


def _text(cell: Any) -> str:
    """What a cell of a dimension says: an id is told whole as text, while a number of it may have lost digits."""
    if isinstance(cell, dict):
        said = cell.get("ValueStr", cell.get("Value"))
        return "" if said is None else str(said)
    return "" if cell is None else str(cell)


def _cell(name: str, cell: Any, a_yuan: int) -> Decimal:
    """What a cell of a metric says. `ValueStr` tells a hundred thousand times as much where it fits `Value`, and more
    exactly; it may also say the same. Where it fits neither: BadInput.
    """
    if not isinstance(cell, dict):
        return number(cell) / a_yuan
    try:
        value = number(cell.get("Value", cell.get("ValueStr")))
        text = number(cell["ValueStr"]) if cell.get("ValueStr") not in (None, "") else value
    except BadInput as error:
        raise error.at(name) from None
    if text == value:
        return value / a_yuan
    if abs(text / _SCALE - value) < _CENT:
        return text / _SCALE / a_yuan
    raise BadInput("sync.cell_contradicts", place=name, value=value, text=text)


def finance_row(api: Api, row: Json, within: str) -> ReportRow:
    """A day of the account's money. Its spend stands aside, beside that of the plans: it is never counted twice."""
    day = time_of(row.get("date"), api.timezone).date()
    try:
        told = {name: _balance(api, "finance", row, field) for name, field in _FINANCE.items()}
    except BadInput as error:
        raise error.at(f"finance, {day}") from None
    aside = tuple((name, str(value)) for name, value in row.items() if name not in _FINANCE.values())
    return ReportRow(ReportKind.FINANCE, "", "", day, day, None, within, figures=Figures(**told), aside=aside)


def wallet_row(api: Api, data: Json, day: date, within: str) -> ReportRow:
    """What the account holds today, as a row of its money."""
    told = {name: _balance(api, "wallet", data, field) for name, field in _WALLET.items()}
    aside = tuple((name, str(value)) for name, value in data.items() if name not in _WALLET.values())
    return ReportRow(ReportKind.FINANCE, "wallet", "", day, day, None, within, figures=Figures(**told), aside=aside)


_FINANCE = {
    "spend": "cost",
    "transferred_in": "transfer_in",
    "transferred_out": "transfer_out",
    "deposited": "income",
    "balance": "total_balance",
    "credit_balance": "grant_balance",
    "cash_balance": "cash_balance",
}
_WALLET = {
    "balance": "general_balance_valid",
    "credit_balance": "grant_balance",
    "cash_balance": "general_balance_valid_non_grant",
}


def _balance(api: Api, endpoint: str, row: Json, name: str) -> Micros | None:
    if row.get(name) is None:
        return None
    try:
        return amount(row[name], api.unit(endpoint))
    except BadInput as error:
        raise error.at(name) from None


def with_plan(row: ReportRow, plan: AdPlan | None) -> ReportRow:
    """A row of a plan with what the list says of it: its name, and the goal that it bids to."""
    return replace(row, name=row.name or plan.name, goal=plan.goal) if plan else row


@dataclass(frozen=True, slots=True)
class Unlike:
    """Two answers on the same money that do not fit. `unit`: they are apart as only different units can be."""

    what: str
    told: Micros
    against: Micros
    unit: bool


def unlike(what: str, told: Micros, against: Micros, allowed: Decimal, more: bool = False) -> Unlike | None:
    """What plans told of their spend against what else tells of it, if they differ by more than a share; `more`: the
    other may be more, since the account pays for other ads too. `None` if they fit, or one of them is nothing.
    """
    if min(told, against) <= 0 or max(told, against) < YUAN:
        return None
    times, share = Fraction(told, against), Fraction(allowed)
    unit = times > UNIT_APART or (abs(times * _SCALE - 1) < _LIKE_A_UNIT if more else times * UNIT_APART < 1)
    if unit or times > 1 + share or (not more and times < 1 - share):
        return Unlike(what, told, against, unit)
    return None
