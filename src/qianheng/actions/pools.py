"""Pools of a run: how its marketplace ranks them, and what people were shown of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from qianheng.auction.pools import Weights
from qianheng.core.days import HOUR
from qianheng.core.money import YUAN, ratio
from qianheng.core.placements import Placement
from qianheng.delivery.limits import Limits
from qianheng.delivery.pooled import Experience
from qianheng.delivery.site import Pools
from qianheng.simulator.pools import PlannedLimits
from qianheng.simulator.scenario import Scenario

POOLS = ("ours", "advertisers", "commerce", "organic")


@dataclass(frozen=True, slots=True)
class Shown:
    """What people were shown over the days of a run: looks and clicks to be expected, rounded, by pool."""

    looks: Mapping[str, int]
    clicks: Mapping[str, int]
    user_days: int
    requests: int

    @property
    def ads(self) -> int:
        """Looks at ads, ours and others'."""
        return self.looks["ours"] + self.looks["advertisers"]

    @property
    def relevance(self) -> Fraction | None:
        """The chance of a click on what is looked at, over all pools: how welcome it is."""
        return ratio(sum(self.clicks.values()), sum(self.looks.values()))

    @property
    def ad_share(self) -> Fraction | None:
        """The share of looks that went to ads."""
        return ratio(self.ads, sum(self.looks.values()))

    @property
    def ads_per_user(self) -> Fraction | None:
        """Ads that a user looked at on a day on which they came."""
        return ratio(self.ads, self.user_days)


def pools_of(scenario: Scenario) -> Pools | None:
    """How a scenario's marketplace ranks all pools together; `None` where it ranks only ads."""
    planned = scenario.pools
    if planned is None:
        return None
    return Pools(Weights(planned.relevance * YUAN, planned.experience * YUAN), _limits(planned.limits))


def told(experience: Experience) -> dict[str, Any]:
    """A day's experience as JSON."""
    return {
        "looks": [round(looks) for looks in experience.looks.tolist()],
        "clicks": [round(clicks) for clicks in experience.clicks.tolist()],
        "users": experience.users,
        "requests": experience.requests,
    }


def shown_of(days: Iterable[Mapping[str, Any]]) -> Shown | None:
    """What was shown over some days, from what was told of each; `None` where only ads were ranked."""
    known = [day["experience"] for day in days if "experience" in day]
    if not known:
        return None
    looks, clicks = (
        {pool: sum(day[name][place] for day in known) for place, pool in enumerate(POOLS)}
        for name in ("looks", "clicks")
    )
    return Shown(looks, clicks, sum(day["users"] for day in known), sum(day["requests"] for day in known))


def shown_json(shown: Shown | None) -> dict[str, Any] | None:
    """The experience of a run as plain values."""
    if shown is None:
        return None
    shares = {name: getattr(shown, name) for name in ("relevance", "ad_share", "ads_per_user")}
    known = {name: None if share is None else f"{float(share):.6f}" for name, share in shares.items()}
    return {"looks": dict(shown.looks), **known, "user_days": shown.user_days}


def _limits(planned: PlannedLimits) -> Limits:
    share = tuple(float(planned.ad_share.get(place.name.lower(), 1.0)) for place in Placement)
    return Limits(
        per_plan_daily=planned.per_plan_daily,
        per_product_daily=planned.per_product_daily,
        ads_daily=planned.ads_daily,
        ad_share=share if planned.ad_share else None,
        window=int(planned.window_hours * HOUR),
        relevance=planned.relevance,
    )
