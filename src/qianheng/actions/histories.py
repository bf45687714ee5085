"""The history that advice looks at, of a kept run as known at a desk (SPEC 13.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache, partial
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.profit import contributed, goods_stated
from qianheng.actions.shop import completed, own_shop
from qianheng.core.days import DAY, day_of, midnight, moment, zone
from qianheng.core.errors import BadInput, NotFound
from qianheng.core.money import ratio
from qianheng.core.placements import Placement
from qianheng.facts.batch import NO_FACTS, FactBatch
from qianheng.facts.schema import Channel
from qianheng.incentives.terms import Terms
from qianheng.measures.days import Days, date_of
from qianheng.measures.history import About, History, PlanHistory, Setting, ShopHistory, Subject
from qianheng.measures.query import subjects, sum_by
from qianheng.measures.reports import Figures, figures_of
from qianheng.measures.sums import NAMES, Sums, mature
from qianheng.plans.plan import HOURS_OF_DAY, Counting, Plan
from qianheng.store import incentives, plans, statement
from qianheng.store.database import reading
from qianheng.store.incentives import Rules
from qianheng.store.lake import Lately
from qianheng.store.plans import LoggedPlan

SHOP = ("opened", "products", "margin", "category", "balance", "commission_rate")
FIGURED = ("net_gmv", "refunded_1h", "settled_gmv_7d", "impressions", "clicks", "contribution")
BESIDE = ("off_air_spend", "unpromoted_orders", "contribution")  # summed like `Sums`, though no field of them
At = TypeVar("At", date, datetime)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  hours are numbered in the zone of the account
_KEYS = ("period", "plan_id", "product_id", "creative_id", "placement", "room_id", "channel")
PLAN_AND_PART = 2  # ids of a part of a plan
_PARTS = (
    (About.PRODUCT, "product_id"),
    (About.CREATIVE, "creative_id"),
    (About.PLACEMENT, "placement"),
    (About.ROOM, "room_id"),
)
GROUPS: tuple[tuple[About, tuple[str, ...]], ...] = (
    (About.SHOP, ()),
    (About.PLAN, ("plan_id",)),
    *((about, (column,)) for about, column in _PARTS),
    *((about, ("plan_id", column)) for about, column in _PARTS),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the past is asked for: whose (default: the actor's shop, or the only one), how many days with today, and
    how many of them by hour too; with what happened lately and is not kept yet.
    """

    shop_id: str = ""
    days: int = 35
    hours: int = 0
    news: FactBatch = NO_FACTS

    def __post_init__(self) -> None:
        if self.days < 1 or self.hours < 0:
            raise BadInput("histories.no_days", value=self.days)


class KnownPlan(NamedTuple):
    """A plan as it was known to be at the desk's time, what it was set to, and when it first spent."""

    plan: Plan
    settings: tuple[Setting, ...]
    began: date | None


@dataclass(frozen=True, slots=True)
class KnownShop:
    """What is asked of the lake for: a shop, its plans, the names of its things, and the unit costs it states."""

    id: int
    plans: Sequence[KnownPlan]
    products: Mapping[int, str]
    rules: Rules

    def names(self) -> dict[tuple[About, str], str]:
        """What things are called, by what they are and their id."""
        told = {(About.PLAN, str(one.plan.id)): one.plan.name for one in self.plans}
        told |= {(About.PLACEMENT, str(place.value)): place.name.lower() for place in Placement}
        told |= {(About.PRODUCT, str(id_)): name for id_, name in self.products.items()}
        told |= {(About.CREATIVE, str(id_)): name for id_, name in self.products.items()}
        return told | {(About.ROOM, str(id_)): name for id_, name in (self.rules.creators or {}).items()}


Key = tuple[About, str, str]  # of a subject: about, id, within
Row = dict[str, int]
Figured = dict[Subject, dict[int, Figures]]


def history_of(desk: Desk, asked: Asked | None = None) -> History:
    """What was known of a shop at the desk's time. None of that id among the actor's: NotFound."""
    with reading(desk.database) as connection:
        return history_within(desk, connection, asked or Asked())


def history_within(desk: Desk, connection: Connection, asked: Asked) -> History:
    """The same, in a transaction that is open."""
    zone_name, today = str(desk.now.tzinfo), day_of(desk.now, str(desk.now.tzinfo))
    days = Days(today - timedelta(days=asked.days - 1), today, zone_name)
    hourly = Days(today - timedelta(days=max(asked.hours, 1) - 1), today, zone_name)
    query = partial(desk.lake.query, connection, as_of=desk.now)
    everything, lately = Lately(news=asked.news), Lately(min(days.since, hourly.since) - DAY, asked.news)
    known = _shop_known(
        desk, connection, shop_asked(desk, connection, asked.shop_id), partial(query, lately=everything)
    )
    asked_hours = [subjects(hourly, hourly=True)] if asked.hours else []
    by_hour = [counted(query(sql, lately=lately), known) for sql in asked_hours]
    by_day = _of_days(*by_hour) if asked.hours == asked.days else counted(query(subjects(days), lately=lately), known)
    shop = completed(_shop(desk, connection, known, by_day), own_shop())
    found = dated(figured(by_day, known, desk.now), date_of)
    hours = [dated(figured(one, known, desk.now, True), lambda at: hour_of(at, zone_name)) for one in by_hour]
    return History(
        source="run",
        shop=shop,
        timezone=zone_name,
        now=desk.now,
        days=found,
        hours=hours[0] if hours else {},
        plans={str(one.plan.id): _plan_history(one) for one in known.plans},
        missing=missing_of(shop, found),
    )


