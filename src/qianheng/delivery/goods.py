"""What shops state of their goods, and what the marketplace takes of an order: terms known in advance, never truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianheng.measures.worth import Costs
from qianheng.prediction.space import Float, Int


@dataclass(frozen=True, slots=True)
class Goods:
    """Products, and what each costs its shop as shares of its list price; all [products], by ascending id."""

    product_ids: Int
    product: Float
    shipping: Float  # and packaging
    return_shipping: Float
    service_fee: Float

    @classmethod
    def free(cls, product_ids: Int) -> Goods:
        """Goods that cost nothing, where nobody stated any costs."""
        return cls(product_ids, *(np.zeros(len(product_ids)) for _ in range(4)))

    def costs(self, product_ids: Int, commission_rate: float) -> Costs:
        """What an order of each of these products costs when that share of it goes to whoever sold it."""
        row = np.searchsorted(self.product_ids, product_ids)
        commission = np.full(len(row), commission_rate)
        return Costs(
            self.product[row], self.shipping[row], self.return_shipping[row], self.service_fee[row], commission
        )
