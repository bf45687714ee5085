"""Calibration: a plan's predicted GMV against what really came, by cohorts that have matured.

factor = (observed + k) / (Σ predicted · F(age) + k): young impressions count only the share of their orders expected
to be known by now, so an immature ROI never steers; k is the GMV of some twenty orders and keeps a quiet plan at 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.core.days import HOUR
from qianheng.core.errors import BadInput
from qianheng.prediction.delay import DelayCurve
from qianheng.prediction.predictor import CONVERSION_WINDOW
from qianheng.prediction.recent import Recent
from qianheng.prediction.space import Float, Int


@dataclass(frozen=True, slots=True)
class Trust:
    """How far predictions are to be trusted. `bias`, a factor on every predicted GMV, is there to try being wrong."""

    bias: float = 1.0

    def __post_init__(self) -> None:
        if not 0.01 <= self.bias <= 100:
            raise BadInput("prediction.bias", value=self.bias)


FORGET = 0.9  # a day: what happened a week ago weighs half
BOUNDS = (0.4, 2.0)


class Calibration:
    """Predicted and observed promoted GMV of each plan."""

    def __init__(self, plans: int, order_value: Float, firmness_orders: float = 20.0) -> None:
        self.recent = Recent("plan", "predicted", "observed")
        self.matured = np.zeros((plans, 2))  # predicted, observed
        self.firmness = order_value * firmness_orders  # [plans] micro-yuan

    def add(self, at: Int, plan: Int, predicted: Int, observed: Int) -> None:
        """Rows of what was predicted when shown, and of orders as they are reported: put to the hour of the showing."""
        hour = np.asarray(at, np.int64) // HOUR * HOUR + HOUR // 2
        self.recent.add({"at": hour, "plan": plan, "predicted": predicted, "observed": observed})

    def close_day(self, now: int) -> None:
        """Fold the cohorts whose orders have all come into the long memory, which slowly forgets."""
        self.matured *= FORGET
        old = self.recent.leave(now - CONVERSION_WINDOW)
        self.matured += self._sums(old["plan"], old["predicted"], old["observed"])
        self._condense()

    def factor(self, now: int, delay: DelayCurve) -> Float:
        """[plans] what to multiply predictions by."""
        weight = delay.reported(np.maximum(now - self.recent["at"], 0))
        recent = self.recent
        sums = self.matured + self._sums(recent["plan"], recent["predicted"] * weight, recent["observed"])
        factor = (sums[:, 1] + self.firmness) / (sums[:, 0] + self.firmness)
        return np.asarray(np.clip(factor, *BOUNDS), float)

    def _sums(self, plan: Int, predicted: npt.ArrayLike, observed: npt.ArrayLike) -> Float:
        plans = len(self.matured)
        return np.stack([np.bincount(plan, values, plans) for values in (predicted, observed)], axis=1)

    def _condense(self) -> None:
        """One row a plan and hour, so that the memory does not grow with the orders."""
        plans = len(self.matured)
        key, place = np.unique(self.recent["at"] * plans + self.recent["plan"], return_inverse=True)
        sums = {name: np.bincount(place, self.recent[name], len(key)) for name in ("predicted", "observed")}
        columns = {"at": key // plans, "plan": key % plans, **sums}
        self.recent.columns = {name: np.asarray(column, np.int64) for name, column in columns.items()}
