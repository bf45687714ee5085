"""Clearing a batch within what everybody can pay: a win is reserved at its price; who cannot pay its next win stops.

A large batch is cleared some requests at a time. Between them a plan that spends faster than its control step expected
is held back (`bidding.within`); the reservation is exact whatever the sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from qianheng.auction.kernel import Cleared, clear, strongest
from qianheng.auction.pricing import Rules
from qianheng.bidding.within import Within
from qianheng.delivery.pooled import Pooled, PooledPages
from qianheng.delivery.site import Site
from qianheng.facts.opportunities import Opportunities
from qianheng.prediction.space import Float, Int

LARGE, CHUNK = 2048, 512  # requests: from how many on a batch is cleared in parts, and their size


@dataclass(frozen=True, slots=True)
class Boosted:
    """What the boosts of plans bid beside them, by kind, and what each has left, micro-yuan."""

    bids: npt.NDArray[np.float32]  # [kinds, n, plans]
    left: Int  # [kinds · plans]


@dataclass(frozen=True, slots=True)
class Offered:
    """What plans, and then campaigns, offer for a batch, and what they have to pay with; columns are plans first.

    A plan enters each auction with one bid, the highest of its own and its boosts'. A purse pays for wins: those of the
    columns, then those of the boosts.
    """

    asked: Float  # [n, plans] micro-yuan; where bids are held back within the step, it changes here
    fixed: npt.NDArray[np.float32]  # [n, campaigns]
    left: Int  # [columns]
    owes: Callable[[Int, Int, Int], Int]  # what wins owe when charged, of their rows, columns and prices
    pooled: Pooled | None = None  # what all pools together are ranked by, if they are
    boosted: Boosted | None = None

    @property
    def purses(self) -> Int:
        """[purses] what each has left when the step begins."""
        return self.left.copy() if self.boosted is None else np.concatenate([self.left, self.boosted.left])

    def bids(self, rows: slice) -> Bids:
        """The bids of some rows, none more than what was left when the step began."""
        asked = np.minimum(self.asked[rows], self.left[: self.asked.shape[1]]).astype(np.float32)
        own = np.concatenate([asked, self.fixed[rows]], axis=1) if self.fixed.shape[1] else asked
        return Bids(own, None if self.boosted is None else self.boosted.bids[:, rows].copy())


@dataclass(frozen=True, slots=True)
class Bids:
    """Bids as they stand while a batch is cleared: each column's own [n, columns], and boosts' [kinds, n, plans]."""

    own: npt.NDArray[np.float32]
    boosted: npt.NDArray[np.float32] | None

    @property
    def entered(self) -> npt.NDArray[np.float32]:
        """[n, columns] the one bid of each column."""
        if self.boosted is None:
            return self.own
        plans, entered = self.boosted.shape[2], self.own.copy()
        entered[:, :plans] = np.maximum(self.own[:, :plans], self.boosted.max(axis=0))
        return entered

    def withdraw(self, purse: int, row: int = 0) -> None:
        """Take back, in place, what a purse would pay for from a row on."""
        if purse < self.own.shape[1]:
            self.own[row:, purse] = 0
        elif self.boosted is not None:
            kind, plan = divmod(purse - self.own.shape[1], self.boosted.shape[2])
            self.boosted[kind, row:, plan] = 0

    def payers(self, row: Int, column: Int, due: Int) -> Int:
        """[m] who pays for each win: 0 the column itself if its own bid would have won at that price, else the first
        kind of boost (from 1) whose bid would have.
        """
        if self.boosted is None:
            return np.zeros(len(row), np.int64)
        plans = self.boosted.shape[2]
        of_plan = np.where(column < plans, column, 0)
        enough = np.concatenate([self.own[None, row, of_plan], self.boosted[:, row, of_plan]])
        return np.where(column < plans, (np.ceil(enough) >= due).argmax(axis=0), 0)


@dataclass(frozen=True, slots=True)
class Wins:
    """The places won by plans and campaigns, [m] in order of rows."""

    row: Int
    place: Int  # 0 = first
    column: Int  # plans, then campaigns, then nobody's (`with_unpaid`)
    due: Int  # micro-yuan when it is charged
    boost: Int  # the kind of boost that pays, 0: the column itself

    def purse(self, offered: Offered) -> Int:
        """[m] the purse that pays for each: columns, then boosts by kind and plan."""
        plans = offered.asked.shape[1]
        return np.where(self.boost > 0, len(offered.left) + (self.boost - 1) * plans + self.column, self.column)


@dataclass(frozen=True, slots=True)
class Reserved:
    """A batch as it cleared: every win can be paid."""

    cleared: Cleared
    wins: Wins
    stopped: Int  # [purses] row from which it could not pay; n if it always could
    entered: npt.NDArray[np.float32]  # [n, columns] the bids that stood in the auctions
    refused: npt.NDArray[np.int8] | None = None  # [n, columns] see `pooled.REFUSALS`; 0 = not, `None` = nobody


def reserve(batch: Opportunities, site: Site, offered: Offered, within: Within | None) -> Reserved:
    """Clear the auctions of a batch; in parts, and holding bids back between them, if there is a correction."""
    plans, left = offered.asked.shape[1], offered.purses
    stopped, parts = np.full(len(left), len(batch)), []
    for rows in _chunks(len(batch), CHUNK if within else len(batch)):
        if within:
            offered.asked[rows] *= within.factor
        part = _clear(_pages(batch, site, rows, offered), offered, left, stopped)
        purse = part.wins.purse(offered)
        left -= np.bincount(purse, part.wins.due, len(left)).astype(np.int64)
        parts.append(part)
        if within:
            looked_at = site.seen[batch.placement[part.wins.row], part.wins.place]
            spent = np.bincount(purse, part.wins.due * looked_at, len(left))
            within.spent(spent[:plans].astype(float), rows.stop - rows.start)
    return parts[0] if len(parts) == 1 else _joined(parts)


@dataclass(frozen=True, slots=True)
class _Pages:
    """Some rows of a batch, ready to be cleared."""

    rows: slice
    rivals: tuple[npt.NDArray[np.float32], Int]
    reserve: npt.NDArray[np.float32]
    places: npt.NDArray[np.int8]
    rules: Rules | None

    @classmethod
    def of(cls, batch: Opportunities, site: Site, rows: slice) -> _Pages:
        placement = batch.placement[rows]
        rivals = strongest(batch.bids[rows], site.seen.shape[1] + 1)
        reserve = site.reserve[placement].astype(np.float32)
        return cls(rows, rivals, reserve, site.places[placement], site.rules(placement))

    def cleared(self, bids: npt.NDArray[np.float32]) -> Cleared:
        """The auctions with these bids of ours [rows, columns]."""
        return clear(bids, self.rivals, self.reserve, self.places, self.rules)

    @staticmethod
    def close(cleared: Cleared) -> None:
        """Nobody was kept out by anything but its bid."""


def _pages(batch: Opportunities, site: Site, rows: slice, offered: Offered) -> _Pages | PooledPages:
    return _Pages.of(batch, site, rows) if offered.pooled is None else PooledPages(batch, site, rows, offered.pooled)


def _clear(pages: _Pages | PooledPages, offered: Offered, left: Int, stopped: Int) -> Reserved:
    """Clear until every win can be paid of what is `left`; who could not is written down in `stopped`."""
    bids, start = offered.bids(pages.rows), pages.rows.start
    for purse in np.flatnonzero(stopped <= start).tolist():
        bids.withdraw(purse)
    while True:
        cleared = pages.cleared(entered := bids.entered)
        wins = _wins(cleared, offered, bids, start)
        over = _first_unpayable(wins, wins.purse(offered), left)
        if over is None:
            return Reserved(cleared, wins, stopped, entered, pages.close(cleared))
        row, purse = over
        bids.withdraw(purse, row - start)
        stopped[purse] = row


def _wins(cleared: Cleared, offered: Offered, bids: Bids, start: int) -> Wins:
    row, place = np.nonzero((cleared.winner >= 0) & (cleared.winner < len(offered.left)))
    column = cleared.winner[row, place]
    due = offered.owes(row + start, column, cleared.price[row, place])
    return Wins(row + start, place, column, due, bids.payers(row, column, due))


def with_unpaid(batch: Opportunities, reserved: Reserved, nobody: int) -> tuple[Wins, Int]:
    """The wins, and among them what is sold here and stands on a page unpaid: it is column `nobody`'s and owes nothing.

    With them the product of what is unpaid, [m], -1 for what is not.
    """
    wins, winner = reserved.wins, reserved.cleared.winner
    if batch.unpaid is None:
        return wins, np.full_like(wins.column, -1)
    row, place = np.nonzero(winner >= nobody + batch.bids.shape[1])
    product = batch.unpaid.product_id[row, winner[row, place] - nobody - batch.bids.shape[1]]
    row, place, product = row[product >= 0], place[product >= 0], product[product >= 0]
    theirs = Wins(row, place, np.full_like(row, nobody), np.zeros_like(row), np.zeros_like(row))
    order = np.lexsort((np.concatenate([wins.place, place]), np.concatenate([wins.row, row])))
    both = Wins(*(column[order] for column in _end_to_end(Wins, [wins, theirs])))
    return both, np.concatenate([np.full_like(wins.column, -1), product])[order]


def _first_unpayable(wins: Wins, purses: Int, left: Int) -> tuple[int, int] | None:
    """The first auction (row) whose win is more than its purse [m] has left, and the purse."""
    firsts = []
    for purse in np.flatnonzero(np.bincount(purses, wins.due, len(left)) > left).tolist():
        mine = np.nonzero(purses == purse)[0]
        beyond = np.searchsorted(np.cumsum(wins.due[mine]), left[purse], side="right")
        firsts.append((int(wins.row[mine[beyond]]), purse))
    return min(firsts, default=None)


def _chunks(count: int, size: int) -> Iterator[slice]:
    """Slices of `size` rows, one of none if there are none."""
    for start in range(0, max(count, 1), max(size, 1)):
        yield slice(start, min(start + size, count))


def _joined(parts: Sequence[Reserved]) -> Reserved:
    """The parts of a batch, one after the other."""
    cleared = Cleared(*_end_to_end(Cleared, [part.cleared for part in parts]))
    told = [part.refused for part in parts if part.refused is not None]
    refused = np.concatenate(told) if told else None
    wins = Wins(*_end_to_end(Wins, [part.wins for part in parts]))
    entered = np.concatenate([part.entered for part in parts])
    return Reserved(cleared, wins, parts[0].stopped, entered, refused)


def _end_to_end(kind: type, records: Sequence[object]) -> list[npt.NDArray[Any]]:
    """The columns of records of one kind, joined."""
    return [np.concatenate([getattr(record, field.name) for record in records]) for field in fields(kind)]
