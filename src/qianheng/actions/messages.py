"""Telling alerts where people are: channels, and the delivery of what waits in the outbox (SPEC 11, 14.2).

A message is sent at least once: who dies between sending and writing it down sends it again, under the same id. What
is refused is tried again later and later, what can never be accepted is put aside and shown. Addresses and secrets may
stand in the environment or in a file that nobody else may read; they are never shown.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from qianheng.actions.alert_text import Rules, sentence
from qianheng.actions.alerts import rules_in_force, shop_of
from qianheng.actions.desk import Desk
from qianheng.actions.secrets import revealed
from qianheng.core.actors import Act, demand
from qianheng.core.days import MINUTE, microseconds, moment
from qianheng.core.errors import BadInput, NotFound, QianhengError
from qianheng.core.ids import stable_id
from qianheng.core.words import LANGUAGES, Language, say, speaking
from qianheng.diagnosis.alerts import AlertEvent, Happened
from qianheng.diagnosis.evidence import Severity
from qianheng.store import alerts as kept
from qianheng.store import messages
from qianheng.store.database import reading
from qianheng.store.messages import ATTEMPTS, Channel, Message, Outcome
from qianheng.vendors.messengers import MESSENGERS, Letter, Post, Told, understood

PATIENCE = 10.0  # seconds for each step of a request
MAIL = "mail"
MAIL_AT_ONCE, MAILS_A_MINUTE = 20, 20
_EVER = 2**62  # later than any event
KINDS = (*MESSENGERS, MAIL)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of telling some messages together on a channel."""

    channel: str
    messages: int
    outcome: Outcome
    answer: str


def list_channels(desk: Desk) -> list[Channel]:
    """Where the actor's shop is told."""
    with reading(desk.database) as connection:
        return messages.channels(connection, shop_of(desk))


def set_channel(desk: Desk, channel: Channel) -> Channel:
    """Tell the actor's shop there from now on. What a channel cannot be: BadInput."""
    demand(desk.actor, Act.SET_CHANNELS)
    _check(channel)
    made = replace(channel, shop_id=shop_of(desk) or "")
    with desk.database.begin() as connection:
        messages.set_channel(connection, made, microseconds(desk.now))
        about = {"do": "add", "type": channel.kind, "name": channel.name}
        desk.enter(connection, Act.SET_CHANNELS, f"channel {channel.name}", about)
    return made


def remove_channel(desk: Desk, name: str) -> None:
    """Tell the actor's shop there no more. None of that name: NotFound."""
    demand(desk.actor, Act.SET_CHANNELS)
    with desk.database.begin() as connection:
        found = _named(messages.channels(connection, shop_of(desk)), name)
        messages.remove_channel(connection, found.shop_id, name, microseconds(desk.now))
        desk.enter(connection, Act.SET_CHANNELS, f"channel {name}", {"do": "remove"})


def try_channel(desk: Desk, name: str, at: datetime) -> Delivered:
    """Send a greeting on a channel now, beside the outbox. None of that name: NotFound."""
    demand(desk.actor, Act.SET_CHANNELS)
    channel = _named(list_channels(desk), name)
    with speaking(_language(channel)):
        told = Told(say("alerts.greeting"), (), Severity.NORMAL, {"id": "0", "happened": "test"})
        letter = Letter(stable_id("greeting", name, at), say("alerts.heading"), at, [told])
        outcome, answer = _send(channel, letter)
    return Delivered(name, 1, outcome, answer)


def deliver(desk: Desk, at: datetime) -> list[Delivered]:
    """Send what waits in the outbox of the actor's shop and is due at `at` (the time of the world), channel by channel
    in its order, as often a minute as each kind allows. On a failure a channel waits for its next time.
    """
    with reading(desk.database) as connection:
        reached = messages.channels(connection, shop_of(desk))
        numbers = {one.alert.id: one.number for one in kept.alerts(connection, None, _EVER)}
        telling = _Telling(at, rules_in_force().written, {one.id: one for one in kept.events(connection)}, numbers)
    found: list[Delivered] = []
    for channel in reached:
        while (one := _deliver_some(desk, channel, telling)) is not None:
            found.append(one)
            if one.outcome is Outcome.FAILED:
                break
    return found


def outbox(desk: Desk) -> list[Message]:
    """Everything that was to be told to the actor's shop, with what came of it; what waits and what was given up."""
    with reading(desk.database) as connection:
        return messages.unsent(connection, shop_of(desk))


def shown(address: str) -> str:
    """An address as it may be shown: where it stands, or the host without the key that leads in."""
    if address.startswith(("env:", "file:")):
        return address
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname or '?'}/…"


@dataclass(frozen=True, slots=True)
class _Telling:
    """What telling needs: when, the rules' words, the events by id and the alerts' numbers."""

    at: datetime
    rules: Rules
    events: Mapping[int, AlertEvent]
    numbers: Mapping[int, int]


def _deliver_some(desk: Desk, channel: Channel, telling: _Telling) -> Delivered | None:
    """Send the next few messages of a channel; `None` when none is due, or no more may be sent this minute."""
    now = microseconds(telling.at)
    at_once, a_minute = MAIL_AT_ONCE, MAILS_A_MINUTE
    if channel.kind != MAIL:
        at_once, a_minute = MESSENGERS[channel.kind].at_once, MESSENGERS[channel.kind].a_minute
    with reading(desk.database) as connection:
        mine = messages.unsent(connection, channel.shop_id, channel.name)
        waiting = [one for one in mine if one.waiting and one.event_id in telling.events][:at_once]
        sent = messages.posts_since(connection, channel.shop_id, channel.name, now - MINUTE)
        if not waiting or waiting[0].due_at > now or sent >= a_minute:
            return None
    with speaking(_language(channel)):
        told = [_told(telling.events[one.event_id], telling, str(desk.now.tzinfo)) for one in waiting]
        post_id = waiting[0].id if at_once == 1 else stable_id("post", *(one.id for one in waiting))
        outcome, answer = _send(channel, Letter(post_id, say("alerts.heading"), telling.at, told))
    if outcome is Outcome.FAILED and waiting[0].attempts + 1 >= ATTEMPTS:
        outcome = Outcome.DEAD
    with desk.database.begin() as connection:
        messages.tried(connection, waiting, post_id, (now, outcome, answer))
    return Delivered(channel.name, len(waiting), outcome, answer)


