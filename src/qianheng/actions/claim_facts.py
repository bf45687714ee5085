"""What claims are judged by: the days' money and sums as kept, what other claims have taken, and the policy."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.giving_back import spent_days
from qianheng.core.money import Micros
from qianheng.guarantee.claim_limits import Room, Taken, room
from qianheng.guarantee.claim_policy import Caps, ClaimPolicy, claim_policy
from qianheng.guarantee.claims import OPEN
from qianheng.guarantee.overlap import SpentDay
from qianheng.measures.days import Days
from qianheng.measures.query import channel_of, invalid_of, plan_day, plan_day_invalid, plan_day_traffic, sums_of
from qianheng.measures.sums import Sums, total
from qianheng.plans.plan import Plan
from qianheng.store import claims
from qianheng.store.database import home_path

Span = tuple[date, date]  # the first and the last day, both included


def policy_of(day: date) -> ClaimPolicy:
    """The policy in force on a day: the shipped one, or an operator's own in `QIANHENG_HOME/claim-policies`."""
    return claim_policy(day, home_path() / "claim-policies")


def spent_in(connection: Connection, desk: Desk, plan: Plan, span: Span) -> list[SpentDay]:
    """What a plan spent in each of some days, and what was given back of it; none if it never spent anything."""
    return spent_days(connection, desk.lake, plan.id, Days(*span, plan.timezone))


def room_for(connection: Connection, desk: Desk, plan: Plan, span: Span, caps: Caps, *, but: int | None = None) -> Room:
    """What may be claimed of some days of a plan, beside all other claims than `but`."""
    taken = _taken(connection, plan, but)
    return room(spent_in(connection, desk, plan, span), taken, caps)


def day_sums(connection: Connection, desk: Desk, plan: Plan, span: Span) -> Sums:
    """The sums of some days of a plan, counted as the plan counts, as known now."""
    days = Days(*span, plan.timezone)
    money = sums_of(desk.lake.query(connection, plan_day(days), as_of=desk.now), channel_of(plan.counting))
    traffic = sums_of(desk.lake.query(connection, plan_day_traffic(days), as_of=desk.now))
    invalid = invalid_of(desk.lake.query(connection, plan_day_invalid(days), as_of=desk.now))
    credited = Sums(invalid_spend=sum(one.amount for (of, _), one in invalid.items() if of == plan.id))
    return total(sums for found in (money, traffic) for (of, _), sums in found.items() if of == plan.id) + credited


def _taken(connection: Connection, plan: Plan, but: int | None) -> Taken:
    of_month, asked = defaultdict[tuple[int, int], Micros](int), defaultdict[date, Micros](int)
    granted = claims.granted(connection, plan.shop_id)
    for (_, day), amount in granted.items():
        of_month[day.year, day.month] += amount
    for one in claims.claims(connection, plan_id=plan.id):
        if one.status in OPEN and one.claim.id != but:
            for share in one.claim.shares:
                asked[share.day] += share.amount
    return Taken(asked, of_month, sum(amount for (of, _), amount in granted.items() if of == plan.id))
