"""Payment against net goal in the setting of the published comparison, and what a small rise of the target does.

    python -m benchmarks.goals [--seeds 4] [--thin]

The scenario `duel` at a tenth of its size: plan A bids to a payment ROI of 2.8, plan B to a net ROI of 2.4; each alone
in the market, then both together, with the same people and draws. The published figures contradict each other, so only
their directions are compared. Then plan A alone with its target a little higher and lower: one source says that a small
rise runs faster. Nothing in the simulator depends on a goal or a target.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.intervals import Columns, Figure, figure, over
from benchmarks.lived import Life, Lived
from benchmarks.picture import Axis, Dot, dots, write
from qianheng.core.days import REFUND_WINDOW_1H, REFUND_WINDOW_7D
from qianheng.core.money import YUAN
from qianheng.facts.schema import Channel, Kind
from qianheng.simulator.loading import load
from qianheng.simulator.scenario import Scenario

RESULTS = Path(__file__).parent / "results" / "goals.json"
SIZE, SIZE_THIN = 0.1, 0.01
DAYS, DAYS_THIN = (3, 4), (1, 1)  # calm and measured
SETTLING = 8  # days until the refunds of a week are known
A, B = 1, 2
PUBLISHED = {
    "payment ROI": 2.37 / 2.85 - 1,
    "1 h refund rate": 18.7 / 22.3 - 1,
    "settled ROI": 2.63 / 2.41 - 1,
    "settled GMV": 51_200 / 45_800 - 1,
    "spend": 4_900 / 5_200 - 1,
    "products sold": 22 / 18 - 1,
}
TARGETS = (0.9, 1.0, 1.1)


@dataclass(frozen=True, slots=True)
class PlanRun:
    """A plan's measured days of one seed: its promoted orders, money in yuan."""

    seed: int
    spend: float
    gmv: float
    refunded_1h: float
    settled: float  # GMV less what was refunded within a week
    orders: int
    products: int  # of the shop, sold at least once


def scenario_of(plans: Sequence[int], factor: float, thin: bool) -> Scenario:
    """The duel with some of its plans, plan A's target multiplied; all money and traffic scaled alike."""
    whole, size = load("duel"), SIZE_THIN if thin else SIZE
    targets = {A: float(whole.plans[0].target or 0) * factor, B: float(whole.plans[1].target or 0)}
    texts = [
        f'{{ id = {plan.id}, shop = 1, name = "{plan.name}", kind = "product", goal = "{plan.goal}", '
        f"target = {targets[plan.id]:.4f}, budget_daily = {float(plan.budget_daily) * size:.2f}, "
        f"products = {list(plan.products)} }}"
        for plan in whole.plans
        if plan.id in plans
    ]
    organic = {
        f"shops.0.products.{number}.organic": f"{product.organic * size:.4f}"
        for number, product in enumerate(whole.products())
    }
    scaled = {
        "opportunities_per_day": f"{whole.opportunities_per_day * size:.0f}",
        "buyers.population": f"{whole.buyers.population * size:.0f}",
        "rivals.0.budget_daily": f"{whole.rivals[0].budget_daily * size:.2f}",
        "step_minutes": "60" if thin else "10",
    }
    return load("duel", {"days": str(sum(_days(thin))), "plans": f"[{', '.join(texts)}]", **organic, **scaled})


def _days(thin: bool) -> tuple[int, int]:
    return DAYS_THIN if thin else DAYS


def runs(scenario: Scenario, seed: int, thin: bool) -> dict[int, PlanRun]:
    """Every plan of one life, by its id."""
    life, (calm, measured) = Life(scenario, seed), _days(thin)
    life.live(range(1, calm + 1))
    lived = life.live(range(calm + 1, calm + measured + 1), SETTLING)
    window = life.start(calm + 1), life.start(calm + measured + 1)
    return {plan.id: _plan_run(lived, plan.id, window) for plan in scenario.plans}


def _plan_run(lived: Lived, plan_id: int, window: tuple[int, int]) -> PlanRun:
    charges, orders, refunds = (lived.facts[kind] for kind in (Kind.CHARGE, Kind.ORDER, Kind.REFUND))
    placed, promoted = orders["at"].to_numpy(), orders["channel"].to_numpy() == Channel.PROMOTED
    mine = (orders["plan_id"].to_numpy() == plan_id) & promoted & (placed >= window[0]) & (placed < window[1])
    gmv = orders["amount"].to_numpy()[mine].sum() / YUAN
    of_mine = np.isin(refunds["order_id"].to_numpy(), orders["id"].to_numpy()[mine])
    age, back = refunds["at"].to_numpy() - refunds["order_at"].to_numpy(), refunds["amount"].to_numpy() / YUAN
    return PlanRun(
        seed=lived.seed,
        spend=float(charges["amount"].to_numpy()[charges["plan_id"].to_numpy() == plan_id].sum() / YUAN),
        gmv=float(gmv),
        refunded_1h=float(back[of_mine & (age <= REFUND_WINDOW_1H)].sum()),
        settled=float(gmv - back[of_mine & (age <= REFUND_WINDOW_7D)].sum()),
        orders=int(mine.sum()),
        products=len(np.unique(orders["product_id"].to_numpy()[mine])),
    )


