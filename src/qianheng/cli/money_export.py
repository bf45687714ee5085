"""`qianheng money export`: the statement, a month or the invoices as a file for a spreadsheet or a program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from qianheng.cli.money import Account, From, InMonth, Of, PlanId, Reason, To, label, state_of, viewing, wanted
from qianheng.cli.options import Seat
from qianheng.cli.output import AsJson, headings, print_json
from qianheng.core.words import say

What: TypeAlias = Annotated[str, typer.Argument(metavar="statement|month|invoices", help=say("money.command.what"))]
Out: TypeAlias = Annotated[Path, typer.Option("--out", metavar="FILE", help=say("money.command.out"))]
Rows = Iterable[Sequence[Any]]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export", help=say("money.command.export"))(_export)


def _export(
    seat: Seat,
    what: What,
    out: Out,
    account: Account = None,
    of: Of = "",
    since: From = "",
    until: To = "",
    reason: Reason = "",
    plan: PlanId = None,
    month: InMonth = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions import funds
    from qianheng.actions.spreadsheet import write_table
    from qianheng.core.errors import BadInput
    from qianheng.ledger.months import parse_month

    with viewing(seat, account) as seen:
        if what == "statement":
            table = _statement(funds.lines(seen, wanted(seen, (since, until), plan, of, reason)))
        elif what == "month":
            table = _month(funds.month(seen, parse_month(month, "--month")))
        elif what == "invoices":
            table = _invoices(funds.invoices(seen))
        else:
            raise BadInput("core.fault.choice", place="WHAT", value=repr(what), choices="statement, month, invoices")
        rows = write_table(out, *table)
    if as_json:
        print_json({"file": str(out), "rows": rows})
    else:
        typer.echo(say("money.written", rows=rows, path=out))


def _statement(lines: Iterable[dict[str, Any]]) -> tuple[list[str], Rows]:
    when_and_what = ("line", "at", "happened_at", "account", "reason", "about")
    names = (*when_and_what, "change", "cash", "credit", "balance", "transfer", "paid_by")
    return headings("money", *names), map(_line, lines)


def _line(line: dict[str, Any]) -> list[Any]:
    what = [say(f"money.account.{line['account']}"), label(line["reason"]), line["about"]]
    amounts = [Decimal(line[name]) for name in ("change", "cash", "credit", "balance")]
    paid_by = "; ".join(f"{use['amount']} ({use['grant']}, {use['expires_at']})" for use in line["grants"])
    return [line["line"], line["at"], line["happened_at"], *what, *amounts, line["transfer"], paid_by or None]


def _month(told: dict[str, Any]) -> tuple[list[str], Rows]:
    from qianheng.cli.money import month_rows

    names = ("month", "state", "reason", "cash", "credit", "balance", "lines")
    rows = month_rows(told)
    return headings("money", *names), [
        [told["month"], state_of(told), reason, *map(Decimal, amounts), lines] for reason, *amounts, lines in rows
    ]


def _invoices(told: list[dict[str, Any]]) -> tuple[list[str], Rows]:
    names = ("cash_spent", "cash_refunded", "invoiceable", "credit_spent")
    rows = [[one["month"], state_of(one), *(Decimal(one[name]) for name in names)] for one in told]
    return headings("money", "month", "state", *names), rows
