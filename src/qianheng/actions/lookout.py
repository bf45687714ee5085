"""The lookout: hour by hour, what has gone wrong in each shop, for the watch to tell of (SPEC 11).

As a day begins the whole past is counted; each hour only the last two days are counted again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.findings import rules_kept, to_look_at
from qianheng.actions.histories import Asked, At, history_within
from qianheng.core.days import midnight, moment
from qianheng.diagnosis.alert_findings import observed
from qianheng.diagnosis.alerts import Board, Key, Observed
from qianheng.diagnosis.findings import findings
from qianheng.diagnosis.rules import AlertRules
from qianheng.diagnosis.streams import clock_of
from qianheng.facts.batch import FactBatch
from qianheng.measures.history import History, Subject
from qianheng.measures.reports import Figures, figures_of
from qianheng.measures.sums import Sums

LOOKS_AT = 10  # minutes past the hour: its orders have been told, and the refunds of the hour before
COUNTED_AGAIN = 2  # days with today: refunds within the hour and orders that are told late may be of yesterday
_NOTHING = figures_of(Sums(), off_air_spend=0, unpromoted_orders=0)

Days: TypeAlias = Mapping[Subject, Mapping[At, Figures]]  # or hours


class Told(NamedTuple):
    """Where what has happened is read from: what is kept, and the facts of the day that are not yet."""

    connected: Callable[[], AbstractContextManager[Connection]]
    news: Callable[[], FactBatch]


class Lookout:
    """What goes wrong in some shops on one day. `desk`: as the day begins."""

    def __init__(self, desk: Desk, shops: Sequence[str], told: Told) -> None:
        self._desk, self._shops, self._told = desk, shops, told
        self._rules = rules_kept()

    def look(self, now: int, rules: AlertRules, board: Board) -> dict[Key, Observed]:
        """What findings say at a time of the day (UTC microseconds), by what had been told before it."""
        seen = dict[Key, Observed]()
        if not any(active.rule.anomaly for active in rules.rules.values()):
            return seen
        at = moment(now, str(self._desk.now.tzinfo))
        for shop_id in self._shops if at.hour == 0 else self._hourly:
            history = self._history(shop_id, at)
            seen |= observed(rules, findings(history, self._rules), history, (shop_id, board))
        return seen

    def _history(self, shop_id: str, now: datetime) -> History:
        wanted = Asked(shop_id, COUNTED_AGAIN, COUNTED_AGAIN, self._told.news())
        with self._told.connected() as connection:
            fresh = history_within(replace(self._desk, now=now), connection, wanted)
        return brought_up(self._past[shop_id], fresh)

    @cached_property
    def _hourly(self) -> list[str]:
        """The shops of which enough hours are known; of the others, more is known only when the day is over."""
        clocks = {shop_id: clock_of(past, self._rules.watch) for shop_id, past in self._past.items()}
        return [shop_id for shop_id, clock in clocks.items() if clock is not None and clock.steps > 1]

    @cached_property
    def _past(self) -> Mapping[str, History]:
        """Each shop as the day began."""
        with self._told.connected() as connection:
            return {
                shop_id: history_within(self._desk, connection, to_look_at(self._rules, shop_id))
                for shop_id in self._shops
            }


def brought_up(past: History, fresh: History) -> History:
    """A history with its last days as a later and shorter one tells them."""
    since = fresh.today - timedelta(days=COUNTED_AGAIN - 1)
    days = _joined(past.days, fresh.days, since)
    return replace(fresh, days=days, hours=_joined(past.hours, fresh.hours, midnight(since, fresh.timezone)))


def _joined(past: Days[At], fresh: Days[At], since: At) -> Days[At]:
    """Of everything what the past tells before a time, then what is fresh; where that tells nothing, nothing was."""
    times = sorted({at for told in fresh.values() for at in told})
    found: dict[Subject, Mapping[At, Figures]] = {}
    for subject in (*past, *(one for one in fresh if one not in past)):
        old: Mapping[At, Figures] = past.get(subject, {})
        new: Mapping[At, Figures] = fresh.get(subject, {})
        first = min((*old, *new))
        before = {at: figures for at, figures in old.items() if at < since}
        found[subject] = before | {at: new.get(at, _NOTHING) for at in times if at >= first}
    return found
