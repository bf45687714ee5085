"""Alerts at the desk: the inbox, what people do with an alert, the look that catches up (SPEC 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.lookout import Lookout, Told
from qianheng.actions.watch import Watcher
from qianheng.core.actors import SYSTEM, Act, demand
from qianheng.core.days import MINUTE, microseconds, midnight
from qianheng.core.errors import BadInput, NotFound, Refused
from qianheng.core.ids import stable_id
from qianheng.core.words import say
from qianheng.diagnosis.alerts import AlertEvent, Happened, Silence, State, event_id, handle
from qianheng.diagnosis.evidence import Severity
from qianheng.diagnosis.rules import AlertRules, alert_rules, minutes
from qianheng.diagnosis.verdicts import thresholds
from qianheng.facts.batch import NO_FACTS, FactBatch
from qianheng.measures.tally import TALLIED
from qianheng.store import alerts as kept
from qianheng.store import messages, plans, runs, statement
from qianheng.store.alerts import Numbered, Watched
from qianheng.store.database import own_file, reading
from qianheng.store.lake import Lake
from qianheng.store.messages import Channel


def rules_in_force(instead: Path | None = None) -> AlertRules:
    """The rules: the owner's `alerts.toml` (or another file `instead`) and `thresholds.toml` of the home folder over
    those shipped.
    """
    return alert_rules(thresholds(own_file("thresholds.toml")), instead or own_file("alerts.toml"))


@dataclass(frozen=True, slots=True)
class Inbox:
    """The alerts that wait for somebody, the gravest first, and how many there were in all."""

    alerts: tuple[Numbered, ...]
    of: int


def inbox(desk: Desk, everything: bool = False) -> Inbox:
    """The alerts of the actor's shop that nobody has handled and that are not over; or all, the newest first."""
    with reading(desk.database) as connection:
        known = kept.alerts(connection, shop_of(desk), microseconds(desk.now))
    if everything:
        return Inbox(tuple(reversed(known)), len(known))
    waiting = [one for one in known if one.alert.state is State.FIRING and not one.alert.quiet]
    order = sorted(waiting, key=lambda one: (-Severity(one.alert.severity).rank, -one.alert.fired_at))
    return Inbox(tuple(order), len(known))


def waiting_or_of(desk: Desk, since: datetime) -> tuple[Numbered, ...]:
    """The alerts that wait, the gravest first, then those since a time that are handled or over, the newest first."""
    at = microseconds(since)
    told = [one for one in inbox(desk, everything=True).alerts if one.alert.fired_at >= at and not one.alert.quiet]
    return (*inbox(desk).alerts, *(one for one in told if one.alert.state is not State.FIRING))


def show(desk: Desk, name: str) -> tuple[Numbered, list[AlertEvent]]:
    """An alert by its short name ("a12") and all that happened to it. None of the actor's shop: NotFound."""
    with reading(desk.database) as connection:
        return _find(connection, desk, name)


def handle_alert(desk: Desk, name: str, note: str) -> Numbered:
    """Say that an alert is taken care of: it is told no more until it is over. Over, or handled before: Refused."""
    demand(desk.actor, Act.HANDLE_ALERT)
    with desk.database.begin() as connection:
        found, _ = _find(connection, desk, name)
        alert = found.alert
        if alert.state is not State.FIRING:
            raise Refused("alerts.not_firing", value=name, state=say(f"alerts.state.{alert.state}"))
        at = microseconds(desk.now)
        id_ = event_id(alert.id, Happened.HANDLED, at)
        detail = {"who": desk.actor.name, "note": note}
        kept.enter(connection, [AlertEvent(id_, alert.id, Happened.HANDLED, at, alert.key, alert.severity, detail)])
        desk.enter(connection, Act.HANDLE_ALERT, f"alert {name}", {"do": "handle", "reason": note})
        return _find(connection, desk, name)[0]


