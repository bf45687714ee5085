"""The guarantee audit of imported months (SPEC 13.2): what every plan's day was due, beside what was credited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from sqlalchemy import Connection, Engine

from qianheng.actions.policies import policies
from qianheng.actions.report_histories import said_or_told
from qianheng.actions.shop import OwnShop, own_shop, plans_said
from qianheng.actions.syncing import LAYOUT
from qianheng.actions.vendor_plans import plans_told
from qianheng.core.days import SHANGHAI, day_of, microseconds, moment
from qianheng.core.errors import NotFound
from qianheng.core.money import Micros
from qianheng.guarantee.audit import Audited, Evidence, Settings, State, audit, days_told, settings_of
from qianheng.guarantee.case import Order, Refund, Unit
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.shelf import Shelf
from qianheng.measures.history import PlanHistory, Setting
from qianheng.measures.reports import Figures, ReportKind, ReportRow
from qianheng.measures.shop_orders import ShopOrder, ShopRefund
from qianheng.plans.entries import LogEntry
from qianheng.plans.plan import BidMode, PlanKind
from qianheng.store import records, reports
from qianheng.store.database import reading
from qianheng.store.reports import StoredRow

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
    """A plan's day with its policy, its name, and whose word its target is: "change_log", "owner", "account" (as it was
    read through the vendor's API) or `None`; row: what its report tells of the day, if any does."""

    name: str
    policy: Policy
    target_from: str | None
    audited: Audited
    row: Figures | None = None


@dataclass(frozen=True, slots=True)
class Apart:
    """Units of their own that nothing imported suffices to judge: "boost" or "week" (of maximum delivery); on how many
    plan-days, and what was spent on them, micro-yuan, as far as known.
    """

    unit: str
    days: int
    spend: Micros


@dataclass(frozen=True, slots=True)
class Audit:
    """All days asked for; `credited` is what compensation reports tell of, by day, `None` where no statement does;
    `whole`: nothing that was imported is left out of the days.
    """

    days: tuple[AuditedDay, ...]
    credited: tuple[tuple[date, Micros], ...] | None
    whole: bool = True

    @property
    def due(self) -> tuple[Micros, Micros]:
        """What is due at least and at most, for the days that are final."""
        final = [one.audited for one in self.days if one.audited.verdict and one.audited.verdict.final]
        return sum(one.least or 0 for one in final), sum(one.most or 0 for one in final)

    @property
    def difference(self) -> tuple[Micros, Micros] | None:
        """What is due beyond what was credited, at least and at most; `None` where no statement was imported, and of a
        part of the days: a statement does not say which plan and day it pays for.
        """
        if self.credited is None or not self.whole:
            return None
        paid = sum(amount for _, amount in self.credited)
        return self.due[0] - paid, self.due[1] - paid

    @property
    def apart(self) -> tuple[Apart, ...]:
        """What is not judged here, of the days asked for."""
        told = [(one.row, one.audited.unit.bid_mode) for one in self.days if one.row]
        boosts = [row.boosted_spend for row, _ in told if row.boosted_spend]
        weeks = [row.spend or 0 for row, mode in told if mode is BidMode.MAX_DELIVERY]
        found = (Apart(unit, len(spent), sum(spent)) for unit, spent in (("boost", boosts), ("week", weeks)))
        return tuple(one for one in found if one.days)

    def status_of(self, one: AuditedDay) -> str | None:
        """Where a day stands: its verdict's status; of one that something is due for and that is final "compensated"
        where all that is due was credited, else "due"; `None` where it cannot be judged.
        """
        verdict = one.audited.verdict
        if verdict is None:
            return None
        if not (verdict.final and one.audited.most):
            return str(verdict.status)
        return "compensated" if self.difference is not None and self.difference[1] <= 0 else "due"


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything imported that an audit asks for."""

    rows: Mapping[tuple[str, date], StoredRow]
    orders: Mapping[tuple[str, date], list[Order]]
    told: Mapping[str, list[tuple[date, date]]]
    entries: Mapping[str, list[LogEntry]]
    said: OwnShop
    plans: Mapping[str, PlanHistory]
    columns: frozenset[str]

    def word(self, plan: str, settings: Settings) -> str | None:
        """Whose word a plan's target is."""
        if not settings.log.targets:
            return None
        if settings.logged:
            return "change_log"
        said = self.said.plans.get(plan)
        return "owner" if said and said.settings else "account"


