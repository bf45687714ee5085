"""Services that a shop adds to its orders and pays for: shipping insurance and interest-free instalments (SPEC 10.5).

What they cost and what they do to buyers are stated parameters, a shop's own estimate; nothing here is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from qianheng.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Insurance:
    """Shipping insurance (运费险): `premium` for every order sent, and up to `covers` of the way back of every return,
    in 元; factors on orders after a click, and on returns after the first hour, for those who return with less worry.
    """

    premium: Decimal
    covers: Decimal
    conversion: Decimal = Decimal(1)
    returns: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        if min(self.premium, self.covers, self.conversion, self.returns) < 0:
            raise BadInput("incentives.insurance")


@dataclass(frozen=True, slots=True)
class Instalment:
    """Paying in `number` parts: what that costs the shop, as a share of the order, and the share of orders that do."""

    number: int
    cost: Decimal
    uptake: Decimal

    def __post_init__(self) -> None:
        if self.number < 2 or not 0 <= self.cost < 1 or not 0 <= self.uptake <= 1:
            raise BadInput("incentives.instalment", number=self.number)


@dataclass(frozen=True, slots=True)
class Services:
    """The services of a product; none unless stated. `instalments_conversion`: factor on orders after a click."""

    insurance: Insurance | None = None
    instalments: tuple[Instalment, ...] = ()
    instalments_conversion: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        if sum(one.uptake for one in self.instalments) > 1 or self.instalments_conversion < 0:
            raise BadInput("incentives.instalments")

    @property
    def premium(self) -> Decimal:
        """What insuring an order costs, 元."""
        return Decimal(0) if self.insurance is None else self.insurance.premium

    @property
    def instalment_cost(self) -> Decimal:
        """What instalments cost, as a share of all orders alike."""
        return sum((one.cost * one.uptake for one in self.instalments), Decimal(0))

    @property
    def conversion(self) -> Decimal:
        """The factor of all services on orders after a click."""
        insured = Decimal(1) if self.insurance is None else self.insurance.conversion
        return insured * (self.instalments_conversion if self.instalments else 1)

    @property
    def returns(self) -> Decimal:
        """The factor on returns after the first hour."""
        return Decimal(1) if self.insurance is None else self.insurance.returns

    def way_back(self, return_shipping: Decimal) -> Decimal:
        """What the way back of a return leaves to the shop, 元."""
        covered = Decimal(0) if self.insurance is None else self.insurance.covers
        return max(return_shipping - covered, Decimal(0))
