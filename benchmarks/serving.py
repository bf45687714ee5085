"""How fast a market is lived through the production engine, and that memory does not grow with its days.

    python benchmarks/serving.py [--json OUT] [--thin]

A request is drawn, bid on by every plan and 48 rivals, cleared, shown, charged, learnt from, attributed, stored and
scored against the hindsight optimum. Counted as others count: one bid a bidder and request, on one core. The bare
auction kernel on the same bids, in the same run, is the limit. Peers, on a machine of this kind: AuctionNet's simulator
0.35–0.71 M bids/s (without prediction from facts, orders or books), rlbidder's 2.49 M.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "serving.json"
PEERS = {"AuctionNet simulator": (0.35e6, 0.71e6), "rlbidder simulator": (2.49e6, 2.49e6)}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS"), "1")


def live(days: int, requests: int) -> dict[str, float]:
    """Live the crowded market in a process of its own."""
    command = [sys.executable, __file__, "--child", str(days), str(requests)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | ONE_THREAD)
    return dict(json.loads(answer.stdout))


def child(days: int, requests: int) -> None:
    """One run, timed by the process's own seconds over its delivery days, making ready included."""
    from qianheng.actions.simulation import RunRequest, run_simulation

    seconds, count, began = 0.0, 0, time.process_time()

    def watch(told: Any) -> None:
        nonlocal seconds, count, began
        if told.delivering:
            seconds, count = seconds + time.process_time() - began, count + told.opportunities
        began = time.process_time()

    with tempfile.TemporaryDirectory() as folder:
        overrides = {"days": str(days), "opportunities_per_day": str(requests)}
        run = run_simulation(RunRequest("crowd", overrides=overrides, folder=Path(folder)), watch)
    bidders = sum(group.count for group in run.scenario.rivals) + len(run.scenario.plans)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"requests": count, "seconds": seconds, "bidders": bidders, "peak_bytes": peak}))


def kernel(bidders: int, rows: int = 200_000) -> float:
    """Bids a second of the bare auction kernel: nothing but clearing."""
    import numpy as np

    from qianheng.auction.kernel import clear, strongest

    draw = np.random.default_rng(1)
    rivals = draw.lognormal(10, 0.8, (rows, bidders - 2)).astype(np.float32)
    ours = draw.lognormal(10, 0.8, (rows, 2)).astype(np.float32)
    reserve, places = np.full(rows, 5000, np.float32), draw.integers(1, 4, rows).astype(np.int8)
    began = time.perf_counter()
    for start in range(0, rows, 2000):
        block = slice(start, start + 2000)
        clear(ours[block], strongest(rivals[block], 4), reserve[block], places[block])
    return rows * bidders / (time.perf_counter() - began)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--thin", action="store_true", help="few requests a day")
    parser.add_argument("--child", nargs=2, type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.child:
        child(*chosen.child)
        return
    requests, days = (20_000, (1, 2)) if chosen.thin else (4_000_000, (5, 12))
    fast = live(1, requests)
    memory = {day: live(day, requests // 8)["peak_bytes"] / 1e6 for day in days}  # windows are full after four days
    bidders = int(fast["bidders"])
    rate = fast["requests"] * bidders / fast["seconds"]
    result = {
        "requests_per_second": fast["requests"] / fast["seconds"],
        "bids_per_second": rate,
        "kernel_bids_per_second": kernel(bidders),
        "times_peers": {name: [rate / high, rate / low] for name, (low, high) in PEERS.items()},
        "peak_megabytes_by_days": memory,
    }
    print(json.dumps(result, indent=1))
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
