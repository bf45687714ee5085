"""Opportunities, chances to show something, as arrays: ids and features, never truth or ready-made values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int8 = npt.NDArray[np.int8]
Int16 = npt.NDArray[np.int16]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Unpaid:
    """Candidates of `n` requests that nobody bids for, by quality scores: organic ones (M1), and those that earn the
    platform commission and fee (M2). Beside them, how relevant the other advertisers' ads are.
    """

    relevance: Float32  # [n, k] chance of a click when seen; 0: no candidate
    take: Float32  # [n, k] expected commission and fee of a look, micro-yuan; 0 for organic ones
    commerce: Bool  # [k] the columns of the commerce pool
    product_id: Int64  # [n, k] -1: something that is not sold here
    advertisers: Float32  # [n, rivals] chance of a click on their ads when seen


@dataclass(frozen=True, slots=True)
class Opportunities:
    """`n` requests in time order.

    `audience` is the platform's own audience cell of the user, `category` what the page or query around the request
    is about (-1: nothing in particular). `bids` are the sealed bids of the other advertisers, micro-yuan an
    impression; the auction sees them, a bidder learns only the prices that come out. `keyword` is what was searched, by
    its number in the site's list (-1: nothing of it); `None` where no keywords are known. `unpaid` holds the candidates
    of the other pools, `None` where pools are not ranked together.
    """

    id: Int64  # [n]
    at: Int64  # [n] UTC microseconds
    user_id: Int64  # [n]
    placement: Int8  # [n]
    audience: Int16  # [n]
    category: Int8  # [n]
    bids: Float32  # [n, rivals]
    keyword: Int16 | None = None  # [n]
    unpaid: Unpaid | None = None

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, slots=True)
class Decisions:
    """The `m` places that plans and standard campaigns won in a batch of opportunities, in order of `row`."""

    row: Int64  # [m] row of the opportunity in its batch
    plan_id: Int64  # [m]
    product_id: Int64  # [m]
    slot: Int8  # [m] 1 = first place
    price: Int64  # [m] micro-yuan, due if it is seen (a standard campaign's may be due if it is clicked)
    predicted_gmv: Int64  # [m] paid GMV of a seen impression, micro-yuan
    creative_id: Int64  # [m] which of the product's creatives is shown
    room_id: Int64  # [m] the live room it leads into, -1: the product's page

    def __len__(self) -> int:
        return len(self.row)
