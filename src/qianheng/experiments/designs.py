"""Experiments as people run them: templates, what was planned, what became of it, and how money and days are divided.

Everything here is a value; `actions.experiments` carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate, combinations, pairwise
from pathlib import Path
from typing import Any, Literal

from qianheng.core.assignment import arm_of, spans
from qianheng.core.errors import BadInput, Refused
from qianheng.core.money import FEN, Micros
from qianheng.core.tables import build, read_toml
from qianheng.core.words import language, say
from qianheng.measures.goals import Rates, converted
from qianheng.plans.plan import Plan, Value, check_changeable, held
from qianheng.plans.users import UserShare
from qianheng.plans.writing import written

SHIPPED = Path(__file__).with_name("templates.toml")
NAMES = "ABCDEFGH"
EFFECT_MOST = 10  # ten times as much and more is no difference a test is planned for
SUMS = ("gmv", "net_gmv", "orders")  # which are told a user, or a day where days are assigned


class Unit(StrEnum):
    """What is assigned to an arm by chance."""

    USERS = "users"  # each arm a plan of its own, with its share of the users and of the budget
    DAYS = "days"  # one plan, whose settings change between days (switchback)


@dataclass(frozen=True, slots=True)
class Words:
    """What something is called, in both languages."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en if language() == "en" else self.zh


@dataclass(frozen=True, slots=True)
class ArmTemplate:
    """An arm: its settings as a person writes them, a factor on the target, and how many parts of the users it gets.
    `holds_out`: nothing is promoted to its users.
    """

    settings: dict[str, str] = field(default_factory=dict)
    target_times: Decimal = Decimal(1)
    weight: int = 1
    holds_out: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    """Some days with one division of the budget: the parts of the arms."""

    days: int
    budget: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A design to start from. effect: the smallest difference worth knowing, as a share; `settles` days at the start
    are not measured; guard_rails: by how much, as a share of A, a measure may be worse; alpha: how often it may be
    wrong; power: how often a true effect is to be found; looks: as often as anybody likes, always or until its last
    day (`experiments.looks`).
    """

    title: Words
    about: Words
    arms: tuple[ArmTemplate, ...]
    phases: tuple[Phase, ...]
    primary: str
    guard_rails: dict[str, Decimal] = field(default_factory=dict)
    unit: Literal["users", "days"] = "users"
    effect: Decimal = Decimal("0.1")
    settles: int = 2
    alpha: Decimal = Decimal("0.05")
    power: Decimal = Decimal("0.8")
    looks: Literal["always", "until"] = "always"

    def __post_init__(self) -> None:
        bad = [phase for phase in self.phases if phase.days < 1 or len(phase.budget) != len(self.arms)]
        if not 2 <= len(self.arms) <= len(NAMES) or bad or not self.phases:
            raise BadInput("designs.bad_template", arms=len(self.arms), most=len(NAMES))
        if not 0 <= self.settles < sum(phase.days for phase in self.phases):
            raise BadInput("designs.bad_settles", value=self.settles)


def templates(own: Path | None = None) -> dict[str, Template]:
    """The templates by name: those shipped, and the owner's own over them. A file that cannot be read: BadInput."""
    found: dict[str, Template] = {}
    for path in (SHIPPED, own):
        if path is not None:
            found |= {name: build(Template, told, f"{path}: {name}") for name, told in read_toml(path).items()}
    return found


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm as it was planned: what it changes of the plan, its weight among the arms, the shares of users it gets."""

    name: str
    settings: tuple[tuple[str, Value], ...]
    users: UserShare | None
    holds_out: bool = False


@dataclass(frozen=True, slots=True)
class Experiment:
    """A test as it was planned: never changed afterwards. `effect` as in `Template`."""

    id: int
    template: str
    shop_id: int
    plan_id: int
    unit: Unit
    arms: tuple[Arm, ...]
    phases: tuple[Phase, ...]
    primary: str
    guard_rails: tuple[tuple[str, Decimal], ...]
    effect: Decimal
    settles: int
    alpha: Decimal
    power: Decimal
    salt: int
    planned_at: datetime
    looks: str = "always"

    @property
    def days(self) -> int:
        """How long it runs."""
        return sum(phase.days for phase in self.phases)

    def named(self, measure: str) -> str:
        """What a measure of its units is called."""
        return say(f"designs.{'days' if self.unit is Unit.DAYS and measure in SUMS else 'measure'}.{measure}")

    def arm(self, name: str) -> Arm:
        """An arm by its name. None of that name: BadInput."""
        found = next((arm for arm in self.arms if arm.name == name.upper()), None)
        if found is None:
            raise BadInput("designs.no_arm", place="ARM", value=name, known=", ".join(arm.name for arm in self.arms))
        return found

    def phase_of(self, number: int) -> Phase:
        """The phase that a day of the test (from 0) lies in; the last one afterwards."""
        ends = accumulate(phase.days for phase in self.phases)
        return next((phase for phase, end in zip(self.phases, ends, strict=True) if number < end), self.phases[-1])

    def budgets(self, total: Micros, number: int) -> tuple[Micros, ...]:
        """The arms' parts of a budget on a day of the test; they add up to it exactly."""
        return divided(total, self.phase_of(number).budget)

    def arm_of_day(self, number: int) -> Arm:
        """The arm whose day (from 0) it is, where days are assigned: of every so many days each arm has one, drawn."""
        block, place = divmod(number, len(self.arms))
        left = list(range(len(self.arms)))
        for turn in range(place + 1):
            chosen = left.pop(arm_of(f"{self.salt}/{block}", turn, [1] * len(left)))
        return self.arms[chosen]


