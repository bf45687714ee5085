"""`qianheng claim`: refund claims: file, list, show, evidence, withdraw; queue, take, approve, reject, pay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import App, As, Seat, minute
from qianheng.cli.output import AsJson, headings, money_text, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from datetime import datetime

    from qianheng.actions.claim_review import Review
    from qianheng.actions.desk import Desk
    from qianheng.guarantee.claims import Standing
    from qianheng.store.evidence import Evidence

ClaimId: TypeAlias = Annotated[int, typer.Argument(metavar="CLAIM", help=say("claims.command.claim"))]
PlanId: TypeAlias = Annotated[int, typer.Option("--plan", metavar="ID", help=say("claims.command.plan"))]
OfPlan: TypeAlias = Annotated[int | None, typer.Option("--plan", metavar="ID", help=say("claims.command.plan"))]
From: TypeAlias = Annotated[str, typer.Option("--from", metavar="DAY", help=say("claims.command.from"))]
To: TypeAlias = Annotated[str, typer.Option("--to", metavar="DAY", help=say("claims.command.to"))]
ConditionName: TypeAlias = Annotated[
    str, typer.Option("--condition", metavar="NAME", help=say("claims.command.condition"))
]
Reason: TypeAlias = Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("claims.command.reason"))]
Amount: TypeAlias = Annotated[str, typer.Option("--amount", metavar="YUAN", help=say("claims.command.amount"))]
Key: TypeAlias = Annotated[str, typer.Option("--key", metavar="TEXT", help=say("claims.command.key"))]
Files: TypeAlias = Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help=say("claims.command.files"))]
Accept: TypeAlias = Annotated[bool, typer.Option("--accept", help=say("claims.command.accept"))]
Decline: TypeAlias = Annotated[bool, typer.Option("--decline", help=say("claims.command.decline"))]


@dataclass(frozen=True, slots=True)
class ReviewerSeat(Seat):
    """The seat of the reviewer, unless it is said who else sits there."""

    actor: As = "reviewer"


def build_app() -> typer.Typer:
    """The commands of refund claims."""
    app = App(say("claims.command.about"), no_args_is_help=True)
    commands = (_file, _list, _show, _evidence, _withdraw, _offer, _queue, _take, _approve, _reject, _pay)
    for command in commands:
        name = command.__name__.removeprefix("_")
        app.command(name, help=say(f"claims.command.{name}"))(command)
    return app


def _file(
    seat: Seat,
    plan: PlanId,
    first: From,
    condition: ConditionName,
    reason: Reason,
    last: To = "",
    amount: Amount = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.claims import Asked, file
    from qianheng.core.days import parse_day

    days = (parse_day(first, "--from"), parse_day(last or first, "--to"))
    asked = Asked(plan, *days, condition, reason, _amount(amount), key)
    with seat.desk() as desk:
        standing = file(desk, asked)
    _print_step(standing, as_json)
    if not as_json and standing.claim.offer is not None and not standing.moves:
        offer = {"id": standing.claim.id, "offer": money_text(standing.claim.offer)}
        typer.echo(say("claims.offer", **offer))


def _list(seat: Seat, plan: OfPlan = None, as_json: AsJson = False) -> None:
    from qianheng.actions.claim_review import claims_of

    with seat.desk() as desk:
        found = claims_of(desk, plan)
    if as_json:
        print_json([_claim_json(one) for one in found])
        return
    names = ("id", "filed", "plan", "days", "condition", "asked", "granted", "status")
    print_table("", headings("claims", *names), [_claim_row(one) for one in found])


def _show(seat: Seat, claim: ClaimId, as_json: AsJson = False) -> None:
    from qianheng.actions.claim_review import show

    with seat.desk() as desk:
        found = show(desk, claim)
        if as_json:
            print_json(_review_json(found))
        else:
            _print_review(found, desk)


def _evidence(seat: Seat, claim: ClaimId, files: Files = None, as_json: AsJson = False) -> None:
    from qianheng.actions.claim_evidence import attach, evidence, folder_of

    with seat.desk() as desk:
        if files:
            attach(desk, claim, files)
        found, folder = evidence(desk, claim), folder_of(desk)
    if as_json:
        print_json([_file_json(one) | {"path": str(folder / one.path)} for one in found])
        return
    names = ("name", "type", "size", "added", "actor", "path")
    rows = [
        (one.name, one.type, f"{one.size:,}", minute(one.at, desk.now), one.actor, folder / one.path) for one in found
    ]
    print_table("", headings("claims", *names), rows)


def _withdraw(seat: Seat, claim: ClaimId, reason: Reason = "", as_json: AsJson = False) -> None:
    from qianheng.actions.claims import withdraw

    with seat.desk() as desk:
        _print_step(withdraw(desk, claim, reason), as_json)


def _offer(
    seat: Seat, claim: ClaimId, accept: Accept = False, decline: Decline = False, as_json: AsJson = False
) -> None:
    from qianheng.actions.claims import answer_offer
    from qianheng.core.errors import BadInput

    if accept == decline:
        raise BadInput("claims.accept_or_decline")
    with seat.desk() as desk:
        _print_step(answer_offer(desk, claim, accept), as_json)


def _queue(seat: ReviewerSeat, as_json: AsJson = False) -> None:
    from qianheng.actions.claim_review import queue

    with seat.desk() as desk:
        found = queue(desk)
    if as_json:
        print_json([_review_json(one) for one in found])
        return
    names = ("id", "filed", "plan", "days", "condition", "asked", "status", "due_by", "found")
    print_table("", headings("claims", *names), [_queue_row(one) for one in found])


def _take(seat: ReviewerSeat, claim: ClaimId, as_json: AsJson = False) -> None:
    from qianheng.actions.claims import take

    with seat.desk() as desk:
        _print_step(take(desk, claim), as_json)


def _approve(
    seat: ReviewerSeat, claim: ClaimId, amount: Amount = "", reason: Reason = "", as_json: AsJson = False
) -> None:
    from qianheng.actions.claims import approve

    with seat.desk() as desk:
        _print_step(approve(desk, claim, _amount(amount), reason), as_json)


def _reject(seat: ReviewerSeat, claim: ClaimId, reason: Reason = "", as_json: AsJson = False) -> None:
    from qianheng.actions.claims import reject

    with seat.desk() as desk:
        _print_step(reject(desk, claim, reason), as_json)


def _pay(seat: ReviewerSeat, as_json: AsJson = False) -> None:
    from qianheng.actions.claims import pay_now
    from qianheng.core.money import yuan

    with seat.desk() as desk:
        paid = pay_now(desk)
    if as_json:
        print_json({"paid": yuan(paid)})
    else:
        typer.echo(say("claims.paid", amount=money_text(paid)) if paid else say("claims.nothing_to_pay"))


def _amount(text: str) -> int | None:
    from qianheng.core.errors import BadInput
    from qianheng.core.money import micros

    try:
        return micros(text) if text else None
    except BadInput as error:
        raise error.at("--amount") from None


def _print_step(standing: Standing, as_json: bool) -> None:
    """What a claim has come to by what was just done."""
    if as_json:
        print_json(_claim_json(standing))
        return
    claim = standing.claim
    told = {"id": claim.id, "asked": money_text(claim.asked), "granted": money_text(standing.granted)}
    typer.echo(say("claims.now", status=say(f"claims.status.{standing.status}"), **told))


def _print_review(found: Review, desk: Desk) -> None:
    standing, claim = found.standing, found.standing.claim
    _print_step(standing, as_json=False)
    facts = [
        (say("claims.column.plan"), claim.plan_id),
        (say("claims.column.days"), _span(standing)),
        (say("claims.column.condition"), say(f"claims.condition.{claim.condition}")),
        (say("claims.column.reason"), claim.reason),
        (say("claims.column.claimant"), claim.claimant),
        (say("claims.column.due_by"), _due(found)),
        *((say(f"claims.figure.{name}"), value) for name, value in claim.figures.items()),
    ]
    print_table("", ["", ""], facts)
    if found.findings:
        rows = [
            (say(f"claims.finding.{name}"), value, against, say("claims.unusual") if unusual else None)
            for name, value, against, unusual in found.findings
        ]
        print_table(say("claims.found"), headings("claims", "finding", "value", "against", "found"), rows)
    if found.evidence:
        files = [(one.name, one.type, f"{one.size:,}", one.actor) for one in found.evidence]
        print_table(say("claims.files"), headings("claims", "name", "type", "size", "actor"), files)
    trail = [
        (minute(one.at, desk.now), one.actor, say(f"actors.role.{one.role}"), _did(one.detail)) for one in found.trail
    ]
    print_table(say("claims.trail"), headings("claims", "at", "actor", "role", "did"), trail)


def _did(detail: Any) -> str:
    """An audit entry of a claim in words: the step and what came with it."""
    step = detail.get("step", "evidence" if "hash" in detail else "file")
    rest = [str(detail[name]) for name in ("asked", "amount", "name", "reason") if detail.get(name)]
    return say("claims.list").join([say(f"claims.step.{step}"), *rest])


def _claim_row(one: Standing) -> list[object]:
    claim = one.claim
    what = (_span(one), say(f"claims.condition.{claim.condition}"), money_text(claim.asked))
    granted = money_text(one.granted) if one.granted else None
    return [claim.id, _filed(claim.at), claim.plan_id, *what, granted, say(f"claims.status.{one.status}")]


def _queue_row(found: Review) -> list[object]:
    row = _claim_row(found.standing)
    unusual = [
        f"{say(f'claims.finding.{one.name}')} {one.value} ({one.against})" for one in found.findings if one.unusual
    ]
    return [*row[:6], row[7], _due(found), "\n".join(unusual) or None]


def _due(found: Review) -> str | None:
    if found.due_by is None:
        return None
    return f"{found.due_by}{say('claims.overdue') if found.overdue else ''}"


def _span(one: Standing) -> str:
    first, last = one.claim.days
    return f"{first}" if first == last else f"{first} – {last}"


def _filed(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _claim_json(one: Standing) -> dict[str, Any]:
    from qianheng.core.money import yuan

    claim = one.claim
    return {
        "id": str(claim.id),
        "status": one.status,
        "plan_id": claim.plan_id,
        "condition": claim.condition,
        "days": [day.isoformat() for day in claim.days],
        "asked": yuan(claim.asked),
        "granted": yuan(one.granted),
        "reason": claim.reason,
        "claimant": claim.claimant,
        "filed_at": claim.at.isoformat(),
        "figures": dict(claim.figures),
        "offer": None if claim.offer is None else yuan(claim.offer),
        "policy": list(claim.policy),
    }


def _file_json(one: Evidence) -> dict[str, Any]:
    return {"hash": one.hash, "name": one.name, "type": one.type, "size": one.size, "actor": one.actor}


def _review_json(found: Review) -> dict[str, Any]:
    trail = [
        {"at": one.at.isoformat(), "actor": one.actor, "role": str(one.role), "detail": one.detail}
        for one in found.trail
    ]
    return _claim_json(found.standing) | {
        "due_by": None if found.due_by is None else found.due_by.isoformat(),
        "overdue": found.overdue,
        "findings": [one._asdict() for one in found.findings],
        "evidence": [_file_json(one) for one in found.evidence],
        "trail": trail,
    }
