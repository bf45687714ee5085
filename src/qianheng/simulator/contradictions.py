"""What does not fit together in a scenario, all of it at once; what a single record may not be it says itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

from qianheng.core.errors import BadInput, QianhengError, Refused
from qianheng.core.placements import Placement
from qianheng.core.words import say
from qianheng.plans import rules
from qianheng.plans.hold_out import HoldOut
from qianheng.plans.plan import apply, change
from qianheng.simulator.planned import PlannedPlan

if TYPE_CHECKING:
    from qianheng.simulator.scenario import Scenario, Shop


def contradictions(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """What does not fit together in a scenario: (place, what is wrong), all of it."""
    products = {product.id for product in scenario.products()}
    if not scenario.name.replace("-", "").replace("_", "").isalnum():
        yield "name", say("simulator.bad_name", value=scenario.name)
    rooms = {room.id for room in scenario.rooms}
    yield from _faults_of_placements(scenario)
    for one in scenario.experiments:
        yield from _unknown(f"experiment {one.template}, plan", [one.plan], {plan.id for plan in scenario.plans})
    for shop in scenario.shops:
        yield from _faults_of_hold_out(shop)
        for product in shop.products:
            yield from _unknown(f"product {product.id}, category", [product.category], scenario.categories)
    for room in scenario.rooms:
        yield from _unknown(f"room {room.id}, products", room.products, products)
        if any(one.meets(other) for one, other in combinations(room.sessions, 2)):
            yield f"room {room.id}, sessions", say("simulator.sessions_meet")
    for plan in scenario.plans:
        place = f"plan {plan.id}"
        yield from _unknown(f"{place}, shop", [plan.shop], [shop.id for shop in scenario.shops])
        yield from _unknown(f"{place}, products", plan.products, products)
        named = plan.rooms if plan.room is None else (plan.room, *plan.rooms)
        yield from _unknown(f"{place}, room", named, rooms)
        for made in plan.changes:
            yield from _at_least_one(f"{place}, changes, day", made.day)
        yield from ((place, str(fault)) for fault in _faults_of_plan(scenario, plan))
    yield from _faults_of_campaigns(scenario, products)
    shops = [shop.id for shop in scenario.shops]
    known = {"category": scenario.categories, "room": rooms, "shop": shops, "product": products}
    yield from scenario.incentives.faults(known)
    yield from _unknown("keywords", scenario.keywords, scenario.categories)
    yield from _twice("products", [product.id for product in scenario.products()])
    plans_and_campaigns = [*(plan.id for plan in scenario.plans), *(one.id for one in scenario.campaigns)]
    yield from _twice("plans, campaigns" if scenario.campaigns else "plans", plans_and_campaigns)
    yield from _twice("rooms", [room.id for room in scenario.rooms])
    yield from _twice("shops, owner", [shop.owner for shop in scenario.shops if shop.owner])
    creatives = [one for product in scenario.products() for one in scenario.creatives().get(product.id, (product.id,))]
    yield from _twice("creatives", creatives)
    known |= {"creative": creatives}
    for number, fault in enumerate(scenario.faults):
        yield from fault.contradictions(f"faults[{number}]", known)
    yield from _at_least_one("products", len(products))
    yield from _out_of_bounds(scenario)


def _faults_of_hold_out(shop: Shop) -> Iterator[tuple[str, str]]:
    try:
        HoldOut(shop.id, shop.hold_out)
    except BadInput as error:
        yield f"shop {shop.id}", str(error)


def _faults_of_plan(scenario: Scenario, planned: PlannedPlan) -> Iterator[QianhengError]:
    """What a plan may not be, at its start and after each of its changes."""
    try:
        allowed = rules.load_rules(scenario.marketplace)
        plan = scenario.plan_record(planned)
        yield from rules.faults(plan, allowed, rules.BUDGETS)
        for version, made in enumerate(scenario.changes_of(planned), 1):
            plan = apply(plan, change(plan, version, made.at, "scenario", "", **made.after))
            yield from (fault.at(f"{made.at:%m-%d %H:%M}") for fault in rules.faults(plan, allowed, made.after))
        yield from rules.boost_faults(scenario.boosts_of(planned), plan, allowed, scenario.creatives())
    except (BadInput, Refused) as error:
        yield error


def _faults_of_campaigns(scenario: Scenario, products: Collection[int]) -> Iterator[tuple[str, str]]:
    for campaign in scenario.campaigns:
        place = f"campaign {campaign.id}"
        yield from _unknown(f"{place}, shop", [campaign.shop], [shop.id for shop in scenario.shops])
        yield from _unknown(f"{place}, products", campaign.products, products)
        try:
            campaign.record(scenario.ad_account.id)
        except BadInput as error:
            yield place, str(error)


def _out_of_bounds(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Numbers that no calendar, memory or ledger holds."""
    bounds: list[tuple[str, Decimal | float, int, int]] = [
        ("first_day, year", scenario.first_day.year, 1970, 9000),
        ("days", scenario.days, 1, 3660),
        ("opportunities_per_day", scenario.opportunities_per_day, 1, 10**10),
        ("buyers, population", scenario.buyers.population, 1, 10**8),
        ("ad_account, top_up", scenario.ad_account.top_up, 0, 10**11),
        ("journal", Decimal(str(scenario.journal)), 0, 1),
        ("fraud, robots", scenario.fraud.robots, 0, scenario.buyers.population),
        ("fraud, bursts_per_day", scenario.fraud.bursts_per_day, 0, 10**6),
        ("fraud, requests", scenario.fraud.requests, 1, 1000),
        ("fraud, seconds", scenario.fraud.seconds, 1, 3600),
        ("fraud, flagged", scenario.fraud.flagged, 0, 1),
    ]
    bounds += [(f"plan {plan.id}, budget_daily", plan.budget_daily, 0, 10**9) for plan in scenario.plans]
    if scenario.pools is not None:
        bounds += scenario.pools.bounds()
        yield from _unknown("pools, limits, ad_share", scenario.pools.limits.ad_share, scenario.placements)
    for place, found, least, most in bounds:
        if not least <= found <= most:
            yield place, say("simulator.out_of_bounds", value=found, least=least, most=most)


def _faults_of_placements(scenario: Scenario) -> Iterator[tuple[str, str]]:
    expected = {place.name.lower() for place in Placement}
    if scenario.placements.keys() != expected:
        yield "placements", say("simulator.placements", known=", ".join(sorted(expected)))
    for name, habits in scenario.placements.items():
        if not habits.seen or habits.seen[0] > 1 or list(habits.seen) != sorted(habits.seen, reverse=True):
            yield f"placements, {name}, seen", say("simulator.seen")
    for name, shares in (
        ("placements, share", [habits.share for habits in scenario.placements.values()]),
        ("placements, organic", [habits.organic for habits in scenario.placements.values()]),
        ("buyers, types, share", [kind.share for kind in scenario.buyers.types]),
    ):
        if abs(sum(shares) - 1) > 1e-6:
            yield name, say("simulator.shares", total=f"{sum(shares):g}")


def _unknown(place: str, named: Iterable[object], known: Collection[object]) -> Iterator[tuple[str, str]]:
    told = ", ".join(map(str, known))
    yield from ((place, say("simulator.unknown_name", value=name, known=told)) for name in named if name not in known)


def _at_least_one(place: str, number: int) -> Iterator[tuple[str, str]]:
    if number < 1:
        yield place, say("simulator.below_one", value=number)


def _twice(place: str, ids: Sequence[int] | Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from ((place, say("simulator.id_twice", value=one)) for one in sorted({i for i in ids if ids.count(i) > 1}))
