"""Buyers: who they are, what they see, click and order. All of it is truth and stays inside the market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.core.money import micros
from qianheng.core.placements import Placement
from qianheng.facts.opportunities import Int8
from qianheng.simulator.draws import Bool, Float32, Float64, Int64, Real, Whole, generator
from qianheng.simulator.habits import Buyers
from qianheng.simulator.scenario import Scenario

_ROSTER = 1 << 21
_SUREST = 0.9  # no chance is higher


@dataclass(frozen=True, slots=True)
class Looks:
    """Looks at products: arrays of one shape, or that broadcast to one."""

    user: Whole
    product: Whole  # index in the catalogue
    placement: Whole
    category: Whole  # what the request is about, -1 nothing
    hour_of_day: Whole
    exposures: Real  # remembered ones of this buyer to this product
    live: Bool  # the click leads into a live room
    on_air: Bool
    appeal: Real  # of the creative shown, a factor on clicks
    readiness: Real  # factor on orders: another price than the list's is charged, or it is the season

    def at(self, rows: Whole) -> Looks:
        """Some of the looks, all arrays being of one shape."""
        return Looks(**{name: getattr(self, name)[rows] for name in self.__slots__})


class Catalogue:
    """The products of a scenario as arrays over products."""

    def __init__(self, scenario: Scenario) -> None:
        products = scenario.products()
        usual = np.array([scenario.categories[product.category].price for product in products])
        habits = [scenario.categories[product.category] for product in products]
        factor = np.array([product.refund for product in products])
        returns = np.array([float(product.services.returns) for product in products])
        self.id: Int64 = np.array([product.id for product in products])
        self.category: Int64 = np.array(list(scenario.category_of_products().values()))
        self.price: Int64 = np.array([micros(str(product.price)) for product in products])
        self.dearness: Float64 = np.log(np.array([float(product.price) for product in products]) / usual)
        self.appeal: Float64 = np.array([product.appeal for product in products])
        self.conversion: Float64 = np.array(
            [product.conversion * float(product.services.conversion) for product in products]
        )
        self.organic: Float64 = np.array([product.organic for product in products])
        self.refund_1h: Float64 = np.array([habit.refund_1h for habit in habits]) * factor
        self.refund_7d: Float64 = np.array([habit.refund_7d for habit in habits]) * factor * returns
        self.refund_later: Float64 = np.array([habit.refund_later for habit in habits]) * returns
        self._order = np.argsort(self.id)

    def __len__(self) -> int:
        return len(self.id)

    def index(self, product_ids: Int64) -> Int64:
        """The index of each product id."""
        places = np.searchsorted(self.id, product_ids, sorter=self._order)
        return self._order[places]


class Appeals:
    """How much each creative draws clicks; 1 for whatever the scenario does not name."""

    def __init__(self, scenario: Scenario) -> None:
        found = sorted((one.id, one.appeal) for product in scenario.products() for one in product.creatives)
        self._ids: Int64 = np.array([id_ for id_, _ in found], np.int64)
        self._appeal: Float64 = np.array([*(appeal for _, appeal in found), 1.0])

    def of(self, creative_ids: Int64) -> Float64:
        """The appeal of each creative."""
        place = np.searchsorted(self._ids, creative_ids)
        known = np.append(self._ids, -1)[place] == creative_ids
        return self._appeal[np.where(known, place, len(self._ids))]


class Population:
    """The buyers of a scenario as arrays over users: a function of (scenario, seed)."""

    def __init__(self, scenario: Scenario, catalogue: Catalogue, seed: int) -> None:
        habits = scenario.buyers
        draw = generator(seed, "buyers")
        self.habits: Buyers = habits
        self.cells = _Cells(scenario, draw)
        size = habits.population
        self.cell: npt.NDArray[np.int16] = draw.choice(habits.cells, size, p=self.cells.share).astype(np.int16)
        wrong = draw.random(size) < habits.cell_noise
        guess = draw.integers(0, habits.cells, size, dtype=np.int16)
        self.audience: npt.NDArray[np.int16] = np.where(wrong, guess, self.cell)
        self.purse: Float32 = _spread(draw, size, habits.purse_spread)
        self.interest: Float32 = self._interests(draw, len(scenario.categories))
        self.type: Int8 = self._types(draw)
        self.activity: Float32 = _spread(draw, size, habits.activity_spread)
        self.sensitivity: Float32 = (habits.price_sensitivity * _spread(draw, size, 0.5)).astype(np.float32)
        self.order: Float32 = self.purse * _per_type(habits, "order")[self.type]
        self.roster: npt.NDArray[np.int32] = _roster(self.activity)
        self.interest_up_to: Float32 = _cumulative(self.interest)
        self._catalogue = catalogue
        self._clicks = np.array([scenario.placements[place.name.lower()].click for place in Placement])
        self._orders = np.array([scenario.placements[place.name.lower()].order for place in Placement])
        self._by_hour = np.array(scenario.traffic.click_by_hour)
        self._live = scenario.live
        # Requests a day: of a user per unit of interest, of them about a category there, and of who is in the market.
        share = self.activity / self.activity.sum(dtype=np.float64) / self.interest.sum(axis=1)
        self._requests = share * scenario.opportunities_per_day
        places = [scenario.placements[place.name.lower()] for place in Placement]
        self._about = np.array([place.share * place.context for place in places])
        self._looking = habits.hot_requests * np.array([0.0, 0.0, 1 - habits.hot_search, habits.hot_search])
        self.hot: Float32 = self._hot()

    def hot_given(self, looks: Looks) -> Float64:
        """The chance that who makes a request is in the market for a product: such people look around for it."""
        prior = self.hot[looks.product, looks.user].astype(np.float64)
        category = self._catalogue.category[looks.product]
        usual = self._requests[looks.user] * self._about[looks.placement] * self.interest[looks.user, category]
        lift = 1 + np.where(looks.category == category, self._looking[looks.placement] / usual, 0.0)
        given: Float64 = prior * lift / (prior * lift + 1 - prior)
        return given

    def click(self, looks: Looks, hot: Bool) -> Real:
        """The chance of a click for a promoted product that is seen."""
        return _at_most(self._pull_to_click(looks) * np.where(hot, self.habits.hot_click, 1.0), _SUREST)

    def buys(self, looks: Looks, hot: Bool) -> Real:
        """The chance of an order after a click."""
        pull = self._pull_to_buy(looks)
        pull = np.where(hot, np.maximum(pull, self._hot_order(looks)), pull)
        return _at_most(pull * self._live_factor(looks), _SUREST)

    def orders(self, looks: Looks) -> Real:
        """The expected orders of a promoted product that is seen, over all that is not known of the buyer's day."""
        hot, live = self.hot_given(looks), self._live_factor(looks)
        click, buy = self._pull_to_click(looks), self._pull_to_buy(looks)
        usual: Real = _at_most(click, _SUREST) * _at_most(buy * live, _SUREST)
        hot_buy = np.maximum(buy, self._hot_order(looks)) * live
        wanting: Real = _at_most(click * self.habits.hot_click, _SUREST) * _at_most(hot_buy, _SUREST)
        return (1 - hot) * usual + hot * wanting

    def readiness(self, user: Whole, price: Real) -> Float64:
        """How much readier users are to order when they are charged that much over the list price."""
        ready: Float64 = np.exp(-self.sensitivity[user].astype(np.float64) * np.log(price))
        return ready

    def refund_chances(self, user: Whole, product: Whole, habit: Real) -> tuple[Real, Real, Real]:
        """The chances that an order is refunded within 1 h, later within 7 days, and later than that. `habit`: a factor
        on the first two, for what is not as usual.
        """
        goods, kind = self._catalogue, self.type[user]
        soon = np.minimum(goods.refund_1h[product] * _per_type(self.habits, "refund_1h")[kind] * habit, 0.6)
        week = np.minimum(goods.refund_7d[product] * _per_type(self.habits, "refund_7d")[kind] * habit, 0.35)
        return soon, week, np.broadcast_to(goods.refund_later[product], soon.shape)

    def _pull_to_click(self, looks: Looks) -> Real:
        goods = self._catalogue
        category = goods.category[looks.product]
        about = np.where(looks.category == category, self.habits.context_lift, 1.0)
        by_request = self._clicks[looks.placement] * self._by_hour[looks.hour_of_day]
        tired = np.exp(-self.habits.fatigue * looks.exposures)
        led_into_room = np.where(looks.live, self._live.click, 1.0)
        interest = self.interest[looks.user, category]
        pull: Real = by_request * about * goods.appeal[looks.product] * interest * tired * led_into_room * looks.appeal
        return pull

    def _pull_to_buy(self, looks: Looks) -> Real:
        goods = self._catalogue
        interest = np.sqrt(self.interest[looks.user, goods.category[looks.product]])
        cheapness = np.exp(-self.sensitivity[looks.user] * goods.dearness[looks.product])
        by_request = self._orders[looks.placement] * self.order[looks.user]
        return by_request * goods.conversion[looks.product] * interest * cheapness * looks.readiness

    def _hot_order(self, looks: Looks) -> Real:
        """The least chance that a buyer in the market orders after a click."""
        least: Real = self.habits.hot_order * looks.readiness
        return least

    def _live_factor(self, looks: Looks) -> Real:
        air = np.where(looks.on_air, self._live.order, self._live.order_off_air)
        return np.where(looks.live, air, 1.0)

    def _pull(self, user: Whole, product: Whole) -> Real:
        """How strongly a product draws a buyer, up to a factor of the product."""
        goods = self._catalogue
        pull = self.activity[user] * self.order[user] * self.interest[user, goods.category[product]]
        return pull * np.exp(-self.sensitivity[user] * goods.dearness[product]).astype(np.float64)

    def _hot(self) -> Float32:
        """The chance that a buyer is in the market for a product on a day, shape [products, users].

        Its mean is such that the product's organic demand comes out.
        """
        everyone = np.arange(self.habits.population)
        wanted = self._catalogue.organic / self.habits.hot_organic
        hot = np.empty((len(self._catalogue), len(everyone)), dtype=np.float32)
        for product, buyers in enumerate(wanted):
            pull = self._pull(everyone, np.array(product))
            hot[product] = np.minimum(pull * (buyers / pull.sum()), 0.5)
        return hot

    def _interests(self, draw: np.random.Generator, categories: int) -> Float32:
        noise = draw.standard_normal((len(self.cell), categories), dtype=np.float32) * self.habits.interest_spread
        interest: Float32 = np.exp(self.cells.interest[self.cell] + noise).astype(np.float32)
        interest /= interest.mean(axis=0)
        return interest

    def _types(self, draw: np.random.Generator) -> Int8:
        up_to = np.cumsum(self.cells.types, axis=1)[self.cell]
        above = draw.random(len(self.cell))[:, None] > up_to[:, :-1]
        types: Int8 = np.sum(above, axis=1, dtype=np.int8)
        return types


