"""What shops state of their goods, and what the marketplace takes of an order: terms known in advance, never truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from qianheng.measures.worth import Costs
from qianheng.plans.plan import PlanKind
from qianheng.prediction.space import Float, Int


@dataclass(frozen=True, slots=True)
class Stage:
    """A live room as the marketplace knows it: its shelf, and the share of an order its creator takes, if any."""

    product_ids: tuple[int, ...]
    commission_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Goods:
    """Products, and what each costs its shop as shares of its list price; all [products], by ascending id."""

    product_ids: Int
    product: Float
    shipping: Float  # and packaging
    return_shipping: Float
    service_fee: Float
    service_fee_super: Float
    rooms: Mapping[int, Stage] = field(default_factory=dict)

    @classmethod
    def free(cls, product_ids: Int) -> Goods:
        """Goods that cost nothing, where nobody stated any costs."""
        nothing = np.zeros(len(product_ids))
        return cls(product_ids, nothing, nothing, nothing, nothing, nothing)

    def costs(self, kind: PlanKind, product_ids: Int, commission: Float) -> Costs:
        """What an order of each of these products costs under a kind of plan; `commission` [m] of who sells it."""
        row = np.searchsorted(self.product_ids, product_ids)
        fee = self.service_fee_super if kind is PlanKind.SUPER else self.service_fee
        return Costs(self.product[row], self.shipping[row], self.return_shipping[row], fee[row], commission)
