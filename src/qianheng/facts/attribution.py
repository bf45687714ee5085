"""Attribution: an order belongs to the plan whose promoted impression or click the buyer last had for that product.

A click counts for 7 days, a view for 1 day (SPEC 2; the windows are data); the latest click goes before any view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from qianheng.core.days import DAY
from qianheng.facts.schema import Kind


class Touch(NamedTuple):
    """One promoted impression or click of a buyer: when, for which plan, under which id, where."""

    at: int
    plan_id: int
    id: int
    placement: int


@dataclass(frozen=True, slots=True)
class Windows:
    """How long a touch can bring an order, in microseconds."""

    click: int = 7 * DAY
    view: int = DAY


class Touches:
    """The touches of every buyer and product, kept by day so that what is out of the window leaves at once."""

    def __init__(self, windows: Windows | None = None) -> None:
        self.windows = windows or Windows()
        self._facts: dict[Kind, dict[int, list[pa.Table]]] = {Kind.CLICK: {}, Kind.IMPRESSION: {}}
        self._of_day: dict[Kind, dict[int, dict[tuple[int, int], list[Touch]]]] = {Kind.CLICK: {}, Kind.IMPRESSION: {}}

    def add(self, kind: Kind, facts: pa.Table) -> None:
        """Take in promoted impressions or clicks, in any order."""
        if not facts.num_rows:
            return
        columns = (facts[name].to_pylist() for name in ("user_id", "product_id", "at", "plan_id", "id", "placement"))
        for user, product, *touch in zip(*columns, strict=True):
            of_day = self._of_day[kind].setdefault(touch[0] // DAY, {})
            of_day.setdefault((user, product), []).append(Touch(*touch))
        days = facts["at"].to_numpy() // DAY
        for day in np.unique(days).tolist():
            self._facts[kind].setdefault(day, []).append(facts.filter(pa.array(days == day)))

    def last(self, user_id: int, product_id: int, at: int) -> Touch | None:
        """The touch that an order of this buyer at that time belongs to, if any."""
        for kind, window in ((Kind.CLICK, self.windows.click), (Kind.IMPRESSION, self.windows.view)):
            for day in range(at // DAY, (at - window) // DAY - 1, -1):
                touches = self._of_day[kind].get(day, {}).get((user_id, product_id), ())
                if found := [touch for touch in touches if at - window <= touch.at <= at]:
                    return max(found)
        return None

    def forget(self, now: int) -> None:
        """Drop the days that no order from `now` on can belong to; orders may be reported a day late."""
        for kind, window in ((Kind.CLICK, self.windows.click), (Kind.IMPRESSION, self.windows.view)):
            for day in [day for day in self._of_day[kind] if (day + 1) * DAY < now - window - DAY]:
                del self._of_day[kind][day]
                self._facts[kind].pop(day, None)

    def facts(self, kind: Kind) -> list[pa.Table]:
        """The facts still held, for a snapshot: adding them again gives the same touches."""
        return [table for day in sorted(self._facts[kind]) for table in self._facts[kind][day]]
