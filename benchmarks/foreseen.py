"""How often the interval of a liability forecast holds what is paid: simulated runs, asked back hour by hour.

Four worlds in five should lie inside. Each seed is a run whose predictions are too high, so that targets are missed; of
each of its days, at each of some hours, the open units and their total are forecast from what was known then. Only
forecasts that leave something open are counted (where low and high differ); the others are counted apart.

    python -m benchmarks.foreseen [--seeds N]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from qianheng.actions.judging import judge_days
from qianheng.actions.liability import Liability, liability
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.core.days import midnight
from qianheng.measures.days import Days
from qianheng.store.database import reading

RESULTS = Path(__file__).parent / "results" / "foreseen.json"
HOURS = (8, 12, 15, 18, 21, 24)
WORLDS: Mapping[str, str] = {
    "days": "6",
    "opportunities_per_day": "8000",
    "buyers.population": "8000",
    "journal": "0",
    "plans.0.policy": "shopee-gmv-max",
    "plans.0.target": "4",
    "plans.0.changes": "[]",
    "plans.0.counting": "all",
    "plans.0.budget_daily": "400",
}
BIASES, GOALS = ("2", "3", "4"), ("payment", "net")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A forecast and what came: of one unit or of all, at an hour of a day."""

    of: str
    hour: int
    low: int
    mean: int
    high: int
    paid: int

    @property
    def uncertain(self) -> bool:
        """Whether anything was open."""
        return self.low < self.high

    @property
    def inside(self) -> bool:
        """Whether the interval held what came."""
        return self.low <= self.paid <= self.high


def lived(folder: Path, seed: int) -> RunFolder:
    """A run whose predictions are two to four times too high, under one goal or the other."""
    overrides = {**WORLDS, "prediction.bias": BIASES[seed % 3], "plans.0.goal": GOALS[seed % 2]}
    return run_simulation(RunRequest("tiny", seed=seed, overrides=overrides, folder=folder))


def foreseen(run: RunFolder) -> Iterator[Foreseen]:
    """Every forecast of a run beside what came."""
    first, last = run.scenario.first_day, run.scenario.first_day + timedelta(days=run.scenario.days - 1)
    days, database, lake = Days(first, last, run.scenario.timezone), run.database(), run.lake()
    with reading(database) as connection:
        end = midnight(last + timedelta(days=40), run.scenario.timezone)
        paid = {(one.plan_id, one.day): one.paid for one in judge_days(connection, lake, days, end)}
        for day in days.each():
            for hour in HOURS:
                at = midnight(day, run.scenario.timezone) + timedelta(hours=hour)
                yield from _compared(liability(connection, lake, at), hour, paid)
    database.dispose()


def _compared(found: Liability, hour: int, paid: Mapping[tuple[int, date], int]) -> Iterator[Foreseen]:
    for one in found.units:
        expected = one.expected
        came = paid[(one.plan.id, one.day)]
        yield Foreseen("unit", hour, expected.low, expected.mean, expected.high, came)
    total = found.total
    came = sum(paid[(one.plan.id, one.day)] for one in found.units)
    yield Foreseen("total", hour, total.low, total.mean, total.high, came)


def told(found: list[Foreseen]) -> dict[str, Any]:
    """Coverage, and how far the mean is off: the sum of what was expected beside the sum of what came."""
    open_ = [one for one in found if one.uncertain]
    return {
        "forecasts": len(found),
        "with_something_open": len(open_),
        "coverage_of_those": round(sum(one.inside for one in open_) / len(open_), 3) if open_ else None,
        "coverage_of_all": round(sum(one.inside for one in found) / len(found), 3) if found else None,
        "expected_yuan": round(sum(one.mean for one in open_) / 1e6, 2),
        "paid_yuan": round(sum(one.paid for one in open_) / 1e6, 2),
    }


def measure(seeds: int) -> dict[str, Any]:
    """Live the runs and hold every forecast against what came."""
    found: list[Foreseen] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, seeds + 1):
            found += foreseen(lived(Path(folder), seed))
            print(f"seed {seed}: {json.dumps(told(found))}", flush=True)
    by_hour = {hour: told([one for one in found if one.of == "unit" and one.hour == hour]) for hour in HOURS}
    return {
        "seeds": seeds,
        "units": told([one for one in found if one.of == "unit"]),
        "totals": told([one for one in found if one.of == "total"]),
        "units_by_hour": by_hour,
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=12)
    result = measure(parser.parse_args().seeds)
    print(json.dumps(result, indent=2))
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
