"""What is taken of an order: the rule in force at its time, never more than the share, never above the category's."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.errors import BadInput
from qianheng.incentives.terms import NOTHING, Commission, Rate, Rule, Sale, ServiceFee, Terms
from qianheng.plans.plan import PlanKind

CREATOR, PAGE = 8, -1
HOME = ServiceFee(Decimal("0.05"), Decimal("0.006"))
ABROAD = ServiceFee(Decimal("0.05"), Decimal("0.01"), cross_border=True)
CHEAP = ServiceFee(Decimal("0.005"), Decimal("0.006"))


@pytest.mark.parametrize(
    ("fee", "kind", "share", "rule"),
    [
        pytest.param(HOME, None, "0.05", Rule.CATEGORY, id="of no plan"),
        pytest.param(HOME, PlanKind.PRODUCT, "0.05", Rule.CATEGORY, id="of a product plan"),
        pytest.param(HOME, PlanKind.LIVE, "0.05", Rule.CATEGORY, id="of a live plan"),
        pytest.param(HOME, PlanKind.SUPER, "0.006", Rule.SUPER_PLAN, id="of a super plan"),
        pytest.param(ABROAD, PlanKind.SUPER, "0.01", Rule.CROSS_BORDER, id="of a super plan across the border"),
        pytest.param(CHEAP, PlanKind.SUPER, "0.005", Rule.CATEGORY, id="never above the category's own"),
        pytest.param(ServiceFee(Decimal("0.05")), PlanKind.SUPER, "0.05", Rule.CATEGORY, id="no reduction"),
    ],
)
def test_which_fee_is_in_force(fee: ServiceFee, kind: PlanKind | None, share: str, rule: Rule) -> None:
    found = Terms({11: [fee]}).service_fee(Sale(11, PAGE, True, 0), kind)
    assert (found.share, found.rule) == (Decimal(share), rule)


COMMISSIONS = [
    Commission(CREATOR, Decimal("0.20"), Decimal("0.10")),
    Commission(CREATOR, Decimal("0.30"), Decimal("0.05"), product_id=12),
    Commission(CREATOR, Decimal("0.25"), Decimal("0.10"), since=1000),
]


@pytest.mark.parametrize(
    ("sale", "agreed", "share", "rule", "since"),
    [
        pytest.param(Sale(11, CREATOR, False, 999), "0", "0.20", Rule.CREATOR, 0, id="the creator's own traffic"),
        pytest.param(Sale(11, CREATOR, True, 999), "0", "0.10", Rule.PROMOTED, 0, id="ads brought it"),
        pytest.param(Sale(11, CREATOR, False, 1000), "0", "0.25", Rule.CREATOR, 1000, id="a new line since then"),
        pytest.param(Sale(12, CREATOR, False, 2000), "0", "0.30", Rule.CREATOR, 0, id="a product's own line"),
        pytest.param(Sale(12, CREATOR, True, 2000), "0.4", "0.05", Rule.PROMOTED, 0, id="before what is agreed"),
        pytest.param(Sale(11, PAGE, True, 0), "0.4", "0.4", Rule.PLAN, 0, id="agreed for a plan"),
        pytest.param(Sale(11, PAGE, False, 0), "0", "0", Rule.NONE, 0, id="nobody's"),
    ],
)
def test_which_commission_is_in_force(sale: Sale, agreed: str, share: str, rule: Rule, since: int) -> None:
    found = Terms({}, COMMISSIONS).commission(sale, Decimal(agreed))
    assert (found.share, found.rule, found.since) == (Decimal(share), rule, since)


def test_a_product_that_nobody_stated_a_fee_of_owes_none() -> None:
    assert Terms({}).service_fee(Sale(11, PAGE, True, 0), None) == NOTHING


def test_a_fee_changes_at_its_time() -> None:
    terms = Terms({11: [ServiceFee(Decimal("0.04"), since=1000), ServiceFee(Decimal("0.05"))]})
    found = [terms.service_fee(Sale(11, PAGE, True, at), None) for at in (0, 999, 1000)]
    assert [(one.share, one.since) for one in found] == [
        (Decimal("0.05"), 0),
        (Decimal("0.05"), 0),
        (Decimal("0.04"), 1000),
    ]


def test_the_commission_of_promoted_orders_is_the_lower_one() -> None:
    with pytest.raises(BadInput, match=r"0\.3.*0\.2"):
        Commission(CREATOR, own=Decimal("0.2"), promoted=Decimal("0.3"))


@pytest.mark.parametrize("share", ["-0.01", "1", "20"])
def test_a_share_is_a_part_of_an_order(share: str) -> None:
    with pytest.raises(BadInput, match="not a share"):
        ServiceFee(Decimal(share))


@given(st.integers(0, 10**12), st.decimals(0, 1, places=4).filter(lambda share: share < 1))
def test_never_more_than_the_share_is_taken_and_less_by_under_a_micro_yuan(amount: int, share: Decimal) -> None:
    exact, taken = amount * share, Rate(share, Rule.CATEGORY).of(amount)
    assert exact - 1 < taken <= exact
