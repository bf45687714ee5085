"""The standard campaign (标准推广, SPEC 4.6): one placement, manual bids and, for search, keywords."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from qianheng.core.errors import BadInput
from qianheng.core.money import Micros, yuan
from qianheng.core.words import say
from qianheng.plans.plan import PlanStatus


class CampaignKind(StrEnum):
    """What a campaign buys: searches 直通车, banners 钻展, places in the feed 超级推荐, creators' orders 淘宝客."""

    SEARCH = "search"
    DISPLAY = "display"
    FEED = "feed"
    AFFILIATE = "affiliate"


class BidUnit(StrEnum):
    """What a manual bid is for. An order is not bid for: its creator gets a commission."""

    CLICK = "click"
    THOUSAND = "thousand"  # impressions (CPM)
    ORDER = "order"


UNITS: dict[CampaignKind, tuple[BidUnit, ...]] = {
    CampaignKind.SEARCH: (BidUnit.CLICK,),
    CampaignKind.DISPLAY: (BidUnit.THOUSAND,),
    CampaignKind.FEED: (BidUnit.CLICK, BidUnit.THOUSAND),
    CampaignKind.AFFILIATE: (BidUnit.ORDER,),
}


class Match(StrEnum):
    """How near a search must come to a keyword: hold each of its words, or be it."""

    BROAD = "broad"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword that is bid for: what a click costs at most (`None`: the campaign's own bid), and how it matches."""

    text: str
    bid: Micros | None = None
    match: Match = Match.BROAD

    def matches(self, searched: str) -> bool:
        """Whether it stands for what somebody searched; case and the order of words do not matter to a broad one."""
        mine, theirs = self.text.lower().split(), searched.lower().split()
        if self.match is Match.EXACT:
            return mine == theirs
        return all(any(word in other for other in theirs) for word in mine)


@dataclass(frozen=True, slots=True)
class StandardCampaign:
    """One placement, manual bids, a hard budget. Its orders are those that its impressions and clicks reached.

    bid: the most a click, or a thousand impressions, may cost; `None` for affiliates, who have a `commission_rate` on
    orders instead, pay nothing for impressions and need no budget. `picks` is how many of its products it shows, those
    that sell best as they are shown; 0 means all.
    """

    id: int
    shop_id: int
    ad_account_id: int
    name: str
    kind: CampaignKind
    unit: BidUnit
    product_ids: tuple[int, ...]
    bid: Micros | None = None
    budget_daily: Micros = 0
    keywords: tuple[Keyword, ...] = ()
    commission_rate: Decimal = Decimal(0)
    picks: int = 0
    status: PlanStatus = PlanStatus.ACTIVE

    def __post_init__(self) -> None:
        if faults := list(_faults(self)):
            raise BadInput("plans.campaign.faults", faults="; ".join(faults))

    def bid_on(self, searched: str) -> Micros:
        """What a click on this search may cost at most, 0 where no keyword matches; an exact match goes first."""
        matching = [keyword for keyword in self.keywords if keyword.matches(searched)]
        exact = [keyword for keyword in matching if keyword.match is Match.EXACT]
        bids = [self.bid or 0 if keyword.bid is None else keyword.bid for keyword in exact or matching]
        return max(bids, default=0)


def _faults(campaign: StandardCampaign) -> Iterator[str]:
    """Everything that a campaign may not be."""
    if campaign.unit not in UNITS[campaign.kind]:
        known = ", ".join(UNITS[campaign.kind])
        yield say("plans.campaign.unit", kind=campaign.kind, known=known, value=campaign.unit)
    if not campaign.product_ids:
        yield say("plans.no_products")
    if campaign.picks < 0:
        yield say("plans.campaign.picks", value=campaign.picks)
    if (campaign.kind is CampaignKind.SEARCH) != bool(campaign.keywords):
        yield say("plans.campaign.keywords")
    if campaign.budget_daily < 0:
        yield say("plans.negative_budget")
    if (campaign.unit is BidUnit.ORDER) != (campaign.bid is None):
        yield say("plans.campaign.bid")
    if (campaign.unit is BidUnit.ORDER) != (0 < campaign.commission_rate < 1):
        yield say("plans.campaign.commission", value=campaign.commission_rate)
    bids = [campaign.bid, *(keyword.bid for keyword in campaign.keywords)]
    yield from (say("plans.campaign.bid_above_zero", value=yuan(bid)) for bid in bids if bid is not None and bid <= 0)
    yield from (say("plans.campaign.empty_keyword") for keyword in campaign.keywords if not keyword.text.split())
