"""`qianheng sync push`, `allow` and `forbid`: what is written to connected accounts, and what may be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.output import AsJson, print_json, print_table
from qianheng.cli.reports import stored
from qianheng.cli.sync import AccountName, Name, Now, at, clock, option_of
from qianheng.core.errors import BadInput
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.pushing import Pushed, Values

STATUSES = ("active", "paused")


PlanId: TypeAlias = Annotated[str, option_of("--plan", "ID")]
Write: TypeAlias = Annotated[bool, typer.Option("--write", help=say("sync.command.write"))]
Undo: TypeAlias = Annotated[bool, typer.Option("--undo", help=say("sync.command.undo"))]


def add_to(app: typer.Typer) -> None:
    """Add the commands that write, and those that allow it."""
    app.command("push", help=say("sync.command.push"))(_push)
    app.command("allow", help=say("sync.command.allow"))(_allow)
    app.command("forbid", help=say("sync.command.forbid"))(_forbid)


def _push(
    plan: PlanId,
    target: Annotated[str, option_of("--target", "ROI")] = "",
    budget: Annotated[str, option_of("--budget", "YUAN")] = "",
    status: Annotated[str, option_of("--status", "|".join(STATUSES))] = "",
    undo: Undo = False,
    write: Write = False,
    account: AccountName = "",
    now: Now = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.pushing import Push, carry_out, look, prepare, undo_of
    from qianheng.actions.vendor_accounts import account_of, alone_with, client_of

    wanted = _wanted(target, budget, status)
    if undo == bool(wanted):
        raise BadInput("sync.values_or_undo", place="--undo")
    chosen = account_of(account)
    with stored() as engine, alone_with(chosen):
        there = Push(engine, chosen, client_of(chosen, clock), at(now))
        found = look(there, plan)
        ready = prepare(there, found, undo_of(there, plan) if undo else wanted, back=undo)
        _told(carry_out(there, ready) if write else ready, as_json)


def _wanted(target: str, budget: str, status: str) -> Values:
    from qianheng.core.money import decimal, micros
    from qianheng.plans.plan import PlanStatus

    if status and status not in STATUSES:
        raise BadInput("alerts.channel.unknown", place="--status", value=status, known=", ".join(STATUSES))
    read = {
        "target": decimal(target) if target else None,
        "budget_daily": micros(budget) if budget else None,
        "status": PlanStatus(status) if status else None,
    }
    return {name: value for name, value in read.items() if value is not None}


def _told(done: Pushed, as_json: bool) -> None:
    from qianheng.plans.writing import shown
    from qianheng.vendors.qianchuan.client import body_text

    values = {name: (shown(name, done.before[name]), shown(name, value)) for name, value in done.after.items()}
    sent = [(name, body_text(body)) for name, body in done.bodies]
    if as_json:
        changes = {name: {"before": before, "after": after} for name, (before, after) in values.items()}
        bodies = [{"endpoint": name, "body": json.loads(body)} for name, body in sent]
        print_json({"plan": done.plan.id, "written": bool(done.done), "changes": changes, "bodies": bodies})
        return
    columns = ["", say("sync.column.before"), say("sync.column.after")]
    print_table(done.plan.name, columns, [(name, *both) for name, both in values.items()])
    for name, body in sent:
        typer.echo(f"{name}: {body}")
    typer.echo(say("sync.written" if done.done else "sync.not_sent"))


def _allow(
    name: Name,
    budget_at_most: Annotated[str, option_of("--budget-at-most", "YUAN")],
    change_at_most: Annotated[str, option_of("--change-at-most", "SHARE")] = "0.2",
    changes_a_day: Annotated[int, option_of("--changes-a-day", "N")] = 3,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.vendor_accounts import Writes, allow
    from qianheng.core.money import decimal

    limits = allow(name, Writes(decimal(budget_at_most), decimal(change_at_most), changes_a_day)).writes
    if as_json:
        told = {"budget_at_most": budget_at_most, "change_at_most": change_at_most, "changes_a_day": changes_a_day}
        print_json({"account": name, "writes": told if limits else None})
    else:
        typer.echo(say("sync.allowed", account=name, budget=budget_at_most, share=change_at_most, count=changes_a_day))


def _forbid(name: Name, as_json: AsJson = False) -> None:
    from qianheng.actions.vendor_accounts import allow

    allow(name, None)
    if as_json:
        print_json({"account": name, "writes": None})
    else:
        typer.echo(say("sync.forbidden", account=name))
