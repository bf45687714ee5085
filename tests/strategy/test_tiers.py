"""Product tiers by rules, and a budget that adds up over them; creators by what they leave."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.errors import BadInput
from qianheng.measures.history import About, History, Subject
from qianheng.strategy.creators import CreatorSales, rank
from qianheng.strategy.industries import Packs, industries
from qianheng.strategy.rules import advice_rules
from qianheng.strategy.tiers import Tier, TierAdvice, advise_products
from tests.strategy.histories import NOW, history, yuan

RULES = advice_rules().tiers
KNOWN = industries()


def product(name: str, gmv: int, before: int | None = None, orders: int = 7, clicks: int = 700) -> tuple[Subject, Any]:
    """A product that sold so much a day this week, and the week before; seven orders of 700 clicks a day at most."""
    told = [yuan(gmv=sold, orders=orders, promoted_orders=orders, clicks=clicks) for sold in (gmv, before or gmv)]
    days = {NOW.date() - timedelta(days=back): told[back > 7] for back in range(1, 15)}
    return Subject(About.PRODUCT, name), days


def shop(*products: tuple[Subject, Any], category: str | None = "womenswear") -> History:
    whole = yuan(spend=300, gmv=1000, orders=70, promoted_orders=70, clicks=7000)
    return history(whole, 30, parts=products, category=category)


def tiers(advice: TierAdvice) -> dict[str, Tier]:
    return {one.product.id: one.tier for one in advice.products}


def test_products_are_hot_trending_of_potential_or_tail_by_the_first_rule_that_holds() -> None:
    advice = advise_products(
        shop(
            product("hot", 200, 100),
            product("cool", 199, 199),
            product("trending", 130, 100),
            product("slow", 129, 100),
            product("rare", 50, 10, orders=1),
            product("potential", 40, 40, orders=14),
            product("lucky", 40, 40, orders=1, clicks=80),
        ),
        RULES,
        KNOWN,
        None,
    )
    assert tiers(advice) == {
        "hot": Tier.HOT,
        "cool": Tier.TAIL,
        "trending": Tier.TRENDING,
        "slow": Tier.TAIL,
        "rare": Tier.TAIL,
        "potential": Tier.POTENTIAL,
        "lucky": Tier.TAIL,
    }
    assert [one.tier for one in advice.products] == sorted((one.tier for one in advice.products), key=list(Tier).index)


def test_a_tier_has_its_own_target_and_pack() -> None:
    advice = advise_products(shop(product("hot", 500), product("cool", 100)), RULES, KNOWN, 1_000_000_000)
    hot, cool = advice.products
    assert (advice.industry, advice.usual_goal) == ("fashion", "net")
    assert (hot.target, cool.target) == (Decimal("3.33"), Decimal("3.67"))
    assert hot.pack is not None
    assert hot.pack.creatives_weekly == 5


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=6), st.integers(0, 10**10))
def test_the_budgets_of_products_add_up_exactly(sold: list[tuple[int, int]], budget: int) -> None:
    found = advise_products(shop(*(product(str(n), *of) for n, of in enumerate(sold))), RULES, KNOWN, budget)
    amounts = [one.budget for one in found.products]
    assert sum(amount or 0 for amount in amounts) == budget
    assert all(amount is not None and amount >= 0 for amount in amounts)


def test_a_small_product_gets_no_great_budget_because_it_is_the_only_one_of_its_tier() -> None:
    advice = advise_products(shop(product("hot", 970), product("new", 30, 10)), RULES, KNOWN, 1_000_000_000)
    new = next(one for one in advice.products if one.product.id == "new")
    assert new.tier is Tier.TRENDING
    assert new.budget is not None
    assert new.budget <= 120_000_000


def test_without_an_industry_or_products_it_says_what_is_missing() -> None:
    unknown = advise_products(shop(product("hot", 500), category="spaceships"), RULES, KNOWN, None)
    assert unknown.missing == ("category", "budget_daily")
    assert (unknown.products[0].target, unknown.products[0].budget) == (None, None)
    assert "product_rows" in advise_products(shop(), RULES, KNOWN, None).missing


@pytest.mark.parametrize(
    ("category", "industry"),
    [("womenswear", "fashion"), ("Beauty", "beauty"), ("数码", "electronics"), ("food", "food"), ("家居", "home")],
)
def test_a_category_finds_its_industry(category: str, industry: str) -> None:
    found = KNOWN.of(category)
    assert found is not None
    assert found[0] == industry


def test_packs_whose_shares_do_not_make_up_one_are_refused() -> None:
    packs = KNOWN.industries["home"].packs
    with pytest.raises(BadInput):
        Packs(packs.hot, packs.hot, packs.potential, packs.tail)


def test_creators_are_ranked_by_net_gmv_after_commission() -> None:
    loud = CreatorSales("loud", "1", 10, gmv=1000, refunded_1h=500, commission=300, spend=100)
    fair = CreatorSales("fair", "2", 5, gmv=500, refunded_1h=50, commission=50, spend=0)
    advice = rank([loud, fair])
    assert [one.name for one in advice.creators] == ["fair", "loud"]
    assert [(one.net_gmv, one.commission_kept, one.left) for one in advice.creators] == [
        (450, 45, 405),
        (500, 150, 350),
    ]
    assert [one.roi for one in advice.creators] == [None, Fraction(7, 2)]
    assert rank([]).missing == ("creators",)
