"""How long events take to come: the share of them that has been reported by a given age, on pages and in rooms.

Orders not yet seen are not negatives: an exposure of age t counts only F(t) (Chapelle, "Modeling Delayed Feedback in
Display Advertising", 2014). The curve starts from a stated prior. What is known of a young cohort are its prompt events
alone, so that plain counts would think every event prompt: the share of a bin is therefore taken among the events that
could have been seen there, from the last bin backwards (Lynden-Bell's estimator for truncated data, 1971).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.core.days import DAY, HOUR, MINUTE
from qianheng.prediction.space import Float, Int

EDGES: npt.NDArray[np.int64] = np.array(
    [0, 5 * MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, 5 * DAY, 7 * DAY]
)
# Before any fact: from a page about a third of the orders within an hour of the click, half within half a day; a live
# picture makes up minds at once.
PRIOR = np.array(
    [
        [0.10, 0.10, 0.13, 0.09, 0.06, 0.06, 0.12, 0.13, 0.08, 0.08, 0.05],
        [0.40, 0.20, 0.15, 0.08, 0.05, 0.03, 0.03, 0.02, 0.02, 0.01, 0.01],
    ]
)


@dataclass(slots=True)
class DelayCurve:
    """Counts of delays [offers, bins] of matured cohorts, the prior among them, and the share by each edge."""

    counts: Float
    share: Float

    @classmethod
    def start(cls, prior_events: float = 10.0) -> DelayCurve:
        """The curve before any fact; `prior_events` says how firmly the prior is held."""
        counts = PRIOR * prior_events
        return cls(counts, _shares(counts, counts.cumsum(axis=1)))

    def add(self, delay: Int, live: Int) -> None:
        """Learn from the delays of one matured cohort, in microseconds: all of its events, the late ones too.

        live: 1 for an event of a room, 0 for one of a page.
        """
        np.add.at(self.counts, (live, _bin(delay)), 1.0)

    def refit(self, delay: Int, age: Int, live: Int) -> None:
        """Take in the events known of cohorts that have not matured: their delays, and how old their cohorts are."""
        counts, risk = self.counts.copy(), self.counts.cumsum(axis=1)
        last = np.searchsorted(EDGES, age, side="right") - 2  # the last bin that their age has seen the whole of
        found = _bin(delay)
        whole = found <= last
        np.add.at(counts, (live[whole], found[whole]), 1.0)
        bins = np.arange(counts.shape[1])
        within = (found[:, None] <= bins) & (bins <= last[:, None])
        np.add.at(risk, live, within.astype(float))
        self.share = _shares(counts, risk)

    def reported(self, age: Int, live: Int) -> Float:
        """[n] ages in microseconds → the share of events expected to be known by then, from 0 to 1."""
        both = np.stack([np.interp(age, EDGES, share) for share in self.share])
        return np.asarray(both[live, np.arange(len(age))], float)


def _bin(delay: Int) -> Int:
    return np.clip(np.searchsorted(EDGES, delay, side="right") - 1, 0, PRIOR.shape[1] - 1)


def _shares(counts: Float, risk: Float) -> Float:
    """[offers, edges] the share of events by each edge: that by the next edge, less what comes in between."""
    kept = np.cumprod((1.0 - counts / risk)[:, ::-1], axis=1)[:, ::-1]
    kept[:, 0] = 0.0
    return np.concatenate([kept, np.ones((len(counts), 1))], axis=1)
