"""Figures of a shop's plans as they were known at a time: sums first, ratios taken once from them (SPEC 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.core.days import day_of, parse_day
from qianheng.core.errors import BadInput
from qianheng.core.money import YUAN, ratio_text, yuan
from qianheng.core.placements import Placement
from qianheng.core.plain import Json
from qianheng.facts.schema import Channel
from qianheng.measures.breakdown import PARTS, By, Line, broken_down, whole
from qianheng.measures.days import Days, date_of
from qianheng.measures.goals import Rates, converted
from qianheng.measures.query import WHOLE, channel_of, plan_day, plan_day_traffic, sums_of
from qianheng.measures.sums import NAMES, Sums, mature, total
from qianheng.plans.plan import Counting, Goal, Plan
from qianheng.store import plans
from qianheng.store.database import reading

WINDOW = timedelta(days=30)  # the rates of a conversion of goals are of so many days (SPEC 3.3)
COUNTS = ("orders", "boosted_orders", "promoted_orders", "impressions", "clicks")
OF_CHANNEL = ("orders", "gmv", "refunded_1h", "refunded_7d", "refunded_14d")


@dataclass(frozen=True, slots=True)
class Question:
    """What figures are asked for: of one plan or all of the shop, from a day to another (default: all), broken down."""

    by: By = By.DAY
    plan_id: int | None = None
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """The lines of a breakdown and all of them together, as known at `known_at`, with names for their keys."""

    by: By
    known_at: datetime
    timezone: str
    lines: Sequence[Line]
    names: dict[int, str]
    total: Line | None


def figures(desk: Desk, asked: Question) -> Figures:
    """The figures as known before the desk's `now`. A day that cannot be read; last before first: BadInput."""
    with reading(desk.database) as connection:
        mine = plans_of(desk, connection, asked.plan_id)
        days = days_of(desk, connection, mine, (asked.first, asked.last))
        parts = PARTS.get(asked.by, WHOLE)
        answers = [desk.lake.query(connection, of(days, parts), as_of=desk.now) for of in (plan_day, plan_day_traffic)]
    lines = broken_down(answers[0], answers[1], asked.by, {plan.id: plan.counting for plan in mine})
    names = {line.key: _name(asked.by, line.key, mine) for line in lines}
    return Figures(asked.by, desk.now, days.timezone, lines, names, whole(lines))


def plans_of(desk: Desk, connection: Connection, plan_id: int | None) -> list[Plan]:
    """One plan of the actor's shop, or all of them. None of that id there: NotFound."""
    if plan_id is not None:
        return [desk.plan(connection, plan_id).plan]
    return [kept.plan for kept in plans.load_all(connection, desk.actor.shop_id)]


