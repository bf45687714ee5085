"""Pools ranked together: one score, and a promoted winner pays at least what it displaces."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.auction.kernel import clear, strongest
from qianheng.auction.pools import Field, Page, attention_price, clear_pools, margins
from qianheng.auction.pricing import PRICINGS, Pricing, Rules, codes

ROWS, OURS, OTHERS, UNPAID, SLOTS = 12, 3, 4, 5, 3


def field(seed: int, lift: float = 20_000.0) -> tuple[Field, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    bid = np.floor(rng.lognormal(10, 1, (ROWS, OURS + OTHERS))) * (rng.random((ROWS, OURS + OTHERS)) < 0.8)
    lifts = rng.random(bid.shape) * lift - rng.random() * lift / 2
    unpaid = rng.lognormal(10, 1, (ROWS, UNPAID)) * (rng.random((ROWS, UNPAID)) < 0.8)
    made = Field(bid.astype(np.float32), lifts.astype(np.float32), unpaid.astype(np.float32), OURS)
    return made, np.full(ROWS, 6000, np.float32), rng.integers(1, SLOTS + 1, ROWS).astype(np.int8)


SEEDS = st.integers(0, 2**32)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_a_promoted_winner_pays_at_least_what_it_displaces_and_never_more_than_its_bid(seed: int) -> None:
    made, reserve, places = field(seed)
    cleared = clear_pools(made, Page(reserve, places, SLOTS))
    score = np.concatenate([made.promoted(reserve), made.unpaid], axis=1)
    lift = np.concatenate([made.lift, np.zeros_like(made.unpaid)], axis=1)
    for row in range(ROWS):
        below = np.sort(score[row])[::-1]
        for place in range(places[row]):
            winner, price = cleared.winner[row, place], cleared.price[row, place]
            if winner < 0 or winner >= OURS + OTHERS:
                assert price == 0
                continue
            assert reserve[row] <= price <= made.bid[row, winner]
            displaced = below[place + 1] - lift[row, winner]
            assert price >= min(displaced, made.bid[row, winner]) - 1


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_places_go_by_score_whatever_the_pool(seed: int) -> None:
    made, reserve, places = field(seed)
    cleared = clear_pools(made, Page(reserve, places, SLOTS))
    score = np.concatenate([made.promoted(reserve), made.unpaid], axis=1)
    for row in range(ROWS):
        winners = [winner for winner in cleared.winner[row, : places[row]].tolist() if winner >= 0]
        expected = np.sort(score[row][score[row] > 0])[::-1][: places[row]]
        assert score[row][winners].tolist() == expected.tolist()


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_the_price_that_a_candidate_meets_decides_whether_it_has_a_place(seed: int) -> None:
    made, reserve, places = field(seed)
    cleared = clear_pools(made, Page(reserve, places, SLOTS))
    for row in range(ROWS):
        for column in range(OURS):
            bid, met = made.bid[row, column], cleared.rival_price[row, column, places[row] - 1]
            placed = column in cleared.winner[row, : places[row]].tolist()
            if abs(bid - met) > 2:
                assert placed == (bid > met and bid + made.lift[row, column] > 0)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_without_lift_and_other_pools_it_is_the_plain_auction(seed: int) -> None:
    made, reserve, places = field(seed, lift=0.0)
    alone = Field(made.bid, made.lift * 0, made.unpaid[:, :0], OURS)
    pooled = clear_pools(alone, Page(reserve, places, SLOTS))
    plain = clear(made.bid[:, :OURS], strongest(made.bid[:, OURS:], SLOTS + 1), reserve, places)
    assert pooled.winner.tolist() == plain.winner.tolist()
    assert pooled.price.tolist() == plain.price.tolist()
    assert pooled.rival_price.tolist() == plain.rival_price.tolist()


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(0, 20))
def test_the_price_of_attention_leaves_no_more_ads_than_there_is_room_for_and_not_many_fewer(
    seed: int, allowed: int
) -> None:
    made, reserve, places = field(seed)
    margin = margins(made, Page(reserve, places, SLOTS))
    price = attention_price(margin, allowed)
    lowered = Field(made.bid, (made.lift - price).astype(np.float32), made.unpaid, OURS)
    before, after = (clear_pools(one, Page(reserve, places, SLOTS)).winner for one in (made, lowered))
    ads = [int(((winner >= 0) & (winner < OURS + OTHERS)).sum()) for winner in (before, after)]
    assert ads[0] == (margin >= 0).sum()
    assert ads[1] == min(ads[0], allowed) or price > 0
    assert ads[1] <= allowed


@pytest.mark.parametrize(
    ("margin", "allowed", "most"), [([5.0, 3.0, 1.0], 3, 0.0), ([5.0, 3.0], 1, 4.1), ([2.0], 0, 3.1)]
)
def test_attention_costs_nothing_while_there_is_room_and_else_the_first_margin_refused(
    margin: list[float], allowed: int, most: float
) -> None:
    assert attention_price(np.array([margin], np.float32), allowed) == pytest.approx(most, abs=0.1)


@pytest.mark.parametrize("pricing", PRICINGS)
def test_every_rule_of_prices_stays_between_reserve_and_bid_and_first_price_is_the_bid(pricing: Pricing) -> None:
    made, reserve, places = field(7)
    seen = np.where(np.arange(SLOTS) < places[:, None], np.array([1.0, 0.7, 0.4]), 0).astype(np.float32)
    page = Page(reserve, places, SLOTS, Rules(codes([pricing] * ROWS), seen))
    cleared, second = clear_pools(made, page), clear_pools(made, Page(reserve, places, SLOTS))
    row, place = np.nonzero((cleared.winner >= 0) & (cleared.winner < OURS + OTHERS))
    price, bid = cleared.price[row, place], made.bid[row, cleared.winner[row, place]]
    assert (cleared.winner == second.winner).all()
    assert ((price >= reserve[row]) & (price <= bid)).all()
    if pricing is Pricing.FIRST:
        assert np.abs(price - bid).max() <= 1
    else:
        assert (price <= second.price[row, place] + 1).all()
