"""Alerts on imported reports: every rule whose figures they tell, asked at the end of each day (SPEC 11, 13.2).

A report knows whole days: a rule that watches minutes or hours is asked of the day, against the days before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
from sqlalchemy import Engine

from qianheng.actions.alerts import record, rules_in_force
from qianheng.actions.desk import Desk
from qianheng.actions.findings import rules_kept, to_look_at
from qianheng.actions.watch import told
from qianheng.core.actors import Actor, Role
from qianheng.core.days import DAY, microseconds, midnight
from qianheng.core.money import Micros
from qianheng.diagnosis.alert_findings import observed
from qianheng.diagnosis.alert_measures import MEASURES, like_today
from qianheng.diagnosis.alerts import AlertEvent, Board, Key, Observed, handle, step
from qianheng.diagnosis.findings import findings
from qianheng.diagnosis.rules import ActiveRule, AlertRules
from qianheng.measures.history import About, History, Setting, Subject
from qianheng.measures.reports import Figures, add
from qianheng.measures.windows import Watched, Window
from qianheng.store import alerts as kept
from qianheng.store.database import home
from qianheng.store.lake import Lake

NOBODYS_SHOP = ""  # reports do not say whose they are
OWNER = Actor("owner", Role.OWNER)  # who imports reports at home


def report_desk(engine: Engine, history: History) -> Desk:
    """The desk where imported reports lie: its owner's, at the time of the history."""
    return Desk(engine, Lake(home() / "lake"), OWNER, history.now)


def check_reports(desk: Desk, history: History) -> list[AlertEvent]:
    """Look at every day of the reports since the last look; what happened."""
    rules = rules_in_force()
    with desk.database.begin() as connection:
        come = kept.watched(connection)
        board = handle(come.board, kept.handled(connection)) if come else {}
        looked = int(come.state["now"][0]) if come else 0
        silences = kept.silences(connection)
        found: list[AlertEvent] = []
        for day in sorted({day for days in history.days.values() for day in days}):
            at = microseconds(midnight(day + timedelta(days=1), history.timezone))
            if at > looked:
                seen = {**_observed(rules, history, day), **_found(rules, history, day, board)}
                board, happened = step(board, seen, at, rules.rules, silences)
                found += record(connection, happened)
                looked = at
        kept.keep_watch(connection, kept.Watched(board, {"now": np.array([looked])}))
    return found


def _observed(rules: AlertRules, history: History, day: date) -> dict[Key, Observed]:
    """What each rule says of each subject's day: since the day began, where it holds."""
    found: dict[Key, Observed] = {}
    for subject in history.days:
        if subject.within:
            continue  # the same in all plans together is asked
        for active in rules.asked:
            if active.about is subject.about:
                found[Key(active.name, NOBODYS_SHOP, subject)] = _ask(
                    active, _DayLook(history, subject, day, active.window)
                )
    return found


def _found(rules: AlertRules, history: History, day: date, board: Board) -> dict[Key, Observed]:
    """What findings say when the day is over, by what is known of it and of the days before."""
    wanted = rules_kept()
    first = day - timedelta(days=to_look_at(wanted).days)
    days = {
        subject: {at: told for at, told in by_day.items() if first <= at <= day}
        for subject, by_day in history.days.items()
    }
    now = midnight(day + timedelta(days=1), history.timezone)
    then = replace(history, now=now, days=days)
    return observed(rules, findings(then, wanted), then, (NOBODYS_SHOP, board))


def _ask(active: ActiveRule, look: _DayLook) -> Observed:
    if not active.enough(look.sums):
        return Observed(None)
    reading = MEASURES[active.rule.measure].read(look, active.spread)
    if reading is None or not active.holds(reading):
        return Observed(None if reading is None else False)
    return Observed(True, told(active, reading, look.sums), microseconds(look.began))


class _DayLook:
    """What reports tell of one subject at the end of a day (`diagnosis.alert_measures.Look`)."""

    def __init__(self, history: History, subject: Subject, day: date, window: Window) -> None:
        self._history, self._subject, self._day = history, subject, day
        self._count = max(window.days, 1)
        self.began = midnight(day, history.timezone)
        first = day - timedelta(days=self._count - 1)
        self.sums = _watched(add(history.each(subject, first, day).values()))
        self.serving: bool | None = None
        self.target_changes_today: int | None = None

    @property
    def base(self) -> Sequence[Watched]:
        """The days before that are most like this one."""
        known = self.days(7 * 4, before=1)
        return [known[back - 1] for back in like_today(self._day, len(known))]

    def days(self, count: int, before: int = 0) -> list[Watched]:
        """This day and those before, the latest first, as far back as anything is known."""
        told = self._history.days[self._subject]
        backs = (self._day - timedelta(days=back) for back in range(before, count + before))
        return [_watched(told.get(day, Figures())) for day in backs if day >= min(told)]

    @property
    def setting(self) -> Setting | None:
        """What its plan was set to at the end of the day, as far as the owner said."""
        plan = self._history.plans.get(self._subject.id) if self._subject.about is About.PLAN else None
        return plan.set_at(midnight(self._day + timedelta(days=1), self._history.timezone)) if plan else None

    @property
    def changed_days_ago(self) -> int | None:
        """For how many days its plan has been set so."""
        setting = self.setting
        return None if setting is None else (microseconds(self.began) - microseconds(setting.at)) // DAY

    @property
    def balance(self) -> Micros | None:
        """What the shop may spend: what a report told of the day, or the owner of today."""
        figures = self._history.days[self._subject].get(self._day, Figures())
        last = self._day == self._history.today - timedelta(days=1)
        return figures.balance if figures.balance is not None else self._history.shop.balance if last else None

    @property
    def margin(self) -> Fraction | None:
        """What the owner said."""
        return self._history.shop.margin


def _watched(figures: Figures) -> Watched:
    refunded = figures.refunded_1h
    if refunded is None and figures.gmv is not None and figures.net_gmv is not None:
        refunded = figures.gmv - figures.net_gmv
    return Watched(
        figures.spend,
        figures.net_orders if figures.orders is None else figures.orders,
        figures.gmv,
        refunded,
        figures.promoted_orders,
        figures.impressions,
        figures.clicks,
        figures.off_air_spend,
    )
