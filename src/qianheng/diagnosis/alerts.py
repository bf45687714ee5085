"""The life of an alert: a fold of what was observed, minute by minute, and of what people did (SPEC 11).

A condition that holds is pending until it has lasted; then an alert is raised, once a rule and subject. It is over when
the condition has been gone for a while. Nobody handles it: it goes to the next role, and is told again. What a silence
or a graver alert covers is not told to anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from qianheng.core.days import DAY, MINUTE
from qianheng.core.ids import stable_id
from qianheng.diagnosis.evidence import Severity
from qianheng.diagnosis.rules import ActiveRule
from qianheng.measures.history import About, Subject

FORGOTTEN = DAY  # an alert of which nothing is known for so long is over


class Happened(StrEnum):
    """What happens to an alert, in the order of its life."""

    FIRED = "fired"
    REPEATED = "repeated"
    ESCALATED = "escalated"
    HANDLED = "handled"
    RESOLVED = "resolved"


class State(StrEnum):
    """How an alert stands."""

    FIRING = "firing"
    HANDLED = "handled"
    RESOLVED = "resolved"


class Key(NamedTuple):
    """What an alert is told apart by: the rule, and of which shop what it is about."""

    rule: str
    shop_id: str
    subject: Subject

    @property
    def lineage(self) -> tuple[str, ...]:
        """The shop, the plan and the part that the subject is, as far as it is one."""
        subject = self.subject
        if subject.about is About.SHOP:
            return (self.shop_id,)
        if subject.about is About.PLAN:
            return (self.shop_id, subject.id)
        return (self.shop_id, subject.within, f"{subject.about} {subject.id}")

    def related(self, other: Key) -> bool:
        """Whether one's subject is the other's, a part of it, or has it as a part."""
        pairs = zip(self.lineage, other.lineage, strict=False)
        return all(mine == theirs for mine, theirs in pairs)


class Observed(NamedTuple):
    """Whether a condition holds (`None`: it cannot be told), the figures that say so, since when if not just now."""

    holds: bool | None
    detail: Mapping[str, Any] = {}
    since: int | None = None


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """Something that happened to an alert; times in UTC microseconds. `quiet`: a silence covers it, nobody is told."""

    id: int
    alert_id: int
    happened: Happened
    at: int
    key: Key
    severity: Severity
    detail: Mapping[str, Any] = field(default_factory=dict)
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is told of these alerts from one time to another: of a rule, a plan and its parts, or ("" both) all."""

    id: int
    shop_id: str
    since: int
    until: int
    who: str
    why: str
    rule: str = ""
    plan_id: str = ""

    def covers(self, key: Key, at: int) -> bool:
        """Whether it holds for an alert at a time."""
        mine = self.shop_id == key.shop_id and self.since <= at < self.until and self.rule in ("", key.rule)
        return mine and (not self.plan_id or self.plan_id in key.lineage[1:2])


@dataclass(frozen=True, slots=True)
class Standing:
    """How a condition that held stands: since when it holds, when it last did and was last known, and its alert."""

    since: int
    held_at: int
    known_at: int
    holds: bool | None
    detail: Mapping[str, Any]
    alert_id: int = 0
    fired_at: int = 0
    told_at: int = 0
    escalated: bool = False
    handled: bool = False

    def seen(self, observed: Observed | None, now: int) -> Standing:
        """A minute later, observed anew or as before."""
        holds = self.holds if observed is None else observed.holds
        detail = observed.detail if observed and observed.detail else self.detail
        held_at, known_at = (now if holds else self.held_at), (self.known_at if holds is None else now)
        return replace(self, held_at=held_at, known_at=known_at, holds=holds, detail=detail)


Board = Mapping[Key, Standing]
"""What is pending or raised."""


