"""A yuan of a day's spend is given back once, whatever comes first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from qianheng.guarantee.overlap import Stretch, payable, reach, uncovered

SPEND = 1000


@pytest.mark.parametrize(
    ("compensation", "claimed", "paid"),
    [
        (600, [], 600),
        (600, [(0, 300)], 300),  # the claim came first: its yuan are not paid again
        (200, [(0, 300)], 0),
        (600, [(600, 900)], 600),  # the compensation came first: the claim is for the rest
        (650, [(600, 900)], 600),  # a correction upward reaches only what was claimed
        (950, [(600, 900)], 650),
        (560, [(600, 900)], 560),  # a correction downward leaves the claim alone
        (1200, [], 1000),  # never more than was spent
    ],
)
def test_a_compensation_is_paid_for_the_yuan_that_no_claim_covers(
    compensation: int, claimed: list[tuple[int, int]], paid: int
) -> None:
    assert payable(compensation, SPEND, SPEND, [Stretch(*one) for one in claimed]) == paid


@pytest.mark.parametrize(
    ("compensation", "room", "claimed", "paid"),
    [
        (100, 500 - 400, [(600, 1000)], 100),  # half was found invalid after the claim: of the rest, 100 are left
        (150, 500 - 400, [(600, 1000)], 100),
        (150, 0, [(500, 1000)], 0),
        (500, 900 - 400, [(600, 1000)], 500),  # 400 of boosts, which the guarantee does not count, may be claimed too
        (500, 900 - 400 - 300, [(600, 1000)], 200),  # but what boosts were compensated leaves less
    ],
)
def test_what_was_claimed_before_it_was_found_invalid_is_not_compensated(
    compensation: int, room: int, claimed: list[tuple[int, int]], paid: int
) -> None:
    assert payable(compensation, 500, room, [Stretch(*one) for one in claimed]) == paid


@pytest.mark.parametrize(
    ("amount", "promised", "claimed", "found"),
    [
        (300, 0, [], [(0, 300)]),
        (300, 600, [], [(600, 900)]),
        (100, 300, [(0, 300)], [(600, 700)]),  # a compensation of 600, of which a claim had covered 300
        (150, 400, [(600, 800)], [(400, 550)]),  # a correction downward made room
        (300, 400, [(600, 800)], [(400, 600), (800, 900)]),
        (0, 400, [], []),
    ],
)
def test_a_claim_covers_the_first_yuan_that_nothing_covers(
    amount: int, promised: int, claimed: list[tuple[int, int]], found: list[tuple[int, int]]
) -> None:
    assert uncovered(amount, promised, [Stretch(*one) for one in claimed]) == tuple(Stretch(*one) for one in found)


class Yuan(RuleBasedStateMachine):
    """The row of yuan, each kept as what covers it, beside the arithmetic on stretches."""

    def __init__(self) -> None:
        super().__init__()
        self.spend, self.promised = 40, 0
        self.invalid = self.credited = 0  # found so, and given back as such
        self.claimed: tuple[Stretch, ...] = ()
        self.by_claim: set[int] = set()

    @rule(level=st.integers(0, 40), taken_back=st.booleans())
    def compensate(self, level: int, taken_back: bool) -> None:
        """A judgement or a correction of it; what cannot be taken back any more stays promised."""
        valid = self.spend - self.invalid
        due = payable(level, valid, max(0, valid - len(self.by_claim)), self.claimed)
        unclaimed = len(set(range(min(level, valid))) - self.by_claim)
        assert due == (unclaimed if not self.invalid else max(0, min(unclaimed, valid - len(self.by_claim))))
        if due > self.promised or taken_back:
            self.promised = due

    @rule(asked=st.integers(0, 40))
    def claim(self, asked: int) -> None:
        amount = min(asked, self.left)
        covered = set(range(reach(self.promised, self.claimed))) | self.by_claim
        assert len(covered) == self.promised + len(self.by_claim)
        found = uncovered(amount, self.promised, self.claimed)
        yuan = {one for start, end in found for one in range(start, end)}
        assert yuan == set(sorted(set(range(100)) - covered)[:amount])
        self.claimed, self.by_claim = tuple(sorted((*self.claimed, *found))), self.by_claim | yuan

    @rule(found=st.integers(0, 40))
    def find_invalid(self, found: int) -> None:
        self.invalid = max(self.invalid, found)
        self.credited += min(self.invalid - self.credited, self.left)

    @property
    def left(self) -> int:
        return self.spend - self.promised - len(self.by_claim) - self.credited

    @invariant()
    def nothing_is_given_back_twice(self) -> None:
        assert self.left >= 0
        assert len(self.by_claim) == sum(end - start for start, end in self.claimed)


TestYuan = Yuan.TestCase


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_claim_and_compensation_together_give_back_the_larger_or_their_sum(claim: int, compensation: int) -> None:
    first = uncovered(claim, 0, [])
    assert claim + payable(compensation, SPEND, SPEND - claim, first) == max(claim, compensation)
    then = min(claim, SPEND - compensation)
    assert payable(compensation, SPEND, SPEND - then, uncovered(then, compensation, [])) + then == min(
        SPEND, claim + compensation
    )
