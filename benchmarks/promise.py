"""How fast plan-days are judged with everything that explains them, and whether memory stays flat.

Two doors. `lines`: a file of cases through `qianheng guarantee evaluate --json`, beside the plain reading of
the same JSON. `sums`: kept facts of many plans and days, summed by SQL and judged with the ledger in view, as the close
of a day does, each answer written as JSON, by a process a core. Both apart from this process, at two sizes.

    python -m benchmarks.promise [--door lines|sums] [--size N ...]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.settlement import FIRST, Size, charges_of, fill, orders_of, peak_megabytes, refunds_of
from qianheng.actions.judging import judge_days
from qianheng.core.days import midnight
from qianheng.core.money import YUAN
from qianheng.facts.batch import FactBatch
from qianheng.facts.schema import Kind
from qianheng.guarantee.verdict import answer
from qianheng.ledger.transfers import platform_accounts
from qianheng.measures.days import Days
from qianheng.plans.plan import Goal, Plan, PlanKind, PlanStatus
from qianheng.store import ledger, plans
from qianheng.store.database import connect, migrate, reading
from qianheng.store.lake import Lake

RESULTS = Path(__file__).parent / "results" / "promise.json"
SIZES = (100_000, 1_000_000)
DAYS = 100
DAY = "2025-10-01"


def write_cases(path: Path, count: int) -> None:
    """Cases of eleven orders, a third of them with a refund, and a change of the target in every third."""
    rng = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(a_case(rng, number)) + "\n" for number in range(count))


def a_case(rng: random.Random, number: int) -> dict[str, Any]:
    """A plan-day of 巨量千川's kind: some are due, most are not."""
    orders = [an_order(rng, i) for i in range(11)]
    targets = [{"at": "2025-09-28T10:00:00+08:00", "goal": rng.choice(["payment", "net"]), "value": "2.50"}]
    if number % 3 == 0:
        targets.append({"at": f"{DAY}T{rng.randrange(24):02d}:30:00+08:00", "goal": "net", "value": "2.75"})
    spend = sum(Decimal(order["amount"]) for order in orders) / rng.choice([2, 3])
    return {
        "policy": "seed",
        "unit": {"plan_id": f"p{number}", "day": DAY},
        "targets": targets,
        "charges": [{"id": "c1", "at": clock(rng), "amount": f"{spend:.2f}", "boost": None}],
        "orders": orders,
        "events": [],
        "now": "2025-10-09T00:00:00+08:00",
    }


def an_order(rng: random.Random, i: int) -> dict[str, Any]:
    """An order of 50 to 500 yuan."""
    amount, at = f"{rng.randrange(5_000, 50_000) / 100:.2f}", clock(rng)
    refunds = [{"id": f"r{i}", "at": at, "amount": amount}] if rng.random() < 0.1 else []
    return {"id": f"o{i}", "at": at, "amount": amount, "boost": None, "flagged": False, "refunds": refunds}


def clock(rng: random.Random) -> str:
    """A time of the day."""
    seconds = rng.randrange(86_400)
    return f"{DAY}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}+08:00"


