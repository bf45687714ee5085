"""The guarantee audit of imported months (SPEC 13.2): what every plan's day was due, beside what was credited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from sqlalchemy import Connection, Engine

from qianheng.actions.policies import policies
from qianheng.actions.shop import OwnShop, own_shop, plans_said
from qianheng.core.days import SHANGHAI, day_of, microseconds, moment
from qianheng.core.errors import NotFound
from qianheng.core.money import Micros
from qianheng.guarantee.audit import Audited, Evidence, Settings, State, audit, days_told, settings_of
from qianheng.guarantee.case import Order, Refund, Unit
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.shelf import Shelf
from qianheng.measures.history import Setting
from qianheng.measures.reports import ReportKind, ReportRow
from qianheng.measures.shop_orders import ShopOrder, ShopRefund
from qianheng.plans.entries import LogEntry
from qianheng.plans.plan import BidMode, PlanKind
from qianheng.store import records, reports
from qianheng.store.database import reading

POLICY_OF = {PlanKind.PRODUCT: "qianchuan-product", PlanKind.LIVE: "qianchuan-live", PlanKind.SUPER: "none"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days of which plan are audited, under which policy (default: the owner's word, else by the plan's kind)."""

    now: datetime
    first: date | None = None
    last: date | None = None
    plan_id: str = ""
    policy: str = ""
    timezone: str = SHANGHAI


@dataclass(frozen=True, slots=True)
class AuditedDay:
    """A plan's day with its policy, its name, and whose word its target is: "change_log", "owner" or `None`."""

    name: str
    policy: Policy
    target_from: str | None
    audited: Audited


