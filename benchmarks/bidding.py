"""Score the production bidder on recorded campaign-days, beside simple references and the hindsight optimum.

    python benchmarks/bidding.py --data DIR [--json OUT] [--thin]

DIR (or the environment variable QIANHENG_DATA) holds `auctionnet/` and, if wanted, `ipinyou/`.
`auctionnet/`: campaigns.json ({advertiser: {budget, target_cpa}}) and dayD_advertiserNN.parquet with one row per
impression in time order: tick 0..47, value (predicted conversion probability), value_sigma and price_1 >= price_2 >=
price_3 (what each of three slots costs; slot k is seen with probability 1, 0.8, 0.48).
`ipinyou/*.gz`: click, price (fen per 1000), predicted click rate; one second-price slot, six settings per file.

A day is cut into 960 steps; a bidder sees one at a time, and learns all prices of a step after it. The other days of
the advertiser are its history. Scores of a campaign-day, in expected conversions:
value = V / optimum; over = spend / (target_cpa * V); capped = min(1, value) * min(1, 1 / over)^2.
"""

import argparse
import gzip
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from qianheng.bidding.replay import make as production

Array = NDArray[Any]
Day = dict[str, Array]
SEEN = np.array([0.0, 1.0, 0.8, 0.48])
TICKS, STEPS, STEPS_THIN = 48, 960, 96
RESULTS = Path(__file__).parent / "results" / "bidding.json"


class Replayed(Protocol):
    """All that a bidder must answer."""

    def bid(self, step: int, value: Array, value_sigma: Array) -> Array:
        """Bids [n] for predicted conversion probabilities [n]."""

    def observe(self, step: int, outcome: Mapping[str, Any]) -> None:
        """What became of them: slot, exposed, spend [n], price [n, 3], remaining_budget."""


@dataclass(frozen=True)
class Cell:
    """One campaign-day and the days known before it."""

    name: str
    day: Day
    history: Sequence[Day]
    budget: float
    target_cpa: float
    steps: int


@dataclass(frozen=True)
class Score:
    """What one bidder made of one cell."""

    bidder: str
    cell: str
    capped: float
    value: float
    over: float
    spend: float


class Fixed:
    """Bid target_cpa * value: what a buyer types by hand."""

    def __init__(self, budget: float, target_cpa: float, steps: int, history: Sequence[Day]) -> None:
        self.budget, self.target_cpa, self.steps = budget, target_cpa, steps
        self.multiplier, self.spend, self.worth = 1.0, 0.0, 0.0
        self.last: Array = np.zeros(0)

    def bid(self, step: int, value: Array, value_sigma: Array) -> Array:
        """One multiplier for all."""
        self.last = value * self.target_cpa
        return self.multiplier * self.last

    def observe(self, step: int, outcome: Mapping[str, Any]) -> None:
        """Keep the sums and learn."""
        spend, worth = float(outcome["spend"].sum()), float((self.last * outcome["exposed"]).sum())
        self.spend += spend
        self.worth += worth
        self.learn(step, spend, worth)

    def learn(self, step: int, spend: float, worth: float) -> None:
        """A fixed bid learns nothing."""

    def errors(self, step: int, spend: float, worth: float) -> tuple[float, float]:
        """Budget and target left unused in this step, in even shares of the budget, clipped to ±3."""
        share = self.budget / self.steps
        even = (self.budget - self.spend + spend) / (self.steps - step)
        return float(np.clip((even - spend) / share, -3, 3)), float(np.clip((worth - spend) / share, -3, 3))


class Pid(Fixed):
    """Multiplicative PID on the realised ratio and on the linear budget plan."""

    integral = 0.0

    def learn(self, step: int, spend: float, worth: float) -> None:
        """Follow the tighter of target and plan."""
        if self.spend <= 0:
            self.multiplier = min(3.0, self.multiplier * 1.01)
            return
        plan = self.budget * (step + 1) / self.steps
        error = float(np.log(min(max(self.worth, 1e-9), plan) / self.spend))
        self.integral = float(np.clip(self.integral + error * TICKS / self.steps, -5, 5))
        self.multiplier = float(np.clip(np.exp(0.6 * error + 0.1 * self.integral), 0.1, 3.0))


