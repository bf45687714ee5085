"""The habits of people and rivals: the market's parameters. Values: `defaults.toml`; sources: docs/simulator.md."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np

from qianheng.core.errors import BadInput
from qianheng.simulator.draws import Float64


@dataclass(frozen=True, slots=True)
class TrafficShape:
    """When people come: a factor for every hour of the week (Monday first), and one for its evenings."""

    weekly: tuple[tuple[float, ...], ...]
    evening: float
    evening_hours: tuple[int, ...]
    click_by_hour: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.weekly) != 7 or any(len(day) != 24 for day in self.weekly) or len(self.click_by_hour) != 24:
            raise BadInput("simulator.traffic_shape")

    def of_hour(self) -> Float64:
        """The evening factor of each hour of the day, shape [24]."""
        return np.where(np.isin(np.arange(24), self.evening_hours), self.evening, 1.0)


@dataclass(frozen=True, slots=True)
class PlacementHabits:
    """What people do in a placement. `seen` is the chance that each place from the top is looked at."""

    share: float
    seen: tuple[float, ...]
    reserve: Decimal  # 元 an impression
    click: float
    order: float
    organic: float  # share of organic orders made here
    context: float  # share of requests that are about a category
    price_level: float  # what rivals pay here, against the market
    pricing: Literal["gsp", "vcg", "first"] = "gsp"  # what the winner of a place pays


@dataclass(frozen=True, slots=True)
class Category:
    """A category of goods: what is usual to pay and to send back."""

    price: float  # 元
    refund_1h: float
    refund_7d: float
    refund_later: float


@dataclass(frozen=True, slots=True)
class BuyerType:
    """A kind of buyer: how readily they order, and factors on the refund habits of what they order."""

    name: str
    share: float
    order: float
    refund_1h: float
    refund_7d: float


@dataclass(frozen=True, slots=True)
class Buyers:
    """Who the buyers are and how they differ; spreads are standard deviations of logarithms."""

    population: int
    cells: int
    cell_noise: float  # share of users whose audience cell the platform has wrong
    cell_spread: float
    interest_spread: float
    activity_spread: float
    purse_spread: float
    price_sensitivity: float
    context_lift: float  # factor on clicks when the request is about the product's category
    fatigue: float  # each remembered exposure takes this share of the clicks
    memory: float  # share of exposures remembered a day later
    sated: float  # exposures that a purchase weighs as much as
    hot_requests: int  # requests that a buyer in the market for a product makes for it, beyond habit
    hot_hours: float  # over how many hours before making up their mind
    hot_search: float  # share of them that are searches, the others are in the mall
    hot_organic: float  # chance that a buyer in the market for a product today buys it unprompted
    hot_click: float  # factor on clicks of a buyer in the market
    hot_order: float  # chance of an order after such a buyer's click
    two_items: float  # share of orders of two pieces
    discount: float  # largest discount of the shop's own prices, as a share
    types: tuple[BuyerType, ...]


@dataclass(frozen=True, slots=True)
class Delay:
    """A delay as quantiles: it is at most `minutes[i]` with chance `chance[i]`; logarithmic in between."""

    chance: tuple[float, ...]
    minutes: tuple[float, ...]

    def __post_init__(self) -> None:
        rising = all(np.diff(self.chance) > 0) and all(np.diff(self.minutes) > 0)
        if len(self.chance) != len(self.minutes) or len(self.chance) < 2 or not rising:
            raise BadInput("simulator.delay")
        if self.chance[0] != 0 or self.chance[-1] != 1 or self.minutes[0] <= 0:
            raise BadInput("simulator.delay")


@dataclass(frozen=True, slots=True)
class Delays:
    """How long things take: from click to order, from order to refund, from happening to being told."""

    order: Delay
    prompt_order: Delay  # in a live room, and of buyers in the market
    refund_1h: Delay
    refund_7d: Delay
    refund_later: Delay
    report: Delay


@dataclass(frozen=True, slots=True)
class Refunds:
    """How much of an order is sent back."""

    partial: float  # share of refunds that are partial
    partial_from: float
    partial_to: float


@dataclass(frozen=True, slots=True)
class LiveHabits:
    """What a live picture changes: factors on clicks and orders, on and off air."""

    click: float
    order: float
    order_off_air: float
    organic_share: float  # share of a product's organic orders that are made in its room while on air


@dataclass(frozen=True, slots=True)
class RivalGroup:
    """Other advertisers of one sort. `value` is what an ordinary impression is worth to them, in 元."""

    name: str
    count: int
    value: float
    budget_daily: float  # 元 each
    spread: float = 0.3  # between rivals of the group, standard deviation of logarithms
    paced: bool = True
    enters_day: int = 1
    enters_hour: int = 0
    leaves_day: int | None = None


@dataclass(frozen=True, slots=True)
class RivalHabits:
    """How rivals value what they bid on; spreads are standard deviations of logarithms."""

    noise: float  # of each rival's own estimate
    shared_noise: float  # of what all of them see and we do not
    purse_weight: float  # how far they follow a user's purse
    focus: float  # factor on users and requests of a rival's own category
    floor: float  # lowest multiplier of a paced rival
    gain: float  # how fast a paced rival reacts, per hour
    first_price: float  # share of its worth that a rival bids where it would pay its own bid


@dataclass(frozen=True, slots=True)
class Fraud:
    """Traffic that nobody should pay for; none by default. Some buyers' devices are `robots`: `bursts_per_day` times
    a day one of them asks `requests` times within `seconds` and clicks on whatever it is shown, without ever buying.
    Of the orders a share is `flagged` by the platform as made to deceive.
    """

    robots: int = 0
    bursts_per_day: int = 0
    requests: int = 12
    seconds: int = 20
    flagged: float = 0.0
