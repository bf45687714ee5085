"""What a plan of a run could have: the frontier of targets and budgets on its landscape, and what cannot be reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qianheng.actions.explain import Kept
from qianheng.bidding.curves import GRID, FloatArray
from qianheng.bidding.frontier import Curve, Deal, Feasibility, Point, feasible, frontier
from qianheng.core.errors import Refused
from qianheng.core.money import YUAN
from qianheng.core.plain import Json
from qianheng.core.words import say
from qianheng.delivery.engine import Engine
from qianheng.plans.plan import Goal, Plan

TARGETS = (0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)  # of the plan's own
BUDGETS = (0.5, 1.0, 2.0)
COLUMNS = 7  # of a prospect: multiplier, spend, worth, and the ends of both


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


def frontier_of(kept: Kept, plan_id: int) -> Json:
    """The frontier of a plan as its market looked at the end of the run.

    No such plan: NotFound. A plan without a target, or that learned nothing; a run kept by an earlier version: Refused.
    """
    plan, told = kept.plan(plan_id), kept.told[max(kept.told)]
    last = next((day for day in reversed(kept.told.values()) if "landscape" in day), told)
    outlook_told, points = last.get("outlook", {}).get(str(plan_id)), last.get("landscape", {}).get(str(plan_id), [])
    if any(len(point) != COLUMNS for point in points):
        raise Refused("frontier.older", place=plan.name)
    columns = np.array(points, float).reshape(-1, COLUMNS).T
    curve = Curve(*columns[:3])
    if outlook_told is None or not curve.spend.any():
        raise Refused("frontier.nothing_known", place=plan.name)
    deal = Deal(*outlook_told["deal"])
    budgets = [share * float(plan.budget_daily) for share in BUDGETS]
    found = frontier(curve, deal, [share * deal.target for share in TARGETS], budgets)
    now = feasible(curve, deal, deal.target, float(plan.budget_daily))
    return {
        "plan_id": plan.id,
        "name": plan.name,
        **_terms(plan),
        **_told(now),
        "points": [_point(one) | _between(one, columns) for one in found],
    }


def verdict(answer: Mapping[str, Any]) -> str:
    """Whether a target can be reached, and the nearest one that can."""
    asked, nearest = answer["expected"], answer["nearest"]
    if answer["feasible"]:
        return say("frontier.feasible", **asked)
    if nearest is None:
        return say("frontier.hopeless", **asked)
    return say("frontier.infeasible", **asked, nearest=nearest["target_roi"], reach=nearest["spend"])


def _terms(plan: Plan) -> Json:
    return {"goal": plan.goal, "target_roi": None if plan.target is None else str(plan.target)}


def _told(found: Feasibility) -> Json:
    nearest = None if found.nearest is None else _point(found.nearest)
    return {"feasible": found.feasible, "expected": _point(found.point), "nearest": nearest}


def _between(one: Point, columns: FloatArray) -> Json:
    """Where four days of five end with this multiplier, for the columns of the prospects of a whole day."""
    if one.multiplier is None:
        return {"spend_between": None}
    ends = (min(float(np.interp(one.multiplier, columns[0], end)), one.budget) for end in columns[3:5])
    return {"spend_between": [f"{end / YUAN:.2f}" for end in ends]}


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