@dataclass(frozen=True, slots=True)
class Quiet:
    """What to be quiet about: a rule, a plan with its parts, or both; for how long ("2h") and why."""

    rule: str
    plan_id: str
    lasting: str
    why: str


def silence(desk: Desk, wanted: Quiet) -> Silence:
    """Tell nobody of these alerts for a while, beginning now.

    Neither rule nor plan, no such rule or plan, or a length that cannot be read: BadInput or NotFound.
    """
    demand(desk.actor, Act.HANDLE_ALERT)
    if not (wanted.rule or wanted.plan_id):
        raise BadInput("alerts.silence_of_what", place="--rule, --plan")
    known = rules_in_force().written
    if wanted.rule and wanted.rule not in known:
        raise NotFound("alerts.rules.no_rule", place="--rule", value=wanted.rule, known=", ".join(known))
    lasting = minutes(wanted.lasting, "--for")
    since = microseconds(desk.now)
    with desk.database.begin() as connection:
        shop_id = shop_of(desk) or ""
        if wanted.plan_id and shop_id:
            shop_id = str(_plan_of(desk, connection, wanted.plan_id))
        made = Silence(
            stable_id("silence", shop_id, since, wanted.rule, wanted.plan_id, lasting),
            shop_id,
            since,
            since + lasting * MINUTE,
            desk.actor.name,
            wanted.why,
            wanted.rule,
            wanted.plan_id,
        )
        kept.silence(connection, made)
        about = f"plan {wanted.plan_id}" if wanted.plan_id else f"alert {wanted.rule}"
        desk.enter(connection, Act.HANDLE_ALERT, about, {"do": "silence", "reason": wanted.why})
    return made


def silences(desk: Desk) -> list[Silence]:
    """The silences of the actor's shop that are not over."""
    with reading(desk.database) as connection:
        known = kept.silences(connection, shop_of(desk))
    return [one for one in known if one.until > microseconds(desk.now)]


def check(desk: Desk, told: Callable[[date], None] = lambda _: None) -> list[AlertEvent]:
    """Catch up: look at all facts from the last look to now; what happened, of the actor's shop.

    Finds what a watch that never slept would have found. Each day is one transaction; `told` hears of it before.
    """
    found: list[AlertEvent] = []
    with reading(desk.database) as connection:
        start, end = _lived(connection, desk.now)
    while True:
        with desk.database.begin() as connection:
            watcher = opened(connection, start)
            if watcher.now >= end:
                return [event for event in found if desk.actor.shop_id in (None, int(event.key.shop_id))]
            told(watcher.today)
            found += look(connection, desk.lake, watcher, end)
            keep(connection, watcher)


def opened(connection: Connection, start: datetime) -> Watcher:
    """The watch as it was left; a new one begins at `start`, in whose zone it counts days."""
    logged = plans.logged(connection)
    watcher = Watcher(rules_in_force(), [one.history[0] for one in logged], str(start.tzinfo), start)
    for one in logged:
        times = [microseconds(start), *(microseconds(made.at) for made in one.changes)]
        for version, (at, plan) in enumerate(zip(times, one.history, strict=True)):
            watcher.terms.change(at, plan, version)
    watcher.silences = tuple(kept.silences(connection))
    if (come := kept.watched(connection)) is not None:
        watcher.restore(come.state)
        watcher.board = handle(come.board, kept.handled(connection))
    return watcher


def caught_up(connection: Connection, lake: Lake, start: datetime, until: int) -> Watcher:
    """The watch of a run that goes on at a time (UTC microseconds); what nobody has looked at is looked at now."""
    watcher = opened(connection, start)
    while watcher.now < until:
        look(connection, lake, watcher, until)
    return watcher


