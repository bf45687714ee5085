"""How often the intervals of what-ifs hold what comes: simulated plans, changed half-way at the desk.

Four outcomes in five should lie inside, for one day and for seven, of plans left alone and of plans whose target and
budget have just been changed. Every morning of a run is asked back from what was known then, and held against what the
day, and the seven days from it, came to once all refunds were in. What is usual (`strategy/whatif.toml`) was set by
seeds 101–104, and widened once after seeds 1–3 held too few weeks; those run here were never looked at for it.

    python -m benchmarks.whatif [--seeds 11 12 13] [--folder KEPT]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import log
from pathlib import Path
from typing import Any

from qianheng.actions.desk import Desk, desk_of
from qianheng.actions.histories import history_of
from qianheng.actions.landscapes import Past, landscape_of_run, told_of
from qianheng.actions.planning import Wanted, change_plan, list_plans
from qianheng.actions.policies import in_force
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary import PlanDay, PlanRun
from qianheng.actions.whatif import habits
from qianheng.core.interval import Interval
from qianheng.core.money import YUAN, ratio
from qianheng.guarantee.policy import Rules
from qianheng.measures.history import History, PlanHistory, Setting
from qianheng.measures.sums import total
from qianheng.plans.plan import Goal, Plan, Value
from qianheng.strategy.whatif import Trial, outlook

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "whatif.json"
SCENARIOS = ("whatif", "month")
DAYS = 18
CHANGED = 9  # the delivery day on whose morning the plans are changed
WEEKS = (2, 9, 12)  # the days that a week is asked about from
SMALL_MONTH: Mapping[str, str] = {
    "days": str(DAYS),
    "opportunities_per_day": "16000",
    "step_minutes": "20",
    "journal": "0",
    "buyers.population": "30000",
    "plans.0.changes": "[]",
    "plans.1.changes": "[]",
    "rivals.0.budget_daily": "120",
    "rivals.1.budget_daily": "200",
    "rivals.2.budget_daily": "150",
    "rivals.2.enters_day": "40",
}
SHOP: Mapping[str, str] = {"days": str(DAYS)}
BUDGETS = {"whatif": (700, 500, 900, 600, 600, 800), "month": (400, 300)}
LEVELS = (0.7, 1.0, 1.4)  # of budgets, by seed and plan
TARGETS = ("0.75", "0.85", "1.15", "1.3")  # factors of a change, by seed and plan
MOSTLY = 0.8  # of days that the budget is expected to end: its spend says nothing of the forecast
FACTORS = (0.6, 1.0, 1.5)  # of budgets in a change


@dataclass(frozen=True, slots=True)
class Risked:
    """The risk of a guarantee that was told of a day, and what was paid of it; money in micro-yuan."""

    chance: float
    expected: int
    paid: int


@dataclass(frozen=True, slots=True)
class Held:
    """An interval that was told, and what came."""

    scenario: str
    plan_id: int
    measure: str
    days: int
    changed: bool
    ended: bool  # by its budget, as was expected
    interval: Interval
    came: Fraction

    @property
    def inside(self) -> bool:
        """Whether the interval held what came."""
        return self.came in self.interval

    @property
    def miss(self) -> float | None:
        """The logarithm of what came over what was expected."""
        return log(self.came / self.interval.expected) if min(self.came, self.interval.expected) > 0 else None


def lived(folder: Path, scenario: str, seed: int) -> RunFolder:
    """A run whose plans are all changed at the desk in the morning of a day."""
    begun = SHOP if scenario == "whatif" else SMALL_MONTH
    levels = {
        f"plans.{row}.budget_daily": f"{budget * LEVELS[(seed + row) % 3]:.0f}"
        for row, budget in enumerate(BUDGETS[scenario])
    }
    source = str(HERE / "whatif.toml") if scenario == "whatif" else scenario
    first = date(2025, 10, 1) if scenario == "whatif" else date(2025, 9, 1)
    morning, changes = first + timedelta(days=CHANGED - 1), {**begun, **levels}
    run = run_simulation(RunRequest(source, seed, changes, folder=folder, until=morning))
    if run.next_day == morning:
        with desk_of(str(run.path)) as desk:
            for stored in list_plans(desk):
                change_plan(desk, Wanted(stored.plan.id, dict(_change(stored.plan, seed)), confirmed=True))
    return run_simulation(RunRequest(source, seed, changes, folder=folder)) if not run.finished else run


def _change(plan: Plan, seed: int) -> Iterator[tuple[str, Value]]:
    if plan.target is not None:
        yield "target", (plan.target * Decimal(TARGETS[(seed + plan.id) % 4])).quantize(Decimal("0.01"))
    yield "budget_daily", round(plan.budget_daily / YUAN * FACTORS[(seed + 2 * plan.id) % 3]) * YUAN


def held(run: RunFolder) -> Iterator[Held | Risked]:
    """What every morning told of every plan, beside what came."""
    summary = summarise(run)
    for number in range(2, DAYS + 1):
        day = summary.first_day + timedelta(days=number - 1)
        with desk_of(str(run.path), now=f"{day}T00:00") as desk:
            for plan in summary.plans:
                for days in (1, 7) if number in WEEKS else (1,):
                    yield from _asked(desk, plan, (summary.name, number, days))


def _asked(desk: Desk, run: PlanRun, about: tuple[str, int, int]) -> Iterator[Held | Risked]:
    scenario, number, days = about
    history = history_of(desk)
    plan = history.plans[str(run.plan.id)]
    setting = _setting(plan, run, number)
    landscape = landscape_of_run(Past(history, plan, setting), told_of(desk, plan.subject.id), habits().usual)
    target = None if setting.target is None else float(setting.target)
    told = outlook(landscape, Trial(target, float(setting.budget_daily or 0), days), _rules(plan, history))
    if days == 1 and told.guarantee_risk:
        paid = run.days[number - 1].judged.verdict.compensation
        yield Risked(told.guarantee_risk.chance, told.guarantee_risk.expected, paid)
    intervals = {name: getattr(told, name) for name in ("spend", "gmv", "orders", "net_gmv", "profit", "roi")}
    came = _came(run.days[number - 1 : number - 1 + days], setting.goal)
    for name, interval in intervals.items():
        outcome = came[name]
        if interval is not None and outcome is not None:
            changed, ended = number == CHANGED, told.bound > MOSTLY
            yield Held(scenario, run.plan.id, name, days, changed, ended, interval, Fraction(outcome))


def _rules(plan: PlanHistory, history: History) -> Rules | None:
    return None if plan.policy is None else in_force(plan.policy, history.today).rules


def _setting(plan: PlanHistory, run: PlanRun, number: int) -> Setting:
    """What the plan is to be set to that day, whether it was changed this morning or stays."""
    known, then = plan.settings[-1], run.first if number < CHANGED else run.plan
    return Setting(known.at, known.goal, known.bid_mode, then.target, then.budget_daily)


def _came(days: Sequence[PlanDay], goal: Goal) -> dict[str, Fraction | int | None]:
    sums = total(day.sums for day in days)
    rois = {Goal.PAYMENT: sums.payment_roi, Goal.NET: sums.net_roi, Goal.SETTLED: sums.settled_roi(closed=True)}
    profit = sum(day.contribution for day in days) - sums.spend
    rois |= {Goal.OVERALL: sums.overall_roi, Goal.PROFIT: ratio(profit + sums.spend, sums.spend)}
    told = {"spend": sums.spend, "gmv": sums.gmv, "orders": sums.orders, "net_gmv": sums.net_gmv}
    return told | {"profit": profit, "roi": rois[goal]}


def coverage(found: Iterable[Held]) -> dict[str, Any]:
    """How many outcomes lay inside, below and above, and the mean log of what came over what was expected."""
    rows = list(found)
    missed = [one.miss for one in rows if one.miss is not None]
    below = sum(one.came < one.interval.low for one in rows)
    inside = sum(one.inside for one in rows)
    count = max(len(rows), 1)
    return {
        "outcomes": len(rows),
        "inside": round(inside / count, 3),
        "below": round(below / count, 3),
        "above": round((len(rows) - inside - below) / count, 3),
        "bias": round(sum(missed) / len(missed), 3) if missed else None,
    }


def risked(found: Sequence[Risked]) -> dict[str, Any]:
    """How many days were compensated and what was paid, beside what was expected."""
    return {
        "days": len(found),
        "expected_share": round(sum(one.chance for one in found) / max(len(found), 1), 3),
        "share": round(sum(one.paid > 0 for one in found) / max(len(found), 1), 3),
        "expected_yuan": round(sum(one.expected for one in found) / YUAN, 2),
        "paid_yuan": round(sum(one.paid for one in found) / YUAN, 2),
    }


def told(found: Sequence[Held]) -> dict[str, Any]:
    """Coverage by horizon, change and measure; of spend also where no budget is to end the day."""
    answer: dict[str, Any] = {}
    for days in (1, 7):
        for changed in (False, True):
            here = [one for one in found if (one.days, one.changed) == (days, changed)]
            of = {
                name: [one for one in here if one.measure == name]
                for name in dict.fromkeys(one.measure for one in here)
            }
            of |= {"spend_unbound": [one for one in of.get("spend", []) if not one.ended]}
            answer[f"{days}d {'changed' if changed else 'unchanged'}"] = {
                name: coverage(rows) for name, rows in of.items()
            }
    return answer


def measure(seeds: Sequence[int], folder: Path) -> dict[str, Any]:
    """Live the runs and hold every interval against what came."""
    found, risks = list[Held](), list[Risked]()
    for seed in seeds:
        for scenario in SCENARIOS:
            for one in held(lived(folder, scenario, seed)):
                found.append(one) if isinstance(one, Held) else risks.append(one)
            print(f"{scenario} {seed}: {len(found)} intervals", flush=True)
    by_scenario = {name: coverage(one for one in found if one.scenario == name) for name in SCENARIOS}
    whole = {days: coverage(one for one in found if one.days == days) for days in (1, 7)}
    return {"seeds": list(seeds), "all": whole, "by_scenario": by_scenario, "guarantee": risked(risks), **told(found)}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as own:
        result = measure(asked.seeds, asked.folder or Path(own))
    print(json.dumps(result, indent=2))
    if asked.folder is None:
        RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
