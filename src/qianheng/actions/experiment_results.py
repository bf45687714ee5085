"""Looking at a test of a kept run: its users' sums from the facts known at the desk's time, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.experiments import experiment_of
from qianheng.actions.histories import Asked, history_of
from qianheng.actions.side_by_side import SideBySide, side_by_side
from qianheng.core.days import day_of, moment
from qianheng.core.errors import BadInput, Refused
from qianheng.experiments.blocks import Cells, Switched, switchback
from qianheng.experiments.designs import Experiment, Happened, Standing, Unit
from qianheng.experiments.looking import Foreseen, Looked, Met, foreseen, foreseen_of_days, look
from qianheng.measures.days import Days, date_of
from qianheng.measures.query import plan_hour
from qianheng.measures.sums import mature
from qianheng.measures.users import UserSums, nothing, of_users, user_sums
from qianheng.plans.plan import Plan
from qianheng.store import plans
from qianheng.store.database import reading

BEFORE_DAYS = 28  # that are asked what users did before
WASHED_HOURS = 3  # of a day, for what was set the day before still acts
DRAWS = 2000  # of days to arms
HOURLY = ("gmv", "orders")  # what is known of a plan by the hour


@dataclass(frozen=True, slots=True)
class Told:
    """A test as it stands at a time. measured: the days that count so far, `None` before the first is over; mature_to:
    the last of them whose refunds of seven days have all come; looked: `None` while there is nothing to look at, and
    where days are assigned: then `switched` is what its days have shown, once all are over.
    """

    standing: Standing
    now: datetime
    measured: tuple[date, date] | None
    mature_to: date | None
    looked: Looked | None
    switched: Switched | None = None

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


def told_of(desk: Desk, standing: Standing) -> Told:
    """A test as it stands at the desk's time. Not started: Refused."""
    if standing.event(Happened.STARTED) is None:
        raise Refused("designs.not_started", place=standing.name)
    experiment, zone = standing.experiment, str(desk.now.tzinfo)
    first = standing.first_day + timedelta(days=experiment.settles)
    last = min(standing.last_day, desk.now.date() - timedelta(days=1))
    if first > last:
        return Told(standing, desk.now, None, None, None)
    if experiment.unit is Unit.DAYS:
        days = Days(first, last, zone)
        switched = _switched(desk, experiment, days, standing.first_day) if last == standing.last_day else None
        return Told(standing, desk.now, (first, last), None, None, switched)
    with reading(desk.database) as connection:
        arms = [plans.load(connection, id_).plan for id_ in standing.plans.values()]
        known = _before(desk, connection, experiment, standing.first_day)
        met = Met(_sums(desk, connection, Days(first, last, zone), arms), known[1] if known else nothing())
    found = look(experiment, standing.plans, met, _planned(standing))
    ripe = [day for day in Days(first, last, zone).each() if mature(day, desk.now, timezone=zone)]
    return Told(standing, desk.now, (first, last), max(ripe, default=None), found)


def record_of(desk: Desk, name: str, arm: str) -> SideBySide:
    """The record of a test's days, the first arm beside another (SPEC 12). An arm without a plan: BadInput."""
    with reading(desk.database) as connection:
        standing = experiment_of(desk, connection, name)
    experiment, chosen = standing.experiment, standing.experiment.arm(arm)
    first = standing.plans.get(experiment.arms[0].name)
    if first is None or chosen.name not in standing.plans:
        raise BadInput("designs.no_plan_of_arm", place="--b", value=chosen.name)
    last = min(standing.last_day, desk.now.date() - timedelta(days=1))
    history = history_of(desk, Asked(str(experiment.shop_id), (desk.now.date() - standing.first_day).days + 1))
    return side_by_side(history, (str(first), str(standing.plans[chosen.name])), (standing.first_day, last))


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
