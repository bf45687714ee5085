"""The worked example of docs/incentives.md, computed: each of its figures stands in the document."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from qianheng.core.money import YUAN, ratio_text, yuan
from qianheng.incentives.coupons import Basket, Coupon, Wallet
from qianheng.incentives.settling import Taken
from qianheng.incentives.terms import Commission, Sale, ServiceFee, Terms
from qianheng.measures.sums import Sums
from qianheng.plans.plan import PlanKind

DOCUMENT = Path(__file__).parents[2] / "docs" / "incentives.md"
PRICE, REFUNDED, SPEND = 129 * YUAN, 43 * YUAN, 30 * YUAN
CREATOR = 2
TERMS = Terms(
    {11: [ServiceFee(Decimal("0.05"), Decimal("0.006"))]}, [Commission(CREATOR, Decimal("0.20"), Decimal("0.10"))]
)
COUPON = Coupon(1, "100-10", 10 * YUAN, 100 * YUAN, Decimal("0.4"), 100 * YUAN, frozenset({11}), 0, 10)


def rows() -> dict[str, tuple[str, str]]:
    """The table of the example: what a line is about → estimated, settled."""
    lines = [
        line.split("|")[1:-1] for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.count("|") == 4
    ]
    return {cells[0].split(",")[0].strip(): (cells[1].strip(), cells[2].strip()) for cells in lines}


def test_every_figure_of_the_worked_example_is_computed() -> None:
    wallet = Wallet([COUPON])
    wallet.lease(100 * YUAN)
    got = wallet.give(Basket(1, 7, 11, PRICE, 5))
    brought, made = (Sale(11, CREATOR, promoted, 5) for promoted in (True, False))
    fee, full = (TERMS.service_fee(brought, kind).of(PRICE) for kind in (PlanKind.SUPER, None))
    commission = TERMS.commission(brought).of(PRICE)
    order = Taken(PRICE, got.of_shop, got.of_platform, commission, fee)
    kept = order.settled(REFUNDED)
    parts = [("GMV", "gmv"), ("service fee", "service_fee"), ("commission", "commission")]
    parts += [("the buyer pays", "from_buyers"), ("the shop's proceeds", "proceeds")]
    told = rows()
    for line, name in parts:
        assert told[line] == (yuan(getattr(order, name)), yuan(getattr(kept, name))), line
    assert told["what the category's 5 % would have been"] == (yuan(full), yuan(kept.gmv * 5 // 100))
    text = DOCUMENT.read_text(encoding="utf-8")
    assert f"the shop's part | {yuan(order.coupon)} | {yuan(kept.coupon)} |" in text
    assert f"the platform's part | {yuan(order.subsidy)} | {yuan(kept.subsidy)} |" in text
    assert f"would owe 20 %: {yuan(TERMS.commission(made).of(PRICE))}" in text
    assert f"The fee saved is {yuan(full - fee)} estimated" in text
    sums = Sums(spend=SPEND, gmv=PRICE, service_fee=fee, commission=commission, coupon=order.coupon)
    assert sums.overall_roi == Fraction(PRICE, SPEND + fee + commission + order.coupon)
    assert f"= {ratio_text(sums.overall_roi)}:" in text
