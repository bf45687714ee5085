"""A month of a marketplace settled: the production path against one hand-written DuckDB query over the same files.

20 million orders, 4 million refunds and 8 million charges of 1,000 plans in 30 days, with a change of target within
every day: the three ROIs, and the compensation of every plan's day. Each side runs in a process of its own, the faster
of its runs counts, and their answers must agree to the micro-yuan. Writes benchmarks/results/settlement.json.

Run: python benchmarks/settlement.py [--thin] [--folder KEEP]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from qianheng.core.days import DAY, HOUR, SECOND, microseconds, midnight
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import SCHEMAS, Channel, Kind
from qianheng.guarantee.case import Log, Target, Unit
from qianheng.guarantee.figures import Figures, Period
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.verdict import judge
from qianheng.measures.days import Days
from qianheng.measures.query import Counted, counted_of, plan_day, sums_of
from qianheng.measures.sums import Sums, total
from qianheng.plans.plan import Goal
from qianheng.store.database import connect, migrate, reading
from qianheng.store.lake import Lake

RESULTS = Path(__file__).parent / "results" / "settlement.json"
FIRST = date(2025, 10, 1)
START = microseconds(midnight(FIRST))
NOW = datetime(2025, 12, 1, tzinfo=UTC)
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to settle."""

    orders: int = 20_000_000
    refunds: int = 4_000_000
    charges: int = 8_000_000
    plans: int = 1_000
    days: int = 30

    @property
    def span(self) -> Days:
        """The days settled."""
        return Days(FIRST, FIRST + timedelta(days=self.days - 1))


THIN = Size(orders=200_000, refunds=40_000, charges=80_000, plans=20, days=5)


@dataclass(frozen=True, slots=True)
class Settled:
    """What either side answers: totals, and the compensation in micro-yuan of each plan's day by day, then plan."""

    spend: int
    gmv: int
    net_gmv: int
    settled_gmv: int
    compensation: list[int]

    def digest(self) -> str:
        """The same for the same answer."""
        return blake2b(json.dumps(asdict(self)).encode(), digest_size=8).hexdigest()


