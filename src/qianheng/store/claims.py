"""Refund claims kept in SQL: claims, their moves, and which yuan of which day were granted; append-only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.actors import Role
from qianheng.core.days import microseconds, moment
from qianheng.core.errors import NotFound, Refused
from qianheng.core.money import Micros
from qianheng.guarantee.claims import Claim, Condition, Move, Share, Standing, Step, standing
from qianheng.guarantee.overlap import Stretch
from qianheng.store.database import Sequence, append, metadata

CLAIM = sa.Table(
    "claim",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("shop_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("plan_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("condition", sa.Text, nullable=False),
    sa.Column("claimant", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
CLAIM_MOVE = sa.Table(
    "claim_move",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("claim_id", sa.BigInteger, sa.ForeignKey("claim.id"), nullable=False, index=True),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
CLAIM_SHARE = sa.Table(
    "claim_share",
    metadata,
    sa.Column("plan_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("end", sa.BigInteger, nullable=False),
    sa.Column("claim_id", sa.BigInteger, sa.ForeignKey("claim.id"), nullable=False, index=True),
)
CLAIM_RETURN = sa.Table(
    "claim_return",
    metadata,
    sa.Column("transfer_id", sa.BigInteger, sa.ForeignKey("transfer.id"), primary_key=True, autoincrement=False),
    sa.Column("claim_id", sa.BigInteger, sa.ForeignKey("claim.id"), nullable=False, index=True),
    sa.Column("expires_at", sa.BigInteger),
)


class Returning(NamedTuple):
    """A pending transfer that pays a claim, and when credit that it brings back lapses; `None` for cash."""

    transfer_id: int
    expires_at: datetime | None


def file(connection: Connection, claim: Claim) -> None:
    """Keep a claim. The same again: nothing; its id with another content: Refused."""
    body = {
        "shares": [[share.day.isoformat(), share.amount] for share in claim.shares],
        "reason": claim.reason,
        "figures": dict(claim.figures),
        "policy": list(claim.policy),
        "offer": claim.offer,
        "timezone": str(claim.at.tzinfo),
    }
    row = {"id": claim.id, "shop_id": claim.shop_id, "plan_id": claim.plan_id, "condition": str(claim.condition)}
    row |= {"claimant": claim.claimant, "at": microseconds(claim.at), "body": body}
    if not append(connection, CLAIM, row):
        raise Refused("store.other_content", place=f"claim {claim.id}")


def move(connection: Connection, made: Move, plan_id: int) -> None:
    """Keep a move of a claim of that plan, and what it grants. The same again: nothing; otherwise: Refused."""
    row = {"id": made.id, "claim_id": made.claim_id, "step": str(made.step), "at": microseconds(made.at)}
    row |= {"actor": made.actor, "role": str(made.role), "reason": made.reason}
    if not append(connection, CLAIM_MOVE, row):
        raise Refused("store.other_content", place=f"claim {made.claim_id}")
    shares = [
        {"plan_id": plan_id, "day": share.day, "start": start, "end": end, "claim_id": made.claim_id}
        for share in made.shares
        for start, end in share.stretches
    ]
    if shares:
        connection.execute(sa.insert(CLAIM_SHARE), shares)


def find(connection: Connection, claim_id: int) -> Standing | None:
    """Where a claim stands; `None` if nobody filed it."""
    return next(iter(_read(connection, CLAIM.c.id == claim_id)), None)


def load(connection: Connection, claim_id: int) -> Standing:
    """Where a claim stands. No such claim: NotFound."""
    found = find(connection, claim_id)
    if found is None:
        raise NotFound("claims.no_claim", claim=claim_id)
    return found


def claims(connection: Connection, shop_id: int | None = None, plan_id: int | None = None) -> list[Standing]:
    """All claims in the order of filing, or those of a shop or a plan."""
    of_shop = sa.true() if shop_id is None else CLAIM.c.shop_id == shop_id
    of_plan = sa.true() if plan_id is None else CLAIM.c.plan_id == plan_id
    return _read(connection, sa.and_(of_shop, of_plan))


def to_be_paid(connection: Connection) -> list[Standing]:
    """The claims that were approved and are not paid yet, in the order of filing."""
    approved, paid = (
        sa.select(CLAIM_MOVE.c.claim_id).where(CLAIM_MOVE.c.step == str(step)) for step in (Step.APPROVE, Step.PAY)
    )
    return _read(connection, sa.and_(CLAIM.c.id.in_(approved), CLAIM.c.id.not_in(paid)))


def promise(connection: Connection, claim_id: int, returning: Iterable[Returning]) -> None:
    """Keep which pending transfers pay a claim, and what lapses when once they are posted."""
    rows = [
        {"transfer_id": id_, "claim_id": claim_id, "expires_at": None if expires is None else microseconds(expires)}
        for id_, expires in returning
    ]
    connection.execute(sa.insert(CLAIM_RETURN), rows)


def promised(connection: Connection, claim_id: int) -> list[Returning]:
    """The transfers that pay a claim."""
    query = sa.select(CLAIM_RETURN.c.transfer_id, CLAIM_RETURN.c.expires_at).order_by(CLAIM_RETURN.c.transfer_id)
    rows = connection.execute(query.where(CLAIM_RETURN.c.claim_id == claim_id))
    return [Returning(id_, None if expires is None else moment(expires)) for id_, expires in rows]


def claimed(connection: Connection, first: date, last: date) -> dict[tuple[int, date], tuple[Stretch, ...]]:
    """Which yuan of each plan's days from `first` to `last` were granted on claims, ascending."""
    query = sa.select(CLAIM_SHARE).where(CLAIM_SHARE.c.day.between(first, last)).order_by(CLAIM_SHARE.c.start)
    found: dict[tuple[int, date], tuple[Stretch, ...]] = {}
    for row in connection.execute(query):
        key = (row.plan_id, row.day)
        found[key] = (*found.get(key, ()), Stretch(row.start, row.end))
    return found


