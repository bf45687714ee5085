"""A scenario: everything a market is made of, as frozen records read from TOML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np

from qianheng.auction.pricing import Pricing
from qianheng.core.days import SHANGHAI, microseconds, midnight, zone
from qianheng.core.errors import BadInput
from qianheng.core.money import Micros, micros
from qianheng.core.placements import Placement
from qianheng.incentives.services import Services
from qianheng.plans.boost import Boost
from qianheng.plans.campaign import StandardCampaign
from qianheng.plans.exploration import Exploration
from qianheng.plans.hold_out import USUAL, HoldOut, in_force
from qianheng.plans.learning import Rules
from qianheng.plans.plan import Plan
from qianheng.prediction.calibration import Trust
from qianheng.simulator.campaigns import PlannedCampaign
from qianheng.simulator.contradictions import contradictions
from qianheng.simulator.draws import Float64
from qianheng.simulator.faults import PlannedFault
from qianheng.simulator.habits import (
    Buyers,
    Category,
    Delays,
    Fraud,
    LiveHabits,
    PlacementHabits,
    Refunds,
    RivalGroup,
    RivalHabits,
    TrafficShape,
)
from qianheng.simulator.incentives import Fees, PlannedIncentives
from qianheng.simulator.planned import PlannedExperiment, PlannedPlan, Promotion, TimedChange, clock
from qianheng.simulator.pools import PlannedPools
from qianheng.simulator.seasons import Season
from qianheng.strategy.automation import Limits


@dataclass(frozen=True, slots=True)
class Title:
    """What a scenario is called, in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class AdAccount:
    """Who pays, and the cash put in at the start (元)."""

    id: int
    top_up: Decimal


@dataclass(frozen=True, slots=True)
class PlannedCreative:
    """A creative of a product: a video or picture; `appeal` is a factor on clicks."""

    id: int
    name: str
    appeal: float = 1.0


