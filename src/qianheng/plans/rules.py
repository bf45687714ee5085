"""What a marketplace allows of plans: data in a file, checked before a plan or a change is saved (SPEC 4.4, 4.5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from qianheng.core.errors import BadInput, QianhengError, Refused
from qianheng.core.money import micros, yuan
from qianheng.core.tables import build, read_toml
from qianheng.plans.plan import Plan

SHIPPED = Path(__file__).with_name("marketplaces")


@dataclass(frozen=True, slots=True)
class Least:
    """The least a budget may be, in 元."""

    budget_daily: Decimal
    budget_weekly: Decimal
    budget_total: Decimal


@dataclass(frozen=True, slots=True)
class Rules:
    """A version of a marketplace's rules of plans."""

    name: str
    version: int
    source: str
    least: Least


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


def check(plan: Plan, rules: Rules, names: Iterable[str]) -> None:
    """Refuse a plan whose fields of these names the rules do not allow; all reasons at once: Refused."""
    if found := faults(plan, rules, names):
        raise Refused("plans.against_rules", place=plan.name, faults="".join(f"\n  {fault}" for fault in found))


BUDGETS = ("budget_daily", "budget_weekly", "budget_total")


def _below_least(plan: Plan, rules: Rules, name: str) -> BadInput | None:
    if name not in BUDGETS or (budget := getattr(plan, name)) is None:
        return None
    least = micros(str(getattr(rules.least, name)))
    if budget >= least:
        return None
    return BadInput("plans.below_least", place=name, value=yuan(budget), least=yuan(least))
