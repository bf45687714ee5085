"""Does a hold-out tell what promotion adds? `python -m benchmarks.holdout [--thin]`

Organic demand is drawn before any ad is shown, so what a market sells without a single ad is what the same seed would
have sold, and what promotion adds is known to the yuan.

- *drawn*: small markets (the scenario `hold-out`, other seeds) whose people are shown an ad in every second request,
  and the same without ads: what everybody buys either way is known, so who is held out is drawn again and again, for
  shares of 1, 5 and 20 %. Bias, and how often intervals of one look (80 and 95 %) and of any number of them are right;
- *lived*: the hold-out in the engine, where budgets, pacing and rivals answer to it: what drawing cannot see.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from statistics import NormalDist
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt

from qianheng.actions.simulation import RunRequest, run_simulation
from qianheng.core.days import DAY, HOUR, microseconds, midnight
from qianheng.experiments.hold_out import HORIZON, Bought, incremental, reach
from qianheng.facts.assignment import shares_of
from qianheng.facts.opportunities import Decisions
from qianheng.facts.schema import Kind
from qianheng.measures.days import Days
from qianheng.measures.query import user_sold
from qianheng.plans.hold_out import HoldOut
from qianheng.simulator.loading import load
from qianheng.simulator.market import Market
from qianheng.store.database import connect, reading
from qianheng.store.lake import Lake

RESULT = Path(__file__).parent / "results" / "holdout.json"
SHARES = ("0.01", "0.05", "0.20")
LIVED = ("0.20",)
LEVELS = (0.8, 0.95)
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is drawn and lived."""

    worlds: int
    draws: int
    lived: int
    days: int
    requests: int

    @property
    def overrides(self) -> dict[str, str]:
        """What it changes of the scenario."""
        return {"days": str(self.days), "opportunities_per_day": str(self.requests), "buyers.population": "6000"}


FULL, THIN = Size(50, 100, 4, 3, 2000), Size(2, 20, 1, 2, 1500)


@dataclass(frozen=True, slots=True)
class World:
    """What each user bought (micro-yuan), [users], promoted to and not."""

    promoted: Whole
    unpromoted: Whole


def bought(seed: int, size: Size, part: float) -> Whole:
    """[users] what each user buys where such a part of all requests shows an ad, as known when the days are over."""
    scenario = load("hold-out", size.overrides)
    market, start = Market(scenario, seed), microseconds(midnight(scenario.first_day, scenario.timezone))
    lots, sums = np.random.default_rng([seed, 1]), np.zeros(scenario.buyers.population, np.int64)
    products = np.array([product.id for product in scenario.products()])
    for now in range(start, start + size.days * DAY, HOUR):
        batch = market.opportunities(now, now + HOUR)
        row = np.flatnonzero(lots.random(len(batch)) < part)
        market.react(batch, _shown(row, products[lots.integers(0, len(products), len(row))]))
        orders = market.facts(now, now + HOUR)[Kind.ORDER]
        np.add.at(sums, orders["user_id"].to_numpy(), orders["amount"].to_numpy())
    return sums


def _shown(row: Whole, product: Whole) -> Decisions:
    """These products in the first place of these requests."""
    nothing = np.zeros_like(row)
    return Decisions(row, nothing + 1, product, np.ones(len(row), np.int8), nothing, nothing, product, nothing - 1)


def lived(seed: int, share: str, size: Size, folder: Path) -> Whole:
    """[users] what each user buys where such a share is held out, as known when its days are over."""
    scenario = load("hold-out", size.overrides)
    last = scenario.first_day + timedelta(days=size.days)
    overrides = {**size.overrides, "shops.0.hold_out": share}
    run = run_simulation(RunRequest("hold-out", seed, overrides, folder=folder / share, until=last))
    days = Days(scenario.first_day, last - timedelta(days=1))
    database, lake = connect(f"sqlite:///{run.path / 'run.db'}"), Lake(run.path / "lake")
    with reading(database) as connection:
        sold = lake.query(connection, user_sold(days))
    database.dispose()
    sums = np.zeros(scenario.buyers.population, np.int64)
    np.add.at(sums, sold["user_id"].to_numpy(), sold["gmv"].to_numpy())
    return sums


def drawn(world: World, share: str, size: Size, seed: int) -> Iterator[dict[str, Any]]:
    """What a hold-out of that share would have told, for each of many draws of who is held out."""
    draw, part = np.random.default_rng([seed, int(float(share) * 100)]), float(share)
    for _ in range(size.draws):
        held = draw.random(len(world.promoted)) < part
        others = Bought.of(world.promoted[~held])
        truth = int((world.promoted - world.unpromoted)[~held].sum())
        yield told(others, Bought.of(world.unpromoted[held]), share, size.days) | {"truth": truth}


