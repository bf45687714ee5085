"""The pools of a scenario's marketplace and what its users may see, as its operator sets them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PlannedLimits:
    """What a user may see; what is not given is not limited. Showings a day, shares by placement."""

    per_plan_daily: int | None = None
    per_product_daily: int | None = None
    ads_daily: int | None = None
    ad_share: dict[str, float] = field(default_factory=dict)
    window_hours: float = 1.0
    relevance: float = 0.0  # least chance of a click


@dataclass(frozen=True, slots=True)
class PlannedPools:
    """Organic and commerce candidates a request, and the one rule by which all pools are ranked (SPEC 6.0).

    relevance: 元 that a click to be expected of a look adds to any candidate's score; experience: 元 that it is worth
    beside that where something organic is shown; own: chance that a candidate is a product sold here; spread: standard
    deviation of the logarithm of how well single pieces do.
    """

    relevance: float
    experience: float
    organic: int = 3
    commerce: int = 3
    own: float = 0.15
    spread: float = 0.6
    limits: PlannedLimits = field(default_factory=PlannedLimits)

    def bounds(self) -> Iterator[tuple[str, float, int, int]]:
        """(place, value, least, most) of everything that has bounds."""
        limits = self.limits
        yield from (("pools, relevance", self.relevance, 0, 1000), ("pools, experience", self.experience, 0, 1000))
        yield from (("pools, organic", self.organic, 0, 100), ("pools, commerce", self.commerce, 0, 100))
        yield from (("pools, own", self.own, 0, 1), ("pools, spread", self.spread, 0, 3))
        yield from (("pools, limits, relevance", limits.relevance, 0, 1),)
        for name in ("per_plan_daily", "per_product_daily", "ads_daily"):
            if (most := getattr(limits, name)) is not None:
                yield f"pools, limits, {name}", most, 0, 10**6
        yield from ((f"pools, limits, ad_share, {name}", share, 0, 1) for name, share in limits.ad_share.items())
        if limits.window_hours <= 0:
            yield "pools, limits, window_hours", limits.window_hours, 1, 10**4
