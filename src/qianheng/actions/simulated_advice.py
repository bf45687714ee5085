"""Advice in a simulated market: each morning its shops are advised, and automation does what the scenario allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from qianheng.actions.automation import advise_day, automatic
from qianheng.actions.desk import Desk
from qianheng.actions.histories import Asked, history_of
from qianheng.actions.plan_standing import known_of
from qianheng.actions.proposals import carry_out_due
from qianheng.actions.proposing import DAYS_KNOWN, Grounds, KnownOf, landscapes_of_run
from qianheng.actions.trials import keep_all_dates
from qianheng.core.actors import AUTOMATION, SCENARIO
from qianheng.core.days import midnight
from qianheng.guarantee.guard import NOTHING_YET, Known
from qianheng.simulator.planned import PlannedExperiment
from qianheng.simulator.scenario import Scenario
from qianheng.store import automation, proposals
from qianheng.store.database import reading
from qianheng.store.lake import Lake
from qianheng.strategy.automation import Limits


def allow(connection: Connection, scenario: Scenario, at: datetime) -> None:
    """Enter what a scenario allows automation to do in its shops."""
    if scenario.automation.enabled:
        for shop in scenario.shops:
            automation.set_limits(connection, str(shop.id), scenario.automation, (at, AUTOMATION.name))


@dataclass(frozen=True, slots=True)
class Mornings:
    """Where a run's shops are advised, before anything of a day is lived."""

    database: Database
    lake: Lake
    scenario: Scenario

    def advise(self, day: date) -> None:
        """Carry out what people scheduled for the day, and advise every shop that lets automation work for it. Again on
        the same day: nothing new.
        """
        for shop in self.scenario.shops:
            with reading(self.database) as connection:
                allowed = automation.limits(connection, str(shop.id)) or Limits()
            begins = midnight(day, self.scenario.timezone)
            keep_all_dates(
                Desk(self.database, self.lake, replace(SCENARIO, shop_id=shop.id), begins), self._planned(shop.id, day)
            )
            now = begins + timedelta(hours=min(allowed.hours, default=0))
            desk = automatic(Desk(self.database, self.lake, AUTOMATION, now), str(shop.id))
            if allowed.enabled and day > self.scenario.first_day:
                self._advise_shop(desk)
            else:
                self._keep_dates(desk, midnight(day + timedelta(days=1), self.scenario.timezone))

    def _planned(self, shop: int, day: date) -> list[PlannedExperiment]:
        """The tests that a shop's owner starts that day."""
        mine, number = (
            {plan.id for plan in self.scenario.plans if plan.shop == shop},
            (day - self.scenario.first_day).days,
        )
        return [one for one in self.scenario.experiments if one.plan in mine and one.day == number + 1]

    def _advise_shop(self, desk: Desk) -> None:
        history = history_of(desk, Asked(str(desk.actor.shop_id), DAYS_KNOWN))
        landscapes = landscapes_of_run(desk, history)
        with self.database.begin() as connection:
            advise_day(desk, connection, Grounds(history, landscapes, _known(desk, connection)))

    def _keep_dates(self, desk: Desk, until: datetime) -> None:
        with self.database.begin() as connection:
            if automation.stopped(connection, str(desk.actor.shop_id), self.scenario.timezone) is None:
                kept = proposals.of_shop(connection, str(desk.actor.shop_id))
                list(carry_out_due(desk, connection, kept, until))


def _known(desk: Desk, connection: Connection) -> KnownOf:
    """How plans stand with their guarantee before anything of the day has happened."""

    def known(plan_id: int) -> Known:
        return known_of(desk, connection, plan_id, NOTHING_YET)

    return known
