"""The options by which every advising command is told what to look at: a run at the desk, or imported reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.options import Seat
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.desk import Desk
    from qianheng.actions.histories import Asked
    from qianheng.measures.history import History

Reports: TypeAlias = Annotated[bool, typer.Option("--reports", help=say("histories.command.reports"))]
ShopId: TypeAlias = Annotated[str, typer.Option("--shop", metavar="ID", help=say("histories.command.shop"))]
OfPlan: TypeAlias = Annotated[str, typer.Option("--plan", metavar="ID", help=say("histories.command.plan"))]


@dataclass(frozen=True, slots=True)
class Source(Seat):
    """What a command looks at: what a seat's desk keeps, or `--reports` at its time."""

    reports: Reports = False


@contextmanager
def desk_asked(seat: Seat) -> Iterator[Desk]:
    """The desk asked for; without a time, the morning after the last day that anything was spent on."""
    from qianheng.actions.histories import served_until

    with seat.desk() as desk:
        yield desk if seat.now else served_until(desk)


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