def _sum(runs: Columns, side: str, name: str, below: str | None = None) -> float:
    """A column's sum on one side of a comparison, over another's if asked."""
    above = float(runs[f"{side}_{name}"].sum())
    return above if below is None else over(above, float(runs[f"{side}_{below}"].sum()))


Measure = Callable[[Columns, str], float]
MEASURES: dict[str, Measure] = {
    "payment ROI": lambda runs, side: _sum(runs, side, "gmv", "spend"),
    "1 h refund rate": lambda runs, side: _sum(runs, side, "refunded_1h", "gmv"),
    "settled ROI": lambda runs, side: _sum(runs, side, "settled", "spend"),
    "settled GMV": lambda runs, side: _sum(runs, side, "settled"),
    "spend": lambda runs, side: _sum(runs, side, "spend"),
    "products sold": lambda runs, side: _sum(runs, side, "products"),
    "orders": lambda runs, side: _sum(runs, side, "orders"),
}


def gains(one: Sequence[PlanRun], other: Sequence[PlanRun]) -> dict[str, Figure]:
    """Every measure of `other` over `one`, seed by seed, less one."""
    columns = {"seed": np.array([run.seed for run in one])}
    for side, found in (("one", one), ("other", other)):
        columns |= {f"{side}_{name}": np.array([getattr(run, name) for run in found]) for name in PlanRun.__slots__}
    return {name: figure(columns, _gain(measure)) for name, measure in MEASURES.items()}


def _gain(measure: Measure) -> Callable[[Columns], float]:
    return lambda runs: over(measure(runs, "other"), measure(runs, "one")) - 1


def compare(seeds: Sequence[int], thin: bool) -> dict[str, dict[str, Figure]]:
    """Net against payment, each alone and both together; a target a little higher and lower against the same."""
    alone = {
        (plan, factor): [runs(scenario_of([plan], factor, thin), seed, thin)[plan] for seed in seeds]
        for plan, factor in [*((A, factor) for factor in TARGETS), (B, 1.0)]
    }
    both = [runs(scenario_of([A, B], 1.0, thin), seed, thin) for seed in seeds]
    found = {
        "net over payment, each alone": gains(alone[A, 1.0], alone[B, 1.0]),
        "net over payment, together": gains([run[A] for run in both], [run[B] for run in both]),
    }
    higher_and_lower = (factor for factor in TARGETS if factor != 1.0)
    return found | {f"target × {factor:g}": gains(alone[A, 1.0], alone[A, factor]) for factor in higher_and_lower}


def show(told: Mapping[str, Mapping[str, Figure]]) -> None:
    """Print all comparisons beside what was published."""
    for comparison, found in told.items():
        print(f"\n{comparison}")
        for name, one in found.items():
            published = f"published {PUBLISHED[name]:+.3f}" if name in PUBLISHED and "net" in comparison else ""
            print(f"  {name:18}{one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]   {published}")


def draw(told: Mapping[str, Mapping[str, Figure]]) -> str:
    """Net over payment, beside what was published."""
    drawn = [
        Dot(name, comparison.removeprefix("net over payment, "), found[name].value, found[name].low, found[name].high)
        for comparison, found in told.items()
        if comparison.startswith("net")
        for name in PUBLISHED
        if np.isfinite(found[name].value)
    ]
    published = [Dot(name, "published", value) for name, value in PUBLISHED.items()]
    return dots("Net goal over payment goal", Axis("gain", mark=0.0), [*drawn, *published])


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--thin", action="store_true", help="a tiny market")
    chosen = parser.parse_args(arguments)
    told = compare(range(1, chosen.seeds + 1), chosen.thin)
    show(told)
    plain = {name: {measure: asdict(one) for measure, one in found.items()} for name, found in told.items()}
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(plain, indent=1) + "\n", "utf-8")
    write(chosen.json.with_suffix(".svg"), draw(told))


if __name__ == "__main__":
    main()
