"""`qianheng maturity`: how GMV, refunds and ROI of a shop's days ripened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from qianheng.cli.figures import First, Last, PlanId
from qianheng.cli.options import AsOf, Seat
from qianheng.cli.output import AsJson, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from collections.abc import Sequence

SEEN = (1, 2, 3, 5, 7, 10, 14)  # the ages in days that a person reads; --json has all


def add_to(app: typer.Typer) -> None:
    """Add the command on maturity."""
    app.command("maturity", help=say("figures.command.maturity"))(_maturity)


def _maturity(
    seat: Seat, plan: PlanId = None, first: First = "", last: Last = "", as_of: AsOf = "", as_json: AsJson = False
) -> None:
    from qianheng.actions.maturity import ripening

    with seat.at(as_of).desk() as desk:
        told = ripening(desk, plan, (first, last))
    if as_json:
        print_json({"known_at": desk.now.isoformat(), "plans": told})
        return
    _print_ages(told)
    _print_known(told)


def _print_ages(told: Sequence[dict[str, Any]]) -> None:
    ages: list[dict[str, Any]] = next((one["by_age"] for one in told if one["by_age"]), [])
    rows = []
    for plan in told:
        for name, places in (("kept_gmv", ",.2f"), ("roi", ".2f"), ("refund_rate", ".1%")):
            cells = [None if one[name] is None else format(float(one[name]), places) for one in plan["by_age"]]
            rows.append([plan["plan"], say(f"figures.maturity.{name}"), *cells])
    columns = [*_named(), *(say(f"figures.age.{one['age']}") for one in ages)]
    print_table(say("figures.maturity.by_age"), columns, [row for row in rows if len(row) == len(columns)])


def _print_known(told: Sequence[dict[str, Any]]) -> None:
    rows = []
    for plan in told:
        known = {one["days_over"]: one for one in plan["known"]}
        for name in ("payment_roi", "net_roi", "kept_roi"):
            cells = [known[age][name] if age in known else None for age in SEEN]
            shown = [None if cell is None else f"{float(cell):.2f}" for cell in cells]
            rows.append([plan["plan"], say(f"figures.maturity.{name}"), *shown])
    print_table(say("figures.maturity.known"), [*_named(), *(say("figures.maturity.days", n=n) for n in SEEN)], rows)


def _named() -> list[str]:
    """The headings of what a row is of."""
    return [say("figures.column.plan"), say("figures.maturity.figure")]
