"""Where the engine delivers: the placements and what their pages look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.core.days import MINUTE
from qianheng.delivery.goods import Goods


@dataclass(frozen=True, slots=True)
class Site:
    """The pages of a marketplace and the rhythm of control.

    seen: [placements, slots] chance that a place is seen, 0 where the page has no such place; reserve: [placements]
    the least an impression costs, micro-yuan; `step` is the time between two control steps, `grace` how long a live
    plan may go on after its room went off air (SPEC 4.3), both in microseconds. `keywords` is what people search, by
    the number that requests carry.
    """

    seen: npt.NDArray[np.float64]
    reserve: npt.NDArray[np.float64]
    step: int = MINUTE
    grace: int = 10 * MINUTE
    goods: Goods | None = None
    keywords: tuple[str, ...] = ()

    @property
    def places(self) -> npt.NDArray[np.int8]:
        """[placements] how many places each page has."""
        return np.array([np.count_nonzero(row) for row in self.seen], np.int8)
