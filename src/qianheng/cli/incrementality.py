"""`qianheng incrementality`: what promotion adds, by a shop's hold-out, beside what is reported."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from qianheng.cli.options import Seat
from qianheng.cli.papers import Forms, put_out
from qianheng.cli.sources import desk_asked
from qianheng.core.words import say

First: TypeAlias = Annotated[str, typer.Option("--from", metavar="DAY", help=say("incrementality.first"))]
Last: TypeAlias = Annotated[str, typer.Option("--to", metavar="DAY", help=say("incrementality.last"))]


def add_to(app: typer.Typer) -> None:
    """Add the command on what promotion adds."""
    app.command("incrementality", help=say("incrementality.command"))(_incrementality)


def _incrementality(seat: Seat, forms: Forms, first: First = "", last: Last = "") -> None:
    from qianheng.actions.incrementality import incrementality
    from qianheng.pages.incrementality import incrementality_document

    with desk_asked(seat) as desk:
        found = incrementality(desk, (first, last))
    put_out(incrementality_document(found), forms)
