"""One full-domain plan against four plans of one placement each: the same money, target, people and draws.

    python -m benchmarks.domain [--seeds 4] [--thin]

The published claim is 15–20 % more GMV at the same ROI. Four shops promote in the market of `stress.toml`: each with
one plan over all placements, or with four whose budgets are split by the placements' traffic, or split as the
full-domain plan of the same days spent its money, which nobody can know beforehand. Targets are the same everywhere. A
plan that holds one target over all placements may pay more where the next order is cheap, and four cannot.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.intervals import Columns, Figure, figure, over
from benchmarks.lived import Life, Lived, plan_days
from benchmarks.picture import Axis, Dot, dots, write
from qianheng.core.placements import Placement
from qianheng.facts.schema import Kind
from qianheng.simulator.loading import load
from qianheng.simulator.planned import PlannedPlan
from qianheng.simulator.scenario import Scenario

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "domain.json"
MARKET = HERE / "stress.toml"
SHOPS, DAYS, DAYS_THIN = 4, (3, 3), (1, 1)  # calm and measured
LEAST = 1.0  # yuan a day: no plan may have less
PLACES = tuple(place.name.lower() for place in Placement)
ONE, BY_TRAFFIC, IN_HINDSIGHT = "full domain", "four plans, split by traffic", "four plans, split in hindsight"

Split = Mapping[tuple[int, str], float]  # shares of each shop's money by placement


@dataclass(frozen=True, slots=True)
class Market:
    """How the shops' money stands to their targets, and how large the market is."""

    budget: float  # factor on the budgets of `stress.toml`
    thin: bool = False

    @property
    def days(self) -> tuple[int, int]:
        """How many days are lived before the measured ones, and how many are measured."""
        return DAYS_THIN if self.thin else DAYS

    def scenario(self, split: Split | None = None) -> Scenario:
        """The shops with one plan each, or with four."""
        shops = load(MARKET).plans[:SHOPS]
        plans = [text for plan in shops for text in self._plans(plan, split)]
        overrides = {"days": str(sum(self.days)), "plans": f"[{', '.join(plans)}]"}
        if self.thin:
            overrides |= {"step_minutes": "60", "opportunities_per_day": "6000", "buyers.population": "6000"}
            overrides |= {"rivals.0.value": "0.03"}
        return load(MARKET, overrides)

    def _plans(self, plan: PlannedPlan, split: Split | None) -> list[str]:
        """A shop's plan, or its four, as TOML; a plan's number says whose it is."""
        budget = float(plan.budget_daily) * self.budget
        if split is None:
            return [_toml(plan, plan.id * 10, budget, "")]
        return [
            _toml(
                plan, plan.id * 10 + number, max(budget * split[plan.id, place], LEAST), f', placements = ["{place}"]'
            )
            for number, place in enumerate(PLACES)
        ]


def _toml(plan: PlannedPlan, number: int, budget: float, more: str) -> str:
    terms = f'id = {number}, shop = 1, name = "{plan.name} {number}", kind = "product", goal = "{plan.goal}"'
    money = f"target = {plan.target}, budget_daily = {budget:.2f}, products = {list(plan.products)}"
    return f"{{ {terms}, {money}{more} }}"