def told(others: Bought, held: Bought, share: str, days: int) -> dict[str, Any]:
    """The estimate, and its interval of one look by level and for however many looks."""
    reaches = {str(level): NormalDist().inv_cdf((1 + level) / 2) for level in LEVELS}
    reaches["always"] = reach(days / HORIZON)
    found = {name: incremental(others, held, Decimal(share), wide) for name, wide in reaches.items()}
    ends = {name: (int(one.low), int(one.high)) for name, one in found.items()}
    return {"estimate": int(found["always"].expected), "ends": ends, "held_buyers": held.buyers}


def lived_told(seed: int, share: str, size: Size, folder: Path) -> dict[str, Any]:
    """One world with a hold-out in its engine: estimate, intervals and truth."""
    sold, out = lived(seed, share, size, folder), HoldOut(1, Decimal(share)).users
    held = shares_of(out.salt, np.arange(len(sold))) < out.size
    truth = int((sold - bought(seed, size, 0.0)).sum())
    return told(Bought.of(sold[~held]), Bought.of(sold[held]), share, size.days) | {"truth": truth}


def summed_up(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Bias over the truth, its standard error, spread, and how often intervals hold what is true."""
    truth = np.array([row["truth"] for row in rows], float)
    error = np.array([row["estimate"] for row in rows], float) - truth
    whole = truth.mean()
    coverage = {
        name: float(np.mean([row["ends"][name][0] <= row["truth"] <= row["ends"][name][1] for row in rows]))
        for name in rows[0]["ends"]
    }
    width = np.mean([row["ends"]["always"][1] - row["ends"]["always"][0] for row in rows]) / whole
    return {
        "rows": len(rows),
        "bias": round(float(error.mean() / whole), 4),
        "standard_error": round(float(error.std() / whole / len(rows) ** 0.5), 4),
        "spread": round(float(error.std() / whole), 4),
        "coverage": {name: round(value, 3) for name, value in coverage.items()},
        "width": round(float(width), 2),
    }


def needed(world: World, share: str) -> dict[str, int]:
    """How many times the world it takes until a month of it says something: the interval is narrower than what is
    added. In orders and buyers a month that would come without promotion, and users.
    """
    others, held = Bought.of(world.promoted), Bought.of(world.unpromoted)
    part = float(share)
    for times in np.geomspace(0.01, 1e5, 400):
        sides = [_scaled(one, times * of) for one, of in ((others, 1 - part), (held, part))]
        found = incremental(sides[0], sides[1], Decimal(share), reach(1.0))
        if found.high - found.low <= times * (1 - part) * (others.total - held.total):
            return {"users": round(times * len(world.promoted)), "buyers": round(times * held.buyers)}
    return {}


def _scaled(one: Bought, times: float) -> Bought:
    return Bought(round(one.buyers * times), round(one.total * times), one.squares * times)


def main() -> None:
    """Live, draw, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--thin", action="store_true")
    size, began = (THIN if parser.parse_args().thin else FULL), process_time()
    result = measured(size)
    result["cpu_seconds"] = round(process_time() - began)
    for name in ("drawn", "lived"):
        for share, row in result[name].items():
            print(f"{name:6} {share:>5}  {row}")
    print("needed", result["needed"])
    if size is FULL:
        RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def measured(size: Size) -> dict[str, Any]:
    """Everything as JSON."""
    drawn_rows: dict[str, list[dict[str, Any]]] = {share: [] for share in SHARES}
    lived_rows: dict[str, list[dict[str, Any]]] = {share: [] for share in LIVED}
    worlds = [World(bought(seed, size, 0.5), bought(seed, size, 0.0)) for seed in range(1, size.worlds + 1)]
    print(f"{len(worlds)} worlds", flush=True)
    for seed, world in enumerate(worlds, 1):
        for share in SHARES:
            drawn_rows[share] += drawn(world, share, size, seed)
    for seed in range(1, size.lived + 1):
        with tempfile.TemporaryDirectory() as folder:
            for share in LIVED:
                lived_rows[share].append(lived_told(seed, share, size, Path(folder)))
        print(f"{seed} lived", flush=True)
    whole = World(*(np.concatenate([getattr(one, name) for one in worlds]) for name in ("promoted", "unpromoted")))
    return {
        "worlds": size.worlds,
        "days": size.days,
        "drawn": {share: summed_up(rows) for share, rows in drawn_rows.items()},
        "lived": {share: summed_up(rows) for share, rows in lived_rows.items()},
        "needed": {share: needed(whole, share) for share in SHARES},
    }


if __name__ == "__main__":
    main()