def fill_lake(folder: Path, units: int) -> None:
    """Plans in SQL and a hundred days of their facts in the lake: five orders, two charges, half a refund a unit."""
    size = Size(orders=5 * units, refunds=units // 2, charges=2 * units, plans=units // DAYS, days=DAYS)
    engine, lake = connect(f"sqlite:///{folder / 'qianheng.db'}"), Lake(folder / "facts")
    migrate(engine)
    rng = np.random.default_rng(1)
    with engine.begin() as connection:
        ledger.open_accounts(connection, platform_accounts())
        for plan_id in range(size.plans):
            plans.create(connection, a_plan(plan_id))
    for day in range(size.days):
        orders = orders_of(rng, size, day) | {"target_version": 0}
        charges = charges_of(rng, size, day) | {"target_version": 0}
        charges["amount"] = charges["amount"] // 4
        facts = {Kind.ORDER: orders, Kind.CHARGE: charges}
        facts[Kind.REFUND] = refunds_of(rng, orders, size.refunds // size.days, day)
        with engine.begin() as connection:
            lake.add(connection, FactBatch({kind: fill(kind, columns) for kind, columns in facts.items()}))
    engine.dispose()


def a_plan(plan_id: int) -> Plan:
    """A plan that holds an ROI of 1.8 to 3.8."""
    return Plan(
        id=plan_id,
        shop_id=1,
        ad_account_id=1,
        name=str(plan_id),
        kind=PlanKind.PRODUCT,
        goal=Goal.NET if plan_id % 2 else Goal.PAYMENT,
        target=Decimal(180 + plan_id % 200) / 100,
        budget_daily=10_000 * YUAN,
        product_ids=(1,),
        status=PlanStatus.ACTIVE,
    )


def judge_lake(folder: Path) -> int:
    """Every unit judged by a process a core; the megabytes all of them held at most."""
    parts = os.cpu_count() or 1
    with ProcessPoolExecutor(parts, get_context("spawn")) as pool:
        return sum(pool.map(judge_part, repeat(folder), range(parts), repeat(parts)))


def judge_part(folder: Path, part: int, parts: int) -> int:
    """Every unit of one part of the days judged and its answer written as JSON; the most megabytes held."""
    engine, lake = connect(f"sqlite:///{folder / 'qianheng.db'}"), Lake(folder / "facts")
    first, last = (FIRST + timedelta(days=DAYS * end // parts) for end in (part, part + 1))
    days = Days(first, last - timedelta(days=1))
    with reading(engine) as connection, Path(os.devnull).open("w", encoding="utf-8") as out:
        for one in judge_days(connection, lake, days, midnight(FIRST + timedelta(days=DAYS + 60))):
            out.write(json.dumps(answer(one.verdict, one.plan.timezone)))
    return peak_megabytes()


def read_json(path: Path) -> int:
    """The plain reading of the same lines."""
    with path.open("rb") as file:
        return sum(bool(json.loads(line)) for line in file)


def timed(*command: str) -> dict[str, Any]:
    """A command in a process of its own: seconds on the clock and of work, and the most memory any process held."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with Path(os.devnull).open("w") as out:
        done = subprocess.run([sys.executable, *command], check=True, stdout=out, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = done.stderr.decode().strip().splitlines()
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(cpu, 1),
        "peak_mb": int(peak[-1]) if peak and peak[-1].isdigit() else after.ru_maxrss // 1024,
    }


def through_lines(folder: Path, count: int) -> dict[str, Any]:
    """A file of cases, judged, beside its plain reading."""
    path = folder / f"{count}.jsonl"
    write_cases(path, count)
    judged = timed("-m", "qianheng.cli.main", "guarantee", "evaluate", str(path), "--json")
    plain = timed(__file__, "--read", str(path))
    path.unlink()
    ratio = round(judged["cpu_seconds"] / plain["cpu_seconds"], 1)
    return rated(judged, count) | {"json_loads_cpu_seconds": plain["cpu_seconds"], "cpu_over_json_loads": ratio}


def through_sums(folder: Path, count: int) -> dict[str, Any]:
    """Kept facts, summed and judged by a process a core, each its own days."""
    place = folder / f"sums-{count}"
    place.mkdir()
    fill_lake(place, count)
    return rated(timed(__file__, "--judge", str(place)), count)


def rated(found: dict[str, Any], count: int) -> dict[str, Any]:
    """What was timed, with plan-days a second."""
    return found | {"plan_days": count, "plan_days_a_second": round(count / found["seconds"])}


DOORS = {"lines": through_lines, "sums": through_sums}


def main() -> None:
    """Measure and write the result, beside what other doors and sizes gave before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", choices=DOORS, action="append")
    parser.add_argument("--size", type=int, action="append")
    parser.add_argument("--read", type=Path)
    parser.add_argument("--judge", type=Path)
    options = parser.parse_args()
    if options.read or options.judge:
        if options.read:
            read_json(options.read)
        workers = judge_lake(options.judge) if options.judge else 0
        print(workers + peak_megabytes(), file=sys.stderr)
        return
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for door in options.door or DOORS:
        for size in options.size or SIZES:
            with tempfile.TemporaryDirectory() as folder:
                load = os.getloadavg()[0]
                found = DOORS[door](Path(folder), size)
            found |= {
                "cores": os.cpu_count(),
                "load_before": round(load, 1),
                "on": datetime.now(UTC).date().isoformat(),
            }
            known.setdefault(door, {})[str(size)] = found
            print(door, json.dumps(found), flush=True)
            RESULTS.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
