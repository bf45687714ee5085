"""Do experiments on one market tell the truth, though their arms share its budget, its rivals and its buyers?

    python -m benchmarks.interference [--seeds 20] [--days 10] [--markets calm reacting roomy] [--thin]
        [--kept FILE] [--json FILE]

What is tried: bidding `FACTOR` times as much (a target that much lower). The plan lives `LEARNT` days under A, as plans
that people test have; from there each design goes on, in the same market. True is what the whole market does under B
against the whole market under A. Three designs estimate it:

- `naive`: users are split, but one plan with one budget and one controller serves both arms;
- `split`: each arm is a plan of its own, with its share of users and budget (as `qianheng experiment` does);
- `switchback`: one plan, whose target changes between days drawn by chance; the first hours of a day are left out.

In the markets `calm` and `reacting` the plan's budget binds, so that the truth is about nothing; in `reacting` rivals
pace their own budgets over all users, so that arms still meet through them. In `roomy` the budget is some 1.4 times
what A spends, so that bidding more brings more before it binds: a test has to find that, and no more.

Worlds are kept in `--kept FILE` as they come, a line each; those that stand there are not lived again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from benchmarks.shops import PLACEMENTS, Table, toml
from qianheng.actions.driver import Driver, TimedPlan
from qianheng.actions.simulation import recorder_of, site_of, space_of
from qianheng.core.days import DAY, HOUR, microseconds, midnight
from qianheng.core.ids import derive_seed
from qianheng.delivery.engine import Engine
from qianheng.facts.assignment import shares_of
from qianheng.facts.batch import FactBatch, join
from qianheng.facts.opportunities import Opportunities
from qianheng.facts.schema import Kind
from qianheng.plans.allowance import NOTHING, Lease
from qianheng.plans.plan import Plan
from qianheng.plans.users import UserShare
from qianheng.simulator.loading import load
from qianheng.simulator.market import Market
from qianheng.simulator.scenario import Scenario

RESULTS = Path(__file__).parent / "results" / "interference.json"
FACTOR = 1.6  # bids of B over those of A
LEARNT = 8  # days that the plan lives under A before anything is tried
SETTLES = 2  # days of the test that are not measured, as in the templates
WASHED = 3 * HOUR  # at the start of a day: its target has just changed
SALT, HALF = 20_251_001, 5000
DESIGNS = ("naive", "split", "switchback")
MEASURES = ("gmv", "spend")
Amounts = npt.NDArray[np.int64]
Pair = tuple[float, float]
Found = dict[str, dict[str, float]]  # by measure, then by design


@dataclass(frozen=True, slots=True)
class Setting:
    """What makes a market: the plan's target and budget (元 a day), what each product sells unpromoted, and its rivals:
    what a purchase is worth to them, how they differ, and the budget that they pace, if any.
    """

    value: float
    spread: float = 0.35
    count: int = 8
    paced: float | None = None
    target: float = 2.5
    budget: int = 160
    organic: float = 1.5


MARKETS = {
    "calm": Setting(0.06),
    "reacting": Setting(0.14, paced=70.0),
    "roomy": Setting(0.15, 1.2, count=2, target=9.0, budget=430, organic=0.3),
}


@dataclass(frozen=True, slots=True)
class World:
    """A market, its seed and how many days are tested."""

    market: str
    seed: int
    days: int

    def scenario(self) -> Scenario:
        """The scenario, read as every other one is."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "interference.toml"
            path.write_text(toml(_scenario(self.market, LEARNT + self.days)), "utf-8")
            return load(str(path))