def served_until(desk: Desk) -> Desk:
    """The desk on the morning after the last day that anything was spent on, if that is past: where advice looks from
    when nobody says when.
    """
    with reading(desk.database) as connection:
        (row,) = desk.lake.query(connection, "SELECT MAX(f.at) AS at FROM charges AS f", as_of=desk.now).to_pylist()
    if row["at"] is None:
        return desk
    zone_name = str(desk.now.tzinfo)
    morning = midnight(day_of(moment(row["at"]), zone_name) + timedelta(days=1), zone_name)
    return replace(desk, now=min(morning, desk.now))


def missing_of(shop: ShopHistory, days: Mapping[Subject, Mapping[date, Figures]]) -> frozenset[str]:
    """What is known neither of the shop nor, of figures, on any day of anything."""
    of_shop = {name for name in SHOP if getattr(shop, name) is None}
    known = [told for by_day in days.values() for told in by_day.values()]
    return frozenset(of_shop | {name for name in FIGURED if all(getattr(told, name) is None for told in known)})


def shop_asked(desk: Desk, connection: Connection, wanted: str) -> int:
    """The shop asked for among those the actor sees, or the only one. None of that id: NotFound; several: BadInput."""
    seen = sorted({shop for shop, _ in plans.ad_accounts(connection) if desk.actor.sees(shop)})
    known = ", ".join(map(str, seen))
    if not wanted and len(seen) != 1:
        raise BadInput("histories.which_shop", place="--shop", known=known)
    matching = [shop for shop in seen if wanted in ("", str(shop))]
    if not matching:
        raise NotFound("histories.no_shop", place="--shop", value=wanted, known=known)
    return matching[0]


def _shop_known(desk: Desk, connection: Connection, shop_id: int, query: Callable[[str], pa.Table]) -> KnownShop:
    """The shop and its plans as they were at the desk's time."""
    rows = query("SELECT f.plan_id, MIN(f.at) AS at FROM charges AS f GROUP BY f.plan_id").to_pylist()
    began = {row["plan_id"]: row["at"] for row in rows}
    mine = [one for one in plans.logged(connection) if one.plan.shop_id == shop_id]
    return KnownShop(
        shop_id,
        [_known_plan(desk, one, began.get(one.plan.id)) for one in mine],
        {id_: one.name for id_, one in incentives.products(connection).items() if one.shop_id == shop_id},
        incentives.rules(connection),
    )


def _known_plan(desk: Desk, logged: LoggedPlan, began_at: int | None) -> KnownPlan:
    made = [change for change in logged.changes if change.at <= desk.now]
    history = logged.history[: len(made) + 1]
    zone_name = history[-1].timezone
    began = None if began_at is None else moment(began_at, zone_name)
    first = min((at for at in (began, *(change.at for change in made)) if at is not None), default=desk.now)
    times = [midnight(day_of(first, zone_name), zone_name), *(change.at.astimezone(desk.now.tzinfo) for change in made)]
    settings = tuple(
        Setting(at, plan.goal, plan.bid_mode, plan.target, plan.budget_daily, plan.status)
        for at, plan in zip(times, history, strict=True)
    )
    return KnownPlan(history[-1], settings, None if began is None else began.date())


def _plan_history(known: KnownPlan) -> PlanHistory:
    plan = known.plan
    return PlanHistory(
        Subject(About.PLAN, str(plan.id), plan.name),
        plan.kind,
        plan.policy,
        known.settings,
        tuple(map(str, plan.product_ids)),
        None if plan.room_id is None else str(plan.room_id),
        known.began,
    )


def _shop(desk: Desk, connection: Connection, known: KnownShop, counted: pa.Table) -> ShopHistory:
    """What the run itself knows of a shop; its margin is of what was sold and is kept so far."""
    costs = known.rules.costs or {}
    categories = {costs[id_].category for id_ in known.products if id_ in costs}
    accounts = {one.plan.ad_account_id for one in known.plans}
    return ShopHistory(
        id=str(known.id),
        products=len(known.products) or None,
        margin=_margin(counted),
        category=categories.pop() if len(categories) == 1 else None,
        balance=sum(statement.held_at(connection, account, desk.now).total for account in accounts),
        commission_rate=max((one.plan.commission_rate for one in known.plans), default=None),
    )


def _margin(counted: pa.Table) -> Fraction | None:
    if "contribution" not in counted.column_names:
        return None
    gmv, refunded, contribution = (
        pc.sum(counted[name]).as_py() or 0 for name in ("gmv", "refunded_7d", "contribution")
    )
    return ratio(contribution, gmv - refunded)