def changed_at(plan_id: Any, day: int) -> Any:
    """When a plan's target changes in its day: between 06:00 and 18:00, microseconds after midnight."""
    return 6 * HOUR + (plan_id * 7_919 + day * 104_729) % (12 * HOUR // SECOND) * SECOND


TARGETS = [Fraction(180 + step, 100) for step in range(200)]


def target(plan_id: int, version: int) -> Fraction:
    """The target of a plan in a version: 1.80 to 3.79."""
    return TARGETS[(plan_id * 31 + version * 17) % 200]


def goal(plan_id: int) -> Goal:
    """Every other plan bids to the net ROI."""
    return Goal.NET if plan_id % 2 else Goal.PAYMENT


def make(folder: Path, size: Size) -> float:
    """Fill a lake, a day at a time; the seconds it took to write."""
    engine, lake = connect(f"sqlite:///{folder / 'qianheng.db'}"), Lake(folder / "facts")
    migrate(engine)
    rng = np.random.default_rng(1)
    seconds = 0.0
    for day in range(size.days):
        batch = one_day(rng, size, day)
        began = time.perf_counter()
        with engine.begin() as connection:
            lake.add(connection, batch)
        seconds += time.perf_counter() - began
    return seconds


def one_day(rng: np.random.Generator, size: Size, day: int) -> FactBatch:
    """The facts of one day; a refund is received with its order, whatever its time."""
    orders = orders_of(rng, size, day)
    facts = {
        Kind.ORDER: orders,
        Kind.REFUND: refunds_of(rng, orders, size.refunds // size.days, day),
        Kind.CHARGE: charges_of(rng, size, day),
    }
    return FactBatch({kind: fill(kind, columns) for kind, columns in facts.items()})


def orders_of(rng: np.random.Generator, size: Size, day: int) -> dict[str, Any]:
    """Orders of 50 to 500 yuan; every tenth is boosted, every hundredth flagged."""
    orders = events(rng, size, size.orders, day)
    n = len(orders["id"])
    amount = rng.integers(5_000, 50_000, n) * 10_000 + rng.integers(0, 10_000, n)
    return orders | {
        "amount": amount,
        "flagged": rng.random(n) < 0.01,
        "boost": rng.choice(3, n, p=[0.9, 0.05, 0.05]),
        "user_id": rng.integers(0, 10**7, n),
        "product_id": orders["plan_id"] * 10 + rng.integers(0, 10, n),
        "audience": rng.integers(0, 100, n),
        "commission": amount // 50,
        "service_fee": amount // 100,
        "coupon": rng.integers(0, 3, n) * 1_000_000,
        "subsidy": 0,
        "coupon_id": -1,
        "placement": 0,
        "category": -1,
        "room_id": -1,
        "click_id": 1,
        "touched_at": 1,
        "creative_id": 1,
        "channel": int(Channel.PROMOTED),
    }


def refunds_of(rng: np.random.Generator, orders: dict[str, Any], count: int, day: int) -> dict[str, Any]:
    """Refunds, whole or half, at once, within the hour, within seven days and later."""
    of = rng.choice(len(orders["id"]), count, replace=False)
    age = rng.choice([30 * SECOND, HOUR // 2, DAY, 5 * DAY, 10 * DAY], count, p=[0.05, 0.35, 0.2, 0.3, 0.1])
    return {
        "id": ids(np.arange(count) + day * 10**8, 2),
        "at": orders["at"][of] + age,
        "received_at": orders["at"][of],
        "plan_id": orders["plan_id"][of],
        "order_id": orders["id"][of],
        "order_at": orders["at"][of],
        "amount": orders["amount"][of] // np.where(rng.random(count) < 0.8, 1, 2),
    }


def charges_of(rng: np.random.Generator, size: Size, day: int) -> dict[str, Any]:
    """Charges of 50 to 500 yuan; every tenth is boosted."""
    charges = events(rng, size, size.charges, day)
    n = len(charges["id"])
    return charges | {
        "amount": rng.integers(50, 500, n) * 1_000_000 + rng.integers(0, 10_000, n),
        "impression_id": rng.integers(0, 2**62, n),
        "boost": rng.choice(3, n, p=[0.9, 0.05, 0.05]),
        "placement": 0,
    }


def events(rng: np.random.Generator, size: Size, count: int, day: int) -> dict[str, Any]:
    """Id, time, plan and target version of a day's share of `count` events, in order of time."""
    n = count // size.days
    of_day = np.sort(rng.integers(0, DAY, n))
    plan_id = rng.integers(0, size.plans, n)
    at = START + day * DAY + of_day
    version = 2 * day + (of_day >= changed_at(plan_id, day))
    key = ids(np.arange(n) + day * 10**8, count)
    return {"id": key, "at": at, "received_at": at, "plan_id": plan_id, "target_version": version}


def ids(numbers: Int64, salt: int) -> Int64:
    """Ids without order, as hashes are."""
    mixed = (numbers.astype(np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return ((mixed ^ (mixed >> np.uint64(27))) >> np.uint64(1)).astype(np.int64)


def fill(kind: Kind, columns: dict[str, Any]) -> Any:
    """A table of exactly the schema's columns."""
    return table(kind, {name: columns[name] for name in SCHEMAS[kind].names})


def ours(folder: Path, size: Size) -> Settled:
    """The production path: the SQL of the measures over the lake, then the verdict on every unit."""
    engine, lake = connect(f"sqlite:///{folder / 'qianheng.db'}"), Lake(folder / "facts")
    with reading(engine) as connection:
        answer = lake.query(connection, plan_day(size.span))
    totals: Sums = total(sums_of(answer).values())
    counted = dict(counted_of(answer, promoted_only=False))
    policy = shipped().in_force("seed", FIRST)
    now = microseconds(NOW)
    compensation = []
    for number in range(size.days):
        day = FIRST + timedelta(days=number)
        for plan_id in range(size.plans):
            found = figures(plan_id, counted.get((plan_id, day), []))
            verdict = judge(policy, Unit(str(plan_id), day), log_of(plan_id, number), found, now)
            compensation.append(verdict.compensation)
    net, settled = totals.net_gmv, totals.gmv - totals.refunded_7d
    return Settled(totals.spend, totals.gmv, net, settled, compensation)


def figures(plan_id: int, counted: list[Counted]) -> Figures:
    """The figures of a unit as the guarantee wants them."""
    net = goal(plan_id) is Goal.NET
    periods = [
        Period(
            goal(plan_id),
            target(plan_id, row.target_version),
            row.net_orders if net else row.payment_orders,
            row.net_gmv if net else row.payment_gmv,
        )
        for row in counted
    ]
    return Figures(sum(row.spend for row in counted), tuple(periods))


def log_of(plan_id: int, day: int) -> Log:
    """The change log of a plan as far as it matters for a day: the target before it and the change within."""
    start = START + day * DAY
    bid, change = goal(plan_id), start + changed_at(plan_id, day)
    return Log((Target(start - DAY, bid, target(plan_id, 2 * day)), Target(change, bid, target(plan_id, 2 * day + 1))))


BARE = """
WITH r AS (
    SELECT order_id,
           SUM(amount) FILTER (WHERE f.at - f.order_at <= 60000000) AS at_once,
           SUM(amount) FILTER (WHERE f.at - f.order_at <= 3600000000) AS in_1h,
           SUM(amount) FILTER (WHERE f.at - f.order_at <= 604800000000) AS in_7d
    FROM read_parquet($refunds) f GROUP BY order_id
), o AS (
    SELECT plan_id, (f.at + 28800000000) // 86400000000 AS day, target_version AS version, SUM(amount) AS gmv,
           SUM(COALESCE(in_1h, 0)) AS refunded_1h, SUM(COALESCE(in_7d, 0)) AS refunded_7d,
           COUNT(*) FILTER (WHERE counts AND kept > 0) AS n, SUM(kept) FILTER (WHERE counts AND kept > 0) AS kept
    FROM (
        SELECT o.plan_id, o.at, o.target_version, o.amount, r.in_1h, r.in_7d,
               o.boost = 0 AND NOT o.flagged AND COALESCE(r.at_once, 0) < o.amount AS counts,
               o.amount - CASE WHEN o.plan_id % 2 = 1 THEN COALESCE(r.in_1h, 0) ELSE 0 END AS kept
        FROM read_parquet($orders) o LEFT JOIN r ON r.order_id = o.id
    ) f GROUP BY ALL
), c AS (
    SELECT plan_id, (f.at + 28800000000) // 86400000000 AS day, SUM(amount) AS spend,
           SUM(amount) FILTER (WHERE boost = 0) AS base
    FROM read_parquet($charges) f GROUP BY ALL
), u AS (
    SELECT plan_id, day, SUM(gmv) AS gmv, SUM(refunded_1h) AS refunded_1h, SUM(refunded_7d) AS refunded_7d,
           SUM(n) AS n, SUM(kept) AS kept,
           SUM(kept * 100.0::DOUBLE / (180 + (plan_id * 31 + version * 17) % 200)) AS expected
    FROM o GROUP BY ALL
)
SELECT spend, gmv, gmv - refunded_1h AS net_gmv, gmv - refunded_7d AS settled_gmv,
       CASE WHEN n >= 10 AND base > 0 AND kept / base < 0.8 * (kept / expected) AND base - expected >= 10000
            THEN ROUND_EVEN((base - expected) / 10000.0, 0)::BIGINT * 10000 ELSE 0 END AS compensation
FROM u JOIN c USING (plan_id, day) ORDER BY day, plan_id
"""


def bare(folder: Path, size: Size) -> Settled:
    """The same by one query, written by hand for this very question."""
    connection = duckdb.connect(config={"memory_limit": "512MB", "threads": 2, "preserve_insertion_order": False})
    files = {f"{kind}s": [str(path) for path in folder.glob(f"facts/{kind}/*/*.parquet")] for kind in Kind}
    rows = connection.execute(BARE, {name: files[name] for name in ("orders", "refunds", "charges")}).fetchall()
    spend, gmv, net, settled, compensation = zip(*rows, strict=True)
    assert len(rows) == size.plans * size.days
    return Settled(int(sum(spend)), int(sum(gmv)), int(sum(net)), int(sum(settled)), [int(due) for due in compensation])


SIDES: dict[str, Callable[[Path, Size], Settled]] = {"ours": ours, "bare": bare}


def run_side(side: str, folder: Path, size: Size) -> None:
    """Settle once and print what came out, how long it took and how much memory it held at most."""
    began, worked = time.perf_counter(), time.process_time()
    settled = SIDES[side](folder, size)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    answer = {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "peak_mb": peak_megabytes(),
        "digest": settled.digest(),
        "spend": settled.spend,
    }
    answer |= {"gmv": settled.gmv, "net_gmv": settled.net_gmv, "settled_gmv": settled.settled_gmv}
    due = {"compensated_units": sum(map(bool, settled.compensation)), "compensation": sum(settled.compensation)}
    print(json.dumps(answer | due))


def peak_megabytes() -> int:
    """The most memory this process has held; Linux tells a child's `ru_maxrss` too high, that of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure(folder: Path, thin: bool, runs: int) -> dict[str, Any]:
    """Run both sides in turn, each in a new process; the faster run of each, and how they compare."""
    size = THIN if thin else Size()
    write_seconds = round(make(folder, size), 1) if not (folder / "facts").exists() else None
    answers: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(runs):
        for side, found in answers.items():
            command = [sys.executable, __file__, "--side", side, "--folder", str(folder), *(["--thin"] if thin else [])]
            found.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    best = {side: min(found, key=lambda run: float(run["seconds"])) for side, found in answers.items()}
    return {
        "size": asdict(size),
        "write_seconds": write_seconds,
        "ours": best["ours"],
        "bare": best["bare"],
        "ratio": round(best["ours"]["seconds"] / best["bare"]["seconds"], 3),
        "cpu_ratio": round(best["ours"]["cpu_seconds"] / best["bare"]["cpu_seconds"], 3),
        "identical": best["ours"]["digest"] == best["bare"]["digest"],
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--thin", action="store_true")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--side", choices=SIDES)
    options = parser.parse_args()
    if options.side:
        run_side(options.side, options.folder, THIN if options.thin else Size())
        return
    with tempfile.TemporaryDirectory() as temporary:
        result = measure(options.folder or Path(temporary), options.thin, options.runs)
    print(json.dumps(result, indent=2))
    assert result["identical"], "the two sides disagree"
    if not options.thin:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
