"""Make training markets: recorded days unlike each other, to judge the bidder's design on days nobody has tuned it to.

    python benchmarks/training.py make DIR [--markets 40] [--first 0]
    python benchmarks/training.py score DIR [--thin] [--json OUT]

`make` writes one folder a market in the format `qianheng replay` reads; market n is a function of n alone, so two sets
of numbers are two sets of markets (design decisions look at even numbers, the last look is at odd ones). They differ in
size, in how value and rivals' prices move (blocks of fixed or random length, slow drift, heavy tails), in what of a day
repeats the next, in the tie between value and price, in the ramp of volume, in jumps late in the day, in what binds
(budget or target) and in how many days are known (0 to 5).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from qianheng.actions.replay import SEEN, STEPS, TICKS, ReplayScore, replay, summary
from qianheng.auction.hindsight import optimum

FloatArray = NDArray[np.float64]
STEPS_THIN = 192
RESULTS = Path(__file__).parent / "results" / "training.json"
SPREADS = ("uniform", "normal", "heavy")


@dataclass(frozen=True, slots=True)
class Process:
    """How the log of a level moves over ticks."""

    deviation: float
    spread: str  # of SPREADS
    block: float  # mean ticks a level lasts
    regular: bool  # blocks of equal length, at the same ticks every day
    drift: float  # deviation of slow movement within a block
    repeats: float  # share of the variance that is the same every day


@dataclass(frozen=True, slots=True)
class TrainingMarket:
    """What all days of one market share."""

    number: int
    impressions: int  # of a mean day
    days: int
    value: Process
    price: Process
    follows: float  # how far prices follow the value level
    tie: float  # correlation of value and price of an impression
    deviations: tuple[float, float]  # of log value and log price between impressions
    ramp: float  # deviation of the log of the volume over the day
    volume_repeats: float
    late: float  # chance that a day jumps in its last quarter
    tightness: tuple[float, float]  # budget as share of what the target allows; share of impressions worth their price


def draw_market(number: int) -> TrainingMarket:
    """Market `number`; every trait from its own wide range."""
    random = np.random.default_rng((number, 7))
    value, price = draw_process(random, 0.7), draw_process(random, 0.4)
    return TrainingMarket(
        number,
        int(np.exp(random.uniform(np.log(15_000), np.log(150_000)))),
        int(random.integers(1, 7)),
        value,
        price,
        float(random.choice([0.0, random.uniform(0.0, 0.9)])),
        float(random.uniform(0.0, 0.8)),
        (float(random.uniform(0.3, 1.3)), float(random.uniform(0.15, 1.0))),
        float(random.uniform(0.0, 1.0)),
        float(random.uniform(0.3, 1.0)),
        float(random.choice([0.0, 0.0, 0.3])),
        (float(np.exp(random.normal(-0.5, 0.8))), float(np.exp(random.uniform(np.log(0.005), np.log(0.5))))),
    )


def draw_process(random: np.random.Generator, scale: float) -> Process:
    """A process whose deviation is about `scale`."""
    return Process(
        scale * float(np.exp(random.uniform(-1.0, 0.4))),
        str(random.choice(SPREADS)),
        float(np.exp(random.uniform(np.log(3), np.log(24)))),
        bool(random.random() < 0.5),
        scale * float(random.choice([0.0, random.uniform(0.0, 0.4)])),
        float(random.choice([0.0, random.uniform(0.0, 0.9)])),
    )


def day_of(market: TrainingMarket, day: int) -> dict[str, NDArray[Any]]:
    """Columns of one day, rows in time order."""
    random, shared = np.random.default_rng((market.number, 11, day)), np.random.default_rng((market.number, 13))
    value, volume = path(market.value, shared, random), smooth(market.ramp, market.volume_repeats, shared, random)
    price = path(market.price, shared, random) + market.follows * value
    if random.random() < market.late:
        value[int(random.integers(36, 46)) :] += random.choice([-1, 1]) * 2 * market.value.deviation
    share = np.exp(volume) / np.exp(volume).sum()
    tick = np.repeat(np.arange(TICKS), random.poisson(market.impressions * share))
    return impressions(market, random, tick, (value[tick], price[tick]))


def path(process: Process, shared: np.random.Generator, own: np.random.Generator) -> FloatArray:
    """Log level per tick [48]: what repeats every day plus what this day brings."""
    again, today = walk(process, shared), walk(process, own)
    return np.asarray(np.sqrt(process.repeats) * again + np.sqrt(1 - process.repeats) * today)


def walk(process: Process, random: np.random.Generator) -> FloatArray:
    """A level per block and a drift within, [48]."""
    if process.regular:
        block = (np.arange(TICKS) // max(round(process.block), 1)).astype(int)
    else:
        block = (random.random(TICKS) < 1 / process.block).cumsum()
    drift = np.convolve(random.normal(size=TICKS + 8), np.full(8, 8**-0.5))[8 : TICKS + 8]
    return np.asarray(process.deviation * draws(process.spread, random)[block] + process.drift * drift)


def draws(spread: str, random: np.random.Generator) -> FloatArray:
    """Deviations [48] of mean about 0 and variance about 1, logs of factors."""
    if spread == "uniform":
        return np.asarray(np.log(random.uniform(0.3, 1.7, TICKS)) / 0.5)
    if spread == "heavy":
        return np.asarray(random.standard_t(3, TICKS) / 3**0.5).clip(-4, 4)
    return np.asarray(random.normal(size=TICKS))


def smooth(deviation: float, repeats: float, shared: np.random.Generator, own: np.random.Generator) -> FloatArray:
    """Log volume per tick [48]: waves over the day, part of them the same every day."""
    hours = 2 * np.pi * np.arange(TICKS) / TICKS
    waves = np.stack([wave(k * hours) for k in (1, 2, 3) for wave in (np.sin, np.cos)]) / np.sqrt(3)
    weights = np.sqrt(repeats) * shared.normal(size=6) + np.sqrt(1 - repeats) * own.normal(size=6)
    return np.asarray(deviation * weights @ waves + 0.1 * own.normal() + 0.05 * own.normal(size=TICKS))


def impressions(
    market: TrainingMarket, random: np.random.Generator, tick: NDArray[np.int64], level: tuple[FloatArray, FloatArray]
) -> dict[str, NDArray[Any]]:
    """Value and three prices of each impression, for the log levels (value, price) [n]."""
    kind, own = random.normal(size=len(tick)), random.normal(size=len(tick))
    value = 1e-3 * np.exp(level[0] + market.deviations[0] * kind)
    noise = market.tie * kind + np.sqrt(1 - market.tie**2) * own
    price = np.exp(level[1] + market.deviations[1] * noise) / 10
    steps = random.beta(8, 2, (2, len(tick)))
    columns = {"tick": tick, "value": value.clip(max=0.9), "value_sigma": 0.1 * value.clip(max=0.9), "price_1": price}
    return columns | {"price_2": price * steps[0], "price_3": price * steps[0] * steps[1]}


def terms(market: TrainingMarket, day: dict[str, NDArray[Any]]) -> dict[str, float]:
    """Budget and target: so many impressions are worth their price, the budget is a share of what that allows."""
    target = float(np.quantile(day["price_1"] / day["value"], market.tightness[1]))
    worth, price = target * day["value"], np.stack([day[f"price_{k}"] for k in (1, 2, 3)], 1)
    best = optimum(worth, price, np.broadcast_to(SEEN, price.shape), float(price[:, 0].sum()))
    return {"budget": max(market.tightness[0] * best.spend, 20 * float(price.mean())), "target_cpa": target}


def write_market(folder: Path, market: TrainingMarket) -> None:
    """The market as a folder that `qianheng replay` reads; its terms fit a day that is not among those written."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {"00": terms(market, day_of(market, market.days))}
    (folder / "campaigns.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "market.json").write_text(json.dumps(asdict(market), indent=1), encoding="utf-8")
    for day in range(market.days):
        parquet.write_table(pa.table(day_of(market, day)), folder / f"day{day}_advertiser00.parquet")


def score(folders: Sequence[Path], steps: int) -> list[ReplayScore]:
    """Every day of every market, its other days being known."""
    return [score for folder in folders for score in replay([folder], ["qianheng", "min-pacing"], steps)]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "score"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--markets", type=int, default=40)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--thin", action="store_true", help=f"{STEPS_THIN} steps a day instead of {STEPS}")
    parser.add_argument("--json", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    if chosen.what == "make":
        for number in range(chosen.first, chosen.first + chosen.markets):
            write_market(chosen.folder / f"market{number:03}", draw_market(number))
        return
    folders = sorted(chosen.folder.glob("market*"))
    table = summary(score(folders, STEPS_THIN if chosen.thin else STEPS))
    chosen.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