def counted(answer: pa.Table, known: KnownShop) -> pa.Table:
    """The rows of the answer of `subjects` that count for the shop's plans, each with its contribution if costs are
    stated of all that was sold; and orders that no promotion reached, in rows of their own.
    """
    free = _unpromoted(answer, known)
    answer = pa.concat_tables([_counts_for(answer, one.plan) for one in known.plans])
    answer = pa.concat_tables([answer.append_column("unpromoted_orders", pa.array(np.zeros(len(answer), int))), free])
    costs, ids = known.rules.costs or {}, answer["product_id"].to_numpy()
    sold = answer["orders"].to_numpy() > 0
    if not costs or not set(ids[sold].tolist()) <= costs.keys():
        return answer
    stated = goods_stated(costs, Terms({})).stated(np.where(sold, ids, min(costs)))
    return answer.append_column("contribution", pa.array(contributed(answer, stated)))


def _of_days(by_hour: pa.Table) -> pa.Table:
    """What is counted by hour under the numbers of the days."""
    days = pc.divide(by_hour["period"], HOURS_OF_DAY)
    return by_hour.set_column(by_hour.column_names.index("period"), "period", days)


def _unpromoted(answer: pa.Table, known: KnownShop) -> pa.Table:
    """Orders that no promotion reached, whether they count for their plan or not, as rows of nothing else."""
    ours = pc.field("plan_id").isin([one.plan.id for one in known.plans])
    free = answer.filter(ours & (pc.field("channel") != Channel.PROMOTED))
    kept = {name: free[name].to_numpy() if name in _KEYS else np.zeros(len(free)) for name in free.column_names}
    columns = kept | {"unpromoted_orders": free["orders"].to_numpy()}
    return pa.table({name: pa.array(column, pa.int64()) for name, column in columns.items()})


def _counts_for(answer: pa.Table, plan: Plan) -> pa.Table:
    """The rows that count for a plan: of all its orders, or of those that a promotion reached (SPEC 2)."""
    kept = pc.field("plan_id") == plan.id
    if plan.counting is Counting.ATTRIBUTED:
        kept &= pc.field("channel") == Channel.PROMOTED
    return answer.filter(kept)


def figured(counted: pa.Table, known: KnownShop, now: datetime, hourly: bool = False) -> Figured:
    """The figures of the shop, its plans and their parts, by the number of the day or hour, up to a time."""
    names, zone_name, last = known.names(), str(now.tzinfo), _number(now, hourly)
    nothing: Row = dict.fromkeys((*NAMES, *(name for name in BESIDE if name in counted.column_names)), 0)
    found: Figured = {}

    @cache
    def closed(number: int) -> bool:
        return mature(date_of(number // 24 if hourly else number), now, timezone=zone_name)

    @cache
    def empty(closed: bool) -> Figures:
        return _figures(nothing, closed)

    for (about, id_, within), by_number in _summed(counted, str(known.id)).items():
        of = found[Subject(about, id_, names.get((about, id_), ""), within)] = {}
        for number in range(min(by_number), last + 1):
            row = by_number.get(number)
            of[number] = empty(closed(number)) if row is None else _figures(nothing | row, closed(number))
    return found


def _figures(row: Row, closed: bool) -> Figures:
    sums = Sums(**{name: row[name] for name in NAMES})
    contribution = row.get("contribution") if closed else None
    beside = {name: row[name] for name in ("off_air_spend", "unpromoted_orders")}
    return figures_of(sums, closed, contribution=contribution, **beside)


def _summed(counted: pa.Table, shop_id: str) -> dict[Key, dict[int, Row]]:
    """The sums of everything that figures are of, by period; what is not known to be of anything (-1) is left out."""
    found: dict[Key, dict[int, Row]] = {}
    columns = {name: counted[name].to_numpy() for name in (*NAMES, *BESIDE) if name in counted.column_names}
    for about, by in GROUPS:
        keys = [counted[name].to_numpy().astype(np.int64) for name in (*by, "period")]
        told, sums = sum_by(keys, columns)
        rows = zip(*(column.tolist() for column in sums.values()), strict=True)
        for *ids, period, row in zip(*(key.tolist() for key in told), rows, strict=True):
            if -1 not in ids:
                id_ = str(ids[-1]) if ids else shop_id
                key = (about, id_, str(ids[0]) if len(ids) == PLAN_AND_PART else "")
                found.setdefault(key, {})[period] = dict(zip(sums, row, strict=True))
    return found


def dated(found: Figured, when: Callable[[int], At]) -> dict[Subject, dict[At, Figures]]:
    """Figures by the time that their number stands for."""
    return {subject: {when(number): one for number, one in told.items()} for subject, told in found.items()}


def _number(at: datetime, hourly: bool) -> int:
    since = at.replace(tzinfo=None) - EPOCH
    return since // timedelta(hours=1) if hourly else since.days


def hour_of(number: int, zone_name: str) -> datetime:
    """The hour of a number, in a zone."""
    return (EPOCH + timedelta(hours=number)).replace(tzinfo=zone(zone_name))
