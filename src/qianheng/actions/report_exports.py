"""A kept run as the files its shop would hold elsewhere: reports, credits, the log of changes, orders, after-sales."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.promises import CREDITS
from qianheng.core.days import REFUND_WINDOW_1H, REFUND_WINDOW_7D, day_of, microseconds, moment
from qianheng.core.errors import BadInput, NotFound
from qianheng.core.money import Micros, yuan
from qianheng.facts.schema import Channel
from qianheng.measures import query
from qianheng.measures.days import Days, date_of
from qianheng.measures.reports import Figures
from qianheng.measures.sums import mature
from qianheng.plans.boost import BoostKind
from qianheng.plans.entries import LogField
from qianheng.plans.plan import Counting, Plan
from qianheng.store import incentives, plans, runs
from qianheng.store.database import reading
from qianheng.store.files import write_whole
from qianheng.store.statement import statement
from qianheng.vendors.change_log import wording
from qianheng.vendors.records import RecordKind
from qianheng.vendors.writing import Style, gbk, inline_xlsx, record_rows, report_rows

BOOST_WORDS = {BoostKind.NONE: "", BoostKind.PLAN: "一键起量", BoostKind.CREATIVE: "素材追投"}
CREATIVES = "全域推广数据-视频"
LOGGED = ("goal", "target", "bid_mode", "budget_daily", "status")


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that was written and how many lines it has under its header."""

    path: Path
    lines: int


class _Sold(NamedTuple):
    """An order as kept, with what was given back of it as (id, at, amount)."""

    id: int
    at: int
    plan_id: int
    product_id: int
    room_id: int
    channel: int
    boost: int
    flagged: bool
    amount: Micros
    coupon: Micros
    subsidy: Micros
    refunds: Sequence[tuple[int, int, Micros]]

    def refunded(self, within: int) -> Micros:
        """What was given back at most so long after."""
        return sum(amount for _, at, amount in self.refunds if at - self.at <= within)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is known of a run at the desk's time, in the zone of its days."""

    desk: Desk
    connection: Connection
    plans: Mapping[int, plans.LoggedPlan]
    names: Mapping[int, str]
    days: Days
    sold: Sequence[_Sold]

    def counts(self, one: _Sold) -> bool:
        """Whether an order counts for its plan (SPEC 2)."""
        kept = self.plans.get(one.plan_id)
        promoted = one.channel == Channel.PROMOTED
        return kept is not None and (kept.plan.counting is Counting.ALL or promoted)

    def day(self, at: int) -> date:
        """The natural day of a time."""
        return day_of(moment(at), self.days.timezone)


def export_reports(desk: Desk, folder: Path, as_shown: bool = False) -> list[WrittenFile]:
    """Write the files of the actor's shop into a folder, made if missing; files of these names are replaced.

    `as_shown`: money in fen and times in seconds, as the vendor's screens show them; else exactly. A run that has not
    lived a day: NotFound. A folder that cannot be written: BadInput.
    """
    with reading(desk.database) as connection:
        kept = _kept(desk, connection)
        tables = dict(_tables(kept, Style(kept.days.timezone, as_shown)))
    try:
        return [_put(folder, kept.days, name, rows) for name, rows in tables.items()]
    except OSError as error:
        raise BadInput("reports.export_failed", place=str(folder), why=error.strerror or error) from None


def _tables(kept: _Kept, style: Style) -> Iterator[tuple[str, list[list[str]]]]:
    yield "全域推广数据_计划", report_rows("plan", _plan_days(kept), style)
    yield "全域推广数据_商品", report_rows("product", _parts_of_days(kept, "product"), style)
    yield CREATIVES, report_rows("creative", _parts_of_days(kept, "creative"), style)
    yield "收支明细", report_rows("finance", _credits(kept), style)
    yield "操作日志", record_rows(RecordKind.CHANGE_LOG, _log(kept), style)
    yield "订单", record_rows(RecordKind.ORDERS, _orders(kept), style)
    yield "售后", record_rows(RecordKind.REFUNDS, _refunds(kept), style)


def _put(folder: Path, days: Days, name: str, rows: list[list[str]]) -> WrittenFile:
    """Reports of creatives come as XLSX, all else as CSV, with the period in their names."""
    suffix, form = ("xlsx", inline_xlsx) if name == CREATIVES else ("csv", gbk)
    path = folder / f"{name}_{days.first} 00_00_00-{days.last} 23_59_59.{suffix}"
    write_whole(path, form(rows))
    return WrittenFile(path, len(rows) - 1)