def step(
    board: Board,
    observed: Mapping[Key, Observed],
    now: int,
    rules: Mapping[str, ActiveRule],
    silences: Sequence[Silence],
) -> tuple[Board, list[AlertEvent]]:
    """One look, at a time after all looks before: the board after it, and what happened, in the order of keys.

    What is not observed again stands as it was last seen. Rules that are gone take their alerts with them.
    """
    if not board and not any(seen.holds for seen in observed.values()):
        return board, []
    seen_now = {key: standing.seen(observed.get(key), now) for key, standing in board.items() if key.rule in rules}
    for key, seen in observed.items():
        if seen.holds and key not in seen_now:
            seen_now[key] = Standing(now if seen.since is None else seen.since, now, now, True, seen.detail)
    after: dict[Key, Standing] = {}
    events: list[AlertEvent] = []
    for key in sorted(seen_now, key=_order):
        look = _Look(key, now, rules[key.rule], any(one.covers(key, now) for one in silences))
        standing, event = look.moved(seen_now[key], _inhibited(key, rules[key.rule], seen_now))
        if standing is not None:
            after[key] = standing
        if event is not None:
            events.append(event)
    return after, events


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at one condition."""

    key: Key
    now: int
    rule: ActiveRule
    silenced: bool

    def moved(self, one: Standing, inhibited: bool) -> tuple[Standing | None, AlertEvent | None]:
        """What becomes of it; `None` when it is forgotten."""
        if not one.alert_id:
            if not one.holds:
                return None, None
            due = self.now - one.since >= self.rule.lasting * MINUTE and not inhibited
            return self._raised(one) if due else (one, None)
        if self._over(one):
            return None, self._event(one, Happened.RESOLVED)
        if one.handled or inhibited or self.silenced:
            return one, None
        urges = self.rule.severity is not Severity.WATCH  # what is only to be watched cannot be late
        if urges and not one.escalated and self.now - one.fired_at >= self.rule.escalate_after * MINUTE:
            return replace(one, escalated=True, told_at=self.now), self._event(one, Happened.ESCALATED)
        if self.now - one.told_at >= self.rule.repeat * MINUTE:
            return replace(one, told_at=self.now), self._event(one, Happened.REPEATED)
        return one, None

    def _raised(self, one: Standing) -> tuple[Standing, AlertEvent]:
        rule, shop_id, subject = self.key
        alert_id = stable_id("alert", rule, shop_id, subject.about, subject.id, subject.within, self.now)
        raised = replace(one, alert_id=alert_id, fired_at=self.now, told_at=self.now)
        return raised, self._event(raised, Happened.FIRED)

    def _over(self, one: Standing) -> bool:
        if one.holds is None:
            return self.now - one.known_at >= FORGOTTEN
        return not one.holds and self.now - one.held_at >= self.rule.keep_firing_for * MINUTE

    def _event(self, one: Standing, happened: Happened) -> AlertEvent:
        id_ = event_id(one.alert_id, happened, self.now)
        return AlertEvent(
            id_, one.alert_id, happened, self.now, self.key, self.rule.severity, one.detail, self.silenced
        )


def event_id(alert_id: int, happened: Happened, at: int) -> int:
    """The id of what happens to an alert at a time: told twice, it is the same event."""
    return stable_id("alert_event", alert_id, happened, at)


def _order(key: Key) -> tuple[str, ...]:
    return (key.rule, key.shop_id, key.subject.within, key.subject.about, key.subject.id)


def _inhibited(key: Key, rule: ActiveRule, board: Board) -> bool:
    """Whether a condition that explains this one holds, of the same subject, what it is part of, or a part of it."""
    graver = rule.rule.inhibited_by
    if not graver:
        return False
    holding = ((other, one) for other, one in board.items() if other.rule in graver and one.holds)
    return any(key.related(place) for other, one in holding for place in _places(other, one))


def _places(key: Key, standing: Standing) -> Iterator[Key]:
    """Where a condition holds: of a part that several plans share, in each of them."""
    plans = standing.detail.get("plans") or [key.subject.within]
    return (key._replace(subject=replace(key.subject, within=plan)) for plan in plans)


def handle(board: Board, alert_ids: Iterable[int]) -> Board:
    """The board when people have handled these alerts."""
    done = {*alert_ids}
    return {key: replace(one, handled=True) if one.alert_id in done else one for key, one in board.items()}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands: what was first told of it, and what became of it (UTC microseconds, `None`: not yet)."""

    id: int
    key: Key
    severity: Severity
    state: State
    fired_at: int
    detail: Mapping[str, Any]
    quiet: bool
    escalated_at: int | None = None
    handled_at: int | None = None
    resolved_at: int | None = None
    handled_by: str = ""
    note: str = ""


def alerts_of(events: Iterable[AlertEvent]) -> list[Alert]:
    """The alerts that some events tell of, in the order they were raised; events told twice count once, in any order.

    Events of an alert that is not known to have been raised tell nothing yet.
    """
    lives: dict[int, dict[int, AlertEvent]] = {}
    for event in events:
        lives.setdefault(event.alert_id, {})[event.id] = event
    found = (_alert(list(life.values())) for life in lives.values())
    return sorted((one for one in found if one is not None), key=lambda one: (one.fired_at, _order(one.key)))


def _alert(life: Sequence[AlertEvent]) -> Alert | None:
    first = {what: min((e for e in life if e.happened is what), key=lambda e: e.at, default=None) for what in Happened}
    fired, handled, resolved = (first[what] for what in (Happened.FIRED, Happened.HANDLED, Happened.RESOLVED))
    if fired is None:
        return None
    state = State.RESOLVED if resolved else State.HANDLED if handled else State.FIRING
    by = handled.detail if handled else {}
    return Alert(
        fired.alert_id,
        fired.key,
        fired.severity,
        state,
        fired.at,
        fired.detail,
        fired.quiet,
        escalated_at=_at(first[Happened.ESCALATED]),
        handled_at=_at(handled),
        resolved_at=_at(resolved),
        handled_by=str(by.get("who", "")),
        note=str(by.get("note", "")),
    )


def _at(event: AlertEvent | None) -> int | None:
    return None if event is None else event.at
