"""`qianheng reconcile`: platform reports against shop orders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qianheng.cli.auditing import Every, First, Last, OfTime, ToFile, time_of
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qianheng.measures.reconciling import Part, Reconciled, Told

COLUMNS = ("day", "plan", "class", "gmv", "orders", "refunded_1h")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile", help=say("audit.command.reconcile"))(_reconcile)


def _reconcile(
    first: First = "",
    last: Last = "",
    by_plan: Annotated[bool, typer.Option("--by-plan", help=say("reconcile.by_plan"))] = False,
    now: OfTime = "",
    export: ToFile = "",
    every: Every = False,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.reconciling import Asked, reconcile_reports
    from qianheng.actions.spreadsheet import write_table
    from qianheng.cli.reports import stored
    from qianheng.core.days import parse_day

    days = [parse_day(text, name) if text else None for name, text in (("--from", first), ("--to", last))]
    with stored() as engine:
        found = reconcile_reports(engine, Asked(time_of(now), days[0], days[1], by_plan))
    rows = [row for one in found for row in _rows(one)]
    if export:
        write_table(Path(export), headings("audit", *COLUMNS), rows)
    if as_json:
        print_json({"days": [_json(one) for one in found]})
    else:
        _print(found, every)


def _print(found: Sequence[Reconciled], every: bool) -> None:
    """The days that differ, and how many do not."""
    apart = [one for one in found if every or one.parts]
    if apart:
        print_table("", headings("audit", *COLUMNS), [row for one in apart for row in _rows(one)])
    if alike := len(found) - len(apart):
        typer.echo(say("reconcile.alike", days=alike, all=len(found)))


def _rows(one: Reconciled) -> Iterator[list[str | int | None]]:
    """The platform's sums, each cause of a difference, and the shop's sums that are left."""
    yield _row(one, say("reconcile.platform"), one.platform)
    for part in one.parts:
        yield _row(one, say(f"reconcile.cause.{part.cause}"), part, -1)
    yield _row(one, say("reconcile.shop"), one.shop)


def _row(one: Reconciled, name: str, part: Part | Told, sign: int = 1) -> list[str | int | None]:
    orders = None if part.orders is None else sign * part.orders
    return [
        one.day.isoformat(),
        one.plan_id or None,
        name,
        _yuan(part.gmv, sign),
        orders,
        _yuan(part.refunded_1h, sign),
    ]


def _yuan(amount: int | None, sign: int = 1) -> str | None:
    from qianheng.core.money import yuan

    return None if amount is None else yuan(sign * amount)


def _json(one: Reconciled) -> dict[str, Any]:
    return {
        "day": one.day.isoformat(),
        "plan": one.plan_id or None,
        "platform": _sums(one.platform),
        "shop": _sums(one.shop),
        "difference": _sums(one.difference),
        "causes": [{"cause": part.cause.value, **_sums(part)} for part in one.parts],
    }


def _sums(part: Part | Told) -> dict[str, Any]:
    return {"gmv": _yuan(part.gmv), "orders": part.orders, "refunded_1h": _yuan(part.refunded_1h)}
