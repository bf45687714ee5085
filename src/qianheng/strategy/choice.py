"""Which target and budget to choose: a grid of what-ifs, the best of them for an aim, the nearest that can be had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from qianheng.guarantee.policy import Rules
from qianheng.strategy.landscape import Landscape
from qianheng.strategy.whatif import Outlook, Trial, chance_better, outlook

STEPS = 40
FINER, COARSER = 0.97, 0.9  # factors between the targets that are tried for the nearest, the near ones and the far
SMALLER = 0.8  # and between the budgets


class Aim(StrEnum):
    """What there is to be as much of as can be. Under `gmv` and `orders` the plan's present target is kept."""

    PROFIT = "profit"
    GMV = "gmv"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Question:
    """A plan's landscape, what it is set to now, what one is after, and the rules of its guarantee."""

    landscape: Landscape
    now: Trial
    aim: Aim
    rules: Rules | None = None

    def of(self, trial: Trial) -> Outlook:
        """What another setting would bring."""
        return outlook(self.landscape, trial, self.rules)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The best of what was looked at, and how likely it is better than what is set now; `best` is `None` where that is
    as good as any."""

    best: Outlook | None
    chance_better: float


def frontier(question: Question, targets: Iterable[float], budgets: Iterable[float]) -> list[Outlook]:
    """What every target with every budget would bring, for as many days as are asked about; a plan without a target
    has budgets alone."""
    wanted: list[float | None] = [None] if question.now.target is None else [*sorted(targets)]
    budgets = sorted(budgets)
    return [question.of(replace(question.now, target=one, budget=two)) for one in wanted for two in budgets]


def suggestion(question: Question, looked_at: Iterable[Outlook], least_chance: float) -> Suggestion:
    """The setting that brings most of what is aimed at, of those that are within reach and that days have been seen
    of; none if it is not likely better than what is set now."""
    now = question.of(question.now)
    allowed = [one for one in looked_at if one.feasible and not one.extrapolated and _keeps(question, one)]
    known = [one for one in allowed if _gain(question.aim, one) is not None]
    best = max(known, key=lambda one: _gain(question.aim, one) or 0, default=None)
    if best is None or (best.trial.target, best.trial.budget) == (now.trial.target, now.trial.budget):
        return Suggestion(None, 0.0)
    chance = chance_better(question.landscape, (question.now, best.trial), question.aim)
    return Suggestion(best if chance >= least_chance else None, chance)


def nearest(question: Question, trial: Trial) -> Outlook | None:
    """The nearest setting within reach of one that is not: the highest lower target, else the largest smaller budget,
    else the smallest larger one, else both a lower target and a larger budget; `None` if nothing helps."""
    budgets = [replace(trial, budget=trial.budget * SMALLER**step) for step in range(1, STEPS // 4)]
    alone = _first(question, [*_lower(trial), *budgets, *_larger(trial)])
    if alone is not None or trial.target is None:
        return alone
    *_, lowest = _lower(trial)
    both = _first(question, _larger(lowest))
    return None if both is None else _first(question, _lower(replace(trial, budget=both.trial.budget)))


def _first(question: Question, trials: Iterable[Trial]) -> Outlook | None:
    return next((one for one in map(question.of, trials) if one.feasible), None)


def _lower(trial: Trial) -> Iterator[Trial]:
    """The targets below: near ones finely, down to less than a hundredth."""
    near = [FINER**step for step in range(1, STEPS)]
    for factor in (*near, *(near[-1] * COARSER**step for step in range(1, STEPS))):
        if trial.target is not None:
            yield replace(trial, target=trial.target * factor)


def _larger(trial: Trial) -> Iterator[Trial]:
    return (replace(trial, budget=trial.budget / SMALLER**step) for step in range(1, STEPS))


def _keeps(question: Question, one: Outlook) -> bool:
    """Whether the ROI that the plan is set to now is expected to be kept; profit asks for none."""
    if question.aim is Aim.PROFIT or question.now.target is None:
        return True
    return one.roi is not None and float(one.roi.expected) >= question.now.target


def _gain(aim: Aim, one: Outlook) -> float | None:
    told = {Aim.PROFIT: one.profit, Aim.GMV: one.gmv, Aim.ORDERS: one.orders}[aim]
    return None if told is None else float(told.expected)
