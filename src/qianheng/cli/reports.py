"""`qianheng import` and `qianheng report`."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands on reports of other platforms."""
