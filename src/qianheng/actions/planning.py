"""Plans at the desk: looked at, weighed against their guarantee, changed by those who may (SPEC 4.1, 4.2, 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from qianheng.actions.changes import check_change, check_tests
from qianheng.actions.desk import Desk, clock_of, locked
from qianheng.actions.plan_standing import PlanStanding, known_of, standing_of
from qianheng.core.actors import Act, demand
from qianheng.core.days import microseconds, moment, zone
from qianheng.core.errors import BadInput, Refused
from qianheng.core.money import yuan
from qianheng.core.words import say
from qianheng.guarantee.guard import Known, Weighed, weigh
from qianheng.incentives.limits import TargetLimit, target_limit
from qianheng.plans import marketplace
from qianheng.plans.marketplace import Marketplace
from qianheng.plans.plan import Plan, PlanChange, PlanStatus, Value, apply, change
from qianheng.plans.writing import shown
from qianheng.store import incentives, plans, runs
from qianheng.store.database import reading
from qianheng.store.plans import StoredPlan

ONE_DAY = timedelta(days=1)

WORDED = {
    "kind": "kind",
    "goal": "goal",
    "bid_mode": "bid_mode",
    "status": "plan_status",
    "pace": "pace",
    "roi_float": "switch",
    "counting": "counting",
    "placements": "placement",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that somebody wants: of which plan, to what, why, on which version of it they decided (`None`: on
    whatever it is), on which surface, and whether they have confirmed what it costs. test: the running test whose own
    change it is ("e1").
    """

    plan_id: int
    after: Mapping[str, Value]
    reason: str = ""
    version: int | None = None
    surface: str = "cli"
    confirmed: bool = False
    test: str = ""

    @property
    def deletes(self) -> bool:
        """Whether the plan is to be deleted, which cannot be undone."""
        return self.after.get("status") == PlanStatus.DELETED

    @property
    def act(self) -> Act:
        """What somebody has to be allowed to do it."""
        return Act.DELETE_PLAN if self.deletes else Act.CHANGE_PLAN


@dataclass(frozen=True, slots=True)
class Considered:
    """A change on the desk: how the plan stands, the change (empty if all is so already), what it does, and the plan as
    kept once it is made; `None` while it is only looked at.
    """

    standing: PlanStanding
    made: PlanChange
    weighed: Weighed
    saved: StoredPlan | None = None
    limit: TargetLimit | None = None  # what commission asks of the target

    @property
    def asks(self) -> bool:
        """Whether it takes something away that a person has to confirm: the day's guarantee, or the plan itself."""
        return _asks(self.made, self.weighed)


def list_plans(desk: Desk) -> list[StoredPlan]:
    """The plans of the actor's shop, or all for the platform, by id."""
    with reading(desk.database) as connection:
        return plans.load_all(connection, desk.actor.shop_id)


def show_plan(desk: Desk, plan_id: int) -> PlanStanding:
    """How a plan stands now. Not one of the actor's shop: NotFound."""
    with reading(desk.database) as connection:
        stored = desk.plan(connection, plan_id)
        return standing_of(desk, connection, stored, known_of(desk, connection, plan_id))


def log_of_plan(desk: Desk, plan_id: int) -> list[PlanChange]:
    """The change log of a plan, oldest first. Not one of the actor's shop: NotFound."""
    with reading(desk.database) as connection:
        desk.plan(connection, plan_id)
        return plans.log(connection, plan_id)


def consider(desk: Desk, wanted: Wanted) -> Considered:
    """What a change would do at the desk's time; nothing is saved.

    Refused: who may not change plans, a surface that may not, a stale version, what the rules do not allow. A value
    that cannot be: BadInput. Not a plan of the actor's shop: NotFound.
    """
    with reading(desk.database) as connection:
        return _consider(desk, connection, wanted)


def change_plan(desk: Desk, wanted: Wanted) -> Considered:
    """Make a change, from the desk's time on, and read back the plan as it is then.

    Refused as by `consider`, and: a change that costs the guarantee, or a deletion, that is not confirmed; a time that
    has been lived or lies beyond the next day; a run that is just being lived.
    """
    with locked(desk.lake.folder.parent, alone=False), desk.database.begin() as connection:
        plans.lock(connection, wanted.plan_id)
        considered = _consider(desk, connection, wanted)
        _enter(desk, connection, wanted, (considered.standing.stored.plan, considered.made, considered.weighed))
    with reading(desk.database) as connection:
        plans.history(connection, wanted.plan_id)  # tells if the log does not lead to the plan as kept
        return replace(considered, saved=plans.load(connection, wanted.plan_id))


def change_within(desk: Desk, connection: Connection, wanted: Wanted, known: Known) -> tuple[PlanChange, Weighed]:
    """Make a change in a transaction of the caller's, by what the caller knows of the plan; refused as `change_plan`
    is, but for a run that is just being lived: whoever lives it may call this.
    """
    demand(desk.actor, wanted.act)
    plans.lock(connection, wanted.plan_id)
    stored = desk.plan(connection, wanted.plan_id)
    made, _ = _checked(desk, connection, wanted, (stored, known))
    weighed = weigh(known, made)
    _enter(desk, connection, wanted, (stored.plan, made, weighed))
    return made, weighed