def granted(connection: Connection, shop_id: int) -> dict[tuple[int, date], Micros]:
    """What was granted of a shop's plans, by plan and day."""
    query = sa.select(CLAIM_SHARE).join(CLAIM, CLAIM.c.id == CLAIM_SHARE.c.claim_id)
    found: defaultdict[tuple[int, date], Micros] = defaultdict(int)
    for row in connection.execute(query.where(CLAIM.c.shop_id == shop_id)):
        found[row.plan_id, row.day] += row.end - row.start
    return dict(found)


def _read(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Standing]:
    rows = connection.execute(sa.select(CLAIM).where(condition).order_by(CLAIM.c.sequence)).all()
    shares, moves = _shares(connection, condition), _moves(connection, condition)
    found = []
    for row in rows:
        made = [_move(one, shares[row.id] if one.step == Step.APPROVE else ()) for one in moves[row.id]]
        found.append(standing(_claim(row), made))
    return found


def _moves(connection: Connection, condition: sa.ColumnElement[bool]) -> dict[int, list[Any]]:
    """The rows of the moves of some claims, in the order they were made."""
    found: defaultdict[int, list[Any]] = defaultdict(list)
    query = sa.select(CLAIM_MOVE).join(CLAIM, CLAIM.c.id == CLAIM_MOVE.c.claim_id).where(condition)
    for row in connection.execute(query.order_by(CLAIM_MOVE.c.sequence)):
        found[row.claim_id].append(row)
    return found


def _shares(connection: Connection, condition: sa.ColumnElement[bool]) -> dict[int, tuple[Share, ...]]:
    """What was granted on some claims, day by day."""
    by_day: defaultdict[int, defaultdict[date, list[Stretch]]] = defaultdict(lambda: defaultdict(list))
    query = sa.select(CLAIM_SHARE).join(CLAIM, CLAIM.c.id == CLAIM_SHARE.c.claim_id).where(condition)
    for row in connection.execute(query.order_by(CLAIM_SHARE.c.day, CLAIM_SHARE.c.start)):
        by_day[row.claim_id][row.day].append(Stretch(row.start, row.end))
    found: defaultdict[int, tuple[Share, ...]] = defaultdict(tuple)
    return found | {claim_id: _share_of(days.items()) for claim_id, days in by_day.items()}


def _share_of(days: Iterable[tuple[date, list[Stretch]]]) -> tuple[Share, ...]:
    return tuple(Share(day, sum(end - start for start, end in parts), tuple(parts)) for day, parts in days)


def _claim(row: Any) -> Claim:
    body = row.body
    return Claim(
        id=row.id,
        shop_id=row.shop_id,
        plan_id=row.plan_id,
        condition=Condition(row.condition),
        shares=tuple(Share(date.fromisoformat(day), amount) for day, amount in body["shares"]),
        reason=body["reason"],
        claimant=row.claimant,
        at=moment(row.at, body["timezone"]),
        figures=body["figures"],
        policy=(body["policy"][0], body["policy"][1]),
        offer=body["offer"],
    )


def _move(row: Any, shares: tuple[Share, ...]) -> Move:
    return Move(row.claim_id, Step(row.step), moment(row.at), row.actor, Role(row.role), row.reason, shares)
