"""What is taken of an order beside advertising, where it is not the usual: super plans and creators (SPEC 10.2, 10.4).

Which rates hold is data of the marketplace; here is only how they meet a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from qianheng.plans.plan import PlanKind


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of an order: the service fee of super plans by product, and the commission of creators by their room."""

    service_fee_super: Mapping[int, Decimal] = field(default_factory=dict)
    commission: Mapping[int, Decimal] = field(default_factory=dict)

    def service_fee(self, kind: PlanKind, product_id: int, of_category: Decimal) -> Decimal:
        """The service fee of an order: reduced for a super plan, never above that of the product's category."""
        reduced = self.service_fee_super.get(product_id, of_category)
        return min(of_category, reduced) if kind is PlanKind.SUPER else of_category
