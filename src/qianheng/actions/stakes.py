"""The compensation at stake when a plan that loses money is stopped: judged by the verdict itself (SPEC 7.7, 4.4)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.liability import Owed, liability
from qianheng.actions.plan_standing import known_of
from qianheng.core.interval import Interval
from qianheng.core.money import Micros, to_fen
from qianheng.diagnosis.triage import Stake
from qianheng.guarantee.guard import weigh
from qianheng.guarantee.liability import together
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
    earlier = [one.expected for one in owed if one.plan.id == plan_id and one.day < desk.now.date()]
    whole = together(earlier)
    on_its_way = Interval(whole.low, max(whole.low, min(whole.mean, whole.high)), whole.high) if earlier else None
    if known.plan.status is not PlanStatus.ACTIVE:
        return Stake(open=on_its_way)
    made = change(known.plan, len(known.history), desk.now, desk.actor.name, "", status=PlanStatus.PAUSED)
    weighed = weigh(known, made)
    rules = known.policy(desk.now.date()).rules
    short, waiting = _waiting(weighed.before, rules.orders.fewest if rules else 0)
    return Stake(max(weighed.at_stake, waiting), short, on_its_way)


def _waiting(verdict: Verdict, fewest: int) -> tuple[int, Micros]:
    """How many orders alone are missing of the fewest there must be, and the compensation that waits for them."""
    if {one.reason for one in verdict.checks if not one.passed} != {Reason.TOO_FEW_ORDERS}:
        return 0, 0
    return fewest - verdict.sums.orders, max(0, to_fen(verdict.sums.spend - verdict.sums.expected_spend))
