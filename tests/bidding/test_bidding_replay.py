"""Recorded days: the thin adapter bids with the production bidder."""

import numpy as np

from qianheng.bidding.replay import make


def recorded_day(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    tick = np.sort(random.integers(0, 48, 8000))
    level = np.exp(random.normal(0.0, 0.3, 6))[tick // 8]
    price = np.sort(random.lognormal(-1.0, 0.5, (8000, 3)), axis=1)[:, ::-1]
    value = 0.003 * level * random.lognormal(0.0, 0.7, 8000)
    return {"tick": tick, "value": value, "value_sigma": 0.1 * value, "price": price}


def test_history_is_the_only_thing_that_differs_between_an_old_and_a_new_plan() -> None:
    day = recorded_day(4)
    new, old = (make(budget=150.0, target_cpa=100.0, steps=96, history=past) for past in ([], [recorded_day(5)]))
    first = [float(bidder.bid(0, day["value"][:50], day["value_sigma"][:50]).sum()) for bidder in (new, old)]
    assert first[0] > 0
    assert first[1] > 0
    assert first[0] != first[1]
