"""The laws of the three prices: one place, truth, revenue, and who pays what."""

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.auction.kernel import NOBODY, Cleared, clear, strongest
from qianheng.auction.pricing import Pricing, Rules, codes

BIDS = st.lists(st.integers(0, 2000), min_size=1, max_size=6)
SEEN = st.lists(st.floats(0.05, 1.0), min_size=1, max_size=4).map(lambda chances: sorted(chances, reverse=True))


def auctions(
    ours: list[int], rivals: list[int], seen: list[float], pricing: list[Pricing], reserve: int = 0
) -> Cleared:
    """The same bids once under each rule, in one batch."""
    rows, slots = len(pricing), len(seen)
    rules = Rules(codes(pricing), np.tile(np.array(seen, np.float32), (rows, 1)))
    theirs = strongest(np.tile(np.array(rivals, np.float32), (rows, 1)), slots + 1)
    places = np.full(rows, slots, np.int8)
    return clear(
        np.tile(np.array(ours, np.float32), (rows, 1)), theirs, np.full(rows, reserve, np.float32), places, rules
    )


@given(BIDS, BIDS, st.integers(0, 100))
def test_with_one_place_gsp_and_vcg_are_the_second_price_and_first_is_the_own_bid(
    ours: list[int], rivals: list[int], reserve: int
) -> None:
    found = auctions(ours, rivals, [0.7], list(Pricing), reserve)
    second, highest = sorted([*ours, *rivals])[-2:]
    won = found.winner[:, 0] != NOBODY
    assert (won == (highest > 0 and highest >= reserve)).all()
    if won.any():
        assert found.price[:, 0].tolist() == [max(second, reserve), max(second, reserve), highest]


@settings(deadline=None)
@given(BIDS, BIDS, SEEN, st.integers(0, 100))
def test_the_same_win_whatever_is_paid_and_no_rule_asks_more_than_the_next(
    ours: list[int], rivals: list[int], seen: list[float], reserve: int
) -> None:
    found = auctions(ours, rivals, seen, [Pricing.VCG, Pricing.GSP, Pricing.FIRST], reserve)
    assert (found.winner == found.winner[0]).all()
    vcg, gsp, first = found.price
    assert (vcg <= gsp).all()
    assert (gsp <= first).all()
    bids = [*ours, *rivals]
    for place, winner in enumerate(found.winner[0].tolist()):
        if winner != NOBODY:
            assert reserve <= vcg[place]
            assert first[place] == bids[winner]


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 2000), st.integers(0, 2000), BIDS, SEEN, st.integers(0, 100))
def test_under_vcg_no_bid_does_better_than_the_true_worth(
    worth: int, lie: int, rivals: list[int], seen: list[float], reserve: int
) -> None:
    def profit(bid: int) -> float:
        found = auctions([bid], rivals, seen, [Pricing.VCG], reserve)
        won = np.flatnonzero(found.winner[0] == 0)
        place = int(won[0]) if len(won) else None
        return 0.0 if place is None else seen[place] * (worth - float(found.cost[0, 0, place]))

    assert profit(worth) >= profit(lie) - 1e-3


def test_under_gsp_a_lie_can_pay_and_under_first_price_the_truth_never_does() -> None:
    seen = [1.0, 0.9]
    honest, lie = (auctions([bid], [90, 10], seen, [Pricing.GSP]) for bid in (100, 50))
    assert (honest.winner[0, 0], lie.winner[0, 1]) == (0, 0)
    assert seen[1] * (100 - lie.price[0, 1]) > seen[0] * (100 - honest.price[0, 0])
    assert auctions([100], [90, 10], seen, [Pricing.FIRST]).price[0, 0] == 100


@settings(deadline=None)
@given(BIDS, BIDS, SEEN, st.integers(0, 100))
def test_what_a_place_costs_a_plan_is_what_it_pays_once_it_has_won_it(
    ours: list[int], rivals: list[int], seen: list[float], reserve: int
) -> None:
    found = auctions(ours, rivals, seen, [Pricing.GSP, Pricing.VCG], reserve)
    for row, place in zip(*np.nonzero((found.winner >= 0) & (found.winner < len(ours))), strict=True):
        winner = found.winner[row, place]
        assert found.price[row, place] == pytest.approx(ceil(found.cost[row, winner, place] - 1e-3), abs=1)


@settings(deadline=None)
@given(BIDS, BIDS, SEEN)
def test_under_vcg_each_pays_what_the_others_lose_by_it(ours: list[int], rivals: list[int], seen: list[float]) -> None:
    found, bids = auctions(ours, rivals, seen, [Pricing.VCG]), [*ours, *rivals]

    def welfare(bidders: list[int]) -> float:
        return sum(chance * bid for chance, bid in zip(seen, sorted(bidders, reverse=True), strict=False))

    for place, winner in enumerate(found.winner[0].tolist()):
        if winner != NOBODY:
            others = bids[:winner] + bids[winner + 1 :]
            lost = welfare(others) - (welfare(bids) - seen[place] * bids[winner])
            assert found.price[0, place] == pytest.approx(lost / seen[place], abs=1.01)


def test_without_rules_every_auction_is_a_generalised_second_price() -> None:
    rivals = strongest(np.array([[70, 30, 5]], np.float32), 3)
    bare = np.array([[50]], np.float32), rivals, np.array([1], np.float32), np.array([2], np.int8)
    plain, told = clear(*bare), clear(*bare, Rules(codes([Pricing.GSP]), np.array([[1, 0.5]], np.float32)))
    assert plain.price.tolist() == told.price.tolist() == [[50, 30]]
    assert plain.cost is plain.rival_price
