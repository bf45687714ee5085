"""`qianheng guarantee status` and `close`: where units stand, and the end of a day made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import Seat, minute
from qianheng.cli.output import AsJson, headings, money_text, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from datetime import date, datetime

    from qianheng.actions.close import Closed
    from qianheng.actions.standing import Standing
    from qianheng.guarantee.timeline import Move
    from qianheng.store.closes import Given

PlanId: TypeAlias = Annotated[int | None, typer.Option("--plan", metavar="ID", help=say("close.command.plan"))]
Day: TypeAlias = Annotated[str, typer.Option("--day", metavar="DAY", help=say("close.command.day"))]
Until: TypeAlias = Annotated[str, typer.Option("--until", metavar="DAY", help=say("close.command.until"))]
CLOSED = ("day", "judged", "corrected", "promised", "paid")
STANDING = ("day", "plan", "status", "since", "reason", "compensation", "paid", "pending", "due_by")


def add_to(app: typer.Typer) -> None:
    """Add the commands of the time line."""
    app.command("status", help=say("close.command.status"))(_status)
    app.command("close", help=say("close.command.close"))(_close)


def _status(seat: Seat, plan: PlanId = None, day: Day = "", as_json: AsJson = False) -> None:
    from qianheng.actions.standing import standings
    from qianheng.core.days import parse_day

    with seat.desk() as desk:
        found = standings(desk, plan, parse_day(day, "--day") if day else None)
    if as_json:
        print_json([_standing(one, desk.now) for one in found])
        return
    print_table("", headings("close", *STANDING), [_standing_row(one, desk.now) for one in found])
    if plan is not None and day:
        for one in found:
            rows = [(minute(_time(move.at, desk.now), desk.now), *_named(move)) for move in one.moves]
            print_table(say("close.title.moves"), headings("close", "since", "status", "because", "reason"), rows)


def _close(seat: Seat, until: Until = "", as_json: AsJson = False) -> None:
    from qianheng.actions.close import close_until
    from qianheng.core.actors import SYSTEM
    from qianheng.core.days import parse_day

    with seat.by(SYSTEM.name).desk() as desk:
        closed = list(close_until(desk, parse_day(until, "--until") if until else None))
    if as_json:
        print_json([_closed(day, one) for day, one in closed])
    elif not closed:
        typer.echo(say("close.nothing"))
    else:
        rows = [(day, one.judged, one.corrected, money_text(one.promised), money_text(one.paid)) for day, one in closed]
        print_table("", headings("close", *CLOSED), rows)


def _closed(day: date, one: Closed) -> dict[str, Any]:
    from qianheng.core.money import yuan

    counts = {"day": day.isoformat(), "judged": one.judged, "corrected": one.corrected}
    return counts | {"promised": yuan(one.promised), "paid": yuan(one.paid)}


def _standing(one: Standing, here: datetime) -> dict[str, Any]:
    from qianheng.core.money import yuan

    last = one.moves[-1] if one.moves else None
    policy = {"policy": one.judged.policy.name, "policy_version": one.judged.policy.version}
    moved = {"status": last and last.status, "reason": last and last.reason}
    money = {name: yuan(getattr(one, name)) for name in ("compensation", "paid", "pending")}
    due = {"due_by": one.due_by and one.due_by.isoformat(), "overdue": one.overdue}
    moves = [
        {"at": _time(move.at, here).isoformat(), "status": move.status, "because": move.because, "reason": move.reason}
        for move in one.moves
    ]
    return {
        "plan_id": one.judged.plan_id,
        "boost_id": None if one.judged.boost_id is None else str(one.judged.boost_id),
        "day": one.judged.day.isoformat(),
        **policy,
        **moved,
        **money,
        **due,
        "moves": moves,
        "verdict": one.answer,
        "given": [_given(verdict, here) for verdict in one.given],
    }


def _given(verdict: Given, here: datetime) -> dict[str, Any]:
    """A verdict as it was given; ids as text, since they are longer than some readers' numbers."""
    policy = {"policy": verdict.policy, "policy_version": verdict.policy_version}
    corrects = None if verdict.corrects is None else str(verdict.corrects)
    at = _time(verdict.given_at, here).isoformat()
    return {"id": str(verdict.id), "given_at": at, "corrects": corrects, **policy, "verdict": verdict.answer}


def _standing_row(one: Standing, here: datetime) -> list[object]:
    money = (money_text(getattr(one, name)) for name in ("compensation", "paid", "pending"))
    due = say("close.overdue", day=one.due_by) if one.overdue else one.due_by
    name = one.judged.plan.name
    name = name if one.judged.boost_id is None else say("close.boost_of", plan=name)
    if not one.moves:
        return [one.judged.day, name, None, None, None, *money, due]
    status, _, reason = _named(one.moves[-1])
    since = minute(_time(one.moves[-1].at, here), here)
    return [one.judged.day, name, status, since, reason, *money, due]


def _named(move: Move) -> tuple[str, str, str | None]:
    reason = move.reason and say(f"guarantee.reason.{move.reason}")
    return say(f"guarantee.status.{move.status}"), say(f"close.because.{move.because}"), reason


def _time(at: int, here: datetime) -> datetime:
    from qianheng.core.days import moment

    return moment(at).astimezone(here.tzinfo)
