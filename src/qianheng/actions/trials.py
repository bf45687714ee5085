"""Experiments in the life of a run, morning by morning: plans that are arms join, and what is due that day is done."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.driver import Driver
from qianheng.actions.experiment_results import event_of, foreseen_of
from qianheng.actions.experiments import WantedTest, designed, keep, keep_dates, start_within
from qianheng.experiments.designs import Happened
from qianheng.plans.plan import Plan
from qianheng.simulator.planned import PlannedExperiment
from qianheng.store import experiments


def keep_all_dates(desk: Desk, planned: Iterable[PlannedExperiment]) -> None:
    """Do what is due of every running test at the desk's time, the beginning of a day, and start those that a scenario
    has its owner start then. Again on the same day: nothing new.
    """
    for one in planned:
        test = designed(desk, WantedTest(one.template, one.plan, one.settings, one.effect))
        told, _ = foreseen_of(desk, test)
        standing = keep(desk, test, event_of(told))
        if standing.status is Happened.PLANNED:
            with desk.database.begin() as connection:
                start_within(desk, connection, standing, confirmed=True)
    with desk.database.begin() as connection:
        for standing in experiments.every(connection, desk.actor.shop_id):
            keep_dates(desk, connection, standing)


def let_join(connection: Connection, driver: Driver, begun: Iterable[Plan]) -> None:
    """Serve the plans that were made since the last day; an arm as a copy of the plan that it is tried on."""
    served, origins = {plan.id for plan in driver.engine.plans}, experiments.origins(connection)
    for plan in sorted(begun, key=lambda plan: plan.id):
        if plan.id not in served:
            driver.join(plan, origins.get(plan.id))
