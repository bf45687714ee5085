"""Sealed bids over a batch of auctions: the highest take the places, and each pays by the rule of its placement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.auction.pricing import Float, Rules

Int = npt.NDArray[np.int64]
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a batch of `n` auctions came to. Bidder columns count our candidates first, then the rivals."""

    winner: Int  # [n, slots] bidder column at each place, NOBODY if it stays empty
    price: Int  # [n, slots] what the winner of that place owes when seen, in whole units of the bids, rounded up
    rival_price: Float  # [n, candidates, slots] the k-th highest bid against each candidate: what wins it place k
    cost: Float  # [n, candidates, slots] the least that place k can cost it; under GSP the same array


def strongest(bids: Float, count: int) -> tuple[Float, Int]:
    """The `count` highest bids of each auction, highest first, and whose they are; ties go to the lower column.

    bids: [n, bidders] → ([n, count], [n, count]); fewer bidders leave zeros at the end.
    """
    rows, bidders = bids.shape
    if bidders < count:
        bids = np.concatenate([bids, np.zeros((rows, count - bidders), bids.dtype)], axis=1)
    if bids.shape[1] <= 4 * count:
        columns = np.argsort(-bids, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(bids, columns, axis=1), columns
    return _strongest_of_many(bids, count)


def _strongest_of_many(bids: Float, count: int) -> tuple[Float, Int]:
    remaining = bids.copy()
    row = np.arange(len(bids))
    columns = np.empty((len(bids), count), np.int64)
    values = np.empty((len(bids), count), bids.dtype)
    for place in range(count):  # a few arg-max sweeps beat a partition for so few places
        best = remaining.argmax(axis=1)
        columns[:, place], values[:, place] = best, remaining[row, best]
        remaining[row, best] = -1
    return values, columns


def clear(
    candidates: Float,
    rivals: tuple[Float, Int],
    reserve: Float,
    places: npt.NDArray[np.int8],
    rules: Rules | None = None,
) -> Cleared:
    """Clear a batch of auctions.

    candidates: [n, candidates] our bids, 0 = none; rivals: `strongest(bids, slots + 1)` of the others;
    reserve: [n] the least a place costs; places: [n] how many places the page has, at most `slots`.
    A place is won by a bid strictly above nothing and at least the reserve; it never costs less than the reserve.
    Without rules every auction is a generalised second price.
    """
    rival_bids, rival_columns = rivals
    rows, ours = candidates.shape
    slots = rival_bids.shape[1] - 1
    everyone = np.concatenate([candidates, rival_bids], axis=1)
    top, column = strongest(everyone, slots + 1)
    whose = np.concatenate([np.broadcast_to(np.arange(ours), (rows, ours)), rival_columns + ours], axis=1)
    winner = np.take_along_axis(whose, column, axis=1)[:, :slots]
    price = np.maximum(top[:, 1:], reserve[:, None])
    if rules is not None:
        price = rules.due(top[:, :-1], price)
    held = (top[:, :-1] > 0) & (top[:, :-1] >= reserve[:, None]) & (np.arange(slots) < places[:, None])
    due = np.minimum(np.ceil(price), np.maximum(top[:, :-1], 1)).astype(np.int64)
    against = _against(candidates, top, column, reserve)
    cost = against if rules is None else rules.least(against)
    return Cleared(np.where(held, winner, NOBODY), np.where(held, due, 0), against, cost)


def _against(candidates: Float, top: Float, column: Int, reserve: Float) -> Float:
    """The k-th highest bid of the others, as each candidate meets it: its own bid is stepped over."""
    top, ours = np.maximum(top, reserve[:, None]), candidates.shape[1]
    others = np.repeat(top[:, None, :-1], ours, axis=1)
    for place in range(top.shape[1] - 1):
        row = np.flatnonzero(column[:, place] < ours)  # a few of many: only these stand among the highest themselves
        others[row, column[row, place], place:] = top[row, place + 1 :]
    return others