class DualMirrorDescent(Fixed):
    """Budget and target prices by mirror descent (Balseiro, Lu, Mirrokni; Feng, Padmanabhan, Wang, WWW 2023)."""

    budget_price, target_price, rate = 1.0, 0.5, 0.03

    def learn(self, step: int, spend: float, worth: float) -> None:
        """A mirror step on both prices."""
        budget, target = self.errors(step, spend, worth)
        self.budget_price = max(1e-3, self.budget_price * float(np.exp(-self.rate * budget)))
        self.target_price = float(np.clip(self.target_price * np.exp(-self.rate * target), 1e-3, 20))
        self.multiplier = (1 + self.target_price) / (self.budget_price + self.target_price)


class MinPacing(Fixed):
    """Two independent multipliers, the smaller bids (Balseiro et al., field guide, ICML 2024)."""

    budget_multiplier, target_multiplier, rate = 1.0, 1.0, 0.03

    def learn(self, step: int, spend: float, worth: float) -> None:
        """A step of each multiplier by its own error."""
        budget, target = self.errors(step, spend, worth)
        self.budget_multiplier = float(np.clip(self.budget_multiplier * np.exp(self.rate * budget), 0.05, 5))
        self.target_multiplier = float(np.clip(self.target_multiplier * np.exp(self.rate * target), 0.3, 5))
        self.multiplier = min(self.budget_multiplier, self.target_multiplier)


BIDDERS: dict[str, Callable[..., Replayed]] = {
    "fixed": Fixed,
    "pid": Pid,
    "dual mirror descent": DualMirrorDescent,
    "min-pacing": MinPacing,
    "qianheng": production,
}


def load_day(path: Path) -> Day:
    """A recorded day; price [n, 3]."""
    table = parquet.read_table(path)
    columns = {name: table[name].to_numpy().astype(float) for name in table.column_names}
    price = np.stack([columns[f"price_{k}"] for k in (1, 2, 3)], 1)
    return {"tick": columns["tick"].astype(int), "price": price} | {k: columns[k] for k in ("value", "value_sigma")}


def recorded_cells(folder: Path, steps: int) -> Iterator[Cell]:
    """Every campaign-day, its history being the advertiser's other days."""
    campaigns = json.loads((folder / "campaigns.json").read_text())
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("day*_advertiser*.parquet")):
        files.setdefault(re.sub(".*advertiser", "", path.stem), []).append(path)
    for advertiser, paths in files.items():
        terms, days = campaigns[advertiser], [load_day(path) for path in paths]
        for i, path in enumerate(paths):
            yield Cell(path.stem, days[i], days[:i] + days[i + 1 :], terms["budget"], terms["target_cpa"], steps)


