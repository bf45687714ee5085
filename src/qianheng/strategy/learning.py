"""Whose advice helps: what followed each action, put together so that a few lucky days do not count for much.

Every follow-up tells a ratio, measured over expected. All of them together shrink to 1 (advice as good as its word),
those of an action to all of them: empirical Bayes on two levels with normal errors (Efron & Morris 1975). What is
expected next time is multiplied by the ratio, and is as uncertain as the ratio is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import NamedTuple

from qianheng.core.interval import Interval
from qianheng.diagnosis.chance import Z80
from qianheng.strategy.followup import FollowUp, Measured, Outcome
from qianheng.strategy.proposal import Action, Measure, Proposal

LEARNT = (Measure.GMV, Measure.SPEND)  # a ratio of profits says nothing where hardly any was expected
WILDEST = 4.0  # a ratio further from 0 counts as this
BETWEEN = 0.5  # how far the ratios of one action lie apart from change to change, standard deviation
PRIOR = {Measure.GMV: 0.35, Measure.SPEND: 0.25}  # how far advice may be from its word before anything is known


class Ratio(NamedTuple):
    """Measured over expected: its mean, how uncertain that is (standard deviation), from how many follow-ups."""

    mean: float
    spread: float
    seen: int = 0

    def of(self, change: float) -> Interval:
        """A change expected of a landscape, in the light of what followed earlier ones."""
        half = Z80 * self.spread * abs(change)
        middle = self.mean * change
        return Interval(round(middle - half), round(middle), round(middle + half))


@dataclass(frozen=True, slots=True)
class Followed:
    """A proposal that was carried out, and what it was measured to have done."""

    proposal: Proposal
    found: FollowUp


@dataclass(frozen=True, slots=True)
class Line:
    """What followed the proposals of one action, or of one rule: how many there were, helped, hurt; of those that
    expected something, how many were measured to do that; and what they did to profit, micro-yuan a day in all.
    """

    name: str
    followed: int
    helped: int
    hurt: int
    expected: int
    held: int
    profit: int | None
    ratio: Ratio


@dataclass(frozen=True, slots=True)
class Learnt:
    """The ratios of every action that has been followed up; of any other what is known of all."""

    of_all: Mapping[Measure, Ratio] = field(default_factory=lambda: {one: Ratio(1.0, PRIOR[one]) for one in LEARNT})
    of_action: Mapping[tuple[Action, Measure], Ratio] = field(default_factory=dict)

    def ratio(self, action: Action, measure: Measure) -> Ratio:
        """By what to multiply what is expected of an action."""
        return self.of_action.get((action, measure), self.of_all[measure])


def learn(followed: Iterable[Followed]) -> Learnt:
    """What earlier follow-ups say of the next proposals."""
    known = list(followed)
    of_all = {measure: _shrunk(_ratios(known, measure), Ratio(1.0, PRIOR[measure])) for measure in LEARNT}
    of_action = {}
    for action in sorted({one.proposal.action for one in known}):
        mine = [one for one in known if one.proposal.action is action]
        for measure in LEARNT:
            around = Ratio(of_all[measure].mean, PRIOR[measure])
            of_action[action, measure] = _shrunk(_ratios(mine, measure), around)
    return Learnt({name: Ratio(one.mean, PRIOR[name], one.seen) for name, one in of_all.items()}, of_action)


def record(followed: Sequence[Followed], by_rule: bool = False) -> list[Line]:
    """Whose advice helped: a line for each action, or each rule that asked."""
    learnt = learn(followed)
    groups: dict[str, list[Followed]] = {}
    for one in followed:
        groups.setdefault(one.proposal.reason.rule if by_rule else str(one.proposal.action), []).append(one)
    return [_line(name, groups[name], learnt.of_all[Measure.GMV]) for name in sorted(groups)]


def _line(name: str, mine: Sequence[Followed], around: Ratio) -> Line:
    outcomes = [one.found.outcome for one in mine]
    decisive = [one for one in map(_decisive, mine) if one is not None]
    profits = [told.measured.expected for one in mine if (told := one.found.of(Measure.PROFIT)) is not None]
    held = [one.held for one in decisive if one.held is not None]
    return Line(
        name,
        len(mine),
        outcomes.count(Outcome.HELPED),
        outcomes.count(Outcome.HURT),
        len(held),
        sum(held),
        round(sum(profits)) if profits else None,
        _shrunk(_ratios(mine, Measure.GMV), around),
    )


def _decisive(one: Followed) -> Measured | None:
    return one.found.of(Measure.PROFIT) or one.found.of(Measure.GMV)


def _ratios(followed: Iterable[Followed], measure: Measure) -> list[tuple[float, float]]:
    """Each ratio measured, and the variance of its error."""
    found = []
    for one in followed:
        told = one.found.of(measure)
        if told is not None and told.expected is not None and told.expected.expected:
            asked = float(told.expected.expected)
            error = float(told.measured.high - told.measured.low) / 2 / Z80 / asked
            ratio = float(told.measured.expected) / asked
            found.append((max(-WILDEST, min(WILDEST, ratio)), error**2))
    return found


def _shrunk(ratios: Sequence[tuple[float, float]], around: Ratio) -> Ratio:
    """The mean of some ratios, each by how well it was measured, drawn towards what is known around them."""
    weights = [1 / around.spread**2, *(1 / (error + BETWEEN**2) for _, error in ratios)]
    means = [around.mean, *(ratio for ratio, _ in ratios)]
    mean = sum(weight * one for weight, one in zip(weights, means, strict=True)) / sum(weights)
    return Ratio(mean, sqrt(1 / sum(weights)), len(ratios))
