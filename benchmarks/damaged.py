"""Damaged reports: never a wrong number, always a reason.

Good reports of every layout are damaged by seed, and read. What came of each is held against the good one: refused,
some rows rejected and the others exact, exact throughout, taken with a warning, or wrong without a word. A wrong number
that nobody could have seen (no ratio, part or total of the report speaks of it) is counted by itself; any other is a
miss.

    python -m benchmarks.damaged [--seeds N] [--data FOLDER] [--thin]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks.damage import DAMAGES, Sheet, good_sheets, written
from qianheng.core.errors import BadInput
from qianheng.measures.reports import FIGURES, ReportRow
from qianheng.vendors.exports import Export, Reading, read_export

RESULTS = Path(__file__).parent / "results" / "damaged.json"
OUTCOMES = ("refused", "rejected", "exact", "told", "unseeable", "missed")
READING = Reading(datetime(2026, 9, 1, tzinfo=UTC), period=(date(2026, 6, 1), date(2026, 6, 1)))
SPANNED = Reading(datetime(2026, 9, 1, tzinfo=UTC), period=(date(2026, 6, 1), date(2026, 6, 30)))


def reading_of(sheet: Sheet) -> Reading:
    """How a layout is read: live sessions have days of their own."""
    return SPANNED if any("20:00:00" in cell for row in sheet.rows for cell in row) else READING


def judged(sheet: Sheet, content: bytes) -> str:
    """What came of a damaged file."""
    good = read_export("r.csv", written(sheet), reading_of(sheet))
    assert not good.rejected, (sheet.layout.name, good.rejected[:2])
    try:
        export = read_export("r.csv", content, reading_of(sheet))
    except BadInput:
        return "refused"
    wrong = list(_wrong(good, export))
    whole = len(export.rows) == len(good.rows)
    if not wrong and export.rejected:
        return "rejected"
    if not wrong and whole:
        return "exact"
    if set(export.warnings) - set(good.warnings) or set(export.ignored_columns) - set(good.ignored_columns):
        return "told"
    return "missed" if any(map(_disagrees, wrong)) or _totalled(export) else "unseeable"


def _wrong(good: Export, export: Export) -> Iterator[ReportRow]:
    """Rows that were taken with a figure, a name or a day other than those of a row of the good file."""
    for row in export.rows:
        alike = (
            one for one in good.rows if (one.entity_id, one.first, one.hour) == (row.entity_id, row.first, row.hour)
        )
        if not any(_same(row, one) for one in alike):
            yield row


def _same(row: ReportRow, one: ReportRow) -> bool:
    told = (getattr(row.figures, name) for name in FIGURES)
    true = (getattr(one.figures, name) for name in FIGURES)
    return (
        all(mine is None or mine == its for mine, its in zip(told, true, strict=True)) and row.currency == one.currency
    )


def _disagrees(row: ReportRow) -> bool:
    """Whether a part is above its whole: nothing that a reader could not have seen."""
    parts = (("net_gmv", "gmv"), ("net_orders", "orders"), ("clicks", "impressions"), ("base_spend", "spend"))
    pairs = ((getattr(row.figures, part), getattr(row.figures, whole)) for part, whole in parts)
    return any(part is not None and whole is not None and part > whole for part, whole in pairs)


def _totalled(export: Export) -> bool:
    """Whether a total row that contradicts the rows was read and not told."""
    return any(total.differences for total in export.totals) and not export.warnings


def study(seeds: int) -> dict[str, Counter[str]]:
    """Every damage to every layout, by so many seeds: how often what came of it."""
    found = {name: Counter[str]() for name in DAMAGES}
    for seed in range(seeds):
        random_ = random.Random(seed)
        for sheet in good_sheets(random_):
            for name, damage in DAMAGES.items():
                if (content := damage(sheet, random_)) is not None:
                    found[name][judged(sheet, content)] += 1
    return found


def study_data(folder: Path, seeds: int) -> Counter[str]:
    """Real exports, cut and changed at bytes drawn: what came of them."""
    found: Counter[str] = Counter()
    for path in sorted(folder.glob("*.xlsx")):
        content = path.read_bytes()
        good = read_export(path.name, content, Reading(READING.now))
        for seed in range(seeds):
            found[_of_bytes(path.name, content, good, random.Random(f"{path.name}{seed}"))] += 1
    return found


def _of_bytes(name: str, content: bytes, good: Export, random_: random.Random) -> str:
    place = random_.randrange(1, len(content))
    changed = bytes([content[place] ^ random_.randrange(1, 256)])
    damaged = content[:place] if random_.random() < 0.5 else content[:place] + changed + content[place + 1 :]
    try:
        export = read_export(name, damaged, Reading(READING.now))
    except BadInput:
        return "refused"
    if any(_wrong(good, export)):
        return "missed"
    return "rejected" if export.rejected else "exact"


def speed(rows: int) -> dict[str, float]:
    """Processor seconds to read a CSV of so many rows, and the most memory the process has held so far, in MB."""
    header = "计划ID,计划名称,日期,整体消耗,整体成交金额,整体支付ROI,整体成交订单数"
    lines = (f"{1_790_000_000_000_000 + i},夏装,2026-06-01,100.00,250.00,2.50,{i % 90}" for i in range(rows))
    content = "\n".join([header, *lines]).encode()
    began = time.process_time()
    export = read_export("计划.csv", content, READING)
    assert export.lines == rows
    seconds = time.process_time() - began
    return {"rows": rows, "seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    """Run, print the table, keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--thin", action="store_true")
    asked = parser.parse_args()
    seeds = 1 if asked.thin else asked.seeds
    found = study(seeds)
    if asked.data:
        found["real exports, cut or changed at a byte"] = study_data(asked.data / "exports", seeds * 10)
    table = {name: {outcome: counts[outcome] for outcome in OUTCOMES} for name, counts in found.items()}
    print(f"{'':44}" + "".join(f"{outcome:>11}" for outcome in OUTCOMES))
    for name, counts in [*table.items(), ("all", dict(sum(found.values(), Counter())))]:
        print(f"{name:44}" + "".join(f"{counts.get(outcome, 0):>11}" for outcome in OUTCOMES))
    timed = speed(1_000 if asked.thin else 100_000)
    print(f"{timed['rows']:,} rows: {timed['seconds']:.1f} s of one core; at most {timed['megabytes']:.0f} MB in all")
    if not asked.thin:
        RESULTS.write_text(json.dumps({"damages": table, "speed": timed}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
