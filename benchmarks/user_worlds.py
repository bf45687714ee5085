"""Shops' users for benchmarks of statistics: what each has bought, with tails as heavy as those of orders are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from qianheng.experiments.estimates import Estimate, of_users

Float64: TypeAlias = npt.NDArray[np.float64]
ROOM = 4_000_000  # numbers held at once
Draw: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], Float64]


@dataclass(frozen=True, slots=True)
class World:
    """Draws what users have bought, of any shape; `of`: in words."""

    of: str
    draw: Draw


def log_normal(sigma: float, buy: float) -> World:
    """One order a buyer, of log-normal size; the share `buy` of users buys."""
    return World(
        f"log-normal {sigma:g}, {buy:.0%} buy",
        lambda draw, shape: _bought(draw, shape, buy, np.exp(sigma * draw.standard_normal(shape, np.float32))),
    )


def pareto(alpha: float, buy: float) -> World:
    """One order a buyer, of a size whose tail falls with the power `alpha`."""
    return World(
        f"Pareto {alpha:g}, {buy:.0%} buy",
        lambda draw, shape: _bought(draw, shape, buy, (1 - draw.random(shape, np.float32)) ** np.float32(-1 / alpha)),
    )


def retail(data: Path) -> World:
    """Real customers' orders of a quarter, less what they sent back; a fifth of users are such customers."""
    import duckdb

    file = next((data / "retail").glob("*.parquet"))
    rows = duckdb.connect().execute(
        """select sum("Quantity" * "Price") from read_parquet(?) where "Customer ID" is not null
        and "InvoiceDate" >= '2010-04-01' and "InvoiceDate" < '2010-07-01' group by "Customer ID" """,
        [str(file)],
    )
    sums = np.maximum(np.array(rows.fetchall(), np.float64)[:, 0], 0.0)
    return World(
        "real customers, 20% buy",
        lambda draw, shape: sums[draw.integers(0, len(sums), shape)] * (draw.random(shape, np.float32) < 0.2),
    )


def worlds(data: Path | None) -> Mapping[str, World]:
    """All of them, by a short name."""
    found = {
        "ln1": log_normal(1.0, 0.1),
        "ln1 rare": log_normal(1.0, 0.02),
        "ln1.5": log_normal(1.5, 0.1),
        "ln2": log_normal(2.0, 0.1),
        "ln2 all": log_normal(2.0, 1.0),
        "pareto2.1": pareto(2.1, 0.1),
        "pareto3": pareto(3.0, 0.1),
    }
    return found | ({"retail": retail(data)} if data else {})


def walks(
    world: World, runs: int, arrive: tuple[int, int], looks: int, *, back: bool = False
) -> tuple[Estimate, Estimate]:
    """Two equal arms as they grow, `arrive` users of each arm a look: arrays [runs, looks]. back: all users are there
    from the first look on and buy again, so that sums of the same users grow.
    """
    draw = np.random.default_rng([4, *arrive, looks])
    parts = [
        [_walk(world, draw, (some, count, looks), back) for count in arrive]
        for some in portions(runs, sum(arrive) * (looks if back else 4))
    ]
    a, b = (_joined([part[arm] for part in parts]) for arm in (0, 1))
    return a, b


def _walk(world: World, draw: np.random.Generator, shape: tuple[int, int, int], back: bool) -> Estimate:
    runs, count, looks = shape
    if back:
        sums = np.zeros((runs, count * 10))
        grown = []
        for _ in range(looks):
            sums = sums + world.draw(draw, sums.shape)
            grown.append(of_users(sums))
        return Estimate(*(np.stack([getattr(one, name) for one in grown], axis=1) for name in Estimate.__slots__))
    powers = np.empty((3, runs, looks))
    for look in range(looks):
        bought = world.draw(draw, (runs, count))
        squares = bought * bought
        powers[:, :, look] = bought.sum(1), squares.sum(1), (squares * bought).sum(1)
    first, second, third = powers.cumsum(axis=2)
    users = np.broadcast_to(count * np.arange(1.0, looks + 1), first.shape)
    mean = first / users
    variance = (second / users - mean**2) / (users - 1)
    return Estimate(users, mean, variance, (third / users - 3 * mean * second / users + 2 * mean**3) / users**2)


def _joined(parts: Sequence[Estimate]) -> Estimate:
    return Estimate(*(np.concatenate([getattr(part, name) for part in parts]) for name in Estimate.__slots__))


def portions(runs: int, users: int) -> Iterator[int]:
    """`runs` in portions that fit into memory."""
    most = max(1, ROOM // users)
    yield from (min(most, runs - done) for done in range(0, runs, most))


def _bought(draw: np.random.Generator, shape: tuple[int, ...], buy: float, size: npt.NDArray[np.float32]) -> Float64:
    return (size * (draw.random(shape, np.float32) < buy)).astype(np.float64)
