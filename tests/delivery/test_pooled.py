"""What people are shown when all pools are ranked together stays within limits, and every refusal has its reason."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.auction.pools import Weights
from qianheng.core.days import HOUR, MINUTE
from qianheng.delivery.engine import Engine
from qianheng.delivery.limits import AdShare, Limits
from qianheng.delivery.pooled import NOBODY, REFUSALS
from qianheng.delivery.shown import facts_of
from qianheng.delivery.site import Pools
from qianheng.delivery.tick import Tick
from qianheng.facts.opportunities import Opportunities, Unpaid
from qianheng.facts.schema import Fate, Kind
from qianheng.prediction.predictor import Predictor
from tests.delivery import test_campaigns as beside
from tests.delivery.markets import SHOP, START

WEIGHTS = Weights(relevance=200_000.0, experience=300_000.0)
RIVALS = 3


def engine(limits: Limits | None = None) -> Engine:
    site = replace(beside.SITE, pools=Pools(WEIGHTS, limits or Limits()))
    made = Engine([SHOP], beside.SPACE, site, START)
    made.run_beside(beside.ALL)
    made.start_day(START)
    for id_ in (SHOP.id, *(campaign.id for campaign in beside.ALL)):
        made.lease(id_, 50_000_000)
    made.refit(Predictor(beside.SPACE), made.offers.calibrated, 1, START)
    made.campaigns.refit(Predictor(beside.SPACE))
    return made


def requests(rng: np.random.Generator, now: int, count: int = 120) -> Opportunities:
    batch = beside.requests(rng, now, count)
    columns = 4
    relevance = (0.03 * rng.lognormal(0, 0.6, (count, columns))).astype(np.float32)
    commerce = np.arange(columns) >= 2
    unpaid = Unpaid(
        relevance=relevance,
        take=(relevance * 100_000 * commerce).astype(np.float32),
        commerce=commerce,
        product_id=np.where(rng.random((count, columns)) < 0.3, 11, -1),
        advertisers=(0.03 * rng.lognormal(0, 0.6, (count, RIVALS))).astype(np.float32),
    )
    return replace(batch, unpaid=unpaid, user_id=rng.integers(0, 15, count))


def showings(made: Engine, tick: Tick) -> tuple[np.ndarray, np.ndarray]:
    """Users and columns of all ads shown, ours and others'."""
    ads = len(made.plans) + len(made.campaigns) + RIVALS
    row, place = np.nonzero((tick.cleared.winner >= 0) & (tick.cleared.winner < ads))
    return tick.batch.user_id[row], tick.cleared.winner[row, place]


def lived(made: Engine, seed: int, minutes: int = 5) -> list[Tick]:
    rng, ticks = np.random.default_rng(seed), []
    for minute in range(minutes):
        now = START + minute * MINUTE
        ticks.append(tick := made.tick(requests(rng, now), now))
        looked = rng.random(len(tick.decisions)) < 0.8
        made.shown(tick, looked, looked, now)
    return ticks


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 4), st.integers(0, 5), st.integers(0, 8))
def test_nobody_is_shown_anything_more_often_than_the_limits_allow(
    seed: int, per_plan: int, per_product: int, ads: int
) -> None:
    made = engine(Limits(per_plan, per_product, ads))
    ticks = lived(made, seed)
    users, columns = (np.concatenate(part) for part in zip(*(showings(made, tick) for tick in ticks), strict=True))
    assert np.bincount(users, minlength=1).max() <= ads
    assert np.bincount(users * 100 + columns, minlength=1).max() <= per_plan
    promoted = [tick.decisions.plan_id != NOBODY for tick in ticks]
    of = [tick.batch.user_id[tick.decisions.row[mine]] for tick, mine in zip(ticks, promoted, strict=True)]
    what = [tick.decisions.product_id[mine] for tick, mine in zip(ticks, promoted, strict=True)]
    assert np.bincount(np.concatenate(of) * 100 + np.concatenate(what), minlength=1).max() <= per_product


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 1))
def test_the_rolling_share_of_ads_stays_within_its_limit_in_every_placement(seed: int, most: float) -> None:
    made = engine(Limits(ad_share=(most, 1.0, most / 2, 0.3)))
    assert made.pools is not None
    lived(made, seed)
    share: AdShare = made.pools.share
    assert (share.promoted <= np.array([most, 1.0, most / 2, 0.3]) * share.places + 1e-6).all()


