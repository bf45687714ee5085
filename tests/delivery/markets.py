"""Small worlds to serve: an engine over two plans, random requests, and someone who looks at what is shown."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from qianheng.core.days import DAY, MINUTE
from qianheng.delivery.engine import Engine
from qianheng.delivery.shown import facts_of
from qianheng.delivery.site import Site
from qianheng.facts.batch import FactBatch
from qianheng.facts.opportunities import Opportunities
from qianheng.plans.plan import Goal, Plan, PlanKind, PlanStatus
from qianheng.prediction.predictor import Predictor
from qianheng.prediction.space import Space

START = 20_000 * DAY
SPACE = Space(np.array([11, 12]), np.array([0, 1]), np.array([100e6, 50e6]), placements=2, categories=2, audiences=2)
SITE = Site(np.array([[1.0, 0.6], [0.8, 0.0]]), np.array([1000.0, 2000.0]))
SHOP = Plan(1, 1, 1, "page", PlanKind.PRODUCT, Goal.PAYMENT, Decimal(2), 10_000_000, (11, 12), status=PlanStatus.ACTIVE)
ROOM = replace(SHOP, id=4, name="room", kind=PlanKind.LIVE, product_ids=(12,), room_id=9)


def engine(plans: Sequence[Plan] = (SHOP, ROOM), leases: Sequence[int] = (10_000_000, 10_000_000)) -> Engine:
    """An engine that knows only its priors; rooms are on air."""
    made = Engine(plans, SPACE, SITE, START)
    made.start_day(START)
    for plan, lease in zip(plans, leases, strict=True):
        made.lease(plan.id, lease)
    made.on_air(9, True, START)
    made.refit(Predictor(SPACE), made.offers.calibrated, 1, START)
    return made


def requests(rng: np.random.Generator, now: int, count: int, worth: float = 60_000.0) -> Opportunities:
    """Requests of one minute; rivals bid around `worth` micro-yuan, some nothing."""
    bids = rng.lognormal(np.log(worth), 1.0, (count, 3)) * (rng.random((count, 3)) < 0.7)
    return Opportunities(
        id=np.arange(count) + now // MINUTE * 1000,
        at=now + np.sort(rng.integers(0, MINUTE, count)),
        user_id=rng.integers(0, 50, count),
        placement=rng.integers(0, 2, count).astype(np.int8),
        audience=rng.integers(0, 2, count).astype(np.int16),
        category=rng.integers(-1, 2, count).astype(np.int8),
        bids=bids.astype(np.float32),
    )


def serve(made: Engine, rng: np.random.Generator, now: int, count: int = 30) -> FactBatch:
    """One minute: decide, look, charge. The laws that hold for every tick are checked."""
    batch = requests(rng, now, count)
    left = made.left
    tick = made.tick(batch, now)
    seen = rng.random(len(tick.decisions)) < 0.8
    clicked = rng.random(len(tick.decisions)) < 0.3
    won = np.searchsorted(made.ids, tick.decisions.plan_id)
    own = tick.decisions.price * (tick.boost == 0)
    reserved = np.bincount(won, own, len(made.plans)).astype(int)
    assert (reserved <= left).all()
    assert (tick.decisions.price >= SITE.reserve[batch.placement[tick.decisions.row]]).all()
    return facts_of([made.shown(tick, seen, clicked, now)])
