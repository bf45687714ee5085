"""The market: the next requests and, given what was shown, what buyers and rivals do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from qianheng.core.days import HOUR
from qianheng.facts.batch import FactBatch, join
from qianheng.facts.opportunities import Decisions, Opportunities
from qianheng.simulator.buyers import Appeals, Catalogue, Looks, Population
from qianheng.simulator.draws import (
    Bool,
    Float32,
    Float64,
    Int64,
    Real,
    UInt64,
    Whole,
    another,
    key,
    scramble,
    uniform,
)
from qianheng.simulator.faults import Faults
from qianheng.simulator.intent import Intent
from qianheng.simulator.orders import Book, Purchases, Till
from qianheng.simulator.requests import Requests
from qianheng.simulator.rivals import Rivals
from qianheng.simulator.rooms import Rooms
from qianheng.simulator.scenario import Scenario
from qianheng.simulator.seasons import Seasons
from qianheng.simulator.shelf import Shelf

State = dict[str, npt.NDArray[np.generic]]

_ORGANIC_ROOM, _TURNED_AWAY, _READY = 200, 201, 202
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Reaction:
    """What became of the places that were won: looked at, clicked; in the order of the decisions."""

    seen: Bool  # [m]
    clicked: Bool  # [m]


@dataclass(frozen=True, slots=True)
class Truth:
    """What a seen promoted impression would really bring: for scoring afterwards, never for a bidder."""

    gmv: Float64  # [n, products] expected paid GMV, micro-yuan
    refunded_1h: Float64  # [n, products] expected share of it refunded within 1 h
    refunded_7d: Float64  # [n, products] expected share of it refunded within 7 days


class Market:
    """Buyers, rivals and live rooms of a scenario.

    Call it forward in time: for each minute (or several) `opportunities`, `react`, `settle_rivals`, `facts`.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.seed = scenario, seed
        self._catalogue = Catalogue(scenario)
        self._population = Population(scenario, self._catalogue, seed)
        self._intent = Intent(scenario, self._catalogue, self._population, seed)
        self._traffic = self._intent.traffic
        self._rooms = Rooms(scenario)
        self._faults = Faults(scenario, self._catalogue)
        self._rivals = Rivals(scenario, self._population, seed)
        self._requests = Requests(scenario, self._intent, self._rivals, seed)
        pooled = scenario.pools is not None
        self._shelf = Shelf(scenario, self._catalogue, self._rivals.category, seed) if pooled else None
        self._till = Till(scenario, self._catalogue, self._population, self._faults)
        self._book = Book(scenario.fraud.flagged, key(seed, "flagged"))
        self._seen = scenario.seen()
        self._season = Seasons(scenario.seasons, scenario.days).orders
        self._appeals = Appeals(scenario)
        self._seen_key = key(seed, "seen")
        self._click_keys: Int64 = np.array([key(seed, "click", product) for product in self._catalogue.id.tolist()])
        self._day = -1
        self._told = self._settled = self._traffic.start
        size = scenario.buyers.population, len(self._catalogue)
        self._exposures: Float32 = np.zeros(size, dtype=np.float32)
        self._decided: Bool = np.zeros(size, dtype=bool)  # who has clicked on what today
        self._day_keys = self._click_keys
        self._organic_at: dict[int, int] = {}

    def opportunities(self, start: int, end: int) -> Opportunities:
        """The requests in [start, end), UTC microseconds, with the rivals' sealed bids; none beyond the last day."""
        batch = self._requests.between(start, end)
        return batch if self._shelf is None else replace(batch, unpaid=self._shelf.of(batch))

    def react(self, batch: Opportunities, decisions: Decisions) -> Reaction:
        """What people do about what they are shown. Orders and refunds that follow come out of `facts` in their time.

        A batch lies within one day, and days are not gone back to: ValueError otherwise.
        """
        if not len(decisions):
            return Reaction(np.zeros(0, dtype=bool), np.zeros(0, dtype=bool))
        self._enter_day_of(batch)
        room = decisions.room_id
        looks = self._looks(batch, decisions, room)
        ids = batch.id[decisions.row]
        chance = self._seen[looks.placement, decisions.slot - 1]
        seen: Bool = uniform(scramble(ids ^ self._seen_key)) < chance
        bits = scramble(looks.user ^ self._day_keys[looks.product])
        hot: Bool = uniform(bits) < self._population.hot[looks.product, looks.user]
        drawn = uniform(scramble(ids ^ self._click_keys[looks.product]))
        robot = self._requests.robots.is_robot[looks.user]
        clicked: Bool = seen & (robot | (drawn < self._population.click(looks, hot)))
        np.add.at(self._exposures, (looks.user[seen], looks.product[seen]), np.float32(1))
        if len(rows := np.flatnonzero(clicked & ~robot)):
            self._convert(looks.at(rows), batch.at[decisions.row[rows]], room[rows], bits[rows])
        return Reaction(seen, clicked)

    def settle_rivals(self, batch: Opportunities, rival_spend: Float64) -> None:
        """Let rivals know what they spent on a batch (micro-yuan, shape [rivals]), so that they pace their budgets."""
        if not len(batch):
            return
        at = int(batch.at[-1])
        hours = min((at - self._settled) / HOUR, 1.0)
        self._settled = at
        self._rivals.settle(self._traffic.day(at), self._traffic.elapsed(at), hours, rival_spend)

    def facts(self, start: int, end: int) -> FactBatch:
        """Orders, refunds and live facts told in [start, end); attribution and stamping are not the market's."""
        self._enter(self._traffic.day(end - 1))
        self._told = max(self._told, end)
        return join([self._book.take(end), self._rooms.facts(start, end)])

    def on_air(self, room_id: int, at: int) -> bool:
        """Whether a live room is on air at a time."""
        return self._rooms.on_air(room_id, at)

    def truth(self, batch: Opportunities, product_ids: Int64, rooms: Int64, creatives: Int64 | None = None) -> Truth:
        """What showing each product (in that live room, -1: on its page; with that creative) would bring, per look.

        Call it before `react`: exposures change what is true, and who has clicked today has decided. That somebody was
        shown the product today without clicking is not taken as a sign of not being in the market.
        """
        self._enter_day_of(batch)
        people, product = self._population, self._catalogue.index(product_ids)[None, :]
        looks = self._all_looks(batch, product, rooms, product_ids if creatives is None else creatives)
        at = batch.at[:, None]
        orders = people.orders(looks) * ~self._decided[looks.user, product]
        orders = orders * (1 - self._faults.turned_away(product, at))
        soon, week, _ = people.refund_chances(looks.user, product, self._faults.refunds(product, at))
        part = self._till.mean_part()
        gmv = orders * self._till.mean_amount()[product] * self._faults.price(product, at)
        return Truth(*(share.astype(np.float64) for share in (gmv, soon * part, (soon + week) * part)))

    def snapshot(self) -> State:
        """All that the market holds beyond (scenario, seed), to go on from after a kill."""
        rivals = {f"rivals_{name}": value for name, value in self._rivals.snapshot().items()}
        return {
            **rivals,
            "clock": np.array([self._day, self._told, self._settled]),
            "decided": np.flatnonzero(self._decided),
            "exposures": self._exposures.copy(),
            "orders": self._book.orders.copy(),
            "refunds": self._book.refunds.copy(),
        }

    def restore(self, state: State) -> None:
        """Go on from a snapshot of a market of the same scenario and seed."""
        self._rivals.restore({name[7:]: value for name, value in state.items() if name.startswith("rivals_")})
        self._day, self._told, self._settled = (int(value) for value in state["clock"])
        self._decided[:] = False
        self._decided.flat[state["decided"].astype(np.int64)] = True
        self._exposures = state["exposures"].astype(np.float32)
        self._book.orders = state["orders"].astype(np.int64)
        self._book.refunds = state["refunds"].astype(np.int64)
        if self._day >= 0:
            self._organic_of_day()

    def _enter_day_of(self, batch: Opportunities) -> None:
        if not len(batch):
            return
        first, last = self._traffic.day(int(batch.at[0])), self._traffic.day(int(batch.at[-1]))
        if first != last or first < self._day:
            raise ValueError("a batch must lie within one day, and days come in order")
        self._enter(first)

    def _enter(self, day: int) -> None:
        while self._day < min(day, self.scenario.days - 1):
            self._day += 1
            self._exposures *= np.float32(self.scenario.buyers.memory)
            self._decided[:] = False
            self._book.add(*self._till.ring(self._organic_of_day()), self._told)

    def _organic_of_day(self) -> Purchases:
        """Who buys unprompted today: drawn before any ad is shown, and the same whatever is shown."""
        self._day_keys = self._intent.keys(self._day)
        wanted = self._intent.wanted(self._day)
        rows = np.flatnonzero(wanted.unprompted)
        at = wanted.moment[rows] + self._till.delays(wanted.bits[rows], np.ones(len(rows), dtype=bool))
        able = self._able(wanted.bits[rows], wanted.user[rows], wanted.product[rows], at)
        rows, at = rows[able], at[able]
        bits, user, product = wanted.bits[rows], wanted.user[rows], wanted.product[rows]
        bought = Purchases(bits, at, user, product, wanted.place[rows], self._organic_rooms(bits, at, product))
        self._organic_at = dict(zip(self._buyers(user, product).tolist(), at.tolist(), strict=True))
        return bought

    def _able(self, bits: UInt64, user: Int64, product: Int64, at: Int64) -> Bool:
        """Who can buy unprompted what is in stock, and is not put off by a price that is not the list price."""
        stocked = self._in_stock(bits, product, at)
        return stocked & (another(bits, _READY) < self._readiness(user, product, at))

    def _in_stock(self, bits: UInt64, product: Whole, at: Int64) -> Bool:
        return np.greater_equal(another(bits, _TURNED_AWAY), self._faults.turned_away(product, at))

    def _readiness(self, user: Whole, product: Whole, at: Int64) -> Real:
        price = self._faults.price(product, at)
        return self._population.readiness(user, price) if price.ndim else price

    def _organic_rooms(self, bits: UInt64, at: Int64, products: Int64) -> Int64:
        rooms = np.full(len(bits), -1)
        inside = another(bits, _ORGANIC_ROOM) < self.scenario.live.organic_share
        for product_id, room in self._rooms.of_product.items():
            here = inside & (self._catalogue.id[products] == product_id) & self._rooms.air(room, at)
            rooms[here] = room
        return rooms

    def _convert(self, looks: Looks, at: Int64, room: Int64, bits: UInt64) -> None:
        """Turn clicks into orders: a buyer's one draw of the day decides once, and an earlier organic order stands."""
        drawn, hot = uniform(bits), self._population.hot[looks.product, looks.user]
        inside = np.where(drawn < hot, drawn / np.maximum(hot, 1e-12), (drawn - hot) / (1 - hot))
        wants = self._first_today(looks) & (inside < self._population.buys(looks, drawn < hot))
        if not wants.any():
            return
        order_at = at + self._till.delays(bits, looks.live | (drawn < hot))
        buyers = self._buyers(looks.user, looks.product).tolist()
        organic_at = np.array([self._organic_at.get(buyer, _NEVER) for buyer in buyers])
        wants &= self._in_stock(bits, looks.product, order_at)
        rows = np.flatnonzero(wants & (order_at < organic_at))
        self._sell(looks.at(rows), order_at[rows], room[rows], bits[rows])

    def _sell(self, looks: Looks, at: Int64, room: Int64, bits: UInt64) -> None:
        """Write down promoted orders, in place of the organic ones of the same buyers that would have come later."""
        self._exposures[looks.user, looks.product] += np.float32(self.scenario.buyers.sated)
        in_room = np.where(self._on_air(room, at), room, -1)
        bought = Purchases(bits, at, looks.user, looks.product, looks.placement, in_room)
        self._book.cancel(bought.ids())
        self._book.add(*self._till.ring(bought), self._told)

    def _first_today(self, looks: Looks) -> Bool:
        """Which clicks are the first of their buyer on that product today; later ones change nothing."""
        first = np.zeros(len(looks.user), dtype=bool)
        first[np.unique(self._buyers(looks.user, looks.product), return_index=True)[1]] = True
        first &= ~self._decided[looks.user, looks.product]
        self._decided[looks.user, looks.product] = True
        return first

    def _buyers(self, user: Whole, product: Whole) -> Whole:
        """A number for each pair of a user and a product."""
        return user * len(self._catalogue) + product

    def _looks(self, batch: Opportunities, decisions: Decisions, room: Int64) -> Looks:
        row = decisions.row
        at, user = batch.at[row], batch.user_id[row]
        product = self._catalogue.index(decisions.product_id)
        return Looks(
            user=user,
            product=product,
            placement=batch.placement[row],
            category=batch.category[row],
            hour_of_day=self._traffic.hour_of_day[(at - self._traffic.start) // HOUR],
            exposures=self._exposures[user, product],
            live=room >= 0,
            on_air=self._on_air(room, at),
            appeal=self._appeals.of(decisions.creative_id) * self._faults.appeal(decisions.creative_id, product, at),
            readiness=np.broadcast_to(self._readiness(user, product, at) * self._season[self._day], user.shape),
        )

    def _all_looks(self, batch: Opportunities, product: Int64, rooms: Int64, creatives: Int64) -> Looks:
        """Every request at every product: `product` has shape [1, products], `rooms` shape [products]."""
        user, at = batch.user_id[:, None], batch.at[:, None]
        air = np.zeros((len(batch), len(rooms)), dtype=bool)
        for room in np.unique(rooms[rooms >= 0]).tolist():
            air[:, rooms == room] = self._rooms.air(room, batch.at)[:, None]
        return Looks(
            user=user,
            product=product,
            placement=batch.placement[:, None],
            category=batch.category[:, None],
            hour_of_day=self._traffic.hour_of_day[(batch.at - self._traffic.start) // HOUR][:, None],
            exposures=self._exposures[user, product],
            live=(rooms >= 0)[None, :],
            on_air=air,
            appeal=self._appeals.of(creatives)[None, :] * self._faults.appeal(creatives[None, :], product, at),
            readiness=self._readiness(user, product, at) * self._season[self._day],
        )

    def _on_air(self, room: Int64, at: Int64) -> Bool:
        air = np.zeros(len(at), dtype=bool)
        for one in np.unique(room[room >= 0]).tolist():
            here = room == one
            air[here] = self._rooms.air(one, at[here])
        return air
