"""Standard campaigns share the auction with the plans: manual bids, own hard budgets, charged by what they bid for."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.core.days import DAY, MINUTE
from qianheng.core.placements import Placement
from qianheng.delivery.engine import Engine
from qianheng.delivery.picker import best_sellers
from qianheng.delivery.recorder import Recorder
from qianheng.delivery.shown import facts_of
from qianheng.delivery.site import Site
from qianheng.facts.batch import FactBatch, join
from qianheng.facts.opportunities import Opportunities
from qianheng.facts.schema import Channel, Kind
from qianheng.incentives.terms import ServiceFee, Terms
from qianheng.plans.campaign import BidUnit, CampaignKind, Keyword, StandardCampaign
from qianheng.plans.plan import PlanStatus
from qianheng.prediction.predictor import Predictor
from qianheng.prediction.space import Space
from tests.delivery.markets import SHOP, START
from tests.delivery.test_recorder import order, stamped, touched

SPACE = Space(np.array([11, 12]), np.array([0, 1]), np.array([100e6, 50e6]), placements=4, categories=2, audiences=2)
SITE = Site(np.array([[1.0, 0.6]] * 4), np.full(4, 1000.0), keywords=("knit cardigan", "red dress"))
SEARCH = StandardCampaign(
    101, 1, 1, "search", CampaignKind.SEARCH, BidUnit.CLICK, (11, 12), 6_000_000, 90_000_000, (Keyword("cardigan"),)
)
DISPLAY = replace(SEARCH, id=102, kind=CampaignKind.DISPLAY, unit=BidUnit.THOUSAND, bid=300_000_000, keywords=())
FEED = replace(SEARCH, id=103, kind=CampaignKind.FEED, keywords=())
AFFILIATE = StandardCampaign(
    104, 1, 1, "creators", CampaignKind.AFFILIATE, BidUnit.ORDER, (11,), commission_rate=Decimal("0.3")
)
TERMS = Terms({12: [ServiceFee(Decimal("0.05"))]})
ALL = (SEARCH, DISPLAY, FEED, AFFILIATE)


def engine(campaigns: Sequence[StandardCampaign], lease: int = 90_000_000) -> Engine:
    made = Engine([SHOP], SPACE, SITE, START)
    made.run_beside(campaigns)
    made.start_day(START)
    made.lease(SHOP.id, 10_000_000)
    for campaign in campaigns:
        made.lease(campaign.id, lease)
    predictor = Predictor(SPACE)
    made.refit(predictor, made.offers.calibrated, 1, START)
    made.campaigns.refit(predictor)
    return made


def requests(rng: np.random.Generator, now: int, count: int) -> Opportunities:
    placement = rng.integers(0, 4, count).astype(np.int8)
    keyword = np.where(placement == Placement.SEARCH, rng.integers(-1, 2, count), -1)
    return Opportunities(
        id=np.arange(count) + now // MINUTE * 1000,
        at=now + np.sort(rng.integers(0, MINUTE, count)),
        user_id=rng.integers(0, 50, count),
        placement=placement,
        audience=rng.integers(0, 2, count).astype(np.int16),
        category=rng.integers(-1, 2, count).astype(np.int8),
        bids=(rng.lognormal(np.log(60_000), 1.0, (count, 3))).astype(np.float32),
        keyword=keyword.astype(np.int16),
    )


def serve(made: Engine, rng: np.random.Generator, now: int, count: int = 200) -> FactBatch:
    tick = made.tick(requests(rng, now, count), now)
    seen, clicked = rng.random(len(tick.decisions)) < 0.8, rng.random(len(tick.decisions)) < 0.3
    return facts_of([made.shown(tick, seen, clicked, now)])


def of(facts: FactBatch, kind: Kind, id_: int) -> list[dict[str, int]]:
    return [row for row in facts[kind].to_pylist() if row["plan_id"] == id_]


@pytest.fixture(scope="module")
def served() -> FactBatch:
    made, rng = engine(ALL), np.random.default_rng(1)
    return join(serve(made, rng, START + minute * MINUTE) for minute in range(4))


def test_each_kind_shows_in_its_own_placement_only(served: FactBatch) -> None:
    expected = {101: Placement.SEARCH, 102: Placement.MALL, 103: Placement.FEED, 104: Placement.FEED}
    for id_, placement in expected.items():
        assert {row["placement"] for row in of(served, Kind.IMPRESSION, id_)} == {placement}


def test_a_search_campaign_shows_on_matching_searches_only(served: FactBatch) -> None:
    assert {row["keyword"] for row in of(served, Kind.IMPRESSION, SEARCH.id)} == {0}


def test_clicks_are_charged_where_clicks_are_bid_for_and_looks_where_looks_are(served: FactBatch) -> None:
    for campaign in (SEARCH, FEED):
        charges = of(served, Kind.CHARGE, campaign.id)
        assert [row["id"] for row in charges] == [row["id"] for row in of(served, Kind.CLICK, campaign.id)]
        assert charges
        assert all(0 < row["amount"] <= (campaign.bid or 0) for row in charges)
    looks = of(served, Kind.CHARGE, DISPLAY.id)
    assert [row["id"] for row in looks] == [row["id"] for row in of(served, Kind.IMPRESSION, DISPLAY.id)]
    assert all(0 < row["amount"] <= (DISPLAY.bid or 0) / 1000 for row in looks)


def test_an_affiliate_is_shown_and_never_charged(served: FactBatch) -> None:
    assert of(served, Kind.IMPRESSION, AFFILIATE.id)
    assert not of(served, Kind.CHARGE, AFFILIATE.id)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 20_000_000), st.integers(0, 20_000_000), st.integers(0, 2**32))
def test_no_campaign_ever_spends_above_its_lease_or_its_budget(lease: int, budget: int, seed: int) -> None:
    made = engine([replace(campaign, budget_daily=budget) for campaign in (SEARCH, DISPLAY, FEED)], lease)
    rng = np.random.default_rng(seed)
    facts = join(serve(made, rng, START + minute * MINUTE, 60) for minute in range(5))
    for row, campaign in enumerate(made.campaigns.campaigns):
        spent = sum(charge["amount"] for charge in of(facts, Kind.CHARGE, campaign.id))
        assert spent == made.campaigns.spent_today[row] <= min(lease, budget)


def test_a_paused_campaign_is_not_shown() -> None:
    made = engine([replace(DISPLAY, status=PlanStatus.PAUSED)])
    assert not of(serve(made, np.random.default_rng(2), START), Kind.IMPRESSION, DISPLAY.id)


def test_the_plan_meets_the_campaigns_as_competitors() -> None:
    alone, beside = engine([]), engine(ALL)
    batch = requests(np.random.default_rng(3), START, 300)
    prices = [made.tick(batch, START).cleared.rival_price[:, 0] for made in (alone, beside)]
    assert (prices[1] >= prices[0]).all()
    assert (prices[1] > prices[0]).any()


def test_going_on_from_a_snapshot_is_the_same_for_campaigns() -> None:
    made, rng = engine(ALL), np.random.default_rng(4)
    serve(made, rng, START)
    again = engine(ALL)
    again.restore(made.snapshot())
    assert again.campaigns.spent_today.tolist() == made.campaigns.spent_today.tolist()
    days = [serve(one, np.random.default_rng(5), START + DAY // 2)[Kind.CHARGE].to_pydict() for one in (made, again)]
    assert days[0] == days[1]


def test_an_order_that_an_affiliate_reached_is_its_own_and_owes_the_commission() -> None:
    made = Recorder(TERMS)
    made.change(START, SHOP, 0)
    made.change(START, AFFILIATE, 0)
    touched(made, replace(SHOP, id=AFFILIATE.id), START + MINUTE)
    found = stamped(made, order(START + 2 * MINUTE))
    assert (found["plan_id"], found["channel"], found["commission"]) == (AFFILIATE.id, Channel.PROMOTED, 30_000_000)


def test_without_a_touch_an_order_is_never_a_campaigns() -> None:
    made = Recorder(Terms({}))
    made.change(START, AFFILIATE, 0)
    assert stamped(made, order(START + MINUTE))["plan_id"] == -1


def test_the_picker_puts_first_what_sells_and_keeps_best() -> None:
    predictor = Predictor(SPACE)
    predictor.impressions[:2] += 2000.0
    predictor.clicks[:2] += 60.0
    predictor.matured_clicks[:2] += 60.0
    predictor.orders[1] += 4.0
    predictor.refit(START)
    first, second = best_sellers(predictor, (11, 12))
    assert (first.product_id, second.product_id) == (12, 11)
    assert first.cvr > second.cvr
    made = engine([replace(DISPLAY, picks=1)])
    made.campaigns.refit(predictor)
    assert {row["product_id"] for row in of(serve(made, np.random.default_rng(6), START), Kind.IMPRESSION, 102)} == {12}
