"""What prediction tells apart: products, and cells of placement, context and audience."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Space:
    """The products predicted for and the cells their rates are kept in.

    A cell is (placement, context, audience); the context is the category of the page or query, shifted by one so
    that "nothing in particular" (-1) is 0.
    """

    product_ids: Int  # [products] ascending
    category_of: Int  # [products]
    price: Float  # [products] micro-yuan
    placements: int
    categories: int
    audiences: int

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.placements * (self.categories + 1) * self.audiences

    def cell(self, placement: npt.ArrayLike, category: npt.ArrayLike, audience: npt.ArrayLike) -> Int:
        """The cell of each request: [n] → [n]."""
        context = np.asarray(category, np.int64) + 1
        place = np.asarray(placement, np.int64) * (self.categories + 1) + context
        return place * self.audiences + np.asarray(audience, np.int64)

    def row(self, product_id: npt.ArrayLike) -> Int:
        """The row of each product; every one must be known."""
        return np.searchsorted(self.product_ids, product_id)
