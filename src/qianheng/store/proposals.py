"""Proposals kept in SQL, and every move made with one; append-only. Where one stands is folded from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.actors import Role
from qianheng.core.days import microseconds, moment
from qianheng.core.errors import NotFound, Refused
from qianheng.core.interval import Interval
from qianheng.diagnosis.evidence import Evidence
from qianheng.plans.plan import Value, held
from qianheng.store.database import Sequence, append, insert_unless_there, metadata
from qianheng.store.plans import plain_value
from qianheng.strategy.decisions import Move, Standing, Step, standing
from qianheng.strategy.followup import FollowUp, Measured, Outcome
from qianheng.strategy.proposal import Action, Effect, Measure, Proposal, Reason

PROPOSAL = sa.Table(
    "proposal",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("shop_id", sa.Text, nullable=False, index=True),
    sa.Column("plan_id", sa.Text),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
PROPOSAL_MOVE = sa.Table(
    "proposal_move",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("proposal_id", sa.BigInteger, sa.ForeignKey("proposal.id"), nullable=False, index=True),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)


def keep(connection: Connection, shop_id: str, proposal: Proposal) -> Standing:
    """Keep a proposal, and where it stands. One of its id, made the same day, is kept already: nothing."""
    row = {"id": proposal.id, "shop_id": shop_id, "plan_id": proposal.plan_id, "action": str(proposal.action)}
    row |= {"made_at": microseconds(proposal.made_at), "body": _body(proposal)}
    connection.execute(insert_unless_there(connection, PROPOSAL), row)
    (kept,) = _read(connection, PROPOSAL.c.id == proposal.id)
    return kept


def move(connection: Connection, made: Move) -> None:
    """Keep a move of a proposal. The same again: nothing; its id with another content: Refused."""
    row = {"id": made.id, "proposal_id": made.proposal_id, "step": str(made.step), "at": microseconds(made.at)}
    row |= {"actor": made.actor, "role": str(made.role), "body": _move_body(made)}
    if not append(connection, PROPOSAL_MOVE, row):
        raise Refused("store.other_content", place=f"proposal {made.proposal_id}")


def load(connection: Connection, name: str) -> Standing:
    """Where a proposal stands, by the name people call it ("p12"). No such proposal: NotFound."""
    number = name.lower().removeprefix("p")
    known = int(number) if number.isascii() and number.isdigit() and len(number) < 18 else -1
    found = next(iter(_read(connection, PROPOSAL.c.sequence == known)), None)
    if found is None:
        raise NotFound("proposals.no_proposal", value=name)
    return found


def of_shop(connection: Connection, shop_id: str) -> list[Standing]:
    """All proposals of a shop in the order they were made."""
    return _read(connection, PROPOSAL.c.shop_id == shop_id)


def lock(connection: Connection, proposal_id: int) -> None:
    """Let nobody else decide a proposal until the transaction ends. SQLite has one writer at a time."""
    connection.execute(sa.select(PROPOSAL.c.id).where(PROPOSAL.c.id == proposal_id).with_for_update())


def _read(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Standing]:
    rows = connection.execute(sa.select(PROPOSAL).where(condition).order_by(PROPOSAL.c.sequence)).all()
    joined = sa.select(PROPOSAL_MOVE).join(PROPOSAL, PROPOSAL.c.id == PROPOSAL_MOVE.c.proposal_id).where(condition)
    moves: defaultdict[int, list[Move]] = defaultdict(list)
    zones = {row.id: row.body["timezone"] for row in rows}
    for row in connection.execute(joined.order_by(PROPOSAL_MOVE.c.sequence)):
        moves[row.proposal_id].append(_move(row, zones[row.proposal_id]))
    return [standing(row.sequence, row.shop_id, _proposal(row), moves[row.id]) for row in rows]


def _body(proposal: Proposal) -> dict[str, Any]:
    return {
        "timezone": str(proposal.made_at.tzinfo),
        "good_until": microseconds(proposal.good_until),
        "reason": [proposal.reason.rule, dict(proposal.reason.values)],
        "before": _values(proposal.before),
        "after": _values(proposal.after),
        "effects": [[one.measure, _interval(one.change), one.baseline, one.per] for one in proposal.effects],
        "evidence": [
            [one.name, _figure(one.value), _figure(one.against), one.unit, one.source] for one in proposal.evidence
        ],
    }


def _proposal(row: Any) -> Proposal:
    body, zone = row.body, row.body["timezone"]
    rule, values = body["reason"]
    return Proposal(
        plan_id=row.plan_id,
        action=Action(row.action),
        reason=Reason(rule, values),
        made_at=moment(row.made_at, zone),
        good_until=moment(body["good_until"], zone),
        before=_held(body["before"]),
        after=_held(body["after"]),
        effects=tuple(
            Effect(Measure(name), _interval_of(change), baseline, per)
            for name, change, baseline, per in body["effects"]
        ),
        evidence=tuple(
            Evidence(name, _figure_of(value), _figure_of(against), unit, source)
            for name, value, against, unit, source in body["evidence"]
        ),
    )


def _move_body(made: Move) -> dict[str, Any]:
    told = {
        "reason": made.reason,
        "after": _values(made.after),
        "due": None if made.due is None else microseconds(made.due),
        "version": made.version,
        "found": None if made.found is None else _found(made.found),
    }
    return {name: value for name, value in told.items() if value not in (None, "", {})}


def _move(row: Any, zone: str) -> Move:
    body = row.body
    return Move(
        row.proposal_id,
        Step(row.step),
        moment(row.at, zone),
        row.actor,
        Role(row.role),
        body.get("reason", ""),
        _held(body.get("after", {})),
        moment(body["due"], zone) if "due" in body else None,
        body.get("version"),
        _follow_up(body["found"]) if "found" in body else None,
    )


def _found(found: FollowUp) -> dict[str, Any]:
    measured = [
        [one.measure, one.expected and _interval(one.expected), _interval(one.measured), one.baseline, one.pairs]
        for one in found.measured
    ]
    days = [found.first.isoformat(), found.last.isoformat()]
    return {"outcome": found.outcome, "days": days, "beside_others": found.beside_others, "measured": measured}


def _follow_up(body: Mapping[str, Any]) -> FollowUp:
    measured = (
        Measured(Measure(name), expected and _interval_of(expected), _interval_of(told), baseline, pairs)
        for name, expected, told, baseline, pairs in body["measured"]
    )
    first, last = map(date.fromisoformat, body["days"])
    return FollowUp(Outcome(body["outcome"]), first, last, body["beside_others"], tuple(measured))


def _values(values: Mapping[str, Value]) -> dict[str, Any]:
    return {name: plain_value(value) for name, value in values.items()}


def _held(values: Mapping[str, Any]) -> dict[str, Value]:
    return {name: held(name, value) for name, value in values.items()}


def _interval(interval: Interval) -> list[Any]:
    return [_figure(end) for end in (interval.low, interval.expected, interval.high)]


def _interval_of(ends: Iterable[Any]) -> Interval:
    return Interval(*(Fraction(*end) if isinstance(end, list) else end for end in ends))


def _figure(value: Any) -> Any:
    """A fraction as its two numbers; anything else as it is."""
    return [value.numerator, value.denominator] if isinstance(value, Fraction) else value


def _figure_of(value: Any) -> Any:
    return Fraction(*value) if isinstance(value, list) else value