def by_traffic(scenario: Scenario) -> Split:
    """Every shop's money as the placements have requests."""
    return {(plan.id // 10, place): scenario.placements[place].share for plan in scenario.plans for place in PLACES}


def as_spent(lived: Lived) -> Split:
    """Every shop's money as it was spent; as the placements have requests where a shop spent nothing."""
    charges, split = lived.facts[Kind.CHARGE], by_traffic(lived.scenario)
    shop, place = charges["plan_id"].to_numpy() // 10, charges["placement"].to_numpy()
    sums = np.zeros((SHOPS + 1, len(PLACES)))
    np.add.at(sums, (shop, place), charges["amount"].to_numpy())
    whole = sums.sum(axis=1)
    return {
        (one, name): float(sums[one, PLACES.index(name)] / whole[one]) if whole[one] else share
        for (one, name), share in split.items()
    }


@dataclass(frozen=True, slots=True)
class ShopDay:
    """A shop's day under one arm: yuan of spend, of what counts over the target, and the same by truth."""

    seed: int
    spend: float
    promised: float
    truth: float


def lives(market: Market, seed: int) -> dict[str, list[ShopDay]]:
    """The shops' days of one seed under every arm."""
    one = _live(market, seed)
    found = {ONE: one}
    for arm, split in ((BY_TRAFFIC, by_traffic(one.scenario)), (IN_HINDSIGHT, as_spent(one))):
        found[arm] = _live(market, seed, split)
    return {arm: _shop_days(lived) for arm, lived in found.items()}


def _live(market: Market, seed: int, split: Split | None = None) -> Lived:
    life, (calm, measured) = Life(market.scenario(split), seed), market.days
    life.live(range(1, calm + 1))
    return life.live(range(calm + 1, calm + measured + 1), settling=1)


def _shop_days(lived: Lived) -> list[ShopDay]:
    """The days of all plans of a shop added up."""
    sums: dict[tuple[int, int], list[float]] = {}
    for day in plan_days(lived):
        mine = sums.setdefault((day.plan_id // 10, day.day), [0.0, 0.0, 0.0])
        for place, amount in enumerate((day.spend, day.promised, day.truth)):
            mine[place] += amount
    return [ShopDay(lived.seed, *sums[key]) for key in sorted(sums)]


def paired(arms: Mapping[str, Sequence[ShopDay]]) -> dict[str, dict[str, Figure]]:
    """Full domain over each other arm, on the same shops and days: GMV, its truth, ROI and spend less one."""
    found = {}
    for arm in (BY_TRAFFIC, IN_HINDSIGHT):
        columns = {"seed": np.array([day.seed for day in arms[ONE]])}
        for side, days in (("one", arms[ONE]), ("four", arms[arm])):
            columns |= {f"{side}_{n}": np.array([getattr(day, n) for day in days], float) for n in ShopDay.__slots__}
        found[arm] = {name: figure(columns, measure) for name, measure in GAINS.items()}
    return found


def _gain(name: str, below: str | None = None) -> Callable[[Columns], float]:
    """The ratio of the sums of both sides, of one column or of two over each other, less one."""

    def of(days: Columns, side: str) -> float:
        above = float(days[f"{side}_{name}"].sum())
        return above if below is None else over(above, float(days[f"{side}_{below}"].sum()))

    return lambda days: over(of(days, "one"), of(days, "four")) - 1


GAINS: dict[str, Callable[[Columns], float]] = {
    "GMV": _gain("promised"),
    "true GMV": _gain("truth"),
    "spend": _gain("spend"),
    "ROI": _gain("promised", "spend"),
    "true ROI": _gain("truth", "spend"),
}
REGIMES = {"targets bind": 1.5, "budgets bind": 0.4}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--regimes", nargs="+", choices=REGIMES, default=list(REGIMES))
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--thin", action="store_true", help="a tiny market")
    chosen = parser.parse_args(arguments)
    told: dict[str, dict[str, dict[str, Figure]]] = {}
    for regime in chosen.regimes:
        arms: dict[str, list[ShopDay]] = {ONE: [], BY_TRAFFIC: [], IN_HINDSIGHT: []}
        for seed in range(1, chosen.seeds + 1):
            for arm, days in lives(Market(REGIMES[regime], chosen.thin), seed).items():
                arms[arm] += days
        told[regime] = paired(arms)
        for arm, gains in told[regime].items():
            print(f"{regime:14}{ONE} over {arm:32}", *(f"{n} {one}" for n, one in gains.items()), sep="  ", flush=True)
        _keep(chosen.json, told)


def _keep(path: Path, told: Mapping[str, Mapping[str, Mapping[str, Figure]]]) -> None:
    plain = {
        regime: {arm: {name: asdict(one) for name, one in gains.items()} for arm, gains in arms.items()}
        for regime, arms in told.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(plain, indent=1) + "\n", "utf-8")
    drawn = [
        Dot(f"{regime}: {name}", arm, one.value, one.low, one.high)
        for regime, arms in told.items()
        for name in GAINS
        for arm, one in ((arm, gains[name]) for arm, gains in arms.items())
        if np.isfinite(one.value)
    ]
    write(path.with_suffix(".svg"), dots("Full domain over four plans of one placement", Axis("gain", mark=0.0), drawn))


if __name__ == "__main__":
    main()
