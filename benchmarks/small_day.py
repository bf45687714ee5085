"""What a day of a small shop costs, from its first request to its closed books: seconds of one core.

    python -m benchmarks.small_day [--days 60] [--shop 3] [--label NAME] [--thin]

A shop of `benchmarks.shops` in a market as usual. The first days, the last days (books and lake have grown) and those
after the last delivery day are told apart. What was measured under other labels stays in the file beside it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import process_time

from benchmarks.shops import shop
from qianheng.actions.simulation import DayTold, RunRequest, run_simulation

RESULTS = Path(__file__).parent / "results" / "small_day.json"
MEMORY = Path("/dev/shm")
SOME = 10  # days that a figure is the median of
NOT_USUAL = ("seasons", "faults")


def measure(number: int, days: int) -> dict[str, float]:
    """Seconds of one core a day: median of the first days but one, of the last, and of those without traffic."""
    living = shop("training", number, days)
    for name in NOT_USUAL:
        living.scenario.pop(name)
    told: list[tuple[bool, float]] = []
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        request = RunRequest(str(living.write(Path(folder))), folder=Path(folder) / "runs")
        since = [process_time()]

        def watch(day: DayTold) -> None:
            now = process_time()
            told.append((day.delivering, now - since[0]))
            since[0] = now

        run_simulation(request, watch)
    lived = [seconds for delivering, seconds in told if delivering]
    after = [seconds for delivering, seconds in told if not delivering]
    found = {"first days": median(lived[1 : SOME + 1]), "last days": median(lived[-SOME:]), "after": median(after)}
    return {name: round(seconds, 3) for name, seconds in found.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--shop", type=int, default=3)
    parser.add_argument("--label", default="now")
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--thin", action="store_true", help="three days")
    chosen = parser.parse_args(arguments)
    days = 3 if chosen.thin else chosen.days
    known = json.loads(chosen.json.read_text("utf-8")) if chosen.json.exists() else {}
    known[chosen.label] = {"days": days, "shop": chosen.shop, **measure(chosen.shop, days)}
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
    for label, found in known.items():
        print(f"{label:24}" + "".join(f"{name} {value:<10} " for name, value in found.items()))


if __name__ == "__main__":
    main()