def effect_text(weighed: Weighed, timezone: str) -> str:
    """What a change does to the guarantee, in a sentence: its effect and why, what is at stake, when it is safe."""
    if not weighed.reason:
        return say("planning.effect.nothing")
    if not weighed.costs:
        return say("planning.nothing_to_lose", reason=_reason(weighed))
    told = {"reason": _reason(weighed), "amount": yuan(weighed.at_stake)}
    if weighed.safe_at is None:
        return say(f"planning.effect.{weighed.effect}", **told, safe=say("planning.never_safe"))
    safe = f"{moment(weighed.safe_at, timezone):%Y-%m-%d %H:%M}"
    return say(f"planning.effect.{weighed.effect}", **told, safe=say("planning.safe_at", at=safe))


def change_text(made: PlanChange) -> str:
    """What a change makes of what, field by field, in words."""
    return from_to(dict(made.before), dict(made.after))


def from_to(before: Mapping[str, Value], after: Mapping[str, Value]) -> str:
    """What fields of a plan become, each from what to what, in words; "" if there is none."""
    told = ((name, in_words(name, before.get(name)) or "–", in_words(name, now) or "–") for name, now in after.items())
    return ", ".join(f"{say(f'planning.field.{name}')} {was} → {now}" for name, was, now in told)


def in_words(name: str, value: Value) -> str | None:
    """A value of a plan's field for a person, its codes in words; `None` for none, where that does not mean all."""
    text = shown(name, value)
    if not text:
        return say("pages.all") if name in ("placements", "schedule", "creative_ids") else None
    area = WORDED.get(name)
    return text if area is None else ", ".join(say(f"pages.{area}.{code}") for code in text.split(", "))


def _reason(weighed: Weighed) -> str:
    return say(f"guarantee.reason.{weighed.reason}")


def _consider(desk: Desk, connection: Connection, wanted: Wanted) -> Considered:
    demand(desk.actor, wanted.act)
    stored, known = desk.plan(connection, wanted.plan_id), known_of(desk, connection, wanted.plan_id)
    made, limit = _checked(desk, connection, wanted, (stored, known))
    return Considered(standing_of(desk, connection, stored, known), made, weigh(known, made), limit=limit)


def _checked(
    desk: Desk, connection: Connection, wanted: Wanted, of: tuple[StoredPlan, Known]
) -> tuple[PlanChange, TargetLimit | None]:
    """The change that is wanted, if everybody allows it, and what commission asks of its target."""
    stored, known = of
    check_tests(connection, stored.plan, wanted.test)
    market = marketplace_kept(connection)
    market.check_surface(wanted.surface)
    _check_version(connection, stored, wanted.version)
    made = change(known.plan, len(known.history), desk.now, desk.actor.name, wanted.reason, **wanted.after)
    check_change(connection, desk.lake, market, known.plan, made)
    return made, target_limit(incentives.rules(connection).terms, apply(known.plan, made), microseconds(desk.now))


def _enter(desk: Desk, connection: Connection, wanted: Wanted, what: tuple[Plan, PlanChange, Weighed]) -> None:
    """Write a change down, unless it changes nothing."""
    plan, made, weighed = what
    if made.after:
        if _asks(made, weighed) and not wanted.confirmed:
            key = "planning.delete_unconfirmed" if wanted.deletes else "planning.unconfirmed"
            raise Refused(key, place=plan.name, why=effect_text(weighed, plan.timezone))
        _check_clock(desk, connection)
        plans.append(connection, made)
        _leave_trace(desk, connection, what)


def _asks(made: PlanChange, weighed: Weighed) -> bool:
    """Whether a person has to confirm it."""
    return weighed.costs or dict(made.after).get("status") == PlanStatus.DELETED


def marketplace_kept(connection: Connection) -> Marketplace:
    """The marketplace that the plans kept here live in."""
    clock = runs.clock(connection)
    return marketplace.read(clock.request.get("marketplace", {})) if clock else Marketplace()


def _check_version(connection: Connection, stored: StoredPlan, seen: int | None) -> None:
    """Refuse who decided on an older version, and tell who changed what since."""
    if seen is None or seen == stored.version:
        return
    if not 0 <= seen < stored.version:
        raise BadInput("planning.no_version", place="--version", value=seen, version=stored.version)
    since = plans.log(connection, stored.plan.id)[seen:]
    told = "".join(f"\n  {_entry_text(entry, stored.plan.timezone)}" for entry in since)
    raise Refused("planning.stale", plan=stored.plan.id, seen=seen, version=stored.version, changes=told)


def _entry_text(entry: PlanChange, timezone: str) -> str:
    at = f"{entry.at.astimezone(zone(timezone)):%Y-%m-%d %H:%M}"
    return say("planning.entry", at=at, actor=entry.actor, changes=change_text(entry))


def _check_clock(desk: Desk, connection: Connection) -> None:
    """A run is lived day by day: nothing of what has been lived is changed, and only the next day is at hand."""
    if (clock := runs.clock(connection)) is None:
        return
    begins = clock_of(connection)
    if desk.now < begins:
        raise Refused("planning.lived", place="--now", now=desk.now, begins=begins)
    if not clock.finished and desk.now >= begins + ONE_DAY:
        raise Refused("planning.too_far", place="--now", now=desk.now, begins=begins, day=f"{desk.now:%Y-%m-%d}")


def _leave_trace(desk: Desk, connection: Connection, what: tuple[Plan, PlanChange, Weighed]) -> None:
    plan, made, weighed = what
    detail = {"version": made.version, "guarantee": str(weighed.effect)}
    detail |= {name: shown(name, value) for name, value in made.after} | (
        {"reason": made.reason} if made.reason else {}
    )
    deleted = dict(made.after).get("status") == PlanStatus.DELETED
    act = Act.DELETE_PLAN if deleted else Act.CHANGE_PLAN
    desk.enter(connection, act, f"plan {plan.id}", detail, plan.shop_id)
