"""What insurance and instalments cost a shop, and what they do to buyers, as stated."""

from decimal import Decimal

import pytest

from qianheng.core.errors import BadInput
from qianheng.incentives.services import Instalment, Insurance, Services

INSURED = Services(Insurance(Decimal("0.8"), Decimal("5"), conversion=Decimal("1.04"), returns=Decimal("1.1")))
IN_PARTS = Services(
    instalments=(
        Instalment(3, Decimal("0.018"), Decimal("0.2")),
        Instalment(6, Decimal("0.035"), Decimal("0.1")),
    ),
    instalments_conversion=Decimal("1.05"),
)


def test_a_product_without_services_is_as_it_was() -> None:
    none = Services()
    costs, factors = [none.premium, none.instalment_cost], [none.conversion, none.returns]
    assert (costs, factors) == ([Decimal(0)] * 2, [Decimal(1)] * 2)
    assert none.way_back(Decimal(6)) == 6


def test_insurance_costs_its_premium_and_pays_the_way_back_up_to_what_it_covers() -> None:
    assert (INSURED.premium, INSURED.conversion, INSURED.returns) == (Decimal("0.8"), Decimal("1.04"), Decimal("1.1"))
    assert [INSURED.way_back(Decimal(cost)) for cost in (4, 5, 6)] == [0, 0, 1]


def test_instalments_cost_their_share_of_the_orders_that_use_them() -> None:
    assert IN_PARTS.instalment_cost == Decimal("0.0071")
    assert IN_PARTS.conversion == Decimal("1.05")


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (Insurance, {"premium": Decimal(-1), "covers": Decimal(5)}),
        (Instalment, {"number": 1, "cost": Decimal(0), "uptake": Decimal(0)}),
        (Instalment, {"number": 3, "cost": Decimal(1), "uptake": Decimal(0)}),
        (Services, {"instalments": (Instalment(3, Decimal(0), Decimal("0.6")),) * 2}),
    ],
)
def test_what_services_may_not_be(kind: type, wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        kind(**wrong)
