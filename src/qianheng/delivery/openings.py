"""Where and when each plan may bid: its placements and the hours of its schedule, as tables over plans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qianheng.core.days import moment
from qianheng.core.placements import Placement
from qianheng.facts.opportunities import Bool, Int8
from qianheng.plans.plan import HOURS_OF_DAY, Plan
from qianheng.prediction.space import Float


class Openings:
    """The placements [plans, placements] and hours [plans, 24] open to each plan."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.placements = np.ones((len(plans), len(Placement)), bool)
        self.hours = np.ones((len(plans), HOURS_OF_DAY), bool)
        self.zones = [plan.timezone for plan in plans]
        for row, plan in enumerate(plans):
            self.change(row, plan)

    def change(self, row: int, plan: Plan) -> None:
        """A plan is so from now on; one that names no placements or hours has them all."""
        for table, named in ((self.placements, plan.placements), (self.hours, plan.schedule)):
            table[row] = not named
            table[row, list(named)] = True

    def now(self, now: int) -> Bool:
        """[plans] whether the hour of a time (UTC microseconds) is in the schedule, each in its own zone."""
        hour_in = {name: moment(now, name).hour for name in {*self.zones}}
        hours = np.array([hour_in[name] for name in self.zones], np.int64)
        return np.asarray(self.hours[np.arange(len(hours)), hours], bool)

    def worth(self, worth: Float, placement: Int8) -> Float:
        """What impressions [n, plans] are worth where each plan may bid, and nothing where it may not."""
        return worth if self.placements.all() else worth * self.placements.T[placement]