def ipinyou_cells(folder: Path, steps: int) -> Iterator[Cell]:
    """Real second-price days without history: budget 1/2, 1/8, 1/32 of all prices, target 0.5 and 1 times the mean."""
    for path in sorted(folder.glob("*.gz")):
        with gzip.open(path, "rt") as lines:
            price, value = np.array([line.split()[1:3] for line in lines], float).T
        day = {"tick": np.arange(len(value)) * TICKS // len(value), "value": value}
        day |= {"value_sigma": np.zeros(len(value)), "price": np.repeat(price[:, None] / 1000, 3, 1)}
        total = day["price"][:, 0].sum()
        for part in (2, 8, 32):
            for scale in (0.5, 1.0):
                name = f"{path.name.split('.')[0]} 1/{part} x{scale}"
                yield Cell(name, day, [], total / part, scale * total / value.sum(), steps)


def hindsight(cell: Cell) -> float:
    """Most expected conversions with every price known: one multiplier, the best slot each, the last bit in part."""
    low, high = cell.target_cpa / 1e3, 50.0 * cell.target_cpa
    for _ in range(45):
        middle = float(np.sqrt(low * high))
        value, spend = _choose(cell, middle)
        fits = spend <= cell.budget and spend <= cell.target_cpa * value
        low, high = (middle, high) if fits else (low, middle)
    (value, spend), (more, dearer) = _choose(cell, low), _choose(cell, high)
    parts = [1.0]
    if dearer > spend:
        parts.append((cell.budget - spend) / (dearer - spend))
        excess = (dearer - spend) - cell.target_cpa * (more - value)
        parts.append((cell.target_cpa * value - spend) / excess if excess > 0 else 1.0)
    return value + max(0.0, min(parts)) * (more - value)


def _choose(cell: Cell, alpha: float) -> tuple[float, float]:
    value, price = cell.day["value"], cell.day["price"]
    keep = price[:, 2] < 50 * cell.target_cpa * value
    value, price = value[keep], np.column_stack([np.zeros(keep.sum()), price[keep]])
    slot = np.argmax(SEEN * (alpha * value[:, None] - price) * (np.arange(4) > 0), axis=1)
    seen = SEEN[slot]
    return float(seen @ value), float(seen @ price[np.arange(len(slot)), slot])


def replay(cell: Cell, bidder: Replayed, seed: int) -> tuple[float, float]:
    """Expected conversions and spend of one day; a win that the rest of the budget cannot pay is lost."""
    random = np.random.default_rng(seed)
    ticks = np.searchsorted(cell.day["tick"], np.arange(TICKS + 1))
    edges = np.interp(np.linspace(0, TICKS, cell.steps + 1), np.arange(TICKS + 1), ticks).astype(int)
    value_won, left = 0.0, cell.budget
    for step, (start, stop) in enumerate(pairwise(edges)):
        value, sigma, price = (cell.day[name][start:stop] for name in ("value", "value_sigma", "price"))
        bid = np.maximum(bidder.bid(step, value.copy(), sigma.copy()), 0.0)
        slot = np.select([bid > price[:, 0], bid > price[:, 1], bid > price[:, 2]], [1, 2, 3], 0)
        exposed = random.random(len(value)) < SEEN[slot]
        spend = np.where(exposed, price[np.arange(len(value)), np.maximum(slot - 1, 0)], 0.0)
        refused = exposed & (np.cumsum(spend) > left)
        slot, exposed, spend = np.where(refused, 0, slot), exposed & ~refused, np.where(refused, 0.0, spend)
        left -= spend.sum()
        value_won += float(value @ exposed)
        outcome = {"slot": slot, "exposed": exposed, "spend": spend, "price": price, "remaining_budget": left}
        bidder.observe(step, outcome)
    return value_won, cell.budget - left


def score(cell: Cell, seed: int) -> list[Score]:
    """All bidders on one campaign-day."""
    best, scores = hindsight(cell), []
    for name, make in BIDDERS.items():
        bidder = make(budget=cell.budget, target_cpa=cell.target_cpa, steps=cell.steps, history=cell.history)
        value, spend = replay(cell, bidder, seed)
        over = spend / max(value * cell.target_cpa, 1e-12)
        capped = min(1.0, value / best) * min(1.0, 1 / max(over, 1e-12)) ** 2
        scores.append(Score(name, cell.name, capped, value / best, over, spend / cell.budget))
    return scores


def summary(scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    """Per bidder the figures of the table."""
    table = {}
    for name in BIDDERS:
        mine = [s for s in scores if s.bidder == name]
        capped, over = np.array([s.capped for s in mine]), np.array([s.over for s in mine])
        table[name] = {
            "capped": float(capped.mean()),
            "p10": float(np.quantile(capped, 0.1)),
            "least": float(capped.min()),
            "over 1%": float((over > 1.01).mean()),
            "over 5%": float((over > 1.05).mean()),
            "worst over": float(over.max()),
            "spend": float(np.mean([s.spend for s in mine])),
            "n": len(mine),
        }
    return table


def show(title: str, table: Mapping[str, Mapping[str, float]]) -> None:
    """Print one table."""
    head = next(iter(table.values()))
    print(f"\n{title:24}" + "".join(f"{name:>12}" for name in head))
    for bidder, row in table.items():
        print(f"{bidder:24}" + "".join(f"{figure:12.3f}" for figure in row.values()))


def run(data: Path, thin: bool) -> dict[str, Any]:
    """Score every market found under `data`; thin: two campaign-days each, in 96 steps."""
    steps = STEPS_THIN if thin else STEPS
    results: dict[str, Any] = {}
    for market, cells in (("auctionnet", recorded_cells), ("ipinyou", ipinyou_cells)):
        if not (data / market).is_dir():
            continue
        scores: list[Score] = []
        for seed, cell in enumerate(cells(data / market, steps)):
            scores += score(cell, seed)
            if thin and seed == 1:
                break
        results[market] = {"summary": summary(scores), "cells": [asdict(s) for s in scores]}
        show(market, results[market]["summary"])
    return results


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("QIANHENG_DATA"))
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--thin", action="store_true", help="two campaign-days per market, 96 steps")
    chosen = parser.parse_args(arguments)
    if chosen.data is None:
        parser.error("give --data DIR or set QIANHENG_DATA")
    results = run(Path(chosen.data), chosen.thin)
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
