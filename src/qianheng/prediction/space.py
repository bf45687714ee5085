"""What prediction tells apart: items on offer, and cells of placement, context and audience."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Space:
    """The items predicted for and the cells their rates are kept in.

    An item is a product as it is offered: on its page or in a live room, which sell very differently. The items of
    the pages come first, those of the rooms after them, both in the order of `product_ids`.

    A cell is (placement, context, audience); the context is the category of the page or query, shifted by one so
    that "nothing in particular" (-1) is 0.
    """

    product_ids: Int  # [products] ascending
    category_of: Int  # [products]
    price: Float  # [products] micro-yuan
    placements: int
    categories: int
    audiences: int
    creatives: Mapping[int, tuple[int, ...]] = field(
        default_factory=dict
    )  # by product, where it has any but its own id

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.placements * (self.categories + 1) * self.audiences

    def cell(self, placement: npt.ArrayLike, category: npt.ArrayLike, audience: npt.ArrayLike) -> Int:
        """The cell of each request: [n] → [n]."""
        context = np.asarray(category, np.int64) + 1
        place = np.asarray(placement, np.int64) * (self.categories + 1) + context
        return place * self.audiences + np.asarray(audience, np.int64)

    def placement_of(self, cell: Int) -> Int:
        """The placement of each cell."""
        return cell // ((self.categories + 1) * self.audiences)

    @property
    def items(self) -> int:
        """How many items there are: each product on its page, and in a room."""
        return 2 * len(self.product_ids)

    def creatives_of(self, product_id: int) -> tuple[int, ...]:
        """The creatives of a product; the only one of most carries the product's id."""
        return self.creatives.get(product_id, (product_id,))

    def of_items(self, of_products: npt.NDArray[np.generic]) -> npt.NDArray[Any]:
        """[products] → [items] the same for a product on its page and in a room."""
        return np.concatenate([of_products, of_products])

    def item(self, product_id: npt.ArrayLike, live: npt.ArrayLike) -> Int:
        """The item of each product, in a room where `live`; every product must be known."""
        return np.searchsorted(self.product_ids, product_id) + len(self.product_ids) * np.asarray(live, np.int64)

    def live(self, item: Int) -> Int:
        """1 for each item that is offered in a room, 0 for one on its page."""
        return (np.asarray(item) >= len(self.product_ids)).astype(np.int64)

    def product_of(self, item: Int) -> Int:
        """The product id of each item."""
        return self.product_ids[item % len(self.product_ids)]
