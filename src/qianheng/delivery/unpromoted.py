"""What sells for a plan without being promoted, so that a plan that counts `all` orders can bid with it in view.

Where every order of a room counts, its ROI has orders in it that no bid brought. They are forecast by the hour of the
day from the days before, and replaced by what really came as the day goes on.
"""

from __future__ import annotations

import numpy as np

from qianheng.core.days import DAY, HOUR
from qianheng.prediction.space import Float, Int

HOURS = DAY // HOUR
MEMORY_DAYS = 5.0


class Unpromoted:
    """GMV of unpromoted orders by plan and hour of the day, micro-yuan."""

    def __init__(self, plans: int) -> None:
        self.mean = np.zeros((plans, HOURS))
        self.days = np.zeros(plans)  # weight of the days in the mean
        self.today = np.zeros((plans, HOURS))

    def join(self, like: int | None) -> None:
        """A plan more, behind the others: nothing known, or what is known of the plan of a row."""
        for name in ("mean", "days", "today"):
            held = getattr(self, name)
            more = np.zeros_like(held[:1]) if like is None else held[like : like + 1]
            setattr(self, name, np.concatenate([held, more]))

    def resize(self, row: int, times: float) -> None:
        """A plan's orders come from so many times as many users from now on."""
        self.mean[row] *= times

    def add(self, plan: Int, since_midnight: Int, amount: Int) -> None:
        """Orders reported: row of the plan, microseconds into its day (yesterday's are below zero and left out)."""
        of_today = (since_midnight >= 0) & (since_midnight < DAY)
        where = plan[of_today], since_midnight[of_today] // HOUR
        np.add.at(self.today, where, amount[of_today].astype(float))

    def expected(self, since_midnight: int) -> Float:
        """[plans] the whole day's unpromoted GMV: what has come by now, and what usually comes from here on."""
        hour = since_midnight / HOUR
        to_come = np.clip(np.arange(HOURS) + 1 - hour, 0.0, 1.0)
        return np.asarray(self.today.sum(axis=1) + self.mean @ to_come, float)

    def snapshot(self) -> dict[str, Float]:
        """Everything known, to go on from."""
        return {"mean": self.mean.copy(), "days": self.days.copy(), "today": self.today.copy()}

    def restore(self, state: dict[str, Float]) -> None:
        """Go on from a snapshot."""
        self.mean, self.days, self.today = (np.array(state[name], float) for name in ("mean", "days", "today"))

    def close_day(self) -> None:
        """Today becomes one of the days before."""
        kept = np.exp(-1.0 / MEMORY_DAYS)
        self.days = self.days * kept + 1
        self.mean += (self.today - self.mean) / self.days[:, None]
        self.today[:] = 0.0
