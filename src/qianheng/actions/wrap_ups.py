"""The wrap-up of a live session: what it came to, when and with what, and what to change before the next (SPEC 4.3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.core.days import MINUTE, microseconds, moment
from qianheng.core.errors import NotFound
from qianheng.core.ids import stable_id
from qianheng.delivery.site import GRACE
from qianheng.diagnosis.verdicts import Thresholds, Verdict, verdicts
from qianheng.facts.schema import Channel
from qianheng.measures.query import lives, room_minute
from qianheng.measures.sessions import SUMS, Minute, Session, Sold, sessions, stretches, together, within
from qianheng.plans.plan import Plan
from qianheng.store import incentives, notices, plans
from qianheng.store.database import reading
from qianheng.store.lake import Lake
from qianheng.store.notices import Notice

BEFORE = 7  # earlier sessions that one is held against
LOOK_BACK = timedelta(days=30)
TELL_BACK = timedelta(days=3)
STRETCHES = 48  # a session is drawn in no more of them
LENGTHS = (1, 5, 10, 15, 30, 60)  # minutes
FEWEST_ORDERS = 10  # with fewer, a refund rate or a stretch is not judged


@dataclass(frozen=True, slots=True)
class WrapUp:
    """A session: its sums, by channel, product and stretch of so many minutes, and the mean hour of those before it.

    `plans` are those that show the room, `products` the names of what it sold; `verdicts` judge the whole, `faulty`
    products by their refunds, where there are orders enough.
    """

    session: Session
    now: datetime
    plans: tuple[Plan, ...]
    products: Mapping[int, str]
    sold: Sold
    by_channel: Mapping[Channel, Sold]
    by_product: Mapping[int, Sold]
    length: int
    by_stretch: Mapping[int, Sold]
    usual_hour: Mapping[str, Fraction] | None
    earlier: int
    verdicts: tuple[Verdict, ...]
    faulty: Mapping[int, Verdict]

    def time(self, minute: int) -> datetime:
        """The time of a minute of the session, in the zone of the desk."""
        return moment(self.session.began + minute * MINUTE, str(self.now.tzinfo))


def wrap_up(desk: Desk, rules: Thresholds, room_id: int | None = None, back: int = 0) -> WrapUp:
    """The wrap-up of the last session of the actor's rooms that was over at the desk's time (`back`: one before it, …).

    No such room, or no session of it over: NotFound.
    """
    with reading(desk.database) as connection:
        mine = [kept.plan for kept in plans.load_all(connection, desk.actor.shop_id) if kept.plan.room_id is not None]
        rooms = {plan.room_id for plan in mine if plan.room_id is not None and room_id in (None, plan.room_id)}
        over = _over(connection, desk.lake, (desk.now - LOOK_BACK, desk.now), rooms)
        if len(over) <= back:
            known = ", ".join(str(plan.room_id) for plan in mine) or "–"
            raise NotFound("reviews.live.none", place="--room", known=known, sessions=len(over))
        session = over[-1 - back]
        before = [one for one in over if one.room_id == session.room_id and one.began < session.began][-BEFORE:]
        since = min(one.began for one in (session, *before))
        shown = tuple(plan for plan in mine if plan.room_id == session.room_id)
        query = room_minute(session.room_id, [plan.id for plan in shown], (since, session.stopped))
        rows = desk.lake.query(connection, query, as_of=desk.now).to_pylist()
        names = {id_: one.name for id_, one in incentives.products(connection).items()}
    minutes = [
        Minute(row["minute"], row["product_id"], Channel(row["channel"]), Sold(*(row[name] for name in SUMS)))
        for row in rows
    ]
    earlier = [(one, together(within(minutes, since, one))) for one in before]
    told = _wrapped((session, shown, desk.now), within(minutes, since, session), earlier, rules)
    return replace(told, products=names)


def _wrapped(
    what: tuple[Session, tuple[Plan, ...], datetime],
    minutes: Sequence[Minute],
    earlier: Sequence[tuple[Session, Sold]],
    rules: Thresholds,
) -> WrapUp:
    session, shown, now = what
    channels, products = defaultdict[Channel, Sold](Sold), defaultdict[int, Sold](Sold)
    for one in minutes:
        channels[one.channel] += one.sold
        products[one.product_id] += one.sold
    length = next(
        (one for one in LENGTHS if (session.stopped - session.began) <= STRETCHES * one * MINUTE), LENGTHS[-1]
    )
    faulty = {product: _refunds(sold, rules) for product, sold in products.items() if sold.orders >= FEWEST_ORDERS}
    sold = together(minutes)
    return WrapUp(
        session=session,
        now=now,
        plans=shown,
        products={},
        sold=sold,
        by_channel=dict(sorted(channels.items())),
        by_product=dict(sorted(products.items(), key=lambda pair: -pair[1].gmv)),
        length=length,
        by_stretch=stretches(minutes, length),
        usual_hour=_usual(earlier),
        earlier=len(earlier),
        verdicts=_judged(sold, shown, rules) if sold.orders >= FEWEST_ORDERS else (),
        faulty={product: told[0] for product, told in faulty.items() if told and told[0].severity != "normal"},
    )


def _usual(earlier: Sequence[tuple[Session, Sold]]) -> Mapping[str, Fraction] | None:
    """What an hour on air of earlier sessions brought; `None` without any."""
    hours = sum((session.hours for session, _ in earlier), Fraction(0))
    if not hours:
        return None
    whole = sum((sold for _, sold in earlier), Sold())
    return {name: getattr(whole, name) / hours for name in ("orders", "gmv", "spend")}


def _judged(sold: Sold, shown: Sequence[Plan], rules: Thresholds) -> tuple[Verdict, ...]:
    targets = [Fraction(plan.target) for plan in shown if plan.target is not None]
    roi = sold.payment_roi
    to_target = roi / targets[0] if roi is not None and len(targets) == 1 else None
    return verdicts({"payment_roi_to_target": to_target, "refund_rate_1h": sold.refund_rate_1h}, rules)


def _refunds(sold: Sold, rules: Thresholds) -> tuple[Verdict, ...]:
    return verdicts({"refund_rate_1h": sold.refund_rate_1h}, rules)


def _over(connection: Connection, lake: Lake, span: tuple[datetime, datetime], rooms: set[int]) -> list[Session]:
    """The sessions of some rooms that were over by the end of a time, as known then, oldest first."""
    since, until = (microseconds(at) for at in span)
    marks = defaultdict[int, list[tuple[int, bool]]](list)
    for row in lake.query(connection, lives(since, until), as_of=span[1]).to_pylist():
        marks[row["room_id"]].append((row["at"], row["on_air"]))
    found = [one for room in sorted(rooms & marks.keys()) for one in sessions(room, marks[room], GRACE, until)]
    return sorted(found, key=lambda one: (one.stopped, one.room_id))


def tell_over(connection: Connection, lake: Lake, now: datetime) -> None:
    """Tell each shop of the sessions of its rooms that were over lately, once, and how to see their wrap-up."""
    shops = {kept.plan.room_id: kept.plan for kept in plans.load_all(connection) if kept.plan.room_id is not None}
    if not shops:
        return
    for one in _over(connection, lake, (now - TELL_BACK, now), {*shops}):
        plan = shops[one.room_id]
        times = (moment(at, plan.timezone) for at in (one.began, one.ended))
        began, ended = (f"{at:%Y-%m-%d %H:%M}" for at in times)
        key = stable_id("wrap_up", one.room_id, one.began)
        if not notices.told(connection, key):
            values = {"room": one.room_id, "began": began, "ended": ended}
            stopped = moment(one.stopped)
            notices.tell(
                connection, Notice(key, stopped, plan.shop_id, "reviews.notice.live_over", f"plan {plan.id}", values)
            )
