"""`qianheng money`: an ad account's balance, statement, holds, months and invoices, and the proof that all adds up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import App, Seat
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.words import known, say

if TYPE_CHECKING:
    from qianheng.actions.funds import View
    from qianheng.actions.money import Order
    from qianheng.store.statement import Wanted

PAGE = 50
Account: TypeAlias = Annotated[int | None, typer.Option("--account", metavar="ID", help=say("money.command.account"))]
Amount: TypeAlias = Annotated[str, typer.Argument(metavar="AMOUNT", help=say("money.command.amount"))]
Key: TypeAlias = Annotated[str, typer.Option("--key", metavar="TEXT", help=say("money.command.key"))]
Of: TypeAlias = Annotated[str, typer.Option("--of", metavar="cash|credit", help=say("money.command.of"))]
From: TypeAlias = Annotated[str, typer.Option("--from", metavar="DAY", help=say("money.command.from"))]
To: TypeAlias = Annotated[str, typer.Option("--to", metavar="DAY", help=say("money.command.to"))]
Reason: TypeAlias = Annotated[str, typer.Option("--reason", metavar="NAME", help=say("money.command.reason"))]
PlanId: TypeAlias = Annotated[int | None, typer.Option("--plan", metavar="ID", help=say("money.command.plan"))]
Limit: TypeAlias = Annotated[int, typer.Option("--limit", metavar="N", min=1, help=say("money.command.limit"))]
After: TypeAlias = Annotated[int, typer.Option("--after", metavar="LINE", min=0, help=say("money.command.after"))]
Why: TypeAlias = Annotated[str, typer.Option("--reason", metavar="promotion|manual", help=say("money.command.why"))]
Expires: TypeAlias = Annotated[str, typer.Option("--expires", metavar="DAY", help=say("money.command.expires"))]
InMonth: TypeAlias = Annotated[str, typer.Option("--month", metavar="YYYY-MM", help=say("money.command.month"))]
Show: TypeAlias = Annotated[bool, typer.Option("--show", help=say("money.command.show"))]


def build_app() -> typer.Typer:
    """The commands on money."""
    from qianheng.cli import money_export

    app = App(say("money.command.about"), no_args_is_help=True)
    commands = (_balance, _statement, _top_up, _withdraw, _grant, _holds, _close, _invoices, _verify)
    for command in commands:
        name = command.__name__.lstrip("_")
        app.command(name.replace("_", "-"), help=say(f"money.command.{name}"))(command)
    money_export.add_to(app)
    return app


@contextmanager
def viewing(seat: Seat, account: int | None) -> Iterator[View]:
    """The ad account as the member asked for sees it."""
    from qianheng.actions.funds import view
    from qianheng.store.database import reading

    with seat.desk() as desk, reading(desk.database) as connection:
        yield view(desk, connection, account)


def wanted(of: View, days: tuple[str, str], plan: int | None, only: str, reason: str) -> Wanted:
    """Which lines of the statement the options ask for. An account or day that cannot be read: BadInput."""
    from qianheng.actions import funds
    from qianheng.core.days import parse_day
    from qianheng.core.errors import BadInput
    from qianheng.ledger.transfers import AccountKind

    if only not in ("", "cash", "credit"):
        raise BadInput("core.fault.choice", place="--of", value=repr(only), choices="cash, credit")
    since, until = (
        parse_day(day, option) if day else None for option, day in zip(("--from", "--to"), days, strict=True)
    )
    return funds.wanted(of, (since, until), plan, account=AccountKind(only) if only else None, reason=reason or None)


def label(reason: str) -> str:
    """Why money moved, in the language spoken; a reason without words as it is kept."""
    key = f"money.reason.{reason}"
    return say(key) if known(key) else reason


def _balance(seat: Seat, account: Account = None, as_json: AsJson = False) -> None:
    from qianheng.actions.funds import balance

    with viewing(seat, account) as of:
        told = balance(of)
    if as_json:
        print_json(told)
        return
    names = ("available", "frozen", "promised")
    rows = [[say(f"money.account.{of}"), *(told[of][name] for name in names)] for of in ("cash", "credit", "total")]
    print_table("", headings("money", "account", *names), rows)
    grants = [
        (one["grant"], label(one["reason"]), one["about"], one["granted"], one["available"], _minute(one["expires_at"]))
        for one in told["grants"]
    ]
    if grants:
        print_table("", headings("money", "grant", "reason", "about", "granted", "available", "expires"), grants)


def _statement(
    seat: Seat,
    account: Account = None,
    of: Of = "",
    since: From = "",
    until: To = "",
    reason: Reason = "",
    plan: PlanId = None,
    limit: Limit = PAGE,
    after: After = 0,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.funds import lines

    with viewing(seat, account) as seen:
        page = list(lines(seen, wanted(seen, (since, until), plan, of, reason), after, limit + 1))
    shown, more = page[:limit], len(page) > limit
    if as_json:
        print_json({"lines": shown, "next": shown[-1]["line"] if more else None})
        return
    names = ("line", "at", "account", "reason", "about", "change", "cash", "credit", "balance", "paid_by")
    print_table("", headings("money", *names), [_line(line) for line in shown])
    if more:
        typer.echo(say("money.next_page", after=shown[-1]["line"]))


def _top_up(seat: Seat, amount: Amount, account: Account = None, key: Key = "", as_json: AsJson = False) -> None:
    from qianheng.actions.money import top_up

    with seat.desk() as desk:
        _tell(top_up(desk, _order(amount, account, key)), as_json)


def _withdraw(seat: Seat, amount: Amount, account: Account = None, key: Key = "", as_json: AsJson = False) -> None:
    from qianheng.actions.money import withdraw

    with seat.desk() as desk:
        _tell(withdraw(desk, _order(amount, account, key)), as_json)


def _grant(
    seat: Seat,
    amount: Amount,
    account: Account = None,
    reason: Why = "promotion",
    expires: Expires = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.money import grant
    from qianheng.core.days import parse_day

    with seat.desk() as desk:
        last_day = parse_day(expires, "--expires") if expires else None
        _tell(grant(desk, _order(amount, account, key), reason, last_day), as_json)


def _holds(seat: Seat, account: Account = None, as_json: AsJson = False) -> None:
    from qianheng.actions.funds import holds

    with viewing(seat, account) as of:
        told = holds(of)
    if as_json:
        print_json(told)
    elif not told:
        typer.echo(say("money.nothing_held"))
    else:
        print_table(
            "", headings("money", "what", "account", "amount", "reason", "about", "at", "expires"), map(_hold, told)
        )


def _close(seat: Seat, month: InMonth, account: Account = None, show: Show = False, as_json: AsJson = False) -> None:
    from qianheng.actions import funds
    from qianheng.actions.money import close_month
    from qianheng.ledger.months import parse_month

    which = parse_month(month, "--month")
    if not show:
        with seat.desk() as desk:
            close_month(desk, which, account)
    with viewing(seat, account) as of:
        told = funds.month(of, which)
    if as_json:
        print_json(told)
        return
    state = say("money.month_closed" if told["closed"] else "money.month_open")
    title = say("money.month_title", month=which, account=told["ad_account"], state=state)
    print_table(title, headings("money", "reason", "cash", "credit", "balance", "lines"), month_rows(told))
    for one in told["open"]:
        typer.echo(f"{say('money.month_open')}: {label(one['reason'])} {one['amount']} {one['about'] or ''}")


def month_rows(told: dict[str, Any]) -> list[tuple[Any, ...]]:
    """A month as rows: opening, each reason, closing."""
    names = ("cash", "credit", "balance")
    ends = {
        name: (say(f"money.row.{name}"), *(told[name][of] for of in names), None) for name in ("opening", "closing")
    }
    moved = [(label(one["reason"]), *(one[of] for of in names), one["lines"]) for one in told["movements"]]
    return [ends["opening"], *moved, ends["closing"]]


def _invoices(seat: Seat, account: Account = None, as_json: AsJson = False) -> None:
    from qianheng.actions.funds import invoices

    with viewing(seat, account) as of:
        told = invoices(of)
    if as_json:
        print_json(told)
        return
    names = ("cash_spent", "cash_refunded", "invoiceable", "credit_spent")
    rows = [[one["month"], state_of(one), *(one[name] for name in names)] for one in told]
    print_table("", headings("money", "month", "state", *names), rows)


def state_of(month: dict[str, Any]) -> str:
    """Whether a month is closed, in words."""
    return say("money.month_closed" if month["closed"] else "money.month_open")


def _verify(seat: Seat, as_json: AsJson = False) -> None:
    from qianheng.store.database import reading
    from qianheng.store.verify import verify

    with seat.desk() as desk, reading(desk.database) as connection:
        found = verify(connection, str(desk.now.tzinfo))
    counts = {name: getattr(found, name) for name in ("transfers", "accounts", "holds", "grants", "months")}
    told = [say(f"money.difference.{one.kind}", **one._asdict()) for one in found.differences]
    if as_json:
        differences = [one._asdict() | {"text": text} for one, text in zip(found.differences, told, strict=True)]
        print_json({"verified": not told, **counts, "differences": differences})
    else:
        typer.echo(say("money.not_verified", first=told[0]) if told else say("money.verified", **counts))
        for line in told[1:]:
            typer.echo(f"  {line}")
    if told:
        raise typer.Exit(1)


def _order(amount: str, account: int | None, key: str) -> Order:
    from qianheng.actions.money import Order
    from qianheng.core.errors import BadInput
    from qianheng.core.money import micros

    try:
        return Order(micros(amount), account, key)
    except BadInput as error:
        raise error.at("AMOUNT") from None


def _tell(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    funds = answer["available"]
    names = ("key", "transfer", "amount", "cash", "credit", "frozen")
    row = [answer["key"], answer["transfer"], answer["amount"], *funds.values()]
    print_table("", headings("money", *names), [row])


def _hold(one: dict[str, Any]) -> list[Any]:
    what = [say(f"money.row.{one['what']}"), say(f"money.account.{one['account']}"), one["amount"]]
    return [*what, label(one["reason"]), one["about"], _minute(one["at"]), _minute(one["expires_at"])]


def _line(line: dict[str, Any]) -> list[Any]:
    at = _minute(line["at"])
    if line["happened_at"]:
        at = say("money.closed_line", at=at, happened=_minute(line["happened_at"]))
    paid_by = ", ".join(f"{use['amount']} ({use['expires_at'][:10]})" for use in line["grants"])
    what = [say(f"money.account.{line['account']}"), label(line["reason"]), line["about"]]
    return [line["line"], at, *what, line["change"], line["cash"], line["credit"], line["balance"], paid_by or None]


def _minute(at: str | None) -> str | None:
    return None if at is None else at[:16].replace("T", " ")
