"""Seasons: how a market stands from day to day against usual: promotions (大促) come and go, tastes drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from qianheng.core.errors import BadInput
from qianheng.simulator.draws import Float64


@dataclass(frozen=True, slots=True)
class Season:
    """The market on a delivery day (from 1): factors on requests, on how readily people order after a click, and on
    what rivals bid and may spend. Between two such days it goes evenly; before the first and after the last it stays.
    """

    day: int
    traffic: float = 1.0
    orders: float = 1.0
    rivals: float = 1.0

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, least = getattr(self, entry.name), 1 if entry.name == "day" else 0.05
            if not least <= value <= (3660 if entry.name == "day" else 20):
                raise BadInput("simulator.out_of_bounds", value=value, least=least, most=3660 if least == 1 else 20)


class Seasons:
    """The factors of every delivery day, shape [days]; exactly 1 where no season is named."""

    def __init__(self, seasons: Sequence[Season], days: int) -> None:
        known = sorted(seasons, key=lambda season: season.day)
        self.traffic, self.orders, self.rivals = (
            _of_each_day([(one.day, getattr(one, name)) for one in known], days)
            for name in ("traffic", "orders", "rivals")
        )


def _of_each_day(known: Sequence[tuple[int, float]], days: int) -> Float64:
    if not known:
        return np.ones(days)
    at, factor = zip(*known, strict=True)
    return np.exp(np.interp(np.arange(1, days + 1), at, np.log(factor)))
