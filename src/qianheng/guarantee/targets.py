"""Which target was in force when, and what counts as a change of it (CONTRACTS 2, SPEC 5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple, TypeVar

from qianheng.guarantee.case import Budget, Target

Saved = TypeVar("Saved", Target, Budget)


class Change(NamedTuple):
    """A saved target that differs from the one before in its value, its goal, or both."""

    at: int
    of_value: bool
    of_goal: bool


def known_targets(targets: Iterable[Target], now: int) -> list[Target]:
    """The targets known at `now` in order of time. Of two at the same time the later in the file wins; the other was
    never in force and is no change."""
    by_time = {target.at: target for target in targets if target.at <= now}
    return [by_time[at] for at in sorted(by_time)]


def in_force(saved: Sequence[Saved], window: tuple[int, int]) -> list[Saved]:
    """Those of `known_targets`, or of what else was saved in order of time, that were in force in the window."""
    start, end = window
    begun = [one for one in saved if one.at <= start]
    return begun[-1:] + [one for one in saved if start < one.at < end]


def changes(targets: Sequence[Target], of: Literal["any", "value", "goal"] = "any") -> list[Change]:
    """The changes among `known_targets`, of one kind or any. The first target and the same saved again are none."""
    found = [
        Change(now.at, now.value != before.value, now.goal != before.goal)
        for before, now in pairwise(targets)
        if now.value != before.value or now.goal != before.goal
    ]
    if of == "any":
        return found
    return [change for change in found if (change.of_value if of == "value" else change.of_goal)]


def within(made: Sequence[Change], window: tuple[int, int]) -> list[Change]:
    """The changes inside the window."""
    return [change for change in made if window[0] <= change.at < window[1]]


def smallest_gap(made: Sequence[Change], window: tuple[int, int]) -> int | None:
    """The shortest time between consecutive changes, the later inside the window; `None` without such a pair."""
    gaps = (later.at - earlier.at for earlier, later in pairwise(made) if window[0] <= later.at < window[1])
    return min(gaps, default=None)
