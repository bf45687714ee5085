"""What a marketplace allows of plans: data in a file, checked before a plan or a change is saved (SPEC 4.4, 4.5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from pathlib import Path

from qianheng.core.days import HOUR
from qianheng.core.errors import BadInput, QianhengError, Refused
from qianheng.core.money import micros, ratio_text, yuan
from qianheng.core.tables import build, read_toml
from qianheng.plans.boost import Boost, BoostKind
from qianheng.plans.plan import Plan

SHIPPED = Path(__file__).with_name("marketplaces")


@dataclass(frozen=True, slots=True)
class Least:
    """The least a budget may be, in 元."""

    budget_daily: Decimal
    budget_weekly: Decimal
    budget_total: Decimal


@dataclass(frozen=True, slots=True)
class BoostRule:
    """How long a boost of one kind may run (fewest and most hours), its least budget in 元, its most creatives."""

    hours: tuple[Decimal, Decimal]
    budget_least: Decimal
    creatives_most: int


@dataclass(frozen=True, slots=True)
class BoostRules:
    """The rules of each kind of boost."""

    plan: BoostRule
    creative: BoostRule


@dataclass(frozen=True, slots=True)
class PromotionRule:
    """How far a target may be lowered in a promotion: to this share of the ROI of so many days before it."""

    floor: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class Rules:
    """A version of a marketplace's rules of plans. `surfaces`: each by name, and whether plans may be edited there."""

    name: str
    version: int
    source: str
    surfaces: dict[str, bool]
    least: Least
    boosts: BoostRules
    promotion: PromotionRule


@lru_cache(maxsize=64)
def load_rules(name: str) -> Rules:
    """The rules shipped under that name, or in a file when `name` ends in ".toml".

    Unknown name, or a file with an unknown key, a missing or a wrong value: BadInput.
    """
    path = Path(name).expanduser() if name.endswith(".toml") else SHIPPED / f"{name}.toml"
    if path.parent == SHIPPED and not path.exists():
        known = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.toml")))
        raise BadInput("plans.unknown_rules", value=name, known=known)
    return build(Rules, read_toml(path), str(path))


def faults(plan: Plan, rules: Rules, names: Iterable[str]) -> list[QianhengError]:
    """What the rules say against these fields of a plan; empty when they allow it."""
    return [fault for name in names if (fault := _below_least(plan, rules, name)) is not None]


def below_floor(before: Plan, after: Plan, achieved: Fraction | None, rules: Rules) -> BadInput | None:
    """What is wrong with lowering a target in a promotion so far below the ROI `achieved` lately (动态保底值)."""
    if achieved is None or after.target is None or (before.target is not None and after.target >= before.target):
        return None
    floor = achieved * Fraction(rules.promotion.floor)
    if Fraction(after.target) >= floor:
        return None
    told = {
        "floor": ratio_text(floor, 2),
        "achieved": ratio_text(achieved, 2),
        "days": rules.promotion.days,
        "share": f"{rules.promotion.floor:.0%}",
    }
    return BadInput("plans.below_floor", place="target", value=after.target, **told)


def check(found: Sequence[QianhengError], plan: Plan) -> None:
    """Refuse what the rules do not allow of a plan; all reasons at once: Refused."""
    if found:
        raise Refused("plans.against_rules", place=plan.name, faults="".join(f"\n  {fault}" for fault in found))


def boost_faults(
    boosts: Sequence[Boost], plan: Plan, rules: Rules, creatives: Mapping[int, tuple[int, ...]] | None = None
) -> list[QianhengError]:
    """What the rules say against the boosts of a plan, each by its number from 0; empty when they allow them.

    creatives: of products that have others than one of the product's id.
    """
    known = {one for product in plan.product_ids for one in (creatives or {}).get(product, (product,))}
    numbered = list(enumerate(boosts))
    found: list[QianhengError] = [
        BadInput("plans.boosts_meet", place=f"boosts {number} & {other_number}")
        for (number, one), (other_number, other) in combinations(numbered, 2)
        if one.meets(other)
    ]
    return found + [
        fault.at(f"boosts[{n}]") for n, boost in numbered for fault in _faults_of_boost(boost, known, rules)
    ]


def _faults_of_boost(boost: Boost, known: Collection[int], rules: Rules) -> Iterator[BadInput]:
    rule = rules.boosts.plan if boost.kind is BoostKind.PLAN else rules.boosts.creative
    hours, (fewest, most) = Decimal(boost.ends - boost.starts) / HOUR, rule.hours
    if not fewest <= hours <= most:
        yield BadInput("plans.boost_hours", value=f"{hours:g}", least=fewest, most=most)
    if boost.budget < (least := micros(str(rule.budget_least))):
        yield BadInput("plans.below_least", place="budget", value=yuan(boost.budget), least=yuan(least))
    if len(boost.creative_ids) > rule.creatives_most:
        yield BadInput("plans.boost_too_many", value=len(boost.creative_ids), most=rule.creatives_most)
    for foreign in sorted({*boost.creative_ids} - {*known}):
        yield BadInput("plans.boost_not_the_plans", value=foreign)


BUDGETS = ("budget_daily", "budget_weekly", "budget_total")


def _below_least(plan: Plan, rules: Rules, name: str) -> BadInput | None:
    if name not in BUDGETS or (budget := getattr(plan, name)) is None:
        return None
    least = micros(str(getattr(rules.least, name)))
    if budget >= least:
        return None
    return BadInput("plans.below_least", place=name, value=yuan(budget), least=yuan(least))
