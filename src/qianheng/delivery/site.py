"""Where the engine delivers: the placements and what their pages look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from qianheng.auction.pools import Weights
from qianheng.auction.pricing import Pricing, Rules, codes
from qianheng.core.days import MINUTE
from qianheng.delivery.goods import Goods
from qianheng.delivery.limits import Limits
from qianheng.plans.exploration import Exploration
from qianheng.plans.users import UserShare

GRACE = 10 * MINUTE  # how long a live plan may go on after its room went off air (SPEC 4.3)


@dataclass(frozen=True, slots=True)
class Pools:
    """How organic, commerce and promoted candidates are ranked together, and what a user may see of them (SPEC 6.0)."""

    weights: Weights
    limits: Limits


@dataclass(frozen=True, slots=True)
class Site:
    """The pages of a marketplace and the rhythm of control.

    seen: [placements, slots] chance that a place is seen, 0 where the page has no such place; reserve: [placements]
    the least an impression costs, micro-yuan; `step` is the time between two control steps, `grace` how long a live
    plan may go on after its room went off air (SPEC 4.3), both in microseconds. `keywords` is what people search, by
    the number that requests carry; pricing: [placements] the rule of a price, GSP if none is given;
    `pools` says how all pools are ranked together, `None` that only ads are;
    `held_out`, by shop id, are users whom no plan and no campaign of that shop bids for (SPEC 8.4);
    `exploration` is what is left to chance.
    """

    seen: npt.NDArray[np.float64]
    reserve: npt.NDArray[np.float64]
    step: int = MINUTE
    grace: int = GRACE
    goods: Goods | None = None
    keywords: tuple[str, ...] = ()
    pricing: tuple[Pricing, ...] = ()
    pools: Pools | None = None
    held_out: Mapping[int, UserShare] = field(default_factory=dict)
    exploration: Exploration = field(default_factory=Exploration)

    @property
    def places(self) -> npt.NDArray[np.int8]:
        """[placements] how many places each page has."""
        return np.array([np.count_nonzero(row) for row in self.seen], np.int8)

    def rules(self, placement: npt.NDArray[np.int8]) -> Rules | None:
        """The rules of auctions in these placements [n]; `None` where GSP is the only one."""
        if not {*self.pricing} - {Pricing.GSP}:
            return None
        return Rules(codes(self.pricing)[placement], self.seen[placement].astype(np.float32))