@dataclass(frozen=True, slots=True)
class Product:
    """A product of a shop. `price` and the unit costs are in 元; `organic` is unpromoted demand, orders a day."""

    id: int
    name: str
    category: str
    price: Decimal
    organic: float
    product_cost: Decimal
    shipping: Decimal = Decimal("4.00")
    packaging: Decimal = Decimal("1.00")
    return_shipping: Decimal = Decimal("6.00")
    service_fee_rate: Decimal = Decimal("0.05")
    cross_border: bool = False
    appeal: float = 1.0  # factor on clicks
    conversion: float = 1.0  # factor on orders after a click
    refund: float = 1.0  # factor on its category's refund habits
    creatives: tuple[PlannedCreative, ...] = ()  # one of the product's id if none is named
    services: Services = field(default_factory=Services)


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop, what it sells, the name its owner works under (one is made up if none), and the share of users to whom
    nothing of it is promoted.
    """

    id: int
    name: str
    products: tuple[Product, ...]
    owner: str = ""
    hold_out: Decimal = field(default=USUAL, repr=False)  # a run without any keeps its name


@dataclass(frozen=True, slots=True)
class Session:
    """A time on air, on the given delivery days (from 1) and weekdays (Monday is 1), all when left out."""

    on: str
    off: str
    days: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    drop_at: str | None = None  # the connection breaks then
    drop_minutes: int = 0

    def __post_init__(self) -> None:
        marks = [clock(text) for text in (self.on, self.off, self.drop_at) if text is not None]
        if not marks[0] < marks[1] or not marks[0] <= marks[-1] <= marks[1]:
            raise BadInput("simulator.session")

    def is_on(self, day: int, weekday: int) -> bool:
        """Whether it takes place on a delivery day that is such a weekday."""
        return (not self.days or day in self.days) and (not self.weekdays or weekday in self.weekdays)

    def meets(self, other: Session) -> bool:
        """Whether both can be on air at once, weekdays and days taken apart."""
        apart = bool(self.days and other.days and not {*self.days} & {*other.days})
        apart |= bool(self.weekdays and other.weekdays and not {*self.weekdays} & {*other.weekdays})
        return not apart and clock(self.on) <= clock(other.off) and clock(other.on) <= clock(self.off)


@dataclass(frozen=True, slots=True)
class Room:
    """A live room and the products on its shelf. A creator's takes the commission of every order made in it."""

    id: int
    name: str
    products: tuple[int, ...]
    sessions: tuple[Session, ...]
    creator: str | None = None
    commission_rate: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A market and the plans put into it. Read one with `simulator.loading.load`."""

    name: str
    title: Title
    about: Title
    first_day: date
    opportunities_per_day: int
    ad_account: AdAccount
    shops: tuple[Shop, ...]
    plans: tuple[PlannedPlan, ...]
    placements: dict[str, PlacementHabits]
    categories: dict[str, Category]
    traffic: TrafficShape
    buyers: Buyers
    refunds: Refunds
    delays: Delays
    live: LiveHabits
    rivals: tuple[RivalGroup, ...]
    rival_habits: RivalHabits
    fees: Fees
    prediction: Trust
    learning: Rules
    rooms: tuple[Room, ...] = ()
    campaigns: tuple[PlannedCampaign, ...] = ()
    keywords: dict[str, tuple[str, ...]] = field(default_factory=dict)  # what people search, by category
    incentives: PlannedIncentives = field(default_factory=PlannedIncentives)
    pools: PlannedPools | None = None  # only ads are ranked if none
    days: int = 30
    timezone: str = SHANGHAI
    seed: int = 1
    step_minutes: int = 1  # between two control steps of whoever serves this market
    promotions: tuple[Promotion, ...] = ()
    marketplace: str = "standard"  # whose rules of plans hold
    fraud: Fraud = field(default_factory=Fraud)
    journal: float = 0.02  # share of the opportunities of which every plan's decision is kept; all wins are
    faults: tuple[PlannedFault, ...] = field(default=(), repr=False)  # a run without any keeps its name
    seasons: tuple[Season, ...] = field(default=(), repr=False)
    experiments: tuple[PlannedExperiment, ...] = field(default=(), repr=False)
    automation: Limits = field(default_factory=Limits, repr=False)  # what shops allow to be done without asking
    exploration: Exploration = field(default_factory=Exploration, repr=False)  # what is left to chance

    def __post_init__(self) -> None:
        zone(self.timezone)
        if not 1 <= self.step_minutes <= 60 or 60 % self.step_minutes:
            raise BadInput("simulator.step_minutes", value=self.step_minutes)
        if faults := list(contradictions(self)):
            raise BadInput("simulator.faults", faults="".join(f"\n  {place}: {said}" for place, said in faults))

    @property
    def extras(self) -> tuple[object, ...]:
        """What a run is named by only where there is any of it."""
        allowed = [self.automation] if self.automation.enabled else []
        explored = [self.exploration] if self.exploration.any else []
        return (*self.faults, *self.seasons, *allowed, *self.hold_outs(), *self.experiments, *explored)

    def products(self) -> tuple[Product, ...]:
        """All products of all shops, in the order written."""
        return tuple(product for shop in self.shops for product in shop.products)

    def hold_outs(self) -> tuple[HoldOut, ...]:
        """The hold-outs of its shops, of those that hold anybody out."""
        return in_force(HoldOut(shop.id, shop.hold_out) for shop in self.shops)

    def category_of_products(self) -> dict[int, int]:
        """The category of each product as the number that requests carry."""
        numbers = {name: number for number, name in enumerate(self.categories)}
        return {product.id: numbers[product.category] for product in self.products()}

    def creatives(self) -> dict[int, tuple[int, ...]]:
        """The creatives of each product that names some."""
        named = [product for product in self.products() if product.creatives]
        return {product.id: tuple(sorted(one.id for one in product.creatives)) for product in named}

    def seen(self) -> Float64:
        """The chance that a place is looked at, shape [placement, slot]; 0 where there is no such slot."""
        slots = max(len(self.placements[name].seen) for name in self.placements)
        table = np.zeros((len(Placement), slots))
        for name, habits in self.placements.items():
            table[Placement[name.upper()], : len(habits.seen)] = habits.seen
        return table

    def reserves(self) -> tuple[Micros, ...]:
        """The least price of an impression in each placement, micro-yuan, in the order of `Placement`."""
        return tuple(micros(str(self.placements[place.name.lower()].reserve)) for place in Placement)

    def pricing(self) -> tuple[Pricing, ...]:
        """What the winner of a place pays in each placement, in the order of `Placement`."""
        return tuple(Pricing(self.placements[place.name.lower()].pricing) for place in Placement)

    def top_up(self) -> Micros:
        """The cash put into the ad account at the start, micro-yuan."""
        return micros(str(self.ad_account.top_up))

    def plan_records(self) -> list[Plan]:
        """The plans as they stand at the start, active."""
        return [self.plan_record(plan) for plan in self.plans]

    def campaign_records(self) -> list[StandardCampaign]:
        """The standard campaigns."""
        return [campaign.record(self.ad_account.id) for campaign in self.campaigns]

    def searched(self) -> tuple[str, ...]:
        """Everything people search, by the number that requests carry."""
        return tuple(text for texts in self.keywords.values() for text in texts)

    def timed_changes(self) -> list[TimedChange]:
        """What the scenario changes in its days, in time order; fields changed at the same minute are one change."""
        return sorted((made for plan in self.plans for made in self.changes_of(plan)), key=lambda made: made.at)

    def boosts_of(self, plan: PlannedPlan) -> list[Boost]:
        """The boosts of one of its plans."""
        return [boost.record(plan.id, i, self.at(boost.day, boost.time)) for i, boost in enumerate(plan.boosts)]

    def boost_records(self) -> list[Boost]:
        """All boosts that start within its days."""
        last = self.first_day + timedelta(days=self.days)
        ends = microseconds(midnight(last, self.timezone))
        return [boost for plan in self.plans for boost in self.boosts_of(plan) if boost.starts < ends]

    def at(self, day: int, text: str) -> datetime:
        """The time of day `text` ("09:40") on a delivery day, the first being 1."""
        return datetime.combine(self.first_day + timedelta(days=day - 1), clock(text), tzinfo=ZoneInfo(self.timezone))

    def changes_of(self, plan: PlannedPlan) -> Iterator[TimedChange]:
        """What the scenario changes of one of its plans, in time order."""
        moments = sorted(
            (made for made in plan.changes if made.day <= self.days), key=lambda made: (made.day, made.time)
        )
        for (day, text), together in groupby(moments, key=lambda made: (made.day, made.time)):
            yield TimedChange(self.at(day, text), plan.id, {made.field: made.parsed() for made in together})

    def plan_record(self, plan: PlannedPlan) -> Plan:
        """One plan as it stands at the start, active. What a plan may not be: BadInput."""
        of_shop = (product.id for shop in self.shops if shop.id == plan.shop for product in shop.products)
        return plan.record(self.ad_account.id, self.timezone, tuple(of_shop))
