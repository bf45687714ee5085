"""What a plan's market is expected to bring it the next day, as its engine sees it at the end of each day of a run."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from qianheng.actions.driver import Driver
from qianheng.core.plain import Json
from qianheng.measures.worth import Costs, Kept, contribution
from qianheng.plans.plan import Counting
from qianheng.strategy.landscape import Response, Shares

POINTS = ("spend", "gmv")


def responses(driver: Driver) -> dict[str, Json]:
    """The response of each plan that has learned of its market, by its id; money in micro-yuan."""
    free = driver.unpromoted.expected(0)
    found = {str(plan.id): _response(driver, row, float(free[row])) for row, plan in enumerate(driver.engine.plans)}
    return {plan_id: told for plan_id, told in found.items() if told is not None}


def response_of(told: Json) -> tuple[Response, Shares]:
    """A response and the shares predicted with it, as kept."""
    response = Response.of(*(told[name] for name in (*POINTS, "order_value", "unpromoted")))
    return response, Shares(**{field.name: told[field.name] for field in fields(Shares)})


def _response(driver: Driver, row: int, unpromoted: float) -> Json | None:
    engine = driver.engine
    spend, worth = engine.bidder.rest(row, 0)
    share = float(engine.offers.share[row].mean())
    if not spend.any() or share <= 0:
        return None
    counts = engine.plans[row].counting is Counting.ALL
    told = {"order_value": engine.offers.order_value(row), "unpromoted": unpromoted if counts else 0.0}
    points = {
        name: np.rint(column).astype(int).tolist() for name, column in zip(POINTS, (spend, worth / share), strict=True)
    }
    return points | {name: round(value, 4) for name, value in (told | _shares(driver, row)).items()}


def _shares(driver: Driver, row: int) -> dict[str, float]:
    """What is predicted to be left of GMV, on the mean of what a plan offers."""
    offers, predictor = driver.engine.offers, driver.predictor
    member, item = offers.member[row], offers.item[row]
    costs = offers.members[row].costs
    costs = Costs(*(getattr(costs, field.name)[member] for field in fields(Costs)))
    kept = Kept(predictor.kept_1h[item], predictor.kept_7d[item])
    told = {
        "net": kept.after_1h,
        "settled": kept.after_7d,
        "extras": costs.extras,
        "contribution": contribution(kept, costs),
    }
    return {name: float(np.mean(column)) for name, column in told.items()}
