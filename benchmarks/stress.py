"""How often plans miss their target when the market turns: shocks to a market lived through the production engine.

    python -m benchmarks.stress [--cells base ...] [--bidders qianheng pid min-pacing] [--seeds 5] [--thin]

Eight plans (`stress.toml`) live some calm days; then each stress sets in, with the same seeds, people and draws. A
plan-day misses its target by error, luck, or both. Orders come one by one: even a plan whose expected ROI is exactly
its target misses it on half its days. The part of luck is computed from each day's own orders (those of a compound
Poisson process: variance Σ worth²), the part of error from the simulator's truth of what was shown.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import NormalDist

import numpy as np

from benchmarks.intervals import Columns, Figure, columns_of, figure, over
from benchmarks.lived import Life, PlanDay, State, plan_days
from benchmarks.picture import Axis, Dot, dots, write
from qianheng.bidding.references import BIDDERS
from qianheng.simulator.loading import load
from qianheng.simulator.scenario import Scenario

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "stress.json"
MARKET = HERE / "stress.toml"
CALM, STRESSED = 3, 3  # days
Results = dict[str, dict[str, dict[str, Figure]]]  # of each cell and bidder
OURS, PEERS = "qianheng", ("pid", "min-pacing")
CATEGORIES = ("womenswear", "menswear", "beauty", "food", "home", "electronics", "baby", "jewellery")
PLANS = range(8)


@dataclass(frozen=True, slots=True)
class Cell:
    """A stress: what differs in the scenario, from the first stressed day on (or from the beginning)."""

    overrides: Mapping[str, str] = field(default_factory=dict)
    change: tuple[str, str, float] | None = None  # of every plan on the first stressed day: time, field, factor
    from_the_start: bool = False
    beside_peers: bool = False


def _refunds(rate: float) -> dict[str, str]:
    return {f"categories.{name}.refund_1h": str(rate) for name in CATEGORIES}


def _rooms() -> dict[str, str]:
    """Every plan promotes a live room that is on air three times a day."""
    times = (("09:00", "11:00"), ("13:30", "16:00"), ("19:00", "23:00"))
    sessions = ", ".join(f'{{ on = "{on}", off = "{off}" }}' for on, off in times)
    rooms = ", ".join(f'{{ id = {n + 1}, name = "{n}", products = [{n + 1}], sessions = [{sessions}] }}' for n in PLANS)
    of_plans = {f"plans.{n}.{key}": value for n in PLANS for key, value in (("kind", '"live"'), ("room", str(n + 1)))}
    return of_plans | {"rooms": f"[{rooms}]"}


LATE = "{ chance = [0.0, 0.1, 0.5, 0.9, 1.0], minutes = [30, 120, 300, 720, 2880] }"
CELLS: dict[str, Cell] = {
    "base": Cell(beside_peers=True),
    "traffic +40 %": Cell({"opportunities_per_day": "168000"}),
    "traffic −40 %": Cell({"opportunities_per_day": "72000"}, beside_peers=True),
    "rivals' budgets +10 %": Cell({"rivals.0.budget_daily": "2750"}),
    "rivals' budgets +50 %": Cell({"rivals.0.budget_daily": "3750"}),
    "two rivals enter at noon": Cell(
        {"rivals.1.enters_day": str(CALM + 1), "rivals.1.enters_hour": "12"}, beside_peers=True
    ),
    "target × 0.8": Cell(change=("10:00", "target", 0.8), beside_peers=True),
    "target × 1.25": Cell(change=("10:00", "target", 1.25)),
    "values 20 % too high": Cell({"prediction.bias": "1.2"}),
    "values 20 % too low": Cell({"prediction.bias": "0.8"}),
    "orders hours after the click": Cell({"delays.order": LATE, "delays.prompt_order": LATE}),
    "refunds 5 %": Cell(_refunds(0.05)),
    "refunds 40 %": Cell(_refunds(0.40)),
    "live rooms on and off": Cell(_rooms(), from_the_start=True),
    "ten orders a day": Cell(change=("00:00", "budget_daily", 0.11)),
}


def scenario_of(cell: Cell, thin: bool) -> Scenario:
    """The market under a stress."""
    overrides = {"days": str(CALM + STRESSED), **cell.overrides}
    if thin:
        overrides |= {
            "step_minutes": "60",
            "opportunities_per_day": "6000",
            "buyers.population": "6000",
            "rivals.0.value": "0.03",
        }
    if cell.change:
        time, name, factor = cell.change
        for number, plan in enumerate(load(MARKET).plans):
            value = f"{float(getattr(plan, name) or 0) * factor:.2f}"
            made = f'{{ day = {CALM + 1}, time = "{time}", field = "{name}", value = "{value}" }}'
            overrides[f"plans.{number}.changes"] = f"[{made}]"
    return load(MARKET, overrides)


@dataclass(frozen=True, slots=True)
class Study:
    """What to run: thin runs say nothing but that they run."""

    seeds: Sequence[int]
    thin: bool = False

    def calm(self, bidder: str) -> dict[int, State]:
        """The state of each seed after the calm days."""
        found: dict[int, State] = {}
        for seed in self.seeds:
            life = Life(scenario_of(Cell(), self.thin), seed, BIDDERS[bidder])
            life.live(range(1, CALM + 1))
            found[seed] = life.driver.snapshot()
        return found

    def days(self, cell: Cell, bidder: str, calm: Mapping[int, State]) -> Iterator[PlanDay]:
        """All stressed plan-days of a cell."""
        for seed in self.seeds:
            life = Life(scenario_of(cell, self.thin), seed, BIDDERS[bidder])
            if cell.from_the_start:
                life.live(range(1, CALM + 1))
            else:
                life.resume(calm[seed])
            last = CALM + (1 if self.thin else STRESSED)
            yield from plan_days(life.live(range(CALM + 1, last + 1), settling=1))


def judged(days: Sequence[PlanDay]) -> dict[str, np.ndarray]:
    """Plan-days that spent anything as columns, with what chance and error each may have had in it.

    `noise` becomes the relative standard deviation of the day's GMV by chance; `luck` is the chance of a day below 90 %
    whose true ROI is exactly the target, `expected` that of this day with its own true ROI; `capped` the share of the
    hindsight optimum, charged for true spend over worth: min(1, value) · min(1, worth / spend)².
    """
    columns = columns_of([day for day in days if day.spend > 0])
    sold = columns["promised"] > 0
    noise = np.where(sold, np.sqrt(columns["noise"]) / np.where(sold, columns["promised"], 1.0), 1.0)
    true = columns["truth"] / columns["spend"]
    normal = np.vectorize(NormalDist().cdf, otypes=[float])
    return columns | {
        "noise": noise,
        "kept": columns["promised"] / columns["spend"],
        "true": true,
        "luck": normal(-0.1 / np.maximum(noise, 1e-3)),
        "expected": normal((0.9 - true) / np.maximum(noise * true, 1e-3)),
        "capped": np.minimum(1.0, columns["truth"] / np.maximum(columns["best"], 1e-9)) * np.minimum(true, 1.0) ** 2,
    }


def _share_below(column: str, limit: float) -> Callable[[Columns], float]:
    return lambda days: float((days[column] < limit).mean())


def _ratio(above: str, below: str) -> Callable[[Columns], float]:
    return lambda days: over(days[above].sum(), days[below].sum())


def _mean(column: str) -> Callable[[Columns], float]:
    return lambda days: float(days[column].mean())


MEASURES: dict[str, Callable[[Columns], float]] = {
    "below_95": _share_below("kept", 0.95),
    "below_90": _share_below("kept", 0.90),
    "by_luck": _mean("luck"),
    "by_error": _share_below("true", 0.90),
    "expected": _mean("expected"),
    "below_80": _share_below("kept", 0.80),
    "roi": _ratio("promised", "spend"),
    "true_roi": _ratio("truth", "spend"),
    "capped": _mean("capped"),
    "capped_p10": lambda days: float(np.quantile(days["capped"], 0.1)),
    "hindsight": _ratio("truth", "best"),
    "budget": _ratio("spend", "budget"),
    "compensation": _ratio("compensation", "spend"),
    "overspend": lambda days: float(np.maximum(days["spend"] - days["budget"], 0).sum()),
    "orders": _mean("orders"),
    "plan_days": lambda days: float(len(days["seed"])),
}
"""What is told of a cell. ROIs are shares of the target; `by_error` counts days whose true ROI is below 90 % of it."""


def figures(days: Sequence[PlanDay]) -> dict[str, Figure]:
    """Every measure of some plan-days that spent anything."""
    columns = judged(days)
    return {name: figure(columns, measure) for name, measure in MEASURES.items()}


def draw(results: Results) -> str:
    """Each cell's share of days below 90 %: as it was found, by error, and by luck alone."""
    names = {"below_90": "found", "by_luck": "by luck alone", "by_error": "by error"}
    drawn = [
        Dot(cell, label, found[OURS][name].value, found[OURS][name].low, found[OURS][name].high)
        for cell, found in results.items()
        if OURS in found
        for name, label in names.items()
    ]
    return dots("Share of plan-days below 90 % of the target", Axis("share of plan-days", mark=0.05), drawn)