def begin_day(
    connection: Connection, lake: Lake, watcher: Watcher, news: Callable[[], FactBatch] | None = None
) -> None:
    """Tell a watch with what money each shop began its day, and let it look out for what goes wrong in them.

    news: the day's facts so far, if they are kept only later, when this transaction is over.
    """
    began = midnight(watcher.today, watcher.timezone)
    shops = plans.ad_accounts(connection)
    for shop_id, ad_account_id in shops:
        held = statement.held_at(connection, ad_account_id, began)
        watcher.fund(shop_id, held.cash + held.credit)
    kept_so_far = Told(lambda: nullcontext(connection), lambda: NO_FACTS)
    told = kept_so_far if news is None else Told(partial(reading, connection.engine), news)
    desk = Desk(connection.engine, lake, SYSTEM, began)
    watcher.lookout = Lookout(desk, sorted({str(shop_id) for shop_id, _ in shops}), told)


def look(connection: Connection, lake: Lake, watcher: Watcher, end: int) -> list[AlertEvent]:
    """Go on with a watch to the end of its day, or to `end` if that comes before (UTC microseconds)."""
    tomorrow = microseconds(midnight(watcher.today + timedelta(days=1), watcher.timezone))
    until = min(tomorrow, end)
    begin_day(connection, lake, watcher)
    facts = FactBatch(
        {
            kind: lake.query(connection, _received(f"{kind}s", columns, (watcher.now, until)))
            for kind, columns in TALLIED.items()
        }
    )
    return record(connection, watcher.look(facts, until))


def record(connection: Connection, events: Iterable[AlertEvent]) -> list[AlertEvent]:
    """Keep what happened, and put what is to be told of it in the outbox, in one transaction; what is new of it."""
    new = kept.enter(connection, events)
    reached = messages.channels(connection)
    for event in new:
        for channel in reached:
            if wanted_on(channel, event):
                messages.post(connection, channel, event.id)
    return new


def wanted_on(channel: Channel, event: AlertEvent) -> bool:
    """Whether an event is told on a channel."""
    if event.quiet or event.happened is Happened.HANDLED or event.at < channel.since:
        return False
    grave = Severity(event.severity).rank >= Severity(channel.severity).rank
    of_it = channel.shop_id in ("", event.key.shop_id)
    return of_it and grave and (event.happened is Happened.ESCALATED or not channel.escalated)


def keep(connection: Connection, watcher: Watcher) -> None:
    """Keep how far a watch has come."""
    kept.keep_watch(connection, Watched(watcher.board, watcher.snapshot()))


def shop_of(desk: Desk) -> str | None:
    """The shop whose alerts the actor sees; `None`: all."""
    return None if desk.actor.shop_id is None else str(desk.actor.shop_id)


def _find(connection: Connection, desk: Desk, name: str) -> tuple[Numbered, list[AlertEvent]]:
    number = name.removeprefix("a")
    if not (number.isascii() and number.isdigit()):
        raise NotFound("alerts.no_alert", value=name)
    alert, events = kept.alert(connection, int(number), shop_of(desk))
    return Numbered(int(number), alert), events


def _plan_of(desk: Desk, connection: Connection, plan_id: str) -> int:
    if not plan_id.isdigit():
        raise NotFound("store.no_plan", plan=plan_id)
    return desk.plan(connection, int(plan_id)).plan.shop_id


def _lived(connection: Connection, now: datetime) -> tuple[datetime, int]:
    """When the run began, and the minute up to which it delivered or it is now (UTC microseconds)."""
    first, days, next_day = runs.span(connection)
    zone = str(now.tzinfo)
    ends = min(first + timedelta(days=days), next_day)
    end = min(microseconds(midnight(ends, zone)), microseconds(now))
    return midnight(first, zone), end // MINUTE * MINUTE


def _received(facts: str, columns: Sequence[str], between: tuple[int, int]) -> str:
    since, until = between
    told = ", ".join(f"f.{column}" for column in columns)
    return f"SELECT {told} FROM {facts} AS f WHERE f.received_at >= {since} AND f.received_at < {until}"