def _kept(desk: Desk, connection: Connection) -> _Kept:
    clock = runs.clock(connection)
    mine = {one.plan.id: one for one in plans.logged(connection) if desk.actor.sees(one.plan.shop_id)}
    zones = {one.plan.timezone for one in mine.values()}
    if clock is None or not mine:
        raise NotFound("desk.no_runs", place="--run")
    if len(zones) > 1:
        raise BadInput("audit.many_zones", place="--run", zones=", ".join(sorted(zones)))
    (timezone,), lived = zones, runs.span(connection)
    days = Days(lived.first, max(lived.first, lived.next_day), timezone)
    names = {one.id: one.name for one in incentives.products(connection).values()}
    return _Kept(desk, connection, mine, names, days, _sold(desk, connection, mine, days))


def _sold(desk: Desk, connection: Connection, mine: Iterable[int], days: Days) -> list[_Sold]:
    refunds = defaultdict[int, list[tuple[int, int, Micros]]](list)
    told = f"f.order_at >= {days.since} AND f.order_at < {days.until} ORDER BY f.at, f.id"
    asked = f"SELECT f.order_id, f.id, f.at, f.amount FROM refunds AS f WHERE {told}"
    for order_id, *refund in _records(desk, connection, asked):
        refunds[order_id].append((refund[0], refund[1], refund[2]))
    columns = ", ".join(f"f.{name}" for name in _Sold._fields[:-1])
    of_mine = f"f.plan_id IN ({', '.join(map(str, [*mine, -2]))})"
    window = f"f.at >= {days.since} AND f.at < {days.until} AND {of_mine} ORDER BY f.at, f.id"
    answer = _records(desk, connection, f"SELECT {columns} FROM orders AS f WHERE {window}")
    return [_Sold._make([*row, refunds[row[0]]]) for row in answer]


def _records(desk: Desk, connection: Connection, asked: str) -> Iterator[tuple[Any, ...]]:
    answer = desk.lake.query(connection, asked, as_of=desk.now)
    return zip(*(column.to_pylist() for column in answer.columns), strict=True)


def _plan_days(kept: _Kept) -> Iterator[tuple[dict[str, Any], Figures]]:
    sold = defaultdict[tuple[int, date], list[_Sold]](list)
    for one in kept.sold:
        if kept.counts(one):
            sold[one.plan_id, kept.day(one.at)].append(one)
    spent = _spent(kept)
    for plan_id, day in sorted({*sold, *spent}):
        if plan_id in kept.plans:
            about = {"plan_id": plan_id, "plan_name": kept.plans[plan_id].plan.name, "day": day}
            yield about, _figures(kept, day, sold[plan_id, day], spent.get((plan_id, day), (0, 0)))


def _spent(kept: _Kept) -> dict[tuple[int, date], tuple[Micros, Micros]]:
    """What was charged, in all and to boosts, by plan and day, without what was found invalid."""
    valid = "f.id NOT IN (SELECT i.id FROM invalids AS i)"
    here = f"f.at + {kept.days.offset_sql()}"
    day = f"CAST(({here} - MOD({here}, 86400000000)) / 86400000000 AS BIGINT)"
    boosted = "SUM(CASE WHEN f.boost <> 0 THEN f.amount ELSE 0 END)"
    sums = f"SELECT f.plan_id, {day}, CAST(SUM(f.amount) AS BIGINT), CAST({boosted} AS BIGINT) FROM charges AS f"
    window = f"f.at >= {kept.days.since} AND f.at < {kept.days.until} AND {valid}"
    rows = _records(kept.desk, kept.connection, f"{sums} WHERE {window} GROUP BY 1, 2")
    return {(plan_id, date_of(number)): (spend, of_boosts) for plan_id, number, spend, of_boosts in rows}


def _figures(kept: _Kept, day: date, sold: Sequence[_Sold], spent: tuple[Micros, Micros]) -> Figures:
    gmv = sum(one.amount for one in sold)
    refunded = sum(one.refunded(REFUND_WINDOW_1H) for one in sold)
    closed = mature(day, kept.desk.now, timezone=kept.days.timezone)
    seven = sum(one.refunded(REFUND_WINDOW_7D) for one in sold)
    return Figures(
        spend=spent[0],
        base_spend=spent[0] - spent[1],
        boosted_spend=spent[1],
        orders=len(sold),
        gmv=gmv,
        net_orders=sum(one.refunded(REFUND_WINDOW_1H) < one.amount for one in sold),
        net_gmv=gmv - refunded,
        refunded_orders_1h=sum(one.refunded(REFUND_WINDOW_1H) > 0 for one in sold),
        refunded_1h=refunded,
        settled_gmv_7d=gmv - seven if closed else None,
        buyer_paid=gmv - sum(one.coupon + one.subsidy for one in sold),
        coupon=sum(one.coupon for one in sold),
        subsidy=sum(one.subsidy for one in sold),
    )


