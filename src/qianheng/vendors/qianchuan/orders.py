"""What the vendor's server does when told to: budgets, targets and status of plans, each plan apart, and all logged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

from qianheng.core.ids import stable_id
from qianheng.core.money import YUAN, yuan
from qianheng.plans.plan import BidMode, PlanStatus, Value
from qianheng.vendors.qianchuan.api import Json
from qianheng.vendors.qianchuan.books import Books, Change
from qianheng.vendors.qianchuan.question import BAD_PARAMETER, Asked, No
from qianheng.vendors.qianchuan.reading import AdPlan

TITLES = {
    "budget_daily": "修改预算",
    "target": "修改ROI目标",
    "goal": "修改优化目标",
    "status": "修改状态",
    "bid_mode": "修改投放方式",
}
FIELDS = {"budget_daily": "预算", "target": "ROI目标", "goal": "优化目标", "status": "状态", "bid_mode": "投放方式"}
Done = Callable[[AdPlan], AdPlan]


def sentence(field: str, before: Value, after: Value) -> tuple[str, str] | None:
    """The title of a change of a field, and its before and after, as the log tells them; `None` if it tells nothing."""
    if field not in TITLES:
        return None
    told = [_shown(field, value) for value in (before, after)]
    return TITLES[field], f"{FIELDS[field]}: {told[0]} -> {told[1]}"


def _shown(field: str, value: Value) -> str:
    if value is None:
        return "-"
    return yuan(int(str(value))) if field == "budget_daily" else str(value)


def _written(asked: Asked, wanted: list[tuple[str, Done]], told: Callable[[str], Json]) -> Json:
    """Do to each plan what is wanted, or say why not ("" if it is done); the others are done all the same."""
    if not 1 <= len(wanted) <= asked.endpoint.at_once:
        raise No(BAD_PARAMETER, f"1 to {asked.endpoint.at_once} plans at once.")
    results = []
    for plan_id, do in wanted:
        plan = asked.books.plans.get(plan_id)
        try:
            if plan is None or plan.status is PlanStatus.DELETED:
                raise No(BAD_PARAMETER, "no such plan")
            _enter(asked.books, plan, do(plan))
            why = ""
        except No as no:
            why = str(no)
        results.append({"ad_id": int(plan_id), **told(why)})
    return {"results": results}


def _status(why: str) -> Json:
    """How targets and budgets are answered."""
    return {"status": "FAILED" if why else "SUCCESS", "error_message": why}


def _flag(why: str) -> Json:
    """How switches are answered."""
    return {"flag": not why} | ({"error": {"error_code": BAD_PARAMETER, "error_message": why}} if why else {})


def _enter(books: Books, before: AdPlan, after: AdPlan) -> None:
    """Keep a plan as it is now and log what was done."""
    now = books.now()
    books.plans[after.id] = replace(after, modified=now)
    for field in TITLES:
        values = getattr(before, field), getattr(after, field)
        if values[0] != values[1] and (told := sentence(field, *values)):
            id_ = str(stable_id("log", after.id, len(books.changes), now))
            books.changes.append(Change(id_, now, after.id, after.name, told[0], (told[1],), "api"))


def _set_budget(asked: Asked) -> Json:
    infos = asked.params.get("update_budget_infos") or []
    return _written(asked, [(str(one["ad_id"]), partial(_with_budget, one.get("budget"))) for one in infos], _status)


def _with_budget(told: object, plan: AdPlan) -> AdPlan:
    budget = _two_decimals(told)
    if budget <= 0:
        raise No(BAD_PARAMETER, "budget: above 0")
    return replace(plan, budget_daily=int(budget * YUAN))


def _set_target(asked: Asked) -> Json:
    infos = asked.params.get("update_roi2_infos") or []
    return _written(asked, [(str(one["ad_id"]), partial(_with_target, one.get("roi2_goal"))) for one in infos], _status)


def _with_target(told: object, plan: AdPlan) -> AdPlan:
    target = _two_decimals(told)
    if plan.bid_mode is BidMode.MAX_DELIVERY:
        raise No(BAD_PARAMETER, "roi2_goal: not for plans that spend their budget")
    if target <= 0:
        raise No(BAD_PARAMETER, "roi2_goal: above 0")
    return replace(plan, target=target)


def _set_status(asked: Asked) -> Json:
    wanted = asked.text("opt_status")
    if wanted not in ("ENABLE", "DISABLE", "DELETE"):
        raise No(BAD_PARAMETER, "opt_status: Not a valid choice.")
    do = partial(_with_status, PlanStatus(asked.api.words.status[wanted]))
    return _written(asked, [(str(id_), do) for id_ in asked.params.get("ad_ids") or []], _flag)


def _with_status(status: PlanStatus, plan: AdPlan) -> AdPlan:
    return replace(plan, status=status)


def _two_decimals(value: object) -> Decimal:
    number = Decimal(str(value)) if isinstance(value, int | float | Decimal) else Decimal("NaN")
    if not number.is_finite() or number != round(number, 2):
        raise No(BAD_PARAMETER, "at most two decimals")
    return number


WRITES: dict[str, Callable[[Asked], Json]] = {"budget": _set_budget, "target": _set_target, "status": _set_status}
