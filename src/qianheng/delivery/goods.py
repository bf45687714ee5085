"""What shops state of their goods, and what is taken of an order: terms known in advance, never truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from qianheng.incentives.terms import Sale, Terms
from qianheng.measures.worth import Costs
from qianheng.plans.plan import Plan
from qianheng.prediction.space import Float, Int


@dataclass(frozen=True, slots=True)
class Stage:
    """A live room as the marketplace knows it: its shelf, and whether it is a creator's."""

    product_ids: tuple[int, ...]
    creators: bool = False


@dataclass(frozen=True, slots=True)
class Goods:
    """Products, and what each costs its shop as shares of its list price; all [products], by ascending id."""

    product_ids: Int
    product: Float
    shipping: Float  # packaging, and the premium of its insurance
    return_shipping: Float  # what insurance leaves of it
    instalments: Float
    taken: Terms
    rooms: Mapping[int, Stage] = field(default_factory=dict)

    @classmethod
    def free(cls, product_ids: Int) -> Goods:
        """Goods that cost nothing, where nobody stated any costs."""
        nothing = np.zeros(len(product_ids))
        return cls(product_ids, nothing, nothing, nothing, nothing, Terms({}))

    def stated(self, product_ids: Int) -> Costs:
        """What an order of each of these products [m] costs its shop before anything is taken of it."""
        row, nothing = np.searchsorted(self.product_ids, product_ids), np.zeros(len(product_ids))
        of_shop = (self.product[row], self.shipping[row], self.return_shipping[row], self.instalments[row])
        return Costs(*of_shop, service_fee=nothing, commission=nothing, coupon=nothing)

    def costs(self, plan: Plan, product_ids: Int, room_ids: Int, at: int) -> Costs:
        """What an order of each product [m], made in a room [m] (-1: on its page), costs when the plan's ads bring it
        at a time.
        """
        pairs = zip(product_ids.tolist(), room_ids.tolist(), strict=True)
        sales = [Sale(product_id, room_id, True, at) for product_id, room_id in pairs]
        fees = [float(self.taken.service_fee(sale, plan.kind).share) for sale in sales]
        commissions = [float(self.taken.commission(sale, plan.commission_rate).share) for sale in sales]
        told = {"service_fee": np.array(fees, float), "commission": np.array(commissions, float)}
        return replace(self.stated(product_ids), **told)
