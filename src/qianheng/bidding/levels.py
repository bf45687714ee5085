"""How good traffic is: a level per plan that has a time of day, a spread and a persistence, all measured.

The level z of a period says how far worth stands against price: its curves are those of level 0 at worth · e^z.
It is a profile over the day, plus a deviation that lasts into the next period with some chance, else is drawn anew.
"""

import numpy as np

from qianheng.bidding.curves import BoolArray, FloatArray, Rows

PRIOR_DEVIATION = 0.3  # worth one period of evidence
PRIOR_KEEP = 0.9  # chance that a deviation lasts into the next period, worth one boundary of evidence


class Levels(Rows):
    """Arrays [plans] and [plans, periods]."""

    def __init__(self, plans: int, periods: int, memory_days: float) -> None:
        self._kept = np.exp(-1.0 / memory_days)
        self.now, self.anchor = np.zeros(plans), np.zeros(plans)
        self.last = np.full(plans, np.nan)  # of the period before, without its profile
        shape = (plans, periods)
        self.center, self.squares, self.weight = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.jumps, self.jump_weight = np.zeros(shape), np.zeros(shape)
        self.profile, self.keep = np.zeros(shape), np.full(shape, PRIOR_KEEP)
        self.deviation = np.full(plans, PRIOR_DEVIATION)

    @property
    def known(self) -> BoolArray:
        """Has any period been learned? [plans]."""
        return np.asarray(self.weight.sum(1) > 0)

    def learn(self, period: int, level: FloatArray, usable: BoolArray) -> None:
        """Take the measured level [plans] of a period that is over."""
        rest = level - self.profile[:, period]
        follows = usable & np.isfinite(self.last)
        jump = np.where(follows, rest - np.where(follows, self.last, 0.0), 0.0) ** 2
        forget = np.where(follows, self._kept, 1.0)
        self.jumps[:, period] = self.jumps[:, period] * forget + jump
        self.jump_weight[:, period] = self.jump_weight[:, period] * forget + follows
        self.last = np.where(usable, rest, np.nan)
        self._average(period, level, usable)
        self._summarise()

    def open_period(self, period: int) -> FloatArray:
        """Expect the level of a period from the one before; its chance [plans] to last."""
        keep, before = self.keep[:, period], self.profile[:, period - 1]
        self.anchor = self.profile[:, period] + keep * (self.now - before)
        return keep

    def open_day(self) -> None:
        """Start a day from its profile alone."""
        self.now, self.anchor = self.profile[:, 0].copy(), self.profile[:, 0].copy()
        self.last = np.full_like(self.last, np.nan)

    def shift(self, plan: int, by: float) -> None:
        """Every level of the plan, past and present, is `by` higher."""
        for level in (self.now, self.anchor, self.center, self.profile):
            level[plan] += by

    def draws(self, plan: int, period: int, normal: FloatArray) -> FloatArray:
        """Levels [periods, draws] of one plan, for standard `normal` draws in rising order; the present deviation
        counts as one of them where it lies outside.
        """
        deviation = self.deviation[plan] * normal
        present = self.now[plan] - self.profile[plan, period]
        deviation[0], deviation[-1] = min(deviation[0], present), max(deviation[-1], present)
        return np.asarray(self.profile[plan][:, None] + deviation)

    def _average(self, period: int, level: FloatArray, usable: BoolArray) -> None:
        kept = np.where(usable, self._kept, 1.0)
        weight = self.weight[:, period] * kept + usable
        gap = np.where(usable, level - self.center[:, period], 0.0)
        center = self.center[:, period] + gap / np.maximum(weight, 1.0)
        self.squares[:, period] = self.squares[:, period] * kept + gap * np.where(usable, level - center, 0.0)
        self.center[:, period], self.weight[:, period] = center, weight

    def _summarise(self) -> None:
        """Empirical Bayes: the profile is the mean per period, shrunk to the mean of the day by what days differ."""
        total = np.maximum(self.weight.sum(1, keepdims=True), 1e-9)
        mean = (self.weight * self.center).sum(1, keepdims=True) / total
        spread = (self.weight * (self.center - mean) ** 2).sum(1, keepdims=True)
        squares, periods = self.squares.sum(1, keepdims=True), self.weight.shape[1]
        free = np.maximum(self.weight - 1, 0.0).sum(1, keepdims=True)
        within = (squares + periods * (squares + spread) / total) / (free + periods) + 1e-12
        learned = (self.weight > 0).sum(1, keepdims=True)
        between = np.maximum(spread - learned * within, 0.0) / total
        trust = self.weight * between / (self.weight * between + within)
        self.profile = mean + trust * (self.center - mean)
        rest = squares + (self.weight * (self.center - self.profile) ** 2).sum(1, keepdims=True)
        variance = (rest + PRIOR_DEVIATION**2) / (total + 1.0)
        self.deviation = np.sqrt(variance[:, 0])
        self.keep = self._persistence(2 * variance)

    def _persistence(self, fresh: FloatArray) -> FloatArray:
        """Chance to last into each period, from jumps between neighbours against those of `fresh` draws [plans, 1]."""
        prior = (1 - PRIOR_KEEP) * fresh
        pooled = (self.jumps.sum(1, keepdims=True) + prior) / (self.jump_weight.sum(1, keepdims=True) + 1.0)
        return np.asarray(np.clip(1 - (self.jumps + pooled) / (self.jump_weight + 1.0) / fresh, 0.0, 1.0))
