"""What is done without asking: proposals carried out inside the limits that the owner set, until somebody says stop.

The kill switch is asked in the very transaction that changes a plan, under a lock that turning it takes too: once
`stop` has returned, nothing automatic changes a plan any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.proposals import alone, carry_out_due, take_up
from qianheng.actions.proposing import Grounds, at_desk, look_through, step_by, step_made
from qianheng.core.actors import AUTOMATION, Act, demand
from qianheng.core.days import midnight
from qianheng.core.errors import QianhengError
from qianheng.core.ids import stable_id
from qianheng.core.words import LANGUAGES, speaking
from qianheng.store import automation, notices, proposals
from qianheng.store.automation import Switch
from qianheng.store.database import reading
from qianheng.store.notices import Notice
from qianheng.strategy.automation import Limits, Obstacle, Today, budget_moved, obstacles
from qianheng.strategy.decisions import Standing, Status, Step
from qianheng.strategy.proposal import Measure


@dataclass(frozen=True, slots=True)
class Allowed:
    """What automation may do in a shop, and what stops it if anything does."""

    limits: Limits
    stopped: Switch | None


def allowed(desk: Desk, shop_id: str) -> Allowed:
    """What automation may do in a shop now; nothing until its owner said so."""
    with reading(desk.database) as connection:
        said = automation.limits(connection, shop_id)
        return Allowed(said or Limits(), automation.stopped(connection, shop_id, str(desk.now.tzinfo)))


def set_limits(desk: Desk, shop_id: str, limits: Limits) -> None:
    """Say what automation may do from now on. Anybody but an owner of that shop: as `demand` refuses."""
    with desk.database.begin() as connection:
        demand(desk.actor, Act.SET_AUTOMATION)
        automation.set_limits(connection, shop_id, limits, (desk.now, desk.actor.name))
        told = {name: str(value) for name, value in asdict(limits).items()}
        desk.enter(connection, Act.SET_AUTOMATION, "automation", told)


def stop(desk: Desk, shop_id: str | None, reason: str = "") -> None:
    """Stop everything automatic at once, in a shop or (`None`, the platform's own people) in every shop."""
    _turn(desk, Switch(shop_id, desk.now, desk.actor.name, stopped=True, reason=reason))


def resume(desk: Desk, shop_id: str | None, reason: str = "") -> None:
    """Take a stop back: the shop's own, or that of every shop. The other one stays as it is."""
    _turn(desk, Switch(shop_id, desk.now, desk.actor.name, stopped=False, reason=reason))


def _turn(desk: Desk, switch: Switch) -> None:
    with desk.database.begin() as connection:
        demand(desk.actor, _turning(switch))
        automation.turn(connection, switch)
        told = {"stopped": switch.stopped} | ({"reason": switch.reason} if switch.reason else {})
        desk.enter(connection, Act.STOP_AUTOMATION, "automation", told)


def _turning(switch: Switch) -> Act:
    """What somebody has to be allowed to turn a switch so."""
    if switch.shop_id is None:
        return Act.STOP_EVERYWHERE
    return Act.STOP_AUTOMATION if switch.stopped else Act.SET_AUTOMATION


def run_automation(desk: Desk, grounds: Grounds) -> list[Standing]:
    """A shop's day at the desk's time, as `advise_day`. Who may not change its plans: Refused; a run that is just being
    lived: Refused.
    """
    demand(desk.actor, Act.CHANGE_PLAN)
    with alone(desk), desk.database.begin() as connection:
        there = automatic(desk, grounds.history.shop.id)
        return advise_day(there, connection, at_desk(there, connection, grounds))


def advise_day(desk: Desk, connection: Connection, grounds: Grounds) -> list[Standing]:
    """A shop's day: measure, propose, and carry out what people scheduled for it and what automation may; those done.

    Again at the same time: nothing new.
    """
    found = look_through(desk, connection, grounds)
    shop_id, today = grounds.history.shop.id, desk.now.date()
    automation.hold_switch(connection)
    stopped = automation.stopped(connection, shop_id, str(desk.now.tzinfo))
    done = list[Standing]()
    if stopped is None:
        ends = midnight(today + timedelta(days=1), grounds.history.timezone)
        done += carry_out_due(desk, connection, proposals.of_shop(connection, shop_id), ends)
    limits = automation.limits(connection, shop_id)
    if limits is None or not limits.enabled:
        return done
    so_far = _today(desk, connection, shop_id)
    for standing in sorted(found, key=lambda one: -(one.proposal.gain or 0)):
        held = _held_back(desk, limits, standing, so_far)
        if stopped is not None:
            held = (Obstacle.STOPPED,)
        after = _hold(desk, connection, standing, held) if held else _try(desk, connection, standing, grounds, limits)
        if after.status is Status.CARRIED_OUT:
            done.append(after)
            so_far = _today(desk, connection, shop_id)
    return done


def automatic(desk: Desk, shop_id: str) -> Desk:
    """The same desk with automation sitting at it, in a shop."""
    return replace(desk, actor=replace(AUTOMATION, shop_id=int(shop_id)))


def _held_back(desk: Desk, limits: Limits, standing: Standing, today: Today) -> tuple[Obstacle, ...]:
    costs = standing.proposal.effect(Measure.GUARANTEE) is not None
    return obstacles(limits, standing.proposal, today, desk.now, costs)


def _today(desk: Desk, connection: Connection, shop_id: str) -> Today:
    """What automation has done in a shop today."""
    done = [
        one
        for one in proposals.of_shop(connection, shop_id)
        if (made := one.made(Step.CARRY_OUT)) is not None
        and made.actor == AUTOMATION.name
        and made.at.date() == desk.now.date()
    ]
    return Today(len(done), sum(budget_moved(one.proposal.before, one.after) for one in done))


def _hold(desk: Desk, connection: Connection, standing: Standing, why: Iterable[Obstacle]) -> Standing:
    """Leave a proposal to a person, and say why: once at a time, and the same reason not twice."""
    reason, last = ", ".join(why), standing.made(Step.HOLD)
    if last is not None and (last.reason == reason or last.at == desk.now):
        return standing
    made = step_by(automatic(desk, standing.shop_id), standing, Step.HOLD)
    return step_made(connection, standing, replace(made, reason=reason))


def _try(desk: Desk, connection: Connection, standing: Standing, grounds: Grounds, limits: Limits) -> Standing:
    """Carry a proposal out; if a rule refuses it, it stays open and says so."""
    assert grounds.known is not None  # a task or another platform's plan is held back
    there = automatic(desk, standing.shop_id)
    try:
        after = take_up(there, connection, standing, grounds.known, confirmed=limits.may_void)
    except QianhengError:
        return _hold(desk, connection, standing, [Obstacle.REFUSED])
    _tell(there, connection, after)
    return after


def _tell(desk: Desk, connection: Connection, standing: Standing) -> None:
    """Let the shop know what was done in its name."""
    plan = standing.proposal.plan_id
    why = {}
    for language in LANGUAGES:
        with speaking(language):
            why[language] = standing.proposal.reason.text()
    values = {"name": standing.name, "plan": plan, "why": why}
    key = stable_id("notice", "automation", standing.proposal.id)
    notices.tell(
        connection, Notice(key, desk.now, desk.actor.shop_id, "proposals.notice.carried_out", f"plan {plan}", values)
    )