def audit_reports(engine: Engine, asked: Asked) -> Audit:
    """Audit what was imported. No daily rows of plans, no log and no orders at all: NotFound. An unknown policy:
    BadInput."""
    with reading(engine) as connection:
        loaded = reports.load(connection)
        known = _known(connection, loaded, asked)
    units = sorted({*known.rows, *known.orders}, key=lambda one: (one[1], one[0]))
    wanted = [one for one in units if _wanted(one, asked)]
    if not wanted:
        raise NotFound("audit.nothing")
    shelf, settings = policies(), {plan: _settings(known, plan) for plan, _ in wanted}
    days = tuple(_audited(known, one, settings[one[0]], (asked, shelf)) for one in wanted)
    return Audit(days, _credited([one.row for one in loaded if one.layout != LAYOUT]), wanted == units)


def _wanted(unit: tuple[str, date], asked: Asked) -> bool:
    plan, day = unit
    inside = (asked.first is None or day >= asked.first) and (asked.last is None or day <= asked.last)
    return inside and asked.plan_id in ("", plan)


def _known(connection: Connection, stored: Sequence[StoredRow], asked: Asked) -> _Known:
    daily = [one for one in stored if one.row.first and one.row.first == one.row.last and one.row.hour is None]
    entries = defaultdict[str, list[LogEntry]](list)
    for entry in records.load(connection, LogEntry):
        entries[entry.plan_id].append(entry)
    bought = records.load(connection, ShopOrder)
    told = {kind: records.told_days(connection, kind) for kind in ("orders", "refunds", "change_log")}
    said = own_shop()
    rows = {
        (one.row.entity_id, one.row.first): one for one in daily if one.row.kind is ReportKind.PLAN and one.row.first
    }
    return _Known(
        rows=rows,
        orders=_orders(
            bought, records.load(connection, ShopRefund), _owners([one.row for one in daily]), asked.timezone
        ),
        told=told,
        entries=entries,
        said=said,
        plans=said_or_told(plans_said(said, asked.timezone), plans_told(connection)),
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


def _settings(known: _Known, plan: str) -> Settings:
    of_plan = known.plans.get(plan)
    stated = [(microseconds(one.at), _state(one)) for one in (of_plan.settings if of_plan else ())]
    return settings_of(known.entries.get(plan, []), stated)


def _state(said: Setting) -> State:
    target = None if said.target is None else Fraction(said.target)
    return State(said.goal, target, said.bid_mode, said.status)


def _audited(known: _Known, of: tuple[str, date], settings: Settings, how: tuple[Asked, Shelf]) -> AuditedDay:
    (plan, day), (asked, shelf) = of, how
    of_plan = known.plans.get(plan)
    kind = of_plan.kind if of_plan else PlanKind.PRODUCT
    name = asked.policy or (of_plan and of_plan.policy) or POLICY_OF[kind]
    policy = shelf.in_force(name, day)
    unit = Unit(plan, day, kind, BidMode.TARGET_ROI, asked.timezone, known.said.commission_rate)
    told = known.rows.get(of)
    orders = known.orders.get(of)
    has_orders = orders is not None or days_told(known.told["orders"], day)
    evidence = Evidence(
        row=told.row.figures if told else None,
        settings=settings,
        orders=tuple(orders or ()) if has_orders else None,
        refunds_known=days_told(known.told["refunds"], day),
        boosts_known="boost" in known.columns,
        boost_spend_known=told is None or told.layout != LAYOUT,
        abnormal_known="abnormal" in known.columns,
        logged_that_day=days_told(known.told["change_log"], day),
    )
    found = audit(policy, unit, evidence, microseconds(asked.now))
    word, row = known.word(plan, settings), told.row.figures if told else None
    return AuditedDay(told.row.name if told else plan, policy, word, found, row)


def _credited(rows: Sequence[ReportRow]) -> tuple[tuple[date, Micros], ...] | None:
    """What compensation was credited by day. A statement that tells none is one that tells of nothing else either; an
    account's days of money as the API tells them are no such statement.
    """
    statements = [row for row in rows if row.kind is ReportKind.FINANCE and row.first]
    if not statements:
        return None
    by_day = defaultdict[date, Micros](int)
    for row in statements:
        if row.first and row.figures.compensation:
            by_day[row.first] += row.figures.compensation
    return tuple(sorted(by_day.items()))
