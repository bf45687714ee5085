"""How fast the market is, and that its memory does not grow with the days: writes benchmarks/results/market.json.

Seconds are the process's own, so that what else the machine does hardly counts. Run: python benchmarks/market.py
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from qianheng.core.days import HOUR, MINUTE, microseconds
from qianheng.facts.opportunities import Decisions, Opportunities
from qianheng.simulator.loading import load
from qianheng.simulator.market import Market
from qianheng.simulator.scenario import Scenario

RESULTS = Path(__file__).parent / "results" / "market.json"
WON = 0.2  # share of requests that the plans win


def decide(batch: Opportunities, scenario: Scenario) -> Decisions:
    """Every fifth request is won, in the first place, by the plans and products in turn."""
    row = np.arange(0, len(batch), round(1 / WON))
    plan = scenario.plans[0]
    products = np.array(plan.products)[row % len(plan.products)]
    zero = np.zeros(len(row), dtype=np.int64)
    return Decisions(
        row, np.full(len(row), plan.id), products, np.ones(len(row), dtype=np.int8), zero, zero, products, zero - 1
    )


def run(market: Market, start: int, end: int, step: int) -> int:
    """Serve [start, end) in batches of `step` microseconds; the number of requests."""
    count = 0
    nothing = np.zeros(sum(group.count for group in market.scenario.rivals))
    for at in range(start, end, step):
        batch = market.opportunities(at, at + step)
        market.react(batch, decide(batch, market.scenario))
        market.settle_rivals(batch, nothing)
        market.facts(at, at + step)
        count += len(batch)
    return count


def timed(market: Market, start: int, end: int, step: int) -> tuple[float, int]:
    """Seconds and requests of serving [start, end). Of several such spans the quickest counts: the least disturbed."""
    began = time.process_time()
    count = run(market, start, end, step)
    return time.process_time() - began, count


def first_midnight(scenario: Scenario) -> int:
    """The first instant of a scenario, UTC microseconds."""
    return microseconds(scenario.at(1, "00:00"))


def speed_of_large_batches() -> dict[str, float]:
    """An hour at a time against 48 rivals."""
    scenario = load("crowd")
    market, start = Market(scenario, 1), first_midnight(scenario)
    run(market, start, start + HOUR, HOUR)
    spans = [timed(market, start + hour * HOUR, start + (hour + 2) * HOUR, HOUR) for hour in range(8, 20, 2)]
    seconds, count = min(spans, key=lambda span: span[0] / span[1])
    rivals = sum(group.count for group in scenario.rivals)
    return {"rivals": rivals, "opportunities_per_second": count / seconds, "bids_per_second": count * rivals / seconds}


def speed_of_minutes() -> dict[str, float]:
    """A minute at a time, facts included: what the market adds to an engine's tick."""
    scenario = load("month")
    market, start = Market(scenario, 1), first_midnight(scenario)
    run(market, start, start + HOUR, MINUTE)
    spans = [timed(market, start + hour * HOUR, start + (hour + 2) * HOUR, MINUTE) for hour in range(8, 20, 2)]
    seconds, count = min(spans, key=lambda span: span[0] / span[1])
    return {"opportunities_per_minute": count / 120, "microseconds_per_minute": seconds / 120 * 1e6}


def peak_memory(days: int) -> dict[str, float]:
    """Megabytes of a fresh process that runs the month for so many days."""
    told = subprocess.run([sys.executable, __file__, str(days)], capture_output=True, check=True, text=True).stdout
    return {"days": days, **json.loads(told)}


def run_days(days: int) -> dict[str, float]:
    """The month's first days in this process, and the most memory it took."""
    scenario = load("month", {"days": str(days)})
    market, start = Market(scenario, 1), first_midnight(scenario)
    seconds, count = timed(market, start, start + days * 24 * HOUR, 10 * MINUTE)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"megabytes": megabytes, "seconds": seconds, "opportunities": count}


def main() -> None:
    """Measure, write and show; with a number of days as argument only measure memory over those."""
    if len(sys.argv) > 1:
        print(json.dumps(run_days(int(sys.argv[1]))))
        return
    figures = {
        "large_batches": speed_of_large_batches(),
        "minutes": speed_of_minutes(),
        "memory": [peak_memory(3), peak_memory(30)],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
