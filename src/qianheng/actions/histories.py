"""The history that advice looks at: of a kept run as known at a desk, or of imported reports (SPEC 13.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.core.days import day_of, midnight, moment, zone
from qianheng.core.errors import BadInput, NotFound
from qianheng.core.placements import Placement
from qianheng.facts.schema import Channel
from qianheng.measures.days import Days, Int64, date_of
from qianheng.measures.history import About, History, PlanHistory, Setting, ShopHistory, Subject
from qianheng.measures.query import subjects, sum_by
from qianheng.measures.reports import Figures, figures_of
from qianheng.measures.sums import NAMES, Sums, mature
from qianheng.plans.plan import Counting, Plan
from qianheng.store import plans
from qianheng.store.database import reading
from qianheng.store.plans import LoggedPlan

SHOP = ("opened", "products", "margin", "category", "balance", "commission_rate")
FIGURED = ("net_gmv", "refunded_1h", "settled_gmv_7d", "impressions", "clicks", "contribution")
At = TypeVar("At", date, datetime)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  hours are numbered in the zone of the account
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
    how many of them by hour too.
    """

    shop_id: str = ""
    days: int = 35
    hours: int = 0

    def __post_init__(self) -> None:
        if not (self.days >= 1 and self.hours >= 0):
            raise BadInput("histories.no_days", value=self.days)


class Known(NamedTuple):
    """A plan of the shop as it was known to be at the desk's time, what it was set to, and when it first spent."""

    plan: Plan
    settings: tuple[Setting, ...]
    began: date | None


Key = tuple[About, str, str]  # of a subject: about, id, within
Figured = dict[Subject, dict[int, Figures]]


def history_of(desk: Desk, asked: Asked | None = None) -> History:
    """What was known of a shop at the desk's time. None of that id among the actor's: NotFound."""
    asked = asked or Asked()
    zone_name = str(desk.now.tzinfo)
    today = day_of(desk.now, zone_name)
    with reading(desk.database) as connection:
        mine = _known(desk, connection, _shop_of(desk, connection, asked.shop_id))
        days = Days(today - timedelta(days=asked.days - 1), today, zone_name)
        by_day = _figured(desk, connection, mine, days, hourly=False)
        hourly = Days(today - timedelta(days=max(asked.hours, 1) - 1), today, zone_name)
        by_hour = _figured(desk, connection, mine, hourly, hourly=True) if asked.hours else {}
    shop = ShopHistory(str(mine[0].plan.shop_id), products=len({id_ for one in mine for id_ in one.plan.product_ids}))
    found = _dated(by_day, date_of)
    return History(
        source="run",
        shop=shop,
        timezone=zone_name,
        now=desk.now,
        days=found,
        hours=_dated(by_hour, lambda number: _hour(number, zone_name)),
        plans={str(one.plan.id): _plan_history(one) for one in mine},
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


def _shop_of(desk: Desk, connection: Connection, wanted: str) -> int:
    """The shop asked for among those the actor sees, or the only one."""
    seen = sorted({shop for shop, _ in plans.ad_accounts(connection) if desk.actor.sees(shop)})
    known = ", ".join(map(str, seen))
    if not wanted and len(seen) != 1:
        raise BadInput("histories.which_shop", place="--shop", known=known)
    matching = [shop for shop in seen if wanted in ("", str(shop))]
    if not matching:
        raise NotFound("histories.no_shop", place="--shop", value=wanted, known=known)
    return matching[0]


def _known(desk: Desk, connection: Connection, shop_id: int) -> list[Known]:
    """The shop's plans as they were at the desk's time."""
    began_sql = "SELECT f.plan_id, MIN(f.at) AS at FROM charges AS f GROUP BY f.plan_id"
    rows = desk.lake.query(connection, began_sql, as_of=desk.now).to_pylist()
    began = {row["plan_id"]: row["at"] for row in rows}
    mine = [one for one in plans.logged(connection) if one.plan.shop_id == shop_id]
    return [_known_plan(desk, one, began.get(one.plan.id)) for one in mine]


def _known_plan(desk: Desk, logged: LoggedPlan, began_at: int | None) -> Known:
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
    return Known(history[-1], settings, None if began is None else began.date())


def _plan_history(known: Known) -> PlanHistory:
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


def _figured(desk: Desk, connection: Connection, mine: Sequence[Known], days: Days, hourly: bool) -> Figured:
    """The figures of the shop, its plans and their parts, by the number of the day or hour, to the desk's time."""
    answer = desk.lake.query(connection, subjects(days, hourly), as_of=desk.now)
    counted = pa.concat_tables([_counted(answer, one.plan) for one in mine])
    names = {(About.PLAN, str(one.plan.id)): one.plan.name for one in mine}
    names |= {(About.PLACEMENT, str(place.value)): place.name.lower() for place in Placement}
    last = _number(desk.now, hourly)
    found: Figured = {}
    for (about, id_, within), by_number in _summed(counted, str(mine[0].plan.shop_id)).items():
        subject = Subject(about, id_, names.get((about, id_), ""), within)
        found[subject] = {}
        for number in range(min(by_number), last + 1):
            closed = mature(date_of(number // 24 if hourly else number), desk.now, timezone=days.timezone)
            found[subject][number] = figures_of(by_number.get(number, Sums()), closed)
    return found


def _dated(found: Figured, when: Callable[[int], At]) -> dict[Subject, dict[At, Figures]]:
    return {subject: {when(number): one for number, one in told.items()} for subject, told in found.items()}


def _counted(answer: pa.Table, plan: Plan) -> pa.Table:
    """The rows that count for a plan: of all its orders, or of those that a promotion reached (SPEC 2)."""
    kept = pc.field("plan_id") == plan.id
    if plan.counting is Counting.ATTRIBUTED:
        kept &= pc.field("channel") == Channel.PROMOTED
    return answer.filter(kept)


def _summed(counted: pa.Table, shop_id: str) -> dict[Key, dict[int, Sums]]:
    """The sums of everything that figures are of, by period; what is not known to be of anything (-1) is left out."""
    found: dict[Key, dict[int, Sums]] = {}
    columns = {name: counted[name].to_numpy() for name in NAMES if name in counted.column_names}
    for about, by in GROUPS:
        keys = [counted[name].to_numpy().astype(np.int64) for name in (*by, "period")]
        told, sums = sum_by(keys, columns)
        for *ids, period, row in zip(*(key.tolist() for key in told), _rows(sums), strict=True):
            if -1 not in ids:
                id_ = str(ids[-1]) if ids else shop_id
                found.setdefault((about, id_, str(ids[0]) if len(ids) == 2 else ""), {})[period] = row
    return found


def _rows(sums: Mapping[str, Int64]) -> Iterator[Sums]:
    columns = zip(*(column.tolist() for column in sums.values()), strict=True)
    return (Sums(**dict(zip(sums, row, strict=True))) for row in columns)


def _number(at: datetime, hourly: bool) -> int:
    since = at.replace(tzinfo=None) - EPOCH
    return since // timedelta(hours=1) if hourly else since.days


def _hour(number: int, zone_name: str) -> datetime:
    return (EPOCH + timedelta(hours=number)).replace(tzinfo=zone(zone_name))


def missing_of(shop: ShopHistory, days: Mapping[Subject, Mapping[date, Figures]]) -> frozenset[str]:
    """What is known neither of the shop nor, of figures, on any day of anything."""
    of_shop = {name for name in SHOP if getattr(shop, name) is None}
    known = [told for by_day in days.values() for told in by_day.values()]
    return frozenset(of_shop | {name for name in FIGURED if all(getattr(told, name) is None for told in known)})
