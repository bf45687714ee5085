"""Experiments at the desk: planned, started, stopped, an arm adopted; all through the change log (SPEC 12).

The plan itself is the first arm and keeps its settings, so that nothing of its guarantee is at stake while a test runs;
the other arms are copies with shares of its users and its budget (decision 0029).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from qianheng.actions.desk import Desk, locked
from qianheng.actions.histories import Asked, history_of
from qianheng.actions.plan_standing import known_of
from qianheng.actions.planning import Wanted, change_within, marketplace_kept
from qianheng.core.actors import Act, demand
from qianheng.core.days import microseconds
from qianheng.core.errors import BadInput, NotFound, QianhengError, Refused
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros
from qianheng.core.words import say
from qianheng.experiments.designs import (
    Arm,
    Event,
    Experiment,
    Ground,
    Happened,
    Standing,
    Template,
    Unit,
    arms_of,
    running,
    templates,
)
from qianheng.experiments.looking import HOURLY, LOOKS, MEASURES
from qianheng.guarantee.guard import Weighed
from qianheng.measures.goals import Rates
from qianheng.measures.history import History
from qianheng.plans import rules
from qianheng.plans.marketplace import Marketplace
from qianheng.plans.plan import Plan, PlanStatus, Value, apply, change
from qianheng.store import experiments, plans
from qianheng.store.database import own_file, reading
from qianheng.store.plans import plain_value

RATES_DAYS = 30
FIRST_COPY = 1001  # copies count from here, apart from the numbers people give


@dataclass(frozen=True, slots=True)
class WantedTest:
    """A test that somebody wants: of which plan by which template, and what of the template is to differ. settings: by
    the arm's name; `None` or "": as the template has it.
    """

    template: str
    plan_id: int
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    effect: Decimal | None = None
    looks: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A test after something was done with it, and what that did to the guarantee of the plan's day."""

    standing: Standing
    weighed: tuple[Weighed, ...] = ()


def known_templates() -> dict[str, Template]:
    """The templates by name, the owner's own over those shipped."""
    return templates(own_file("experiments.toml"))


def designed(desk: Desk, wanted: WantedTest) -> Experiment:
    """The test that is wanted, as a value. No such template or plan: NotFound; a setting that cannot be: BadInput; arms
    that the marketplace does not allow: Refused, all reasons at once.
    """
    known = known_templates()
    if wanted.template not in known:
        raise NotFound("designs.no_template", value=wanted.template, known=", ".join(known))
    template, looks = known[wanted.template], _looks(wanted.looks)
    _check_measure(template)
    with reading(desk.database) as connection:
        plan, market = desk.plan(connection, wanted.plan_id).plan, marketplace_kept(connection)
    salt = stable_id("experiment", plan.id, wanted.template, microseconds(desk.now))
    rates = rates_of(history_of(desk, Asked(str(plan.shop_id), RATES_DAYS + 1)), plan)
    made = Experiment(
        id=salt,
        template=wanted.template,
        shop_id=plan.shop_id,
        plan_id=plan.id,
        unit=Unit(template.unit),
        arms=arms_of(Ground(plan, rates, salt), template, wanted.settings),
        phases=template.phases,
        primary=template.primary,
        guard_rails=tuple(template.guard_rails.items()),
        effect=template.effect if wanted.effect is None else wanted.effect,
        settles=template.settles,
        alpha=template.alpha,
        power=template.power,
        salt=salt,
        planned_at=desk.now,
        looks=looks or template.looks,
    )
    _check_arms(market, made, plan)
    return made


def _check_arms(market: Marketplace, experiment: Experiment, plan: Plan) -> None:
    """Refuse arms that the marketplace would not let start, before anybody waits for them: Refused."""
    budgets = experiment.budgets(plan.budget_daily, 0) if experiment.unit is Unit.USERS else None
    found: list[QianhengError] = []
    for number, arm in enumerate(experiment.arms):
        if not arm.holds_out:
            budget = plan.budget_daily if budgets is None else budgets[number]
            found += [
                fault.at(arm.name) for fault in _faults(market, arm, _as_arm(plan, arm, budget, experiment.planned_at))
            ]
    rules.check(found, plan)