def test_no_ad_less_relevant_than_the_least_is_shown() -> None:
    made = engine(Limits(relevance=0.031))
    for tick in lived(made, 1):
        ours = len(made.plans) + len(made.campaigns)
        row, place = np.nonzero((tick.cleared.winner >= ours) & (tick.cleared.winner < ours + RIVALS))
        assert tick.batch.unpaid is not None
        assert (tick.batch.unpaid.advertisers[row, tick.cleared.winner[row, place] - ours] >= 0.031).all()


@pytest.mark.parametrize(
    ("limits", "fate"),
    [
        (Limits(relevance=1.0), Fate.RELEVANCE),
        (Limits(ads_daily=0), Fate.FREQUENCY),
        (Limits(per_plan_daily=1), Fate.FREQUENCY),
        (Limits(ad_share=(0.1,) * 4), Fate.AD_SHARE),
        (Limits(), Fate.OUTRANKED_ORGANIC),
    ],
)
def test_each_refusal_has_its_reason_and_who_is_refused_has_no_place(limits: Limits, fate: Fate) -> None:
    made, number = engine(limits), REFUSALS.index(fate) + 1
    found = False
    for tick in lived(made, 2):
        refused = tick.asked.refused
        assert refused is not None
        found |= bool((refused == number).any())
        ours = tick.column < refused.shape[1]
        assert not refused[tick.decisions.row[ours], tick.column[ours]].any()
    assert found


def test_what_is_shown_unpaid_becomes_an_impression_of_no_plan_without_a_charge() -> None:
    made = engine()
    tick = made.tick(requests(np.random.default_rng(3), START, 300), START)
    everything = np.ones(len(tick.decisions), bool)
    facts = facts_of([made.shown(tick, everything, everything, START)])
    organic = [row for row in facts[Kind.IMPRESSION].to_pylist() if row["plan_id"] == NOBODY]
    assert organic
    assert {row["product_id"] for row in organic} == {11}
    assert NOBODY not in facts[Kind.CHARGE]["plan_id"].to_pylist()
    assert len(set(facts[Kind.IMPRESSION]["id"].to_pylist())) == facts[Kind.IMPRESSION].num_rows


def test_no_budget_is_exceeded_in_pooled_auctions_either() -> None:
    made = engine(Limits(3, 4, 6, (0.5,) * 4))
    made.lease(SHOP.id, 300_000)
    made.lease(103, 20_000_000)
    lived(made, 4)
    assert 0 < made.spent_today[0] <= 300_000
    assert made.campaigns.spent_today[2] <= 20_000_000


def test_the_share_of_ads_is_remembered_over_midnight_and_a_day_begins_without_showings() -> None:
    made = engine(Limits(2, 2, 2, (0.4,) * 4))
    lived(made, 5)
    again = engine(Limits(2, 2, 2, (0.4,) * 4))
    again.restore(made.snapshot())
    for one in (made, again):
        one.start_day(START + 24 * HOUR)
        one.lease(SHOP.id, 50_000_000)
    batch = requests(np.random.default_rng(6), START + 24 * HOUR)
    ticks = [one.tick(batch, START + 24 * HOUR) for one in (made, again)]
    assert ticks[0].cleared.winner.tolist() == ticks[1].cleared.winner.tolist()
    assert ticks[0].decisions.price.tolist() == ticks[1].decisions.price.tolist()


def test_experience_tells_looks_of_every_pool() -> None:
    made = engine()
    lived(made, 7)
    assert made.pools is not None
    experience = made.pools.experience()
    assert (experience.looks > 0).all()
    assert (experience.clicks < experience.looks).all()
    assert experience.users == 15
    assert experience.requests == 5 * 120
