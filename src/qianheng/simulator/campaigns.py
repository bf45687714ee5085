"""Standard campaigns as a scenario plans them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from qianheng.core.money import micros
from qianheng.plans.campaign import UNITS, BidUnit, CampaignKind, Keyword, Match, StandardCampaign
from qianheng.plans.plan import PlanStatus


@dataclass(frozen=True, slots=True)
class PlannedKeyword:
    """A keyword of a search campaign; its bid is in 元 a click, the campaign's own if none is given."""

    text: str
    bid: Decimal | None = None
    match: Literal["broad", "exact"] = "broad"


@dataclass(frozen=True, slots=True)
class PlannedCampaign:
    """A standard campaign as its owner would set it up; money in 元, `bid` for a click or a thousand impressions."""

    id: int
    shop: int
    name: str
    kind: Literal["search", "display", "feed", "affiliate"]
    products: tuple[int, ...]
    bid: Decimal | None = None
    unit: Literal["click", "thousand", "order"] | None = None  # default: the kind's first
    budget_daily: Decimal = Decimal(0)
    keywords: tuple[PlannedKeyword, ...] = ()
    commission_rate: Decimal = Decimal(0)
    picks: int = 0
    status: Literal["active", "paused"] = "active"

    def record(self, ad_account_id: int) -> StandardCampaign:
        """The campaign. What one may not be: BadInput."""
        kind = CampaignKind(self.kind)
        return StandardCampaign(
            id=self.id,
            shop_id=self.shop,
            ad_account_id=ad_account_id,
            name=self.name,
            kind=kind,
            unit=UNITS[kind][0] if self.unit is None else BidUnit(self.unit),
            product_ids=self.products,
            bid=None if self.bid is None else micros(str(self.bid)),
            budget_daily=micros(str(self.budget_daily)),
            keywords=tuple(_keyword(keyword) for keyword in self.keywords),
            commission_rate=self.commission_rate,
            picks=self.picks,
            status=PlanStatus(self.status),
        )


def _keyword(planned: PlannedKeyword) -> Keyword:
    bid = None if planned.bid is None else micros(str(planned.bid))
    return Keyword(planned.text, bid, Match(planned.match))
