"""What the same units would pay under other policies: each judged under each, and the answers counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from qianheng.core.money import Micros
from qianheng.guarantee.case import Case, Log, Unit
from qianheng.guarantee.figures import Figures, figures
from qianheng.guarantee.reasons import Reason, Status
from qianheng.guarantee.shelf import Shelf
from qianheng.guarantee.verdict import Verdict, judge


class Evidence(NamedTuple):
    """A unit with everything a policy judges it by, at a time (UTC microseconds)."""

    unit: Unit
    log: Log
    figures: Figures
    now: int


class Compared(NamedTuple):
    """A unit and the verdict on it under each policy, by name."""

    unit: Unit
    verdicts: dict[str, Verdict]


@dataclass(slots=True)
class Tally:
    """What became of units under a policy: how many of each reason, and what is due.

    `open` ones are not judged yet: `provisional` is what they would be due on the facts known so far.
    """

    units: int = 0
    of_another_kind: int = 0
    not_covered: Counter[Reason] = field(default_factory=Counter)
    void: Counter[Reason] = field(default_factory=Counter)
    ended: Counter[Reason] = field(default_factory=Counter)
    open: int = 0
    compensated: int = 0
    total: Micros = 0
    provisional: Micros = 0
    forgone: Micros = 0

    @property
    def covered(self) -> int:
        """How many units the policy speaks of."""
        return self.units - self.not_covered.total()

    @property
    def elsewhere(self) -> bool:
        """Whether it speaks of none of them, being for units of another kind."""
        return self.of_another_kind == self.units

    def add(self, verdict: Verdict) -> None:
        """Count a verdict."""
        self.units += 1
        self.of_another_kind += any(check.reason is Reason.UNIT_NOT_COVERED for check in verdict.checks)
        if verdict.status is Status.NONE and verdict.reason:
            self.not_covered[verdict.reason] += 1
        elif verdict.status is Status.VOID and verdict.reason:
            self.void[verdict.reason] += 1
            self.forgone += verdict.forgone or 0
        elif not verdict.final:
            self.open += 1
            self.provisional += verdict.compensation
        elif verdict.reason:
            self.ended[verdict.reason] += 1
        else:
            self.compensated += 1
            self.total += verdict.compensation


def evidence_of(case: Case) -> Evidence:
    """What a case is judged by under any policy."""
    return Evidence(case.unit, case.log, figures(case), case.now)


def compare(
    evidence: Iterable[Evidence], shelf: Shelf, names: Sequence[str], folder: Path = Path()
) -> Iterator[Compared]:
    """Each unit judged under each policy, by its version in force on the unit's day. Unknown policy: BadInput."""
    for unit, log, found, now in evidence:
        versions = {name: shelf.in_force(name, unit.day, folder) for name in names}
        yield Compared(unit, {name: judge(policy, unit, log, found, now) for name, policy in versions.items()})


def tally(compared: Iterable[Compared], names: Sequence[str]) -> dict[str, Tally]:
    """The answers counted, policy by policy."""
    tallies = {name: Tally() for name in names}
    for one in compared:
        for name, verdict in one.verdicts.items():
            tallies[name].add(verdict)
    return tallies
