"""The auction against a slow, plain generalised second price, and the laws a price keeps."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.auction.kernel import NOBODY, Cleared, clear, strongest


@dataclass(frozen=True)
class Page:
    ours: list[int]
    rivals: list[int]
    reserve: int
    places: int


BIDS = st.integers(0, 30) | st.integers(0, 16_000_000)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Page], int]:
    """A few pages of the same numbers of bidders, with ties, zero bids and fewer or more places than bidders."""
    ours, rivals, slots = draw(st.integers(0, 3)), draw(st.integers(0, 20)), draw(st.integers(1, 4))
    page = st.builds(
        Page,
        st.lists(BIDS, min_size=ours, max_size=ours),
        st.lists(BIDS, min_size=rivals, max_size=rivals),
        st.integers(0, 20),
        st.integers(0, slots),
    )
    return draw(st.lists(page, min_size=1, max_size=4)), slots


def cleared(pages: list[Page], slots: int) -> Cleared:
    ours, rivals = (np.array([getattr(page, name) for page in pages], np.float32) for name in ("ours", "rivals"))
    reserve = np.array([page.reserve for page in pages], np.float32)
    return clear(ours, strongest(rivals, slots + 1), reserve, np.array([page.places for page in pages], np.int8))


def plainly(page: Page, slots: int) -> list[tuple[int, int]]:
    """(winner, price) of each place: bids sorted, ties to the lower column, each pays the next or the reserve."""
    bids = [*page.ours, *page.rivals]
    ranked = sorted(range(len(bids)), key=lambda column: (-bids[column], column))
    answer = []
    for place in range(slots):
        winner = ranked[place] if place < min(page.places, len(ranked)) else NOBODY
        if winner == NOBODY or bids[winner] <= 0 or bids[winner] < page.reserve:
            answer.append((NOBODY, 0))
            continue
        below = bids[ranked[place + 1]] if place + 1 < len(ranked) else 0
        answer.append((winner, max(below, page.reserve)))
    return answer


@settings(max_examples=200, deadline=None)
@given(batches())
def test_a_batch_clears_as_every_page_would_by_hand(batch: tuple[list[Page], int]) -> None:
    pages, slots = batch
    found = cleared(pages, slots)
    for row, page in enumerate(pages):
        assert list(zip(found.winner[row].tolist(), found.price[row].tolist(), strict=True)) == plainly(page, slots)


@settings(max_examples=100, deadline=None)
@given(batches())
def test_a_price_is_never_above_the_own_bid_nor_below_the_reserve(batch: tuple[list[Page], int]) -> None:
    pages, slots = batch
    found = cleared(pages, slots)
    for page, winners, prices in zip(pages, found.winner.tolist(), found.price.tolist(), strict=True):
        bids = [*page.ours, *page.rivals]
        won = [(winner, price) for winner, price in zip(winners, prices, strict=True) if winner != NOBODY]
        assert all(page.reserve <= price <= bids[winner] for winner, price in won)
        assert len({winner for winner, _ in won}) == len(won)


@settings(max_examples=100, deadline=None)
@given(batches())
def test_the_price_against_a_plan_is_the_kth_bid_of_the_others_or_the_reserve(batch: tuple[list[Page], int]) -> None:
    pages, slots = batch
    found = cleared(pages, slots).rival_price
    for row, page in enumerate(pages):
        for one in range(len(page.ours)):
            others = sorted([*page.ours[:one], *page.ours[one + 1 :], *page.rivals], reverse=True)
            kth = [*others, *[0] * slots][:slots]
            assert found[row, one].tolist() == [max(bid, page.reserve) for bid in kth]


@given(st.integers(0, 1000), st.integers(0, 1000), st.lists(st.integers(0, 1000), max_size=5), st.integers(0, 50))
def test_with_one_place_no_bid_does_better_than_the_true_worth(
    worth: int, lie: int, rivals: list[int], reserve: int
) -> None:
    def profit(bid: int) -> int:
        found = cleared([Page([bid], rivals, reserve, 1)], 1)
        return worth - int(found.price[0, 0]) if found.winner[0, 0] == 0 else 0

    assert profit(worth) >= profit(lie)


@given(st.floats(1, 1e6, width=32), st.floats(0, 1e6, width=32), st.integers(0, 50))
def test_a_broken_price_is_rounded_up_but_not_over_the_bid(bid: float, rival: float, reserve: int) -> None:
    page = np.array([[bid]], np.float32), strongest(np.array([[rival]], np.float32), 2)
    found = clear(*page, np.array([reserve], np.float32), np.array([1], np.int8))
    if found.winner[0, 0] == 0:
        assert found.price[0, 0] == min(ceil(max(rival, reserve)), int(bid))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(1, 40), st.integers(0, 2**32))
def test_the_strongest_are_the_same_by_either_way(count: int, bidders: int, seed: int) -> None:
    bids = np.random.default_rng(seed).integers(0, 6, (3, bidders)).astype(np.float32)
    values, columns = strongest(bids, count)
    padded = np.concatenate([bids, np.zeros((3, count), np.float32)], axis=1)
    by_hand = np.argsort(-padded, axis=1, kind="stable")[:, :count]
    assert np.array_equal(columns, by_hand)
    assert np.array_equal(values, np.take_along_axis(padded, by_hand, axis=1))
