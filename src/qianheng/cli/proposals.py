"""`qianheng proposals`: what to change today and why, decided, carried out, and held to what it promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.options import App
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.cli.proposal_text import followed_row, print_proposal, proposal_row, record_json, record_row
from qianheng.cli.sources import ShopId, Source, desk_asked, history_asked
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.desk import Desk
    from qianheng.actions.proposing import Grounds
    from qianheng.actions.pushing import Push
    from qianheng.actions.vendor_accounts import VendorAccount

Name: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help=say("proposals.command.id"))]
All: TypeAlias = Annotated[bool, typer.Option("--all", help=say("proposals.command.all"))]
Edits: TypeAlias = Annotated[
    list[str], typer.Option("--edit", metavar="FIELD=VALUE", help=say("proposals.command.edit"))
]
Why: TypeAlias = Annotated[str, typer.Option("--why", metavar="TEXT", help=say("proposals.command.why"))]
At: TypeAlias = Annotated[str, typer.Option("--at", metavar="TIME", help=say("proposals.command.at"))]
Confirm: TypeAlias = Annotated[bool, typer.Option("--confirm", help=say("planning.command.confirm"))]
Write: TypeAlias = Annotated[bool, typer.Option("--write", help=say("proposals.command.write"))]
ByRule: TypeAlias = Annotated[bool, typer.Option("--by-rule", help=say("proposals.command.by_rule"))]

NO_EDITS: list[str] = []


def build_app() -> typer.Typer:
    """The commands on proposals."""
    app = App(say("proposals.command.about"), invoke_without_command=True)
    app.callback()(_default)
    commands: dict[str, Callable[..., None]] = {
        "list": _list,
        "show": _show,
        "accept": _accept,
        "reject": _reject,
        "schedule": _schedule,
        "roll-back": _roll_back,
        "follow-up": _follow_up,
        "record": _record,
    }
    for name, command in commands.items():
        app.command(name, help=say(f"proposals.command.{name.replace('-', '_')}"))(command)
    return app


@contextmanager
def seated(source: Source, shop: str = "") -> Iterator[tuple[Desk, Grounds]]:
    """The desk asked for and what proposals rest on there: a run's own, or that of what was imported."""
    from qianheng.actions.desk import Desk
    from qianheng.actions.proposing import all_asked, grounds_of_reports, grounds_of_run
    from qianheng.cli.reports import stored
    from qianheng.core.actors import Actor, Role
    from qianheng.store.database import home
    from qianheng.store.lake import Lake

    if not source.reports:
        with desk_asked(source) as desk:
            yield desk, grounds_of_run(desk, shop)
        return
    history = history_asked(source, all_asked(shop))
    with stored() as database:
        owner = Actor("owner", Role.OWNER)
        yield Desk(database, Lake(home() / "lake"), owner, history.now), grounds_of_reports(history)


