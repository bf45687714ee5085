"""`qianheng review`: daily, weekly and fortnightly looks at a shop, on the terminal, as a page or on paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.options import App, Seat
from qianheng.cli.papers import Forms, put_out
from qianheng.cli.sources import ShopId, Source, desk_asked, history_asked
from qianheng.core.errors import BadInput
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.histories import Asked
    from qianheng.actions.side_by_side import SideBySide
    from qianheng.measures.history import History
    from qianheng.pages.document import Document

RECORD_DAYS = 120  # a test lasts no longer
KINDS = ("daily", "weekly", "fortnightly")
Rules: TypeAlias = Annotated[str, typer.Option("--thresholds", metavar="FILE", help=say("reviews.command.rules"))]

PlanA: TypeAlias = Annotated[str, typer.Option("--a", metavar="ID", help=say("reviews.record.plan", side="A"))]
PlanB: TypeAlias = Annotated[str, typer.Option("--b", metavar="ID", help=say("reviews.record.plan", side="B"))]
First: TypeAlias = Annotated[str, typer.Option("--from", metavar="DAY", help=say("reviews.record.first"))]
Last: TypeAlias = Annotated[str, typer.Option("--to", metavar="DAY", help=say("reviews.record.last"))]
Output: TypeAlias = Annotated[str, typer.Option("--output", metavar="FILE", help=say("reviews.record.output"))]

Room: TypeAlias = Annotated[int | None, typer.Option("--room", metavar="ID", help=say("reviews.live.room"))]
Back: TypeAlias = Annotated[int, typer.Option("--back", metavar="N", min=0, help=say("reviews.live.back"))]


def build_app() -> typer.Typer:
    """The reviews."""
    app = App(say("reviews.command.about"), no_args_is_help=True)
    for kind in KINDS:
        app.command(kind, help=say(f"reviews.command.{kind}"))(_command(kind))
    app.command("live", help=say("reviews.live.command"))(_live)
    app.command("test-record", help=say("reviews.record.command"))(_test_record)
    return app


def _command(kind: str) -> Callable[..., None]:
    def command(source: Source, forms: Forms, rules: Rules = "", shop: ShopId = "") -> None:
        put_out(review_asked(kind, source, shop, rules), forms)

    return command


def review_asked(kind: str, source: Source, shop: str = "", thresholds: str = "") -> Document:
    """The document of a review of a kind. Nothing to look at: NotFound; rules that cannot be read: BadInput."""
    from qianheng.actions.report_alerts import report_desk
    from qianheng.actions.reviews import Kind, asked_of, review_of, review_of_reports
    from qianheng.cli.reports import rules_of, stored
    from qianheng.pages.reviews import review_document

    which, rules = Kind(kind), rules_of(thresholds)
    if source.reports:
        history = history_asked(source, asked_of(which, shop))
        with stored() as engine:
            review = review_of_reports(report_desk(engine, history), history, which, rules)
    else:
        with desk_asked(source) as desk:
            review = review_of(desk, which, rules, shop)
    return review_document(review)


def _live(seat: Seat, forms: Forms, room: Room = None, back: Back = 0, rules: Rules = "") -> None:
    put_out(wrap_up_asked(seat, (room, back), rules), forms)


def wrap_up_asked(seat: Seat, which: tuple[int | None, int] = (None, 0), thresholds: str = "") -> Document:
    """The document of a live session: of which room, and how many before the last. None is over: NotFound."""
    from qianheng.actions.wrap_ups import wrap_up
    from qianheng.cli.reports import rules_of
    from qianheng.pages.wrap_up import wrap_up_document

    with seat.desk() as desk:
        return wrap_up_document(wrap_up(desk, rules_of(thresholds), *which))


def _test_record(
    source: Source,
    forms: Forms,
    a: PlanA,
    b: PlanB,
    first: First = "",
    last: Last = "",
    output: Output = "",
    shop: ShopId = "",
) -> None:
    from qianheng.actions.histories import Asked
    from qianheng.actions.record_sheet import workbook
    from qianheng.actions.side_by_side import side_by_side
    from qianheng.core.days import parse_day
    from qianheng.pages.side_by_side import record_document

    if output and not output.lower().endswith(".xlsx"):
        raise BadInput("reviews.record.xlsx_only", place="--output", value=output)
    days = (parse_day(first, "--from") if first else None, parse_day(last, "--to") if last else None)
    history = _history(source, Asked(shop, RECORD_DAYS))
    told = side_by_side(history, (a, b), days)
    sources = _sources(told, source.reports)
    files = [(output, lambda: workbook(told, sources))] if output else []
    put_out(record_document(told, sources), forms, files)


def _history(source: Source, asked: Asked) -> History:
    """The history asked for; of a run all that is known by its clock, so that refunds have come in."""
    from qianheng.actions.histories import history_of

    if source.reports:
        return history_asked(source, asked)
    with source.desk() as desk:
        return history_of(desk, asked)


def _sources(told: SideBySide, reports: bool) -> tuple[str, ...]:
    """The command lines that open the record's figures."""
    days = f"--from {told.span.first} --to {told.span.last}"
    if reports:
        return (f"qianheng report --by plan {days}",)
    when = f"--now {told.history.now:%Y-%m-%dT%H:%M}"
    return tuple(f"qianheng figures --plan {plan.subject.id} --by day {days} {when}" for plan in told.plans.values())
