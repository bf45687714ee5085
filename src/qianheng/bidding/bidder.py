"""The bidder: one multiplier per plan over all placements, re-solved every step for the rest of the day.

A plan bids α · worth (shaded where slots allow it), worth being predicted value / target ROI. α solves the plan's aim
over what is left of the day: most worth, spend within the budget and, with a target, within worth; or most worth less
spend. State is arrays, the plan their leading axis.
"""

from dataclasses import dataclass

import numpy as np

from qianheng.auction.pricing import Pricing
from qianheng.bidding import aims, first_price, horizon
from qianheng.bidding.aims import AIMS, Aim
from qianheng.bidding.curves import (
    GRID,
    LOG_GRID,
    SPACING,
    SPEND,
    WORTH,
    Arrays,
    BoolArray,
    FloatArray,
    IntArray,
    Rows,
    blend,
    collect,
    log_multiplier,
)
from qianheng.bidding.forecast import Forecast, forecast, futures, interval
from qianheng.bidding.landscape import Clock, Landscape, Memory
from qianheng.bidding.protocol import Auctions, Binding, Market, Outcome, Reading
from qianheng.bidding.shading import Shading, climb

ENOUGH = 512  # candidates of a plan that a step is learnt from: what more there are resemble them


@dataclass(frozen=True, slots=True)
class Settings:
    """Habits of the bidder; everything about a market is measured instead."""

    multiplier_highest: float = 32.0
    multiplier_first: float = 0.5  # before anything is known
    periods: int = 24
    recent_share: float = 0.011  # of a day, over which recent auctions fade
    price_share: float = 0.04  # of a day, over which prices fade
    shrinkage: float = 300.0  # candidates
    memory_days: float = 10.0
    solves_per_day: int = 8
    solves_per_step: int = 8  # plans that may come to be solved first in the same step