def _scenario(market: str, days: int) -> Table:
    of = MARKETS[market]
    product = {"category": "home", "product_cost": 24, "organic": of.organic}
    products = [{"id": 101 + n, "name": f"商品{n + 1}", "price": 60 + 20 * n, **product} for n in range(3)]
    plan = {"id": 1, "shop": 1, "name": "推商品", "kind": "product", "goal": "payment", "target": of.target}
    rivals = {
        "name": "regulars",
        "count": of.count,
        "value": of.value,
        "spread": of.spread,
        "paced": of.paced is not None,
    }
    return {
        "name": f"interference-{market}",
        "title": {"en": "A small market of a study", "zh": "研究用小市场"},
        "about": {"en": "A small shop of a study.", "zh": "研究用小店。"},
        "first_day": date(2025, 10, 1).isoformat(),
        "days": days,
        "opportunities_per_day": 6000,
        "step_minutes": 30,
        "journal": 0.0,
        "ad_account": {"id": 1, "top_up": 1_000_000},
        "buyers": {"population": 6000, "cells": 12},
        "placements": {name: {"order": order} for name, order in PLACEMENTS.items()},
        "categories": {"home": {"price": 80}},
        "shops": [{"id": 1, "name": "小店", "hold_out": 0, "products": products}],
        "rivals": [rivals | {"budget_daily": of.paced or 100_000.0}],
        "plans": [plan | {"budget_daily": of.budget}],
    }


def bolder(plan: Plan) -> Plan:
    """The plan under B."""
    assert plan.target is not None
    return replace(plan, target=(plan.target / Decimal(str(FACTOR))).quantize(Decimal("0.0001")))


class Lived:
    """A world on its way with one plan, `LEARNT` days old."""

    def __init__(self, world: World) -> None:
        self.world, self.scenario = world, world.scenario()
        self.start = microseconds(midnight(self.scenario.first_day, self.scenario.timezone))
        (self.plan,) = self.scenario.plan_records()
        self.plans = [self.plan]
        engine = Engine(self.plans, space_of(self.scenario), site_of(self.scenario), self.start)
        parts = Market(self.scenario, world.seed), engine, recorder_of(self.scenario), world.seed
        self.driver = Driver(*parts, self.scenario.prediction)
        self.driver.change(TimedPlan(self.start, self.plan, 0))
        self.facts = [self._day(number, []) for number in range(LEARNT)]

    def live(self, plans: Callable[[int], Sequence[Plan]]) -> FactBatch:
        """All facts, those of the days after the last delivery included: orders come late. plans: as they are on a day
        of the test, from 0; of those that are new, each is a copy of the first.
        """
        facts = list(self.facts)
        for number in range(self.world.days):
            day, self.plans = LEARNT + number, list(plans(number))
            served = {plan.id for plan in self.driver.engine.plans}
            for plan in self.plans:
                if plan.id not in served:
                    self.driver.join(plan, self.plan.id)
            facts.append(self._day(day, [TimedPlan(self.start + day * DAY, plan, day) for plan in self.plans]))
        end = self.start + (LEARNT + self.world.days) * DAY
        return join([*facts, self.driver.drain_day(end, end + DAY), self.driver.drain_day(end + DAY, end + 2 * DAY)])

    def _day(self, number: int, changed: Sequence[TimedPlan]) -> FactBatch:
        start = self.start + number * DAY
        leases = {plan.id: Lease(plan.budget_daily, NOTHING) for plan in self.plans}
        return self.driver.run_day(start, start + DAY, changed, leases).facts


def whole(lived: Lived, bold: bool) -> FactBatch:
    """The whole market under one arm."""
    return lived.live(lambda _: [bolder(lived.plan) if bold else lived.plan])


def naive(lived: Lived) -> FactBatch:
    """Users split within one plan: its offers are worth `FACTOR` times as much for users of B."""
    offers = lived.driver.engine.offers
    usual = offers.worth

    def worth(batch: Opportunities) -> npt.NDArray[np.float64]:
        return usual(batch) * np.where(in_b(batch.user_id), FACTOR, 1.0)[:, None]

    offers.worth = worth  # type: ignore[method-assign]
    return lived.live(lambda _: [lived.plan])


