"""Am I losing well or badly? Losses told apart by rules that are data: valuable or waste, and what to do (SPEC 7.7).

Nothing is stopped here: a stance is what is advised, with what stopping forfeits and what waiting costs beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from qianheng.core import tables
from qianheng.core.errors import BadInput, raise_together
from qianheng.core.interval import Interval
from qianheng.core.money import Micros, ratio
from qianheng.core.words import area
from qianheng.diagnosis.asking import Answer, Asked, Told, all_of, ask
from qianheng.diagnosis.chance import next_of
from qianheng.diagnosis.findings import Finding
from qianheng.diagnosis.ground import Ground, Windows
from qianheng.diagnosis.peers import Peers
from qianheng.diagnosis.worth import Basis
from qianheng.measures.history import About, History, Subject
from qianheng.plans.plan import Goal, PlanKind

SHIPPED = Path(__file__).with_name("triage.toml")
FAR_BELOW_TARGET = Fraction(4, 5)  # SPEC 11: without a margin, what is under 80 % of its target counts as losing
LOOKED_AHEAD = 14  # days after which what is not known yet is called not knowable soon
LIVE_ONLY = "live_script"

Lever: TypeAlias = Literal["target", "creative", "product_page", "live_script", "schedule"]
Lost: TypeAlias = tuple[Literal["breakeven", "target"], list[Micros]]
Name = TypeVar("Name", bound=str)


class Kind(StrEnum):
    """What a loss is: worth its money, wasted, or not known yet."""

    VALUABLE = "valuable"
    WASTE = "waste"
    UNDECIDED = "undecided"


class Stance(StrEnum):
    """What is advised, the mildest first."""

    WAIT = "wait"
    FIX = "fix"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition of the rules: what it asks, which kind of loss it speaks for, whether it decides, and what helps.
    While one that protects holds, only those for waste that decide `in_any_case` do.
    """

    name: str
    speaks_for: Literal["valuable", "waste"]
    asked: tuple[Asked, ...]
    decides: bool = False
    protects: bool = False
    in_any_case: bool = False
    stance: Literal["wait", "fix", "stop"] = "wait"
    levers: tuple[Lever, ...] = ()

    @property
    def kind(self) -> Kind:
        """The kind it speaks for."""
        return Kind(self.speaks_for)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of triage: which days, which conditions, and which actions pull each lever."""

    windows: Windows
    conditions: tuple[Rule, ...]
    levers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        actions = area("triage")["action"]
        told = ((lever, name) for lever, names in self.levers.items() for name in names if name not in actions)
        known = ", ".join(actions)
        raise_together(
            [
                BadInput("triage.unknown_choice", place=f"levers.{lever}", value=name, known=known)
                for lever, name in told
            ]
        )


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule put to a subject. days_to_know: after how many more days like these it will be sure; `None` if it is, or
    will not be within two weeks.
    """

    rule: Rule
    told: tuple[Told, ...]
    answer: Answer
    days_to_know: int | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The inputs it lacks."""
        return tuple(one.reading.missing for one in self.told if one.reading.missing)


@dataclass(frozen=True, slots=True)
class Stake:
    """The compensation at stake, micro-yuan. forfeited: what stopping now loses of today's, for certain where the day
    becomes void, as expected where it only lacks orders (so many: orders_short) that going on may bring; `None`:
    nothing. open: what earlier days may still bring, which stopping does not touch.
    """

    forfeited: Interval | None = None
    orders_short: int = 0
    open: Interval | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """A subject that loses money, and what to do about it.

    lost: in the days looked at, against breakeven, or against its target where no margin is known; micro-yuan.
    tomorrow: what another day like these costs; `None` of fewer than three days. orders_tomorrow: how many more orders
    a day would show. basis: what the worth of a sale rests on.
    """

    subject: Subject
    kind: Kind
    stance: Stance
    against: Literal["breakeven", "target"]
    basis: Basis
    lost: Micros
    tomorrow: Interval | None
    orders_tomorrow: Fraction | None
    conditions: tuple[Condition, ...]
    levers: tuple[Lever, ...]
    actions: tuple[str, ...]

    @property
    def reasons(self) -> tuple[Condition, ...]:
        """The conditions that hold and speak for what it is; for an undecided one those that hold at all."""
        held = (one for one in self.conditions if one.answer is Answer.YES)
        return tuple(one for one in held if self.kind in (Kind.UNDECIDED, one.rule.kind))

    @property
    def open_questions(self) -> tuple[Condition, ...]:
        """The conditions that more days will answer."""
        return tuple(one for one in self.conditions if one.days_to_know is not None)


@dataclass(frozen=True, slots=True)
class Triage:
    """The losses, the greatest first. missing: inputs without which no subject could be held against breakeven or a
    target; unheld: the subjects of which that is so.
    """

    losses: tuple[Loss, ...]
    unheld: tuple[Subject, ...] = ()
    missing: tuple[str, ...] = ()


def rules(path: Path | None = None) -> Rules:
    """The rules in a TOML file, or those shipped. Unknown key, figure or value: BadInput with file and key."""
    place = path or SHIPPED
    return tables.build(Rules, tables.read_toml(place), str(place))


@dataclass(frozen=True, slots=True)
class Known:
    """What triage knows beside the history: findings (`None`: nobody looked), and what peers reach."""

    findings: Sequence[Finding] | None = None
    peers: Peers = field(default_factory=Peers)


def triage(history: History, by: Rules, known: Known | None = None, subjects: Iterable[Subject] = ()) -> Triage:
    """Tell the losses apart, of these subjects or of all plans and products; of a shop that tells neither, its own."""
    known = known or Known()
    chosen = list(subjects) or [*history.of(About.PLAN), *history.of(About.PRODUCT)] or [history.whole_shop]
    losses, unheld = [], []
    for subject in chosen:
        ground = Ground(history, subject, by.windows, known.findings, known.peers)
        lost = _lost(ground)
        if lost is None:
            unheld.append(subject)
        elif sum(lost[1]) > 0:
            losses.append(_loss(ground, by, lost))
    losses.sort(key=lambda loss: -loss.lost)
    return Triage(tuple(losses), tuple(unheld), ("margin", "target") if unheld else ())


def _lost(ground: Ground) -> Lost | None:
    """What was lost each day that something was spent: against breakeven, else what the target does not pay for."""
    days = [one for one in ground.days if one.spend is not None]
    profits = [ground.worth.profit(one) for one in days]
    if days and None not in profits:
        return "breakeven", [-(one or 0) for one in profits]
    setting = ground.setting
    if setting is None or setting.target is None:
        return None
    limit = Fraction(setting.target) * FAR_BELOW_TARGET
    values = [one.gmv if setting.goal is Goal.PAYMENT else one.net_gmv for one in days]
    if not days or None in values:
        return None
    return "target", [round((one.spend or 0) - (value or 0) / limit) for one, value in zip(days, values, strict=True)]


def _loss(ground: Ground, by: Rules, lost: Lost) -> Loss:
    conditions = tuple(_condition(ground, rule) for rule in by.conditions)
    kind, deciding = _kind(conditions)
    live = ground.plan is not None and ground.plan.kind is PlanKind.LIVE
    levers = _once(lever for one in deciding for lever in one.rule.levers if live or lever != LIVE_ONLY)
    return Loss(
        subject=ground.subject,
        kind=kind,
        stance=max((Stance(one.rule.stance) for one in deciding), key=list(Stance).index, default=Stance.WAIT),
        against=lost[0],
        basis=ground.worth.basis,
        lost=sum(lost[1]),
        tomorrow=next_of(lost[1]),
        orders_tomorrow=_orders_a_day(ground),
        conditions=conditions,
        levers=levers,
        actions=_once(action for lever in levers for action in by.levers.get(lever, ())),
    )


def _kind(conditions: Sequence[Condition]) -> tuple[Kind, list[Condition]]:
    """What the loss is, and the conditions that decide it: sure waste first, then what speaks for its value."""
    held = [one for one in conditions if one.answer is Answer.YES and one.rule.decides]
    protected = any(one.rule.protects for one in held)
    waste = [one for one in held if one.rule.kind is Kind.WASTE and (one.rule.in_any_case or not protected)]
    if waste:
        return Kind.WASTE, waste
    valuable = [one for one in held if one.rule.kind is Kind.VALUABLE]
    return (Kind.VALUABLE, valuable) if valuable else (Kind.UNDECIDED, [])


def _condition(ground: Ground, rule: Rule) -> Condition:
    told = [ask(ground, asked) for asked in rule.asked]
    answer = all_of(told)
    return Condition(rule, tuple(told), answer, _days_to_know(ground, rule) if answer is Answer.UNSURE else None)


def _days_to_know(ground: Ground, rule: Rule) -> int | None:
    """After how many more days like these the answer is sure."""
    for more in range(1, LOOKED_AHEAD + 1):
        if all_of([ask(replace(ground, more=more), asked) for asked in rule.asked]) is not Answer.UNSURE:
            return more
    return None


def _orders_a_day(ground: Ground) -> Fraction | None:
    told = [one.orders for one in ground.days if one.orders is not None]
    return ratio(sum(told), len(told))


def _once(names: Iterable[Name]) -> tuple[Name, ...]:
    return tuple(dict.fromkeys(names))
