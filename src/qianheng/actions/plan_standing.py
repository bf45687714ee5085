"""How a plan stands: its sums of today and of the last seven days, and what its guarantee says of today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from functools import partial

from sqlalchemy import Connection

from qianheng.actions.commission import owing_on
from qianheng.actions.desk import Desk
from qianheng.actions.judging import Summed
from qianheng.actions.policies import policies
from qianheng.core.days import day_of
from qianheng.core.money import ratio
from qianheng.guarantee.figures import Figures
from qianheng.guarantee.guard import Known
from qianheng.guarantee.verdict import Verdict
from qianheng.measures.days import Days
from qianheng.measures.query import channel_of, plan_day, plan_day_traffic, sums_of
from qianheng.measures.sums import Sums, total
from qianheng.plans.plan import Goal, Plan
from qianheng.store import plans
from qianheng.store.plans import StoredPlan

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PlanStanding:
    """How a plan stands: it and its version, its sums of today and of seven days with today, today's verdict."""

    stored: StoredPlan
    today: Sums
    week: Sums
    verdict: Verdict

    def roi(self, sums: Sums) -> Fraction | None:
        """The ROI of the plan's own goal: net GMV under `net`, else payment GMV, over spend."""
        return ratio(sums.net_gmv if self.stored.plan.goal is Goal.NET else sums.gmv, sums.spend)


def known_of(desk: Desk, connection: Connection, plan_id: int, figures: Figures | None = None) -> Known:
    """What is known of a plan at the desk's time: its change log and today's figures as of then, unless the caller
    knows them.
    """
    changes = [made for made in plans.log(connection, plan_id) if made.at <= desk.now]
    history = plans.history(connection, plan_id)[: len(changes) + 1]
    today = _today(desk, history[-1])
    if figures is None:
        figures = Summed.asked(connection, desk.lake, today, desk.now).figures(history, today.first)
    owed = tuple(owing_on(connection, history, today.first))
    return Known(owed, tuple(changes), figures, partial(policies().in_force, history[-1].policy))


def standing_of(desk: Desk, connection: Connection, stored: StoredPlan, known: Known) -> PlanStanding:
    """How a plan stands at the desk's time, on the facts received until then."""
    today = _today(desk, stored.plan)
    week = Days(today.last - WEEK + timedelta(days=1), today.last, today.timezone)
    answers = (
        sums_of(desk.lake.query(connection, plan_day(week), as_of=desk.now), channel_of(stored.plan.counting)),
        sums_of(desk.lake.query(connection, plan_day_traffic(week), as_of=desk.now)),
    )
    by_day = [(day, sums) for found in answers for (plan_id, day), sums in found.items() if plan_id == stored.plan.id]
    of_today = total(sums for day, sums in by_day if day == today.first)
    return PlanStanding(stored, of_today, total(sums for _, sums in by_day), known.verdict(desk.now, known.figures))


def _today(desk: Desk, plan: Plan) -> Days:
    day = day_of(desk.now, plan.timezone)
    return Days(day, day, plan.timezone)
