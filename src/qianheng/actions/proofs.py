"""A yuan down to its facts: what a figure of a plan's day, or a transfer of the ledger, follows from (SPEC 3.6).

The top of each tree is what the sums or the ledger say; its leaves are single facts; between them nothing is lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from typing import Any, NamedTuple

from sqlalchemy import Connection

from qianheng.actions.cases import Asked
from qianheng.actions.traces import Traces
from qianheng.core.days import REFUND_WINDOW_1H, REFUND_WINDOW_7D, REFUND_WINDOW_14D, moment
from qianheng.core.errors import BadInput, Damaged, NotFound
from qianheng.core.money import Micros
from qianheng.core.proof import Part
from qianheng.facts.schema import Channel, Kind
from qianheng.ledger.transfers import Transfer
from qianheng.measures.query import plan_day, sums_of
from qianheng.measures.sums import Sums
from qianheng.plans.boost import BoostKind
from qianheng.store import plans
from qianheng.store.lake import Lake

CHARGED = ("spend", "boosted_spend")
STAMPED = ("coupon", "subsidy", "commission", "service_fee")
UNKNOWN_ORDER = "order_not_known"
_ONE_DAY = timedelta(days=1)
_NO_TERMS: dict[str, Any] = {"goal": None, "target": None}


@dataclass(frozen=True, slots=True)
class _Rule:
    """How an order counts in a figure: what it paid (+1 or not at all), its refunds within a window (±1)."""

    paid: int
    refunds: int
    window: int = 0


RULES = {
    "gmv": _Rule(1, 0),
    "net_gmv": _Rule(1, -1, REFUND_WINDOW_1H),
    "settled_gmv_7d": _Rule(1, -1, REFUND_WINDOW_7D),
    "settled_gmv_14d": _Rule(1, -1, REFUND_WINDOW_14D),
    "refunded_1h": _Rule(0, 1, REFUND_WINDOW_1H),
    "refunded_7d": _Rule(0, 1, REFUND_WINDOW_7D),
    "refunded_14d": _Rule(0, 1, REFUND_WINDOW_14D),
}
FIGURES = (*CHARGED, *RULES, *STAMPED)
"""The figures of a plan's day that can be followed down to their facts; `compensation` beside them."""


def figure_proof(asked: Asked, figure: str) -> Part:
    """A figure of a plan's day: its sum, by channel (charges: by boost) and version of the plan, down to the facts.

    Any other figure: BadInput, which names those there are.
    """
    if figure not in FIGURES:
        raise BadInput(
            "proof.fault.no_figure", place="--figure", value=figure, known=", ".join((*FIGURES, "compensation"))
        )
    sums = sums_of(asked.lake.query(asked.connection, plan_day(asked.days), as_of=asked.now))
    found = sums.get((asked.plan_id, asked.days.first), Sums())
    told = {"plan_id": str(asked.plan_id), "day": asked.days.first.isoformat()}
    told |= {"known_at": asked.now.isoformat()}
    traces = Traces(asked)
    if figure in CHARGED:
        kind = "spend_of_plan" if figure == "spend" else figure
        return Part(kind, getattr(found, figure), told, below=lambda: _charged(asked, traces, figure))
    return Part(figure, _sum(found, figure), told, below=lambda: _ordered(asked, traces, figure))


def _sum(found: Sums, figure: str) -> Micros:
    if figure.startswith("settled_gmv"):
        return found.gmv - _sum(found, figure.replace("settled_gmv", "refunded"))
    amount: Micros = getattr(found, figure)
    return amount


def _charged(asked: Asked, traces: Traces, figure: str) -> Iterator[Part]:
    """Charges by the boost that drove them, or none, and the version of the plan."""
    condition = "f.boost <> 0" if figure == "boosted_spend" else "TRUE"
    columns = "f.id, f.at, f.amount, f.boost, f.target_version"
    groups = defaultdict[tuple[str, int], list[Part]](list)
    for key, at, amount, boost, version in asked.facts(columns, Kind.CHARGE, condition):
        groups[_boost(boost), version].append(charge_part(traces, key, at, amount))
    return _grouped(asked, "boost", groups)


def charge_part(traces: Traces, key: int, at: int, amount: Micros) -> Part:
    """A charge, and the look it was made for."""
    told = {"id": str(key), "at": clock(traces.asked, at)}
    return Part("charge", amount, told, 1, f"charge {key}", lambda: traces.behind("charge", str(key)))


class _Order(NamedTuple):
    id: int
    at: int
    amount: Micros
    channel: int
    version: int
    stamped: Micros


