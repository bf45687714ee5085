"""`qianheng replay`: the production bidder on recorded auctions."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.replay import ReplayScore

KNOWN = "fixed, pid, dual-mirror-descent, min-pacing, qianheng"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay", help=say("replay.command.about"))(_replay)


def _replay(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help=say("replay.command.paths"))],
    bidder: Annotated[
        list[str] | None, typer.Option("--bidder", metavar="NAME", help=say("replay.command.bidder", known=KNOWN))
    ] = None,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.replay import replay, summary
    from qianheng.bidding.references import BIDDERS

    scores = replay(paths, bidder or tuple(BIDDERS), told=_tell)
    if as_json:
        print_json({"summary": summary(scores), "recordings": [asdict(score) for score in scores]})
    else:
        _print(scores, summary(scores))


def _tell(score: ReplayScore) -> None:
    """A line on standard error for each day scored: replays take minutes."""
    sys.stderr.write(f"{score.recording}  {score.bidder}  {score.capped:.3f}\n")


def _print(scores: list[ReplayScore], table: dict[str, dict[str, float]]) -> None:
    columns = ("recording", "bidder", "capped", "value", "over", "spend")
    rows = [
        [s.recording, s.bidder, *(f"{figure:.3f}" for figure in (s.capped, s.value, s.over, s.spend))] for s in scores
    ]
    print_table("", headings("replay", *columns), rows)
    names = list(next(iter(table.values())))
    means = [
        [bidder, *(f"{row[name]:.3f}" if name != "recordings" else f"{row[name]:.0f}" for name in names)]
        for bidder, row in table.items()
    ]
    print_table("", headings("replay", "bidder", *names), means)