def show(cell: str, bidder: str, found: Mapping[str, Figure]) -> None:
    """Print one line; a head above the first."""
    print(f"{cell:30}{bidder:12}" + "".join(f"{found[name].value:>10.3f}" for name in MEASURES), flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command; results are written after every cell, so that a run cut short keeps what it found.

    A run of some cells or bidders leaves what is known of the others.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=CELLS, metavar="CELL")
    parser.add_argument("--bidders", nargs="+", choices=BIDDERS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--thin", action="store_true", help="a tiny market")
    chosen = parser.parse_args(arguments)
    study = Study(range(1, chosen.seeds + 1), chosen.thin)
    results = _known(chosen.json) if chosen.cells or chosen.bidders else {}
    print(f"{'':42}" + "".join(f"{name[:9]:>10}" for name in MEASURES))
    for bidder in chosen.bidders or (OURS, *PEERS):
        calm = study.calm(bidder)
        for name in (name for name in chosen.cells or CELLS if bidder == OURS or CELLS[name].beside_peers):
            days = list(study.days(CELLS[name], bidder, calm))
            found = results.setdefault(name, {})[bidder] = figures(days)
            show(name, bidder, found)
            _keep(chosen.json, {cell: results[cell] for cell in CELLS if cell in results})


def _known(path: Path) -> Results:
    """What an earlier run has written."""
    told = json.loads(path.read_text("utf-8"))["cells"] if path.exists() else {}
    return {
        cell: {bidder: {name: Figure(**one) for name, one in found.items()} for bidder, found in of_cell.items()}
        for cell, of_cell in told.items()
    }


def _keep(path: Path, results: Results) -> None:
    """Write what is known so far."""
    told = {
        cell: {bidder: {name: asdict(one) for name, one in found.items()} for bidder, found in of_cell.items()}
        for cell, of_cell in results.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": told}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    write(path.with_suffix(".svg"), draw(results))


if __name__ == "__main__":
    main()
