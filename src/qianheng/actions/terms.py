"""The incentives of a scenario as rules in force: what is taken of an order, what is given with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from qianheng.core.days import microseconds, midnight
from qianheng.incentives.coupons import Coupon
from qianheng.incentives.services import Services
from qianheng.incentives.terms import Commission, ServiceFee, Terms
from qianheng.measures.worth import UnitCosts
from qianheng.simulator.incentives import PlannedCoupon
from qianheng.simulator.scenario import Product, Scenario
from qianheng.store.incentives import Product as Goods
from qianheng.store.incentives import Rules

BEGINNING = 0


def terms_of(scenario: Scenario) -> Terms:
    """What is taken of an order: the fee of its product's category, the commission of the creator whose room it was
    made in.
    """
    fees = {product.id: list(_fees(scenario, product)) for product in scenario.products()}
    return Terms(fees, _commissions(scenario))


def rules_of(scenario: Scenario) -> Rules:
    """All incentives of a scenario, as a marketplace keeps them."""
    programme = scenario.incentives.programme
    return Rules(
        terms=terms_of(scenario),
        coupons=tuple(_coupon(scenario, planned) for planned in scenario.incentives.coupons),
        services={one.id: one.services for one in scenario.products() if one.services != Services()},
        creators={room.id: room.creator for room in scenario.rooms if room.creator is not None},
        programme=None if programme is None else programme.name,
        costs=costs_of(scenario),
    )


def costs_of(scenario: Scenario) -> dict[int, UnitCosts]:
    """What the shops of a scenario state that each of their products costs them."""
    return {product.id: _unit_costs(product) for product in scenario.products()}


def _unit_costs(product: Product) -> UnitCosts:
    services = product.services
    return UnitCosts(
        price=product.price,
        product=product.product_cost,
        shipping=product.shipping + product.packaging + services.premium,
        return_shipping=services.way_back(product.return_shipping),
        instalments=services.instalment_cost,
        category=product.category,
    )


def goods_kept(scenario: Scenario) -> list[Goods]:
    """The products of a scenario, as a marketplace keeps them."""
    return [Goods(product.id, shop.id, product.name) for shop in scenario.shops for product in shop.products]


def _fees(scenario: Scenario, product: Product) -> Iterator[ServiceFee]:
    fees = scenario.fees
    reduced = fees.super_plan_cross_border if product.cross_border else fees.super_plan
    yield ServiceFee(product.service_fee_rate, reduced, product.cross_border)
    for planned in scenario.incentives.fees:
        if planned.category == product.category:
            yield ServiceFee(planned.rate, reduced, product.cross_border, _start(scenario, planned.since))


def _commissions(scenario: Scenario) -> Iterator[Commission]:
    for room in scenario.rooms:
        if room.creator is not None:
            yield Commission(room.id, room.commission_rate, room.commission_rate)
    for told in scenario.incentives.commissions:
        since = BEGINNING if told.since is None else _start(scenario, told.since)
        yield told.record(since)


def _coupon(scenario: Scenario, planned: PlannedCoupon) -> Coupon:
    shop = next(shop for shop in scenario.shops if shop.id == planned.shop)
    first, last = planned.first or scenario.first_day, planned.last or _last_day(scenario)
    valid = (_start(scenario, first), _start(scenario, last + timedelta(days=1)))
    return planned.record(frozenset(planned.products or (product.id for product in shop.products)), valid)


def _last_day(scenario: Scenario) -> date:
    """The last day on which an order can still come of what was clicked."""
    return scenario.first_day + timedelta(days=2 * scenario.days + 30)


def _start(scenario: Scenario, day: date) -> int:
    return microseconds(midnight(day, scenario.timezone))
