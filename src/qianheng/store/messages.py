"""The outbox in SQL: where shops want to be told, what is to be told there, and every attempt to (SPEC 14.2).

A message is appended in the transaction of what it tells of, and sent at least once afterwards; its id is its key.
Everything is append-only: whether a message was sent, and when to try again, is a fold of the attempts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import HOUR, SECOND
from qianheng.core.ids import stable_id
from qianheng.store.database import Sequence as RowNumber
from qianheng.store.database import insert_unless_there, metadata

CHANNEL_CHANGE = sa.Table(
    "channel_change",
    metadata,
    sa.Column("sequence", RowNumber, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("shop_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("settings", sa.JSON(none_as_null=True)),
)
MESSAGE = sa.Table(
    "message",
    metadata,
    sa.Column("sequence", RowNumber, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("shop_id", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("event_id", sa.BigInteger, nullable=False),
)
DELIVERY = sa.Table(
    "delivery",
    metadata,
    sa.Column("sequence", RowNumber, primary_key=True),
    sa.Column("message_id", sa.BigInteger, sa.ForeignKey("message.id"), nullable=False, index=True),
    sa.Column("post_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
)
ATTEMPTS = 8
_OWN = ("shop_id", "name", "since")  # columns of their own
FIRST_WAIT, LONGEST_WAIT = 30 * SECOND, HOUR


class Outcome(StrEnum):
    """What came of an attempt: sent, to be tried again, or never to be accepted."""

    SENT = "sent"
    FAILED = "failed"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Channel:
    """Where a shop wants to be told, under a name: which kind, its address, and whom it reaches.

    `address` and `secret` may stand elsewhere: "env:NAME" or "file:PATH". Alerts of at least `severity` go there, of
    those that nobody handled if `escalated` only those, and nothing that happened before `since` (UTC microseconds).
    """

    shop_id: str
    name: str
    kind: str
    address: str
    secret: str = ""
    severity: str = "act"
    escalated: bool = False
    language: str = "en"
    since: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be told on a channel: an event of an alert; how often it was tried and what came of it last."""

    id: int
    shop_id: str
    channel: str
    event_id: int
    attempts: int = 0
    tried_at: int = 0
    outcome: Outcome | None = None
    answer: str = ""

    @property
    def waiting(self) -> bool:
        """Whether it is still to be sent."""
        return self.outcome in (None, Outcome.FAILED) and self.attempts < ATTEMPTS

    @property
    def due_at(self) -> int:
        """From when on it may be tried (again): after twice the time of the last wait."""
        wait = min(FIRST_WAIT * 2 ** max(self.attempts - 1, 0), LONGEST_WAIT)
        return self.tried_at + wait if self.attempts else 0


def set_channel(connection: Connection, channel: Channel, at: int) -> None:
    """From now on a shop is told there, instead of anywhere else under that name."""
    settings = {name: getattr(channel, name) for name in Channel.__dataclass_fields__ if name not in _OWN}
    _change(connection, (channel.shop_id, channel.name), settings, at)


def remove_channel(connection: Connection, shop_id: str, name: str, at: int) -> None:
    """From now on a shop is not told there any more."""
    _change(connection, (shop_id, name), None, at)


def channels(connection: Connection, shop_id: str | None = None) -> list[Channel]:
    """Where shops are told now, by shop and name: all shops or one."""
    held: dict[tuple[str, str], Channel | None] = {}
    for row in connection.execute(sa.select(CHANNEL_CHANGE).order_by(CHANNEL_CHANGE.c.sequence)):
        made = None if row.settings is None else Channel(row.shop_id, row.name, **row.settings, since=row.at)
        held[row.shop_id, row.name] = made
    return [found for (shop, _), found in sorted(held.items()) if found is not None and shop_id in (None, shop)]


def post(connection: Connection, channel: Channel, event_id: int) -> None:
    """Put a message in the outbox; the same again: nothing."""
    id_ = stable_id("message", channel.shop_id, channel.name, event_id)
    row = {"id": id_, "shop_id": channel.shop_id, "channel": channel.name, "event_id": event_id}
    connection.execute(insert_unless_there(connection, MESSAGE), row)


def unsent(connection: Connection, shop_id: str | None = None, channel: str | None = None) -> list[Message]:
    """What was not sent yet, or was given up, in the order it was put there: of all shops or of one, of a channel."""
    sent = sa.select(DELIVERY.c.message_id).where(DELIVERY.c.outcome == str(Outcome.SENT))
    query = sa.select(MESSAGE).where(MESSAGE.c.id.not_in(sent)).order_by(MESSAGE.c.sequence)
    if shop_id is not None:
        query = query.where(MESSAGE.c.shop_id == shop_id)
    if channel is not None:
        query = query.where(MESSAGE.c.channel == channel)
    attempts: dict[int, list[Any]] = {}
    failed = sa.select(DELIVERY).where(DELIVERY.c.outcome != str(Outcome.SENT)).order_by(DELIVERY.c.sequence)
    for row in connection.execute(failed):
        attempts.setdefault(row.message_id, []).append(row)
    return [_message(row, attempts.get(row.id, [])) for row in connection.execute(query)]


def tried(connection: Connection, told: Iterable[Message], post_id: int, came: tuple[int, Outcome, str]) -> None:
    """What came of one attempt to tell some messages together: when, what, and what was answered."""
    at, outcome, answer = came
    row = {"post_id": post_id, "at": at, "outcome": str(outcome), "answer": answer}
    rows = [{**row, "message_id": message.id} for message in told]
    connection.execute(sa.insert(DELIVERY), rows)


def posts_since(connection: Connection, shop_id: str, channel: str, since: int) -> int:
    """How often something was sent, or tried to be, on a channel since a time."""
    mine = sa.and_(MESSAGE.c.shop_id == shop_id, MESSAGE.c.channel == channel, DELIVERY.c.at >= since)
    pairs = sa.select(DELIVERY.c.post_id, DELIVERY.c.at).join(MESSAGE, MESSAGE.c.id == DELIVERY.c.message_id)
    query = sa.select(sa.func.count()).select_from(pairs.where(mine).distinct().subquery())
    return int(connection.scalar(query) or 0)


def _change(connection: Connection, whose: tuple[str, str], settings: Mapping[str, Any] | None, at: int) -> None:
    number = connection.scalar(sa.select(sa.func.count()).select_from(CHANNEL_CHANGE)) or 0
    row = {"id": stable_id("channel", *whose, number), "at": at, "shop_id": whose[0], "name": whose[1]}
    connection.execute(sa.insert(CHANNEL_CHANGE), {**row, "settings": None if settings is None else dict(settings)})


def _message(row: Any, attempts: Sequence[Any]) -> Message:
    message = Message(row.id, row.shop_id, row.channel, row.event_id)
    if not attempts:
        return message
    last = attempts[-1]
    told = (len(attempts), last.at, Outcome(last.outcome), last.answer)
    return Message(message.id, message.shop_id, message.channel, message.event_id, *told)
