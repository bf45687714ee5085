"""`qianheng automation`: what may be done without asking, a day of it, and the switch that stops it."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import App, Seat, minute
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.cli.proposal_text import proposal_row
from qianheng.cli.proposals import seated
from qianheng.cli.sources import ShopId, Source, desk_asked
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.automation import Allowed
    from qianheng.actions.desk import Desk
    from qianheng.store.automation import Switch
    from qianheng.strategy.automation import Limits

Fields: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="LIMIT=VALUE...", help=say("proposals.automation.command.fields"))
]
All: TypeAlias = Annotated[bool, typer.Option("--all", help=say("proposals.automation.command.all"))]
Why: TypeAlias = Annotated[str, typer.Option("--why", metavar="TEXT", help=say("proposals.command.why"))]


def build_app() -> typer.Typer:
    """The commands on automation."""
    app = App(say("proposals.automation.command.about"), no_args_is_help=True)
    app.command("show", help=say("proposals.automation.command.show"))(_show)
    app.command("set", help=say("proposals.automation.command.set"))(_set)
    app.command("run", help=say("proposals.automation.command.run"))(_run)
    app.command("stop", help=say("proposals.automation.command.stop"))(_stop)
    app.command("resume", help=say("proposals.automation.command.resume"))(_resume)
    return app


def _show(seat: Seat, shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions.automation import allowed

    with desk_asked(seat) as desk:
        _print(desk, allowed(desk, shop_of(desk, shop)), as_json)


def _set(seat: Seat, limits: Fields, shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions.automation import allowed, set_limits

    with desk_asked(seat) as desk:
        whose = shop_of(desk, shop)
        set_limits(desk, whose, _changed(allowed(desk, whose).limits, limits))
        _print(desk, allowed(desk, whose), as_json)


def _run(seat: Seat, shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions.automation import run_automation
    from qianheng.actions.proposal_json import standing_json

    with seated(Source(seat.run, seat.actor, seat.now), shop) as (desk, grounds):
        done = run_automation(desk, grounds)
    if as_json:
        print_json([standing_json(one) for one in done])
        return
    columns = headings("proposals", "id", "plan", "action", "change", "profit", "status", "reason")
    print_table("", columns, [proposal_row(one) for one in done])


def _stop(seat: Seat, everywhere: All = False, why: Why = "", shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions.automation import stop

    with desk_asked(seat) as desk:
        stop(desk, None if everywhere else shop_of(desk, shop), why)
        _print_switch(desk, "" if everywhere else shop_of(desk, shop), as_json)


def _resume(seat: Seat, everywhere: All = False, why: Why = "", shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions.automation import resume

    with desk_asked(seat) as desk:
        resume(desk, None if everywhere else shop_of(desk, shop), why)
        _print_switch(desk, "" if everywhere else shop_of(desk, shop), as_json)


def shop_of(desk: Desk, wanted: str) -> str:
    """The shop asked for among those the actor sees, or the only one."""
    from qianheng.actions.histories import shop_asked
    from qianheng.store.database import reading

    with reading(desk.database) as connection:
        return str(shop_asked(desk, connection, wanted))


def _changed(limits: Limits, texts: list[str]) -> Limits:
    """The limits with some said anew; all that cannot be read is told at once."""
    from qianheng.core.errors import BadInput, raise_together
    from qianheng.strategy.automation import written

    known, table, faults = [one.name for one in fields(limits)], dict[str, Any](), list[BadInput]()
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in known or name in table:
            faults.append(BadInput("proposals.automation.unknown_limit", value=text, known=", ".join(known)))
            continue
        try:
            table[name] = written(name, value)
        except BadInput as error:
            faults.append(BadInput(error.key, place=name, **error.values))
    raise_together(faults)
    return replace(limits, **table)


def _print(desk: Desk, found: Allowed, as_json: bool) -> None:
    from qianheng.strategy.automation import shown

    told = {name: shown(name, value) for name, value in asdict(found.limits).items()}
    if as_json:
        print_json({"limits": told, "stopped": _stopped_json(found)})
        return
    rows = [(say(f"proposals.automation.limit.{name}"), name, text) for name, text in told.items()]
    print_table("", headings("proposals", "limit", "field", "value"), rows)
    if found.stopped is not None:
        _print_stopped(found.stopped, desk)
    elif not found.limits.enabled:
        typer.echo(say("proposals.automation.off"))


def _print_switch(desk: Desk, shop_id: str, as_json: bool) -> None:
    from qianheng.actions.automation import allowed

    found = allowed(desk, shop_id)
    if as_json:
        print_json({"stopped": _stopped_json(found)})
    elif found.stopped is None:
        typer.echo(say("proposals.automation.goes_on"))
    else:
        _print_stopped(found.stopped, desk)


def _print_stopped(switch: Switch, desk: Desk) -> None:
    told = {"at": minute(switch.at, desk.now), "actor": switch.actor, "why": switch.reason or "–"}
    typer.echo(say(f"proposals.automation.{'stopped' if switch.shop_id else 'stopped_everywhere'}", **told))


def _stopped_json(found: Allowed) -> dict[str, Any] | None:
    if found.stopped is None:
        return None
    told = {"actor": found.stopped.actor, "at": found.stopped.at.isoformat(), "reason": found.stopped.reason or None}
    return {"everywhere": found.stopped.shop_id is None, **told}
