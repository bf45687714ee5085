"""A look at a test: what its users came to, arm by arm, put to the statistics that hold however often one looks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

import numpy as np

from qianheng.core.interval import Interval
from qianheng.diagnosis.paired import Difference
from qianheng.experiments.blocks import Switched, smallest_switched
from qianheng.experiments.designs import EFFECT_MOST, Arm, Experiment
from qianheng.experiments.looks import Always, Looks, Until
from qianheng.experiments.power import Baseline, Design, error_wanted, needed, planned_error, smallest_effect
from qianheng.experiments.results import (
    Rail,
    Result,
    Terms,
    Verdict,
    compare,
    rail,
    rail_of,
    shared,
    verdict,
    verdict_of,
)
from qianheng.experiments.shares import Shares, shares
from qianheng.experiments.sums import ArmSums, Measure
from qianheng.facts.assignment import shares_of
from qianheng.measures.users import Int64, UserSums

MEASURES = {
    one.name: one
    for one in (
        Measure("gmv", "gmv"),
        Measure("net_gmv", "net_gmv"),
        Measure("orders", "orders"),
        Measure("payment_roi", "counted_gmv", "spend"),
        Measure("net_roi", "counted_net_gmv", "spend"),
        Measure("click_rate", "clicks", "impressions"),
        Measure("refund_rate_1h", "refunded_1h", "gmv", rising=False),
    )
}
"""What tests are judged by: figures of all orders a user (what the shop sells to an arm's users, promoted or not), ROIs
of the orders that count for the arms' plans, as their targets are."""
PROFIT = Measure("profit", "profit", signed=True)
"""Told beside, wherever the shop's margin is known: what sells more may earn less."""
HOURLY = ("gmv", "orders")  # what tests by days are judged by: what is known of a plan by the hour

TURNS_MOST = 1000  # that anybody waits for, of days that each arm has one of
LOOKS: Mapping[str, Callable[[float], Looks]] = {"always": Always, "until": Until}


@dataclass(frozen=True, slots=True)
class Met:
    """What is known of the users of a test: their sums since it is measured, and before it began."""

    during: UserSums
    before: UserSums


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm beside the first one: each measure, the guard rails, and the verdict over all of it."""

    arm: str
    results: tuple[Result, ...]
    rails: Mapping[str, Rail]
    verdict: Verdict

    def of(self, name: str) -> Result:
        """The result of a measure."""
        return next(result for result in self.results if result.measure.name == name)

    @property
    def profit(self) -> Result | None:
        """What it earned a user, where the shop's margin is known."""
        return next((result for result in self.results if result.measure is PROFIT), None)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look shows. met: users that were met, by arm; spend: by arm, micro-yuan; leaked: of it, on users of
    another arm; shares: whether the users met before the test are divided as they were drawn.
    """

    comparisons: tuple[Comparison, ...]
    met: Mapping[str, int]
    spend: Mapping[str, int]
    leaked: int
    shares: Shares


def look(experiment: Experiment, plans: Mapping[str, int], met: Met, error: float | None) -> Looked:
    """Compare every arm with the first. plans: of each arm that has one; error: planned for the primary measure's end
    before the start (`None`: what its smallest effect of interest takes).
    """
    during, arms = met.during, experiment.arms
    mine = {arm.name: _mine(arm, during.user_id) for arm in arms}
    early = [int(_mine(arm, met.before.user_id).sum()) for arm in arms]
    divided = shares(early, [_size(arm) for arm in arms])
    leaked = sum(int(during.by_plan[id_][~mine[name]].sum()) for name, id_ in plans.items() if id_ in during.by_plan)
    terms = _terms(experiment, error)
    parts = _Parts(experiment, met, mine)
    compared = [_compared(parts, arm, (terms, divided, leaked)) for arm in arms[1:]]
    spend = {name: int(during["spend"][users].sum()) for name, users in mine.items()}
    return Looked(tuple(compared), {name: int(users.sum()) for name, users in mine.items()}, spend, leaked, divided)


def verdict_of_days(experiment: Experiment, relative: Interval, rails: Collection[Rail]) -> Verdict:
    """The verdict of a test whose days were drawn, by B / A − 1 of its primary measure."""
    if Rail.BROKEN in rails:
        return Verdict.BROKEN
    return verdict_of(MEASURES[experiment.primary], relative, Fraction(experiment.effect))


def rails_of_days(experiment: Experiment, told: Mapping[str, Difference]) -> dict[str, Rail]:
    """Where its guard rails stand, by how the days of B differ from those of A."""
    return {
        name: rail_of(_relative(told[name]), MEASURES[name].rising, Fraction(margin))
        for name, margin in experiment.guard_rails
    }


def _relative(told: Difference) -> Interval | None:
    if not told.a or told.difference is None or told.low is None or told.high is None:
        return None
    return Interval(told.low / told.a, told.difference / told.a, told.high / told.a)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a test takes, told before its start, for one comparison with the first arm: the days it would need for the
    effect wanted (`None`: nothing is known to tell it from), the users in it, the smallest effect that its own days
    show (`None`: none up to `EFFECT_MOST`), and the error planned for their end.
    """

    days_needed: int | None
    users: int | None
    smallest: float | None
    error: float | None


def foreseen(experiment: Experiment, before: UserSums, days: int) -> Foreseen:
    """From what the shop's users did on so many days before."""
    measure, arms = MEASURES[experiment.primary], experiment.arms
    sums = ArmSums.of(before[measure.numerator], None if measure.denominator is None else before[measure.denominator])
    weights = (_size(arms[0]), _size(arms[1]))
    rest = sum(_size(arm) for arm in arms[2:])
    design = Design(weights, rest, _looks(experiment), float(experiment.power))
    base, measured = Baseline(sums, days), experiment.days - experiment.settles
    wanted = needed(base, design, float(experiment.effect))
    return Foreseen(
        None if wanted is None else wanted.days + experiment.settles,
        sums.users,
        _worth_telling(smallest_effect(base, design, measured)),
        planned_error(base, design, measured),
    )


def foreseen_of_days(experiment: Experiment, past: Switched) -> Foreseen:
    """The same where days are assigned and no users: from past days, dealt out as if they had been the test's."""
    arms, alpha, power = len(experiment.arms), float(experiment.alpha), float(experiment.power)

    def smallest(turns: int) -> float | None:
        return smallest_switched(past, 2 * turns, turns, alpha, power)

    def enough(turns: int) -> bool:
        found = smallest(turns)
        return found is not None and found <= experiment.effect

    wanted = bisect_left(range(TURNS_MOST), True, key=enough)
    days = wanted * arms + experiment.settles if wanted < TURNS_MOST else None
    return Foreseen(days, None, _worth_telling(smallest((experiment.days - experiment.settles) // arms)), None)


def _worth_telling(effect: float | None) -> float | None:
    return None if effect is None or effect > EFFECT_MOST else effect


@dataclass(frozen=True, slots=True)
class _Parts:
    """The users of a test, and which are whose."""

    experiment: Experiment
    met: Met
    mine: Mapping[str, np.ndarray[tuple[int], np.dtype[np.bool_]]]

    @property
    def earns(self) -> bool:
        """Whether it is known what users' orders earn."""
        return PROFIT.numerator in self.met.during.columns

    def sums(self, arm: Arm, measure: Measure) -> ArmSums:
        """An arm's sums under a measure; per user, those whom nobody met count as nothing bought."""
        during, users = self.met.during, self.mine[arm.name]
        missing = 0 if measure.denominator else self._users(arm) - int(users.sum())
        above = _padded(during[measure.numerator][users], missing)
        below = None if measure.denominator is None else during[measure.denominator][users]
        known = self.met.before.of(during.user_id[users], "gmv")
        return ArmSums.of(above, below, _padded(known, missing))

    def _users(self, arm: Arm) -> int:
        """How many users an arm has, were all of them met as often as in the arm that met most."""
        scale = max(ceil(Fraction(int(self.mine[one.name].sum()), _size(one))) for one in self.experiment.arms)
        return scale * _size(arm)


def _compared(parts: _Parts, arm: Arm, by: tuple[Terms, Shares, int]) -> Comparison:
    terms, divided, leaked = by
    first, experiment = parts.experiment.arms[0], parts.experiment

    def compared(one: Measure, of: Terms) -> Result:
        return compare(one, (parts.sums(first, one), parts.sums(arm, one)), of)

    results = [compared(one, terms) for one in _tested(experiment).values()]
    if parts.earns:
        results.append(compared(PROFIT, replace(terms, information=results[0].information)))
    by_name = {result.measure.name: result for result in results}
    rails = {name: rail(by_name[name], Fraction(margin)) for name, margin in experiment.guard_rails}
    found = Verdict.BROKEN if leaked else verdict(by_name[experiment.primary], [*rails.values()], divided)
    return Comparison(arm.name, tuple(results), rails, found)


def _tested(experiment: Experiment) -> dict[str, Measure]:
    """The measures of a test, the primary one first; users to whom nothing is promoted have no ROI
    and no click rate."""
    known = MEASURES
    if any(arm.holds_out for arm in experiment.arms):
        known = {name: one for name, one in MEASURES.items() if one.denominator not in ("spend", "impressions")}
    return {experiment.primary: known[experiment.primary], **known}


def _terms(experiment: Experiment, error: float | None) -> Terms:
    looks = _looks(experiment)
    planned = error_wanted(Design(looks=looks, power=float(experiment.power)), float(experiment.effect))
    return Terms(error or planned, Fraction(experiment.effect), looks)


def _looks(experiment: Experiment) -> Looks:
    return LOOKS[experiment.looks](shared(float(experiment.alpha), len(experiment.arms) - 1))


def _mine(arm: Arm, user_id: Int64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    assert arm.users is not None  # the test is of users
    share = shares_of(arm.users.salt, user_id)
    return np.asarray((share >= arm.users.first) & (share < arm.users.end))


def _size(arm: Arm) -> int:
    assert arm.users is not None  # the test is of users
    return arm.users.size


def _padded(values: Int64, missing: int) -> Int64:
    return np.concatenate([values, np.zeros(missing, np.int64)])
