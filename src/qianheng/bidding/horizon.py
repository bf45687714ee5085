"""The rest of the day as a small dynamic programme over (budget left, slack of the target, level of traffic).

W_k(b, s, z) = max_α worth + M[W_{k+1}(b − spend, s + worth − spend, z′) | z]: the most worth still to be had. The level
z lasts into the next period with the chance the landscape measured, else it is drawn anew from the plan's own spread.
M is the sure worth as good as the uncertain one if a day's worth counts by its square root: what a poor day allows
should not be lost in waiting for a rich one.
Ending over the target is charged steeply, so a plan keeps exactly the slack that the traffic to come may ask for.
Without a target nothing is charged; a plan that aims at profit counts worth − spend in the place of worth.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from qianheng.bidding.aims import Aim, Stakes, most
from qianheng.bidding.curves import GRID, POINTS, SPEND, WORTH, FloatArray, IntArray, at_level

Narrow = NDArray[np.float32]  # value functions: coarse anyway, and half the memory

BUDGET_NODES, SLACK_NODES, LEVEL_NODES = 12, 13, 5
SHAPE = (LEVEL_NODES, BUDGET_NODES, SLACK_NODES)
HEADROOM = 1.2  # scale against the budget at the time of solving, so that small changes need no new solution
ACTION_STRIDE = 2  # multipliers tried when solving ahead: every second of the grid
SLACK_HIGHEST, SLACKS_BELOW = 2.0, 4  # highest slack in scales; nodes below zero

_FARTHEST = 30.0  # exponents that float32 bears
_STRIDE = SLACK_HIGHEST**0.25 / (SLACK_NODES - 1 - SLACKS_BELOW)
_BENT = _STRIDE * (np.arange(SLACK_NODES) - SLACKS_BELOW)
BUDGETS: Narrow = ((np.arange(BUDGET_NODES) / (BUDGET_NODES - 1)) ** 2).astype(np.float32)
SLACKS: Narrow = (np.sign(_BENT) * _BENT**4).astype(np.float32)
MASSES: Narrow = np.array([0.1, 0.23, 0.34, 0.23, 0.1], dtype=np.float32)  # chances of the levels: tails count
CARE = 0.5  # relative risk aversion: that of a square root
LEAST_WORTH = 0.05  # of a day, in scales: below it nobody grows more careful


def _draws() -> FloatArray:
    """Standard normal levels [levels] that stand for bins of these masses: means of the bins, at variance 1."""
    edges = np.array([NormalDist().inv_cdf(float(part)) for part in MASSES.cumsum(dtype=float)[:-1]])
    density = np.concatenate([[0.0], np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi), [0.0]])
    middle = -np.diff(density) / MASSES
    return np.asarray(middle / np.sqrt(MASSES @ middle**2), dtype=float)


DRAWS: FloatArray = _draws()


@dataclass(frozen=True, slots=True)
class Outlook:
    """One plan's day to come, in money of the plan's scale."""

    pairs: FloatArray  # [periods, 2, points] of whole periods at level 0
    levels: FloatArray  # [periods, levels] levels of the chances `MASSES`, if drawn anew
    keep: FloatArray  # [periods] chance that a level's rank lasts into the period
    stakes: Stakes  # of this plan, [1]


@dataclass(frozen=True, slots=True)
class State:
    """Where plans [plans] stand, in money of their scale."""

    budget: FloatArray  # left
    slack: FloatArray
    busyness: FloatArray  # today's traffic against the expected: k times the traffic is 1/k of budget and slack
    level: FloatArray
    stakes: Stakes


def useful(pairs: FloatArray, level: FloatArray, aim: Aim, budget: float) -> float:
    """The budget, or what the aim lets a day of good traffic spend if that is less; `pairs`
    [periods, 2, points], `level` [periods].
    """
    within = most(aim, at_level(pairs, level).sum(0))
    return max(min(budget, within if within > 0 else budget), 1e-300)


def solve(outlook: Outlook, highest: float) -> Narrow:
    """Values [periods, levels, budgets, slacks] at the END of each period; the last is the charge for ending over."""
    periods = len(outlook.pairs)
    value = np.empty((periods, *SHAPE), dtype=np.float32)
    value[-1] = outlook.stakes.over * np.minimum(SLACKS, 0.0)
    pairs = at_level(np.repeat(outlook.pairs[:, None], LEVEL_NODES, 1), outlook.levels)
    pairs = pairs[..., _actions(pairs[..., SPEND, :].sum(0), highest)].astype(np.float32)
    for period in range(periods - 1, 0, -1):
        best = _step_back(value[period], pairs[period], outlook.stakes)
        value[period - 1] = _sure(best, float(outlook.keep[period]), outlook.stakes)
    return value


def _sure(best: FloatArray, keep: float, stakes: Stakes) -> FloatArray:
    """What the uncertain `best` [z, b, s] of the next period is worth now (Pratt's measure of risk aversion,
    `CARE` / worth of the whole day, held constant over one period).
    """
    mean = np.tensordot(MASSES, best, 1)
    spent = np.maximum(1 / HEADROOM - BUDGETS, 0.0)[:, None] * (1 - stakes.spent)
    total = (spent + np.maximum(SLACKS, 0.0) + np.maximum(mean, LEAST_WORTH)) / CARE
    regret = np.exp(np.clip((mean - best) / total, -_FARTHEST, _FARTHEST))
    drawn = np.tensordot(MASSES, regret, 1)
    return np.asarray(mean - total * np.log(keep * regret + (1 - keep) * drawn))


def gains(value: Narrow, nodes: FloatArray, pair: FloatArray, state: State) -> FloatArray:
    """Worth now and later [plans, actions], for `value` [plans, levels, budgets, slacks] at the end of the period and
    the `pair` [plans, 2, actions] that usual traffic would bring until then.
    """
    budget, slack = state.budget / state.busyness, state.slack / state.busyness
    spend, worth = pair[:, SPEND], pair[:, WORTH]
    part = _affordable(spend, np.maximum(budget, 0.0)[:, None])
    spend, worth = spend * part, worth * part
    table = np.einsum("pz,pzbs->pbs", _hats(nodes, state.level), value)
    later = _at(table, budget[:, None] - spend, slack[:, None] + worth - spend, state.stakes.over[:, None])
    return np.asarray(worth - state.stakes.spent[:, None] * spend + later)


def look_up(
    value: NDArray[np.floating], budget: FloatArray | Narrow, slack: FloatArray | Narrow, over: Narrow
) -> FloatArray:
    """Bilinear `value` [r, budgets, slacks] at `budget` [r, m] and `slack` [r, k, m]: [r, k, m]; `over` is what each
    unit of slack below the last node costs.
    """
    i, part = _between_budgets(budget)
    row, part = np.arange(len(value))[:, None], part[..., None]
    curves = value[row, i] * (1 - part) + value[row, i + 1] * part  # [r, m, slacks]
    j, place = _between_slacks(slack)
    flat, cell = curves.ravel(), (np.arange(curves[..., 0].size) * SLACK_NODES).reshape(i.shape)[:, None] + j
    below = np.take(flat, cell)
    beyond = over * np.minimum(slack - SLACKS[0], 0.0)
    return np.asarray(below + place * (np.take(flat, cell + 1) - below) + beyond)


def _at(value: NDArray[np.floating], budget: FloatArray, slack: FloatArray, over: Narrow) -> FloatArray:
    """The same with one slack [r, m] a budget: four corners are cheaper than whole curves."""
    i, part = _between_budgets(budget)
    j, place = _between_slacks(slack)
    flat, cell = value.ravel(), (np.arange(len(value))[:, None] * BUDGET_NODES + i) * SLACK_NODES + j
    below, above = (
        np.take(flat, cell + up) * (1 - part) + np.take(flat, cell + up + SLACK_NODES) * part for up in (0, 1)
    )
    return np.asarray(below + place * (above - below) + over * np.minimum(slack - SLACKS[0], 0.0))


def _between_budgets(budget: FloatArray | Narrow) -> tuple[IntArray, FloatArray]:
    """The node below each budget, and how far it is to the next; flat outside."""
    i = np.minimum(np.sqrt(np.clip(budget, 0.0, 1.0)) * (BUDGET_NODES - 1), BUDGET_NODES - 2).astype(np.intp)
    return i, np.clip((budget - BUDGETS[i]) / (BUDGETS[i + 1] - BUDGETS[i]), 0.0, 1.0)


def _between_slacks(slack: FloatArray | Narrow) -> tuple[IntArray, FloatArray]:
    """The node below each slack, and how far it is to the next; flat outside."""
    bent = np.copysign(np.sqrt(np.sqrt(np.abs(slack))), slack)
    j = np.clip(bent / _STRIDE + SLACKS_BELOW, 0, SLACK_NODES - 2).astype(np.intp)
    return j, np.clip((slack - SLACKS[j]) / (SLACKS[j + 1] - SLACKS[j]), 0.0, 1.0)


def _step_back(value: Narrow, pair: Narrow, stakes: Stakes) -> FloatArray:
    """Best worth [z, b, s] from the start of a period, for `value` [z, b, s] at its end and `pair` [z, 2, actions]."""
    part = _affordable(pair[:, None, SPEND], BUDGETS[:, None])  # [z, b, actions]
    spend, worth = ((pair[:, None, row] * part).reshape(LEVEL_NODES, -1) for row in (SPEND, WORTH))
    rest = np.repeat(BUDGETS, pair.shape[-1]) - spend
    found = look_up(value, rest, SLACKS[:, None] + (worth - spend)[:, None], stakes.over)
    found += (worth - stakes.spent * spend)[:, None]
    best = found.reshape(LEVEL_NODES, SLACK_NODES, BUDGET_NODES, -1).max(-1)
    return np.asarray(best.swapaxes(1, 2))


def _actions(spend: FloatArray, highest: float) -> IntArray:
    """Columns of the grid worth trying: from hardly spending in the best traffic to buying all in the worst; `spend`
    [levels, points] of the day if it were always at one level.
    """
    low = min(int((spend[-1] < 0.2).sum()), POINTS - 2)
    high = min(int((spend[0] < 5.0).sum()) + 1, int((highest * 1.0001 >= GRID).sum()))
    return np.arange(min(low, high - 2), high, ACTION_STRIDE)


def _affordable(spend: FloatArray | Narrow, budget: FloatArray | Narrow) -> FloatArray:
    """Share of the period after which the budget is gone, at most 1."""
    return np.where(spend > budget, budget / np.where(spend > 0, spend, 1.0), 1.0)


def _hats(nodes: FloatArray, level: FloatArray) -> Narrow:
    """Weights [plans, levels] that interpolate `level` [plans] between the nodes, held flat outside."""
    gap = np.maximum(nodes[:, 1:] - nodes[:, :-1], 1e-12)
    part = np.clip((level[:, None] - nodes[:, :-1]) / gap, 0.0, 1.0)
    weight = np.zeros(nodes.shape, dtype=np.float32)
    weight[:, 0] = 1.0
    weight[:, 1:] += part
    weight[:, :-1] -= part
    return weight
