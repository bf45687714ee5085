"""Does following the advice pay? A quarter of many shops, each lived several times over from the same seed.

    python -m benchmarks.quarter [--shops 50] [--days 90] [--arms fixed advised ...] [--set held-out] [--thin]

Each shop (`benchmarks.shops`) lives its quarter with the settings it began with (`fixed`), and with what is proposed
each morning carried out by automation within its owner's usual limits (`advised`), or by an owner who does not wait
until a gain is sure (`bold`). All draws are shared, so that differences are paired. More arms say how far that is from
what is possible: `ladder` changes targets once a week by the rules of thumb alone, and of the fixed targets lived
(`breakeven x …`) the best is known afterwards (`hindsight`).

Outcomes are kept in `--kept FILE` as they come; those that stand there are not lived again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from benchmarks.arms import ARMS
from benchmarks.picture import write
from benchmarks.quarter_report import Results, draw, markdown, results
from benchmarks.shop_quarter import Followed, Life, Outcome
from benchmarks.shops import shop

RESULTS = Path(__file__).parent / "results" / "quarter.json"


def outcomes(lives: Sequence[Life], kept: Path | None, processes: int) -> Iterator[Outcome]:
    """Live all of them, or read what stands in `kept`; as they come."""
    known = {_life(one): one for one in _read(kept)}
    yield from (known[life] for life in lives if life in known)
    with ProcessPoolExecutor(processes) as pool:
        waiting = [pool.submit(life.live) for life in lives if life not in known]
        for one in as_completed(waiting):
            if one.exception():
                pool.shutdown(cancel_futures=True)  # a life that fails is told now, not after all the others
            found = one.result()
            if kept:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(found), ensure_ascii=False) + "\n")
            yield found


def _life(found: Outcome) -> Life:
    return Life(found.set, found.shop, found.arm, found.days)


def _read(kept: Path | None) -> list[Outcome]:
    if kept is None or not kept.exists():
        return []
    rows = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    return [Outcome(**row | {"followed": [Followed(**one) for one in row["followed"]]}) for row in rows]


def show(found: Outcome) -> None:
    """Print one line."""
    told = f"profit {found.profit:10,.0f}  net GMV {found.net_gmv:11,.0f}  spend {found.spend:10,.0f}"
    told += f"  compensation {found.compensation:7,.0f}  changes {found.changes:3}  {found.seconds:6.1f} s"
    print(f"{found.set} {found.shop:3} {found.arm:12} {told}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shops", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="number of the first shop")
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--set", default="held-out", help="which shops: another name, other shops")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=["fixed", "advised", "ladder"])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kept", type=Path, help="outcomes so far, a line each; they are not lived again")
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--thin", action="store_true", help="two shops, ten days")
    chosen = parser.parse_args(arguments)
    count, days = (2, 10) if chosen.thin else (chosen.shops, chosen.days)
    numbers = range(chosen.first, chosen.first + count)
    lives = [Life(chosen.set, number, arm, days) for number in numbers for arm in chosen.arms]
    found = []
    for one in outcomes(lives, chosen.kept, chosen.processes):
        found.append(one)
        show(one)
    kinds = {number: shop(chosen.set, number, days).kinds for number in numbers}
    _keep(chosen.json, results(found, kinds))


def _keep(path: Path, told: Results) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    path.with_suffix(".md").write_text(markdown(told), "utf-8")
    if told["by kind"]:
        write(path.with_suffix(".svg"), draw(told))
    print(f"\n{path}, {path.with_suffix('.md')}")


if __name__ == "__main__":
    main()
