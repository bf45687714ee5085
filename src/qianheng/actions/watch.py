"""The watch: facts as they come, rules asked every minute of their time, alerts raised (SPEC 11).

The driver feeds it step by step, the desk a day at a time; it cuts both into the same minutes, so both raise the same
alerts at the same times. Only what has changed is asked again, and what moves by the passing of time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

from qianheng.actions.lookout import LOOKS_AT, Lookout
from qianheng.core.days import DAY, MINUTE, microseconds, midnight, moment
from qianheng.core.money import Micros, ratio_text, yuan
from qianheng.diagnosis.alert_measures import MEASURES, Measure, Reading, hours_left, like_today
from qianheng.diagnosis.alerts import AlertEvent, Board, Key, Observed, Silence, step
from qianheng.diagnosis.rules import ActiveRule, AlertRules
from qianheng.facts.batch import FactBatch
from qianheng.measures.days import Int64, date_of
from qianheng.measures.history import About, Setting
from qianheng.measures.tally import Counts, Tally
from qianheng.measures.windows import MINUTES_A_DAY, Watched, Window, Windows, local
from qianheng.plans.plan import HOURS_OF_DAY, Counting, Plan, PlanStatus

TODAY, LAST_HOUR = Window(), Window(minutes=60)
NEARLY_SPENT = Fraction(95, 100)  # of a budget: a plan that is so far goes slower
WEIGHED = ("target", "goal", "budget_daily", "bid_mode")


class Terms:
    """What plans are from time to time, by the version of their change log."""

    def __init__(self) -> None:
        self._of = defaultdict[int, dict[int, tuple[int, Plan]]](dict)

    def change(self, at: int, plan: Plan, version: int) -> None:
        """A plan is so from a time on (UTC microseconds)."""
        self._of[plan.id][version] = (at, plan)

    def at(self, plan_id: int, now: int) -> Plan | None:
        """A plan as it is at a time; `None` before it began."""
        return next((plan for since, plan in reversed(self._known(plan_id)) if since <= now), None)

    def changes(self, plan_id: int, fields: Sequence[str], since: int, now: int) -> int:
        """How often some of these fields were changed from one time to another."""
        return sum(since <= at <= now for at in self._changed(plan_id, fields))

    def stands_since(self, plan_id: int, fields: Sequence[str], now: int) -> int | None:
        """When one of these fields was last changed, or the plan began."""
        known = self._known(plan_id)
        began = [known[0][0]] if known else []
        return max((at for at in [*began, *self._changed(plan_id, fields)] if at <= now), default=None)

    def _known(self, plan_id: int) -> list[tuple[int, Plan]]:
        return [self._of[plan_id][version] for version in sorted(self._of[plan_id])]

    def _changed(self, plan_id: int, fields: Sequence[str]) -> Iterator[int]:
        for (_, before), (at, plan) in pairwise(self._known(plan_id)):
            if any(getattr(plan, name) != getattr(before, name) for name in fields):
                yield at


class Watcher:
    """Watches the plans of some shops. `look` goes on to a time; what it depends on is in `snapshot`."""

    def __init__(self, rules: AlertRules, plans: Iterable[Plan], timezone: str, now: datetime) -> None:
        self.rules, self.timezone = rules, timezone
        self.terms, self.silences = Terms(), tuple[Silence, ...]()
        self.board: Board = {}
        self.margins = dict[str, Fraction]()
        self._funds = dict[str, Micros]()
        self.lookout: Lookout | None = None  # of the day it has come to
        counts = {
            plan.id: Counts(plan.shop_id, plan.name, plan.counting is Counting.ALL, plan.room_id)
            for plan in sorted(plans, key=lambda plan: plan.id)
        }
        wanted = {TODAY, LAST_HOUR} | rules.windows()
        self._windows = Windows(sorted(wanted, key=repr), timezone, rules.base_days, microseconds(now) // MINUTE)
        self._tally = Tally(self._windows, counts, {active.about for active in rules.asked})
        self._asks: list[list[tuple[ActiveRule, Measure, Key]]] = []
        self._by_about = defaultdict[About, list[ActiveRule]](list)
        for active in rules.asked:
            self._by_about[active.about].append(active)
        for plan_id in counts:
            self._tally.expect(plan_id)
        self._moving = {*range(len(self._tally.subjects))}  # shops and plans, known from the start

    @property
    def now(self) -> int:
        """Until when it has looked, UTC microseconds."""
        return self._windows.now * MINUTE

    @property
    def today(self) -> date:
        """The natural day it has come to."""
        return date_of(local(self._windows.now, self.timezone) // MINUTES_A_DAY)

    def fund(self, shop_id: int, balance: Micros) -> None:
        """A shop begins a day with that much to spend."""
        self._funds[str(shop_id)] = balance

    def look(self, facts: FactBatch, until: int) -> list[AlertEvent]:
        """Go on to a time (UTC microseconds, a whole minute): all facts received before it that were not told yet."""
        self._tally.take(facts)
        events: list[AlertEvent] = []
        for _ in range(self._windows.now, until // MINUTE):
            found = self._found()
            seen = {**self._observed(self._tally.minute()), **found}
            self.board, happened = step(self.board, seen, self.now, self.rules.rules, self.silences)
            events += happened
        return events

    def snapshot(self) -> dict[str, Int64]:
        """What it depends on but for its board, as arrays."""
        return self._tally.snapshot()

    def restore(self, state: Mapping[str, Int64]) -> None:
        """Go on from a snapshot."""
        self._tally.restore(state)
        self._asks = []

    def _observed(self, changed: set[int]) -> dict[Key, Observed]:
        """What rules say of what has changed; each hour, of everything."""
        hourly = self._windows.now % 60 == 0
        found: dict[Key, Observed] = {}
        for number in range(len(self._tally.subjects)) if hourly else self._to_ask(changed):
            for active, measure, key in self._asks_of(number):
                if hourly or (not active.window.days and (measure.moves_by_itself or number in changed)):
                    seen = self._ask(active, number)
                    if seen.holds or self.board:
                        found[key] = seen
        return found

    def _found(self) -> Mapping[Key, Observed]:
        """What findings say, once an hour."""
        if self.lookout is None or local(self._windows.now, self.timezone) % 60 != LOOKS_AT:
            return {}
        return self.lookout.look(self.now, self.rules, self.board)

    def _asks_of(self, number: int) -> list[tuple[ActiveRule, Measure, Key]]:
        """The rules that are asked of a subject, and what an alert of each would be told apart by."""
        for one in range(len(self._asks), number + 1):
            subject, shop_id = self._tally.subjects[one], self._tally.shop_of[one]
            rules = self._by_about.get(subject.about, ())
            self._asks.append([(each, MEASURES[each.rule.measure], Key(each.name, shop_id, subject)) for each in rules])
        return self._asks[number]

    def _to_ask(self, changed: set[int]) -> set[int]:
        """What has changed, and the shops and plans, some of whose figures move by themselves."""
        return changed | self._moving

    def _ask(self, active: ActiveRule, number: int) -> Observed:
        sums = self._windows.sums(number, active.window)
        if not active.enough(sums):
            return _UNKNOWN
        look = _Look(self, number, active.window, sums)
        reading = MEASURES[active.rule.measure].read(look, active.spread)
        if reading is None:
            return _UNKNOWN
        return Observed(True, look.told(active, reading)) if active.holds(reading) else _GONE


_UNKNOWN, _GONE = Observed(None), Observed(False)


class _Look:
    """What the watch knows of one subject now (`diagnosis.alert_measures.Look`)."""

    __slots__ = ("_number", "_watcher", "_window", "sums")

    def __init__(self, watcher: Watcher, number: int, window: Window, sums: Watched) -> None:
        self._watcher, self._number, self._window, self.sums = watcher, number, window, sums

    @property
    def base(self) -> Sequence[Watched]:
        """The same hours of the earlier days that are most like today."""
        known = self._watcher._windows.base(self._number, self._window)
        return [known[back - 1] for back in like_today(self._watcher.today, len(known))]

    def days(self, count: int) -> Sequence[Watched]:
        """Of the last whole days, the latest first."""
        return self._watcher._windows.days(self._number, count)

    @property
    def _plan(self) -> Plan | None:
        subject = self._watcher._tally.subjects[self._number]
        return self._watcher.terms.at(int(subject.id), self._watcher.now) if subject.about is About.PLAN else None

    @property
    def setting(self) -> Setting | None:
        """What its plan is set to."""
        plan = self._plan
        if plan is None:
            return None
        at = moment(self._watcher.now, self._watcher.timezone)
        return Setting(at, plan.goal, plan.bid_mode, plan.target, plan.budget_daily, plan.status)

    @property
    def changed_days_ago(self) -> int | None:
        """How many whole days target, goal, mode and budget have stood."""
        plan, now = self._plan, self._watcher.now
        since = None if plan is None else self._watcher.terms.stands_since(plan.id, WEIGHED, now)
        return None if since is None else (now - since) // DAY

    @property
    def target_changes_today(self) -> int | None:
        """How often target or goal was changed today."""
        plan, now = self._plan, self._watcher.now
        if plan is None:
            return None
        zone = self._watcher.timezone
        began = microseconds(midnight(moment(now - 1, zone).date(), zone))
        return self._watcher.terms.changes(plan.id, ("target", "goal"), began, now)

    @property
    def serving(self) -> bool | None:
        """Whether its plan could spend all through the window."""
        plan = self._plan
        if plan is None:
            return None
        now, since = self._watcher.now, self._watcher.now - self._window.reach * MINUTE
        stood = self._watcher.terms.stands_since(plan.id, ("status", "schedule", "pace"), now)
        if plan.status is not PlanStatus.ACTIVE or stood is None or stood > since:
            return False
        hours = {moment(at, self._watcher.timezone).hour for at in range(since, now, 30 * MINUTE)}
        if plan.schedule and not hours <= {*plan.schedule} and len(plan.schedule) < HOURS_OF_DAY:
            return False
        if plan.room_id is not None:
            on = self._watcher._tally.on_air_since.get(plan.room_id)
            if on is None or on > since:
                return False
        spent = self._watcher._windows.sums(self._number, TODAY).spend or 0
        return spent < NEARLY_SPENT * plan.budget_daily

    @property
    def balance(self) -> Micros | None:
        """What its shop began the day with, less what its plans have spent since."""
        shop_id = self._watcher._tally.shop_of[self._number]
        funds = self._watcher._funds.get(shop_id)
        if funds is None:
            return None
        return funds - (self._watcher._windows.sums(self._number, TODAY).spend or 0)

    @property
    def margin(self) -> Fraction | None:
        """The shop's contribution before spend over GMV, if it has told."""
        return self._watcher.margins.get(self._watcher._tally.shop_of[self._number])

    def told(self, active: ActiveRule, reading: Reading) -> dict[str, Any]:
        """The figures of an alert, as JSON."""
        detail = told(active, reading, self.sums)
        if active.rule.measure == "balance_days" and self.balance is not None:
            detail["balance"] = yuan(self.balance)
            left = hours_left(self.balance, self._watcher._windows.sums(self._number, LAST_HOUR).spend or 0)
            if left is not None and left < HOURS_OF_DAY:
                ends = moment(self._watcher.now + int(left * 60) * MINUTE, self._watcher.timezone)
                detail["ends_at"] = ends.isoformat()
        return detail


def told(active: ActiveRule, reading: Reading, sums: Watched) -> dict[str, Any]:
    """What a rule saw, as JSON: the figure, its limit, between what it lies, and the sums of its window."""
    detail: dict[str, Any] = {"value": ratio_text(reading.value, 4), "window": active.rule.window}
    detail["limit"] = f"{active.rule.comparison} {active.rule.limit}"
    if reading.events is not None:
        detail["between"] = [f"{end:.4g}" for end in reading.between(active.wide)]
    counts = {name: getattr(sums, name) for name in ("orders", "clicks", "impressions")}
    money = {name: getattr(sums, name) for name in ("spend", "gmv")}
    detail |= {name: count for name, count in counts.items() if count is not None}
    return detail | {name: yuan(amount) for name, amount in money.items() if amount is not None}