def _as_arm(plan: Plan, arm: Arm, budget: Micros, at: datetime) -> Plan:
    """A plan with the budget and the settings of an arm."""
    return apply(plan, change(plan, 1, at, "", "", **{"budget_daily": budget, **dict(arm.settings)}))


def _faults(market: Marketplace, arm: Arm, made: Plan) -> list[QianhengError]:
    """What the marketplace says against the plan of an arm."""
    return market.faults(made, ["budget_daily", *dict(arm.settings)])


def _looks(wanted: str) -> str:
    if wanted and wanted not in LOOKS:
        raise BadInput("designs.bad_looks", place="--looks", value=wanted, known=", ".join(LOOKS))
    return wanted


def _check_measure(template: Template) -> None:
    """Refuse a template that is judged by what its unit does not tell: BadInput."""
    known = HOURLY if Unit(template.unit) is Unit.DAYS else tuple(MEASURES)
    if template.primary not in known:
        told = {"unit": say(f"designs.unit.{template.unit}"), "known": ", ".join(known)}
        raise BadInput("designs.not_judged", place="primary", value=template.primary, **told)


def rates_of(history: History, plan: Plan) -> Rates:
    """What is left of a plan's GMV after an hour and after seven days, over the last 30 (SPEC 3.3)."""
    subject = history.plan_subject(str(plan.id))
    net, settled = (history.ratio(name, "gmv", RATES_DAYS, subject) for name in ("net_gmv", "settled_gmv_7d"))
    return Rates(net, settled)


def keep(desk: Desk, experiment: Experiment, told: Mapping[str, object]) -> Standing:
    """Keep a test as planned, with what was foreseen of it. Refused: who may not run tests."""
    with desk.database.begin() as connection:
        demand(desk.actor, Act.RUN_EXPERIMENT, experiment.shop_id)
        experiments.keep(connection, experiment)
        known = {one.experiment.id: one for one in experiments.every(connection)}[experiment.id]
        return known if known.events else _happen(desk, connection, known, Happened.PLANNED, told)


def experiments_of(desk: Desk) -> list[Standing]:
    """The tests of the actor's shop, or all for the platform."""
    with reading(desk.database) as connection:
        return experiments.every(connection, desk.actor.shop_id)


def experiment_of(desk: Desk, connection: Connection, name: str) -> Standing:
    """A test of the actor's shop. None of that name, or another shop's: NotFound, in the same words."""
    found = experiments.load(connection, name)
    if not desk.actor.sees(found.experiment.shop_id):
        raise NotFound("designs.no_experiment", value=name)
    return found


def start(desk: Desk, name: str, *, confirmed: bool = False) -> Done:
    """Start a test at the desk's time: the plan becomes its first arm, copies become the others.

    Refused: who may not; a plan that is in a test already or does not run; what the marketplace's rules or the edit
    guard refuse of a part of the budget.
    """
    with _deciding(desk, name) as (connection, standing):
        return start_within(desk, connection, standing, confirmed=confirmed)


def start_within(desk: Desk, connection: Connection, standing: Standing, *, confirmed: bool = False) -> Done:
    """The same in a transaction of the caller's, who may be the one that lives the run."""
    experiment = standing.experiment
    standing.check_follows(Happened.STARTED)
    if (other := running(experiments.every(connection, experiment.shop_id), experiment.plan_id)) is not None:
        raise Refused("designs.in_a_test", place=standing.name, other=other.name)
    plan = desk.plan(connection, experiment.plan_id).plan
    if plan.status is not PlanStatus.ACTIVE:
        raise Refused("designs.plan_not_active", place=standing.name, plan=plan.name)
    made = _Arms(desk, connection, standing, plan, confirmed)
    ids = made.copies() if experiment.unit is Unit.USERS else {experiment.arms[0].name: plan.id}
    weighed = made.first()
    before = {name: plain_value(getattr(plan, name)) for name in sorted(_changed(experiment))}
    return Done(_happen(desk, connection, standing, Happened.STARTED, {"plans": ids, "before": before}), weighed)