@dataclass(frozen=True, slots=True)
class Audit:
    """All days asked for; `credited` is what compensation reports tell of, by day, `None` where no statement does."""

    days: tuple[AuditedDay, ...]
    credited: tuple[tuple[date, Micros], ...] | None

    @property
    def due(self) -> tuple[Micros, Micros]:
        """What is due at least and at most, for the days that are final."""
        final = [one.audited for one in self.days if one.audited.verdict and one.audited.verdict.final]
        return sum(one.least or 0 for one in final), sum(one.most or 0 for one in final)

    @property
    def difference(self) -> tuple[Micros, Micros] | None:
        """What is due beyond what was credited, at least and at most; `None` where no statement was imported."""
        if self.credited is None:
            return None
        paid = sum(amount for _, amount in self.credited)
        return self.due[0] - paid, self.due[1] - paid


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything imported that an audit asks for."""

    rows: Mapping[tuple[str, date], ReportRow]
    orders: Mapping[tuple[str, date], list[Order]]
    told: Mapping[str, list[tuple[date, date]]]
    entries: Mapping[str, list[LogEntry]]
    said: OwnShop
    columns: frozenset[str]


def audit_reports(engine: Engine, asked: Asked) -> Audit:
    """Audit what was imported. No daily rows of plans, no log and no orders at all: NotFound. An unknown policy:
    BadInput."""
    with reading(engine) as connection:
        stored = [one.row for one in reports.load(connection)]
        known = _known(connection, stored, asked)
    units = sorted({*known.rows, *known.orders}, key=lambda one: (one[1], one[0]))
    wanted = [one for one in units if _wanted(one, asked)]
    if not wanted:
        raise NotFound("audit.nothing")
    shelf, settings = policies(), {plan: _settings(known, plan, asked) for plan, _ in wanted}
    days = tuple(_audited(known, one, settings[one[0]], (asked, shelf)) for one in wanted)
    return Audit(days, _credited(stored, asked))


def _wanted(unit: tuple[str, date], asked: Asked) -> bool:
    plan, day = unit
    inside = (asked.first is None or day >= asked.first) and (asked.last is None or day <= asked.last)
    return inside and asked.plan_id in ("", plan)


def _known(connection: Connection, stored: Sequence[ReportRow], asked: Asked) -> _Known:
    daily = [row for row in stored if row.first is not None and row.first == row.last and row.hour is None]
    entries = defaultdict[str, list[LogEntry]](list)
    for entry in records.load(connection, LogEntry):
        entries[entry.plan_id].append(entry)
    bought = records.load(connection, ShopOrder)
    told = {kind: records.told_days(connection, kind) for kind in ("orders", "refunds", "change_log")}
    rows = {(row.entity_id, row.first): row for row in daily if row.kind is ReportKind.PLAN and row.first}
    return _Known(
        rows=rows,
        orders=_orders(bought, records.load(connection, ShopRefund), _owners(daily), asked.timezone),
        told=told,
        entries=entries,
        said=own_shop(),
        columns=frozenset(
            name for name in ("boost", "abnormal") if bought and all(getattr(one, name) is not None for one in bought)
        ),
    )


def _owners(rows: Sequence[ReportRow]) -> dict[str, set[str]]:
    """The plans of each product, by the product reports that name a plan."""
    owners = defaultdict[str, set[str]](set)
    for row in rows:
        if row.kind is ReportKind.PRODUCT and row.of_plan:
            owners[row.entity_id].add(row.of_plan)
    return owners


def _orders(
    bought: Sequence[ShopOrder], given_back: Sequence[ShopRefund], owners: Mapping[str, set[str]], timezone: str
) -> dict[tuple[str, date], list[Order]]:
    """Orders by plan and day: of the plan they name or, where the file has no such column, of the only plan that
    promotes their product, outside live rooms (千川 counts all orders of promoted products)."""
    refunds = defaultdict[str, list[Refund]](list)
    for one_back in given_back:
        refunds[one_back.item_id].append(Refund(one_back.refund_id, one_back.at, one_back.gmv))
    found = defaultdict[tuple[str, date], list[Order]](list)
    for one in bought:
        plans = owners.get(one.product_id, set()) if one.plan_id is None and not one.in_room else {one.plan_id or ""}
        if len(plans) == 1 and (plan := next(iter(plans))):
            back = tuple(refunds[one.item_id])
            order = Order(one.item_id, one.at, one.gmv, one.boost or None, bool(one.abnormal), back)
            found[plan, day_of(moment(one.at), timezone)].append(order)
    return found


def _settings(known: _Known, plan: str, asked: Asked) -> Settings:
    said = plans_said(known.said, asked.timezone).get(plan)
    stated = [(microseconds(one.at), _state(one)) for one in (said.settings if said else ())]
    return settings_of(known.entries.get(plan, []), stated)


def _state(said: Setting) -> State:
    target = None if said.target is None else Fraction(said.target)
    return State(said.goal, target, said.bid_mode, said.status)


def _audited(known: _Known, of: tuple[str, date], settings: Settings, how: tuple[Asked, Shelf]) -> AuditedDay:
    (plan, day), (asked, shelf) = of, how
    said = known.said.plans.get(plan)
    kind = PlanKind(said.kind) if said else PlanKind.PRODUCT
    name = asked.policy or (said.policy if said and said.policy else POLICY_OF[kind])
    policy = shelf.in_force(name, day)
    unit = Unit(plan, day, kind, BidMode.TARGET_ROI, asked.timezone, known.said.commission_rate)
    row = known.rows.get(of)
    orders = known.orders.get(of)
    has_orders = orders is not None or days_told(known.told["orders"], day)
    evidence = Evidence(
        row=row.figures if row else None,
        settings=settings,
        orders=tuple(orders or ()) if has_orders else None,
        refunds_known=days_told(known.told["refunds"], day),
        boosts_known="boost" in known.columns,
        abnormal_known="abnormal" in known.columns,
        logged_that_day=days_told(known.told["change_log"], day),
    )
    found = audit(policy, unit, evidence, microseconds(asked.now))
    source = None if not settings.log.targets else "change_log" if settings.logged else "owner"
    return AuditedDay(row.name if row else plan, policy, source, found)


def _credited(rows: Sequence[ReportRow], asked: Asked) -> tuple[tuple[date, Micros], ...] | None:
    """What compensation was credited by day. A statement that tells none is one that tells of nothing else either."""
    statements = [row for row in rows if row.kind is ReportKind.FINANCE and row.first]
    if not statements:
        return None
    by_day = defaultdict[date, Micros](int)
    for row in statements:
        if row.first and row.figures.compensation:
            by_day[row.first] += row.figures.compensation
    return tuple(sorted(by_day.items()))
