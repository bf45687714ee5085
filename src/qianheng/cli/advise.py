"""`qianheng advise`: what to set a shop's plans to, of a run at the desk or of imported reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import App
from qianheng.cli.output import AsJson, print_json
from qianheng.cli.sources import OfPlan, ShopId, Source, desk_asked, history_asked
from qianheng.core.words import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from qianheng.actions.advising import Looked, Rulebook

Name: TypeAlias = Annotated[str, typer.Option("--promotion", metavar="NAME", help=say("advice.command.name"))]


def build_app() -> typer.Typer:
    """The advice as a whole, and each part of it in full."""
    app = App(say("advice.command.about"), invoke_without_command=True)
    app.callback()(_all)
    for name in ("goal", "budget", "products", "creators"):
        app.command(name, help=say(f"advice.command.{name}"))(_part(name))
    app.command("target", help=say("advice.command.target"))(_target)
    app.command("promotion", help=say("advice.command.promotion"))(_promotion)
    return app


def _all(context: typer.Context, source: Source, shop: ShopId = "", as_json: AsJson = False) -> None:
    if context.invoked_subcommand is not None:
        return
    from qianheng.actions.advising import advise
    from qianheng.actions.incrementality import added_json
    from qianheng.cli import advise_text

    looked, rules = _looked(source, shop)
    advice = advise(looked, rules)
    if as_json:
        added = {} if looked.added is None else {"incremental": added_json(looked.added.whole)}
        _print_json(looked, {"best": looked.best, **_fields(advice), **added})
    else:
        advise_text.print_all(looked, advice)


def _part(name: str) -> Callable[..., None]:
    """The command of a part that asks nothing of its own."""

    def command(source: Source, shop: ShopId = "", as_json: AsJson = False) -> None:
        from qianheng.actions.advising import advise
        from qianheng.cli import advise_text

        looked, rules = _looked(source, shop)
        advice = advise(looked, rules)
        part = {"budget": "split"}.get(name, name)
        _print(looked, {part: getattr(advice, part)}, as_json, lambda: advise_text.PARTS[part](looked, advice))

    return command


def _target(source: Source, plan: OfPlan = "", shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions.advising import targets
    from qianheng.cli import advise_text

    looked, rules = _looked(source, shop)
    found = targets(looked, rules, plan)
    _print(looked, {"targets": found}, as_json, lambda: advise_text.print_targets(looked, found))


def _promotion(source: Source, promotion: Name = "", shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions import advising
    from qianheng.cli import advise_text

    looked, rules = _looked(source, shop)
    found = advising.promotion(looked, rules, promotion)
    days = rules.advice.promotion.look_ahead_days
    _print(looked, {"promotion": found}, as_json, lambda: advise_text.print_promotion(looked, found, days))


def _looked(source: Source, shop: str) -> tuple[Looked, Rulebook]:
    """What there is to look at, and the rules in force; the rules first, so that a broken file is told at once."""
    from qianheng.actions.advising import LOOKED_BACK, Looked, look_at_run, rulebook
    from qianheng.actions.histories import Asked

    rules = rulebook()
    if source.reports:
        return Looked(history_asked(source, Asked(shop, LOOKED_BACK))), rules
    with desk_asked(source) as desk:
        return look_at_run(desk, shop), rules


def _print(looked: Looked, parts: dict[str, Any], as_json: bool, for_people: Callable[[], None]) -> None:
    """A part of the advice, after the breakeven that every answer begins with."""
    from qianheng.actions.advising import MONTH
    from qianheng.cli import advise_text
    from qianheng.strategy.breakeven import breakevens

    first = breakevens(looked.history, MONTH)
    if as_json:
        _print_json(looked, {"breakevens": first, "best": looked.best, **parts})
        return
    advise_text.print_title(looked)
    advise_text.print_breakevens(looked, first)
    for_people()


def _print_json(looked: Looked, parts: dict[str, Any]) -> None:
    from qianheng.cli.advise_json import plain

    history = looked.history
    shop = {"shop": history.shop.id, "source": history.source, "now": history.now.isoformat()}
    print_json({**shop, "missing": sorted(history.missing), **plain(parts)})


def _fields(advice: Any) -> dict[str, Any]:
    from dataclasses import fields

    return {one.name: getattr(advice, one.name) for one in fields(advice)}
