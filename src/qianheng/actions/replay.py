"""`replay`: the production bidder on recorded auctions, beside reference bidders and the hindsight optimum.

Two kinds of recordings are read:

- a folder with `campaigns.json` ({advertiser: {budget, target_cpa}}) and `dayD_advertiserNN.parquet`, one row an
  impression in time order: tick 0..47, value (predicted conversion probability), value_sigma and price_1 ≥ price_2 ≥
  price_3, what each of three places costs; place k is seen with chance 1, 0.8, 0.48. An advertiser's other days are
  its history;
- logs of second prices (`*.tsv` or `*.tsv.gz`): click, price (fen per 1000 impressions), predicted click rate. Each is
  a day without history in six settings: budget ½, ⅛, 1/32 of all prices; target ½ and 1 times the mean.

A day is cut into steps; a bidder sees one at a time and learns all prices of it afterwards. Scores of a day in expected
conversions V: value = V / optimum, over = spend / (target_cpa · V), capped = min(1, value) · min(1, 1 / over)².
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from qianheng.auction.hindsight import optimum
from qianheng.bidding.references import BIDDERS
from qianheng.bidding.replay import Day, ReplayBidder, make
from qianheng.core.errors import BadInput

SEEN = np.array([1.0, 0.8, 0.48])
TICKS, STEPS = 48, 960
PARTS, SCALES = (2, 8, 32), (0.5, 1.0)
_COLUMNS = ("tick", "value", "value_sigma", "price_1", "price_2", "price_3")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded day and the terms of whoever bids in it."""

    name: str
    day: Day
    history: Sequence[Day]
    budget: float
    target_cpa: float


@dataclass(frozen=True, slots=True)
class ReplayScore:
    """What one bidder made of one recording; shares of the optimum, of the target, of the budget."""

    bidder: str
    recording: str
    capped: float
    value: float
    over: float
    spend: float


def replay(
    paths: Sequence[Path],
    bidders: Sequence[str] = tuple(BIDDERS),
    steps: int = STEPS,
    told: Callable[[ReplayScore], None] = lambda _: None,
) -> list[ReplayScore]:
    """Score bidders (names of `BIDDERS`) on every recording in these folders and logs.

    A path that is neither, a column missing, a value out of range, or an unknown bidder: BadInput.
    """
    for name in bidders:
        if name not in BIDDERS:
            raise BadInput("replay.unknown_bidder", place="--bidder", value=name, known=", ".join(BIDDERS))
    scores = []
    for seed, recording in enumerate(recordings(paths)):
        best = _hindsight(recording)
        for name in bidders:
            scores.append(_score(recording, name, best, (steps, seed)))
            told(scores[-1])
    return scores


def recordings(paths: Sequence[Path]) -> Iterator[Recording]:
    """All recordings in folders and logs, in order."""
    for path in paths:
        if path.is_dir():
            yield from _recorded_days(path)
        elif path.is_file():
            yield from _price_log(path)
        else:
            raise BadInput("replay.nothing_there", place=str(path))


