"""`qianheng incentives`: which rule is in force and since when, what it saves, what is left of coupons and subsidy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer

from qianheng.cli.options import App, Seat
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from qianheng.actions.desk import Desk

SAVED = ("plan", "product", "orders", "gmv", "fee_by_category", "fee_estimated", "saved_estimated")
PROGRAMME = ("programme", "funded", "spent", "promised", "held", "left")
GIVEN = ("name", "value", "threshold", "shop_share", "budget", "orders", "given", "of_shop", "of_platform")
PICK = ("plan", "chosen", "product", "ctr", "cvr", "settled_gmv", "shown")
THOUSAND = 1000
COUPON = (*GIVEN, "back_by_refunds", "left", "state")


def build_app() -> typer.Typer:
    """The commands on incentives."""
    app = App(say("incentives.command.about"), no_args_is_help=True)
    app.command("show", help=say("incentives.command.show"))(_show)
    app.command("savings", help=say("incentives.command.savings"))(_savings)
    app.command("subsidy", help=say("incentives.command.subsidy"))(_subsidy)
    app.command("coupons", help=say("incentives.command.coupons"))(_coupons)
    app.command("picks", help=say("incentives.command.picks"))(_picks)
    return app


def _show(seat: Seat, as_json: AsJson = False) -> None:
    from qianheng.actions.incentives import show
    from qianheng.incentives.limits import TargetLimit

    told = _asked(show, seat)
    if as_json:
        print_json(told)
        return
    names = {product["product_id"]: product["name"] for product in told["products"]}
    _table("products", ("product", "service_fee", "rule", "since", "insurance", "instalments"), _products(told))
    _table("plans", ("plan", "product", "service_fee", "rule", "since"), _fees(told, names))
    creators = [
        [one["creator"], names.get(one["product_id"]), _percent(one["own"]), _percent(one["promoted"]), _day(one)]
        for one in told["creators"]
    ]
    _table("creators", ("creator", "product", "own", "promoted", "since"), creators)
    for plan in told["plans"]:
        if plan["highest_commission"] is not None:
            target = None if plan["target"] is None else Decimal(plan["target"])
            typer.echo(TargetLimit(Decimal(plan["highest_commission"]), target).text(plan["name"]))


def _savings(seat: Seat, as_json: AsJson = False) -> None:
    from qianheng.actions.incentives import savings

    told = _asked(savings, seat)
    if as_json:
        print_json(told)
        return
    _table("savings", SAVED, ([row[name] for name in SAVED] for row in told["rows"]))
    typer.echo(say("incentives.saved", amount=told["saved_estimated"]))


def _subsidy(seat: Seat, as_json: AsJson = False) -> None:
    from qianheng.actions.incentives import subsidy

    told = _asked(subsidy, seat)
    if as_json:
        print_json(told)
        return
    if told["programme"] is None:
        typer.echo(say("incentives.no_programme"))
        return
    _table("subsidy", PROGRAMME, [[told[name] for name in PROGRAMME]])
    if told["empty"]:
        typer.echo(say("incentives.empty"))


def _coupons(seat: Seat, as_json: AsJson = False) -> None:
    from qianheng.actions.incentives import coupons

    told = _asked(coupons, seat)
    if as_json:
        print_json(told)
        return
    rows = [{**one, "state": say(f"incentives.state.{one['state']}")} for one in told]
    _table("coupons", COUPON, ([row[name] for name in COUPON] for row in rows))


def _picks(seat: Seat, as_json: AsJson = False) -> None:
    from qianheng.actions.picks import picks

    told = _asked(picks, seat)
    if as_json:
        print_json(told)
        return
    rows = [
        [plan["plan"], say(f"incentives.chosen.{plan['chosen']}"), one["name"], *_expected(one)]
        for plan in told
        for one in plan["products"]
    ]
    _table("picks", PICK, rows)


def _expected(pick: dict[str, Any]) -> list[str | None]:
    shares = [f"{float(pick[name]):.2%}" for name in ("ctr", "cvr")]
    shown = say("incentives.shown") if pick["shown"] else None
    return [*shares, f"{float(pick['settled_gmv']) * THOUSAND:,.2f}", shown]


def _asked(question: Callable[[Connection, Desk], Any], seat: Seat) -> Any:
    from qianheng.store.database import reading

    with seat.desk() as desk, reading(desk.database) as connection:
        return question(connection, desk)


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print_table(say(f"incentives.title.{title}"), headings("incentives", *columns), rows)


def _products(told: dict[str, Any]) -> Iterable[list[str | None]]:
    for one in told["products"]:
        insured, parts = one["insurance"], one["instalments"]
        premium = insured and say("incentives.insured", **insured)
        yield [
            one["name"],
            *_rule(one["service_fee"]),
            premium,
            ", ".join(f"{part['number']}×" for part in parts) or None,
        ]


def _fees(told: dict[str, Any], names: dict[int, str]) -> Iterable[list[str | None]]:
    for plan in told["plans"]:
        for fee in plan["service_fees"]:
            yield [plan["name"], names.get(fee["product_id"]), *_rule(fee)]


def _rule(rate: dict[str, Any]) -> list[str | None]:
    return [_percent(rate["share"]), say(f"incentives.rule.{rate['rule']}"), _day(rate)]


def _day(told: dict[str, Any]) -> str:
    since: str | None = told["since"]
    return since[:10] if since else say("incentives.from_the_beginning")


def _percent(share: str) -> str:
    return f"{(Decimal(share) * 100).normalize():f}%"
