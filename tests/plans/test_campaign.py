"""A standard campaign: what it may be, and what it bids on which search."""

from dataclasses import replace
from decimal import Decimal

import pytest

from qianheng.core.errors import BadInput
from qianheng.plans.campaign import BidUnit, CampaignKind, Keyword, Match, StandardCampaign

SEARCH = StandardCampaign(
    101, 1, 1, "search", CampaignKind.SEARCH, BidUnit.CLICK, (11,), 900_000, 50_000_000, (Keyword("开衫"),)
)
FEED = replace(SEARCH, id=103, kind=CampaignKind.FEED, keywords=())
AFFILIATE = StandardCampaign(
    104, 1, 1, "creators", CampaignKind.AFFILIATE, BidUnit.ORDER, (11,), commission_rate=Decimal("0.2")
)


@pytest.mark.parametrize(
    ("text", "match", "searched", "matches"),
    [
        ("开衫", Match.BROAD, "针织开衫 女", True),
        ("女 开衫", Match.BROAD, "针织开衫 女", True),
        ("男 开衫", Match.BROAD, "针织开衫 女", False),
        ("T恤", Match.BROAD, "白色t恤", True),
        ("开衫", Match.EXACT, "针织开衫 女", False),
        ("针织开衫  女", Match.EXACT, "针织开衫 女", True),
        ("女 针织开衫", Match.EXACT, "针织开衫 女", False),
    ],
)
def test_a_broad_keyword_holds_its_words_and_an_exact_one_is_the_search(
    text: str, match: Match, searched: str, matches: bool
) -> None:
    assert Keyword(text, match=match).matches(searched) is matches


def test_an_exact_match_goes_first_then_the_highest_bid_and_the_campaigns_own_bid_stands_in() -> None:
    keywords = (Keyword("开衫", 2_000_000), Keyword("女"), Keyword("针织开衫 女", 500_000, Match.EXACT))
    campaign = replace(SEARCH, keywords=keywords)
    assert campaign.bid_on("针织开衫 女") == 500_000
    assert campaign.bid_on("长款开衫 女") == 2_000_000
    assert campaign.bid_on("女 裤") == 900_000
    assert campaign.bid_on("男 裤") == 0


@pytest.mark.parametrize(
    ("campaign", "change", "said"),
    [
        (SEARCH, {"keywords": ()}, "needs keywords"),
        (FEED, {"keywords": (Keyword("a"),)}, "needs keywords"),
        (SEARCH, {"unit": BidUnit.THOUSAND}, "bid per click"),
        (FEED, {"unit": BidUnit.ORDER}, "bid per click, thousand"),
        (FEED, {"bid": None}, "a bid is needed"),
        (FEED, {"bid": 0}, "above 0"),
        (FEED, {"budget_daily": -1}, "below zero"),
        (FEED, {"product_ids": ()}, "at least one product"),
        (FEED, {"picks": -1}, "picks is -1"),
        (FEED, {"commission_rate": Decimal("0.1")}, "commission rate of 0.1"),
        (AFFILIATE, {"commission_rate": Decimal(1)}, "commission rate of 1"),
        (AFFILIATE, {"bid": 5}, "a bid is needed"),
        (SEARCH, {"keywords": (Keyword(" "),)}, "without a word"),
        (SEARCH, {"keywords": (Keyword("a", -3),)}, "-0.000003"),
    ],
)
def test_what_a_campaign_may_not_be_is_told(campaign: StandardCampaign, change: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        replace(campaign, **change)  # type: ignore[arg-type]


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        replace(SEARCH, keywords=(), budget_daily=-1, product_ids=())
    assert all(part in str(caught.value) for part in ("keywords", "below zero", "product"))
