"""Facts of simulated people whose rates are known, to see whether they are found again."""

from dataclasses import dataclass

import numpy as np

from qianheng.core.days import HOUR
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import SCHEMAS, Kind
from qianheng.prediction.space import Space

PRICE = 100_000_000
SPACE = Space(
    np.array([11, 12, 13]), np.array([0, 0, 1]), np.full(3, float(PRICE)), placements=2, categories=2, audiences=3
)


@dataclass(frozen=True)
class Rates:
    """The truth: clicks by audience, orders a click, and the share refunded at once."""

    click: tuple[float, float, float] = (0.02, 0.06, 0.12)
    order: float = 0.1
    refunded: float = 0.3


def people(truth: Rates, count: int, start: int, seed: int, span: int = 24 * HOUR) -> FactBatch:
    """`count` impressions of each product over `span`, what follows coming within a day or so."""
    rng = np.random.default_rng([seed, start // HOUR])
    n = 3 * count
    audience = rng.integers(0, 3, n)
    at = start + rng.integers(0, span, n)
    shown = {
        "id": start // HOUR * 10_000_000 + np.arange(n),
        "at": at,
        "plan_id": 1,
        "product_id": np.repeat([11, 12, 13], count),
        "user_id": np.arange(n),
        "placement": rng.integers(0, 2, n),
        "audience": audience,
        "category": rng.integers(-1, 2, n),
        "room_id": -1,
    }
    clicked = rng.random(n) < np.array(truth.click)[audience]
    bought = clicked & (rng.random(n) < truth.order)
    back = bought & (rng.random(n) < truth.refunded)
    delay = rng.exponential(18 * HOUR, n).astype(np.int64)
    ordered_at = at + delay
    columns = {
        Kind.IMPRESSION: (np.ones(n, bool), shown | {"slot": 1, "predicted_gmv": 0}),
        Kind.CLICK: (clicked, shown | {"impression_id": shown["id"]}),
        Kind.ORDER: (bought, shown | {"at": ordered_at, "click_id": shown["id"], "amount": PRICE}),
        Kind.REFUND: (back, shown | {"order_id": shown["id"], "order_at": ordered_at, "amount": PRICE}),
    }
    columns[Kind.REFUND][1]["at"] = ordered_at + HOUR // 2
    made = {}
    for kind, (which, known) in columns.items():
        full = dict.fromkeys(SCHEMAS[kind].names, 0) | {k: v for k, v in known.items() if k in SCHEMAS[kind].names}
        full["received_at"] = full["at"]
        picked = {k: v[which] if isinstance(v, np.ndarray) else np.full(which.sum(), v) for k, v in full.items()}
        made[kind] = table(kind, picked)
    return FactBatch(made)