def _recorded_days(folder: Path) -> Iterator[Recording]:
    try:
        campaigns = json.loads((folder / "campaigns.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput("replay.no_campaigns", place=str(folder / "campaigns.json"), why=error) from None
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("day*_advertiser*.parquet")):
        files.setdefault(re.sub(".*advertiser", "", path.stem), []).append(path)
    if not files:
        raise BadInput("replay.no_days", place=str(folder))
    for advertiser, paths in files.items():
        try:
            terms = campaigns[advertiser]
            budget, target_cpa = float(terms["budget"]), float(terms["target_cpa"])
        except (KeyError, TypeError, ValueError):
            raise BadInput("replay.no_terms", place=f"campaigns.json: {advertiser}") from None
        days = [_read_day(path) for path in paths]
        for i, path in enumerate(paths):
            yield Recording(path.stem, days[i], days[:i] + days[i + 1 :], budget, target_cpa)


def _read_day(path: Path) -> Day:
    try:
        table = parquet.read_table(path, columns=list(_COLUMNS))
        columns = {name: table[name].to_numpy().astype(float) for name in _COLUMNS}
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise BadInput("replay.bad_day", place=str(path), columns=", ".join(_COLUMNS), why=error) from None
    price = np.stack([columns[f"price_{k}"] for k in (1, 2, 3)], 1)
    tick = columns["tick"].astype(int)
    if np.any(np.diff(tick) < 0) or tick.min() < 0 or tick.max() >= TICKS or np.any(np.diff(price, axis=1) > 0):
        raise BadInput("replay.disordered", place=str(path))
    return {"tick": tick, "price": price, "value": columns["value"], "value_sigma": columns["value_sigma"]}


def _price_log(path: Path) -> Iterator[Recording]:
    price, value = _read_log(path)
    day = {
        "tick": np.arange(len(value)) * TICKS // len(value),
        "value": value,
        "value_sigma": np.zeros(len(value)),
        "price": np.repeat(price[:, None] / 1000, len(SEEN), 1),
    }
    total = float(price.sum() / 1000)
    for part in PARTS:
        for scale in SCALES:
            name = f"{path.name.split('.')[0]} 1/{part} ×{scale:g}"
            yield Recording(name, day, [], total / part, scale * total / float(value.sum()))


def _read_log(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The price and value columns of a log; a line that is not like that: BadInput with its number."""
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadInput("core.unreadable_file", place=str(path), why=getattr(error, "strerror", None) or error) from None
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            _, price, value = line.split()[:3]
            rows.append((float(price), float(value)))
        except ValueError:
            raise BadInput("replay.bad_line", place=f"{path}:{number}", value=line.strip()[:80]) from None
    prices, values = np.array(rows, float).reshape(-1, 2).T
    if not values.sum() > 0:
        raise BadInput("replay.nothing_there", place=str(path))
    return prices, values


def _score(recording: Recording, name: str, best: float, run: tuple[int, int]) -> ReplayScore:
    steps, seed = run
    bidder = make(
        budget=recording.budget,
        target_cpa=recording.target_cpa,
        steps=steps,
        history=recording.history,
        make_bidder=BIDDERS[name],
    )
    value, spend = _play(recording, bidder, steps, np.random.default_rng(seed))
    over = spend / max(value * recording.target_cpa, 1e-12)
    share = value / best if best > 0 else 0.0
    capped = min(1.0, share) * min(1.0, 1 / max(over, 1e-12)) ** 2
    return ReplayScore(name, recording.name, capped, share, over, spend / recording.budget)


def _hindsight(recording: Recording) -> float:
    """Most expected conversions with every price known."""
    value, price = recording.day["value"], recording.day["price"]
    within = price[:, -1] < 50 * recording.target_cpa * value  # nobody sensible pays more, and it takes time
    worth, price = value[within] * recording.target_cpa, price[within]
    return optimum(worth, price, np.broadcast_to(SEEN, price.shape), recording.budget).value / recording.target_cpa


def _play(recording: Recording, bidder: ReplayBidder, steps: int, draw: np.random.Generator) -> tuple[float, float]:
    """Expected conversions and spend of one day; a win that the rest of the budget cannot pay is lost."""
    day, chance = recording.day, np.concatenate([[0.0], SEEN])
    ticks = np.searchsorted(day["tick"], np.arange(TICKS + 1))
    edges = np.interp(np.linspace(0, TICKS, steps + 1), np.arange(TICKS + 1), ticks).astype(int)
    won, left = 0.0, recording.budget
    for step, (start, stop) in enumerate(pairwise(edges)):
        value, sigma, price = (day[name][start:stop] for name in ("value", "value_sigma", "price"))
        bid = np.maximum(bidder.bid(step, value.copy(), sigma.copy()), 0.0)
        slot = np.select([bid > price[:, 0], bid > price[:, 1], bid > price[:, 2]], [1, 2, 3], 0)
        exposed = draw.random(len(value)) < chance[slot]
        spend = np.where(exposed, price[np.arange(len(value)), np.maximum(slot - 1, 0)], 0.0)
        refused = exposed & (np.cumsum(spend) > left)
        slot, exposed, spend = np.where(refused, 0, slot), exposed & ~refused, np.where(refused, 0.0, spend)
        left -= float(spend.sum())
        won += float(value @ exposed)
        outcome: dict[str, Any] = {"slot": slot, "exposed": exposed, "spend": spend, "price": price}
        bidder.observe(step, outcome | {"remaining_budget": left})
    return won, recording.budget - left


def summary(scores: Sequence[ReplayScore]) -> dict[str, dict[str, float]]:
    """Per bidder: mean and spread of the capped score, how often and how far the target was missed, budget spent."""
    table = {}
    for name in dict.fromkeys(score.bidder for score in scores):
        mine = [score for score in scores if score.bidder == name]
        capped, over = np.array([score.capped for score in mine]), np.array([score.over for score in mine])
        table[name] = {
            "capped": float(capped.mean()),
            "p10": float(np.quantile(capped, 0.1)),
            "least": float(capped.min()),
            "value": float(np.mean([score.value for score in mine])),
            "over_1_percent": float((over > 1.01).mean()),
            "over_5_percent": float((over > 1.05).mean()),
            "worst_over": float(over.max()),
            "spend": float(np.mean([score.spend for score in mine])),
            "recordings": len(mine),
        }
    return table