def divided(total: Micros, parts: Sequence[int]) -> tuple[Micros, ...]:
    """Money cut into parts of these proportions, to the fen; together exactly the whole."""
    whole = sum(parts)
    cuts = [total * up_to // whole // FEN * FEN for up_to in accumulate(parts, initial=0)]
    cuts[-1] = total
    return tuple(after - before for before, after in pairwise(cuts))


@dataclass(frozen=True, slots=True)
class Ground:
    """What arms are made of: the plan, what is left of GMV under each goal, and the salt that cuts the users."""

    plan: Plan
    rates: Rates
    salt: int


def arms_of(ground: Ground, template: Template, changed: Mapping[str, Mapping[str, str]]) -> tuple[Arm, ...]:
    """The arms of a test of a plan, the first of which leaves it as it is. changed: by the arm's name, settings that
    somebody wants other than the template's. A value that cannot be, no such arm, or arms that are alike: BadInput.
    """
    known = NAMES[: len(template.arms)]
    for name in changed:
        if name not in known:
            raise BadInput("designs.no_arm", place="--set", value=name, known=", ".join(known))
    cut = spans([arm.weight for arm in template.arms])
    arms = [
        Arm(name, _settings(ground, arm, changed.get(name, {})), _users(template, ground.salt, shares), arm.holds_out)
        for name, arm, shares in zip(known, template.arms, cut, strict=True)
    ]
    if alike := [f"{one.name}/{other.name}" for one, other in combinations(arms, 2) if _alike(ground.plan, one, other)]:
        raise BadInput("designs.alike", place="--set", value=", ".join(alike))
    return tuple(arms)


def _alike(plan: Plan, one: Arm, other: Arm) -> bool:
    """Whether two arms would do the same."""
    first, second = ({name: getattr(plan, name) for name, _ in (*one.settings, *other.settings)} for _ in range(2))
    first, second = first | dict(one.settings), second | dict(other.settings)
    return one.holds_out == other.holds_out and first == second


def _users(template: Template, salt: int, shares: tuple[int, int]) -> UserShare | None:
    return UserShare(salt, *shares) if Unit(template.unit) is Unit.USERS else None


def _settings(ground: Ground, arm: ArmTemplate, changed: Mapping[str, str]) -> tuple[tuple[str, Value], ...]:
    """What an arm changes. A target follows its goal by the rates of the last days (SPEC 3.3)."""
    plan, wanted = ground.plan, arm.settings | dict(changed)
    check_changeable(wanted)
    settings = {name: written(name, text) for name, text in wanted.items()}
    goal = str(settings.get("goal", plan.goal))
    if plan.target is not None and "target" not in settings:
        same = converted(Fraction(plan.target), str(plan.goal), ground.rates).get(goal)
        if same is None:
            raise BadInput("designs.no_rate", place="--set", value=goal)
        target = _cents(same * Fraction(arm.target_times))
        settings |= {"target": target} if target != plan.target else {}
    return tuple(settings.items())


def _cents(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.01"))


class Happened(StrEnum):
    """What can happen to a test."""

    PLANNED = "planned"
    STARTED = "started"
    LOOKED = "looked"  # somebody looked at its results
    ENDED = "ended"  # its days are over; the arms go on until one is adopted
    STOPPED = "stopped"  # before its end; the plan is again what it was
    ADOPTED = "adopted"  # the plan is what an arm was


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a test: by whom, when and what is to be known of it."""

    id: int
    experiment_id: int
    happened: Happened
    at: datetime
    actor: str
    body: Mapping[str, Any] = field(default_factory=dict)


AFTER: dict[Happened, tuple[Happened, ...]] = {
    Happened.PLANNED: (Happened.STARTED, Happened.STOPPED),
    Happened.STARTED: (Happened.ENDED, Happened.STOPPED, Happened.ADOPTED),
    Happened.ENDED: (Happened.STOPPED, Happened.ADOPTED),
    Happened.STOPPED: (),
    Happened.ADOPTED: (),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A test and what happened to it, oldest first; people call it by `number` ("e3")."""

    number: int
    experiment: Experiment
    events: tuple[Event, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return f"e{self.number}"

    @property
    def status(self) -> Happened:
        """The last that happened to it, looking aside."""
        return [event.happened for event in self.events if event.happened is not Happened.LOOKED][-1]

    def event(self, happened: Happened) -> Event | None:
        """When that happened; `None` if it has not."""
        return next((event for event in self.events if event.happened is happened), None)

    @property
    def started(self) -> datetime | None:
        """When it was started."""
        found = self.event(Happened.STARTED)
        return None if found is None else found.at

    @property
    def first_day(self) -> date:
        """The first day of the test. Not started: Refused."""
        if self.started is None:
            raise Refused("designs.not_started", place=self.name)
        day = self.started.date()
        return day if self.started.time() == datetime.min.time() else day + timedelta(days=1)

    @property
    def last_day(self) -> date:
        """The last day that is planned, or the one before it was stopped or decided."""
        planned = self.first_day + timedelta(days=self.experiment.days - 1)
        over = [event for event in self.events if event.happened in (Happened.STOPPED, Happened.ADOPTED)]
        return min([planned, *(event.at.date() - timedelta(days=1) for event in over)])

    def before(self) -> dict[str, Value]:
        """What the plan was before the test, in all that the test changes."""
        found = self.event(Happened.STARTED)
        return {} if found is None else {name: held(name, value) for name, value in found.body["before"].items()}

    @property
    def plans(self) -> dict[str, int]:
        """The plan of each arm that has one, by the arm's name."""
        found = self.event(Happened.STARTED)
        return {} if found is None else dict(found.body["plans"])

    @property
    def looks(self) -> int:
        """How often somebody looked."""
        return sum(event.happened is Happened.LOOKED for event in self.events)

    def follow(self, event: Event) -> Standing:
        """The test after something more happened. What does not follow: Refused."""
        self.check_follows(event.happened)
        return replace(self, events=(*self.events, event))

    def check_follows(self, happened: Happened) -> None:
        """Go on only if that may happen to the test now: Refused otherwise."""
        follows = AFTER[self.status] if self.events else (Happened.PLANNED,)
        if happened is not Happened.LOOKED and happened not in follows:
            told = {"status": say(f"designs.status.{self.status}"), "wanted": say(f"designs.status.{happened}")}
            raise Refused("designs.does_not_follow", place=self.name, **told)


def running(tests: Iterable[Standing], plan_id: int) -> Standing | None:
    """The test that a plan is an arm of now; `None` if it is of none."""
    alive = [one for one in tests if one.status in (Happened.STARTED, Happened.ENDED)]
    return next((one for one in alive if plan_id in (*one.plans.values(), one.experiment.plan_id)), None)
