"""Do the intervals of experiments hold, how often does peeking lie, and do tests see what was promised?

    python -m benchmarks.experiments [--data FOLDER] [--runs 10000] [--thin]

Coverage: intervals of 95 % for B / A − 1, the truth being 0.2, beside those that are in use elsewhere. Peeking: tests
of two equal arms, looked at 28 times. Power: planned from a baseline of other users, and reached. Peers on the same
data: statsmodels, and gbstats (GrowthBook) in an environment of its own, where `uv` can make one.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kstest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from benchmarks.other_intervals import LIFT, Z95, bootstrap, capped, inside, others, peers, welch
from benchmarks.picture import Axis, Curve, curves, write
from benchmarks.user_worlds import Float64, World, portions, walks, worlds
from qianheng.experiments.estimates import Estimate, of_users
from qianheng.experiments.intervals import (
    SKEWNESS_MOST,
    USERS_LEAST,
    chance_once,
    relative,
    relative_error,
    unevenness,
)
from qianheng.experiments.looks import Always, Looks, Once, Until
from qianheng.experiments.power import Baseline, Design, needed
from qianheng.experiments.results import Terms, compare
from qianheng.experiments.sums import ArmSums, Measure

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "experiments.json"
SIZES = ((300, 300), (1000, 1000), (10_000, 10_000), (19_000, 1000), (99_000, 1000))
PEEKED = ("ln1", "ln1.5", "ln2", "pareto2.1")
LOOKS = 28
RARELY = 0.02  # of samples: told so seldom, an interval's coverage is not measured
ARRIVE = 100  # users an arm and look
WAYS: Mapping[str, Looks] = {"always": Always(), "until": Until(), "naive": Once()}


@dataclass(frozen=True, slots=True)
class Covered:
    """How often intervals held the truth [0, 1], by method; told: how often ours said anything."""

    world: str
    users: tuple[int, int]
    told: float
    held: Mapping[str, float]
    width: float  # of ours beside Fieller's, median


def coverage(name: str, world: World, users: tuple[int, int], runs: int) -> Covered:
    """One cell: `runs` tests of one look; ours counts where it is told."""
    draw, held = np.random.default_rng([1, *users]), []
    for some in portions(runs, sum(users)):
        a, b = (of_users(world.draw(draw, (some, count))) for count in users)
        b = Estimate(b.users, b.value * (1 + LIFT), b.variance * (1 + LIFT) ** 2, b.third * (1 + LIFT) ** 3)
        ours, told = relative(a, b, np.full(some, Z95)), believed(a, b)
        reaches = {"ours": ours, **others(a, b)}
        wider = (ours.high - ours.low) / (reaches["Fieller"].high - reaches["Fieller"].low)
        held.append([told, wider, *(inside(one, LIFT) for one in reaches.values())])
        names = tuple(reaches)
    told, wider, *rows = np.concatenate([np.asarray(one, np.float64) for one in held], axis=1)
    shares = {of: float(row.mean()) for of, row in zip(names, rows, strict=True)}
    shares["ours"] = float(rows[0][told > 0].mean()) if told.mean() > RARELY else float("nan")
    return Covered(name, users, float(told.mean()), shares, float(np.nanmedian(wider)))


def believed(a: Estimate, b: Estimate) -> Any:
    """Where an interval is told at all."""
    return (np.minimum(a.users, b.users) >= USERS_LEAST) & (np.abs(unevenness(a, b)) <= SKEWNESS_MOST)


def ever(a: Estimate, b: Estimate) -> dict[str, Float64]:
    """The share of tests that have called a difference by each look [looks], by way of looking."""
    error = relative_error(a, b)
    information = (np.nanmedian(error[:, -1]) / error) ** 2
    information = np.where(np.isfinite(information), information, 1e-6)
    told = believed(a, b)
    found = {}
    for name, looks in WAYS.items():
        reach = relative(a, b, looks.wide(information))
        called = told & ((reach.low > 0) | (reach.high < 0))
        found[name] = np.logical_or.accumulate(called, axis=1).mean(0)
    return found


def promised(world: World, effect: float, looks: Looks, runs: int) -> dict[str, float]:
    """Power as planned from ten thousand users of before, and as reached by tests of the size planned."""
    draw = np.random.default_rng(6)
    before = world.draw(draw, (10_000,))
    plan = needed(Baseline(ArmSums.of((1e6 * before).astype(np.int64)), 100), Design(looks=looks), effect)
    assert plan is not None
    a, b = walks(world, runs, (plan.users // (2 * LOOKS), plan.users // (2 * LOOKS)), LOOKS)
    b = Estimate(b.users, b.value * (1 + effect), b.variance * (1 + effect) ** 2, b.third * (1 + effect) ** 3)
    information = (plan.error / relative_error(a, b)) ** 2
    reach = relative(a, b, looks.wide(information))
    called = believed(a, b) & (reach.low > 0)
    return {"users": plan.users, "planned": 0.8, "reached": float(called.any(1).mean())}


def helped(runs: int) -> dict[str, float]:
    """ROI with a covariate, by the way that commands go (`compare`): coverage, and how much narrower it makes it."""
    measure, held, width = Measure("payment_roi", "gmv", "spend"), [], []
    for run in range(runs):
        columns = [_with_past(np.random.default_rng([7, run, arm]), 1 + LIFT * arm) for arm in (0, 1)]
        ends = []
        for last in (3, 2):
            arms = [ArmSums.of(*one[:last]) for one in columns]
            told = compare(measure, (arms[0], arms[1]), Terms(0.05)).once
            ends.append((float(told.low), float(told.high)) if told else (-np.inf, np.inf))
        held.append([low <= LIFT <= high for low, high in ends])
        width.append((ends[0][1] - ends[0][0]) / (ends[1][1] - ends[1][0]))
    with_covariate, without = np.mean(held, axis=0)
    return {"held": float(with_covariate), "held without": float(without), "width": float(np.nanmedian(width))}


def _with_past(draw: np.random.Generator, times: float) -> list[Any]:
    users = 1000
    taste = draw.lognormal(0, 0.7, users)
    past = (draw.random(users) < 0.4) * taste * draw.lognormal(3, 1, users)
    spend = draw.gamma(2, 1, users) * taste
    gmv = times * (draw.random(users) < 0.4) * taste * (draw.lognormal(3, 1, users) + 0.8 * past)
    return [(1e6 * column).astype(np.int64) for column in (gmv, spend, past)]


def speed(world: World) -> dict[str, float]:
    """Seconds for one comparison of two arms of 2,000 users: ours from sums, statsmodels' from users."""
    draw = np.random.default_rng(8)
    columns = [(1e6 * world.draw(draw, (2000,))).astype(np.int64) for _ in "ab"]
    measure, arms = Measure("gmv", "gmv"), (ArmSums.of(columns[0]), ArmSums.of(columns[1]))
    a, b = (of_users(np.tile(column / 1e6, (500, 1))) for column in columns)
    jobs: dict[str, Callable[[], Any]] = {
        "compare": lambda: compare(measure, arms, Terms(0.05)),
        "sums of users": lambda: ArmSums.of(columns[0]),
        "statsmodels": lambda: CompareMeans(*(DescrStatsW(column) for column in columns)).tconfint_diff(),
        "vectorised": lambda: relative(a, b, Always().wide(np.ones(500))),
    }
    found = {}
    for name, job in jobs.items():
        began = time.perf_counter()
        for _ in range(20):
            job()
        found[name] = (time.perf_counter() - began) / (20 * (500 if name == "vectorised" else 1))
    return found


