"""A day's spend is given back once: compensation and refund claims never cover the same yuan (SPEC 5.8).

Think of a day's spend as a row of yuan. A compensation covers the first of them, as many as it is worth; a claim covers
the first that nothing covers when it is approved. What a compensation is due later, or a correction of it, is paid for
those of its yuan that no claim covers. So it does not matter what comes first. What was charged for invalid traffic has
no place in the row, and may be found after it was claimed: so all of it together is kept to the spend as well. The
spend of boosts comes last in the row, boost after boost. What a boost spent in its days is a row of its own too: its
compensation covers the first yuan of that. All amounts are micro-yuan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from qianheng.core.money import Micros
from qianheng.ledger.sources import Sources


class Stretch(NamedTuple):
    """The yuan from `start` up to `end` of a day's spend."""

    start: Micros
    end: Micros


class GivenBack(NamedTuple):
    """What everything else that is given back leaves a unit's compensation of the spend that was valid, and which of
    the yuan of its row went back on claims.
    """

    room: Micros
    claimed: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class SpentDay:
    """What a plan spent in a day, where it came from, and what of it was given back or is promised so far."""

    plan_id: int
    day: date
    ad_account_id: int
    sources: Sources
    compensated: Micros = 0
    claimed: tuple[Stretch, ...] = ()
    invalid: Micros = 0
    boosted: tuple[Stretch, ...] = ()  # what compensation of its boosts covers

    @property
    def claimed_amount(self) -> Micros:
        """What was granted on claims."""
        return sum(end - start for start, end in self.claimed)

    @property
    def boosts_compensated(self) -> Micros:
        """What of its boosts' spend is promised or paid as compensation."""
        return sum(end - start for start, end in self.boosted)

    @property
    def returned(self) -> Micros:
        """What has gone back to where it came from; compensation is paid as new credit."""
        return self.invalid + self.claimed_amount

    @property
    def left(self) -> Micros:
        """What may still be given back."""
        return max(self.sources.total - self.compensated - self.boosts_compensated - self.returned, 0)


def payable(compensation: Micros, counted: Micros, room: Micros, claimed: Sequence[Stretch]) -> Micros:
    """What is paid of a compensation: the yuan it covers of the spend `counted` for it less those that were given back
    on claims, and at most the `room` that claims and other compensations leave of what was valid.
    """
    reach = min(compensation, counted)
    covered = sum(max(0, min(reach, end) - start) for start, end in claimed)
    return max(0, min(reach - covered, room))


def moved(stretches: Iterable[Stretch], part: Stretch, to: Micros) -> Iterator[Stretch]:
    """What of some stretches lies in a part of their row, as it lies in another row where that part begins at `to`."""
    for start, end in stretches:
        low, high = max(start, part.start), min(end, part.end)
        if low < high:
            yield Stretch(low - part.start + to, high - part.start + to)


def reach(promised: Micros, claimed: Iterable[Stretch]) -> Micros:
    """How far up a day's spend the compensation promised for it covers, passing over what was claimed."""
    covered = promised
    for start, end in sorted(claimed):
        if start < covered:
            covered += end - start
    return covered


def uncovered(amount: Micros, promised: Micros, claimed: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """The first `amount` yuan of a day's spend that neither the promised compensation nor a claim covers."""
    found, place, left = list[Stretch](), reach(promised, claimed), amount
    for start, end in sorted(claimed):
        if left and start > place:
            found.append(Stretch(place, min(place + left, start)))
            left -= found[-1].end - place
        place = max(place, end)
    if left:
        found.append(Stretch(place, place + left))
    return tuple(found)
