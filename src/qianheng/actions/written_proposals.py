"""Proposals for plans of connected accounts, carried out there: written through the vendor's API as far as the owner
allowed it for the account, read back, and only then said to be done (SPEC 7.9, 13.3).

A proposal is taken up before it is written, so that nobody else decides it meanwhile; killed at any moment it is
accepted again and goes on: what is found at the plan is what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from qianheng.actions.desk import Desk
from qianheng.actions.planning import from_to
from qianheng.actions.proposals import accept, check_good, deciding, edited, show_proposal, trace
from qianheng.actions.proposing import step_by, step_made
from qianheng.actions.pushing import Push, Pushed, carry_out, differing, look, prepare
from qianheng.actions.vendor_accounts import VendorAccount, alone_with
from qianheng.actions.vendor_plans import where
from qianheng.core.actors import Act, demand
from qianheng.core.errors import Refused
from qianheng.core.words import say
from qianheng.plans.plan import Value
from qianheng.plans.writing import shown
from qianheng.store.database import reading
from qianheng.strategy.decisions import Move, Standing, Status, Step
from qianheng.strategy.undoing import before

Pushing = Callable[[VendorAccount], Push]


def accept_and_write(
    desk: Desk, pushing: Pushing, name: str, edits: Mapping[str, Value] | None = None, reason: str = ""
) -> Standing:
    """Take a proposal up, or go on with one that is accepted, and write its change to the plan's account.

    Refused: as `accept`, a plan of no connected account, one that is set otherwise than was thought, what the owner did
    not allow; the vendor did not do it: then it stays accepted.
    """
    account = _account(desk, name)
    with alone_with(account):
        push, standing = pushing(account), show_proposal(desk, name)
        check_good(desk, standing)
        wanted = edited(standing, edits or {}) if standing.status is Status.OPEN else standing.after
        ready = _ready(push, standing, standing.proposal.before, wanted)
        if standing.status is not Status.ACCEPTED or edits:
            standing = accept(desk, name, edits, reason=reason)
        if standing.status is Status.CARRIED_OUT:
            return standing  # it was seen to be set so before
        return _made(desk, name, step_by(desk, standing, Step.CARRY_OUT), _written(push, ready))


def roll_back_by_writing(desk: Desk, pushing: Pushing, name: str, reason: str = "") -> Standing:
    """Write back to the plan's account what a proposal changed. Errors as `accept_and_write`."""
    account = _account(desk, name)
    with alone_with(account):
        push, standing = pushing(account), show_proposal(desk, name)
        made = replace(step_by(desk, standing, Step.ROLL_BACK), reason=reason)
        standing.having(made)  # refuses what does not follow before anything is written
        ready = _ready(push, standing, standing.after, before(standing), back=True)
        return _made(desk, name, made, _written(push, ready))


def _account(desk: Desk, name: str) -> VendorAccount:
    """The connected account that a proposal's plan runs in."""
    demand(desk.actor, Act.DECIDE_PROPOSAL)
    standing = show_proposal(desk, name)
    with reading(desk.database) as connection:
        there = where(connection, standing.proposal.plan_id or "") if standing.proposal.changes_plan else None
    if there is None:
        raise Refused("proposals.no_account", place=standing.name)
    return there.account


def _ready(
    push: Push, standing: Standing, known: Mapping[str, Value], wanted: Mapping[str, Value], back: bool = False
) -> Pushed | None:
    """What is to be written; `None`: the plan is set so already. Refused where it is set otherwise than was known."""
    plan = look(push, standing.proposal.plan_id or "")
    left = differing(plan, wanted)
    other = {name: getattr(plan, name, None) for name in left}
    if told := [f"{name}={shown(name, value)}" for name, value in other.items() if value != known.get(name)]:
        raise Refused("proposals.changed_since", place=standing.name, plan=plan.name, values=", ".join(told))
    return prepare(push, plan, left, back) if left else None


def _written(push: Push, ready: Pushed | None) -> str:
    """Write a change and say what was written, to which account."""
    if ready is None:
        return say("proposals.found_there")
    done = carry_out(push, ready)
    return say("proposals.written_there", account=push.account.name, change=from_to(done.before, done.after))


def _made(desk: Desk, name: str, made: Move, told: str) -> Standing:
    """Keep that a proposal was carried out, or back, and what was written."""
    with deciding(desk, name) as (connection, standing):
        reason = say("proposals.semicolon").join(filter(None, (made.reason, told)))
        trace(desk, connection, standing, made.step, {"reason": reason})
        return step_made(connection, standing, replace(made, reason=reason))
