"""`qianheng sync`: accounts at a vendor's marketing API, connected and read."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import App, minute
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.cli.reports import First, Last, stored
from qianheng.core.days import SHANGHAI, parse_day, parse_time, zone
from qianheng.core.words import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from qianheng.actions.syncing import Synced
    from qianheng.actions.vendor_accounts import VendorAccount
    from qianheng.vendors.qianchuan.reading import Unlike


def option_of(name: str, metavar: str) -> typer.models.OptionInfo:
    """An option whose help the catalogue has under its own name."""
    help_text = say(f"sync.command.{name.strip('-').replace('-', '_')}")
    option: typer.models.OptionInfo = typer.Option(name, metavar=metavar, help=help_text)
    return option


AccountName: TypeAlias = Annotated[str, option_of("--account", "NAME")]
Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help=say("sync.command.name"))]
Now: TypeAlias = Annotated[str, option_of("--now", "TIME")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help=say("sync.command.dry_run"))]


def build_app() -> typer.Typer:
    """The commands on connected accounts; without one of them, they are read."""
    from qianheng.cli import pushing

    app = App(say("sync.command.about"), invoke_without_command=True)
    app.callback()(_sync)
    app.command("connect", help=say("sync.command.connect"))(_connect)
    app.command("accounts", help=say("sync.command.accounts"))(_accounts)
    app.command("disconnect", help=say("sync.command.disconnect"))(_disconnect)
    pushing.add_to(app)
    return app


def _sync(
    context: typer.Context,
    account: AccountName = "",
    first: First = "",
    last: Last = "",
    now: Now = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    if context.invoked_subcommand:
        return
    from qianheng.actions.syncing import Asked, sync
    from qianheng.actions.vendor_accounts import account_of, client_of

    chosen = account_of(account)
    since, until = (parse_day(text, place) if text else None for text, place in ((first, "--from"), (last, "--to")))
    asked = Asked(at(now), since, until, dry_run)
    with stored() as engine:
        done = sync(engine, chosen, client_of(chosen, clock), asked, _progress())
    if as_json:
        print_json(_json(done))
    else:
        _print(done, dry_run)
    if done.left_out:
        raise typer.Exit(1)


def clock() -> datetime:
    """The time it is, as tokens count it."""
    return datetime.now(UTC)


def at(now: str) -> datetime:
    """The time that a command was told, or the time it is."""
    return parse_time(now, SHANGHAI) if now else clock()


def _progress() -> Callable[[str], None]:
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda stretch: print(f"\r\033[K{stretch}", end="", file=sys.stderr, flush=True)  # noqa: T201


def _json(done: Synced) -> dict[str, Any]:
    from qianheng.core.money import yuan

    unlike = [
        {"what": one.what, "plans": yuan(one.told), "told": yuan(one.against), "unit_apart": one.unit}
        for one in done.unlike
    ]
    return {
        "account": done.account,
        "days": [day.isoformat() for day in done.span],
        "plans": done.plans,
        "plans_changed": done.plans_changed,
        "rows": done.rows,
        "rows_changed": done.changed,
        "changes": done.changes,
        "balance": None if done.balance is None else yuan(done.balance),
        "unlike": unlike,
        "left_out": done.left_out,
        "asked": done.asked,
        "asked_again": done.asked_again,
    }


def _print(done: Synced, dry: bool) -> None:
    from qianheng.core.money import yuan

    rows: list[tuple[object, object]] = [(say("sync.column.days"), " – ".join(map(str, done.span)))]
    rows += [(say("sync.column.plans"), say("sync.of_them", all=done.plans, new=done.plans_changed))]
    rows += [(say(f"sync.kind.{kind}"), count) for kind, count in done.rows.items()]
    rows += [(say("sync.column.changed"), done.changed), (say("sync.column.changes"), done.changes)]
    rows += [(say("sync.column.balance"), None if done.balance is None else yuan(done.balance))]
    rows += [(say("sync.column.asked"), say("sync.of_them", all=done.asked, new=done.asked_again))]
    print_table(say("sync.looked" if dry else "sync.done", account=done.account), ["", ""], rows)
    for one in done.unlike:
        typer.echo(unlike_text(one))
    for sentence in done.left_out:
        typer.echo(say("sync.left_out", what=sentence))


def unlike_text(one: Unlike) -> str:
    """Where two answers do not fit, as a sentence."""
    from qianheng.core.money import yuan

    key = f"sync.unlike.{one.what}{'_unit' if one.unit else ''}"
    return say(key, plans=yuan(one.told), told=yuan(one.against))


def _connect(
    name: Name,
    advertiser: Annotated[str, option_of("--advertiser", "ID")],
    app: Annotated[str, option_of("--app", "ID")],
    secret: Annotated[str, option_of("--secret", "WHERE")],
    code: Annotated[str, option_of("--code", "WHERE")] = "",
    refresh_token: Annotated[str, option_of("--refresh-token", "WHERE")] = "",
    base: Annotated[str, option_of("--at", "URL")] = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.vendor_accounts import VendorAccount, connect, known_api

    wanted = VendorAccount(name, (base or known_api().base).rstrip("/"), advertiser, app, secret, refresh=refresh_token)
    _print_accounts([connect(wanted, code, clock)], as_json)


def _accounts(as_json: AsJson = False) -> None:
    from qianheng.actions.vendor_accounts import accounts

    _print_accounts(accounts(), as_json)


def _disconnect(name: Name, as_json: AsJson = False) -> None:
    from qianheng.actions.vendor_accounts import disconnect

    disconnect(name)
    if as_json:
        print_json({"account": name, "connected": False})
    else:
        typer.echo(say("sync.disconnected", account=name))


def _print_accounts(found: list[VendorAccount], as_json: bool) -> None:
    from qianheng.store import vendor_accounts
    from qianheng.store.database import reading

    with stored() as engine, reading(engine) as connection:
        read = {one.account: one for one in vendor_accounts.days_read(connection)}
    rows = [
        {
            "account": one.name,
            "advertiser": one.advertiser,
            "at": one.base,
            "app": one.app,
            "good_until": one.refresh_until,
            "read_until": str(read[one.name].last) if one.name in read else None,
        }
        for one in found
    ]
    if as_json:
        print_json(rows)
    else:
        if not rows:
            typer.echo(say("sync.no_accounts"))
            return
        columns = headings("sync", "account", "advertiser", "at", "app", "good_until", "read_until")
        here = clock().astimezone(zone(SHANGHAI))
        shown = [{**row, "good_until": minute(parse_time(str(row["good_until"])), here)} for row in rows]
        print_table("", columns, [list(row.values()) for row in shown])