def study(chosen: argparse.Namespace) -> dict[str, Any]:
    """All parts, printed as they come; plain values."""
    found_worlds, runs = worlds(chosen.data), chosen.runs
    found: dict[str, Any] = {"runs": runs, "coverage": [], "bootstrap": {}, "capped": {}, "welch": {}, "ever": {}}
    for name, world in found_worlds.items():
        for users in SIZES[:2] if chosen.thin else SIZES:
            cell = coverage(name, world, users, max(20, min(runs // 4, 60_000_000 // sum(users))))
            found["coverage"].append(asdict(cell))
            print(
                f"{world.of:28} {cell.users!s:16} told {cell.told:4.0%} ", _shares(cell.held), f"width {cell.width:.2f}"
            )
    for name in PEEKED:
        world = found_worlds[name]
        found["bootstrap"][name] = bootstrap(world, 300, max(2, runs // 25))
        found["capped"][name] = capped(world, 1000, max(20, runs // 10))
        found["welch"][name] = welch(world, (1000, 1000), max(20, runs // 10))
        print(f"{world.of:28} bootstraps of 300: {_shares(found['bootstrap'][name])}; cut at 99 % of 1000: ", end="")
        print(f"{_shares(found['capped'][name])}; statsmodels' Welch of 1000: {found['welch'][name]:.3f}")
    looked = peeked(found_worlds, chosen)
    found["ever"] = {name: {way: shares[-1] for way, shares in ways.items()} for name, ways in looked.items()}
    found["ever by look"] = {way: shares.tolist() for way, shares in looked["ln1.5"].items()}
    return found


def peeked(found_worlds: Mapping[str, World], chosen: argparse.Namespace) -> dict[str, dict[str, Float64]]:
    """Type I errors: every world, and ways that users come."""
    names = [*PEEKED, *(name for name in ("retail",) if name in found_worlds)]
    arrivals: dict[str, tuple[str, tuple[int, int], int, int, bool]] = {
        name: (name, (ARRIVE, ARRIVE), LOOKS, chosen.runs, False) for name in names
    }
    arrivals["ln1, hourly"] = ("ln1", (12, 12), 14 * 24, chosen.runs // 2, False)
    arrivals["ln1.5, 19 : 1"] = ("ln1.5", (1900, 100), LOOKS, chosen.runs // 5, False)
    arrivals["ln1.5, users come back"] = ("ln1.5", (ARRIVE, ARRIVE), LOOKS, chosen.runs // 20, True)
    found = {}
    for told, (name, arrive, looks, runs, back) in arrivals.items():
        found[told] = ever(*walks(found_worlds[name], max(20, runs), arrive, looks, back=back))
        print(f"A/A {told:24} called ever, {looks} looks:", _shares({way: one[-1] for way, one in found[told].items()}))
    return found


def more(found_worlds: Mapping[str, World], chosen: argparse.Namespace) -> dict[str, Any]:
    """Power, the covariate, calibration, peers and speed."""
    runs = chosen.runs
    power = {
        f"{name}, +{effect:.0%}, {way}": promised(found_worlds[name], effect, WAYS[way], max(20, runs // 5))
        for name, effect in (("ln1", 0.4), ("ln1.5", 0.6), ("pareto3", 0.3))
        for way in ("always", "until")
    }
    for name, told in power.items():
        print(
            f"power {name:24} {told['users']:8.0f} users  planned {told['planned']:.2f}  reached {told['reached']:.3f}"
        )
    covariate = helped(max(5, runs // 20))
    print("ROI with a covariate:", _shares(covariate))
    a, b = walks(found_worlds["ln1.5"], max(20, runs), (ARRIVE, ARRIVE), LOOKS)
    chances = np.sort(chance_once(a, b)[:, -1])
    peer = {} if chosen.thin else beside_gbstats(a, b)
    seconds = speed(found_worlds["ln1"])
    print("seconds a comparison:", {name: f"{one:.2g}" for name, one in seconds.items()})
    uniform = float(kstest(chances, "uniform").statistic)
    print(f"p-values of A/A tests: at most {uniform:.3f} from uniform (Kolmogorov and Smirnov), of {len(chances)}")
    return {"power": power, "covariate": covariate, "gbstats": peer, "seconds": seconds, "uniform": uniform} | {
        "quantiles": np.quantile(chances, np.linspace(0, 1, 101)).tolist()
    }


def beside_gbstats(a: Estimate, b: Estimate, tests: int = 1000) -> dict[str, Any]:
    """Type I errors of gbstats and ours on the same tests: of all looks, and from where ours tells anything."""
    late = int(np.argmax(a.users[0] >= USERS_LEAST))
    found: dict[str, Any] = {}
    for told, first in (("all looks", 0), (f"from {USERS_LEAST} users", late)):
        arms = [Estimate(*(getattr(arm, name)[:tests, first:] for name in Estimate.__slots__)) for arm in (a, b)]
        ours = {way: float(one[-1]) for way, one in ever(arms[0], arms[1]).items()}
        found[told] = {"gbstats": peers(arms[0], arms[1]), "ours": ours}
        print(f"gbstats, ln1.5, {told}:", found[told])
    return found


def _shares(found: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} {share:.3f}" for name, share in found.items() if isinstance(share, float))


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Pictures: how often equal arms are called different, and the calibration of single p-values."""
    lines = [Curve(way, list(range(1, LOOKS + 1)), shares) for way, shares in found["ever by look"].items()]
    axes = Axis("looks"), Axis("share of A/A tests ever called", mark=0.05)
    write(path.with_suffix(".svg"), curves("Equal arms called different, by how one looks", axes, lines))
    exact = np.linspace(0, 1, 101).tolist()
    pair = [Curve("p-values of A/A tests", exact, found["quantiles"]), Curve("exact", exact, exact)]
    axes = Axis("share of tests"), Axis("p-value")
    write(path.with_name(f"{path.stem}_calibration.svg"), curves("One look at equal arms", axes, pair))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("QIANHENG_DATA"))
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--thin", action="store_true", help="few tests, no peer, says nothing but that it runs")
    chosen = parser.parse_args(arguments)
    chosen.data = Path(chosen.data) if chosen.data and not chosen.thin else None
    chosen.runs = 100 if chosen.thin else chosen.runs
    with np.errstate(divide="ignore", invalid="ignore"):
        found = study(chosen) | more(worlds(chosen.data), chosen)
    draw(found, chosen.json)
    chosen.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
