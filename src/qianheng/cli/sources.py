"""The options by which every advising command is told what to look at: a run at the desk, or imported reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.desk import Desk
    from qianheng.actions.histories import Asked
    from qianheng.measures.history import History

Reports: TypeAlias = Annotated[bool, typer.Option("--reports", help=say("histories.command.reports"))]
ShopId: TypeAlias = Annotated[str, typer.Option("--shop", metavar="ID", help=say("histories.command.shop"))]
OfPlan: TypeAlias = Annotated[str, typer.Option("--plan", metavar="ID", help=say("histories.command.plan"))]


@dataclass(frozen=True, slots=True)
class Source:
    """What a command was told to look at: `--run`, `--as` and `--now` of the desk, or `--reports` at `--now`."""

    run: str = ""
    actor: str = ""
    now: str = ""
    reports: bool = False


@contextmanager
def desk_asked(source: Source) -> Iterator[Desk]:
    """The desk asked for; without a time, the morning after the last day that anything was spent on."""
    from qianheng.actions.desk import desk_of
    from qianheng.actions.histories import served_until

    with desk_of(source.run, source.actor, source.now) as desk:
        yield desk if source.now else served_until(desk)


def history_asked(source: Source, asked: Asked) -> History:
    """The history asked for. Nothing goes by those names: NotFound; a time that cannot be read: BadInput."""
    from qianheng.actions.histories import history_of
    from qianheng.actions.report_histories import history_of_reports
    from qianheng.cli.reports import stored
    from qianheng.core.errors import BadInput

    if not source.reports:
        with desk_asked(source) as desk:
            return history_of(desk, asked)
    if source.run or source.actor:
        raise BadInput("histories.both_sources", value="--run" if source.run else "--as")
    with stored() as engine:
        return history_of_reports(engine, source.now, asked)
