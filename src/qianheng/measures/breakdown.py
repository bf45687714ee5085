"""Sums broken down by one thing: day, plan, product, placement, hour of the day, channel (SPEC 3.5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qianheng.facts.schema import Channel
from qianheng.measures.days import date_of
from qianheng.measures.query import Parts, channel_of, sum_by
from qianheng.measures.sums import NAMES, Sums
from qianheng.plans.plan import Counting

_HOUR = "(MOD(f.at + {offset}, 86400000000) - MOD(f.at + {offset}, 3600000000)) / 3600000000"
_LOOK = "LEFT JOIN impressions AS i ON i.id = f.impression_id"


class By(StrEnum):
    """What figures may be broken down by."""

    DAY = "day"
    PLAN = "plan"
    PRODUCT = "product"
    PLACEMENT = "placement"
    HOUR = "hour"
    CHANNEL = "channel"


PARTS = {
    By.PRODUCT: Parts("f.product_id", "COALESCE(i.product_id, -1)", _LOOK),
    By.PLACEMENT: Parts("f.placement", "f.placement"),
    By.HOUR: Parts(_HOUR, _HOUR),
}
_COLUMNS = {By.DAY: "day", By.PLAN: "plan_id", By.CHANNEL: "channel"}


@dataclass(frozen=True, slots=True)
class Line:
    """The sums of one key (a day's number, an id, an hour): all orders, and by what brought them; impressions, clicks
    and spend are promoted. `counted`: with those orders alone that count for their plan (SPEC 2). `last_day` is the
    latest that anything in it is of. Key -1: not known.
    """

    key: int
    last_day: date
    sums: Sums
    channels: dict[Channel, Sums] = field(default_factory=dict)
    counted: Sums = field(default_factory=Sums)


def broken_down(money: pa.Table, traffic: pa.Table, by: By, plans: Mapping[int, Counting]) -> list[Line]:
    """The answers of `plan_day` and `plan_day_traffic`, asked with `PARTS[by]`, of some plans by one thing, by key."""
    found = defaultdict[int, dict[tuple[int, int], Sums]](lambda: defaultdict(Sums))
    last = dict[int, int]()
    traffic = traffic.append_column("channel", pa.array(np.full(traffic.num_rows, Channel.PROMOTED)))
    wanted = pa.array(list(plans), pa.int64())
    whole = [plan_id for plan_id, counting in plans.items() if channel_of(counting) is None]
    for answer in (money, traffic):
        mine = answer.filter(pc.is_in(answer["plan_id"], value_set=wanted))
        columns = {name: mine[name].to_numpy() for name in NAMES if name in mine.column_names}
        keys = [mine[name].to_numpy().astype(np.int64) for name in (_COLUMNS.get(by, "part"), "channel", "day")]
        counts = (keys[1] == Channel.PROMOTED) | np.isin(mine["plan_id"].to_numpy(), whole)
        (of, channels, days, counting), sums = sum_by([*keys, counts.astype(np.int64)], columns)
        rows = zip(*(column.tolist() for column in sums.values()), strict=True)
        parts = zip(channels.tolist(), counting.tolist(), strict=True)
        for key, part, day, row in zip(of.tolist(), parts, days.tolist(), rows, strict=True):
            found[key][part] += Sums(**dict(zip(sums, row, strict=True)))
            last[key] = max(day, last.get(key, day))
    return [_line(key, last[key], found[key]) for key in sorted(found)]


def whole(lines: Collection[Line]) -> Line | None:
    """All lines together; `None` without any."""
    if not lines:
        return None
    channels = defaultdict[Channel, Sums](Sums)
    for line in lines:
        for channel, sums in line.channels.items():
            channels[channel] += sums
    sums, counted = (sum((getattr(line, name) for line in lines), Sums()) for name in ("sums", "counted"))
    return Line(0, max(line.last_day for line in lines), sums, dict(channels), counted)


def _line(key: int, last_day: int, parts: Mapping[tuple[int, int], Sums]) -> Line:
    """parts: by channel, and whether they count for their plan."""
    channels = defaultdict[Channel, Sums](Sums)
    for (channel, _), sums in sorted(parts.items()):
        if channel >= 0:
            channels[Channel(channel)] += sums
    counted = sum((sums for (_, counts), sums in parts.items() if counts), Sums())
    return Line(key, date_of(last_day), sum(parts.values(), Sums()), dict(channels), counted)
