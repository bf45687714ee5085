"""What the next day is expected to bring each plan of a run under its target, and the nearest to one out of reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qianheng.bidding.curves import GRID
from qianheng.bidding.frontier import Curve, Deal, Feasibility, Point, feasible
from qianheng.core.money import YUAN
from qianheng.core.plain import Json
from qianheng.core.words import say
from qianheng.delivery.engine import Engine
from qianheng.plans.plan import Goal


def deal_of(engine: Engine, row: int) -> Deal | None:
    """How a plan's worth follows from GMV, on the mean of what it offers; `None` for a plan that holds no target."""
    plan, offers = engine.plans[row], engine.offers
    if plan.target is None:
        return None
    overall = plan.goal is Goal.OVERALL
    extras = float(offers.members[row].costs.extras[offers.member[row]].mean()) if overall else 0.0
    target = float(plan.target)
    kept = (float(offers.share[row].mean()) + extras) * target
    return Deal(target, kept, extras, float(offers.order_value(row)))


def outlooks(engine: Engine) -> dict[str, Json]:
    """What the next day is expected to bring each plan with a target under its daily budget, by its id."""
    deals = {row: deal_of(engine, row) for row in range(len(engine.plans))}
    return {str(engine.plans[row].id): _outlook(engine, row, deal) for row, deal in deals.items() if deal is not None}


def _outlook(engine: Engine, row: int, deal: Deal) -> Json:
    curve = Curve(GRID, *engine.bidder.rest(row, 0))
    found = feasible(curve, deal, deal.target, float(engine.plans[row].budget_daily))
    return {"deal": [deal.target, deal.kept, deal.extras, deal.order_value], **_told(found)}


def verdict(answer: Mapping[str, Any]) -> str:
    """Whether a target can be reached, and the nearest one that can."""
    asked, nearest = answer["expected"], answer["nearest"]
    if answer["feasible"]:
        return say("frontier.feasible", **asked)
    if nearest is None:
        return say("frontier.hopeless", **asked)
    return say("frontier.infeasible", **asked, nearest=nearest["target_roi"], reach=nearest["spend"])


def _told(found: Feasibility) -> Json:
    nearest = None if found.nearest is None else _point(found.nearest)
    return {"feasible": found.feasible, "expected": _point(found.point), "nearest": nearest}


def _point(one: Point) -> Json:
    """Money as decimal strings in yuan, as everywhere in JSON."""
    return {
        "target_roi": f"{one.target:.4g}",
        "budget": f"{one.budget / YUAN:.2f}",
        "spend": f"{one.spend / YUAN:.2f}",
        "value": f"{one.value / YUAN:.2f}",
        "orders": round(one.orders, 1),
        "roi": None if one.roi is None else f"{one.roi:.4f}",
    }
