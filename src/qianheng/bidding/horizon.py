"""The rest of the day as a small dynamic programme over (budget left, slack of the target, level of traffic).

W_k(b, s, z) = max_α worth + E[W_{k+1}(b − spend, s + worth − spend, z′) | z]: the most worth still to be had. The level
z lasts into the next period with the chance the landscape measured, else it is drawn anew from the plan's own spread.
Ending over the target is charged steeply, so a plan keeps exactly the slack that the traffic to come may ask for.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from qianheng.bidding.curves import GRID, POINTS, SPEND, WORTH, FloatArray, IntArray, at_level

BUDGET_NODES, SLACK_NODES, LEVEL_NODES = 12, 12, 5
SHAPE = (BUDGET_NODES, SLACK_NODES, LEVEL_NODES)
HEADROOM = 1.2  # scale against the budget at the time of solving, so that small changes need no new solution
SLACK_UNIT, SLACK_LOWEST, SLACK_HIGHEST = 0.01, -0.1, 2.0  # in budgets; nodes are even in asinh(slack / unit)
OVER_TARGET = 12.0  # worth given up for each unit of money over the target at the end of the day

_LOW, _HIGH = np.arcsinh(SLACK_LOWEST / SLACK_UNIT), np.arcsinh(SLACK_HIGHEST / SLACK_UNIT)
_STRIDE = (_HIGH - _LOW) / (SLACK_NODES - 1)
BUDGETS: FloatArray = (np.arange(BUDGET_NODES) / (BUDGET_NODES - 1)) ** 2
SLACKS: FloatArray = SLACK_UNIT * np.sinh(_LOW + _STRIDE * np.arange(SLACK_NODES))
LEVELS: FloatArray = np.array([NormalDist().inv_cdf((i + 0.5) / LEVEL_NODES) for i in range(LEVEL_NODES)])


@dataclass(frozen=True, slots=True)
class Outlook:
    """One plan's day to come, in money of the plan's scale (budget = 1)."""

    pairs: FloatArray  # [periods, 2, points] of whole periods at level 0
    mean: float
    deviation: float
    keep: FloatArray  # [periods]

    @property
    def levels(self) -> FloatArray:
        """Nodes of the level [levels]."""
        return self.mean + self.deviation * LEVELS


def useful(pairs: FloatArray, level: float, budget: float) -> float:
    """The budget, or what the target lets a day of good traffic spend if that is less: `pairs` [periods, 2, points]."""
    spend, worth = at_level(pairs.sum(0), np.asarray(level))
    within = float(spend[worth >= spend].max(initial=0.0))
    return max(min(budget, within if within > 0 else budget), 1e-300)


def solve(outlook: Outlook, highest: float) -> FloatArray:
    """Values [periods, budgets, slacks, levels] at the END of each period; the last is the charge for ending over."""
    periods = len(outlook.pairs)
    value = np.empty((periods, BUDGET_NODES, SLACK_NODES, LEVEL_NODES))
    value[-1] = OVER_TARGET * np.minimum(SLACKS, 0.0)[None, :, None]
    levels = np.broadcast_to(outlook.levels, (periods, LEVEL_NODES))
    pairs = at_level(np.repeat(outlook.pairs[:, None], LEVEL_NODES, 1), levels)[..., _actions(outlook, highest)]
    for period in range(periods - 1, 0, -1):
        keep = outlook.keep[period]
        value[period - 1] = _expect(_step_back(value[period], pairs[period]), keep)
    return value


def _expect(value: FloatArray, keep: float) -> FloatArray:
    """Average over the level to come, given the present one."""
    return np.asarray(keep * value + (1 - keep) * value.mean(-1, keepdims=True))


def _actions(outlook: Outlook, highest: float) -> IntArray:
    """Columns of the grid worth trying: from hardly spending in the best traffic to buying all in the worst."""
    best = at_level(outlook.pairs.sum(0), np.asarray(outlook.levels[-1]))[SPEND]
    worst = at_level(outlook.pairs.sum(0), np.asarray(outlook.levels[0]))[SPEND]
    low = min(int((best < 0.2).sum()), POINTS - 2)
    high = min(int((worst < 5.0).sum()) + 1, int((highest * 1.0001 >= GRID).sum()))
    return np.arange(min(low, high - 2), high)


def _step_back(value: FloatArray, pair: FloatArray) -> FloatArray:
    """Best worth from the start of a period, for `value` [b, s, z] at its end and `pair` [z, 2, actions]."""
    spend, worth = pair[:, SPEND].T, pair[:, WORTH].T  # [actions, z]
    part = _affordable(spend, BUDGETS[:, None, None])  # [b, actions, z]
    spend, worth = spend * part, worth * part
    rest = BUDGETS[:, None, None] - spend
    slack = SLACKS[None, :, None, None] + (worth - spend)[:, None]  # [b, s, actions, z]
    found = look_up(value, rest[:, None], slack)
    return np.asarray((found + worth[:, None]).max(2))


@dataclass(frozen=True, slots=True)
class State:
    """Where plans [plans] stand, in money of their scale."""

    budget: FloatArray  # left
    slack: FloatArray
    busyness: FloatArray  # today's traffic against the expected: k times the traffic is 1/k of budget and slack
    level: FloatArray


def gains(value: NDArray[np.float32], nodes: FloatArray, pair: FloatArray, state: State) -> FloatArray:
    """Worth now and later [actions, plans], for `value` [plans, b, s, z] at the end of the period and the `pair`
    [plans, 2, actions] that usual traffic would bring until then.
    """
    budget, slack = state.budget / state.busyness, state.slack / state.busyness
    spend, worth = pair[:, SPEND].T, pair[:, WORTH].T
    part = _affordable(spend, np.maximum(budget, 0.0))
    spend, worth = spend * part, worth * part
    table = np.einsum("pbsz,pz->bsp", value, _hats(nodes, state.level))
    return look_up(table, budget - spend, slack + worth - spend) + worth


def _hats(nodes: FloatArray, level: FloatArray) -> FloatArray:
    """Weights [plans, levels] that interpolate `level` between the nodes, held flat outside."""
    gap = np.maximum(nodes[:, 1:] - nodes[:, :-1], 1e-12)
    part = np.clip((level[:, None] - nodes[:, :-1]) / gap, 0.0, 1.0)
    weight = np.zeros_like(nodes)
    weight[:, 1:] = part
    weight[:, :-1] -= part
    weight[:, 0] += 1.0
    return weight


def _affordable(spend: FloatArray, budget: FloatArray) -> FloatArray:
    """Share of the period after which the budget is gone, at most 1."""
    return np.where(spend > budget, budget / np.where(spend > 0, spend, 1.0), 1.0)


def budget_cell(budget: FloatArray) -> tuple[IntArray, FloatArray]:
    """Lower node and fraction of budgets given in scales."""
    node = np.minimum((np.sqrt(np.clip(budget, 0.0, 1.0)) * (BUDGET_NODES - 1)).astype(np.int64), BUDGET_NODES - 2)
    low, high = BUDGETS[node], BUDGETS[node + 1]
    return node, np.clip((budget - low) / (high - low), 0.0, 1.0)


def slack_cell(slack: FloatArray) -> tuple[IntArray, FloatArray]:
    """Lower node and fraction of slacks given in scales."""
    bent = (np.arcsinh(slack / SLACK_UNIT) - _LOW) / _STRIDE
    node = np.clip(bent.astype(np.int64), 0, SLACK_NODES - 2)
    low, high = SLACKS[node], SLACKS[node + 1]
    return node, np.clip((slack - low) / (high - low), 0.0, 1.0)


def look_up(value: FloatArray, budget: FloatArray, slack: FloatArray) -> FloatArray:
    """Bilinear `value` [b, s, z] at states broadcast over the trailing level axis; steep below the lowest slack."""
    i, f = budget_cell(budget)
    j, g = slack_cell(slack)
    z = np.arange(value.shape[-1])
    near = value[i, j, z] * (1 - f) + value[i + 1, j, z] * f
    far = value[i, j + 1, z] * (1 - f) + value[i + 1, j + 1, z] * f
    return np.asarray(near * (1 - g) + far * g + OVER_TARGET * np.minimum(slack - SLACKS[0], 0.0))
