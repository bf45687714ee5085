"""`python -m benchmarks`: all of them in turn; recorded days are read from QIANHENG_DATA, if it is set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Run each benchmark in a process of its own; each prints its table and keeps its result."""
    names = [
        "market",
        "auctions",
        "control",
        "serving",
        "settlement",
        "ledger",
        "promise",
        "stress",
        "domain",
        "damaged",
        "goals",
        "many",
        "quarter",
        "crash",
        "experiments",
        "whatif",
        "holdout",
        "off_policy",
        "audit",
    ]
    if os.environ.get("QIANHENG_DATA"):
        names.append("bidding")
    else:
        print("QIANHENG_DATA is not set: the benchmark on recorded auctions is left out.")
    for name in names:
        print(f"\n== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True, cwd=HERE.parent)


if __name__ == "__main__":
    main()