def _parts_of_days(kept: _Kept, part: str) -> Iterator[tuple[dict[str, Any], Figures]]:
    """The sums of each product of a plan, or of each creative, by day."""
    answer = kept.desk.lake.query(kept.connection, query.subjects(kept.days), as_of=kept.desk.now)
    sums = defaultdict[tuple[date, int, int], dict[str, int]](lambda: defaultdict(int))
    for row in answer.to_pylist():
        plan = kept.plans.get(row["plan_id"])
        if plan is None or row[f"{part}_id"] < 0:
            continue
        counts = plan.plan.counting is Counting.ALL or row["channel"] == Channel.PROMOTED
        of = (date_of(row["period"]), row["plan_id"] if part == "product" else 0, row[f"{part}_id"])
        for name in ("spend", "impressions", "clicks"):
            sums[of][name] += row[name]
        for name in ("orders", "gmv", "refunded_1h"):
            sums[of][name] += row[name] if counts else 0
    for (day, plan_id, part_id), told in sorted(sums.items()):
        about = {f"{part}_id": part_id, f"{part}_name": kept.names.get(part_id, str(part_id)), "day": day}
        of_plan = {"plan_id": plan_id} if part == "product" else {}
        yield about | of_plan, Figures(**told, net_gmv=told["gmv"] - told["refunded_1h"])


def _credits(kept: _Kept) -> Iterator[tuple[dict[str, Any], Figures]]:
    """What compensation was credited, and taken back, by the ledger."""
    for account_id in sorted({one.plan.ad_account_id for one in kept.plans.values()}):
        for line in statement(kept.connection, account_id):
            if line.transfer.reason in CREDITS and line.change:
                word = "补偿赠款" if line.change > 0 else "转出"
                about = {"day": day_of(line.transfer.at, kept.days.timezone), "entry": word, "amount": abs(line.change)}
                yield about, Figures()


def _log(kept: _Kept) -> Iterator[dict[str, Any]]:
    for one in kept.plans.values():
        first = {name: getattr(one.history[0], name) for name in LOGGED}
        begun = {"at": kept.days.since, "operator": "", "plan": one.history[0], "id": f"{one.plan.id}-0"}
        yield from _log_lines(begun, {}, first)
        for number, (made, (before, after)) in enumerate(zip(one.changes, pairwise(one.history), strict=True), 1):
            names = [name for name in LOGGED if getattr(before, name) != getattr(after, name)]
            who = {"at": microseconds(made.at), "operator": made.actor}
            values = [{name: getattr(plan, name) for name in names} for plan in (before, after)]
            yield from _log_lines(who | {"plan": after, "id": f"{one.plan.id}-{number}"}, *values)


def _log_lines(
    about: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    plan: Plan = about["plan"]
    for name in after:
        field = LogField.BUDGET if name == "budget_daily" else LogField(name)
        yield {
            "log_id": f"{about['id']}-{name}",
            "at": about["at"],
            "operator": about["operator"],
            "plan_name": plan.name,
            "plan_id": plan.id,
            "title": wording().name_of(field, plan.goal if name == "target" else None),
            "before": _worded(field, before.get(name)),
            "after": _worded(field, after[name]),
        }


def _worded(field: LogField, value: Any) -> str:
    if value is None:
        return ""
    return yuan(value) if field is LogField.BUDGET else wording().word_of(field, str(value))


def _orders(kept: _Kept) -> Iterator[dict[str, Any]]:
    for one in kept.sold:
        yield {
            "order_id": one.id,
            "item_id": one.id,
            "product_name": kept.names.get(one.product_id, str(one.product_id)),
            "product_id": one.product_id,
            "submitted_at": one.at,
            "paid_at": one.at,
            "paid": one.amount - one.coupon - one.subsidy,
            "platform_discount": one.subsidy,
            "shop_discount": one.coupon,
            "status": "已完成",
            "traffic": "付费流量" if one.channel == Channel.PROMOTED else "自然流量",
            "content": "直播" if one.room_id >= 0 else "商品卡",
            "plan_id": one.plan_id if kept.counts(one) else None,
            "boost": BOOST_WORDS[BoostKind(one.boost)],
            "abnormal": one.flagged,
        }


def _refunds(kept: _Kept) -> Iterator[dict[str, Any]]:
    """A refund takes of what the buyer paid and of what discounts paid alike, to the micro-yuan."""
    for one in kept.sold:
        for refund_id, at, amount in one.refunds:
            discount = (one.coupon + one.subsidy) * amount // one.amount // 10_000 * 10_000 if one.amount else 0
            yield {
                "refund_id": refund_id,
                "order_id": one.id,
                "item_id": one.id,
                "product_id": one.product_id,
                "kind": "仅退款",
                "paid": amount - discount,
                "discount": discount,
                "status": "同意退款，退款成功",
                "applied_at": at,
                "refunded_at": at,
            }
