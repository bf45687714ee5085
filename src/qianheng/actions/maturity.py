"""The maturity of a shop's figures, plan by plan, as known at a time (SPEC 3, 3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.figures import days_of, plans_of
from qianheng.core.days import microseconds
from qianheng.core.money import ratio, ratio_text, yuan
from qianheng.core.plain import Json
from qianheng.measures.days import Days, date_of
from qianheng.measures.maturity import AGES, Seen, aged, closed_for, cohort, known_sql
from qianheng.measures.query import PlanDay, known, maturity, plan_day, sums_of
from qianheng.measures.sums import mature, total
from qianheng.plans.plan import Plan
from qianheng.store.database import reading
from qianheng.store.lake import Lake


@dataclass(frozen=True, slots=True)
class Cohort:
    """Which days' figures are followed, and until when they are known."""

    connection: Connection
    lake: Lake
    days: Days
    now: datetime


def ripening(desk: Desk, plan_id: int | None, written: tuple[str, str]) -> list[Json]:
    """Of each plan: GMV, refunds and ROI of the days asked for by the age of their orders, and what payment, net and
    remaining ROI looked like when every day was 1, 2, … 14 days over. `None` where the youngest day is not so old.
    """
    with reading(desk.database) as connection:
        mine = plans_of(desk, connection, plan_id)
        days = days_of(desk, connection, mine, written)
        asked = Cohort(connection, desk.lake, days, desk.now)
        ages, seen = _by_age(asked), aged_days(asked)
    return [_plan(plan, asked, ages, seen) for plan in mine]


def aged_days(asked: Cohort) -> dict[PlanDay, list[Seen]]:
    """What was known of each plan's day when it was 1, 2, … 14 days over, on what is known now."""
    query = known(asked.days, known_sql(asked.days))
    return aged(asked.lake.query(asked.connection, query, as_of=asked.now), asked.days)


def seen_of(plan_id: int, seen: dict[PlanDay, list[Seen]], asked: Cohort) -> Sequence[Seen | None]:
    """All days of a plan that brought anything together, at each age."""
    own = {day: rows for (plan, day), rows in seen.items() if plan == plan_id and rows[-1].spend}
    if not own:
        return []
    return cohort(own.values(), closed_for(max(own), microseconds(asked.now), asked.days.timezone))


def _by_age(asked: Cohort) -> dict[PlanDay, Json]:
    rows = asked.lake.query(asked.connection, maturity(asked.days), as_of=asked.now).to_pylist()
    sums = sums_of(asked.lake.query(asked.connection, plan_day(asked.days), as_of=asked.now))
    refunds = {(row["plan_id"], date_of(row["day"])): row for row in rows}
    return {key: {"sums": found, "refunds": refunds.get(key, {})} for key, found in sums.items()}


def _plan(plan: Plan, asked: Cohort, ages: dict[PlanDay, Json], seen: dict[PlanDay, list[Seen]]) -> Json:
    own = {day: one for (of, day), one in ages.items() if of == plan.id and one["sums"].spend}
    whole = total(one["sums"] for one in own.values())
    told = {"plan_id": str(plan.id), "plan": plan.name, "days": len(own)}
    told |= {"spend": yuan(whole.spend), "gmv": yuan(whole.gmv)}
    by_age = [_age(name, own, asked) for name in AGES] if own else []
    known = [_seen(number, one) for number, one in enumerate(seen_of(plan.id, seen, asked), 1)]
    return told | {"by_age": by_age, "known": known}


def _age(name: str, own: dict[date, Json], asked: Cohort) -> Json:
    """What is left at an age of the orders, once every order has reached it."""
    closed = mature(max(own), asked.now, AGES[name], asked.days.timezone)
    whole = total(one["sums"] for one in own.values())
    refunded = sum(one["refunds"].get(name, 0) for one in own.values())
    kept = whole.gmv - refunded
    roi, rate = ratio(kept, whole.spend), ratio(refunded, whole.gmv)
    return {
        "age": name,
        "refunded": yuan(refunded) if closed else None,
        "kept_gmv": yuan(kept) if closed else None,
        "roi": ratio_text(roi) if closed else None,
        "refund_rate": ratio_text(rate) if closed else None,
    }


def _seen(number: int, one: Seen | None) -> Json:
    rois = ("payment_roi", "net_roi", "kept_roi")
    return {"days_over": number} | {name: None if one is None else ratio_text(getattr(one, name)) for name in rois}
