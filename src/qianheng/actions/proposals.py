"""Proposals at the desk: made from what is known, decided by those who may, carried out, followed up (SPEC 7.9).

A change of a plan goes the way of every change: roles, the edit guard, the change log, the audit. Of plans that run on
another platform the owner carries it out there and says so here; in a connected account it is carried out once the plan
is seen to be set so. What came of it is measured all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from qianheng.actions.desk import Desk, locked
from qianheng.actions.plan_standing import known_of
from qianheng.actions.planning import Wanted, change_within, from_to
from qianheng.actions.proposing import KnownOf, step_by, step_made
from qianheng.actions.shop import SAID_OF_PLAN, set_plan
from qianheng.actions.vendor_plans import where
from qianheng.core.actors import Act, demand
from qianheng.core.errors import BadInput, NotFound, QianhengError, Refused
from qianheng.plans.plan import Plan, Value
from qianheng.plans.writing import shown
from qianheng.store import plans, proposals, runs
from qianheng.store.database import reading
from qianheng.strategy.decisions import Standing, Status, Step
from qianheng.strategy.undoing import before


def list_proposals(desk: Desk, shop_id: str) -> list[Standing]:
    """All proposals of a shop, in the order they were made. Another's shop: none."""
    with reading(desk.database) as connection:
        return [one for one in proposals.of_shop(connection, shop_id) if _sees(desk, one)]


def show_proposal(desk: Desk, name: str) -> Standing:
    """Where a proposal stands. None of that name in the actor's shop: NotFound."""
    with reading(desk.database) as connection:
        return _load(desk, connection, name)


def accept(
    desk: Desk, name: str, edits: Mapping[str, Value] | None = None, *, confirmed: bool = False, reason: str = ""
) -> Standing:
    """Take a proposal up and carry it out: a change of a plan of a run at once; of a connected account's plan it stays
    accepted until the plan is seen to be set so; anything else is said to be done.

    Refused: who may not; one that is decided or has had its time; a plan that somebody changed since; what the edit
    guard or the marketplace refuses. An edit of a field that it does not change: BadInput.
    """
    with deciding(desk, name) as (connection, standing):
        check_good(desk, standing)
        after = edited(standing, edits or {})
        taken = replace(step_by(desk, standing, Step.ACCEPT), after=after, reason=reason)
        standing = step_made(connection, standing, taken)
        done, is_done = step_by(desk, standing, Step.CARRY_OUT), True
        if _carried_out_here(connection, standing):
            done = replace(done, version=_carry_out(desk, connection, standing, confirmed=confirmed))
        else:
            is_done = _done_there(desk, connection, standing, after)
        trace(desk, connection, standing, Step.ACCEPT, {field: shown(field, value) for field, value in after.items()})
        return step_made(connection, standing, done) if is_done else standing


def reject(desk: Desk, name: str, reason: str) -> Standing:
    """Turn a proposal down, with the reason. Refused: who may not; one that is decided already."""
    with deciding(desk, name) as (connection, standing):
        trace(desk, connection, standing, Step.REJECT, {"reason": reason})
        return step_made(connection, standing, replace(step_by(desk, standing, Step.REJECT), reason=reason))


def schedule(desk: Desk, name: str, due: datetime, edits: Mapping[str, Value] | None = None) -> Standing:
    """Take a change of a plan up for a later time. A time that is past, or a task for a person: BadInput."""
    with deciding(desk, name) as (connection, standing):
        check_good(desk, standing)
        if due < desk.now:
            raise BadInput("proposals.past", place="--at", value=due, now=desk.now)
        if not _carried_out_here(connection, standing):
            raise BadInput("proposals.not_here", place=standing.name)
        made = replace(step_by(desk, standing, Step.SCHEDULE), due=due, after=edited(standing, edits or {}))
        trace(desk, connection, standing, Step.SCHEDULE, {"due": due.isoformat()})
        return step_made(connection, standing, made)


def roll_back(desk: Desk, name: str, *, confirmed: bool = False, reason: str = "") -> Standing:
    """Give a plan back the values it had before. Refused: who may not; one that is not in force; a plan that somebody
    changed since; what the edit guard refuses; a plan of a connected account that was not seen to be set back.
    """
    with deciding(desk, name) as (connection, standing):
        made = replace(step_by(desk, standing, Step.ROLL_BACK), reason=reason)
        standing.having(made)  # refuses what does not follow before anything is changed
        if _carried_out_here(connection, standing):
            _check_unchanged(_plan_of(connection, standing), standing, standing.after)
            wanted = Wanted(_plan_id(standing), before(standing), f"{standing.name}: {reason}".rstrip(": "))
            made = replace(made, version=_change(desk, connection, replace(wanted, confirmed=confirmed)))
        elif not _done_there(desk, connection, standing, before(standing)):
            raise Refused(
                "proposals.not_back_there",
                place=standing.name,
                name=standing.name,
                change=from_to({}, before(standing)),
            )
        trace(desk, connection, standing, Step.ROLL_BACK, {"reason": reason})
        return step_made(connection, standing, made)


