"""How long events take to come: the share of them that has been reported by a given age.

Orders not yet seen are not negatives: an exposure of age t counts only F(t) (Chapelle, "Modeling Delayed Feedback in
Display Advertising", 2014). The curve starts from a stated prior and is corrected by cohorts that have matured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.core.days import DAY, HOUR, MINUTE
from qianheng.prediction.space import Float

EDGES: npt.NDArray[np.int64] = np.array(
    [0, 5 * MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, 5 * DAY, 7 * DAY]
)
# Before any fact: about a third of the orders within an hour of the click, half within half a day.
PRIOR = np.array([0.10, 0.10, 0.13, 0.09, 0.06, 0.06, 0.12, 0.13, 0.08, 0.08, 0.05])


@dataclass(slots=True)
class DelayCurve:
    """Counts of delays by bin, the prior among them; `prior_events` says how firmly the prior is held."""

    counts: Float
    prior_events: float = 50.0

    @classmethod
    def start(cls, prior_events: float = 50.0) -> DelayCurve:
        """The curve before any fact."""
        return cls(PRIOR / PRIOR.sum() * prior_events, prior_events)

    def add(self, delay: npt.NDArray[np.int64]) -> None:
        """Learn from the delays of one matured cohort, in microseconds: all of its events, the late ones too."""
        bins = np.clip(np.searchsorted(EDGES, delay, side="right") - 1, 0, len(self.counts) - 1)
        self.counts += np.bincount(bins, minlength=len(self.counts))

    def reported(self, age: npt.NDArray[np.int64]) -> Float:
        """[n] ages in microseconds → the share of events expected to be known by then, from 0 to 1."""
        share = np.concatenate([[0.0], np.cumsum(self.counts)]) / self.counts.sum()
        return np.asarray(np.interp(age, EDGES, share), float)
