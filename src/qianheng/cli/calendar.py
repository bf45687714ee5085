"""`qianheng guarantee calendar`: a plan's guarantee as a month of days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import Seat
from qianheng.cli.output import AsJson, headings, money_text, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.calendar import CalendarDay

PlanId: TypeAlias = Annotated[int, typer.Option("--plan", metavar="ID", help=say("calendar.command.plan"))]
Month: TypeAlias = Annotated[str, typer.Option("--month", metavar="YYYY-MM", help=say("calendar.command.month"))]
TOLD = ("day", "status", "reason", "spend", "roi", "target", "stake", "judged_on", "pay_on", "paid_on")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("calendar", help=say("calendar.command.about"))(_calendar)


def _calendar(seat: Seat, plan: PlanId, month: Month = "", as_json: AsJson = False) -> None:
    from qianheng.actions.calendar import calendar
    from qianheng.ledger.months import parse_month
    from qianheng.store.database import reading

    asked = parse_month(month, "--month") if month else None
    with seat.desk() as desk, reading(desk.database) as connection:
        name, days = desk.plan(connection, plan).plan.name, calendar(desk, plan, asked)
    if as_json:
        print_json([_told(day) for day in days])
        return
    _print_grid(name, days)
    columns = headings("calendar", *TOLD)
    print_table("", columns, [_row(day) for day in days if day.status])


def _told(one: CalendarDay) -> dict[str, Any]:
    from qianheng.core.money import ratio_text, to_fen, yuan

    money = {"spend": yuan(to_fen(one.spend)), "stake": yuan(one.stake)}
    ratios = {"roi": ratio_text(one.roi), "target": ratio_text(one.target)}
    dates = {name: getattr(one, name) and getattr(one, name).isoformat() for name in ("judged_on", "pay_on", "paid_on")}
    known = {"day": one.day.isoformat(), "working_day": one.works, "status": one.status, "reason": one.reason}
    return {**known, **money, **ratios, **dates}


def _print_grid(plan: str, days: Sequence[CalendarDay]) -> None:
    """The month as weeks from Monday to Sunday, and what its signs mean."""
    from qianheng.pages.guarantee_days import look

    first = days[0].day
    cells = [""] * first.weekday() + [_cell(day) for day in days]
    cells += [""] * (-len(cells) % 7)
    weeks = [cells[start : start + 7] for start in range(0, len(cells), 7)]
    heading = [say(f"pages.weekday.{number}") for number in range(7)]
    print_table(say("calendar.title", plan=plan, month=f"{first:%Y-%m}"), heading, weeks)
    typer.echo(say("calendar.hint"))
    looks = dict.fromkeys(look(day.status, day.reason) for day in days if day.status)
    typer.echo("   ".join(f"{icon} {words}" for icon, _, words in looks))


def _cell(one: CalendarDay) -> str:
    from qianheng.pages.guarantee_days import look

    number = f"{one.day.day}" if one.works else f"({one.day.day})"
    if one.status is None:
        return f"{number}\n\n"
    icon, _, _ = look(one.status, one.reason)
    roi, target = (None if ratio is None else f"{float(ratio):.2f}" for ratio in (one.roi, one.target))
    return f"{number} {icon}\n{roi or '–'} / {target or '–'}\n{money_text(one.stake) if one.stake else ''}"


def _row(one: CalendarDay) -> list[object]:
    roi, target = (None if ratio is None else f"{float(ratio):.2f}" for ratio in (one.roi, one.target))
    why = say(f"guarantee.reason.{one.reason}") if one.reason else None
    status = say(f"guarantee.status.{one.status}")
    dates = (one.judged_on, one.pay_on, one.paid_on)
    return [one.day, status, why, money_text(one.spend), roi, target, money_text(one.stake), *dates]
