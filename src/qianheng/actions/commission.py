"""The commission that a plan's guarantee is judged by: what an order its ads bring may owe, by the rules in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import Connection

from qianheng.core.days import microseconds, midnight
from qianheng.incentives.limits import target_limit
from qianheng.incentives.terms import Terms
from qianheng.plans.plan import Plan
from qianheng.store import incentives


def owing(terms: Terms, plan: Plan, day: date) -> Plan:
    """A plan at the highest commission that an order its ads bring can owe when a day ends in the plan's zone.

    A creator's rate for orders that ads brought goes before the one agreed for the plan (SPEC 10.2). A target must be
    below one over each rate there is.
    """
    if not terms.commissions:
        return plan
    ends = microseconds(midnight(day + timedelta(days=1), plan.timezone)) - 1
    limit = target_limit(terms, plan, ends)
    return plan if limit is None or limit.rate == plan.commission_rate else replace(plan, commission_rate=limit.rate)


def owing_on(connection: Connection, history: Iterable[Plan], day: date) -> list[Plan]:
    """The versions of a plan at what their orders owe by the rules kept."""
    terms = incentives.rules(connection).terms
    return [owing(terms, plan, day) for plan in history]
