"""`qianheng incrementality`: what promotion adds, by a shop's hold-out, beside what is reported."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from qianheng.cli.desk import As, Now, RunName
from qianheng.cli.output import AsJson
from qianheng.cli.papers import Forms, Html, Pdf, put_out
from qianheng.cli.sources import Source, desk_asked
from qianheng.core.words import say

First: TypeAlias = Annotated[str, typer.Option("--from", metavar="DAY", help=say("incrementality.first"))]
Last: TypeAlias = Annotated[str, typer.Option("--to", metavar="DAY", help=say("incrementality.last"))]


def add_to(app: typer.Typer) -> None:
    """Add the command on what promotion adds."""
    app.command("incrementality", help=say("incrementality.command"))(_incrementality)


def _incrementality(
    first: First = "",
    last: Last = "",
    html: Html = "",
    pdf: Pdf = "",
    run: RunName = "",
    as_: As = "",
    now: Now = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.incrementality import incrementality
    from qianheng.pages.incrementality import incrementality_document

    with desk_asked(Source(run, as_, now)) as desk:
        found = incrementality(desk, (first, last))
    put_out(incrementality_document(found), Forms(html, pdf, as_json))
