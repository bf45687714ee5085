"""Boosts kept in SQL, each as it was begun: what their guarantee is judged by. They never change (SPEC 4.7)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.errors import NotFound, Refused
from qianheng.plans.boost import Boost, BoostKind
from qianheng.store.database import metadata

BOOST = sa.Table(
    "boost",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("plan_id", sa.BigInteger, sa.ForeignKey("plan.id"), nullable=False, index=True),
    sa.Column("kind", sa.Integer, nullable=False),
    sa.Column("budget", sa.BigInteger, nullable=False),
    sa.Column("starts", sa.BigInteger, nullable=False),
    sa.Column("ends", sa.BigInteger, nullable=False),
    sa.Column("target", sa.Text),
    sa.Column("creative_ids", sa.JSON, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
)


def create(connection: Connection, boost: Boost) -> None:
    """Keep a boost. Again the same: nothing; its id taken by another: Refused."""
    row = connection.execute(sa.select(BOOST).where(BOOST.c.id == boost.id)).first()
    if row is None:
        target = None if boost.target is None else str(boost.target)
        connection.execute(sa.insert(BOOST), asdict(boost) | {"target": target, "kind": int(boost.kind)})
    elif _boost(row) != boost:
        raise Refused("store.boost_exists", boost=boost.id)


def load(connection: Connection, boost_id: int) -> Boost:
    """A boost. No such boost: NotFound."""
    row = connection.execute(sa.select(BOOST).where(BOOST.c.id == boost_id)).first()
    if row is None:
        raise NotFound("store.no_boost", boost=boost_id)
    return _boost(row)


def of_plans(connection: Connection, plan_ids: Collection[int] | None = None) -> list[Boost]:
    """The boosts of all plans or of some, by id."""
    wanted = [] if plan_ids is None else [BOOST.c.plan_id.in_(plan_ids)]
    return [_boost(row) for row in connection.execute(sa.select(BOOST).where(*wanted).order_by(BOOST.c.id))]


def _boost(row: Any) -> Boost:
    told = dict(row._mapping)
    target = None if row.target is None else Decimal(row.target)
    return Boost(**told | {"kind": BoostKind(row.kind), "target": target, "creative_ids": tuple(row.creative_ids)})
