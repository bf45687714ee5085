"""Intervals and tests that are in use elsewhere, on the same users as ours."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from benchmarks.user_worlds import Float64, World, portions
from qianheng.experiments.estimates import Estimate, of_users
from qianheng.experiments.intervals import Reach, relative

HERE = Path(__file__).parent
LIFT = 0.2  # the truth of B / A - 1 wherever coverage is measured
Z95 = float(norm.isf(0.025))


def others(a: Estimate, b: Estimate) -> dict[str, Reach]:
    """What is in use elsewhere: Fieller's without skewness, the plain delta method, that of logarithms."""
    flat = Estimate(a.users, a.value, a.variance, 0 * a.third), Estimate(b.users, b.value, b.variance, 0 * b.third)
    times = b.value / a.value
    error = np.sqrt(b.variance + times**2 * a.variance) / a.value
    apart = np.sqrt(b.variance / b.value**2 + a.variance / a.value**2)
    return {
        "Fieller": relative(*flat, np.full(a.value.shape, Z95)),
        "delta": Reach(times - 1, times - 1 - Z95 * error, times - 1 + Z95 * error),
        "log": Reach(times - 1, times * np.exp(-Z95 * apart) - 1, times * np.exp(Z95 * apart) - 1),
    }


def inside(reach: Reach, truth: float) -> Any:
    """Whether intervals hold the truth; one that cannot be told does not lie."""
    return ~((reach.low > truth) | (reach.high < truth))


def bootstrap(world: World, users: int, runs: int, draws: int = 400) -> dict[str, float]:
    """The coverage of two bootstraps of users, redrawn within each arm: studentised (of the logarithm of the ratio),
    and bias-corrected and accelerated (of the ratio; Efron 1987).
    """
    draw, held = np.random.default_rng([2, users]), []
    for _ in range(runs):
        a, b = world.draw(draw, (users,)), (1 + LIFT) * world.draw(draw, (users,))
        held.append(_bootstrapped(a, b, draw, draws))
    return dict(zip(("bootstrap-t", "BCa"), np.mean(held, axis=0).tolist(), strict=True))


def _bootstrapped(a: Float64, b: Float64, draw: np.random.Generator, draws: int) -> tuple[bool, bool]:
    if not a.any() or not b.any():
        return True, True
    seen = of_users(a), of_users(b)
    again = [of_users(arm[draw.integers(0, len(arm), (draws, len(arm)))]) for arm in (a, b)]
    with np.errstate(divide="ignore", invalid="ignore"):
        log, error = _log_ratio(*seen)
        logs, errors = _log_ratio(*again)
        t = np.nan_to_num((logs - log) / errors, nan=0.0, posinf=1e9, neginf=-1e9)
    low, high = log - error * np.quantile(t, 0.975), log - error * np.quantile(t, 0.025)
    truth = np.log(1 + LIFT)
    influence = np.concatenate([(b - b.mean()) / b.mean() / len(b), -(a - a.mean()) / a.mean() / len(a)])
    skew = (influence**3).sum() / (6 * (influence**2).sum() ** 1.5)
    bias = norm.ppf(np.clip((logs < log).mean(), 0.001, 0.999))
    ends = [norm.cdf(bias + (bias + z) / (1 - skew * (bias + z))) for z in (-Z95, Z95)]
    least, most = np.quantile(np.nan_to_num(logs, posinf=1e9, neginf=-1e9), ends)
    return bool(low <= truth <= high), bool(least <= truth <= most)


def _log_ratio(a: Estimate, b: Estimate) -> tuple[Float64, Float64]:
    return np.log(b.value / a.value), np.sqrt(b.variance / b.value**2 + a.variance / a.value**2)


def capped(world: World, users: int, runs: int) -> dict[str, float]:
    """What winsorising does: each user's sum is cut at the 99th percentile of both arms; coverage of the truth, and
    the effect found (median).
    """
    draw, found = np.random.default_rng([3, users]), []
    for some in portions(runs, 2 * users):
        a, b = world.draw(draw, (some, users)), (1 + LIFT) * world.draw(draw, (some, users))
        most = np.quantile(np.concatenate([a, b], axis=1), 0.99, axis=1, keepdims=True)
        reach = relative(of_users(np.minimum(a, most)), of_users(np.minimum(b, most)), np.full(some, Z95))
        found.append([inside(reach, LIFT), reach.value])
    held, value = np.concatenate([np.asarray(one, np.float64) for one in found], axis=1)
    return {"held": float(held.mean()), "effect": float(np.nanmedian(value))}


def welch(world: World, users: tuple[int, int], runs: int) -> float:
    """The coverage of statsmodels' Welch interval of the difference, on the samples that ours are told of."""
    draw, held = np.random.default_rng([1, *users]), []
    mean = world.draw(np.random.default_rng(9), (4_000_000,)).mean()
    for _ in range(runs):
        a, b = (world.draw(draw, (count,)) for count in users)
        low, high = CompareMeans(DescrStatsW((1 + LIFT) * b), DescrStatsW(a)).tconfint_diff(usevar="unequal")
        held.append(low <= LIFT * mean <= high)
    return float(np.mean(held))


def peers(a: Estimate, b: Estimate) -> dict[str, Any]:
    """gbstats on the sums of growing arms [tests, looks]: how often its sequential and its plain test ever call a
    difference, and its time for one comparison. Where it cannot be installed that is said.
    """
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    sums = [[one.users, one.value, one.variance * one.users] for one in (a, b)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sums.json"
        file.write_text(json.dumps([[column.tolist() for column in arm] for arm in sums]))
        command = [uv, "run", "--no-project", "--isolated", "--with", "gbstats", "--with", "numpy<2", "python"]
        try:
            done = subprocess.run(
                [*command, str(HERE / "peer_gbstats.py"), str(file)], check=True, capture_output=True, timeout=280
            )
        except (OSError, subprocess.SubprocessError) as why:
            print(f"gbstats is left out: {why}")
            return {}
    return dict(json.loads(done.stdout))
