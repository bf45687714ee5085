"""A change of a plan as the vendor wants it written: one body for each field, in yuan and plain ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from qianheng.core.money import YUAN, Micros
from qianheng.plans.plan import PlanStatus, Value
from qianheng.vendors.qianchuan.api import Api, Json
from qianheng.vendors.qianchuan.reading import AdPlan


def bodies(api: Api, advertiser: str, plan: AdPlan, after: Mapping[str, Value]) -> Iterator[tuple[str, Json]]:
    """The endpoints to write to with their bodies, for the values (`target`, `budget_daily`, `status`) of a plan."""
    whose, ad_id = {"advertiser_id": int(advertiser)}, int(plan.id)
    if "target" in after:
        goal = next((name for name, ours in api.words.goals.items() if ours == plan.goal), None)
        info = {"ad_id": ad_id, "roi2_goal": after["target"], **({"deep_external_action": goal} if goal else {})}
        yield "target", {**whose, "update_roi2_infos": [info]}
    if "budget_daily" in after:
        yield "budget", {**whose, "update_budget_infos": [{"ad_id": ad_id, "budget": _yuan(after["budget_daily"])}]}
    if "status" in after:
        switch = "ENABLE" if after["status"] == PlanStatus.ACTIVE else "DISABLE"
        yield "status", {**whose, "ad_ids": [ad_id], "opt_status": switch}


def _yuan(budget: Value) -> Decimal:
    micros: Micros = int(str(budget))
    return Decimal(micros) / YUAN
