"""The compensation at stake when a plan that loses money is stopped: judged by the verdict itself (SPEC 7.7, 4.4)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.liability import Owed, liability
from qianheng.actions.plan_standing import known_of
from qianheng.core.interval import Interval
from qianheng.diagnosis.triage import Stake
from qianheng.guarantee.guard import weigh
from qianheng.guarantee.liability import Expected, together
from qianheng.guarantee.reasons import Reason
from qianheng.guarantee.verdict import Verdict
from qianheng.plans.plan import PlanStatus, change
from qianheng.store import plans
from qianheng.store.database import reading


def stakes_of(desk: Desk) -> dict[str, Stake]:
    """What is at stake of each plan the actor sees, at the desk's time, on the facts known then."""
    with reading(desk.database) as connection:
        owed = liability(connection, desk.lake, desk.now, desk.actor.shop_id).units
        kept = plans.load_all(connection, desk.actor.shop_id)
        return {str(one.plan.id): _stake(desk, connection, one.plan.id, owed) for one in kept}


def _stake(desk: Desk, connection: Connection, plan_id: int, owed: Sequence[Owed]) -> Stake:
    known = known_of(desk, connection, plan_id)
    today = [one.expected for one in owed if one.plan.id == plan_id and one.day == desk.now.date()]
    earlier = [one.expected for one in owed if one.plan.id == plan_id and one.day < desk.now.date()]
    if known.plan.status is not PlanStatus.ACTIVE:
        return Stake(open=_between(earlier))
    made = change(known.plan, len(known.history), desk.now, desk.actor.name, "", status=PlanStatus.PAUSED)
    weighed = weigh(known, made)
    if weighed.at_stake:
        lost = weighed.at_stake
        return Stake(Interval(lost, lost, lost), open=_between(earlier))
    rules = known.policy(desk.now.date()).rules
    short = _orders_short(weighed.before, rules.orders.fewest if rules else 0)
    return Stake(_between(today) if short or weighed.costs else None, short, _between(earlier))


def _orders_short(verdict: Verdict, fewest: int) -> int:
    """How many orders alone are missing of the fewest there must be; 0 if something else is missing too."""
    failed = {one.reason for one in verdict.checks if not one.passed}
    return fewest - verdict.sums.orders if failed == {Reason.TOO_FEW_ORDERS} else 0


def _between(expected: Sequence[Expected]) -> Interval | None:
    """What is expected to be paid of some units; `None` of none. A mean of few great sums may lie beyond the ends."""
    whole = together(expected)
    return Interval(min(whole.low, whole.mean), whole.mean, max(whole.mean, whole.high)) if expected else None
