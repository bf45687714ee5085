"""Ways to run a shop for a quarter: on the settings it began with, by advice, by rules of thumb, on other targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.shops import TARGETS, Shop
from qianheng.actions.desk import desk_of
from qianheng.actions.histories import Asked, history_of
from qianheng.actions.planning import Wanted, change_plan
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.core.errors import QianhengError
from qianheng.core.money import ratio
from qianheng.measures.history import History, PlanHistory
from qianheng.plans.plan import Goal

WEEK = 7
GRID = (1.0, 1.4, 2.0, 2.8)  # targets over the ROI that breaks even
STEP = Decimal("0.2")  # up, when a target is met with nearly the whole budget spent (SPEC 7.3)
ENOUGH = Fraction(8, 10)  # of a budget, and of a target
DOWN, LITTLE = Decimal("0.9"), Decimal("0.95")  # when a target is missed; when much of the budget is left (SPEC 11)

Arm = Callable[[Shop, Path], RunFolder]


def fixed(shop: Shop, folder: Path) -> RunFolder:
    """As it was set up."""
    return run_simulation(_request(shop, folder))


def advised(limits: Mapping[str, Any], shop: Shop, folder: Path) -> RunFolder:
    """What is proposed each morning is done by automation, within the limits that are usual but for these."""
    return run_simulation(_request(shop, folder, {"automation": {"enabled": True, **limits}}))


def at_target(factor: float, shop: Shop, folder: Path) -> RunFolder:
    """As it was set up, but for targets at so many times the ROI that breaks even."""
    times = factor / TARGETS[shop.kinds["target"]]
    plans = [plan | {"target": round(plan["target"] * times, 2)} for plan in shop.scenario["plans"]]
    return run_simulation(_request(shop, folder, {"plans": plans}))


def ladder(shop: Shop, folder: Path) -> RunFolder:
    """Once a week a person changes targets by the rules of thumb, without looking at profit."""
    request = _request(shop, folder)
    for number in range(WEEK, shop.days, WEEK):
        until = shop.first_day + timedelta(days=number)
        run = run_simulation(RunRequest(request.source, folder=request.folder, until=until))
        with desk_of(str(run.path)) as desk:
            for plan_id, target in asked(history_of(desk, Asked(days=WEEK + 1))).items():
                try:
                    change_plan(desk, Wanted(int(plan_id), {"target": target}, "ladder"))
                except QianhengError:
                    continue  # the edit guard refuses it, as it would a person
    return run_simulation(request)


def asked(history: History) -> dict[str, Decimal]:
    """The targets that the rules of thumb ask for after a week, by plan; none where all is well."""
    found = {plan_id: _asked(history, plan) for plan_id, plan in history.plans.items()}
    return {plan_id: target for plan_id, target in found.items() if target is not None}


def _asked(history: History, plan: PlanHistory) -> Decimal | None:
    week, setting = history.last(WEEK, plan.subject), plan.setting
    if setting is None or setting.target is None or not setting.budget_daily or not week.spend:
        return None
    gmv = week.net_gmv if setting.goal is Goal.NET else week.gmv
    met = (ratio(gmv or 0, week.spend) or Fraction(0)) / Fraction(setting.target)
    spent = Fraction(week.spend, setting.budget_daily * WEEK)
    if met >= 1 and spent > ENOUGH:
        return setting.target + STEP
    if met < ENOUGH:
        return (setting.target * DOWN).quantize(Decimal("0.01"))
    return (setting.target * LITTLE).quantize(Decimal("0.01")) if spent < ENOUGH else None


ARMS: dict[str, Arm] = {
    "fixed": fixed,
    "advised": partial(advised, {}),
    "bold": partial(advised, {"only_if_sure": False}),
    "ladder": ladder,
}
ARMS.update({f"breakeven x {factor}": partial(at_target, factor) for factor in GRID})


def _request(shop: Shop, folder: Path, extra: Mapping[str, Any] | None = None) -> RunRequest:
    return RunRequest(str(shop.write(folder, extra)), folder=folder / "runs")
