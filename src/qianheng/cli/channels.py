"""`qianheng alerts channels` and `deliver`: where alerts are told, and the telling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import App
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.cli.sources import Source, desk_asked, history_asked
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.desk import Desk
    from qianheng.actions.messages import Delivered
    from qianheng.store.messages import Channel, Message

Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help=say("alerts.command.name"))]
Kind: TypeAlias = Annotated[str, typer.Option("--kind", metavar="KIND", help=say("alerts.command.kind"))]
To: TypeAlias = Annotated[str, typer.Option("--to", metavar="ADDRESS", help=say("alerts.command.to"))]
Secret: TypeAlias = Annotated[str, typer.Option("--secret", metavar="WHERE", help=say("alerts.command.secret"))]
AtLeast: TypeAlias = Annotated[str, typer.Option("--at-least", metavar="SEVERITY", help=say("alerts.command.at_least"))]
Escalated: TypeAlias = Annotated[bool, typer.Option("--escalated", help=say("alerts.command.escalated"))]
Speak: TypeAlias = Annotated[str, typer.Option("--speak", metavar="[en|zh]", help=say("alerts.command.speak"))]


def add_to(app: typer.Typer) -> None:
    """Add the commands on where alerts are told."""
    app.command("deliver", help=say("alerts.command.deliver"))(_deliver)
    channels = App(say("alerts.command.channels"), no_args_is_help=True)
    channels.command("list", help=say("alerts.command.channel_list"))(_channels)
    channels.command("add", help=say("alerts.command.channel_add"))(_add)
    channels.command("test", help=say("alerts.command.channel_test"))(_test)
    channels.command("remove", help=say("alerts.command.channel_remove"))(_remove)
    app.add_typer(channels, name="channels")


@contextmanager
def alert_desk(source: Source) -> Iterator[Desk]:
    """The desk of a run, or the one where imported reports lie: both have alerts."""
    from qianheng.actions.histories import Asked
    from qianheng.actions.report_alerts import report_desk
    from qianheng.cli.reports import stored

    if not source.reports:
        with desk_asked(source) as desk:
            yield desk
        return
    history = history_asked(source, Asked())
    with stored() as engine:
        yield report_desk(engine, history)


def _deliver(source: Source, as_json: AsJson = False) -> None:
    from qianheng.actions.messages import deliver, outbox

    with alert_desk(source) as desk:
        done = deliver(desk, datetime.now(UTC))
        left = outbox(desk)
    if as_json:
        told = {"delivered": [_delivered_json(one) for one in done], "left": [_message_json(one) for one in left]}
        print_json(told)
    else:
        _print_delivered(done)
        columns = headings("alerts", "channel", "event", "attempts", "outcome", "answer")
        rows = [(one.channel, one.event_id, one.attempts, _outcome(one), one.answer or None) for one in left]
        print_table(say("alerts.left"), columns, rows)
    if any(one.outcome != "sent" for one in done):
        raise typer.Exit(1)


def _channels(source: Source, as_json: AsJson = False) -> None:
    from qianheng.actions.messages import list_channels

    with alert_desk(source) as desk:
        found = list_channels(desk)
    _print_channels(found, as_json)


def _add(
    source: Source,
    name: Name,
    kind: Kind,
    to: To,
    secret: Secret = "",
    at_least: AtLeast = "act",
    escalated: Escalated = False,
    speak: Speak = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.messages import set_channel
    from qianheng.core.words import language
    from qianheng.store.messages import Channel

    wanted = Channel("", name, kind, to, secret, at_least, escalated, speak or language())
    with alert_desk(source) as desk:
        made = set_channel(desk, wanted)
    _print_channels([made], as_json)


def _test(source: Source, name: Name, as_json: AsJson = False) -> None:
    from qianheng.actions.messages import try_channel

    with alert_desk(source) as desk:
        done = try_channel(desk, name, datetime.now(UTC))
    if as_json:
        print_json(_delivered_json(done))
    else:
        _print_delivered([done])
    if done.outcome != "sent":
        raise typer.Exit(1)


def _remove(source: Source, name: Name, as_json: AsJson = False) -> None:
    from qianheng.actions.messages import remove_channel

    with alert_desk(source) as desk:
        remove_channel(desk, name)
    if as_json:
        print_json({"name": name, "removed": True})
    else:
        typer.echo(say("alerts.channel.removed", name=name))


def _print_channels(found: list[Channel], as_json: bool) -> None:
    from qianheng.actions.messages import shown

    rows = [
        {
            "name": one.name,
            "kind": one.kind,
            "to": shown(one.address),
            "secret": one.secret or None,
            "at_least": one.severity,
            "escalated": one.escalated,
            "speak": one.language,
        }
        for one in found
    ]
    if as_json:
        print_json(rows)
        return
    columns = headings("alerts", "name", "kind", "to", "secret", "at_least", "escalated", "speak")
    print_table("", columns, [[_cell(value) for value in row.values()] for row in rows])


def _cell(value: object) -> object:
    return ("✓" if value else "–") if isinstance(value, bool) else value


def _print_delivered(done: list[Delivered]) -> None:
    columns = headings("alerts", "channel", "messages", "outcome", "answer")
    rows = [(one.channel, one.messages, say(f"alerts.outcome.{one.outcome}"), one.answer) for one in done]
    print_table(say("alerts.delivered"), columns, rows)


def _outcome(message: Message) -> str:
    return say(f"alerts.outcome.{message.outcome or 'waiting'}")


def _delivered_json(one: Delivered) -> dict[str, Any]:
    told = {"channel": one.channel, "messages": one.messages}
    return told | {"outcome": str(one.outcome), "answer": one.answer}


def _message_json(one: Message) -> dict[str, Any]:
    told = {"id": str(one.id), "channel": one.channel, "event_id": str(one.event_id), "attempts": one.attempts}
    return told | {"outcome": str(one.outcome or "waiting"), "answer": one.answer or None}