def _default(context: typer.Context, source: Source, shop: ShopId = "", as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        _list(source, shop=shop, as_json=as_json)


def _list(source: Source, everything: All = False, shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions.proposal_json import standing_json
    from qianheng.actions.proposals import list_proposals
    from qianheng.actions.proposing import advise
    from qianheng.strategy.proposing import unknown_inputs

    with seated(source, shop) as (desk, grounds):
        found = advise(desk, grounds)
        if everything:
            found = list_proposals(desk, grounds.history.shop.id)
    if as_json:
        print_json([standing_json(one) for one in found])
        return
    columns = headings("proposals", "id", "plan", "action", "change", "profit", "status", "reason")
    if found:
        print_table("", columns, [proposal_row(one) for one in found])
    typer.echo(say("proposals.next", id=found[0].name) if found else say("proposals.none"))
    if lacking := unknown_inputs(grounds.history):
        names = say("proposals.semicolon").join(say(f"proposals.input.{name}") for name in lacking)
        typer.echo(say("proposals.lacking", inputs=names))


def _show(source: Source, name: Name, as_json: AsJson = False) -> None:
    from qianheng.actions.proposals import show_proposal

    with _desk(source) as desk:
        found = show_proposal(desk, name)
    print_proposal(found, as_json)


def _accept(
    source: Source,
    name: Name,
    edit: Edits = NO_EDITS,
    why: Why = "",
    confirm: Confirm = False,
    write: Write = False,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.proposals import accept
    from qianheng.actions.written_proposals import accept_and_write
    from qianheng.cli.plan import read_fields

    edits = read_fields(edit)
    with _desk(source) as desk:
        if write:
            found = accept_and_write(desk, _pushing(desk, source), name, edits, why)
        else:
            found = accept(desk, name, edits, confirmed=confirm, reason=why)
    print_proposal(found, as_json)


def _reject(source: Source, name: Name, why: Why = "", as_json: AsJson = False) -> None:
    from qianheng.actions.proposals import reject

    with _desk(source) as desk:
        found = reject(desk, name, why)
    print_proposal(found, as_json)


def _schedule(source: Source, name: Name, at: At, edit: Edits = NO_EDITS, as_json: AsJson = False) -> None:
    from qianheng.actions.proposals import schedule
    from qianheng.cli.plan import read_fields
    from qianheng.core.days import parse_time
    from qianheng.core.errors import BadInput

    edits = read_fields(edit)
    with _desk(source) as desk:
        try:
            due = parse_time(at, str(desk.now.tzinfo)).astimezone(desk.now.tzinfo)
        except BadInput as error:
            raise error.at("--at") from None
        found = schedule(desk, name, due, edits)
    print_proposal(found, as_json)


def _roll_back(
    source: Source, name: Name, why: Why = "", confirm: Confirm = False, write: Write = False, as_json: AsJson = False
) -> None:
    from qianheng.actions.proposals import roll_back
    from qianheng.actions.written_proposals import roll_back_by_writing

    with _desk(source) as desk:
        if write:
            found = roll_back_by_writing(desk, _pushing(desk, source), name, why)
        else:
            found = roll_back(desk, name, confirmed=confirm, reason=why)
    print_proposal(found, as_json)


def _follow_up(source: Source, shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions.proposal_json import standing_json
    from qianheng.actions.proposals import list_proposals
    from qianheng.actions.proposing import advise
    from qianheng.strategy.decisions import Step

    with seated(source, shop) as (desk, grounds):
        advise(desk, grounds)
        found = [one for one in list_proposals(desk, grounds.history.shop.id) if one.made(Step.CARRY_OUT)]
    if as_json:
        print_json([standing_json(one) for one in found])
        return
    columns = headings("proposals", "id", "plan", "change", "since", "status", "measured")
    print_table("", columns, [followed_row(one) for one in found])


def _record(source: Source, by_rule: ByRule = False, shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions.proposals import list_proposals
    from qianheng.actions.proposing import advise, followed_up
    from qianheng.strategy.learning import record

    with seated(source, shop) as (desk, grounds):
        advise(desk, grounds)
        lines = record(followed_up(list_proposals(desk, grounds.history.shop.id)), by_rule)
    if as_json:
        print_json([record_json(line) for line in lines])
        return
    names = ("advice", "followed", "helped", "hurt", "held", "profit_done", "ratio")
    print_table("", headings("proposals", *names), [record_row(line, by_rule) for line in lines])


def _pushing(desk: Desk, source: Source) -> Callable[[VendorAccount], Push]:
    """How changes are written to the accounts that reports were read from. A run has none: BadInput."""
    from qianheng.actions.pushing import Push
    from qianheng.actions.vendor_accounts import client_of
    from qianheng.cli.sync import at, clock
    from qianheng.core.errors import BadInput

    if not source.reports:
        raise BadInput("proposals.write_reports", place="--write")
    return lambda account: Push(desk.database, account, client_of(account, clock), at(source.now))


@contextmanager
def _desk(source: Source) -> Iterator[Desk]:
    if source.reports:
        with seated(source) as (desk, _):
            yield desk
    else:
        with desk_asked(source) as desk:
            yield desk
