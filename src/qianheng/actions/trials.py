"""Experiments in the life of a run, morning by morning: plans that are arms join, and what is due that day is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.driver import Driver
from qianheng.actions.experiment_results import Told, event_of, foreseen_of, told_of, verdicts_of
from qianheng.actions.experiments import WantedTest, designed, keep, keep_dates, start_within
from qianheng.core.ids import stable_id
from qianheng.core.words import LANGUAGES, speaking
from qianheng.experiments.designs import Experiment, Happened
from qianheng.experiments.results import Rail, Verdict, in_words
from qianheng.plans.plan import Plan
from qianheng.simulator.planned import PlannedExperiment
from qianheng.store import experiments, notices
from qianheng.store.notices import Notice


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
        kept = [keep_dates(desk, connection, one) for one in experiments.every(connection, desk.actor.shop_id)]
    for standing in kept:
        if standing.status in (Happened.STARTED, Happened.ENDED):
            _tell_news(desk, told_of(desk, standing, with_records=False))


def news_of(told: Told) -> Iterator[tuple[str, str, Callable[[], dict[str, str]]]]:
    """What a shop is to know of its test without looking: kind, arm, and the words of it, in the language spoken."""
    if told.looked is not None and told.looked.leaked:
        yield "leaked", "", dict
    if told.looked is not None and not told.looked.shares.believed:
        yield "shares", "", dict
    for arm, verdict, rails in verdicts_of(told):
        if broken := [name for name, state in rails.items() if state is Rail.BROKEN]:
            yield "rail", arm, partial(_rails, told.standing.experiment, arm, broken)
        elif verdict not in (Verdict.NOT_YET, Verdict.BROKEN):
            yield "decided", arm, partial(_verdict, arm, verdict)
    if told.standing.status is Happened.ENDED:
        yield "over", "", dict


def _rails(experiment: Experiment, arm: str, broken: Iterable[str]) -> dict[str, str]:
    return {"arm": arm, "rails": ", ".join(map(experiment.named, broken))}


def _verdict(arm: str, verdict: Verdict) -> dict[str, str]:
    return {"arm": arm, "verdict": in_words(verdict)}


def _tell_news(desk: Desk, told: Told) -> None:
    """Let the shop know, each thing once in a test's life."""
    standing, subject = told.standing, f"experiment {told.standing.name}"
    with desk.database.begin() as connection:
        for kind, arm, words in news_of(told):
            key = stable_id("notice", "experiment", standing.experiment.id, kind, arm)
            if not notices.told(connection, key):
                values = {"name": standing.name} | in_all_languages(words)
                told_by = (standing.experiment.shop_id, f"designs.notice.{kind}", subject, values)
                notices.tell(connection, Notice(key, desk.now, *told_by))


def in_all_languages(words: Callable[[], dict[str, str]]) -> dict[str, dict[str, str]]:
    """Values in words, as a notice keeps them: by name, then by language."""
    found: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        with speaking(language):
            for name, value in words().items():
                found.setdefault(name, {})[language] = value
    return found


def let_join(connection: Connection, driver: Driver, begun: Iterable[Plan]) -> None:
    """Serve the plans that were made since the last day; an arm as a copy of the plan that it is tried on."""
    served, origins = {plan.id for plan in driver.engine.plans}, experiments.origins(connection)
    for plan in sorted(begun, key=lambda plan: plan.id):
        if plan.id not in served:
            driver.join(plan, origins.get(plan.id))
