"""Score the production bidder on recorded auctions, beside simple references and the hindsight optimum.

    python benchmarks/bidding.py --data DIR [--json OUT] [--thin]

DIR (or the environment variable QIANHENG_DATA) holds `auctionnet/` (recorded days) and, if wanted, `ipinyou/*.gz` (logs
of second prices); the formats and the scores are those of `qianheng.actions.replay`.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qianheng.actions.replay import STEPS, replay, summary

STEPS_THIN = 96
RESULTS = Path(__file__).parent / "results" / "bidding.json"


def run(data: Path, thin: bool = False) -> dict[str, Any]:
    """Score every market found under `data`; thin: 96 steps a day instead of 960."""
    markets = {"auctionnet": [data / "auctionnet"], "ipinyou": sorted((data / "ipinyou").glob("*.gz"))}
    results: dict[str, Any] = {}
    for market, paths in markets.items():
        if paths and all(path.exists() for path in paths):
            scores = replay(paths, steps=STEPS_THIN if thin else STEPS)
            results[market] = {"summary": summary(scores), "recordings": [asdict(score) for score in scores]}
            show(market, results[market]["summary"])
    return results


def show(title: str, table: Mapping[str, Mapping[str, float]]) -> None:
    """Print one table."""
    head = next(iter(table.values()))
    print(f"\n{title:24}" + "".join(f"{name:>15}" for name in head))
    for bidder, row in table.items():
        print(f"{bidder:24}" + "".join(f"{figure:15.3f}" for figure in row.values()))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("QIANHENG_DATA"))
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--thin", action="store_true", help="96 steps a day")
    chosen = parser.parse_args(arguments)
    if chosen.data is None:
        parser.error("give --data DIR or set QIANHENG_DATA")
    results = run(Path(chosen.data), chosen.thin)
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
