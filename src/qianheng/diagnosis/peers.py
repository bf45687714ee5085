"""What others of the trade reach: benchmarks that the owner imports, to stand beside the shop's own base (SPEC 11)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from qianheng.core.errors import BadInput, raise_together
from qianheng.core.money import YUAN, decimal

PEER_MEASURES = ("ctr", "cvr", "refund_rate_1h", "refund_rate_7d", "payment_roi", "net_roi", "cpm", "order_value")
IN_YUAN = ("cpm", "order_value")
COLUMNS = ("measure", "category", "p25", "p50", "p75")
EVERY_CATEGORY = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """What a quarter, half and three quarters of a category's shops ("" for all) stay below; money in micro-yuan."""

    measure: str
    category: str
    p25: Fraction
    p50: Fraction
    p75: Fraction


@dataclass(frozen=True, slots=True)
class Peers:
    """The benchmarks known."""

    entries: tuple[Peer, ...] = ()

    def of(self, measure: str, category: str | None) -> Peer | None:
        """The benchmark of a measure in a category, else that of all; `None` without one."""
        for wanted in (category or EVERY_CATEGORY, EVERY_CATEGORY):
            for entry in self.entries:
                if (entry.measure, entry.category) == (measure, wanted):
                    return entry
        return None


def parse_peers(text: str, place: str) -> Peers:
    """Read benchmarks from CSV: measure, category (empty for all), p25, p50, p75; shares as 0.035 or 3.5%, money in
    yuan. Every fault with its line: BadInput.
    """
    rows = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    if tuple(name.strip() for name in rows.fieldnames or ()) != COLUMNS:
        raise BadInput("triage.peers.header", place=place, columns=",".join(COLUMNS))
    entries: dict[tuple[str, str], Peer] = {}
    faults: list[BadInput] = []
    for line, row in enumerate(rows, 2):
        try:
            entry = _entry({name: (row[name] or "").strip() for name in COLUMNS})
            if (entry.measure, entry.category) in entries:
                raise BadInput("triage.peers.twice", value=entry.measure)
            entries[entry.measure, entry.category] = entry
        except BadInput as error:
            faults.append(BadInput(error.key, place=f"{place}:{line}", **error.values))
    raise_together(faults)
    if not entries:
        raise BadInput("triage.peers.empty", place=place)
    return Peers(tuple(entries.values()))


def _entry(row: Mapping[str, str]) -> Peer:
    if row["measure"] not in PEER_MEASURES:
        raise BadInput("triage.unknown_choice", value=row["measure"], known=", ".join(PEER_MEASURES))
    scale = YUAN if row["measure"] in IN_YUAN else 1
    quarters = [_number(row[name]) * scale for name in COLUMNS[2:]]
    if not 0 < quarters[0] <= quarters[1] <= quarters[2]:
        raise BadInput("triage.peers.order", value=", ".join(row[name] for name in COLUMNS[2:]))
    return Peer(row["measure"], row["category"], *quarters)


def _number(text: str) -> Fraction:
    return Fraction(decimal(text.removesuffix("%"))) / (100 if text.endswith("%") else 1)
