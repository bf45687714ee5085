"""`qianheng figures`: every sum and ratio of a shop's plans, as known at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import AsOf, Seat
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.errors import BadInput
from qianheng.core.words import known, say

if TYPE_CHECKING:
    from qianheng.actions.desk import Desk
    from qianheng.actions.figures import Figures
    from qianheng.measures.breakdown import Line

CHOICES = ("day", "plan", "product", "placement", "hour", "channel")
SHOWN = ("payment_roi", "net_roi", "settled_roi_7d", "settled_roi_14d", "refund_rate_1h", "ctr", "cvr", "cpm")
SHARES = ("refund_rate_1h", "ctr", "cvr")

PlanId: TypeAlias = Annotated[int | None, typer.Option("--plan", metavar="ID", help=say("figures.command.plan"))]
First: TypeAlias = Annotated[str, typer.Option("--from", metavar="DAY", help=say("figures.command.from"))]
Last: TypeAlias = Annotated[str, typer.Option("--to", metavar="DAY", help=say("figures.command.to"))]
ByName: TypeAlias = Annotated[str, typer.Option("--by", metavar="|".join(CHOICES), help=say("figures.command.by"))]
Csv: TypeAlias = Annotated[str, typer.Option("--csv", metavar="FILE", help=say("figures.command.csv"))]
Goals: TypeAlias = Annotated[bool, typer.Option("--goals", help=say("figures.command.goals"))]


def add_to(app: typer.Typer) -> None:
    """Add the command on figures."""
    app.command("figures", help=say("figures.command.about"))(_figures)


def _figures(
    seat: Seat,
    plan: PlanId = None,
    first: First = "",
    last: Last = "",
    by: ByName = "day",
    as_of: AsOf = "",
    csv: Csv = "",
    goals: Goals = False,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.figures import Question, figures, line_json
    from qianheng.actions.incrementality import added_json, beside
    from qianheng.measures.breakdown import By

    if by not in CHOICES:
        raise BadInput("figures.bad_breakdown", place="--by", value=by, known=", ".join(CHOICES))
    with seat.at(as_of).desk() as desk:
        if goals:
            _show_goals(desk, plan, as_json)
            return
        found = figures(desk, Question(By(by), plan, first, last))
        added = beside(desk, (first, last)) if plan is None else None
    told = [{found.by.value: found.names[line.key], **line_json(found, line)} for line in found.lines]
    whole = None if found.total is None else line_json(found, found.total)
    if csv:
        _write(csv, found.by.value, told)
    if as_json:
        incremental = {} if added is None else {"incremental": added_json(added.whole)}
        print_json({"known_at": found.known_at.isoformat(), "lines": told, "total": whole, **incremental})
        return
    _print(found)
    if added is not None:
        from qianheng.pages.incrementality import told_lines

        typer.echo("\n".join(told_lines(added)))


def _write(path: str, by: str, told: list[dict[str, Any]]) -> None:
    from qianheng.actions.spreadsheet import write_table

    flat = [{by: line[by], **line["sums"], **line["ratios"]} for line in told]
    columns = list(flat[0]) if flat else [by]
    write_table(Path(path), columns, [[_number(row[name]) for name in columns] for row in flat])


def _number(value: Any) -> Any:
    """Decimals as numbers, names as text."""
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(value) if isinstance(value, str) else value
    except InvalidOperation:
        return value


def _print(found: Figures) -> None:
    names = (found.by.value, "spend", "gmv", "organic_gmv", "promoted_gmv", "orders", *SHOWN, "counted", "counted_roi")
    rows = [_row(found, line, _named(found, line)) for line in found.lines]
    if found.total is not None and len(found.lines) > 1:
        rows.append(_row(found, found.total, say("figures.total")))
    title = say("figures.title", at=f"{found.known_at:%Y-%m-%d %H:%M}")
    print_table(title, headings("figures", *names), rows)
    typer.echo(say("figures.counts"))


def _named(found: Figures, line: Line) -> str:
    name = found.names[line.key]
    key = f"figures.name.{name}"
    return say(key) if name.isidentifier() and known(key) else name


def _row(found: Figures, line: Line, name: str) -> list[object]:
    from qianheng.actions.figures import ratios
    from qianheng.cli.output import money_text

    sums, taken = line.sums, ratios(found, line)
    money = (sums.spend, sums.gmv, sums.gmv - sums.promoted_gmv, sums.promoted_gmv)
    roi = line.counted.payment_roi
    counted = (money_text(line.counted.gmv), None if roi is None else f"{float(roi):.2f}")
    return [name, *map(money_text, money), sums.orders, *(_cell(one, taken[one]) for one in SHOWN), *counted]


def _cell(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    return f"{float(value):.2%}" if name in SHARES else f"{float(value):.2f}"


def _show_goals(desk: Desk, plan: int | None, as_json: bool) -> None:
    from qianheng.actions.figures import goal_targets

    told = goal_targets(desk, plan)
    if as_json:
        print_json(told)
        return
    rates, goals = ("net_rate_1h", "settle_rate_7d"), ("payment", "net", "settled")
    columns = headings("figures", "plan", "goal", *rates, *goals)
    rows = [
        [
            one["plan"],
            say(f"proof.goal.{one['goal']}"),
            *(None if one[name] is None else f"{float(one[name]):.1%}" for name in rates),
            *(_cell(goal, one["targets"][goal]) for goal in goals),
        ]
        for one in told
    ]
    print_table(say("figures.goals_title"), columns, rows)
