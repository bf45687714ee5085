"""The control loop for many plans: what a minute of learning and steering takes, with its share of solving days anew.

    python -m benchmarks.control [--json OUT] [--thin]

For 10, 1,000 and 10,000 plans: seconds of the process for one step (every plan learns from its auctions and gets its
next multiplier), for one solution of a plan's day, and both together as a usual minute has them (each plan is solved a
few times a day, in turns). A minute must take less than a second of one core.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.plans import SEEN, settled
from qianheng.bidding import Bidder, Market, Outcome

RESULTS = Path(__file__).parent / "results" / "control.json"
PLANS = (10, 1000, 10_000)
STEPS = 1440
CANDIDATES = 30  # of a plan in a minute


@dataclass(frozen=True, slots=True)
class Minute:
    """What a minute takes for so many plans."""

    plans: int
    step_seconds: float
    solve_seconds: float
    minute_seconds: float
    kilobytes_a_plan: float


def outcome(draw: np.random.Generator, plans: int) -> Outcome:
    """A minute's auctions: every plan meets some and wins a few."""
    count = plans * CANDIDATES
    plan = np.tile(np.arange(plans), CANDIDATES)
    worth = draw.lognormal(-0.3, 0.8, count)
    price = np.sort(draw.lognormal(0.0, 0.6, (count, SEEN.shape[1])), axis=1)[:, ::-1]
    slot = np.where(worth > price[:, 0], 1, 0)
    spend = np.where(slot > 0, price[:, 0], 0.0)
    return Outcome(plan, draw.integers(0, len(SEEN), count), worth, price, slot, slot > 0, spend)


def minute(plans: int, rounds: int) -> Minute:
    """Measure; solutions are put off while steps are timed, and timed by themselves."""
    draw = np.random.default_rng(1)
    bidder = Bidder(Market(len(SEEN), SEEN, STEPS), np.full(plans, 600.0))
    bidder.due[:] = np.inf
    told = [outcome(draw, plans) for _ in range(2)]
    for step in range(3):
        bidder.observe(step, told[step % 2])
    settled(bidder, 3)
    steps = []
    for step in range(3, rounds + 3):
        began = time.process_time()
        bidder.observe(step, told[step % 2])
        steps.append(time.process_time() - began)
    solved = range(min(plans, 4 * rounds))
    began = time.process_time()
    for plan in solved:
        bidder._solve(rounds + 3, plan)
    solve = (time.process_time() - began) / len(solved)
    share = plans * bidder.settings.solves_per_day / STEPS
    memory = sum(held.nbytes for held in bidder.snapshot().values()) / plans / 1e3
    step_seconds = float(np.median(steps))
    return Minute(plans, step_seconds, solve, step_seconds + share * solve, memory)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--thin", action="store_true", help="few rounds")
    chosen = parser.parse_args(arguments)
    minutes = [minute(plans, 2 if chosen.thin else 8) for plans in PLANS]
    print(f"{'plans':>7} {'step':>10} {'solution':>10} {'a minute':>10} {'memory a plan':>14}")
    for one in minutes:
        print(
            f"{one.plans:>7,} {one.step_seconds * 1e3:>7.1f} ms {one.solve_seconds * 1e3:>7.1f} ms "
            f"{one.minute_seconds * 1e3:>7.1f} ms {one.kilobytes_a_plan:>11.0f} kB"
        )
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps([asdict(one) for one in minutes], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
