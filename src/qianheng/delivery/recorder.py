"""The recorder: raw orders and refunds as they come in become facts that say whose they are.

Stamped once, on receipt, so that every later sum is a plain sum: the plan whose order it is in the full-domain view
(SPEC 2; the channel says whether it was promoted, which is what `attributed` plans count), the touch that brought it,
the plan's version in force when it was placed, its coupon, fee and commission (estimated on all that was paid; what
settles after refunds is `incentives.settling`'s). Every order owes its fee, whether it is a plan's or nobody's.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qianheng.core.days import DAY
from qianheng.facts.attribution import Touch, Touches
from qianheng.facts.batch import FactBatch, having, packed, unpacked
from qianheng.facts.schema import SCHEMAS, Channel, Kind
from qianheng.incentives.coupons import Basket, Wallet
from qianheng.incentives.terms import Sale, Terms
from qianheng.plans.boost import BoostKind
from qianheng.plans.campaign import StandardCampaign
from qianheng.plans.plan import Counting, Plan, PlanKind, PlanStatus
from qianheng.plans.users import user_share

NO_PLAN = -1
PATIENCE = 3 * DAY  # with a refund whose order has not been told
WIDTHS = {"given": 2, "used": 3, "known": 5}  # of the rows of a wallet's snapshot
Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Term:
    """A plan, or a standard campaign, as it stood from a time on."""

    at: int
    version: int
    plan: Plan | StandardCampaign


class Recorder:
    """Stamps orders and refunds. Knows the plans' terms over time and the touches of the last days."""

    def __init__(self, taken: Terms, touches: Touches | None = None, wallet: Wallet | None = None) -> None:
        """`taken`: what is taken of an order; `wallet`: the coupons given with one, none by default."""
        self.taken, self.touches, self.wallet = taken, touches or Touches(), wallet or Wallet()
        self.terms: dict[int, list[Term]] = {}
        self.plan_of_order: dict[int, tuple[int, int]] = {}  # order id → its time, its plan
        self.boosted: dict[int, tuple[int, int]] = {}  # impression that a boost paid for → its time, kind of boost
        self.waiting = SCHEMAS[Kind.REFUND].empty_table()  # refunds told before their order

    def change(self, at: int, plan: Plan | StandardCampaign, version: int) -> None:
        """A plan is so from `at` on."""
        self.terms.setdefault(plan.id, []).append(Term(at, version, plan))

    def term(self, plan_id: int, at: int) -> Term | None:
        """The plan as it stood at a time; `None` before its beginning."""
        terms = self.terms.get(plan_id, [])
        place = bisect_right([term.at for term in terms], at)
        return terms[place - 1] if place else None

    def stamp(self, raw: FactBatch) -> FactBatch:
        """The same facts, saying whose they are; facts that are not orders or refunds pass as they are."""
        tables = dict(raw.tables)
        if raw[Kind.ORDER].num_rows:
            tables[Kind.ORDER] = self._stamp_orders(raw[Kind.ORDER])
        if raw[Kind.REFUND].num_rows or self.waiting.num_rows:
            tables[Kind.REFUND] = self._stamp_refunds(raw[Kind.REFUND])
        return FactBatch(tables)

    def note_boosts(self, charges: pa.Table) -> None:
        """Remember which impressions a boost paid for: orders that come from them are its own."""
        paid = having(charges, charges["boost"].to_numpy() != BoostKind.NONE)
        columns = (paid[name].to_pylist() for name in ("impression_id", "at", "boost"))
        self.boosted.update({id_: (at, kind) for id_, at, kind in zip(*columns, strict=True)})

    def forget(self, now: int, keep: int) -> None:
        """Drop touches out of their windows, and orders older than `keep` microseconds."""
        self.touches.forget(now)
        self.wallet.forget(now - keep)
        self.boosted = {id_: known for id_, known in self.boosted.items() if known[0] >= now - keep}
        self.plan_of_order = {
            order_id: known for order_id, known in self.plan_of_order.items() if known[0] >= now - keep
        }

    def snapshot(self) -> Arrays:
        """The touches and orders held; the plans' terms come from the change log."""
        orders = [(key, *known) for key, known in self.plan_of_order.items()]
        known = np.array(orders, np.int64).reshape(-1, 3)
        boosted = np.array([(id_, *of) for id_, of in self.boosted.items()], np.int64).reshape(-1, 3)
        coupons = {f"coupons_{name}": _table(rows, name) for name, rows in self.wallet.snapshot().items()}
        held: Arrays = {"orders": known, "boosted": boosted, "waiting": packed(self.waiting), **coupons}
        return {**held, **self.touches.snapshot()}

    def restore(self, state: Arrays) -> None:
        """Go on from a snapshot."""
        self.plan_of_order = {key: (at, plan_id) for key, at, plan_id in state["orders"].tolist()}
        self.boosted = {id_: (at, kind) for id_, at, kind in state["boosted"].tolist()}
        self.waiting = unpacked(state["waiting"])
        self.wallet.restore({name: [tuple(row) for row in state[f"coupons_{name}"].tolist()] for name in WIDTHS})
        self.touches.restore(state)

    def _stamp_orders(self, orders: pa.Table) -> pa.Table:
        rows = [self._stamp(order) for order in orders.to_pylist()]
        self.plan_of_order.update({row["id"]: (row["at"], row["plan_id"]) for row in rows})
        return pa.Table.from_pylist(rows, schema=SCHEMAS[Kind.ORDER])

    def _stamp(self, order: dict[str, int]) -> dict[str, int]:
        touch = self.touches.last(order["user_id"], order["product_id"], order["at"])
        term = self._counts_for(order, touch)
        reached = touch is not None and (term is None or touch.plan_id == term.plan.id)
        stamped = {**order, "channel": self._channel(reached, order["room_id"])}
        if touch and reached:
            _, boost = self.boosted.get(touch.id, (0, BoostKind.NONE))
            stamped |= {"click_id": touch.id, "boost": boost, "touched_at": touch.at}
            stamped |= {"placement": touch.placement, "creative_id": touch.creative_id}
        whose = {"plan_id": NO_PLAN, "target_version": -1}
        if term is not None:
            whose = {"plan_id": term.plan.id, "target_version": term.version}
        return stamped | whose | self._money(stamped, None if term is None else term.plan)

    def _channel(self, reached: bool, room: int) -> Channel:
        """What brought an order: the ad that reached its buyer, else the creator whose room it was made in, if any."""
        if reached:
            return Channel.PROMOTED
        return Channel.CREATOR if self.taken.is_creators(room) else Channel.ORGANIC

    def _money(self, order: dict[str, int], plan: Plan | StandardCampaign | None) -> dict[str, int]:
        """What is taken of an order and what is given with it."""
        amount, at = order["amount"], order["at"]
        promoted = order["channel"] == Channel.PROMOTED
        sale = Sale(order["product_id"], order["room_id"], promoted, at)
        kind = plan.kind if isinstance(plan, Plan) else None
        agreed = Decimal(0) if plan is None else plan.commission_rate
        given = self.wallet.give(Basket(order["id"], order["user_id"], order["product_id"], amount, at))
        return {
            "commission": self.taken.commission(sale, agreed).of(amount),
            "service_fee": self.taken.service_fee(sale, kind).of(amount),
            "coupon_id": given.coupon_id,
            "coupon": given.of_shop,
            "subsidy": given.of_platform,
        }

    def _counts_for(self, order: dict[str, int], touch: Touch | None) -> Term | None:
        """The plan whose order it is: the room's, the one that reached the buyer, or the product's; else none."""
        room = order["room_id"]
        running = [
            term
            for plan_id in self.terms
            if (term := self._running(plan_id, order["at"])) and _is_for(term.plan, order["user_id"])
        ]
        if room >= 0:
            whole = [term for term in running if _counts_all_of(term.plan, room)]
        else:
            whole = [term for term in running if _promotes(term.plan, order["product_id"])]
        if room >= 0 and whole:
            return whole[0]
        if touch is not None:
            return self.term(touch.plan_id, order["at"])
        return whole[0] if whole else None

    def _running(self, plan_id: int, at: int) -> Term | None:
        term = self.term(plan_id, at)
        return term if term and term.plan.status is PlanStatus.ACTIVE else None

    def _stamp_refunds(self, refunds: pa.Table) -> pa.Table:
        """Refunds whose order is known; the others wait for it, though not for ever: then they are no plan's."""
        refunds = pa.concat_tables([self.waiting, refunds])
        orders, told = refunds["order_id"].to_numpy(), refunds["received_at"].to_numpy()
        known = np.array([int(order) in self.plan_of_order for order in orders], bool)
        ready = known | (told < told.max() - PATIENCE)
        self.waiting = refunds.filter(pa.array(~ready))
        refunds = refunds.filter(pa.array(ready))
        plans = [self.plan_of_order.get(int(order), (0, NO_PLAN))[1] for order in orders[ready]]
        column = pa.array(np.array(plans, np.int64))
        return refunds.set_column(refunds.schema.get_field_index("plan_id"), refunds.schema.field("plan_id"), column)


def _table(rows: list[tuple[int, ...]], name: str) -> npt.NDArray[np.int64]:
    return np.array(rows, np.int64).reshape(-1, WIDTHS[name])


def _is_for(plan: Plan | StandardCampaign, user_id: int) -> bool:
    """Whether a user is one of those that a plan is confined to, if it is to any."""
    share = user_share(plan.users) if isinstance(plan, Plan) else None
    return share is None or share.has(user_id)


def _counts_all_of(plan: Plan | StandardCampaign, room: int) -> bool:
    return isinstance(plan, Plan) and room in (plan.room_id, *plan.room_ids) and plan.counting is Counting.ALL


def _promotes(plan: Plan | StandardCampaign, product_id: int) -> bool:
    """Whether all orders of the product are the plan's; a campaign's are only those that it reached."""
    return isinstance(plan, Plan) and plan.kind is not PlanKind.LIVE and product_id in plan.product_ids
