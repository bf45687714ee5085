"""`qianheng guarantee`: evaluate a case, explain it."""

from __future__ import annotations

import typer


def build_app() -> typer.Typer:
    """The commands of the guarantee."""
    return typer.Typer()
