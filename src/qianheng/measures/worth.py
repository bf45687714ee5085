"""What GMV is worth to a plan under its goal, after everything an order costs its shop (SPEC 3.4, 6.1).

One formula for what is predicted, for what is true, and for what has been measured: shares of GMV in, shares out.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from qianheng.plans.plan import Goal, Plan

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """What a shop states that one piece of a product costs it, and its list price, 元; `instalments` as a share of GMV.

    `shipping` has packaging and the premium of insurance in it, `return_shipping` is what insurance leaves of it.
    """

    price: Decimal
    product: Decimal
    shipping: Decimal
    return_shipping: Decimal
    instalments: Decimal
    category: str = ""


@dataclass(frozen=True, slots=True)
class Costs:
    """What an order costs its shop besides advertising, as shares of its GMV; arrays of one shape, a product each.

    Unit costs are stated against the list price: an order does not say how many pieces it has.
    """

    product: Float
    shipping: Float  # packaging, and the premium of its insurance
    return_shipping: Float  # what insurance leaves of it
    instalments: Float
    service_fee: Float
    commission: Float
    coupon: Float  # the shop's part

    @property
    def extras(self) -> Float:
        """What overall ROI counts beside spend: service fee, estimated commission and coupon of every paid order."""
        return self.service_fee + self.commission + self.coupon


@dataclass(frozen=True, slots=True)
class Kept:
    """The share of GMV, or the GMV itself, that is left after the refunds of an hour and of seven days."""

    after_1h: Float
    after_7d: Float


def contribution(kept: Kept, costs: Costs) -> Float:
    """What is left of GMV for advertising and profit, in the unit of `kept`.

    An order refunded within the hour is not sent yet; one refunded later comes back at the shop's expense, the goods
    unharmed. Fee, commission, coupons and instalments are paid on settlement, so of what was kept.
    """
    settled = kept.after_7d * (1 - costs.product - costs.extras - costs.instalments)
    return settled - costs.shipping * kept.after_1h - costs.return_shipping * (kept.after_1h - kept.after_7d)


def worth(plan: Plan, kept: Kept, costs: Costs) -> Float:
    """What one unit of paid GMV is worth to the plan in money it may spend.

    Σ worth ≥ Σ spend is the plan's promise: value ≥ target × spend, and under the overall goal value − target × extras
    ≥ target × spend. Under the profit goal it is the contribution. Below zero where extras leave nothing. A plan of
    maximum delivery has no target and takes 1.
    """
    target = float(plan.least_roi or 1)
    match plan.goal:
        case Goal.PAYMENT:
            return np.full_like(kept.after_1h, 1 / target)
        case Goal.NET:
            return kept.after_1h / target
        case Goal.SETTLED:
            return kept.after_7d / target
        case Goal.OVERALL:
            return kept.after_1h / target - costs.extras
        case Goal.PROFIT:
            return contribution(kept, costs)
