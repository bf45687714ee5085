"""Sliding windows hold what adding everything up anew would give, in whatever order and however late it is told."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.days import SHANGHAI
from qianheng.measures.windows import WIDTH, Watched, Window, Windows, local

START = 29_000_000  # a minute of 2025
WANTED = (Window(minutes=15), Window(minutes=60, lag=60), Window(), Window(lag=60), Window(days=1), Window(days=2))


class Told(NamedTuple):
    after: int  # when it was told, in minutes from the start
    late: int  # how long after it happened
    subject: int
    spend: int


told = st.builds(Told, st.integers(0, 3000), st.integers(0, 1600), st.integers(0, 1), st.integers(1, 9))


def sums(spend: int) -> list[int]:
    return [spend, *[0] * (WIDTH - 1)]


def added_up(facts: list[Told], subject: int, window: Window, now: int) -> int:
    """The spend in a window, by looking at every fact told so far."""
    until = now - window.lag
    since = until - (window.minutes or local(until, SHANGHAI) % 1440)
    if window.days:
        until = now - local(now, SHANGHAI) % 1440
        since = until - 1440 * window.days
    times = ((START + one.after - one.late, one) for one in facts if one.subject == subject)
    return sum(one.spend for at, one in times if since <= at < until and START + one.after < now)


@given(st.lists(told, max_size=12), st.integers(1, 3100), st.integers(0, 3100))
def test_every_window_holds_what_adding_up_anew_gives(facts: list[Told], steps: int, stop: int) -> None:
    windows = Windows(WANTED, SHANGHAI, 14, START)
    for minute in range(START, START + steps):
        for one in (one for one in facts if START + one.after == minute):
            windows.add(minute - one.late, one.subject, sums(one.spend))
        windows.advance()
        if minute == START + stop:  # and after a restart
            again = Windows(WANTED, SHANGHAI, 14, START)
            again.restore(windows.snapshot())
            windows = again
    for window in WANTED:
        for subject in (0, 1):
            assert windows.sums(subject, window).spend == added_up(facts, subject, window, START + steps)


def test_the_passing_of_time_names_what_it_changes() -> None:
    windows = Windows([Window(minutes=15)], SHANGHAI, 14, START)
    windows.add(START, 7, sums(5))
    changed = [windows.advance() for _ in range(17)]
    assert [step for step, subjects in enumerate(changed) if 7 in subjects] == [0, 15]


def test_earlier_days_are_held_against_as_much_of_the_same_hours() -> None:
    midnight = START - local(START, SHANGHAI) % 1440 + 1440
    windows = Windows([Window(minutes=60)], SHANGHAI, 14, midnight)
    for minute in range(midnight, midnight + 3 * 1440):
        windows.add(minute, 0, sums(10 if local(minute, SHANGHAI) % 1440 < 600 else 4))
        windows.advance()
    for _ in range(630):  # half past ten: half an hour of each
        windows.advance()
    assert windows.base(0, Window(minutes=60)) == [Watched(spend=420)] * 3
    assert [day.spend for day in windows.days(0, 7)] == [600 * 10 + 840 * 4] * 3
