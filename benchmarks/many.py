"""A thousand plans bidding in the same market: welfare, revenue, targets kept, and whether the multipliers stay calm.

    python -m benchmarks.many [--plans 1000] [--days 3] [--seeds 3] [--bidders qianheng pid ...] [--thin]

Nobody else moves the prices: they are what the plans make of each other, all of them run by one kind of bidder. Every
request has a dozen candidates of one category and an outside bid. Values have a part common to the request, one of the
plan, one of both, and a level that moves over the day; predictions are off by 20 %, and right on average of all that
look alike. One place a page, second price, cleared by the production kernel. The first day, on which nobody knows
anything, is left out.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.intervals import Columns, Figure, columns_of, figure
from benchmarks.picture import Axis, Curve, curves, write
from qianheng.auction.kernel import Cleared, clear, strongest
from qianheng.bidding.protocol import MakeBidder, Market, Outcome, PlanBidder
from qianheng.bidding.references import BIDDERS
from qianheng.core.money import YUAN

RESULTS = Path(__file__).parent / "results" / "many.json"
CATEGORIES, CANDIDATES = 8, 12
STEPS, HOURS = 144, 24
STRIDES = (1, 3, 7, 9, 11, 13)
PERSISTENCE, LEVEL, ERROR = 0.8, 0.2, 0.2  # of the level from hour to hour; its deviation; that of predictions

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Requests:
    """One step: n requests with their candidates; money in yuan."""

    plan: Int  # [n, candidates]
    value: Float  # [n, candidates] true expected GMV if shown
    predicted: Float  # [n, candidates]
    outside: Float  # [n] what somebody else bids


class Crowd:
    """Plans of one seed and the requests they meet: the same for every bidder."""

    def __init__(self, plans: int, requests: int, seed: int) -> None:
        """`requests` a day on average."""
        draw = np.random.default_rng((seed, 0))
        self.seed, self.plans, self.requests = seed, plans, requests
        self.target = draw.choice([1.5, 2.0, 3.0, 4.0], plans)
        self.quality = draw.lognormal(0.0, 0.4, plans) * self.target * 0.05  # GMV of a usual impression
        self.budget = draw.lognormal(0.0, 0.8, plans) * 0.09 * requests / plans

    def day(self, number: int) -> Iterator[Requests]:
        """The steps of one day."""
        draw = np.random.default_rng((self.seed, number))
        level = _levels(draw)
        shape = 1.0 + 0.8 * np.sin((np.arange(STEPS) / STEPS - 0.3) * 2 * np.pi)
        for step, share in enumerate(shape / STEPS):
            yield self._step(draw, int(draw.poisson(self.requests * share)), level[step * HOURS // STEPS])

    def _step(self, draw: np.random.Generator, count: int, level: Float) -> Requests:
        size = self.plans // CATEGORIES
        category = draw.integers(0, CATEGORIES, count)
        first, stride = draw.integers(0, size, count), draw.choice(np.array(STRIDES), count)
        place = (first[:, None] + stride[:, None] * np.arange(CANDIDATES)) % size
        plan = (category[:, None] * size + place).astype(np.int64)
        common = np.exp(level[category] + draw.normal(0.0, 0.5, count))
        predicted = self.quality[plan] * common[:, None] * draw.lognormal(-0.18, 0.6, plan.shape)
        value = predicted * draw.lognormal(-(ERROR**2) / 2, ERROR, plan.shape)
        return Requests(plan, value, predicted, 0.03 * common * draw.lognormal(0.0, 0.5, count))


def _levels(draw: np.random.Generator) -> Float:
    """How good each category's traffic is in each hour, logarithms [hours, categories]."""
    level = np.zeros((HOURS, CATEGORIES))
    for hour in range(HOURS):
        before = level[hour - 1] if hour else np.zeros(CATEGORIES)
        fresh = draw.normal(0.0, LEVEL * np.sqrt(1 - PERSISTENCE**2), CATEGORIES)
        level[hour] = PERSISTENCE * before + fresh
    return level


@dataclass(frozen=True, slots=True)
class Day:
    """What a day of all plans came to: money in yuan."""

    seed: int
    welfare: float  # true GMV of what was shown
    liquid: float  # Σ over plans of what their worth or budget would have let them pay
    revenue: float
    keeping: float  # share of plans that spent anything with true worth at least 95 % of spend
    far_below: float  # … with less than 80 %
    budget: float  # share of all budgets spent
    calm: float  # standard deviation of the change of log multiplier from hour to hour, median over plans
    turns: float  # share of steps in which the multiplier turns round by more than 1 % both ways
    seconds: float


def live(crowd: Crowd, make_bidder: MakeBidder, days: int) -> Iterator[tuple[Day, Float]]:
    """Each day, and the multipliers of all plans at every step of it [steps, plans]."""
    bidder = make_bidder(Market(1, np.ones((1, 1)), STEPS), crowd.budget * YUAN)
    for number in range(1, days + 1):
        began = time.process_time()
        books = _Books(crowd)
        path = []
        for step, requests in enumerate(crowd.day(number)):
            _serve(crowd, bidder, books, (step, requests))
            path.append(bidder.multiplier.copy())
        bidder.close_day()
        yield books.close(np.array(path), time.process_time() - began), np.array(path)


