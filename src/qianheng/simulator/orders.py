"""Orders and their refunds: what a decision to buy turns into, and the book of what has not been told yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qianheng.core.days import MINUTE
from qianheng.core.money import FEN
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import Channel, Kind
from qianheng.plans.boost import BoostKind
from qianheng.simulator.buyers import Catalogue, Population
from qianheng.simulator.draws import Bool, Int64, Real, UInt64, Whole, another, positive_ids, scramble, uniform
from qianheng.simulator.faults import Faults
from qianheng.simulator.habits import Delay
from qianheng.simulator.scenario import Scenario

# Which further number of an order's own bits decides what.
_ITEMS, _DISCOUNT, _TOLD, _REFUND, _REFUND_AFTER, _PARTIAL, _PART, _REFUND_TOLD, _AFTER, _LOST = range(10)
_NOBODY = -1

ORDER_COLUMNS = ("received_at", "id", "at", "product_id", "user_id", "placement", "audience", "room_id", "amount")
# Attribution and stamping are not the market's: it tells every order as unpromoted and free of fees.
_UNSTAMPED: dict[str, Any] = {
    "plan_id": -1,
    "click_id": -1,
    "touched_at": -1,
    "creative_id": -1,
    "channel": Channel.ORGANIC,
    "boost": BoostKind.NONE,
    "target_version": -1,
    "coupon": 0,
    "subsidy": 0,
    "commission": 0,
    "service_fee": 0,
    "coupon_id": -1,
}
REFUND_COLUMNS = ("received_at", "id", "at", "order_id", "order_at", "amount")


@dataclass(frozen=True, slots=True)
class Purchases:
    """Decisions to buy, before amounts, refunds and reporting are drawn from their own bits."""

    bits: UInt64
    at: Int64
    user: Whole
    product: Whole  # index in the catalogue
    placement: Whole
    room_id: Int64

    def ids(self) -> Int64:
        """The ids of the orders these become."""
        return positive_ids(self.bits)


class Till:
    """Turns purchases into rows of orders and refunds."""

    def __init__(self, scenario: Scenario, catalogue: Catalogue, population: Population, faults: Faults) -> None:
        self._catalogue, self._population, self._faults = catalogue, population, faults
        self._delays, self._refunds, self._buyers = scenario.delays, scenario.refunds, scenario.buyers

    def mean_amount(self) -> Real:
        """What an order of each product is expected to be, micro-yuan, shape [products]."""
        return self._catalogue.price * (1 + self._buyers.two_items) * (1 - self._buyers.discount / 2)

    def mean_part(self) -> float:
        """The share of its amount that a refunded order is expected to give back."""
        kept = 1 - (self._refunds.partial_from + self._refunds.partial_to) / 2
        return 1 - self._refunds.partial * kept

    def delays(self, bits: UInt64, prompt: Bool) -> Int64:
        """How long after the click an order comes, in microseconds."""
        drawn = another(bits, _AFTER)
        return np.where(prompt, delay(self._delays.prompt_order, drawn), delay(self._delays.order, drawn))

    def ring(self, bought: Purchases) -> tuple[Int64, Int64]:
        """Rows of orders and of refunds, in the columns named above."""
        amounts = self._amounts(bought)
        received = bought.at + delay(self._delays.report, another(bought.bits, _TOLD))
        lost = bought.product, bought.at, another(bought.bits, _LOST)
        received = np.maximum(received, self._faults.told_after(*lost))
        audience = self._population.audience[bought.user]
        orders = np.stack(
            [
                received,
                bought.ids(),
                bought.at,
                self._catalogue.id[bought.product],
                np.where(self._faults.unnamed(*lost), _NOBODY, bought.user),
                bought.placement,
                audience,
                bought.room_id,
                amounts,
            ],
            axis=1,
        )
        return orders.astype(np.int64), self._refund_rows(bought, amounts, received)

    def _amounts(self, bought: Purchases) -> Int64:
        items = 1 + (another(bought.bits, _ITEMS) < self._buyers.two_items)
        paid = 1 - self._buyers.discount * another(bought.bits, _DISCOUNT)
        paid = paid * self._faults.price(bought.product, bought.at)
        return np.rint(self._catalogue.price[bought.product] * items * paid / FEN).astype(np.int64) * FEN

    def _refund_rows(self, bought: Purchases, amounts: Int64, order_received: Int64) -> Int64:
        """A refund is never told before its order."""
        after = self._refund_delays(bought)
        back = np.where(another(bought.bits, _PARTIAL) < self._refunds.partial, self._parts(bought), 1.0)
        refunded = np.maximum(np.rint(amounts * back / FEN).astype(np.int64), 1) * FEN
        at = bought.at + after
        received = at + delay(self._delays.report, another(bought.bits, _REFUND_TOLD))
        received = np.maximum(received, order_received)
        ids = positive_ids(scramble(bought.bits ^ np.uint64(0x5EED)))
        rows = np.stack([received, ids, at, bought.ids(), bought.at, refunded], axis=1)
        return rows[after >= 0].astype(np.int64)

    def _parts(self, bought: Purchases) -> Real:
        span = self._refunds.partial_to - self._refunds.partial_from
        return self._refunds.partial_from + span * another(bought.bits, _PART)

    def _refund_delays(self, bought: Purchases) -> Int64:
        """Microseconds from order to refund; -1 for an order that is kept."""
        habit = self._faults.refunds(bought.product, bought.at)
        soon, week, later = self._population.refund_chances(bought.user, bought.product, habit)
        kind, drawn = another(bought.bits, _REFUND), another(bought.bits, _REFUND_AFTER)
        cases = [kind < soon, kind < soon + week, kind < soon + week + later]
        shapes = (self._delays.refund_1h, self._delays.refund_7d, self._delays.refund_later)
        return np.select(cases, [delay(shape, drawn) for shape in shapes], default=-1)


def delay(shape: Delay, drawn: Real) -> Int64:
    """Microseconds at these quantiles of a delay."""
    minutes = np.exp(np.interp(drawn, shape.chance, np.log(shape.minutes)))
    return (minutes * MINUTE).astype(np.int64)


class Book:
    """What has happened or will, and has not been told: rows of orders and refunds in the order of being told."""

    def __init__(self, flagged: float, flagged_key: np.int64) -> None:
        """`flagged`: the share of orders that the platform judges abnormal, by their ids and the key."""
        self._flagged, self._flagged_key = flagged, flagged_key
        self.orders: Int64 = np.empty((0, len(ORDER_COLUMNS)), dtype=np.int64)
        self.refunds: Int64 = np.empty((0, len(REFUND_COLUMNS)), dtype=np.int64)

    def add(self, orders: Int64, refunds: Int64, not_before: int) -> None:
        """Write down rows; nothing is told earlier than what was told already."""
        for rows in (orders, refunds):
            rows[:, 0] = np.maximum(rows[:, 0], not_before)
        self.orders = _sorted(np.concatenate([self.orders, orders]))
        self.refunds = _sorted(np.concatenate([self.refunds, refunds]))

    def cancel(self, order_ids: Int64) -> None:
        """Strike orders that another purchase pre-empted, and their refunds."""
        self.orders = self.orders[~np.isin(self.orders[:, 1], order_ids)]
        self.refunds = self.refunds[~np.isin(self.refunds[:, 3], order_ids)]

    def take(self, before: int) -> FactBatch:
        """What is told before a time; it leaves the book."""
        orders, self.orders = _split(self.orders, before)
        refunds, self.refunds = _split(self.refunds, before)
        tables = {}
        if len(orders):
            columns = dict(zip(ORDER_COLUMNS, orders.T, strict=True))
            flagged = uniform(scramble(columns["id"] ^ self._flagged_key)) < self._flagged
            tables[Kind.ORDER] = table(Kind.ORDER, _UNSTAMPED | columns | {"flagged": flagged})
        if len(refunds):
            columns = dict(zip(REFUND_COLUMNS, refunds.T, strict=True))
            tables[Kind.REFUND] = table(Kind.REFUND, {**columns, "plan_id": -1})
        return FactBatch(tables)


def _sorted(rows: Int64) -> Int64:
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def _split(rows: Int64, before: int) -> tuple[Int64, Int64]:
    count = int(np.searchsorted(rows[:, 0], before))
    return rows[:count], rows[count:]
