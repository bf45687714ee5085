"""Plans kept in SQL: each as it began, as it is, and the append-only change log between the two (SPEC 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from itertools import accumulate
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import microseconds, moment
from qianheng.core.errors import Damaged, NotFound, Refused
from qianheng.plans.plan import Plan, PlanChange, Value, apply, held
from qianheng.store.database import metadata

PLAN = sa.Table(
    "plan",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("shop_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("ad_account_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("first", sa.JSON, nullable=False),
    sa.Column("current", sa.JSON, nullable=False),
)
PLAN_CHANGE = sa.Table(
    "plan_change",
    metadata,
    sa.Column("plan_id", sa.BigInteger, sa.ForeignKey("plan.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("after", sa.JSON, nullable=False),
)


class StoredPlan(NamedTuple):
    """A plan as it is and the version of its change log in force: the `target_version` of facts from now on."""

    plan: Plan
    version: int


class LoggedPlan(NamedTuple):
    """A plan at every version, as `history` tells it, and the changes between them, as `log` does."""

    history: list[Plan]
    changes: list[PlanChange]

    @property
    def plan(self) -> Plan:
        """The plan as it is."""
        return self.history[-1]


def create(connection: Connection, plan: Plan) -> None:
    """Store a new plan, its change log empty (version 0). Again the same: nothing; its id taken by another: Refused."""
    known = connection.execute(sa.select(PLAN.c.first).where(PLAN.c.id == plan.id)).first()
    body = _encode(plan)
    if known is None:
        row = {"id": plan.id, "shop_id": plan.shop_id, "ad_account_id": plan.ad_account_id, "version": 0}
        connection.execute(sa.insert(PLAN), row | {"first": body, "current": body})
    elif _decode(known.first) != plan:
        raise Refused("store.plan_exists", plan=plan.id)


def append(connection: Connection, made: PlanChange) -> StoredPlan:
    """Append a change to the log of its plan; the plan as it is then.

    The same change again, or an empty one: nothing new. A version that is not the next, because somebody else changed
    the plan since it was read, or a time before the last entry's: Refused. No such plan: NotFound.
    """
    query = sa.select(PLAN.c.current, PLAN.c.version).where(PLAN.c.id == made.plan_id).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("store.no_plan", plan=made.plan_id)
    plan = _decode(row.current)
    entered = log(connection, made.plan_id)
    if not made.after or (made.version <= row.version and made in entered):
        return StoredPlan(plan, row.version)
    if entered and made.at < entered[-1].at:
        last, here = entered[-1], made.at.tzinfo
        raise Refused("store.changed_later", plan=plan.id, at=made.at, last=last.at.astimezone(here), actor=last.actor)
    if made.version != row.version + 1:
        raise Refused("store.stale_plan", place=str(made.plan_id), version=made.version, next=row.version + 1)
    after = apply(plan, made)
    connection.execute(sa.insert(PLAN_CHANGE), _change_row(made))
    update = sa.update(PLAN).where(PLAN.c.id == made.plan_id)
    connection.execute(update.values(current=_encode(after), version=made.version))
    return StoredPlan(after, made.version)


def load(connection: Connection, plan_id: int) -> StoredPlan:
    """A plan as it is now. No such plan: NotFound."""
    row = connection.execute(sa.select(PLAN.c.current, PLAN.c.version).where(PLAN.c.id == plan_id)).first()
    if row is None:
        raise NotFound("store.no_plan", plan=plan_id)
    return StoredPlan(_decode(row.current), row.version)


def lock(connection: Connection, plan_id: int) -> None:
    """Let nobody else change a plan until the transaction ends; what is read of it from now on stays true.

    SQLite has one writer at a time and needs no lock.
    """
    connection.execute(sa.select(PLAN.c.id).where(PLAN.c.id == plan_id).with_for_update())


def load_all(connection: Connection, shop_id: int | None = None) -> list[StoredPlan]:
    """All plans, or those of one shop, by id."""
    query = sa.select(PLAN.c.current, PLAN.c.version).order_by(PLAN.c.id)
    if shop_id is not None:
        query = query.where(PLAN.c.shop_id == shop_id)
    return [StoredPlan(_decode(row.current), row.version) for row in connection.execute(query)]


def ad_accounts(connection: Connection) -> list[tuple[int, int]]:
    """The ad accounts that plans belong to, as (shop, ad account), each once, in order."""
    query = sa.select(PLAN.c.shop_id, PLAN.c.ad_account_id).distinct().order_by(PLAN.c.shop_id, PLAN.c.ad_account_id)
    return [(row.shop_id, row.ad_account_id) for row in connection.execute(query)]


def log(connection: Connection, plan_id: int) -> list[PlanChange]:
    """The change log of a plan, oldest first."""
    query = sa.select(PLAN_CHANGE).where(PLAN_CHANGE.c.plan_id == plan_id).order_by(PLAN_CHANGE.c.version)
    return [_change(row) for row in connection.execute(query)]


def history(connection: Connection, plan_id: int) -> list[Plan]:
    """The plan at every version, folded from its log: `history(...)[target_version]` is what was in force for a fact.

    No such plan: NotFound. A log that does not lead to the plan as kept: Damaged.
    """
    row = connection.execute(sa.select(PLAN).where(PLAN.c.id == plan_id)).first()
    if row is None:
        raise NotFound("store.no_plan", plan=plan_id)
    return _history(row, log(connection, plan_id))


def logged(connection: Connection) -> list[LoggedPlan]:
    """All plans with all that was ever changed of them, by id, asked for at once. Errors as in `history`."""
    changes: dict[int, list[PlanChange]] = {}
    for row in connection.execute(sa.select(PLAN_CHANGE).order_by(PLAN_CHANGE.c.plan_id, PLAN_CHANGE.c.version)):
        changes.setdefault(row.plan_id, []).append(_change(row))
    rows = connection.execute(sa.select(PLAN).order_by(PLAN.c.id))
    return [LoggedPlan(_history(row, changes.get(row.id, [])), changes.get(row.id, [])) for row in rows]


def _history(row: Any, changes: Sequence[PlanChange]) -> list[Plan]:
    plans = list(accumulate(changes, apply, initial=_decode(row.first)))
    if plans[-1] != _decode(row.current) or len(plans) != row.version + 1:
        raise Damaged("store.broken_log", plan=row.id)
    return plans


def _encode(plan: Plan) -> dict[str, Any]:
    return {field.name: plain_value(getattr(plan, field.name)) for field in fields(Plan)}


def _decode(body: dict[str, Any]) -> Plan:
    return Plan(**{name: held(name, value) for name, value in body.items()})


def _change_row(made: PlanChange) -> dict[str, Any]:
    return {
        "plan_id": made.plan_id,
        "version": made.version,
        "at": microseconds(made.at),
        "actor": made.actor,
        "reason": made.reason,
        "before": [[name, plain_value(value)] for name, value in made.before],
        "after": [[name, plain_value(value)] for name, value in made.after],
    }


def _change(row: Any) -> PlanChange:
    before, after = (tuple((name, held(name, value)) for name, value in pairs) for pairs in (row.before, row.after))
    return PlanChange(row.plan_id, row.version, moment(row.at), row.actor, row.reason, before, after)


def plain_value(value: Value) -> Any:
    """The value of a plan's field as JSON; `held` reads it back."""
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
