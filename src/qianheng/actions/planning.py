"""Plans at the desk: looked at, weighed against their guarantee, changed by those who may (SPEC 4.1, 4.2, 4.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import partial

from sqlalchemy import Connection

from qianheng.actions.changes import check_change
from qianheng.actions.desk import Desk, locked
from qianheng.actions.judging import figures_of
from qianheng.actions.policies import policies
from qianheng.core.actors import Act, demand
from qianheng.core.days import day_of, microseconds, midnight
from qianheng.core.errors import BadInput, Refused
from qianheng.core.money import ratio
from qianheng.core.words import say
from qianheng.facts.schema import Channel
from qianheng.guarantee.guard import Known, Weighed, weigh
from qianheng.guarantee.verdict import Verdict
from qianheng.measures.days import Days
from qianheng.measures.query import counted_of, plan_day, plan_day_traffic, sums_of
from qianheng.measures.sums import Sums, total
from qianheng.plans import marketplace
from qianheng.plans.marketplace import Marketplace
from qianheng.plans.plan import Counting, Goal, Plan, PlanChange, PlanStatus, Value, change
from qianheng.store import plans, runs
from qianheng.store.database import reading
from qianheng.store.plans import StoredPlan

WEEK = 7


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that somebody wants: of which plan, to what, why, on which version of it they decided (`None`: on
    whatever it is), on which surface, and whether they have confirmed what it costs.
    """

    plan_id: int
    after: Mapping[str, Value]
    reason: str = ""
    version: int | None = None
    surface: str = "cli"
    confirmed: bool = False

    @property
    def deletes(self) -> bool:
        """Whether the plan is to be deleted, which cannot be undone."""
        return self.after.get("status") == PlanStatus.DELETED


@dataclass(frozen=True, slots=True)
class Standing:
    """How a plan stands: it and its version, its sums of today and of seven days with today, today's verdict."""

    stored: StoredPlan
    today: Sums
    week: Sums
    verdict: Verdict

    def roi(self, sums: Sums) -> Fraction | None:
        """The ROI of the plan's own goal: net GMV under `net`, else payment GMV, over spend."""
        return ratio(sums.net_gmv if self.stored.plan.goal is Goal.NET else sums.gmv, sums.spend)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change on the desk: how the plan stands, the change (empty if all is so already), what it does, and the plan as
    kept once it is made; `None` while it is only looked at.
    """

    standing: Standing
    made: PlanChange
    weighed: Weighed
    saved: StoredPlan | None = None


def list_plans(desk: Desk) -> list[StoredPlan]:
    """The plans of the actor's shop, or all for the platform, by id."""
    demand(desk.actor, Act.SEE)
    with reading(desk.database) as connection:
        return plans.load_all(connection, desk.actor.shop_id)


def show_plan(desk: Desk, plan_id: int) -> Standing:
    """How a plan stands now. Not one of the actor's shop: NotFound."""
    with reading(desk.database) as connection:
        return _standing(desk, connection, desk.plan(connection, plan_id), _known(desk, connection, plan_id))


def log_of_plan(desk: Desk, plan_id: int) -> list[PlanChange]:
    """The change log of a plan, oldest first. Not one of the actor's shop: NotFound."""
    with reading(desk.database) as connection:
        desk.plan(connection, plan_id)
        return plans.log(connection, plan_id)


def propose(desk: Desk, wanted: Wanted) -> Proposal:
    """What a change would do; nothing is saved.

    Refused: who may not change plans, a surface that may not, a stale version, what the rules do not allow. A value
    that cannot be: BadInput. Not a plan of the actor's shop: NotFound.
    """
    with reading(desk.database) as connection:
        return _propose(desk, connection, wanted)


def change_plan(desk: Desk, wanted: Wanted) -> Proposal:
    """Make a change, from the desk's time on, and read back the plan as it is then.

    Refused as by `propose`, and: a change that costs the guarantee, or a deletion, that is not confirmed; a time that
    has been lived or lies beyond the next day; a run that is just being lived.
    """
    with _writing(desk) as connection:
        plans.lock(connection, wanted.plan_id)
        proposal = _propose(desk, connection, wanted)
        if proposal.made.after:
            _check_confirmed(wanted, proposal)
            _check_clock(desk, connection)
            plans.append(connection, proposal.made)
            _leave_trace(desk, connection, proposal.made, proposal.standing.stored.plan.shop_id)
    with reading(desk.database) as connection:
        plans.history(connection, wanted.plan_id)  # the log leads to the plan as kept, or says that it is damaged
        return replace(proposal, saved=plans.load(connection, wanted.plan_id))


@contextmanager
def _writing(desk: Desk) -> Iterator[Connection]:
    with locked(desk.lake.folder.parent, alone=False), desk.database.begin() as connection:
        yield connection


def _propose(desk: Desk, connection: Connection, wanted: Wanted) -> Proposal:
    stored = desk.plan(connection, wanted.plan_id)
    demand(desk.actor, Act.DELETE_PLAN if wanted.deletes else Act.CHANGE_PLAN, stored.plan.shop_id)
    market = _marketplace(connection)
    market.check_surface(wanted.surface)
    _check_version(connection, stored, wanted.version)
    made = change(stored.plan, stored.version + 1, desk.now, desk.actor.name, wanted.reason, **wanted.after)
    check_change(connection, desk.lake, market, made)
    known = _known(desk, connection, wanted.plan_id)
    return Proposal(_standing(desk, connection, stored, known), made, weigh(known, made))


def _check_version(connection: Connection, stored: StoredPlan, seen: int | None) -> None:
    """Refuse who decided on an older version, and tell who changed what since."""
    if seen is None or seen == stored.version:
        return
    if seen > stored.version or seen < 0:
        raise BadInput("planning.no_version", place="--version", value=seen, version=stored.version)
    since = plans.log(connection, stored.plan.id)[seen:]
    told = "".join(f"\n  {_told(entry, stored.plan.timezone)}" for entry in since)
    raise Refused("planning.stale", plan=stored.plan.id, seen=seen, version=stored.version, changes=told)


def _told(entry: PlanChange, timezone: str) -> str:
    fields = zip(entry.before, entry.after, strict=True)
    changed = ", ".join(f"{name} {was_text(name, was)} → {was_text(name, now)}" for (name, was), (_, now) in fields)
    at = midnight(day_of(entry.at, timezone), timezone).tzinfo
    return say("planning.entry", at=f"{entry.at.astimezone(at):%Y-%m-%d %H:%M}", actor=entry.actor, changed=changed)
