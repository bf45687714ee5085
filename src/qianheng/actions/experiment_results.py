"""Looking at a test of a kept run: its users' sums from the facts known at the desk's time, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.experiments import experiment_of
from qianheng.actions.histories import Asked, history_of
from qianheng.actions.side_by_side import SideBySide, in_turns, side_by_side_of
from qianheng.core.days import day_of, moment
from qianheng.core.errors import BadInput, Refused
from qianheng.diagnosis.standing import Span
from qianheng.experiments.blocks import Cells, Switched, switchback
from qianheng.experiments.designs import Experiment, Happened, Standing, Unit
from qianheng.experiments.looking import (
    HOURLY,
    Foreseen,
    Looked,
    Met,
    foreseen,
    foreseen_of_days,
    look,
    rails_of_days,
    verdict_of_days,
)
from qianheng.experiments.results import Rail, Verdict
from qianheng.measures.days import Days, date_of
from qianheng.measures.history import History
from qianheng.measures.query import plan_hour
from qianheng.measures.sums import mature
from qianheng.measures.users import UserSums, nothing, of_users, user_sums
from qianheng.plans.plan import Plan
from qianheng.store import plans
from qianheng.store.database import reading

BEFORE_DAYS = 28  # that are asked what users did before
WASHED_HOURS = 3  # of a day, for what was set the day before still acts
DRAWS = 2000  # of days to arms


@dataclass(frozen=True, slots=True)
class DaysTold:
    """What the days of a test have shown that were drawn to its arms, once all are over."""

    switched: Switched
    rails: Mapping[str, Rail]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Told:
    """A test as it stands at a time. measured: the days that count so far, `None` before the first is over; mature_to:
    the last of them whose refunds of seven days have all come; looked: `None` while there is nothing to look at, and
    where days are assigned: then `by_days` is what its days have shown, once all are over. records: its days side by
    side with the first arm's, by the name of each other arm that promotes.
    """

    standing: Standing
    now: datetime
    measured: tuple[date, date] | None
    mature_to: date | None
    looked: Looked | None
    by_days: DaysTold | None = None
    records: Mapping[str, SideBySide] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether all days of the test are over."""
        return self.measured is not None and self.measured[1] == self.standing.last_day


def foreseen_of(desk: Desk, experiment: Experiment) -> tuple[Foreseen | None, int]:
    """What a test takes, by the last whole days before the desk's, and how many days those are; `None` where too little
    is known of users, or of the plan's hours where days are assigned.
    """
    if experiment.unit is Unit.DAYS:
        return _foreseen_of_days(desk, experiment)
    with reading(desk.database) as connection:
        known = _before(desk, connection, experiment, desk.now.date())
    if known is None:
        return None, 0
    days, sums = known
    return (foreseen(experiment, sums, days), days) if len(sums.user_id) else (None, days)


def event_of(told: Foreseen | None) -> dict[str, object]:
    """What is kept of it with the plan of a test: fixed before anything is seen."""
    return {} if told is None else {"error": told.error, "days_needed": told.days_needed}


def told_of(desk: Desk, standing: Standing, *, with_records: bool = True) -> Told:
    """A test as it stands at the desk's time. Not started: Refused. with_records: its days side by side as well, and
    profit, if the shop's margin is known.
    """
    if standing.event(Happened.STARTED) is None:
        raise Refused("designs.not_started", place=standing.name)
    experiment, zone = standing.experiment, str(desk.now.tzinfo)
    first = standing.first_day + timedelta(days=experiment.settles)
    last = min(standing.last_day, desk.now.date() - timedelta(days=1))
    if first > last:
        return Told(standing, desk.now, None, None, None)
    whole = last == standing.last_day
    history = _history(desk, standing) if with_records or (whole and experiment.unit is Unit.DAYS) else None
    records = {} if history is None else _records(history, standing)
    if experiment.unit is Unit.DAYS:
        by_days = _by_days(desk, standing, Days(first, last, zone), records) if whole else None
        return Told(standing, desk.now, (first, last), None, None, by_days, records)
    with reading(desk.database) as connection:
        arms = [plans.load(connection, id_).plan for id_ in standing.plans.values()]
        known = _before(desk, connection, experiment, standing.first_day)
        during = _sums(desk, connection, Days(first, last, zone), arms)
    margin = None if history is None else history.shop.margin
    met = Met(during if margin is None else during.earning(margin), known[1] if known else nothing())
    found = look(experiment, standing.plans, met, _planned(standing))
    ripe = [day for day in Days(first, last, zone).each() if mature(day, desk.now, timezone=zone)]
    return Told(standing, desk.now, (first, last), max(ripe, default=None), found, None, records)


def verdicts_of(told: Told) -> list[tuple[str, Verdict, Mapping[str, Rail]]]:
    """What can be said of each arm beside the first, and where its guard rails stand; nothing while nothing can."""
    if told.by_days is not None:
        return [(told.standing.experiment.arms[1].name, told.by_days.verdict, told.by_days.rails)]
    return [(one.arm, one.verdict, one.rails) for one in (told.looked.comparisons if told.looked else ())]


def record_of(desk: Desk, name: str, arm: str) -> SideBySide:
    """The record of a test's days, the first arm beside another (SPEC 12). The first arm, or one without a plan:
    BadInput. Not started, or no day of it over: Refused.
    """
    with reading(desk.database) as connection:
        standing = experiment_of(desk, connection, name)
    experiment, chosen = standing.experiment, standing.experiment.arm(arm).name
    if chosen == experiment.arms[0].name:
        known = ", ".join(one.name for one in experiment.arms[1:] if not one.holds_out)
        raise BadInput("designs.first_arm", place="--b", value=chosen, known=known)
    if experiment.unit is Unit.USERS and standing.started is not None and chosen not in standing.plans:
        raise BadInput("designs.no_plan_of_arm", place="--b", value=chosen)
    if desk.now.date() > standing.first_day:
        record = _record(_history(desk, standing), standing, chosen)
        if record is not None:
            return record
    raise Refused("designs.no_day_over", place=standing.name)