def days_of(desk: Desk, connection: Connection, mine: Sequence[Plan], written: tuple[str, str]) -> Days:
    """The days as written; without, from the first charge to the desk's `now`."""
    timezone = mine[0].timezone if mine else str(desk.now.tzinfo)
    first, last = (
        parse_day(day, option) if day else None for option, day in zip(("--from", "--to"), written, strict=True)
    )
    if first is None:
        charged = desk.lake.query(connection, "SELECT MIN(f.at) AS at FROM charges AS f")["at"].to_pylist()[0]
        first = date_of(charged // 86_400_000_000) - timedelta(days=1) if charged else day_of(desk.now, timezone)
    last = last or max(day_of(desk.now, timezone), first)
    if last < first:
        raise BadInput("proof.fault.days_backwards", place="--to", value=last, first=first)
    return Days(first, last, timezone)


def _name(by: By, key: int, mine: Sequence[Plan]) -> str:
    if by is By.DAY:
        return date_of(key).isoformat()
    if by is By.HOUR:
        return f"{key:02d}:00"
    if key < 0:
        return "unknown"
    if by is By.PLACEMENT:
        return Placement(key).name.lower()
    if by is By.CHANNEL:
        return Channel(key).name.lower()
    return next((plan.name for plan in mine if by is By.PLAN and plan.id == key), str(key))


def line_json(found: Figures, line: Line) -> Json:
    """A line as JSON: sums (money in yuan), ratios (`None` until their window has closed), and by what brought it."""
    sums = {name: _told(name, getattr(line.sums, name)) for name in NAMES if name != "invalid_spend"}
    sums |= {"net_gmv": yuan(line.sums.net_gmv)}
    channels = {
        channel.name.lower(): {name: _told(name, getattr(part, name)) for name in OF_CHANNEL}
        for channel, part in line.channels.items()
    }
    return {"sums": sums, "ratios": ratios(found, line), "counted": counted_json(line), "channels": channels}


def counted_json(line: Line) -> Json:
    """What counts for the plans, as advice, reviews and the guarantee go by it."""
    counted = line.counted
    sums = {name: _told(name, getattr(counted, name)) for name in ("orders", "gmv", "net_gmv")}
    return sums | {name: ratio_text(getattr(counted, name)) for name in ("payment_roi", "net_roi")}


def ratios(found: Figures, line: Line) -> dict[str, str | None]:
    """Every ratio of a line, taken once from its sums."""
    sums = line.sums
    in_7d, in_14d = (mature(line.last_day, found.known_at, timedelta(days=n), found.timezone) for n in (7, 14))
    cpm = sums.cpm
    taken: dict[str, Fraction | None] = {
        "payment_roi": sums.payment_roi,
        "net_roi": sums.net_roi,
        "settled_roi_7d": sums.settled_roi(in_7d),
        "settled_roi_14d": sums.settled_roi_14d(in_14d),
        "overall_roi": sums.overall_roi,
        "boosted_roi": sums.boosted_roi,
        "refund_rate_1h": sums.refund_rate_1h,
        "net_rate_1h": sums.net_rate_1h,
        "settle_rate_7d": sums.settle_rate_7d(in_7d),
        "ctr": sums.ctr,
        "cvr": sums.cvr,
        "cpm": None if cpm is None else cpm / YUAN,
    }
    return {name: ratio_text(value) for name, value in taken.items()}


def _told(name: str, value: int) -> str | int:
    return value if name in COUNTS else yuan(value)


def goal_targets(desk: Desk, plan_id: int | None = None) -> list[Json]:
    """The target of each plan as payment, net and settled ROI, by what of GMV was left in its last 30 days.

    The settle rate is of those of them whose seven days have closed. Plans that hold no such ROI are left out.
    """
    with reading(desk.database) as connection:
        mine = plans_of(desk, connection, plan_id)
        today = desk.now.date()
        days = Days(today - WINDOW, today - timedelta(days=1), str(desk.now.tzinfo))
        answer = desk.lake.query(connection, plan_day(days), as_of=desk.now)
    by_counting = {counting: sums_of(answer, channel_of(counting)) for counting in Counting}
    return [
        _converted(plan, {day: sums for (of, day), sums in by_counting[plan.counting].items() if of == plan.id}, desk)
        for plan in mine
        if plan.target is not None and plan.goal in (Goal.PAYMENT, Goal.NET, Goal.SETTLED)
    ]


def _converted(plan: Plan, by_day: dict[date, Sums], desk: Desk) -> Json:
    closed = [sums for day, sums in by_day.items() if mature(day, desk.now, timezone=plan.timezone)]
    rates = Rates(total(by_day.values()).net_rate_1h, total(closed).settle_rate_7d(closed=True))
    assert plan.target is not None  # as asked above
    found = converted(Fraction(plan.target), plan.goal, rates)
    return {
        "plan_id": str(plan.id),
        "plan": plan.name,
        "goal": plan.goal,
        "days": len(by_day),
        "net_rate_1h": ratio_text(rates.net),
        "settle_rate_7d": ratio_text(rates.settled),
        "targets": {goal: ratio_text(value) for goal, value in found.items()},
    }
