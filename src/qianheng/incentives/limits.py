"""What commission asks of a plan's target: to be below one over the rate (SPEC 10.2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from qianheng.core.money import ratio_text
from qianheng.core.words import say
from qianheng.incentives.terms import Sale, Terms
from qianheng.plans.plan import Plan

PAGE = -1  # no room


@dataclass(frozen=True, slots=True)
class TargetLimit:
    """The highest commission that an order which a plan's ads bring can owe, and the target it has."""

    rate: Decimal
    target: Decimal | None

    @property
    def below(self) -> Fraction:
        """What the target must be below."""
        return 1 / Fraction(self.rate)

    @property
    def too_high(self) -> bool:
        """Whether it is not."""
        return self.target is not None and self.target * self.rate >= 1

    @property
    def kind(self) -> str:
        """The key of the catalogue of words that tells it."""
        return "incentives.too_high" if self.too_high else "incentives.limit"

    def values(self, plan: str) -> dict[str, str]:
        """What fills its words, as JSON; `plan` is the plan's name."""
        below, target = ratio_text(self.below, 2), "–" if self.target is None else f"{self.target.normalize():f}"
        return {"plan": plan, "rate": f"{(self.rate * 100).normalize():f}%", "below": str(below), "target": target}

    def text(self, plan: str) -> str:
        """It in the language spoken."""
        return say(self.kind, **self.values(plan))


def target_limit(terms: Terms, plan: Plan, at: int) -> TargetLimit | None:
    """The limit that commission sets a plan at a time (UTC microseconds); `None` where there is no commission."""
    rooms = {PAGE, *plan.room_ids, PAGE if plan.room_id is None else plan.room_id}
    sales = (Sale(product, room, True, at) for product in plan.product_ids for room in rooms)
    highest = max(terms.commission(sale, plan.commission_rate).share for sale in sales)
    return TargetLimit(highest, plan.target) if highest else None