def _ordered(asked: Asked, traces: Traces, figure: str) -> Iterator[Part]:
    """Orders by what brought them and the version of the plan; refunds of orders not known yet stand by themselves."""
    stamped = figure if figure in STAMPED else "amount"
    columns = f"f.id, f.at, f.amount, f.channel, f.target_version, f.{stamped}"
    refunds = _refunds(asked)
    groups = defaultdict[tuple[str, int], list[Part]](list)
    for row in asked.facts(columns, Kind.ORDER):
        order = _Order(*row)
        of_order = refunds.pop(order.id, [])
        key = Channel(order.channel).name.lower(), order.version
        groups[key].append(_order(asked, traces, figure, order, of_order))
    if rule := RULES.get(figure):
        lost = [_refund(asked, rule, one, rule.refunds) for found in refunds.values() for one in found]
        counted = [part for part in lost if part.factor]
        if counted:
            groups[UNKNOWN_ORDER, -1] = counted
    return _grouped(asked, "channel", groups)


def _refunds(asked: Asked) -> dict[int, list[tuple[int, int, int, Micros]]]:
    """The refunds of the orders of these days, by order."""
    found = defaultdict[int, list[tuple[int, int, int, Micros]]](list)
    columns = "f.id, f.at, f.order_id, f.order_at, f.amount"
    for key, at, order_id, order_at, amount in asked.facts(columns, Kind.REFUND, at="f.order_at"):
        found[order_id].append((key, at, order_at, amount))
    return found


def _order(
    asked: Asked, traces: Traces, figure: str, order: _Order, refunds: list[tuple[int, int, int, Micros]]
) -> Part:
    told: dict[str, Any] = {"id": str(order.id), "at": clock(asked, order.at)}

    def behind() -> Iterable[Part]:
        return traces.behind("order", str(order.id))

    if (rule := RULES.get(figure)) is None:
        return Part("order", order.stamped, told, 1, f"order {order.id}", behind)
    parts = [_refund(asked, rule, one, rule.refunds) for one in refunds]
    paid = Part("paid", order.amount, factor=rule.paid, fact=f"order {order.id}")
    amount = paid.counts + sum(part.counts for part in parts)
    return Part("order", amount, told, below=lambda: [paid, *parts, *behind()])


def _refund(asked: Asked, rule: _Rule, refund: tuple[int, int, int, Micros], sign: int) -> Part:
    key, at, order_at, amount = refund
    within = sign != 0 and at - order_at <= rule.window
    told = {"id": str(key), "at": clock(asked, at)}
    return Part("refund", amount, told, sign if within else 0, f"refund {key}")


def _grouped(asked: Asked, by: str, groups: dict[tuple[str, int], list[Part]]) -> Iterator[Part]:
    """Parts under what they have in common: first `by`, then the version of the plan that was in force."""
    outer = defaultdict[str, list[Part]](list)
    terms = list(_terms(asked))
    for (name, version), held in sorted(groups.items()):
        amount = sum(part.counts for part in held)
        told = {"version": version, "count": len(held)} | (terms[version] if version >= 0 else _NO_TERMS)
        outer[name].append(_holding("version", amount, told, held))
    for name, held in outer.items():
        yield _holding(by, sum(part.amount for part in held), {by: name}, held)


def _terms(asked: Asked) -> Iterator[dict[str, Any]]:
    """Goal and target of every version of the plan."""
    for plan in plans.history(asked.connection, asked.plan_id):
        yield {"goal": plan.goal, "target": None if plan.target is None else f"{plan.target:f}"}


def _holding(kind: str, amount: Any, told: dict[str, Any], held: list[Part]) -> Part:
    return Part(kind, amount, told, below=lambda: held)


def _boost(kind: int) -> str:
    return BoostKind(kind).name.lower()


def clock(asked: Asked, at: int) -> str:
    """A time (UTC microseconds) as told in the zone of the days asked for."""
    return moment(at, asked.days.timezone).isoformat()


class Books(NamedTuple):
    """Where transfers and facts are read, and the zone in which the run's days are."""

    connection: Connection
    lake: Lake
    zone: tzinfo | None

    @property
    def timezone(self) -> str:
        """The zone by its name."""
        return str(self.zone)


def zone_of(books: Books, plan_id: int) -> str:
    """The zone of a plan's days; the run's for a standard campaign, which is kept nowhere."""
    try:
        return plans.load(books.connection, plan_id).plan.timezone
    except NotFound:
        return books.timezone


def found_by_key(books: Books, found: Transfer, kind: Kind, key: Callable[[int, date], int]) -> tuple[int, date]:
    """The plan and the day of facts of a kind that a transfer refers to by a `key` made of both.

    None such: Damaged, for then the facts that it follows from are gone.
    """
    first = books.lake.query(
        books.connection, f"SELECT f.plan_id, MIN(f.at) AS at FROM {kind}s AS f GROUP BY f.plan_id"
    )
    last = found.as_told.at.date() + _ONE_DAY
    for one in first.to_pylist():
        day, since = last, moment(one["at"]).date() - _ONE_DAY
        while day >= since:
            if key(one["plan_id"], day) == found.reference:
                return one["plan_id"], day
            day -= _ONE_DAY
    raise Damaged("proof.fault.facts_gone", place=f"transfer {found.id}")
