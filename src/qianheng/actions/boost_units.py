"""Boosts of creatives as units of the guarantee: which of them facts are known of, what they add up to, the verdicts.

A boost that names no policy has one that promises nothing, as a plan's day may.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import Connection

from qianheng.actions.cases import Asked, charges, orders
from qianheng.actions.desk import Desk
from qianheng.actions.giving_back import given_back
from qianheng.actions.judging import Judged, beside_claims, figures_of, judged
from qianheng.actions.policies import policies
from qianheng.actions.promises import boost_unit_id, promises_of
from qianheng.core.days import DAY, day_of, microseconds, moment
from qianheng.core.errors import BadInput, NotFound
from qianheng.guarantee.case import BoostUnit, Case
from qianheng.guarantee.history import boost_log_of, boost_unit_of, plan_of_day
from qianheng.guarantee.timeline import due_at
from qianheng.measures.days import Days
from qianheng.measures.query import boost_began, boost_counted, boost_unit
from qianheng.plans.boost import Boost, BoostKind
from qianheng.plans.plan import Plan
from qianheng.store import boosts, plans
from qianheng.store.closes import OpenUnit
from qianheng.store.database import reading
from qianheng.store.lake import Lake

BOOST_UNIT = BoostUnit.type


class Begun(NamedTuple):
    """A boost that something was spent of, its plan with its log, and its first-spend day."""

    boost: Boost
    of: plans.LoggedPlan
    day: date

    @property
    def plan(self) -> Plan:
        """The plan as it was that day."""
        return plan_of_day(*self.of, Days(self.day, self.day, self.of.plan.timezone))

    @property
    def unit(self) -> BoostUnit:
        """What is judged."""
        return boost_unit_of(self.plan, self.boost, self.day)


def opened(connection: Connection, lake: Lake, touched: Mapping[int, Collection[int]], now: datetime) -> list[OpenUnit]:
    """The boosts in whose days something was received; touched: quarters of an hour (first microsecond) by plan."""
    kept = [one for one in boosts.of_plans(connection) if _may_touch(one, touched.get(one.plan_id, ()))]
    shelf, units = policies(), []
    for one in _begun(connection, lake, kept, now):
        since, until = one.unit.window
        if any(since <= quarter < until for quarter in touched[one.boost.plan_id]):
            due = due_at(shelf.in_force(one.boost.policy, one.day), one.unit)
            units.append(OpenUnit(boost_unit_id(one.boost.id), BOOST_UNIT, one.boost.id, one.day, due))
    return units


def judge_boosts(connection: Connection, lake: Lake, boost_ids: Collection[int], now: datetime) -> Iterator[Judged]:
    """The verdicts on those of these boosts that something was spent of, on the facts received before `now`.

    One after the other: what is promised for one before the next is asked for takes its place beside claims.
    """
    begun = _begun(connection, lake, [one for one in boosts.of_plans(connection) if one.id in boost_ids], now)
    if not begun:
        return
    query = boost_unit((one.boost, one.unit.window) for one in begun)
    counted = boost_counted(lake.query(connection, query, as_of=now))
    made = promises_of(connection, [boost_unit_id(one.boost.id) for one in begun])
    shelf = policies()
    for one in begun:
        boost, unit = one.boost, one.unit
        held = None if boost.target is None else Fraction(boost.target)
        figures = figures_of(counted.get(boost.id, ()), one.of.history, lambda _, held=held: held)  # type: ignore[misc]
        case = shelf.in_force(boost.policy, one.day), boost_log_of(*one.of, boost), figures
        verdict = judged(one.plan, unit, case, made.get(boost_unit_id(boost.id), []), now)
        back = given_back(connection, lake, unit, now)
        yield beside_claims(verdict, back) if back else verdict


def kept_boost_case(desk: Desk, boost_id: int) -> Case:
    """The case of a boost as the desk sees it, at its `now`.

    No such boost of the actor's shop: NotFound. Nothing spent of it yet: BadInput.
    """
    with reading(desk.database) as connection:
        try:
            desk.plan(connection, boosts.load(connection, boost_id).plan_id)
        except NotFound:
            raise NotFound("store.no_boost", boost=boost_id) from None
        return boost_case(connection, desk.lake, boost_id, desk.now)


def boost_case(connection: Connection, lake: Lake, boost_id: int, now: datetime) -> Case:
    """The case of a boost on what had been received, and changed, before `now`. Nothing spent of it: BadInput."""
    boost = boosts.load(connection, boost_id)
    begun = _begun(connection, lake, [boost], now)
    if not begun:
        raise BadInput("proof.nothing_spent", place="--boost", boost=boost_id, now=f"{now:%Y-%m-%d %H:%M}")
    unit, log = begun[0].unit, boost_log_of(*begun[0].of, boost)
    asked = Asked(connection, lake, now, boost.plan_id, Days(unit.day, unit.last_day, unit.timezone))
    paid = f"c.plan_id = {boost.plan_id} AND c.boost = {int(boost.kind)} AND {_within(boost, 'c.at')}"
    own = f"f.boost = {int(boost.kind)}"
    driven = f"{own} AND f.click_id IN (SELECT c.impression_id FROM charges AS c WHERE {paid})"
    told = tuple(charges(asked, f"{own} AND {_within(boost, 'f.at')}")), tuple(orders(asked, driven))
    return Case(boost.policy, unit, log, *told, microseconds(now))


def _begun(connection: Connection, lake: Lake, kept: Sequence[Boost], now: datetime) -> list[Begun]:
    """Those of some boosts that are of creatives and that something was spent of, by id."""
    covered = {one.id: one for one in kept if one.kind is BoostKind.CREATIVE}
    if not covered:
        return []
    rows = lake.query(connection, boost_began(covered.values()), as_of=now).to_pylist()
    logged = dict(_logged(connection, {covered[row["boost_id"]].plan_id for row in rows}, now))
    found = []
    for row in rows:
        boost = covered[row["boost_id"]]
        of = logged[boost.plan_id]
        found.append(Begun(boost, of, day_of(moment(row["at"]), of.plan.timezone)))
    return found


def _logged(connection: Connection, plan_ids: Collection[int], now: datetime) -> Iterator[tuple[int, plans.LoggedPlan]]:
    """Plans as they were changed before `now`."""
    for plan_id in plan_ids:
        changes = [made for made in plans.log(connection, plan_id) if made.at <= now]
        yield plan_id, plans.LoggedPlan(plans.history(connection, plan_id)[: len(changes) + 1], changes)


def _may_touch(boost: Boost, quarters: Collection[int]) -> bool:
    """Whether one of these quarters of an hour may lie in its days."""
    return any(boost.starts - 2 * DAY < quarter < boost.ends + 3 * DAY for quarter in quarters)  # a day more, and 25 h


def _within(boost: Boost, at: str) -> str:
    return f"{at} >= {boost.starts} AND {at} < {boost.ends}"
