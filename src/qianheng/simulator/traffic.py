"""When people come: the expected number of requests in every hour of a scenario, and the clock of its days."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from qianheng.core.days import HOUR, microseconds, midnight, moment
from qianheng.simulator.draws import Float64, Int64
from qianheng.simulator.scenario import Scenario
from qianheng.simulator.seasons import Seasons


class Traffic:
    """Hours and days of a scenario. Hours count from the first day's midnight, days from 0."""

    def __init__(self, scenario: Scenario) -> None:
        days = [scenario.first_day + timedelta(days=day) for day in range(scenario.days + 1)]
        self.midnights: Int64 = np.array([microseconds(midnight(day, scenario.timezone)) for day in days])
        self.start, self.end = int(self.midnights[0]), int(self.midnights[-1])
        locals_ = [moment(at, scenario.timezone) for at in range(self.start, self.end, HOUR)]
        self.hour_of_day: Int64 = np.array([at.hour for at in locals_])
        weekday = np.array([at.weekday() for at in locals_])
        shape = np.array(scenario.traffic.weekly) * scenario.traffic.of_hour()
        self.rate: Float64 = shape[weekday, self.hour_of_day] / shape.mean() * scenario.opportunities_per_day / 24
        self.rate *= Seasons(scenario.seasons, scenario.days).traffic[[(at.date() - days[0]).days for at in locals_]]
        self._hours: Int64 = np.arange(len(self.rate) + 1)
        self._sum: Float64 = np.concatenate([[0.0], np.cumsum(self.rate)])
        self._at_midnight: Float64 = self._expected(self.midnights)

    def day(self, at: int) -> int:
        """The day a time falls into: -1 before the first, `days` after the last."""
        return int(np.searchsorted(self.midnights, at, side="right")) - 1

    def hour(self, at: int) -> int:
        """The hour a time falls into."""
        return (at - self.start) // HOUR

    def opens(self, hour: int) -> int:
        """The first microsecond of an hour."""
        return self.start + hour * HOUR

    def elapsed(self, at: int) -> float:
        """The share of its day's expected traffic that has come by that time."""
        day = self.day(at)
        before, after = self._at_midnight[day], self._at_midnight[day + 1]
        return float((self._expected(np.array([at]))[0] - before) / (after - before))

    def times(self, day: int, shares: Float64) -> Int64:
        """The times at which these shares of the day's expected traffic have come."""
        before, after = self._at_midnight[day], self._at_midnight[day + 1]
        hours = np.interp(before + shares * (after - before), self._sum, self._hours)
        times: Int64 = np.minimum(self.start + (hours * HOUR).astype(np.int64), self.midnights[day + 1] - 1)
        return times

    def _expected(self, at: Int64) -> Float64:
        return np.interp((at - self.start) / HOUR, self._hours, self._sum)
