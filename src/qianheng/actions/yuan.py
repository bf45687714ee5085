"""`explain yuan`: which tree answers a question about money at a desk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from qianheng.actions.cases import Asked, begun, case_of
from qianheng.actions.desk import Desk
from qianheng.actions.policies import in_force
from qianheng.actions.proofs import figure_proof
from qianheng.actions.traces import Traces
from qianheng.actions.transfer_proofs import transfer_proof
from qianheng.core.errors import BadInput
from qianheng.core.proof import Part
from qianheng.guarantee.proof import compensation_proof
from qianheng.measures.days import Days
from qianheng.store.database import reading

COMPENSATION = "compensation"


class Question(NamedTuple):
    """What is to be explained: a transfer by its id, or a figure of a plan's day."""

    transfer_id: int | None = None
    plan_id: int | None = None
    day: str = ""
    figure: str = COMPENSATION


@contextmanager
def explained(desk: Desk, asked: Question) -> Iterator[Part]:
    """The tree below a transfer or a figure, as known at the desk's `now`; it is read while this is open.

    Neither or both asked for, or something unknown: BadInput or NotFound.
    """
    if (asked.transfer_id is None) == (asked.plan_id is None) or (asked.plan_id is not None and not asked.day):
        raise BadInput("proof.fault.one_of", place="--transfer, --plan --day")
    with reading(desk.database) as connection:
        if asked.transfer_id is not None:
            yield transfer_proof(desk, connection, asked.transfer_id)
            return
        assert asked.plan_id is not None  # as asked above
        zone = desk.plan(connection, asked.plan_id).plan.timezone
        day = begun(desk, asked.day, zone)
        facts = Asked(connection, desk.lake, desk.now, asked.plan_id, Days(day, day, zone))
        if asked.figure != COMPENSATION:
            yield figure_proof(facts, asked.figure)
            return
        case = case_of(connection, desk.lake, asked.plan_id, day, desk.now)
        yield compensation_proof(in_force(case.policy, day), case, Traces(facts).behind)