class _Books:
    """What every plan has spent and won on a day [plans], yuan."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.spend, self.gmv = np.zeros(crowd.plans), np.zeros(crowd.plans)

    def close(self, path: Float, seconds: float) -> Day:
        """The day as a whole."""
        worth = self.gmv / self.crowd.target
        live = self.spend > 0
        kept = worth[live] / self.spend[live]
        logs = np.log(np.maximum(path, 1e-3))
        return Day(
            seed=self.crowd.seed,
            welfare=float(self.gmv.sum()),
            liquid=float(np.minimum(worth, self.crowd.budget).sum()),
            revenue=float(self.spend.sum()),
            keeping=float((kept >= 0.95).mean()),
            far_below=float((kept < 0.8).mean()),
            budget=float(self.spend.sum() / self.crowd.budget.sum()),
            calm=_calm(logs),
            turns=_turns(logs),
            seconds=seconds,
        )


def _serve(crowd: Crowd, bidder: PlanBidder, books: _Books, now: tuple[int, Requests]) -> None:
    """One step: all candidates bid, the auctions clear, a win that the rest of the budget cannot pay is lost."""
    step, requests = now
    plan, shape = requests.plan.ravel(), requests.plan.shape
    worth = (requests.predicted / crowd.target[requests.plan]).ravel() * YUAN
    nowhere = np.zeros(len(plan), np.int64)
    left = np.maximum(crowd.budget - books.spend, 0.0) * YUAN
    bids = np.minimum(bidder.bid(step, plan, nowhere, worth), left[plan])
    cleared = _clear(bids.reshape(shape), requests.outside * YUAN)
    won = cleared.winner[:, :1] == np.arange(shape[1])
    spend = np.where(won, cleared.price[:, :1], 0).ravel().astype(float)
    payable = spend <= _left_before(plan, spend, left)
    seen, spend = won.ravel() & payable, spend * payable
    books.spend += np.bincount(plan, spend, crowd.plans) / YUAN
    books.gmv += np.bincount(plan, requests.value.ravel() * seen, crowd.plans)
    price = cleared.rival_price.reshape(-1, 1).astype(float)
    bidder.observe(step, Outcome(plan, nowhere, worth, price, seen.astype(np.int64), seen, spend))


def _clear(bids: Float, outside: Float) -> Cleared:
    rows = len(bids)
    others = strongest(outside[:, None].astype(np.float32), 2)
    return clear(bids.astype(np.float32), others, np.full(rows, 1000.0, np.float32), np.ones(rows, np.int8))


def _left_before(plan: Int, spend: Float, left: Float) -> Float:
    """What each row's plan has left when its turn comes, earlier rows having paid [rows]."""
    order = np.argsort(plan, kind="stable")
    paid = np.cumsum(spend[order])
    begins = np.searchsorted(plan[order], plan[order])
    before = paid - spend[order] - np.where(begins > 0, paid[begins - 1], 0.0)
    result = np.empty_like(spend)
    result[order] = left[plan[order]] - before
    return result


def _calm(logs: Float) -> float:
    """Median over plans of the standard deviation of hourly changes of the log multiplier."""
    hourly = logs[STEPS // HOURS - 1 :: STEPS // HOURS]
    return float(np.median(np.std(np.diff(hourly, axis=0), axis=0)))


def _turns(logs: Float) -> float:
    """Share of pairs of consecutive changes that point opposite ways, both by more than 1 %."""
    change = np.diff(logs, axis=0)
    large = np.abs(change) > 0.01
    opposite = (change[1:] * change[:-1] < 0) & large[1:] & large[:-1]
    return float(opposite.mean())


def _mean(column: str) -> Callable[[Columns], float]:
    return lambda days: float(days[column].mean())


def compare(crowds: Sequence[Crowd], bidders: Sequence[str], days: int) -> Iterator[tuple[str, list[Day], Curve]]:
    """Every bidder's days but the first, and the median plan's multiplier over the last against its mean."""
    hours = (np.arange(STEPS) / STEPS * HOURS).tolist()
    for name in bidders:
        lived = [found for crowd in crowds for found in list(live(crowd, BIDDERS[name], days))[min(1, days - 1) :]]
        path = lived[-1][1]
        curve = Curve(name, hours, np.median(path / np.maximum(path.mean(axis=0), 1e-9), axis=1).tolist())
        yield name, [day for day, _ in lived], curve


def figures(days: Sequence[Day]) -> dict[str, Figure]:
    """The means of some days."""
    return {name: figure(columns_of(days), _mean(name)) for name in Day.__slots__ if name != "seed"}


def show(bidder: str, found: Mapping[str, Figure]) -> None:
    """Print one line."""
    print(f"{bidder:22}" + "".join(f"{name} {one.value:,.3f}  " for name, one in found.items()), flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, default=1000)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bidders", nargs="+", choices=BIDDERS, default=list(BIDDERS))
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--thin", action="store_true", help="few plans and requests")
    chosen = parser.parse_args(arguments)
    plans, seeds, days = (80, 1, 2) if chosen.thin else (chosen.plans, chosen.seeds, chosen.days)
    crowds = [Crowd(plans, 250 * plans, seed) for seed in range(1, seeds + 1)]
    told: dict[str, dict[str, Figure]] = {}
    drawn = []
    for name, lived, curve in compare(crowds, chosen.bidders, days):
        told[name] = figures(lived)
        drawn.append(curve)
        show(name, told[name])
    _keep(chosen.json, plans, told)
    title = "Multiplier over the day against its mean, median plan"
    write(chosen.json.with_suffix(".svg"), curves(title, (Axis("hour"), Axis("multiplier")), drawn))


def _keep(path: Path, plans: int, told: Mapping[str, Mapping[str, Figure]]) -> None:
    plain = {name: {measure: asdict(one) for measure, one in found.items()} for name, found in told.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"plans": plans, "bidders": plain}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