class _Cells:
    """The audience cells: their size, the interests in them, and the mix of buyer types."""

    def __init__(self, scenario: Scenario, draw: np.random.Generator) -> None:
        habits = scenario.buyers
        size = np.exp(draw.normal(0, 0.5, habits.cells))
        self.share = size / size.sum()
        self.interest = draw.normal(0, habits.cell_spread, (habits.cells, len(scenario.categories))).astype(np.float32)
        mix = np.exp(draw.normal(0, 0.8, (habits.cells, len(habits.types))))
        mix *= np.array([kind.share for kind in habits.types])
        self.types = mix / mix.sum(axis=1, keepdims=True)


def _spread(draw: np.random.Generator, size: int, sigma: float) -> Float32:
    """Log-normal factors of mean 1."""
    factors: Float32 = draw.standard_normal(size, dtype=np.float32) * np.float32(sigma) - np.float32(sigma**2 / 2)
    return np.exp(factors, out=factors)


def _at_most(chance: Real, most: float) -> Real:
    capped: Real = np.minimum(chance, most)
    return capped


def _per_type(habits: Buyers, name: str) -> Float32:
    return np.array([getattr(kind, name) for kind in habits.types], dtype=np.float32)


def _roster(activity: Float32) -> npt.NDArray[np.int32]:
    """Users listed as often as they come: a user is drawn by drawing a line of the roster."""
    ends = np.cumsum(activity, dtype=np.float64)
    roster: npt.NDArray[np.int32] = np.searchsorted(ends, (np.arange(_ROSTER) + 0.5) / _ROSTER * ends[-1]).astype(
        np.int32
    )
    return roster


def _cumulative(interest: Float32) -> Float32:
    up_to: Float32 = np.cumsum(interest, axis=1, dtype=np.float32)
    up_to /= up_to[:, -1:].copy()
    return up_to
