"""`qianheng member`: who works in a shop, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.options import App, Seat
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.core.actors import Actor

Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help=say("desk.member.command.name"))]
RoleName: TypeAlias = Annotated[str, typer.Option("--role", metavar="ROLE", help=say("desk.member.command.role"))]


def build_app() -> typer.Typer:
    """The commands on members."""
    app = App(say("desk.member.command.about"), no_args_is_help=True)
    app.command("list", help=say("desk.member.command.list"))(_list)
    app.command("add", help=say("desk.member.command.add"))(_add)
    app.command("remove", help=say("desk.member.command.remove"))(_remove)
    return app


def _list(seat: Seat, as_json: AsJson = False) -> None:
    from qianheng.actions.members import list_members

    with seat.desk() as desk:
        found = list_members(desk)
    if as_json:
        print_json([_json(member) for member in found])
        return
    rows = [(member.name, say(f"actors.role.{member.role}"), member.shop_id) for member in found]
    print_table("", headings("desk.member", "name", "role", "shop"), rows)


def _add(seat: Seat, name: Name, role: RoleName = "viewer", as_json: AsJson = False) -> None:
    from qianheng.actions.members import add_member

    with seat.desk() as desk:
        member = add_member(desk, name, role)
    if as_json:
        print_json(_json(member))
    else:
        typer.echo(say("desk.member.added", name=member.name, role=say(f"actors.role.{member.role}")))


def _remove(seat: Seat, name: Name, as_json: AsJson = False) -> None:
    from qianheng.actions.members import remove_member

    with seat.desk() as desk:
        remove_member(desk, name)
    if as_json:
        print_json({"removed": name})
    else:
        typer.echo(say("desk.member.removed", name=name))


def _json(member: Actor) -> dict[str, object]:
    return {"name": member.name, "role": str(member.role), "shop_id": member.shop_id}