def carry_out_due(desk: Desk, connection: Connection, kept: list[Standing], until: datetime) -> Iterator[Standing]:
    """Carry out what was taken up for a time before `until`. What cannot be carried out any more has had its time, and
    says why.
    """
    for standing in kept:
        if standing.status is not Status.SCHEDULED or standing.due is None or standing.due >= until:
            continue
        there = replace(desk, now=max(standing.due, desk.now))
        try:
            version = _carry_out(there, connection, standing, confirmed=True)
            made = replace(step_by(there, standing, Step.CARRY_OUT), version=version)
        except QianhengError as error:
            made = replace(step_by(there, standing, Step.EXPIRE), reason=str(error))
        yield step_made(connection, standing, made)


def take_up(
    desk: Desk, connection: Connection, standing: Standing, known: KnownOf, *, confirmed: bool = False
) -> Standing:
    """Take a proposal up and carry it out without being asked, in the name of the desk's actor; errors as `accept`."""
    made = replace(step_by(desk, standing, Step.ACCEPT), after=standing.proposal.after)
    standing = step_made(connection, standing, made)
    version = _carry_out(desk, connection, standing, confirmed=confirmed, known=known)
    return step_made(connection, standing, replace(step_by(desk, standing, Step.CARRY_OUT), version=version))


def _carry_out(
    desk: Desk, connection: Connection, standing: Standing, *, confirmed: bool = False, known: KnownOf | None = None
) -> int:
    """Change the plan; the version of its change log that did."""
    _check_unchanged(_plan_of(connection, standing), standing, standing.proposal.before)
    reason = f"{standing.name}: {standing.proposal.reason.text()}"
    wanted = Wanted(_plan_id(standing), standing.after, reason, confirmed=confirmed)
    return _change(desk, connection, wanted, known)


def _done_there(desk: Desk, connection: Connection, standing: Standing, values: Mapping[str, Value]) -> bool:
    """Whether a plan of another platform is set to these values: in a connected account if it was seen so; elsewhere
    the owner says that it is, from today on, and it is kept as far as we keep such values.
    """
    there = where(connection, standing.proposal.plan_id or "") if values else None
    if there is not None:
        return there.has(values)
    said = {name: shown(name, value) for name, value in values.items() if name in SAID_OF_PLAN}
    if said and standing.proposal.plan_id is not None:
        set_plan(standing.proposal.plan_id, said, desk.now.date().isoformat())
    return True


def _change(desk: Desk, connection: Connection, wanted: Wanted, known: KnownOf | None = None) -> int:
    found = known(wanted.plan_id) if known else known_of(desk, connection, wanted.plan_id)
    made, _ = change_within(desk, connection, wanted, found)
    return made.version


def _check_unchanged(plan: Plan, standing: Standing, values: Mapping[str, Value]) -> None:
    """Refuse where somebody gave the plan other values than these since."""
    other = {name: getattr(plan, name) for name, value in values.items() if getattr(plan, name) != value}
    if other:
        told = ", ".join(f"{name}={shown(name, value)}" for name, value in other.items())
        raise Refused("proposals.changed_since", place=standing.name, plan=plan.name, values=told)


def check_good(desk: Desk, standing: Standing) -> None:
    """Refuse a proposal that has had its time."""
    if desk.now >= standing.proposal.good_until:
        raise Refused("proposals.had_its_time", place=standing.name, until=standing.proposal.good_until)


def edited(standing: Standing, edits: Mapping[str, Value]) -> dict[str, Value]:
    """The values of a proposal as edited. A field that it does not change: BadInput."""
    for name in edits:
        if name not in standing.proposal.after:
            known = ", ".join(standing.proposal.after) or "–"
            raise BadInput("proposals.not_part", place=name, name=standing.name, known=known)
    return {**standing.proposal.after, **edits}


@contextmanager
def deciding(desk: Desk, name: str) -> Iterator[tuple[Connection, Standing]]:
    """A transaction in which nobody else decides that proposal. Who may not decide: Refused, whether there is one of
    that name or not; no such one: NotFound.
    """
    demand(desk.actor, Act.DECIDE_PROPOSAL)
    with alone(desk), desk.database.begin() as connection:
        standing = _load(desk, connection, name)
        proposals.lock(connection, standing.proposal.id)
        yield connection, proposals.load(connection, name)


@contextmanager
def alone(desk: Desk) -> Iterator[None]:
    """Nobody lives the run of the desk meanwhile, if it is one."""
    folder = desk.lake.folder.parent
    if not folder.joinpath("run.db").exists():
        yield
        return
    with locked(folder, alone=False):
        yield


def _load(desk: Desk, connection: Connection, name: str) -> Standing:
    found = proposals.load(connection, name)
    if not _sees(desk, found):
        raise NotFound("proposals.no_proposal", value=name)
    return found


def _sees(desk: Desk, standing: Standing) -> bool:
    return desk.actor.shop_id is None or str(desk.actor.shop_id) == standing.shop_id


def trace(desk: Desk, connection: Connection, standing: Standing, step: Step, detail: Mapping[str, object]) -> None:
    """Leave an audit entry of a step of a proposal."""
    told = {"step": str(step), **{name: value for name, value in detail.items() if value}}
    desk.enter(connection, Act.DECIDE_PROPOSAL, f"proposal {standing.name}", told)


def _carried_out_here(connection: Connection, standing: Standing) -> bool:
    return standing.proposal.changes_plan and runs.clock(connection) is not None


def _plan_id(standing: Standing) -> int:
    return int(standing.proposal.plan_id or 0)


def _plan_of(connection: Connection, standing: Standing) -> Plan:
    return plans.load(connection, _plan_id(standing)).plan
