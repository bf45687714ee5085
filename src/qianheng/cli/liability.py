"""`qianheng guarantee liability`: what may still be owed, and how well that was foreseen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import AsOf, Seat, minute
from qianheng.cli.output import AsJson, headings, money_text, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.liability import Held, Liability, Owed
    from qianheng.guarantee.liability import Expected
    from qianheng.store.forecasts import Forecast

History: TypeAlias = Annotated[bool, typer.Option("--history", help=say("liability.command.history"))]
FIGURES = ("mean", "low", "high")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("liability", help=say("liability.command.about"))(_liability)


def _liability(seat: Seat, as_of: AsOf = "", history: History = False, as_json: AsJson = False) -> None:
    from qianheng.actions import liability
    from qianheng.store.database import reading

    with seat.at(as_of).desk() as desk, reading(desk.database) as connection:
        if history:
            held = liability.history(connection, desk.now, desk.actor.shop_id)
        else:
            found = liability.liability(connection, desk.lake, desk.now, desk.actor.shop_id)
    if history:
        print_json([_held(one) for one in held]) if as_json else _print_history(held)
    elif as_json:
        print_json(_told(found))
    else:
        _print(found)


def _told(found: Liability) -> dict[str, Any]:
    by_plan = [{"plan_id": plan.id, **_figures(expected)} for plan, expected in found.by_plan().items()]
    by_day = [{"pay_on": day.isoformat(), **_figures(expected)} for day, expected in found.by_pay_day().items()]
    total = _figures(found.total)
    units = [_unit(one) for one in found.units]
    return {"at": found.at.isoformat(), "total": total, "by_pay_day": by_day, "by_plan": by_plan, "units": units}


def _unit(one: Owed) -> dict[str, Any]:
    from qianheng.core.money import to_fen, yuan

    place = {"plan_id": one.plan.id, "day": one.day.isoformat(), "status": one.status, "spend": yuan(to_fen(one.spend))}
    chances = {outcome: f"{chance:.3f}" for outcome, chance in one.expected.outcomes}
    return {**place, "pay_on": one.pay_on.isoformat(), **_figures(one.expected), "chances": chances}


def _figures(expected: Expected | Forecast) -> dict[str, str]:
    from qianheng.core.money import to_fen, yuan

    return {name: yuan(to_fen(getattr(expected, name))) for name in FIGURES}


def _held(one: Held) -> dict[str, Any]:
    from qianheng.core.money import yuan

    inside = one.inside if one.final else None
    return {"at": one.at.isoformat(), **_figures(one.expected), "paid": yuan(one.paid), "inside": inside}


def _print(found: Liability) -> None:
    at = minute(found.at, found.at)
    if not found.units:
        typer.echo(say("liability.nothing", at=at))
        return
    typer.echo(say("liability.title", at=at, **dict(zip(FIGURES, _cells(found.total), strict=True))))
    rows = [(day, *_cells(expected)) for day, expected in found.by_pay_day().items()]
    print_table(say("liability.by_day"), headings("liability", "pay_on", *FIGURES), rows)
    named = [(plan.name, *_cells(expected)) for plan, expected in found.by_plan().items()]
    print_table(say("liability.by_plan"), headings("liability", "plan", *FIGURES), named)
    columns = headings("liability", "day", "plan", "status", "spend", *FIGURES, "chance", "pay_on")
    print_table(say("liability.units"), columns, map(_row, found.units))


def _row(one: Owed) -> list[object]:
    from qianheng.guarantee.liability import PAID

    chance = f"{dict(one.expected.outcomes).get(PAID, 0.0):.0%}"
    place = [one.day, one.plan.name, say(f"guarantee.status.{one.status}"), money_text(one.spend)]
    return [*place, *_cells(one.expected), chance, one.pay_on]


def _print_history(held: list[Held]) -> None:
    if not held:
        typer.echo(say("liability.no_history"))
        return
    rows = [(minute(one.at, one.at), *_cells(one.expected), money_text(one.paid), _inside(one)) for one in held]
    print_table("", headings("liability", "at", *FIGURES, "paid", "inside"), rows)
    final = [one.inside for one in held if one.final]
    typer.echo(say("liability.coverage", inside=sum(final), final=len(final)))


def _inside(one: Held) -> str:
    return say(f"liability.inside.{('yes' if one.inside else 'no') if one.final else 'open'}")


def _cells(expected: Expected | Forecast) -> list[str]:
    return [money_text(getattr(expected, name)) for name in FIGURES]
