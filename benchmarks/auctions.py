"""Auctions a second on one core, from the bare kernel to charged and learnt-from facts, beside what memory allows.

    python -m benchmarks.auctions [--json OUT] [--thin]

For 10, 100 and 1,000 candidates a request: the kernel (sealed bids in, winners and prices out), the engine's tick
(every candidate is a plan: prediction looked up, worth, bid, clearing, reservation, decisions) and the whole loop
(charges, what every plan learns of its auctions, the next multipliers, facts; the solutions of a plan's day, a few a
day, are in `benchmarks.control`). A bid is one candidate at one request, as AuctionNet and rlbidder count theirs.
The limit is how fast the core reads bids from memory at all, in the same run. Times are the process's own, of several
rounds the quickest: what else the machine does should not count.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.picture import Axis, Curve, curves, write
from benchmarks.plans import Crowd
from qianheng.auction.kernel import clear, strongest
from qianheng.delivery.shown import facts_of

RESULTS = Path(__file__).parent / "results"
PEERS = {"AuctionNet simulator": 0.71e6, "rlbidder simulator": 2.49e6}  # bids/s, their fastest
CANDIDATES = (10, 100, 1000)
SLOTS = 3
BATCH = {10: 8192, 100: 2000, 1000: 2000}  # requests of a control step


@dataclass(frozen=True, slots=True)
class Speed:
    """Auctions a second at so many candidates."""

    candidates: int
    kernel: float
    tick: float
    loop: float


def quickest(work: Callable[[], object], rounds: int) -> float:
    """Seconds of the process, the least of some rounds."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def memory_bids(rounds: int) -> float:
    """Bids a second that the core can read from memory: 4 bytes each, the highest of them kept."""
    bids = np.random.default_rng(1).random(32_000_000, dtype=np.float32)
    return len(bids) / quickest(bids.max, rounds)


def kernel(candidates: int, rounds: int) -> float:
    """Auctions a second of clearing alone."""
    draw, rows = np.random.default_rng(1), BATCH[candidates]
    rivals = draw.lognormal(10, 0.8, (rows, candidates - 2)).astype(np.float32)
    ours = draw.lognormal(10, 0.8, (rows, 2)).astype(np.float32)
    reserve, places = np.full(rows, 5000, np.float32), draw.integers(1, SLOTS + 1, rows).astype(np.int8)
    return rows / quickest(lambda: clear(ours, strongest(rivals, SLOTS + 1), reserve, places), 4 * rounds)


def engine(candidates: int, rounds: int) -> tuple[float, float]:
    """Auctions a second of the engine's tick, and of the whole loop, all candidates being plans."""
    crowd, rows = Crowd(candidates), BATCH[candidates]
    crowd.settle(rows)
    batches = [crowd.requests(rows) for _ in range(rounds)]
    ticks, loops = [], []
    for batch in batches:
        began = time.process_time()
        tick = crowd.engine.tick(batch, crowd.now)
        ticks.append(time.process_time() - began)
        seen, clicked = crowd.looks(tick)
        again = time.process_time()
        facts_of([crowd.engine.shown(tick, seen, clicked, crowd.now)])
        loops.append(ticks[-1] + time.process_time() - again)
        crowd.step()
    return rows / min(ticks), rows / min(loops)


def show(speeds: Sequence[Speed], limit: float) -> None:
    """Print the table."""
    heads = ("candidates", "stage", "auctions/s", "M bids/s", *(f"x {name.split()[0]}" for name in PEERS), "of memory")
    print("".join(f"{head:>13}" for head in heads))
    for speed in speeds:
        for stage in ("kernel", "tick", "loop"):
            rate = getattr(speed, stage)
            bids = rate * speed.candidates
            times = [bids / peer for peer in PEERS.values()]
            row = (
                f"{speed.candidates:,}",
                stage,
                f"{rate:,.0f}",
                f"{bids / 1e6:.1f}",
                *(f"{one:.1f}" for one in times),
            )
            print("".join(f"{cell:>13}" for cell in (*row, f"{bids / limit:.1%}")))


def picture(speeds: Sequence[Speed], limit: float) -> str:
    """Bids a second by candidates, beside the peers and the limit."""
    x = [float(speed.candidates) for speed in speeds]
    lines = [
        Curve(stage, x, [getattr(speed, stage) * speed.candidates for speed in speeds])
        for stage in ("kernel", "tick", "loop")
    ]
    flat = {"memory": limit} | PEERS
    lines += [Curve(name, [x[0], x[-1]], [rate, rate]) for name, rate in flat.items()]
    axes = Axis("candidates a request", logarithmic=True), Axis("bids a second, one core", logarithmic=True)
    return curves("From sealed bids to facts", axes, lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=RESULTS / "auctions.json")
    parser.add_argument("--thin", action="store_true", help="few rounds")
    chosen = parser.parse_args(arguments)
    rounds = 2 if chosen.thin else 8
    limit = memory_bids(rounds)
    speeds = [Speed(count, kernel(count, rounds), *engine(count, rounds)) for count in CANDIDATES]
    show(speeds, limit)
    result = {"memory_bids_per_second": limit, "peers": PEERS, "auctions_per_second": [asdict(one) for one in speeds]}
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write(chosen.json.with_suffix(".svg"), picture(speeds, limit))


if __name__ == "__main__":
    main()
