"""`qianheng metrics`: the dictionary of measures."""

from __future__ import annotations

from typing import Annotated

import typer

from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.words import say


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("metrics", help=say("metrics.command.about"))(_metrics)


def _metrics(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help=say("metrics.command.name"))] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help=say("metrics.command.markdown"))] = False,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions import metrics

    found = metrics.asked(name)
    if markdown:
        typer.echo(metrics.page(), nl=False)
    elif as_json:
        print_json({"metrics": [metrics.described(one) for one in found]})
    else:
        print_table(say("metrics.title"), headings("metrics", *metrics.COLUMNS), metrics.rows(found))
