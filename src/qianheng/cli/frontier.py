"""`qianheng frontier`: what other targets and budgets would bring a plan, and which are out of reach."""

from __future__ import annotations

from typing import Any

import typer

from qianheng.cli.desk import As, RunName
from qianheng.cli.explain import PlanId
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.words import say

COLUMNS = ("target_roi", "budget", "spend", "spend_between", "value", "orders", "roi")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("frontier", help=say("frontier.command.about"))(_frontier)


def _frontier(plan: PlanId, run: RunName = "", as_: As = "", as_json: AsJson = False) -> None:
    from qianheng.actions.explain import opened
    from qianheng.actions.frontier import frontier_of, verdict

    with opened(run, as_) as kept:
        answer = frontier_of(kept, plan)
    if as_json:
        print_json(answer)
    else:
        rows = [[_shown(one[name]) for name in COLUMNS] for one in answer["points"]]
        title = say("frontier.title", plan=answer["name"], goal=say(f"pages.goal.{answer['goal']}"))
        print_table(title, headings("frontier", *COLUMNS), rows)
        typer.echo(verdict(answer))
    if not answer["feasible"]:
        raise typer.Exit(1)


def _shown(value: Any) -> str | None:
    if isinstance(value, list):
        return "–".join(f"{float(end):,.0f}" for end in value)
    return None if value is None else f"{float(value):,.2f}"
