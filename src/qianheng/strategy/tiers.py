"""Product tiers: which products are hot, trending or of potential, and what each asks for (SPEC 7.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from qianheng.core.money import Micros, ratio
from qianheng.diagnosis.chance import share_of
from qianheng.diagnosis.evidence import Evidence
from qianheng.measures.history import About, History, Subject
from qianheng.plans.plan import Goal
from qianheng.strategy.breakeven import breakeven_of
from qianheng.strategy.industries import Industries, Pack, Packs
from qianheng.strategy.rules import TierRules
from qianheng.strategy.targets import cents

SECTION = "SPEC 7.8"


class Tier(StrEnum):
    """What a product is to its shop, the first that holds."""

    HOT = "hot"
    TRENDING = "trending"
    POTENTIAL = "potential"
    TAIL = "tail"


@dataclass(frozen=True, slots=True)
class ProductAdvice:
    """A product's tier with its figures, and what to begin with: a payment ROI target, a daily budget (micro-yuan) and
    the pack of its tier; `None` where the shop's base, budget or industry is not known.
    """

    product: Subject
    tier: Tier
    evidence: tuple[Evidence, ...]
    target: Decimal | None
    budget: Micros | None
    pack: Pack | None
    below_breakeven: bool = False


@dataclass(frozen=True, slots=True)
class TierAdvice:
    """The products of a shop, hot ones first; `base` is the shop's mean payment ROI, `industry` whose packs were used
    and `usual_goal` what is usual there.
    """

    products: tuple[ProductAdvice, ...]
    base: Fraction | None
    budget: Micros | None
    industry: str | None
    usual_goal: Goal | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of a product that tell its tier; `None`: not known."""

    share: Fraction | None
    growth: Fraction | None
    orders: int | None
    conversion: Fraction | None
    conversion_low: Fraction | None
    gmv: Micros


def advise_products(history: History, rules: TierRules, known: Industries, budget: Micros | None) -> TierAdvice:
    """The tier of each product and what it asks for, out of the shop's daily budget."""
    base_conversion = history.ratio("promoted_orders", "clicks", 2 * rules.days)
    told = {one: _measured(history, one, rules, base_conversion) for one in history.of(About.PRODUCT)}
    tiers = {one: _tier(figures, rules, base_conversion) for one, figures in told.items()}
    industry, base = known.of(history.shop.category), history.ratio("gmv", "spend", rules.days)
    packs = industry[1].packs if industry else None
    amounts = _budgets(told, tiers, packs, (budget, rules.most_budget))
    advised = []
    for one, figures in told.items():
        pack = None if packs is None else getattr(packs, tiers[one])
        target = None if pack is None or base is None else cents(base * Fraction(pack.target_to_base))
        least = breakeven_of(history, one).payment
        below = target is not None and least is not None and Fraction(target) < least
        evidence = _evidence(figures, rules, base_conversion)
        advised.append(ProductAdvice(one, tiers[one], evidence, target, amounts.get(one), pack, below))
    order = list(Tier)
    advised.sort(key=lambda one: (order.index(one.tier), -told[one.product].gmv, one.product.id))
    return TierAdvice(
        products=tuple(advised),
        base=base,
        budget=budget,
        industry=industry[0] if industry else None,
        usual_goal=Goal(industry[1].goal) if industry else None,
        missing=_missing(told, base_conversion, (("category", industry), ("budget_daily", budget))),
    )


def _measured(history: History, one: Subject, rules: TierRules, base: Fraction | None) -> Measured:
    first, last = history.back(rules.days)
    now = history.whole(one, first, last)
    before = history.whole(one, first - timedelta(days=rules.days), first - timedelta(days=1))
    both = history.last(2 * rules.days, one)
    shop = history.last(rules.days).gmv
    grown = None if now.gmv is None or not before.gmv else Fraction(now.gmv, before.gmv) - 1
    clicks, orders = both.clicks, both.promoted_orders
    interval = None
    if clicks is not None and orders is not None and base is not None and base < 1:
        interval = share_of(min(orders, clicks), clicks, Fraction(rules.prior_clicks), base)
    return Measured(
        share=None if now.gmv is None or not shop else ratio(now.gmv, shop),
        growth=grown,
        orders=now.orders if now.orders is not None else now.net_orders,
        conversion=None if clicks is None or orders is None else ratio(orders, clicks),
        conversion_low=None if interval is None else Fraction(interval.low),
        gmv=now.gmv or 0,
    )


def _tier(told: Measured, rules: TierRules, base: Fraction | None) -> Tier:
    if told.share is not None and told.share >= Fraction(rules.hot_share):
        return Tier.HOT
    enough = told.orders is not None and told.orders >= rules.least_orders
    if enough and told.growth is not None and told.growth >= Fraction(rules.growth):
        return Tier.TRENDING
    if base is not None and told.conversion_low is not None and told.conversion_low > base:
        return Tier.POTENTIAL
    return Tier.TAIL


def _evidence(told: Measured, rules: TierRules, base: Fraction | None) -> tuple[Evidence, ...]:
    return (
        Evidence("gmv_share", told.share, Fraction(rules.hot_share), "share", SECTION),
        Evidence("weekly_growth", told.growth, Fraction(rules.growth), "share", SECTION),
        Evidence("orders_of_week", told.orders, rules.least_orders, "count", SECTION),
        Evidence("conversion_of_product", told.conversion, base, "share", SECTION),
        Evidence("conversion_at_least", told.conversion_low, base, "share", SECTION),
    )


def _budgets(
    told: Mapping[Subject, Measured],
    tiers: Mapping[Subject, Tier],
    packs: Packs | None,
    of: tuple[Micros | None, Decimal],
) -> dict[Subject, Micros]:
    """The daily budget by product, of (all, the most of a product as times its share of GMV): to each tier its pack's
    share among the tiers there are, within it by GMV; what is too much for a small product goes to all by GMV. The
    parts add up exactly.
    """
    budget, most = of
    if packs is None or budget is None or not told:
        return {}
    shares = {tier: Fraction(getattr(packs, tier).budget_share) for tier in set(tiers.values())}
    of_all = _parts({one: figures.gmv for one, figures in told.items()})
    amounts: dict[Subject, Micros] = {}
    for tier, share in shares.items():
        mine = _parts({one: figures.gmv for one, figures in told.items() if tiers[one] is tier})
        for one, part in mine.items():
            wanted = share / sum(shares.values()) * part
            amounts[one] = int(budget * min(wanted, Fraction(most) * of_all[one]))
    left = budget - sum(amounts.values())
    for one, part in of_all.items():
        amounts[one] += int(left * part)
    amounts[max(amounts, key=lambda one: (amounts[one], one.id))] += budget - sum(amounts.values())
    return amounts


def _parts(gmv: Mapping[Subject, Micros]) -> dict[Subject, Fraction]:
    """What part of the whole each is; alike where there is no whole."""
    whole = sum(gmv.values())
    return {one: Fraction(amount, whole) if whole else Fraction(1, len(gmv)) for one, amount in gmv.items()}


def _missing(
    told: Mapping[Subject, Measured], base: Fraction | None, known: tuple[tuple[str, object], ...]
) -> tuple[str, ...]:
    found = [] if told else ["product_rows"]
    if told and base is None:
        found.append("clicks")
    return (*found, *(name for name, value in known if value is None))
