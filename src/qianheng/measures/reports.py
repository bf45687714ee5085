"""What is known of one plan, product, creative, account or room: sums, never ratios, told by a report or by facts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from qianheng.core.money import Micros, ratio
from qianheng.measures.metrics import metrics
from qianheng.measures.sums import NAMES, Sums
from qianheng.plans.plan import Goal

CNY = "CNY"
_ACCOUNT = re.compile(r'account ("(?:[^"\\]|\\.)*"|\S+)\s*')  # in quotation marks where it has spaces
_PLAN = re.compile(r"\bplan ([^,#]+)")


class ReportKind(StrEnum):
    """What the rows of a report are about."""

    PLAN = "plan"
    ACCOUNT = "account"
    PRODUCT = "product"
    CREATIVE = "creative"
    LIVE = "live"
    FINANCE = "finance"


@dataclass(frozen=True, slots=True)
class Figures:
    """The sums of a row or of many. Money in millionths of its currency's unit; `None` where the source does not reach,
    never 0 instead.

    What refunds of seven days leave (`refunded_7d`, `settled_gmv_7d`, `contribution` before spend of what counts) is
    known once those days have closed. `off_air_spend` is what a live plan spent while its room was off air;
    `unpromoted_orders` are those that no promotion reached, whether they count for their plan or not.
    """

    spend: Micros | None = None
    base_spend: Micros | None = None
    boosted_spend: Micros | None = None
    orders: int | None = None
    gmv: Micros | None = None
    net_orders: int | None = None
    net_gmv: Micros | None = None
    refunded_orders_1h: int | None = None
    refunded_1h: Micros | None = None
    settled_gmv_7d: Micros | None = None
    settled_gmv_14d: Micros | None = None
    buyer_paid: Micros | None = None
    coupon: Micros | None = None
    subsidy: Micros | None = None
    impressions: int | None = None
    clicks: int | None = None
    plays: int | None = None
    deposited: Micros | None = None
    transferred_in: Micros | None = None
    transferred_out: Micros | None = None
    balance: Micros | None = None
    credit_balance: Micros | None = None
    cash_balance: Micros | None = None
    compensation: Micros | None = None
    promoted_orders: int | None = None
    promoted_gmv: Micros | None = None
    refunded_7d: Micros | None = None
    commission: Micros | None = None
    service_fee: Micros | None = None
    contribution: Micros | None = None
    off_air_spend: Micros | None = None
    new_buyer_orders: int | None = None
    unpromoted_orders: int | None = None


FIGURES = tuple(entry.name for entry in fields(Figures))
_SAME = tuple(name for name in FIGURES if name in NAMES and name != "refunded_7d")  # as in the sums of facts
MONEY = tuple(name for name in FIGURES if metrics()[name].unit == "money")


def figures_of(sums: Sums, closed: bool = False, **beside: int | None) -> Figures:
    """The sums of facts as figures. closed: the seven days of every order in them are over (`measures.sums.mature`);
    beside: figures that no sum tells.
    """
    same = {name: getattr(sums, name) for name in _SAME}
    settled = {"refunded_7d": sums.refunded_7d, "settled_gmv_7d": sums.gmv - sums.refunded_7d} if closed else {}
    return Figures(**same, **settled, base_spend=sums.spend - sums.boosted_spend, net_gmv=sums.net_gmv, **beside)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One line of a report: what it is about, when, and its sums.

    `first` and `last` bound its natural days (equal for a daily row, both `None` when the report does not say),
    `hour` is set for an hourly row. `entity_id` is "" where the vendor gives only a name; `within` names what else the
    line belongs to (a product's plan). `goal` is what the vendor bid to in those days, `target` and `budget` what it
    was set to, where the report says. `currency` is what its money is in: rows of two are never added. `aside` holds
    the cells that are not calculated with, by the vendor's column.
    """

    kind: ReportKind
    entity_id: str
    name: str
    first: date | None
    last: date | None
    hour: int | None = None
    within: str = ""
    goal: Goal = Goal.NET
    figures: Figures = field(default_factory=Figures)
    aside: tuple[tuple[str, str], ...] = ()
    target: Fraction | None = None
    budget: Micros | None = None
    currency: str = CNY

    @property
    def key(self) -> tuple[object, ...]:
        """What the row tells of: a later row of the same key replaces it."""
        told = (self.kind.value, self.entity_id or f"name:{self.name}", self.within, self.first, self.last, self.hour)
        return told if self.currency == CNY else (*told, self.currency)

    @property
    def account(self) -> str:
        """The ad account it belongs to; "" where nothing says so."""
        found = _ACCOUNT.match(self.within)
        if not found:
            return ""
        name = found.group(1)
        return str(json.loads(name)) if name.startswith('"') else name

    @property
    def told(self) -> tuple[object, ...]:
        """What it tells of, whatever its account; with its figures where it has no id, for a name is no proof."""
        whole = replace(self, within=_ACCOUNT.sub("", self.within, count=1)).key
        return whole if self.entity_id else (*whole, self.figures)

    @property
    def of_plan(self) -> str:
        """The plan it is a part of; "" where nothing says so."""
        found = _PLAN.search(_ACCOUNT.sub("", self.within, count=1))
        return found.group(1).strip() if found else ""


