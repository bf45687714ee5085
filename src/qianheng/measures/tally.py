"""The tally: facts as they come, counted minute by minute for the shop, plan, product and creative they are of.

A fact counts from the minute on in which it was received, in the minute in which it happened; a refund within the hour
counts in that of its order, and waits for it if it is told first. So it does not matter in which batches facts come.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from qianheng.core.days import DAY, HOUR, MINUTE, REFUND_WINDOW_1H
from qianheng.facts.batch import FactBatch
from qianheng.facts.schema import Channel, Kind
from qianheng.measures.days import Int64
from qianheng.measures.history import About, Subject
from qianheng.measures.windows import WIDTH, Watched, Windows

REMEMBERED = DAY + 2 * HOUR  # an order that a refund within the hour may still be told of
GRACE = 10 * MINUTE  # after a room went off the air (SPEC 4.3)
_AT = {name: place for place, name in enumerate(Watched._fields)}
_NOBODY = (-1, -1)
_SPEND, _OFF_AIR = _AT["spend"], _AT["off_air_spend"]

TALLIED = {
    Kind.IMPRESSION: ("id", "at", "received_at", "plan_id", "product_id", "creative_id"),
    Kind.CLICK: ("id", "at", "received_at", "plan_id", "product_id", "creative_id"),
    Kind.CHARGE: ("at", "received_at", "plan_id", "impression_id", "amount"),
    Kind.ORDER: ("id", "at", "received_at", "plan_id", "product_id", "creative_id", "amount", "channel"),
    Kind.REFUND: ("id", "at", "received_at", "plan_id", "order_id", "order_at", "amount"),
    Kind.LIVE: ("at", "received_at", "room_id", "on_air"),
}
"""The columns of each kind of fact that are counted."""

Part = tuple[int, int, int]  # plan, product, creative; -1: none known


class Counts(NamedTuple):
    """What of a plan is counted: whose it is, whether all its orders count or those promoted, its live room."""

    shop_id: int
    name: str
    all_orders: bool
    room_id: int | None = None


@dataclass(slots=True)
class _Minute:
    """What was received in a minute and not counted yet."""

    shown: dict[tuple[int, Part], list[int]] = field(default_factory=dict)
    orders: list[tuple[int, int, Part, int, bool]] = field(default_factory=list)
    refunds: list[tuple[int, int, int, int]] = field(default_factory=list)
    lives: list[tuple[int, int, bool]] = field(default_factory=list)


class Tally:
    """Counts facts into windows; `subjects[i]` is the subject that they know as `i`, `shop_of[i]` whose it is."""

    def __init__(self, windows: Windows, plans: Mapping[int, Counts], about: Collection[About]) -> None:
        self.windows, self.plans, self.about = windows, plans, about
        self.subjects: list[Subject] = []
        self.shop_of: list[str] = []
        self.on_air_since: dict[int, int | None] = {}  # by room; `None`: off the air
        self._told_of_air: dict[int, int] = {}
        self._rows: dict[Part, tuple[int, ...]] = {}
        self._known: dict[tuple[str, Subject], int] = {}
        self._orders: dict[int, tuple[int, Part | None]] = {}
        self._early: dict[int, list[tuple[int, int, int, int]]] = {}  # refunds told before their order
        self._waiting: dict[int, _Minute] = {}

    def take(self, batch: FactBatch) -> None:
        """Take in facts, each told once; they count when their minute comes, what is told late in the next."""
        made: dict[int, tuple[int, int]] = {}
        for kind, name in ((Kind.IMPRESSION, "impressions"), (Kind.CLICK, "clicks")):
            columns = self._columns(batch, kind, "id", "product_id", "creative_id")
            for (received, at, *part), count in Counter(zip(*_without(columns, 3), strict=True)).items():
                self._shown(received, at, (part[0], part[1], part[2]))[_AT[name]] += count
            if kind is Kind.IMPRESSION:
                made = dict(zip(columns[3], zip(columns[4], columns[5], strict=True), strict=True))
        charged = defaultdict[tuple[int, int, Part], int](int)
        for received, at, plan_id, impression, amount in zip(
            *self._columns(batch, Kind.CHARGE, "impression_id", "amount"), strict=True
        ):
            charged[received, at, (plan_id, *made.get(impression, _NOBODY))] += amount
        for (received, at, whose), amount in charged.items():
            self._shown(received, at, whose)[_SPEND] += amount
        self._take_orders(batch)

    def minute(self) -> set[int]:
        """Count what was received in the minute that begins now, and let it pass; the subjects that changed."""
        changed = set[int]()
        minute = self._waiting.pop(self.windows.now, None)
        if minute is not None:
            self._count(minute, changed)
        changed |= self.windows.advance()
        if self.windows.now % 60 == 0:
            self._forget()
        return changed

    def snapshot(self) -> dict[str, Int64]:
        """Everything, to go on from; to be taken when all that was taken in has been counted."""
        orders = [(id_, at, *(part or (-1, -1, -1)), part is not None) for id_, (at, part) in self._orders.items()]
        early = [row for rows in self._early.values() for row in rows]
        air = [(room, self._told_of_air[room], -1 if at is None else at) for room, at in self.on_air_since.items()]
        subjects = [
            (int(shop_id), list(About).index(subject.about), int(subject.id), int(subject.within or -1))
            for shop_id, subject in zip(self.shop_of, self.subjects, strict=True)
        ]
        tables = {"subjects": (subjects, 4), "orders": (orders, 6), "early": (early, 4), "air": (air, 3)}
        held = {name: np.array(rows, np.int64).reshape(-1, width) for name, (rows, width) in tables.items()}
        return {**held, **self.windows.snapshot()}

    def restore(self, state: Mapping[str, Int64]) -> None:
        """Go on from a snapshot."""
        self.subjects, self.shop_of, self._known, self._rows = [], [], {}, {}
        for shop_id, about, id_, within in state["subjects"].tolist():
            found = Subject(list(About)[about], str(id_), within=str(within) if within >= 0 else "")
            known = self.plans.get(id_) if found.about is About.PLAN else None
            self._subject(str(shop_id), replace(found, name=known.name) if known else found)
        self._orders = {id_: (at, (a, b, c) if known else None) for id_, at, a, b, c, known in state["orders"].tolist()}
        for row in state["early"].tolist():
            self._early.setdefault(row[1], []).append(tuple(row))
        for room, told, since in state["air"].tolist():
            self._told_of_air[room], self.on_air_since[room] = told, None if since < 0 else since
        self.windows.restore(state)

    def expect(self, plan_id: int) -> None:
        """Know a plan and its shop as subjects before anything happens to them."""
        self._row((plan_id, -1, -1))

    def _take_orders(self, batch: FactBatch) -> None:
        columns = self._columns(batch, Kind.ORDER, "id", "product_id", "creative_id", "amount", "channel")
        for received, at, plan_id, id_, product, creative, amount, channel in zip(*columns, strict=True):
            order = (id_, at, (plan_id, product, creative), amount, channel == Channel.PROMOTED)
            self._of(received).orders.append(order)
        columns = self._columns(batch, Kind.REFUND, "id", "order_id", "order_at", "amount", in_minutes=False)
        for received, at, _, id_, order_id, order_at, amount in zip(*columns, strict=True):
            if at - order_at <= REFUND_WINDOW_1H:
                self._of(received).refunds.append((id_, order_id, order_at, amount))
        lives = (batch[Kind.LIVE][name].to_pylist() for name in ("received_at", "at", "room_id", "on_air"))
        for received, at, room, on in zip(*lives, strict=True):
            self._of(max(received // MINUTE, self.windows.now)).lives.append((at, room, on))

    def _columns(self, batch: FactBatch, kind: Kind, *names: str, in_minutes: bool = True) -> list[list[int]]:
        """Received (in minutes, now at the earliest), at, plan and the columns named, of the facts of our plans."""
        facts = batch[kind]
        if not facts.num_rows:
            return [[] for _ in range(3 + len(names))]
        plan = facts["plan_id"].to_numpy()
        mine = np.isin(plan, list(self.plans))
        received = np.maximum(facts["received_at"].to_numpy() // MINUTE, self.windows.now)
        at = facts["at"].to_numpy() // MINUTE if in_minutes else facts["at"].to_numpy()
        rest = (facts[name].to_numpy() for name in names)
        return [column[mine].tolist() for column in (received, at, plan, *rest)]

    def _of(self, received: int) -> _Minute:
        return self._waiting.setdefault(received, _Minute())

    def _shown(self, received: int, at: int, part: Part) -> list[int]:
        return self._of(received).shown.setdefault((at, part), [0] * WIDTH)

    def _count(self, minute: _Minute, changed: set[int]) -> None:
        for at, room, on in sorted(minute.lives):
            if at >= self._told_of_air.get(room, 0):
                self._told_of_air[room], self.on_air_since[room] = at, at if on else None
        for (at, part), sums in minute.shown.items():
            if sums[_SPEND] and self._off_air(self.plans[part[0]].room_id, at):
                sums[_OFF_AIR] = sums[_SPEND]
            self._add(at, part, sums, changed)
        for id_, at, part, amount, promoted in minute.orders:
            counts = promoted or self.plans[part[0]].all_orders
            self._orders[id_] = (at, part if counts else None)
            if counts:
                self._add(at, part, _sums(orders=1, gmv=amount, promoted_orders=int(promoted)), changed)
            minute.refunds += self._early.pop(id_, [])
        for refund in minute.refunds:
            self._refund(refund, changed)

    def _refund(self, refund: tuple[int, int, int, int], changed: set[int]) -> None:
        _, order_id, _, amount = refund
        known = self._orders.get(order_id)
        if known is None:
            self._early.setdefault(order_id, []).append(refund)
        elif known[1] is not None:
            self._add(known[0], known[1], _sums(refunded_1h=amount), changed)

    def _off_air(self, room: int | None, minute: int) -> bool:
        if room is None or self.on_air_since.get(room, 0) is not None:
            return False
        return minute * MINUTE >= self._told_of_air[room] + GRACE

    def _add(self, at: int, part: Part, sums: list[int], changed: set[int]) -> None:
        for subject in self._row(part):
            self.windows.add(at, subject, sums)
            changed.add(subject)

    def _row(self, part: Part) -> tuple[int, ...]:
        """The subjects that something is of."""
        if part not in self._rows:
            self._rows[part] = tuple(self._numbers(*part))
        return self._rows[part]

    def _numbers(self, plan_id: int, product_id: int, creative_id: int) -> Iterable[int]:
        shop, within = str(self.plans[plan_id].shop_id), str(plan_id)
        yield self._subject(shop, Subject(About.SHOP, shop))
        yield self._subject(shop, Subject(About.PLAN, within, self.plans[plan_id].name))
        if product_id >= 0 and About.PRODUCT in self.about:
            yield self._subject(shop, Subject(About.PRODUCT, str(product_id), within=within))
        if creative_id >= 0 and About.CREATIVE in self.about:
            yield self._subject(shop, Subject(About.CREATIVE, str(creative_id), within=within))

    def _subject(self, shop_id: str, subject: Subject) -> int:
        number = self._known.setdefault((shop_id, subject), len(self.subjects))
        if number == len(self.subjects):
            self.subjects.append(subject)
            self.shop_of.append(shop_id)
        return number

    def _forget(self) -> None:
        """Drop the orders that no refund within the hour will be told of any more, and the refunds of unknown ones."""
        oldest = self.windows.now * MINUTE - REMEMBERED
        self._orders = {id_: known for id_, known in self._orders.items() if known[0] * MINUTE >= oldest}
        self._early = {id_: rows for id_, rows in self._early.items() if rows[0][2] >= oldest}


def _sums(**told: int) -> list[int]:
    sums = [0] * WIDTH
    for name, value in told.items():
        sums[_AT[name]] = value
    return sums


def _without(columns: list[list[int]], place: int) -> list[list[int]]:
    return [*columns[:place], *columns[place + 1 :]]