def stop(desk: Desk, name: str, reason: str = "", *, confirmed: bool = False) -> Done:
    """Stop a test: the plan is again as it was, the copies are deleted. Refused: who may not; one that is over."""
    with _deciding(desk, name) as (connection, standing):
        standing.check_follows(Happened.STOPPED)
        weighed = _closed(desk, connection, standing, {}, confirmed=confirmed)
        return Done(_happen(desk, connection, standing, Happened.STOPPED, {"reason": reason}), weighed)


def adopt(desk: Desk, name: str, arm: str, *, confirmed: bool = False) -> Done:
    """Keep what an arm was: the plan takes its settings, all users and the whole budget; the copies are deleted.

    Refused: who may not; a test that does not run; a change that costs the guarantee and is not confirmed.
    """
    with _deciding(desk, name) as (connection, standing):
        chosen = standing.experiment.arm(arm)
        if chosen.holds_out:
            raise BadInput("designs.holds_out", place="ARM", value=chosen.name)
        standing.check_follows(Happened.ADOPTED)
        weighed = _closed(desk, connection, standing, dict(chosen.settings), confirmed=confirmed)
        return Done(_happen(desk, connection, standing, Happened.ADOPTED, {"arm": chosen.name}), weighed)


def note_look(desk: Desk, name: str) -> Standing:
    """Somebody looked at the results; it is kept how often and when."""
    with desk.database.begin() as connection:
        standing = experiment_of(desk, connection, name)
        return _happen(desk, connection, standing, Happened.LOOKED, {})


def keep_dates(desk: Desk, connection: Connection, standing: Standing) -> Standing:
    """What is due of a running test at the desk's time, the beginning of a day: the budget of another phase, the day's
    arm of a switchback, its end. Again on the same day: nothing new.
    """
    if standing.status is not Happened.STARTED:
        return standing
    experiment, number = standing.experiment, (desk.now.date() - standing.first_day).days
    plan = plans.load(connection, experiment.plan_id).plan
    if 0 < number < experiment.days:
        made = _Arms(desk, connection, standing, plan, True)
        made.turn(number)
    return standing if number < experiment.days else _happen(desk, connection, standing, Happened.ENDED, {})


@dataclass(frozen=True, slots=True)
class _Arms:
    """The plans of a test as they are made and changed; `plan` is the one it is about."""

    desk: Desk
    connection: Connection
    standing: Standing
    plan: Plan
    confirmed: bool

    def copies(self) -> dict[str, int]:
        """Make the plans of the arms but the first; all arms' plans by name."""
        experiment = self.standing.experiment
        ids, next_id = {experiment.arms[0].name: self.plan.id}, _next_id(self.connection)
        for arm, budget in zip(experiment.arms[1:], experiment.budgets(self.plan.budget_daily, 0)[1:], strict=True):
            if not arm.holds_out:
                self._copy(arm, budget, next_id)
                ids[arm.name], next_id = next_id, next_id + 1
        return ids

    def first(self) -> tuple[Weighed, ...]:
        """What the plan itself becomes."""
        experiment = self.standing.experiment
        if experiment.unit is Unit.DAYS:
            return self._change(self.plan.id, dict(experiment.arm_of_day(0).settings))
        arm, budget = experiment.arms[0], experiment.budgets(self.plan.budget_daily, 0)[0]
        return self._change(self.plan.id, {**dict(arm.settings), "users": arm.users, "budget_daily": budget})

    def turn(self, number: int) -> None:
        """What changes at the beginning of a day of the test (from 0)."""
        experiment, before = self.standing.experiment, self.standing.before()
        if experiment.unit is Unit.DAYS:
            self._change(self.plan.id, before | dict(experiment.arm_of_day(number).settings))
        elif experiment.phase_of(number) is not experiment.phase_of(number - 1):
            total = before["budget_daily"]
            assert isinstance(total, int)  # it is the test's to divide
            budgets = experiment.budgets(total, number)
            for arm, budget in zip(experiment.arms, budgets, strict=True):
                if arm.name in self.standing.plans:
                    self._change(self.standing.plans[arm.name], {"budget_daily": budget})

    def _copy(self, arm: Arm, budget: int, plan_id: int) -> None:
        name = f"{self.plan.name} · {self.standing.name} {arm.name}"
        made = replace(self.plan, id=plan_id, name=name, status=PlanStatus.DRAFT, users=tuple(arm.users or ()))
        made = _as_arm(made, arm, budget, self.desk.now)
        rules.check(_faults(marketplace_kept(self.connection), arm, made), made)
        plans.create(self.connection, made)
        self._change(plan_id, {"status": PlanStatus.ACTIVE})

    def _change(self, plan_id: int, after: Mapping[str, Value]) -> tuple[Weighed, ...]:
        return _change(self.desk, self.connection, self.standing, (plan_id, after, self.confirmed))


