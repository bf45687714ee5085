"""`qianheng review`: daily, weekly and fortnightly looks at a shop, on the terminal, as a page or on paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeAlias

import typer

from qianheng.cli.desk import As, Now, RunName
from qianheng.cli.output import AsJson, Commands
from qianheng.cli.papers import Forms, Html, Pdf, put_out
from qianheng.cli.sources import Reports, ShopId, Source, desk_asked, history_asked
from qianheng.core.words import say

KINDS = ("daily", "weekly", "fortnightly")
Rules: TypeAlias = Annotated[str, typer.Option("--thresholds", metavar="FILE", help=say("reviews.command.rules"))]


def build_app() -> typer.Typer:
    """The reviews."""
    app = typer.Typer(cls=Commands, help=say("reviews.command.about"), no_args_is_help=True)
    for kind in KINDS:
        app.command(kind, help=say(f"reviews.command.{kind}"))(_command(kind))
    return app


def _command(kind: str) -> Callable[..., None]:
    def command(
        html: Html = "",
        pdf: Pdf = "",
        rules: Rules = "",
        shop: ShopId = "",
        reports: Reports = False,
        run: RunName = "",
        as_: As = "",
        now: Now = "",
        as_json: AsJson = False,
    ) -> None:
        _review(kind, Source(run, as_, now, reports), (shop, rules), Forms(html, pdf, as_json))

    return command


def _review(kind: str, source: Source, asked: tuple[str, str], forms: Forms) -> None:
    from qianheng.actions.reviews import Kind, asked_of, review_of, review_of_reports
    from qianheng.cli.reports import rules_of
    from qianheng.pages.reviews import review_document

    which, (shop, path) = Kind(kind), asked
    rules = rules_of(path)
    if source.reports:
        review = review_of_reports(history_asked(source, asked_of(which, shop)), which, rules)
    else:
        with desk_asked(source) as desk:
            review = review_of(desk, which, rules, shop)
    put_out(review_document(review), forms)