class Bidder(Rows):
    """One multiplier per plan; `bid`, then `observe`, once a step for all plans."""

    def __init__(self, market: Market, budget: FloatArray, settings: Settings | None = None) -> None:
        """`budget` [plans] of a day."""
        self.market, self.settings = market, settings or Settings()
        habits, plans = self.settings, len(budget)
        self.clock = Clock(market.steps, habits.periods)
        memory = Memory(habits.recent_share * market.steps, habits.memory_days, habits.shrinkage)
        self.landscape = Landscape(self.clock, memory, plans)
        self.shading = Shading(market, plans, habits.price_share * market.steps)
        self.budget = np.array(budget, dtype=float)
        self.spend, self.worth = np.zeros(plans), np.zeros(plans)
        self.haste, self.retargeted = (
            np.zeros(plans),
            np.zeros(plans),
        )  # the latter: Σ log of what worth was multiplied by
        self.aim = np.zeros(plans, dtype=np.int64)  # its place in `AIMS`: at first TARGET
        self.active, self.stale = np.ones(plans, dtype=bool), np.ones(plans, dtype=bool)
        self.multiplier = np.full(plans, habits.multiplier_first)
        self.value = np.zeros((plans, habits.periods, *horizon.SHAPE), dtype=np.float32)
        self.scale, self.nodes = np.zeros(plans), np.zeros((plans, habits.periods, horizon.LEVEL_NODES))
        self.next_step = np.zeros(plans, dtype=np.int64)
        self.age, self.due = np.zeros(plans), self._turn(np.arange(plans))

    def add(self, budget: float, row: int | None = None) -> int:
        """Take in a plan with nothing learned, before the given row or behind all others; its row."""
        row = len(self.budget) if row is None else row
        fresh = Bidder(self.market, np.array([budget]), self.settings)
        fresh.next_step[:] = self.next_step.max(initial=0)
        fresh.due = self._turn(np.array([row]))
        for mine, other in zip(self._parts().values(), fresh._parts().values(), strict=True):
            mine.insert(row, other)
        return row

    def bid(
        self, step: int, plan: IntArray, placement: IntArray, worth: FloatArray, sigma: FloatArray | None = None
    ) -> FloatArray:
        """Bids [n] for candidates; `sigma`, the error of the predictions, is known to leave the mean right."""
        if self.stale.any():
            self._steer(step)
        return self.shading.bid(plan, placement, self.multiplier[plan] * worth)

    def observe(self, step: int, outcome: Outcome) -> None:
        """Learn from all auctions of the step and choose the multipliers of the next."""
        plans = len(self.budget)
        self.spend = self.spend + np.bincount(outcome.plan, outcome.spend, plans)
        self.worth = self.worth + np.bincount(outcome.plan, outcome.worth * outcome.seen, plans)
        self._learn(step, outcome)
        self.next_step = np.full(plans, step + 1)
        self._steer(step + 1)

    def pace(self, step: int) -> FloatArray:
        """[plans] what a candidate of the step is expected to spend, won or lost."""
        position = (np.log(np.maximum(self.multiplier, GRID[0])) - LOG_GRID[0]) / SPACING
        spend = blend(self.landscape.promise(self.clock.period(step))[:, SPEND], position[:, None])[:, 0]
        return np.where(self.multiplier > 0, spend, 0.0)

    def set_budget(self, plan: int, budget: float) -> None:
        """Change the day's budget, at once."""
        self.budget[plan], self.stale[plan] = budget, True
        if budget > self.scale[plan]:
            self.due[plan] = self.age[plan]

    def retarget(self, plan: int, ratio: float) -> None:
        """Multiply the plan's target: later worths come divided by `ratio`, the slack so far stays."""
        shift = -float(np.log(ratio))
        self.landscape.retarget(plan, shift)
        self.retargeted[plan] += shift
        self.due[plan], self.stale[plan] = self.age[plan], True

    def resize(self, plan: int, times: float) -> None:
        """The plan may bid for so many times as many candidates from now on, of the same kind."""
        self.landscape.resize(plan, times)
        self.due[plan], self.stale[plan] = self.age[plan], True

    def set_aim(self, plan: int, aim: Aim) -> None:
        """Bid for something else from now on. What was spent for another aim has no target to answer to."""
        if aim is AIMS[self.aim[plan]]:
            return
        self.aim[plan], self.worth[plan] = AIMS.index(aim), self.spend[plan]
        self.due[plan], self.stale[plan] = self.age[plan], True

    def set_haste(self, plan: int, haste: float) -> None:
        """Spend the budget sooner (above 0) or later (below 0, above −1) than its worth says, at once.

        Of a budget left L while a share r of the day's traffic is to come, the plan bids as if it had L · (1 + haste ·
        r): along even traffic it is spent down as r · exp(haste · (r − 1)), wholly by the end of the day.
        """
        if haste != self.haste[plan]:
            self.haste[plan], self.stale[plan], self.due[plan] = haste, True, self.age[plan]

    def set_active(self, plan: int, active: bool) -> None:
        """Pause a plan, or let it bid again."""
        self.active[plan], self.stale[plan] = active, True

    def credit(self, plan: int, worth: float) -> None:
        """Count worth that comes without a bid (what sells unpromoted), or take back what was counted too much."""
        self.worth[plan] += worth
        self.stale[plan] = True

    def close_day(self) -> None:
        """Keep today as history, the last period even if cut short, and start a day with nothing spent."""
        self.landscape.close_period(self.clock.period(int(self.next_step.max())))
        self.landscape.open_day()
        self.spend, self.worth = np.zeros_like(self.spend), np.zeros_like(self.worth)
        self.stale, self.next_step = np.ones_like(self.stale), np.zeros_like(self.next_step)

    def learn_day(self, plan: int, step: IntArray, placement: IntArray, worth: FloatArray, price: FloatArray) -> None:
        """Live through a recorded day [n] of one plan before its own days begin, without bidding."""
        student = Bidder(self.market, self.budget[[plan]], self.settings)
        student.restore({name: held[[plan]] for name, held in self.snapshot().items()})
        order = np.argsort(step, kind="stable")
        edges = np.searchsorted(step[order], np.arange(self.market.steps + 1))
        for now in range(self.market.steps):
            rows = order[edges[now] : edges[now + 1]]
            student._learn(now, _unseen(placement[rows], worth[rows], price[rows]))
        student.close_day()
        student.due[:] = student.age
        for mine, other in zip(self._parts().values(), student._parts().values(), strict=True):
            mine.put(plan, other)

    def snapshot(self) -> Arrays:
        """Everything the bidder knows, as arrays with the plan as leading axis."""
        held = {f"{part}.{name}": held for part, rows in self._parts().items() for name, held in rows.arrays().items()}
        return {name: array.copy() for name, array in held.items()}

    def restore(self, state: Arrays) -> None:
        """Go on exactly where `snapshot` was taken."""
        for part, rows in self._parts().items():
            rows.load(
                {name.removeprefix(f"{part}."): held for name, held in state.items() if name.startswith(f"{part}.")}
            )

    def reading(self, plan: int) -> Reading:
        """Why the plan bids as it does, and what it expects of the rest of the day."""
        left, slack = self.budget[plan] - self.spend[plan], self.worth[plan] - self.spend[plan]
        step = min(int(self.next_step[plan]), self.clock.steps)
        binding = _binding(AIMS[self.aim[plan]], self.landscape.rest(plan, step), left, slack)
        alpha, level = float(self.multiplier[plan]), float(self.landscape.levels.now[plan])
        if alpha <= 0 or left <= 0:
            return Reading(alpha, binding, 0.0, 0.0, float(slack), level)
        drawn = futures(self.landscape, plan, step, np.log([alpha]))[..., 0]
        drawn *= left / np.maximum(drawn[:, :1], left)
        spend, worth = (interval(part) for part in drawn.T)
        means = float(spend.mean), float(worth.mean)
        return Reading(alpha, binding, *means, float(slack), level, spend.ends(float(left)), worth.ends())

    def forecast(self, plan: int, step: int) -> Forecast:
        """The curves that each multiplier of the grid would bring a plan from `step` to the end of a day, with the
        interval that holds four days of five.
        """
        return forecast(self.landscape, plan, step)

    def rest(self, plan: int, step: int) -> FloatArray:
        """The pair [2, points] that each multiplier of the grid would bring a plan from `step` to the end of a day."""
        return self.landscape.rest(plan, step)

    def _parts(self) -> dict[str, Rows]:
        return {"bidder": self, "landscape": self.landscape, "levels": self.landscape.levels, "shading": self.shading}

    def _turn(self, row: IntArray) -> FloatArray:
        """The age at which plans [n] are solved first, a few a step."""
        return np.asarray(2.0 + row // self.settings.solves_per_step)

    def _learn(self, step: int, outcome: Outcome) -> None:
        """Update the landscape; at the end of a period fold it into history."""
        plans, period = len(self.budget), self.clock.period(step)
        count = np.bincount(outcome.plan, minlength=plans).astype(float)
        some = outcome.some(ENOUGH)
        told = np.bincount(some.plan, minlength=plans)
        pair = self._response(some) * (count / np.maximum(told, 1))[:, None, None]
        self.landscape.add(step, pair, np.where(told > 0, count, 0.0), self.active.astype(float))
        self.shading.add(some.plan, some.placement, some.price)
        self.shading.refresh(step)
        self.landscape.refer(self.budget)
        self.landscape.follow()
        if step + 1 == self.clock.steps or self.clock.starts_period(step + 1):
            self.landscape.close_period(period)
            self.landscape.open_period((period + 1) % self.clock.periods)
            self._notice_surprise(period)
        self.age = self.age + self.active

    def _notice_surprise(self, period: int) -> None:
        """Bring the next solution forward, in turn, where the level left what the last one reckoned with."""
        level, nodes = self.landscape.levels.now, self.nodes[:, period]
        outside = np.maximum(nodes[:, 0] - level, level - nodes[:, -1])
        turn = np.arange(len(level)) // self.settings.solves_per_step % (self.clock.steps // self.clock.periods)
        surprised = (self.scale > 0) & (outside > 0.5 * self.landscape.levels.deviation)
        self.due = np.where(surprised, np.minimum(self.due, self.age + turn), self.due)

    def _response(self, outcome: Outcome) -> FloatArray:
        """Pairs [plans, 2, points]: what each multiplier would have brought in this step."""
        first = self.market.priced(Pricing.FIRST)[outcome.placement]
        if not first.any():
            return self._passing(outcome.met(slice(None), self.market.seen))
        paying = first_price.response(outcome.met(first, self.market.seen), self.shading, len(self.budget))
        return paying + self._passing(outcome.met(~first, self.market.seen))

    def _passing(self, met: Auctions) -> FloatArray:
        """Pairs [plans, 2, points] where a slot costs the same whatever wins it: they rise as its price is passed."""
        share, cost = climb(met.seen, met.price)
        truthful = self.market.priced(Pricing.VCG)[met.placement]
        cost[truthful] = share[truthful] * met.price[truthful]
        row, slot = np.nonzero(share * met.worth[:, None])  # no place or no worth: nothing
        plan, worth, price = met.plan[row], met.worth[row], met.price[row, slot]
        threshold = self.shading.call(plan, met.placement[row], price) / worth
        return collect(plan, threshold, np.stack([cost[row, slot], share[row, slot] * worth]), len(self.budget))

    def _steer(self, step: int) -> None:
        """Choose the multipliers for `step`, first solving the days that are due."""
        if step >= self.clock.steps:
            return
        for plan in np.flatnonzero(self._due()):
            self._solve(step, int(plan))
        self.multiplier = self.chosen(step)
        self.stale = np.zeros_like(self.stale)

    def chosen(self, step: int) -> FloatArray:
        """The multipliers [plans] for `step`, by what is known and solved so far; nothing is changed."""
        left = self.budget - self.spend
        planned = left * (1 + self.haste * self._rest(step)) if self.haste.any() else left
        best = self._best(step, planned)
        if (self.scale == 0).any():
            best = np.where(self.scale > 0, best, self._careful(step, planned))
        return np.where(self.active & (left > 0), best, 0.0)

    def _due(self) -> BoolArray:
        """Which plans [plans] are to be solved; a day without a budget has no solution and no scale."""
        return (self.due <= self.age) & self.active & (self.budget > 0) & (self.landscape.reference > 0)

    def _solve(self, step: int, plan: int) -> None:
        """Solve one plan's day; again when what it knows has doubled, at the latest some hours on."""
        land = self.landscape
        pairs = land.rates(plan) * land.traffic()[plan][:, None, None]
        levels = land.levels.draws(plan, self.clock.period(step), horizon.DRAWS)
        aim = self.aim[[plan]]
        useful = horizon.useful(
            pairs, levels[:, -2], AIMS[aim[0]], float(self.budget[plan] * (1 + max(self.haste[plan], 0.0)))
        )
        self.scale[plan] = horizon.HEADROOM * useful
        outlook = horizon.Outlook(pairs / self.scale[plan], levels, land.levels.keep[plan], aims.stakes(aim))
        self.value[plan] = horizon.solve(outlook, float(aims.highest(aim, self.settings.multiplier_highest)[0]))
        self.nodes[plan] = levels
        pause = min(max(self.age[plan], 1.0), self.clock.steps / self.settings.solves_per_day)
        self.due[plan] = self.age[plan] + pause

    def _best(self, step: int, left: FloatArray) -> FloatArray:
        """The multipliers [plans] of most worth now and later."""
        land, period = self.landscape, self.clock.period(step)
        columns = int((self.settings.multiplier_highest * 1.0001 >= GRID).sum())
        volume = land.traffic()[:, period] * self.clock.remaining(step)
        pair = land.promise(period)[..., :columns] * volume[:, None, None]
        unit = np.where(self.scale > 0, self.scale, 1.0)
        slack, stakes = (self.worth - self.spend) / unit, aims.stakes(self.aim)
        state = horizon.State(left / unit, slack, land.busyness(), land.levels.now, stakes)
        gain = horizon.gains(self.value[:, period], self.nodes[:, period], pair / unit[:, None, None], state)
        return np.minimum(np.exp(_peak(gain)), aims.highest(self.aim, self.settings.multiplier_highest))

    def _rest(self, step: int) -> FloatArray:
        """Share [plans] of the day's traffic that is still to come."""
        traffic, period = self.landscape.traffic(), self.clock.period(step)
        rest = traffic[:, period + 1 :].sum(1) + traffic[:, period] * self.clock.remaining(step)
        return np.asarray(rest / np.maximum(traffic.sum(1), 1e-9))

    def _careful(self, step: int, left: FloatArray) -> FloatArray:
        """Before the first solution: spread the budget evenly over the day as it looks, above worth only if nothing
        depends on it.
        """
        land, period = self.landscape, self.clock.period(step)
        traffic = land.traffic()
        rest = traffic[:, period + 1 :].sum(1) + traffic[:, period] * self.clock.remaining(step)
        even = log_multiplier(land.promise(period)[:, SPEND], left / np.maximum(rest, 1e-9))
        limit = np.where(self.aim == AIMS.index(Aim.DELIVERY), self.settings.multiplier_highest, 1.0)
        return np.where(rest > 0, np.minimum(np.exp(even), limit), self.settings.multiplier_first)


def _unseen(placement: IntArray, worth: FloatArray, price: FloatArray) -> Outcome:
    """A step of recorded auctions in which nothing was bid, for the only plan."""
    none = np.zeros(len(worth))
    return Outcome(none.astype(np.int64), placement, worth, price, none.astype(np.int64), none > 0, none)


def _binding(aim: Aim, pair: FloatArray, left: float, slack: float) -> Binding:
    """The constraint that a rising multiplier meets first, for the pair [2, points] of the rest of the day."""
    unaffordable = np.append(pair[SPEND] >= left, True).argmax()
    over = np.append(_over(aim, slack + pair[WORTH] - pair[SPEND]) & (GRID > 1), True).argmax()
    if min(unaffordable, over) == len(GRID):
        return Binding.CAP
    if unaffordable <= over:
        return Binding.BUDGET
    return Binding.PROFIT if aim is Aim.PROFIT else Binding.ROI


def _over(aim: Aim, slack: FloatArray) -> BoolArray:
    """Where on the grid of multipliers, for the slack [points] that each leaves, the aim itself forbids more."""
    if aim is Aim.TARGET:
        return slack < 0
    return np.full(len(slack), aim is Aim.PROFIT)


def _peak(gain: FloatArray) -> FloatArray:
    """Log of the multiplier of most gain [plans, columns], between grid points by a parabola."""
    top, plan = gain.argmax(1), np.arange(len(gain))
    inner = np.clip(top, 1, gain.shape[1] - 2)
    below, here, above = (gain[plan, inner + move] for move in (-1, 0, 1))
    bend = below - 2 * here + above
    offset = np.where(bend < 0, 0.5 * (below - above) / np.minimum(bend, -1e-300), 0.0)
    return np.asarray(LOG_GRID[top] + np.where(top == inner, np.clip(offset, -0.5, 0.5), 0.0) * SPACING)
