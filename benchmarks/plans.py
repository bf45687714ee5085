"""Many plans in one engine, with requests made up for them: what the benchmarks of speed are measured on."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from qianheng.bidding import Bidder
from qianheng.core.days import DAY, MINUTE
from qianheng.core.money import YUAN
from qianheng.delivery.engine import Engine
from qianheng.delivery.site import Site
from qianheng.delivery.tick import Tick
from qianheng.facts.opportunities import Opportunities
from qianheng.plans.plan import Goal, Plan, PlanKind, PlanStatus
from qianheng.prediction.predictor import Predictor
from qianheng.prediction.space import Space

Bool = npt.NDArray[np.bool_]
START = 20_000 * DAY
PRODUCTS, CATEGORIES, AUDIENCES, RIVALS = 100, 5, 12, 1
SEEN = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.75, 0.55], [1.0, 0.8, 0.48]])
CLICKED = 0.03


def engine_of(plans: int) -> Engine:
    """An engine that serves so many plans, each with one of the products, predictions being priors."""
    products = np.arange(PRODUCTS)
    prices = np.random.default_rng(1).lognormal(4.5, 0.6, PRODUCTS) * YUAN
    space = Space(products, products % CATEGORIES, prices, len(SEEN), CATEGORIES, AUDIENCES)
    made = [
        Plan(
            number + 1, 1, 1, str(number), PlanKind.PRODUCT, Goal.PAYMENT, Decimal(2 + number % 3), 500 * YUAN,
            (number % PRODUCTS,), status=PlanStatus.ACTIVE,
        )
        for number in range(plans)
    ]  # fmt: skip
    engine = Engine(made, space, Site(SEEN, np.full(len(SEEN), 5000.0)), START)
    engine.start_day(START)
    for plan in made:
        engine.lease(plan.id, plan.budget_daily)
    engine.refit(Predictor(space), engine.offers.calibrated, 1, START)
    return engine


@dataclass
class Crowd:
    """An engine full of plans and the clock it lives by."""

    plans: int
    now: int = START
    engine: Engine = field(init=False)
    bidder: Bidder = field(init=False)

    def __post_init__(self) -> None:
        self.engine, self.random = engine_of(self.plans), np.random.default_rng(2)
        assert isinstance(self.engine.bidder, Bidder)
        self.bidder = self.engine.bidder

    def requests(self, count: int) -> Opportunities:
        """Requests of the present minute; the other bidders bid about as the plans do."""
        draw = self.random
        return Opportunities(
            id=np.arange(count) + self.now // MINUTE * 1_000_000,
            at=self.now + np.sort(draw.integers(0, MINUTE, count)),
            user_id=draw.integers(0, 1_000_000, count),
            placement=draw.integers(0, len(SEEN), count).astype(np.int8),
            audience=draw.integers(0, AUDIENCES, count).astype(np.int16),
            category=draw.integers(-1, CATEGORIES, count).astype(np.int8),
            bids=draw.lognormal(np.log(30_000), 0.8, (count, RIVALS)).astype(np.float32),
        )

    def looks(self, tick: Tick) -> tuple[Bool, Bool]:
        """What people see and click of the decisions."""
        chance = SEEN[tick.batch.placement[tick.decisions.row], tick.decisions.slot - 1]
        seen = self.random.random(len(chance)) < chance
        return seen, seen & (self.random.random(len(chance)) < CLICKED)

    def step(self) -> None:
        """On to the next minute."""
        self.now += MINUTE

    def live(self, requests: int) -> None:
        """One minute as the engine lives it."""
        tick = self.engine.tick(self.requests(requests), self.now)
        self.engine.shown(tick, *self.looks(tick), self.now)
        self.step()

    def settle(self, requests: int, minutes: int = 3) -> None:
        """Some minutes, so that every plan has seen auctions; then every plan has a solution and none comes due."""
        self.bidder.due[:] = np.inf
        for _ in range(minutes):
            self.live(requests)
        settled(self.bidder, minutes)


def settled(bidder: Bidder, step: int) -> None:
    """Give every plan the solution of the first: what a step costs does not depend on what is in it."""
    bidder._solve(step, 0)
    for name in ("value", "scale", "nodes"):
        getattr(bidder, name)[:] = getattr(bidder, name)[0]
    bidder.due[:] = np.inf
