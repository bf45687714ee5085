"""What bidding would bring: response curves per plan and time of day, their level, and how long a level lasts.

Traffic differs from hour to hour mostly by how good it is: worth against price moves together for a while, then jumps.
So every period of the day has one base curve per plan, aligned to level 0, and a level z such that the period brings
C(α e^z) spend and e^z · W(α e^z) worth. Mean, spread and persistence of z are measured, never set.
"""

from dataclasses import dataclass

import numpy as np

from qianheng.bidding.curves import POINTS, SPEND, WORTH, FloatArray, Rows, at_level, log_multiplier
from qianheng.bidding.levels import Levels

REFERENCES = (0.3, 1.0, 3.0)  # spend per candidate, in even shares of the budget, at which the level is read
FEW = 20.0  # candidates below which a period says nothing about its level
FAINT = 0.1  # weight, in days, of the mean of the day in the traffic of one period
PRIOR_VOLUME = 0.2  # deviation of a day's traffic from the expected, worth one day of evidence
ALL = slice(None)


@dataclass(frozen=True, slots=True)
class Clock:
    """How a day is cut: `steps` control steps in `periods` periods of equal expected length."""

    steps: int
    periods: int

    def period(self, step: int) -> int:
        """The period (0-based) of a step."""
        return min(step * self.periods // self.steps, self.periods - 1)

    def starts_period(self, step: int) -> bool:
        """Is the step the first of its period?"""
        return step == 0 or self.period(step) != self.period(step - 1)

    def remaining(self, step: int) -> float:
        """Share of its period that is still to come when the step begins."""
        return max(0.0, self.period(step) + 1 - step * self.periods / self.steps)


@dataclass(frozen=True, slots=True)
class Memory:
    """How fast the landscape forgets: within a day and over days."""

    recent_steps: float
    days: float
    shrinkage: float  # candidates that the base curve is worth beside the recent ones


class Landscape(Rows):
    """Arrays with the plan as leading axis; pairs are [..., (spend, worth), points]."""

    def __init__(self, clock: Clock, memory: Memory, plans: int) -> None:
        self.clock, self.memory = clock, memory
        self.levels = Levels(plans, clock.periods, memory.days)
        periods = clock.periods
        self.recent, self.recent_count = np.zeros((plans, 2, POINTS)), np.zeros(plans)
        self.current, self.current_count = np.zeros((plans, 2, POINTS)), np.zeros(plans)
        self.current_days = np.zeros(plans)  # share of the period observed so far, in periods
        self.base, self.base_count = np.zeros((plans, periods, 2, POINTS)), np.zeros((plans, periods))
        self.base_days, self.base_total = np.zeros((plans, periods)), np.zeros((plans, 2, POINTS))
        self.reference = np.zeros(plans)
        self.seen_today, self.expected_today = np.zeros(plans), np.zeros(plans)
        self.volume_squares, self.volume_days = np.zeros(plans), np.zeros(plans)  # of days against the expected

    def add(self, step: int, pair: FloatArray, count: FloatArray, active: FloatArray) -> None:
        """Count the auctions of a step: `pair` [plans, 2, points], candidates `count`, `active` (0 or 1) [plans]."""
        kept = np.exp(-1.0 / self.memory.recent_steps)
        self.recent = self.recent * kept + pair
        self.recent_count = self.recent_count * kept + count
        self.current += pair
        self.current_count += count
        share = active * self.clock.periods / self.clock.steps
        self.current_days += share
        self.expected_today += share * self.traffic()[:, self.clock.period(step)]
        self.seen_today += count

    def refer(self, budget: FloatArray) -> None:
        """Until a first period is learned: read levels at the even share of the budget [plans], as far as the target
        lets it be spent.
        """
        day = self.traffic().sum(1)
        rate = self.current / np.maximum(self.current_count, 1.0)[:, None, None]
        within = np.where(rate[:, WORTH] >= rate[:, SPEND], rate[:, SPEND], 0.0).max(1)
        even = budget / np.where(day > 0, day, 1.0)
        fresh = ~self.levels.known & (day > 0) & (budget > 0)
        self.reference = np.where(fresh, np.where(within > 0, np.minimum(even, within), even), self.reference)

    def measure(self, pair: FloatArray, count: FloatArray) -> FloatArray:
        """Level of each plan's curves [plans, 2, points] over `count` candidates; without candidates the anchor."""
        curve = pair[:, SPEND]
        found = [log_multiplier(curve, share * self.reference * count) for share in REFERENCES]
        return np.where(count > 0, -np.mean(found, axis=0), self.levels.anchor)

    def shrunk(self, pair: FloatArray, count: FloatArray) -> FloatArray:
        """The measured level [plans], as far as `count` candidates outweigh what was promised."""
        trust = self.memory.shrinkage * self.levels.known
        found = self.measure(pair, count)
        return np.asarray((count * found + trust * self.levels.anchor) / np.maximum(count + trust, 1e-9))

    def follow(self) -> None:
        """Set the present level from the recent auctions."""
        self.levels.now = self.shrunk(self.recent, self.recent_count)

    def close_period(self, period: int) -> None:
        """Fold the auctions of the period into the history of its time of day."""
        usable = (self.current_count >= FEW) & (self.reference > 0)
        level = np.where(usable, self.shrunk(self.current, self.current_count), self.levels.now)
        self.levels.learn(period, level, usable)
        kept = np.exp(-self.current_days / self.memory.days)
        self.base[:, period] = self.base[:, period] * kept[:, None, None] + at_level(self.current, -level)
        self.base_count[:, period] = self.base_count[:, period] * kept + self.current_count
        self.base_days[:, period] = self.base_days[:, period] * kept + self.current_days
        self.base_total = self.base.sum(1)
        self.current[:], self.current_count[:], self.current_days[:] = 0.0, 0.0, 0.0

    def open_period(self, period: int) -> None:
        """Forget the recent auctions as far as a level does not last into this period."""
        keep = self.levels.open_period(period)
        self.recent *= keep[:, None, None]
        self.recent_count *= keep

    def open_day(self) -> None:
        """Start a day: what was recent yesterday says nothing about today, but for how far its traffic was missed."""
        expected = (self.base_days.mean(1) > 1.5) & (self.seen_today > 0) & (self.expected_today > 0)
        missed = np.log(np.where(expected, self.seen_today, 1.0) / np.where(expected, self.expected_today, 1.0))
        self.volume_squares, self.volume_days = self.volume_squares + missed**2, self.volume_days + expected
        self.recent[:], self.recent_count[:] = 0.0, 0.0
        self.seen_today[:], self.expected_today[:] = 0.0, 0.0
        self.levels.open_day()

    def traffic(self) -> FloatArray:
        """Candidates expected in each whole period [plans, periods], from history and the present period."""
        days = self.base_days.sum(1) + self.current_days
        mean = (self.base_count.sum(1) + self.current_count) / np.maximum(days, 1e-12)
        return np.asarray((self.base_count + FAINT * mean[:, None]) / (self.base_days + FAINT))

    def volume_deviation(self) -> FloatArray:
        """How far days miss the traffic expected of them [plans], standard deviation of the log; wide before a day."""
        unknown = np.maximum(1.0 - self.base_days.mean(1), 0.0)
        measured = (self.volume_squares + PRIOR_VOLUME**2) / (self.volume_days + 1.0)
        return np.asarray(np.sqrt(measured + (3 * PRIOR_VOLUME * unknown) ** 2))

    def busyness(self) -> FloatArray:
        """Today's traffic against the traffic expected so far [plans], shrunk to 1 by half a day."""
        half = 0.5 * self.traffic().sum(1) * np.minimum(self.base_days.mean(1), 1.0)
        return np.asarray((self.seen_today + half + 1e-9) / (self.expected_today + half + 1e-9))

    def pooled(self, plans: slice = ALL) -> FloatArray:
        """Mean pair per candidate at level 0 [plans, 2, points]: of all periods, or of the recent auctions if none."""
        total, count = self.base_total[plans], self.base_count[plans].sum(1)
        bare = count == 0
        if bare.any():
            recent = at_level(self.recent[plans], -self.levels.now[plans])
            total = np.where(bare[:, None, None], recent, total)
            count = np.where(bare, self.recent_count[plans], count)
        return np.asarray(total / np.maximum(count, 1e-9)[:, None, None])

    def rates(self, plan: int) -> FloatArray:
        """Base pairs of one plan per candidate [periods, 2, points], at level 0, shrunk to the mean of the day."""
        trust = self.memory.shrinkage
        total = self.base[plan] + trust * self.pooled(slice(plan, plan + 1))[0]
        return np.asarray(total / (self.base_count[plan] + trust)[:, None, None])

    def promise(self, period: int) -> FloatArray:
        """Pairs per candidate [plans, 2, points] now: the recent auctions, shrunk to the period's base curve."""
        trust = self.memory.shrinkage
        base = self.base[:, period] + trust * self.pooled()
        base /= (self.base_count[:, period] + trust)[:, None, None]
        total = self.recent + trust * at_level(base, self.levels.now)
        return np.asarray(total / (self.recent_count + trust)[:, None, None])

    def rest(self, plan: int, step: int) -> FloatArray:
        """The pair [2, points] that one plan may expect from `step` to the end of the day, as today's traffic is."""
        first, levels = self.clock.period(step), self.levels
        volume = self.traffic()[plan] * self.busyness()[plan]
        volume[:first], volume[first] = 0.0, volume[first] * self.clock.remaining(step)
        level = levels.profile[plan].copy()
        level[first:] += (levels.now[plan] - level[first]) * np.cumprod(np.append(1.0, levels.keep[plan, first + 1 :]))
        return np.asarray((at_level(self.rates(plan), level) * volume[:, None, None]).sum(0))

    def resize(self, plan: int, times: float) -> None:
        """Of all candidates, which are counted as before, so many times as many may be bid for from now on."""
        for held in (self.recent, self.current, self.base, self.base_total, self.reference):
            held[plan] *= times

    def retarget(self, plan: int, shift: float) -> None:
        """Every worth of the plan is multiplied by exp(shift) from now on."""
        moved = np.array([shift])
        for pair in (self.recent, self.current):
            pair[plan] = at_level(pair[plan][None], moved)[0]
        self.levels.shift(plan, shift)
