"""Live sessions: from going on air until the grace after going off is over; a dropped connection that comes back within
the grace is no end of it (SPEC 4.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction

from qianheng.core.days import DAY, HOUR, MINUTE
from qianheng.core.money import Micros, ratio
from qianheng.facts.schema import Channel

AGES = {"1h": HOUR, "1d": DAY, "3d": 3 * DAY, "7d": 7 * DAY, "14d": 14 * DAY}

Mark = tuple[int, bool]  # when (UTC microseconds), and whether the room is on air from then on


@dataclass(frozen=True, slots=True)
class Session:
    """One session of a room, UTC microseconds: when it went on air, when off for good, and when its grace was over.

    `drops`: when the connection was lost and when it was back.
    """

    room_id: int
    began: int
    ended: int
    stopped: int
    drops: tuple[tuple[int, int], ...] = ()

    @property
    def hours(self) -> Fraction:
        """How long it was on air, drops left out."""
        dropped = sum(back - lost for lost, back in self.drops)
        return Fraction(self.ended - self.began - dropped, HOUR)


def sessions(room_id: int, marks: Iterable[Mark], grace: int, now: int) -> Iterator[Session]:
    """The sessions of a room whose grace is over at `now`, oldest first. marks: in any order; the same twice is one."""
    began: int | None = None
    lost: int | None = None
    drops: list[tuple[int, int]] = []
    for at, on in sorted(set(marks)):
        if on and lost is not None and began is not None:
            if at >= lost + grace:
                yield Session(room_id, began, lost, lost + grace, tuple(drops))
                began, drops = at, []
            else:
                drops.append((lost, at))
            lost = None
        elif on and began is None:
            began = at
        elif not on and began is not None and lost is None:
            lost = at
    if began is not None and lost is not None and lost + grace <= now:
        yield Session(room_id, began, lost, lost + grace, tuple(drops))


@dataclass(frozen=True, slots=True)
class Sold:
    """What a room sold in some time, as sums; refunds of its orders by their age, each with the ones before."""

    orders: int = 0
    gmv: Micros = 0
    refunded_1h: Micros = 0
    refunded_1d: Micros = 0
    refunded_3d: Micros = 0
    refunded_7d: Micros = 0
    refunded_14d: Micros = 0
    spend: Micros = 0

    def __add__(self, other: Sold) -> Sold:
        return Sold(*(getattr(self, name) + getattr(other, name) for name in SUMS))

    @property
    def payment_roi(self) -> Fraction | None:
        """GMV over spend."""
        return ratio(self.gmv, self.spend)

    @property
    def net_roi(self) -> Fraction | None:
        """GMV less refunds within an hour, over spend."""
        return ratio(self.gmv - self.refunded_1h, self.spend)

    @property
    def refund_rate_1h(self) -> Fraction | None:
        """The share of GMV refunded within an hour."""
        return ratio(self.refunded_1h, self.gmv)


SUMS = tuple(entry.name for entry in fields(Sold))


@dataclass(frozen=True, slots=True)
class Minute:
    """What a room sold of one product by one channel in one minute, counted from some instant."""

    number: int
    product_id: int
    channel: Channel
    sold: Sold


def within(minutes: Iterable[Minute], since: int, session: Session) -> list[Minute]:
    """The minutes of a session up to the end of its grace, counted from its own beginning; `since`: where they were
    counted from (UTC microseconds).
    """
    first = (session.began - since) // MINUTE
    last = -((since - session.stopped) // MINUTE)
    return [
        Minute(one.number - first, one.product_id, one.channel, one.sold)
        for one in minutes
        if first <= one.number < last
    ]


def together(minutes: Iterable[Minute]) -> Sold:
    """All of them."""
    return sum((one.sold for one in minutes), Sold())


def closed(session: Session, now: int) -> list[str]:
    """The ages that all orders of a session have reached."""
    return [name for name, age in AGES.items() if session.stopped + age <= now]


def stretches(minutes: Sequence[Minute], length: int) -> dict[int, Sold]:
    """Sums by stretches of so many minutes, by the first minute of each."""
    found: dict[int, Sold] = {}
    for one in minutes:
        first = one.number // length * length
        found[first] = found.get(first, Sold()) + one.sold
    return found
