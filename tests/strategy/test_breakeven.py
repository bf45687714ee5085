"""The ROI that breaks even: on settled GMV, and restated on payment and net GMV."""

from fractions import Fraction

import pytest

from qianheng.measures.history import About, Subject
from qianheng.plans.plan import Goal
from qianheng.strategy.breakeven import breakeven_of, breakevens
from tests.strategy.histories import SHOP, days_of, history, yuan

TOLD = yuan(spend=100, gmv=1000, net_gmv=920, refunded_1h=80, settled_gmv_7d=800, refunded_7d=200)


def test_it_is_one_over_the_margin_restated_by_what_refunds_leave() -> None:
    found = breakeven_of(history(TOLD, margin=Fraction(2, 5)), SHOP)
    assert [found.settled, found.payment, found.net] == [Fraction(5, 2), Fraction(25, 8), Fraction(23, 8)]
    assert [found.on(goal) for goal in (Goal.SETTLED, Goal.PAYMENT, Goal.NET, Goal.PROFIT)] == [
        Fraction(5, 2),
        Fraction(25, 8),
        Fraction(23, 8),
        None,
    ]


def test_what_its_own_orders_contributed_goes_before_the_margin_of_the_shop() -> None:
    told = yuan(spend=100, gmv=1000, net_gmv=920, settled_gmv_7d=800, contribution=200)
    product = Subject(About.PRODUCT, "p")
    known = history(TOLD, margin=Fraction(2, 5), parts=[(product, days_of(told))])
    assert [one.settled for one in breakevens(known)] == [Fraction(5, 2), 4]


@pytest.mark.parametrize("margin", [Fraction(-1, 10), Fraction(0)])
def test_a_product_that_leaves_nothing_of_a_sale_has_none(margin: Fraction) -> None:
    found = breakeven_of(history(TOLD, margin=margin), SHOP)
    assert found.hopeless
    assert [found.settled, found.payment, found.net] == [None, None, None]


def test_without_a_margin_or_settled_figures_it_names_what_is_missing() -> None:
    assert breakeven_of(history(TOLD), SHOP).missing == ("margin",)
    young = breakeven_of(history(yuan(spend=1, gmv=2), margin=Fraction(1, 2)), SHOP)
    assert [young.settled, young.payment, young.missing] == [2, None, ("settled_gmv_7d",)]