def _told(event: AlertEvent, telling: _Telling, timezone: str) -> Told:
    name = f"a{telling.numbers[event.alert_id]}"
    title, lines = sentence(event, telling.rules, timezone)
    severity = str(Severity.NORMAL if event.happened is Happened.RESOLVED else event.severity)
    subject = event.key.subject
    body: dict[str, Any] = {
        "id": str(event.id),
        "alert": name,
        "happened": str(event.happened),
        "at": moment(event.at, timezone).isoformat(),
        "rule": event.key.rule,
        "severity": str(event.severity),
        "shop_id": event.key.shop_id,
        "subject": {"about": str(subject.about), "id": subject.id, "name": subject.name, "within": subject.within},
        "detail": dict(event.detail),
        "text": " ".join([title, *lines]),
    }
    return Told(f"{name} {title}", lines, severity, body)


def _send(channel: Channel, letter: Letter) -> tuple[Outcome, str]:
    """Send a letter: what came of it, and what was answered, in which no secret stands."""
    try:
        address, secret = revealed(channel.address), revealed(channel.secret)
        if channel.kind == MAIL:
            return _mail(address, secret, letter)
        messenger = MESSENGERS[channel.kind]
        return _post(channel.kind, messenger.write(address, secret, letter))
    except QianhengError as error:
        return Outcome.FAILED, str(error)


def _post(kind: str, request: Post) -> tuple[Outcome, str]:
    if urlsplit(request.url).scheme not in ("http", "https"):
        return Outcome.DEAD, say("alerts.channel.not_http")
    try:
        with httpx.Client(timeout=PATIENCE) as client:
            response = client.post(request.url, content=request.body, headers=request.headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Outcome.FAILED, type(error).__name__
    accepted, again, answer = understood(MESSENGERS[kind], response.status_code, response.content)
    return Outcome.SENT if accepted else Outcome.FAILED if again else Outcome.DEAD, answer


def _mail(address: str, password: str, letter: Letter) -> tuple[Outcome, str]:
    """Mail by SMTP: smtp://USER@HOST:PORT?from=…&to=…, with STARTTLS where it is offered; smtps:// with TLS at once."""
    parts, query = urlsplit(address), parse_qs(urlsplit(address).query)
    mail = EmailMessage()
    mail["Subject"] = " · ".join([letter.heading, *(one.title for one in letter.told[:1])])
    mail["From"], mail["To"] = query["from"][0], ", ".join(query["to"])
    mail["Date"], mail["Message-ID"] = letter.at, f"<{letter.id}@qianheng>"
    mail.set_content("\n\n".join("\n".join([one.title, *one.lines]) for one in letter.told))
    try:
        with _smtp(parts.scheme, parts.hostname or "", parts.port or 0) as server:
            if parts.username:
                server.login(parts.username, password)
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        return _refused_by_mail(max(code for code, _ in error.recipients.values()))
    except smtplib.SMTPResponseException as error:
        return _refused_by_mail(error.smtp_code)
    except (OSError, smtplib.SMTPException) as error:
        return Outcome.FAILED, type(error).__name__
    return Outcome.SENT, "250"


def _refused_by_mail(code: int) -> tuple[Outcome, str]:
    """What a mail server's code means: from 500 on it will never take it."""
    return Outcome.DEAD if code >= 500 else Outcome.FAILED, str(code)


def _smtp(scheme: str, host: str, port: int) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=PATIENCE)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
    return server


def _check(channel: Channel) -> None:
    choices = (("--kind", channel.kind, KINDS), ("--at-least", channel.severity, [*Severity][1:]))
    for place, value, known in (*choices, ("--speak", channel.language, LANGUAGES)):
        if value not in known:
            raise BadInput("alerts.channel.unknown", place=place, value=value, known=", ".join(known))
    if not channel.name.strip():
        raise BadInput("alerts.channel.no_name", place="NAME")
    if channel.secret and not channel.secret.startswith(("env:", "file:")):
        raise BadInput("alerts.channel.bare_secret", place="--secret")
    if channel.address.startswith(("env:", "file:")):
        return
    parts = urlsplit(channel.address)
    query = parse_qs(parts.query)
    schemes = ("smtp", "smtps") if channel.kind == MAIL else ("http", "https")
    whole = parts.hostname and (channel.kind != MAIL or ("from" in query and "to" in query))
    if parts.scheme not in schemes or not whole:
        raise BadInput(f"alerts.channel.{'not_mail' if channel.kind == MAIL else 'not_http'}", place="--to")
    if parts.password:
        raise BadInput("alerts.channel.bare_secret", place="--to")


def _named(reached: Sequence[Channel], name: str) -> Channel:
    for channel in reached:
        if channel.name == name:
            return channel
    raise NotFound("alerts.channel.none", value=name, known=", ".join(one.name for one in reached) or "–")


def _language(channel: Channel) -> Language:
    return next(language for language in LANGUAGES if language == channel.language)
