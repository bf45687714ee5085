"""Experiments kept in SQL as they were planned, and every event of each; append-only."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import microseconds, moment
from qianheng.core.errors import NotFound, Refused
from qianheng.experiments.designs import Arm, Event, Experiment, Happened, Phase, Standing, Unit
from qianheng.plans.plan import held
from qianheng.plans.users import user_share
from qianheng.store.database import Sequence, append, metadata
from qianheng.store.plans import plain_value

EXPERIMENT = sa.Table(
    "experiment",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("shop_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("plan_id", sa.BigInteger, sa.ForeignKey("plan.id"), nullable=False),
    sa.Column("planned_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
EXPERIMENT_EVENT = sa.Table(
    "experiment_event",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("experiment_id", sa.BigInteger, sa.ForeignKey("experiment.id"), nullable=False, index=True),
    sa.Column("happened", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
_DECIMALS = ("effect", "alpha", "power")


def keep(connection: Connection, experiment: Experiment) -> None:
    """Keep a test as it is planned. The same again: nothing; its id with another content: Refused."""
    row = {name: getattr(experiment, name) for name in ("id", "shop_id", "plan_id")}
    row |= {"planned_at": microseconds(experiment.planned_at), "body": _body(experiment)}
    if not append(connection, EXPERIMENT, row):
        raise Refused("store.other_content", place=f"experiment {experiment.id}")


def enter(connection: Connection, event: Event) -> None:
    """Keep what happened. The same again: nothing; its id with another content: Refused."""
    row = {name: getattr(event, name) for name in ("id", "experiment_id", "actor")}
    row |= {"happened": str(event.happened), "at": microseconds(event.at), "body": dict(event.body)}
    if not append(connection, EXPERIMENT_EVENT, row):
        raise Refused("store.other_content", place=f"experiment {event.experiment_id}")


def load(connection: Connection, name: str) -> Standing:
    """A test by the name people call it ("e3"). No such test: NotFound."""
    number = name.lower().removeprefix("e")
    known = int(number) if number.isascii() and number.isdigit() and len(number) < 18 else -1
    found = next(iter(_read(connection, EXPERIMENT.c.sequence == known)), None)
    if found is None:
        raise NotFound("designs.no_experiment", value=name)
    return found


def every(connection: Connection, shop_id: int | None = None) -> list[Standing]:
    """All tests, or those of one shop, in the order they were planned."""
    return _read(connection, sa.true() if shop_id is None else EXPERIMENT.c.shop_id == shop_id)


def origins(connection: Connection) -> dict[int, int]:
    """The plan that each arm's plan is a copy of, by the arm's."""
    made = [(one, id_) for one in every(connection) for id_ in one.plans.values()]
    return {id_: one.experiment.plan_id for one, id_ in made if id_ != one.experiment.plan_id}


def _read(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Standing]:
    rows = connection.execute(sa.select(EXPERIMENT).where(condition).order_by(EXPERIMENT.c.sequence)).all()
    joined = sa.select(EXPERIMENT_EVENT).join(EXPERIMENT, EXPERIMENT.c.id == EXPERIMENT_EVENT.c.experiment_id)
    events: defaultdict[int, list[Event]] = defaultdict(list)
    zones = {row.id: row.body["timezone"] for row in rows}
    for row in connection.execute(joined.where(condition).order_by(EXPERIMENT_EVENT.c.sequence)):
        told = (Happened(row.happened), moment(row.at, zones[row.experiment_id]), row.actor, row.body)
        events[row.experiment_id].append(Event(row.id, row.experiment_id, *told))
    return [Standing(row.sequence, _experiment(row), tuple(events[row.id])) for row in rows]


def _body(experiment: Experiment) -> dict[str, Any]:
    body = {name: getattr(experiment, name) for name in ("template", "primary", "settles", "salt", "looks")}
    body |= {name: str(getattr(experiment, name)) for name in (*_DECIMALS, "unit")}
    body |= {
        "timezone": str(experiment.planned_at.tzinfo),
        "guard_rails": [[name, str(margin)] for name, margin in experiment.guard_rails],
    }
    body["phases"] = [[phase.days, list(phase.budget)] for phase in experiment.phases]
    body["arms"] = [_arm_body(arm) for arm in experiment.arms]
    return body


def _arm_body(arm: Arm) -> list[Any]:
    settings = [[name, plain_value(value)] for name, value in arm.settings]
    return [arm.name, settings, list(arm.users or ()), arm.holds_out]


def _experiment(row: Any) -> Experiment:
    body = row.body
    return Experiment(
        id=row.id,
        template=body["template"],
        shop_id=row.shop_id,
        plan_id=row.plan_id,
        unit=Unit(body["unit"]),
        arms=tuple(_arm(*told) for told in body["arms"]),
        phases=tuple(Phase(days, tuple(budget)) for days, budget in body["phases"]),
        primary=body["primary"],
        guard_rails=tuple((name, Decimal(margin)) for name, margin in body["guard_rails"]),
        settles=body["settles"],
        salt=body["salt"],
        looks=body.get("looks", "always"),  # what was planned before it could be chosen
        planned_at=moment(row.planned_at, body["timezone"]),
        **{name: Decimal(body[name]) for name in _DECIMALS},
    )


def _arm(name: str, settings: list[list[Any]], users: list[int], holds_out: bool) -> Arm:
    return Arm(
        name, tuple((field, held(field, value)) for field, value in settings), user_share(tuple(users)), holds_out
    )
