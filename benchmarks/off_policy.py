"""Is what another policy would have brought told rightly? `python -m benchmarks.off_policy [--thin]`

Small markets whose people are shown one of three creatives: most often the first, now and then any, with the chance
logged. What other policies would have brought is estimated from that, and then lived: the same market, the same
requests, their choices. Bias, and how often estimate and lived mean lie within 95 % of what both leave to luck.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt

from qianheng.core.days import DAY, HOUR, microseconds, midnight
from qianheng.diagnosis.chance import Z95
from qianheng.experiments.off_policy import Evaluation, Logged, evaluated
from qianheng.facts.opportunities import Decisions
from qianheng.simulator.loading import load
from qianheng.simulator.market import Market

RESULT = Path(__file__).parent / "results" / "off_policy.json"
PRODUCT, CREATIVES = 11, np.array([1101, 1102, 1103])
APPEALS = "[{id = 1101, name = 'a', appeal = 1.3}, {id = 1102, name = 'b', appeal = 0.8}, {id = 1103, name = 'c'}]"
LOGGING = np.array([0.8, 0.1, 0.1])
POLICIES: Mapping[str, npt.NDArray[np.float64]] = {
    "uniform": np.full(3, 1 / 3),
    "only the second": np.array([0.0, 1.0, 0.0]),
    "a little less of the first": np.array([0.7, 0.15, 0.15]),
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is lived."""

    worlds: int
    lots: int
    requests: int


FULL, THIN = Size(40, 1, 4000), Size(2, 1, 1500)


def lived(seed: int, lot: int, policy: npt.NDArray[np.float64], size: Size) -> tuple[Any, Any]:
    """[n] which creative each look was at, and whether it was clicked on, a day of a world under a policy."""
    overrides = {"days": "1", "opportunities_per_day": str(size.requests), "buyers.population": "4000"}
    scenario = load("hold-out", overrides | {"shops.0.products.0.creatives": APPEALS})
    market, start = Market(scenario, seed), microseconds(midnight(scenario.first_day, scenario.timezone))
    lots, found = np.random.default_rng([seed, lot]), []
    for now in range(start, start + DAY, HOUR):
        batch = market.opportunities(now, now + HOUR)
        chosen = lots.choice(3, len(batch), p=policy)
        row, nothing = np.arange(len(batch)), np.zeros(len(batch), np.int64)
        first = np.ones(len(batch), np.int8)
        shown = Decisions(row, nothing + 1, nothing + PRODUCT, first, nothing, nothing, CREATIVES[chosen], nothing - 1)
        clicked = market.react(batch, shown).clicked
        found.append((chosen, clicked))
    chosen, clicked = (np.concatenate(part) for part in zip(*found, strict=True))
    return chosen, clicked


Told = tuple[Evaluation, float, float]  # an estimate, what was brought when lived, and the standard error of that


def judged(seed: int, size: Size) -> Iterator[tuple[str, Told]]:
    """Of each policy: what was estimated from the logged day, and what it brought when lived."""
    chosen, clicked = lived(seed, 0, LOGGING, size)
    for name, policy in POLICIES.items():
        weight = (policy / LOGGING)[chosen]
        found = evaluated(Logged(weight, clicked.astype(float), np.zeros(len(chosen))))
        truth = np.concatenate([lived(seed, lot, policy, size)[1] for lot in range(1, size.lots + 1)])
        yield name, (found, float(truth.mean()), float(truth.std()) / len(truth) ** 0.5)


def measured(size: Size) -> dict[str, Any]:
    """Everything as JSON: clicks a thousand looks."""
    rows: dict[str, list[Told]] = {name: [] for name in POLICIES}
    for seed in range(1, size.worlds + 1):
        for name, told in judged(seed, size):
            rows[name].append(told)
    return {"worlds": size.worlds, "policies": {name: summed_up(told) for name, told in rows.items()}}


def summed_up(told: list[Told]) -> dict[str, Any]:
    """Of those worlds where an answer was given: truth, and by estimator bias with its standard error and coverage."""
    answered = [one for one in told if one[0].means]
    if not answered:
        return {"answered": 0, "of": len(told)}
    truth, luck = (np.array([one[place] for one in answered]) for place in (1, 2))
    estimators = {}
    for name in answered[0][0].means:
        intervals = [found.means[name] for found, *_ in answered]
        error = np.array([float(one.expected) for one in intervals]) - truth
        reach = np.array([float(one.high - one.low) / 2 for one in intervals])
        inside = np.abs(error) <= np.hypot(reach, Z95 * luck)
        estimators[str(name)] = {
            "bias": round(float(error.mean()) * 1000, 3),
            "standard_error": round(float(error.std()) / len(error) ** 0.5 * 1000, 3),
            "coverage": round(float(np.mean(inside)), 3),
        }
    clicks = round(float(truth.mean()) * 1000, 2)
    return {"answered": len(answered), "of": len(told), "clicks_per_thousand": clicks, "estimators": estimators}


def main() -> None:
    """Live, estimate, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--thin", action="store_true")
    size, began = (THIN if parser.parse_args().thin else FULL), process_time()
    result = measured(size)
    result["cpu_seconds"] = round(process_time() - began)
    for name, row in result["policies"].items():
        print(f"{name:28} {row}")
    if size is FULL:
        RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