def of_account(name: str) -> str:
    """What `ReportRow.within` says first of a row of an ad account; "" of none."""
    if not name:
        return ""
    plain = not name.startswith('"') and not re.search(r"\s", name)
    return f"account {name if plain else json.dumps(name, ensure_ascii=False)}"


def with_ids(rows: Iterable[ReportRow]) -> dict[tuple[str, str], str]:
    """The ids of accounts (抖音号) by where they belong and their name, where one alone has that name there: another
    report may know the same account by its name only.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if row.kind is ReportKind.ACCOUNT and row.entity_id and row.name:
            found.setdefault((row.within, row.name), set()).add(row.entity_id)
    return {named: ids.pop() for named, ids in found.items() if len(ids) == 1}


def told_for_accounts(rows: Iterable[ReportRow]) -> set[tuple[object, ...]]:
    """What rows of accounts tell of (`ReportRow.told`): rows of no account tell it again, say of an export imported
    beside what was synced. Rows without a day are not among them, for nobody knows of which days they tell.
    """
    return {row.told for row in rows if row.account and row.first}


def add(rows: Iterable[Figures]) -> Figures:
    """The sums of many rows: of each figure those that are known; `None` when no row knows it."""
    totals: dict[str, int] = {}
    for row in rows:
        for name in FIGURES:
            value = getattr(row, name)
            if value is not None:
                totals[name] = totals.get(name, 0) + value
    return Figures(**totals)


def ratio_of(rows: Iterable[Figures], numerator: str, denominator: str) -> Fraction | None:
    """One ratio of sums over the rows that know both figures (SPEC 3.1); `None` when none does or nothing divides."""
    above = below = 0
    for row in rows:
        over, under = getattr(row, numerator), getattr(row, denominator)
        if over is not None and under is not None:
            above, below = above + over, below + under
    return ratio(above, below)


_COUNTS_FIRST = (ReportKind.PLAN, ReportKind.ACCOUNT, ReportKind.PRODUCT, ReportKind.CREATIVE, ReportKind.LIVE)
Span = tuple[date, date]


def counted_once(rows: Iterable[ReportRow]) -> tuple[list[ReportRow], list[tuple[ReportKind, Span]]]:
    """The rows that together count each day's spend once, and the (kind, period)s left out for it.

    Plans, products and creatives tell of the same spend: each day is taken from the first kind that has it, in the
    order plan, account, product, creative, live. A longer period gives way to days that fill it, hours to their day.
    Rows without a day are never counted.
    """
    groups: dict[tuple[ReportKind, Span, bool], list[ReportRow]] = {}
    for row in rows:
        if row.first and row.last and row.kind in _COUNTS_FIRST:
            groups.setdefault((row.kind, (row.first, row.last), row.hour is not None), []).append(row)
    taken: set[date] = set()
    kept: list[ReportRow] = []
    left_out = []
    for kind, span, hourly in sorted(groups, key=lambda group: _rank(group, groups.keys())):
        days = set(days_of(span))
        if taken & days:
            left_out.append((kind, span))
            continue
        taken |= days
        kept.extend(groups[kind, span, hourly])
    return kept, left_out


def days_of(span: Span) -> list[date]:
    """The days of a period, both ends included."""
    return [span[0] + timedelta(days=i) for i in range((span[1] - span[0]).days + 1)]


def _rank(group: tuple[ReportKind, Span, bool], groups: Iterable[tuple[ReportKind, Span, bool]]) -> tuple[object, ...]:
    kind, span, hourly = group
    shorter = {day for other, (first, last), _ in groups if other is kind and first == last != span for day in (first,)}
    filled = span[0] != span[1] and shorter >= set(days_of(span))
    return _COUNTS_FIRST.index(kind), filled, -(span[1] - span[0]).days, hourly, span


@dataclass(frozen=True, slots=True)
class Summary:
    """The sums of some rows and the ratios taken once from them, each over the rows that know both sides."""

    figures: Figures
    payment_roi: Fraction | None
    net_roi: Fraction | None
    settled_roi: Fraction | None
    refund_rate_1h: Fraction | None
    net_rate_1h: Fraction | None

    @property
    def roi(self) -> Fraction | None:
        """The ROI that tells most of those that are known soon: net ROI, else payment ROI."""
        return self.net_roi if self.net_roi is not None else self.payment_roi


RATIOS = tuple(entry.name for entry in fields(Summary) if entry.name != "figures")


def summary(rows: Iterable[ReportRow]) -> Summary:
    """Sum rows and take the ratios."""
    return summed(row.figures for row in rows)


def summed(figures: Iterable[Figures]) -> Summary:
    """Sum figures and take the ratios (SPEC 1, 3.1, 3.2); settled means within 7 days."""
    known = list(figures)
    return Summary(
        figures=add(known),
        **{name: ratio_of(known, *metrics()[name].over, *metrics()[name].under) for name in RATIOS},
    )


def preferred_undated(rows: Iterable[ReportRow]) -> list[ReportRow]:
    """The rows without a day of the first kind that has any, so that one spend is not counted under several kinds."""
    undated = [row for row in rows if row.first is None and row.kind in _COUNTS_FIRST]
    first = min((_COUNTS_FIRST.index(row.kind) for row in undated), default=None)
    return [row for row in undated if _COUNTS_FIRST.index(row.kind) == first]