def split(lived: Lived) -> FactBatch:
    """Each arm a plan with half the users and half the budget: the plan itself, and a copy of it."""
    half = lived.plan.budget_daily // 2
    one = replace(lived.plan, users=UserShare(SALT, 0, HALF), budget_daily=half)
    return lived.live(lambda _: [one, replace(bolder(one), id=2, users=UserShare(SALT, HALF, 2 * HALF))])


def switched(lived: Lived) -> FactBatch:
    """One plan, under B on the days that are B's."""
    return lived.live(lambda day: [bolder(lived.plan) if bold_days(lived.world)[day] else lived.plan])


def bold_days(world: World) -> npt.NDArray[np.bool_]:
    """[days] which are B's: of every two days one, drawn by chance."""
    draw = np.random.default_rng(derive_seed(world.seed, "switchback"))
    pairs = draw.random((world.days + 1) // 2) < 0.5
    return np.stack([pairs, ~pairs], axis=1).ravel()[: world.days]


def in_b(user_id: Amounts) -> npt.NDArray[np.bool_]:
    """[n] which users are B's."""
    return shares_of(SALT, user_id) >= HALF


@dataclass(frozen=True, slots=True)
class Amount:
    """What is summed: amounts in micro-yuan, when they were brought about, whose they are."""

    amount: Amounts
    at: Amounts
    user_id: Amounts


def amounts(facts: FactBatch, measure: str) -> Amount:
    """GMV by the touch that brought the order (else the order itself), spend by its impression."""
    if measure == "spend":
        charges, shown = facts[Kind.CHARGE], facts[Kind.IMPRESSION]
        ids, users = shown["id"].to_numpy(), shown["user_id"].to_numpy()
        order = np.argsort(ids)
        mine = order[np.searchsorted(ids, charges["impression_id"].to_numpy(), sorter=order)]
        return Amount(charges["amount"].to_numpy(), charges["at"].to_numpy(), users[mine])
    orders = facts[Kind.ORDER]
    touched, at = orders["touched_at"].to_numpy(), orders["at"].to_numpy()
    return Amount(orders["amount"].to_numpy(), np.where(touched >= 0, touched, at), orders["user_id"].to_numpy())


def measured(world: World, told: Amount) -> npt.NDArray[np.bool_]:
    """[n] what lies in the days that are measured."""
    start = microseconds(midnight(date(2025, 10, 1), "Asia/Shanghai")) + LEARNT * DAY
    return np.asarray((told.at >= start + SETTLES * DAY) & (told.at < start + world.days * DAY))


def by_user(world: World, facts: FactBatch, measure: str) -> Pair:
    """What users of A, and of B, came to."""
    told = amounts(facts, measure)
    kept, bold = measured(world, told), in_b(told.user_id)
    return float(told.amount[kept & ~bold].sum()), float(told.amount[kept & bold].sum())


def by_day(world: World, facts: FactBatch, measure: str) -> Pair:
    """What a day of A, and of B, came to, its first hours left out."""
    told, first = amounts(facts, measure), microseconds(midnight(date(2025, 10, 1), "Asia/Shanghai")) + LEARNT * DAY
    day, into = np.divmod(told.at - first, DAY)
    kept = measured(world, told) & (into >= WASHED)
    of_day = np.bincount(day[kept], told.amount[kept], world.days)[: world.days]
    bold, counted = bold_days(world), np.arange(world.days) >= SETTLES
    return float(of_day[counted & ~bold].mean()), float(of_day[counted & bold].mean())


def total(world: World, facts: FactBatch, measure: str) -> float:
    """What everybody came to."""
    told = amounts(facts, measure)
    return float(told.amount[measured(world, told)].sum())


LIVES: dict[str, Callable[[Lived], FactBatch]] = {
    "whole A": partial(whole, bold=False),
    "whole B": partial(whole, bold=True),
    "naive": naive,
    "split": split,
    "switchback": switched,
}


def effects(world: World) -> Found:
    """By measure: the true effect in this world (B over A, less one), and what each design says it is."""
    learnt = Lived(world)
    lives = {name: live(deepcopy(learnt)) for name, live in LIVES.items()}
    found = {}
    for measure in MEASURES:
        pairs = {"true": tuple(total(world, lives[name], measure) for name in ("whole A", "whole B"))}
        pairs |= {design: by_user(world, lives[design], measure) for design in ("naive", "split")}
        pairs["switchback"] = by_day(world, lives["switchback"], measure)
        found[measure] = {name: after / before - 1 for name, (before, after) in pairs.items()}
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """What a design says in a market over all seeds: its mean, the truth, its bias and the 95 % interval of the bias,
    and the spread of single experiments.
    """

    market: str
    measure: str
    design: str
    says: float
    true: float
    bias: float
    low: float | None
    high: float | None
    spread: float


def rows(market: str, found: Sequence[Found]) -> list[Row]:
    """One line a measure and design. The truth is the mean of all worlds'."""
    told = []
    for measure in MEASURES:
        true = np.array([one[measure]["true"] for one in found])
        for design in DESIGNS:
            says = np.array([one[measure][design] for one in found])
            bias = says - true
            middle = float(bias.mean())
            error = float(bias.std(ddof=1)) / len(bias) ** 0.5 if len(bias) > 1 else None
            low, high = (None, None) if error is None else (middle - 1.96 * error, middle + 1.96 * error)
            spread = float(says.std())
            told.append(Row(market, measure, design, float(says.mean()), float(true.mean()), middle, low, high, spread))
    return told


def markdown(found: Sequence[Row]) -> str:
    """The table."""
    lines = [
        "| market | measure | design | says | true | bias (95 %) | spread of one |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found:
        low, high = ("–" if end is None else f"{end:+.1%}" for end in (row.low, row.high))
        bias = f"{row.bias:+.1%} ({low} … {high})"
        told = f"{row.says:+.1%} | {row.true:+.1%} | {bias} | {row.spread:.1%}"
        lines.append(f"| {row.market} | {row.measure} | {row.design} | {told} |")
    return "\n".join(lines)


def lived(asked: argparse.Namespace, seeds: int, days: int) -> dict[str, list[Found]]:
    """What all worlds say, by market; those kept already are not lived again."""
    lines = asked.kept.read_text("utf-8").splitlines() if asked.kept and asked.kept.exists() else []
    known = {(market, seed, of): found for market, seed, of, found in map(json.loads, lines)}
    told = {market: list[Found]() for market in asked.markets}
    for seed in range(1, seeds + 1):
        for market, found in told.items():
            began = time.process_time()
            if (market, seed, days) not in known:
                known[market, seed, days] = effects(World(market, seed, days))
                if asked.kept:
                    with asked.kept.open("a", encoding="utf-8") as file:
                        file.write(json.dumps([market, seed, days, known[market, seed, days]]) + "\n")
            found.append(known[market, seed, days])
            says = {name: round(value, 3) for name, value in found[-1]["spend"].items()}
            print(market, seed, f"{time.process_time() - began:.0f} s", says, flush=True)
    return told


def main(arguments: Sequence[str] | None = None) -> None:
    """Live the worlds and keep what they say."""
    parser = argparse.ArgumentParser(description="Bias of experiments on one market")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--markets", nargs="+", default=list(MARKETS), choices=MARKETS)
    parser.add_argument("--thin", action="store_true", help="one seed and a few days")
    parser.add_argument("--kept", type=Path, help="worlds so far, a line each; they are not lived again")
    parser.add_argument("--json", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    seeds, days = (1, SETTLES + 2) if asked.thin else (asked.seeds, asked.days)
    worlds = lived(asked, seeds, days)
    told = [row for market, found in worlds.items() for row in rows(market, found)]
    save(asked.json, {"factor": FACTOR, "learnt": LEARNT, "days": days, "rows": told, "worlds": worlds})
    print(markdown(told))


def save(path: Path, told: dict[str, object]) -> None:
    """Keep what is known."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, default=asdict, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
