"""Live sessions: a connection that comes back within the grace is no end; one that stays away is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.days import HOUR, MINUTE
from qianheng.facts.schema import Channel
from qianheng.measures.sessions import Mark, Minute, Sold, closed, sessions, stretches, together, within

GRACE = 10 * MINUTE


def told(*marks: tuple[int, bool], now: int = 10**6) -> list[tuple[int, int, int, int]]:
    found = sessions(1, [(at * MINUTE, on) for at, on in marks], GRACE, now * MINUTE)
    return [(one.began // MINUTE, one.ended // MINUTE, one.stopped // MINUTE, len(one.drops)) for one in found]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([(0, True), (60, False)], [(0, 60, 70, 0)]),
        ([(0, True), (60, False), (69, True), (120, False)], [(0, 120, 130, 1)]),
        ([(0, True), (60, False), (70, True), (120, False)], [(0, 60, 70, 0), (70, 120, 130, 0)]),
        ([(0, True), (0, True), (30, True), (60, False), (61, False)], [(0, 60, 70, 0)]),
        ([(5, False), (10, True), (60, False)], [(10, 60, 70, 0)]),
        ([(0, True)], []),
        ([], []),
    ],
)
def test_sessions_are_told_by_their_marks(marks: list[Mark], expected: list[tuple[int, int, int, int]]) -> None:
    assert told(*marks) == expected
    assert told(*reversed(marks)) == expected


def test_a_session_is_over_once_its_grace_is() -> None:
    marks = [(0, True), (60, False)]
    assert told(*marks, now=69) == []
    assert told(*marks, now=70) == [(0, 60, 70, 0)]


def test_hours_on_air_leave_out_what_was_dropped() -> None:
    (one,) = sessions(1, [(0, True), (HOUR, False), (HOUR + 6 * MINUTE, True), (2 * HOUR, False)], GRACE, 9 * HOUR)
    assert float(one.hours) == 1.9
    assert closed(one, one.stopped + 25 * HOUR) == ["1h", "1d"]


minutes = st.lists(
    st.builds(Minute, st.integers(0, 300), st.just(1), st.just(Channel.ORGANIC), st.builds(Sold, st.integers(0, 9)))
)


@given(minutes, st.sampled_from([1, 5, 30]))
def test_stretches_and_sessions_add_up_to_the_whole(of: list[Minute], length: int) -> None:
    assert sum(stretches(of, length).values(), Sold()) == together(of)
    marks = [(20 * MINUTE, True), (60 * MINUTE, False), (100 * MINUTE, True), (200 * MINUTE, False)]
    each = [within(of, 0, one) for one in sessions(1, marks, GRACE, 400 * MINUTE)]
    inside = [one for one in of if 20 <= one.number < 70 or 100 <= one.number < 210]
    assert together(part for one in each for part in one) == together(inside)
    assert all(part.number >= 0 for one in each for part in one)