def _closed(
    desk: Desk, connection: Connection, standing: Standing, settings: Mapping[str, Value], *, confirmed: bool
) -> tuple[Weighed, ...]:
    """Give the plan its users and its budget back, and what else it is to be from now on; delete the copies."""
    plan_id = standing.experiment.plan_id
    for copy in standing.plans.values():
        if copy != plan_id:
            _change(desk, connection, standing, (copy, {"status": PlanStatus.DELETED}, True))
    return _change(desk, connection, standing, (plan_id, standing.before() | dict(settings), confirmed))


def _change(
    desk: Desk, connection: Connection, standing: Standing, what: tuple[int, Mapping[str, Value], bool]
) -> tuple[Weighed, ...]:
    plan_id, after, confirmed = what
    reason = f"{standing.name} {standing.experiment.template}"
    wanted = Wanted(plan_id, after, reason, confirmed=confirmed, test=standing.name)
    made, weighed = change_within(desk, connection, wanted, known_of(desk, connection, plan_id))
    return (weighed,) if made.after else ()


def _changed(experiment: Experiment) -> set[str]:
    """The fields of the plan itself that a test changes while it runs."""
    if experiment.unit is Unit.USERS:
        return {"users", "budget_daily", *dict(experiment.arms[0].settings)}
    return {name for arm in experiment.arms for name, _ in arm.settings}


def _next_id(connection: Connection) -> int:
    return max([FIRST_COPY - 1, *(stored.plan.id for stored in plans.load_all(connection))]) + 1


@contextmanager
def _deciding(desk: Desk, name: str) -> Iterator[tuple[Connection, Standing]]:
    """Where a test is decided upon: nobody lives the run meanwhile, and all of it is done or nothing."""
    demand(desk.actor, Act.RUN_EXPERIMENT)
    with locked(desk.lake.folder.parent, alone=False), desk.database.begin() as connection:
        yield connection, experiment_of(desk, connection, name)


def _happen(
    desk: Desk, connection: Connection, standing: Standing, happened: Happened, body: Mapping[str, object]
) -> Standing:
    """Enter what happened, with an audit entry of what people did."""
    id_ = stable_id("experiment event", standing.experiment.id, happened, microseconds(desk.now), desk.actor.name)
    event = Event(id_, standing.experiment.id, happened, desk.now, desk.actor.name, body)
    if any(event.id == known.id for known in standing.events):
        return standing
    after = standing.follow(event)
    experiments.enter(connection, event)
    if happened is not Happened.LOOKED:
        detail = {"step": str(happened), "template": standing.experiment.template}
        desk.enter(connection, Act.RUN_EXPERIMENT, f"experiment {standing.name}", detail, standing.experiment.shop_id)
    return after
