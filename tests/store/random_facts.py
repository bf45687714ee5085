"""A small world of facts as a function of a seed: days around a clock change, boosts, flags, refunds at the edges."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qianheng.core.days import DAY, HOUR, SECOND, microseconds
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import SCHEMAS, Kind

START = microseconds(datetime(2025, 10, 31, tzinfo=ZoneInfo("America/New_York")))  # clocks change on 2 November
DAYS = 4
AGES = np.array([0, 30 * SECOND, 60 * SECOND, 60 * SECOND + 1, HOUR, HOUR + 1, DAY, 7 * DAY, 7 * DAY + 1, 15 * DAY])


def world(seed: int, size: int) -> FactBatch:
    """`size` facts of each kind, each id once, in order of id. Some refunds are of orders that nobody ever tells."""
    rng = np.random.default_rng(seed)
    orders = _facts(rng, Kind.ORDER, size)
    refunds = _facts(rng, Kind.REFUND, size)
    of = rng.integers(0, len(orders["id"]), size)
    refunds |= {"order_id": orders["id"][of], "order_at": orders["at"][of], "plan_id": orders["plan_id"][of]}
    refunds["at"] = refunds["order_at"] + rng.choice(AGES, size)
    refunds["received_at"] = np.maximum(refunds["received_at"], refunds["at"])  # nothing is told before it happens
    refunds["amount"] = np.where(rng.random(size) < 0.5, orders["amount"][of], orders["amount"][of] // 2)
    told = rng.random(size) < 0.9
    columns = {kind: _facts(rng, kind, size) for kind in (Kind.IMPRESSION, Kind.CLICK, Kind.CHARGE)}
    columns |= {Kind.ORDER: {name: values[told] for name, values in orders.items()}, Kind.REFUND: refunds}
    return FactBatch({kind: table(kind, facts) for kind, facts in columns.items()})


def tellings(batch: FactBatch, seed: int, parts: int) -> list[FactBatch]:
    """The same facts in another order, some of them twice (and received later the second time), in so many batches."""
    rng = np.random.default_rng(seed)
    cut: list[dict[Kind, pa.Table]] = [{} for _ in range(parts)]
    for kind, facts in batch.tables.items():
        rows = np.arange(facts.num_rows)
        order = rng.permutation(np.concatenate([rows, rows[: len(rows) // 2]]))
        for part, told in zip(cut, np.array_split(order, parts), strict=True):
            part[kind] = facts.take(told)
    return [FactBatch(part) for part in cut]


def _facts(rng: np.random.Generator, kind: Kind, size: int) -> dict[str, npt.NDArray[Any]]:
    small = {"plan_id": 3, "channel": 3, "boost": 3, "target_version": 3, "flagged": 2, "placement": 4}
    columns: dict[str, npt.NDArray[Any]] = {
        name: rng.integers(0, small.get(name, 100), size) for name in SCHEMAS[kind].names
    }
    columns |= {"id": rng.permutation(10 * size)[:size], "at": START + rng.integers(0, DAYS * DAY, size)}
    columns["received_at"] = columns["at"] + rng.choice([0, HOUR, 5 * DAY], size)
    if "target_version" in columns:
        columns["target_version"] -= 1
    if "flagged" in columns:
        columns["flagged"] = rng.random(size) < 0.1
    return columns