def _records(history: History, standing: Standing) -> dict[str, SideBySide]:
    """The records of all arms but the first, as far as there are any."""
    experiment = standing.experiment
    others = [arm.name for arm in experiment.arms[1:] if experiment.unit is Unit.DAYS or arm.name in standing.plans]
    return {name: record for name in others if (record := _record(history, standing, name)) is not None}


def _history(desk: Desk, standing: Standing) -> History:
    """All that is known of the days of a test."""
    days = (desk.now.date() - standing.first_day).days + 1
    return history_of(desk, Asked(str(standing.experiment.shop_id), days))


def _record(history: History, standing: Standing, arm: str) -> SideBySide | None:
    """The days that are over, the first arm beside another; `None` where days were drawn and no turn is over."""
    experiment, first = standing.experiment, standing.first_day
    span = Span(first, min(standing.last_day, history.today - timedelta(days=1)))
    if experiment.unit is not Unit.DAYS:
        return side_by_side_of(history, (str(experiment.plan_id), str(standing.plans[arm])), span)
    every = len(experiment.arms)
    of = [{experiment.arm_of_day(t * every + i).name: t * every + i for i in range(every)} for t in range(span.days)]
    turns = [
        (first + timedelta(days=turn[experiment.arms[0].name]), first + timedelta(days=turn[arm]))
        for turn in of[: span.days // every]
    ]
    if not turns:
        return None
    return in_turns(history, str(experiment.plan_id), turns, Span(first, first + timedelta(len(turns) * every - 1)))


def _by_days(desk: Desk, standing: Standing, days: Days, records: Mapping[str, SideBySide]) -> DaysTold | None:
    """What all days say of the second arm; `None` of what is not known by the hour, or of too few days."""
    experiment = standing.experiment
    switched = _switched(desk, experiment, days, standing.first_day)
    record = records.get(experiment.arms[1].name)
    if switched is None or record is None:
        return None
    (results,) = record.results.values()
    rails = rails_of_days(experiment, {one.measure.name: one.told for one in results})
    return DaysTold(switched, rails, verdict_of_days(experiment, switched.relative, rails.values()))


def _foreseen_of_days(desk: Desk, experiment: Experiment) -> tuple[Foreseen | None, int]:
    with reading(desk.database) as connection:
        days = _days_before(desk, connection, desk.now.date())
    past = None if days is None else _switched(desk, experiment, days, days.first)
    return None if past is None else foreseen_of_days(experiment, past), 0 if days is None else len([*days.each()])


def _switched(desk: Desk, experiment: Experiment, days: Days, first_day: date) -> Switched | None:
    """What the plan sold on days of the second arm, against days of the first, counted from `first_day`; days are drawn
    in turns, so turns are compared within themselves. `None` of what no hour tells, or of too few days.
    """
    if experiment.primary not in HOURLY:
        return None
    with reading(desk.database) as connection:
        rows = desk.lake.query(connection, plan_hour(days), as_of=desk.now).to_pylist()
    sold = {
        (date_of(row["day"]), row["hour"]): row[experiment.primary]
        for row in rows
        if row["plan_id"] == experiment.plan_id
    }
    of_day = {(day - first_day).days: day for day in days.each()}
    arms = {number: experiment.arms.index(experiment.arm_of_day(number)) for number in of_day}
    hours = [(number, hour) for number, arm in arms.items() if arm < 2 for hour in range(24)]
    block, hour = np.array(hours, np.int64).reshape(-1, 2).T
    above = np.array([sold.get((of_day[one], hour), 0) for one, hour in hours], np.float64)
    arm = np.array([arms[one] for one, _ in hours], np.int64)
    cells = Cells(above, np.ones(len(hours)), block, arm, block // len(experiment.arms), hour)
    draws = np.random.default_rng(experiment.salt).random((DRAWS, len(arms)))
    return switchback(cells, WASHED_HOURS, draws, float(experiment.alpha))


def _planned(standing: Standing) -> float | None:
    """The error that was planned for its end, before anything was seen."""
    event = standing.event(Happened.PLANNED)
    error = None if event is None else event.body.get("error")
    return None if error is None else float(error)


def _before(desk: Desk, connection: Connection, experiment: Experiment, until: date) -> tuple[int, UserSums] | None:
    """What users did on the whole days before one, as far as anything is known, and how many days that is."""
    days = _days_before(desk, connection, until)
    if days is None:
        return None
    plan = plans.load(connection, experiment.plan_id).plan
    return (until - days.first).days, _sums(desk, connection, days, [plan])


def _days_before(desk: Desk, connection: Connection, until: date) -> Days | None:
    """The last days before one that anything is known of."""
    zone = str(desk.now.tzinfo)
    sql = f"SELECT MIN(f.at) AS at FROM orders AS f WHERE f.at < {Days(until, until, zone).since}"
    (row,) = desk.lake.query(connection, sql, as_of=desk.now).to_pylist()
    if row["at"] is None:
        return None
    first = max(until - timedelta(days=BEFORE_DAYS), day_of(moment(row["at"]), zone))
    return Days(first, until - timedelta(days=1), zone)


def _sums(desk: Desk, connection: Connection, days: Days, of: list[Plan]) -> UserSums:
    return of_users(desk.lake.query(connection, user_sums(days.since, days.until, of), as_of=desk.now))
