"""Thousands of imported plans: how long each command takes and how much memory, through the command line.

    python -m benchmarks.wide [--plans 3000] [--days 30] [--json FILE]

One daily plan report, as a vendor exports it, is imported into a home folder of its own; each command is a process.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

COLUMNS = ("日期", "计划ID", "计划名称", "整体消耗", "整体成交订单数", "整体成交金额", "净成交订单数", "净成交金额")
FIRST = date(2026, 6, 1)
COMMANDS = (
    ("report",),
    ("advise", "--reports"),
    ("diagnose", "--reports"),
    ("diagnose", "findings", "--reports"),
    ("review", "daily", "--reports"),
    ("review", "weekly", "--reports"),
    ("what-if", "--reports", "--plan", "1000"),
    ("alerts", "check", "--reports"),
)


def rows(plans: int, days: int) -> Iterator[list[object]]:
    """A row a day and plan: a few orders of about 120 yuan, a tenth of them undone."""
    draw = np.random.default_rng(7)
    usual = draw.lognormal(1.5, 0.8, plans)
    for day in range(days):
        orders = draw.poisson(usual)
        undone = draw.binomial(orders, 0.1)
        for plan in range(plans):
            bought, back = int(orders[plan]), int(undone[plan])
            name, spend = f"计划 {plan}", round(float(usual[plan]) * 40 * draw.uniform(0.8, 1.2), 2)
            told = (bought, bought * 120, bought - back, (bought - back) * 120)
            yield [FIRST + timedelta(days=day), 1000 + plan, name, spend, *told]


def timed(home: Path, *words: str) -> dict[str, object]:
    """A command in a process of its own: seconds, megabytes at most, exit code."""
    environment = {**os.environ, "QIANHENG_HOME": str(home)}
    command = [sys.executable, "-c", MEASURED, *words]
    began = time.perf_counter()
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    cpu, megabytes = map(float, told.stderr.rsplit("\n", 1)[-1].split()) if told.stderr else (0.0, 0.0)
    return {
        "command": " ".join(words),
        "seconds": round(seconds, 1),
        "cpu": cpu,
        "megabytes": megabytes,
        "code": told.returncode,
    }


MEASURED = """
import resource, sys, atexit
from qianheng.cli.main import main
def told():
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stderr.write(f"\\n{used.ru_utime + used.ru_stime:.1f} {used.ru_maxrss / 1024:.0f}")
atexit.register(told)
sys.argv = ["qianheng", *sys.argv[1:]]
main()
"""


def main() -> None:
    """Import, then ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=3000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plans.csv"
        with file.open("w", encoding="utf-8", newline="") as sink:
            csv.writer(sink).writerows([list(COLUMNS), *rows(asked.plans, asked.days)])
        found = []
        for words in (("import", str(file)), *COMMANDS):
            found.append(timed(Path(folder) / "home", *words))
            print(json.dumps(found[-1], ensure_ascii=False), flush=True)
    if asked.json:
        asked.json.write_text(
            json.dumps({"plans": asked.plans, "days": asked.days, "commands": found}, indent=1), "utf-8"
        )


if __name__ == "__main__":
    main()
