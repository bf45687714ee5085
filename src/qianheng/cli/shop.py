"""`qianheng shop`: what the owner says of the shop once, for advice on imported reports."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.options import App
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.days import SHANGHAI, zone
from qianheng.core.errors import BadInput, raise_together
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.shop import OwnShop, SaidSetting

Fields: TypeAlias = Annotated[list[str], typer.Argument(metavar="FIELD=VALUE...", help=say("shop.command.fields"))]
PlanSpoken: TypeAlias = Annotated[str, typer.Option("--plan", metavar="ID", help=say("shop.command.plan"))]
Since: TypeAlias = Annotated[str, typer.Option("--since", metavar="DAY", help=say("shop.command.since"))]
OF_SETTING = ("since", "goal", "bid_mode", "target", "budget_daily", "status")
CODED = ("goal", "bid_mode", "status")


def build_app() -> typer.Typer:
    """The commands on what the owner says."""
    app = App(say("shop.command.about"), no_args_is_help=True)
    app.command("show", help=say("shop.command.show"))(_show)
    app.command("set", help=say("shop.command.set"))(_set)
    return app


def _show(as_json: AsJson = False) -> None:
    from qianheng.actions.shop import own_shop

    _print(own_shop(), as_json)


def _set(said: Fields, plan: PlanSpoken = "", since: Since = "", as_json: AsJson = False) -> None:
    from qianheng.actions.shop import set_plan, set_shop

    read = _read(said)
    today = datetime.now(zone(SHANGHAI)).date().isoformat()
    _print(set_plan(plan, read, since or today) if plan else set_shop(read), as_json)


def _read(texts: list[str]) -> dict[str, str]:
    """The fields in "margin=0.42 products=12"; all that cannot be read is told at once."""
    values, faults = dict[str, str](), list[BadInput]()
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name in values:
            faults.append(BadInput("shop.bad_field", value=text))
        values[name] = value
    raise_together(faults)
    return values


def _print(shop: OwnShop, as_json: bool) -> None:
    from qianheng.actions.shop import SAID, OwnShop, shop_file
    from qianheng.cli.advise_json import plain

    if as_json:
        print_json(plain(shop))
    elif shop == OwnShop():
        typer.echo(say("shop.nothing_said"))
    else:
        print_table("", ["", ""], [[say(f"shop.field.{name}"), getattr(shop, name) or None] for name in SAID])
        rows = [
            [f"{plan_id} {plan.name}".strip(), *(_told(one, name) for name in OF_SETTING)]
            for plan_id, plan in shop.plans.items()
            for one in plan.settings
        ]
        if rows:
            print_table("", headings("shop", "plan", *OF_SETTING), rows)
        typer.echo(say("shop.kept_in", path=shop_file()))


def _told(setting: SaidSetting, name: str) -> object:
    """A field of a plan's setting, its codes in words."""
    from qianheng.actions.planning import in_words

    value = getattr(setting, name)
    return in_words(name, value) if name in CODED else value
