"""Which products to promote: those of each plan, the ones that sell best as they are shown first (SPEC 4.6, 10.6)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.core.money import yuan
from qianheng.core.plain import Json
from qianheng.delivery.picker import best_sellers, picked
from qianheng.plans.plan import Plan
from qianheng.prediction.predictor import Predictor
from qianheng.store import incentives, plans, runs


def recommended(living: Sequence[Plan], predictor: Predictor) -> dict[str, list[Json]]:
    """The products of each plan as they are expected to do on their pages, best first, by the plan's id."""
    return {str(plan.id): _of_plan(plan, predictor) for plan in living}


def picks(connection: Connection, desk: Desk) -> list[Json]:
    """Each plan of the member's shop with its products, best first, as its last day of delivery left them."""
    names = {key: product.name for key, product in incentives.products(connection).items()}
    (run_id, _), *_ = runs.begun(connection).items()
    told = [day["recommended"] for day in runs.told(connection, run_id).values() if "recommended" in day]
    answer = []
    for kept in plans.load_all(connection, desk.actor.shop_id):
        rows = told[-1].get(str(kept.plan.id), []) if told else []
        named = [{"product_id": row["product_id"], "name": names.get(row["product_id"]), **row} for row in rows]
        chosen = "hosted" if kept.plan.picks else "picked"
        answer.append({"plan_id": kept.plan.id, "plan": kept.plan.name, "chosen": chosen, "products": named})
    return answer


def _of_plan(plan: Plan, predictor: Predictor) -> list[Json]:
    shown = picked(predictor, plan.product_ids, plan.picks or len(plan.product_ids))
    return [
        {
            "product_id": pick.product_id,
            "ctr": f"{pick.ctr:.6f}",
            "cvr": f"{pick.cvr:.6f}",
            "settled_gmv": yuan(round(pick.gmv)),
            "shown": pick.product_id in shown,
        }
        for pick in best_sellers(predictor, plan.product_ids)
    ]
