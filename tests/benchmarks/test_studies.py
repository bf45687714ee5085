"""The studies run in a thin mode and tell what they promise; what they measure takes their full runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import domain, goals, many, stress
from benchmarks.intervals import figure
from benchmarks.lived import PlanDay
from qianheng.bidding.references import BIDDERS
from qianheng.simulator.loading import load
from qianheng.simulator.scenario import Scenario


def day(seed: int, kept: float, orders: int, spend: float = 1000.0) -> PlanDay:
    """A day whose orders are all alike."""
    promised = kept * spend
    noise = orders * (promised / orders) ** 2 if orders else 0.0
    return PlanDay(seed, 1, 1, spend, spend, orders, promised, noise, 0.0, promised, 2 * promised)


def test_luck_is_what_so_many_orders_leave_to_chance() -> None:
    columns = stress.judged([day(1, 1.0, 100), day(1, 1.0, 25), day(1, 0.0, 0)])
    assert columns["noise"].tolist() == pytest.approx([0.1, 0.2, 1.0])
    assert columns["luck"].tolist() == pytest.approx([0.1587, 0.3085, 0.4602], abs=1e-4)


def test_a_day_far_below_its_target_is_an_error_and_one_at_its_target_is_not() -> None:
    found = stress.figures([day(seed, kept, 60) for seed in (1, 2, 3) for kept in (0.7, 1.0)])
    assert found["by_error"].value == 0.5
    assert found["roi"].value == pytest.approx(0.85)
    assert found["overspend"].value == 0


def test_days_without_spend_do_not_count() -> None:
    assert stress.figures([day(1, 1.0, 30), day(1, 1.0, 30, spend=0.0)])["orders"].value == 30


def test_an_interval_widens_with_what_seeds_differ() -> None:
    seeds = np.repeat(np.arange(8), 5)
    alike = figure({"seed": seeds, "x": np.ones(40)}, lambda rows: float(rows["x"].mean()))
    apart = figure({"seed": seeds, "x": seeds.astype(float)}, lambda rows: float(rows["x"].mean()))
    assert alike.low == alike.value == alike.high == 1
    assert apart.low < apart.value - 0.5
    assert apart.high > apart.value + 0.5


def test_every_stress_is_a_scenario() -> None:
    calm = stress.scenario_of(stress.Cell(), thin=False)
    for name, cell in stress.CELLS.items():
        assert name == "base" or stress.scenario_of(cell, thin=False) != calm


def test_the_stress_study_runs_ours_and_a_peer_and_keeps_the_money(tmp_path: Path) -> None:
    out = tmp_path / "stress.json"
    cells = ["target × 0.8"]
    command = ["--thin", "--seeds", "1", "--bidders", "qianheng", "pid", "--json", str(out), "--cells", *cells]
    stress.main(command)
    told = json.loads(out.read_text("utf-8"))
    assert list(told["cells"]) == cells
    for found in told["cells"].values():
        for bidder in ("qianheng", "pid"):
            assert set(found[bidder]) == set(stress.MEASURES)
            assert found[bidder]["overspend"]["value"] == 0
            assert found[bidder]["orders"]["value"] > 0
    assert "<svg" in out.with_suffix(".svg").read_text("utf-8")


def test_four_plans_have_the_money_of_one() -> None:
    market = domain.Market(budget=1.0)
    one = market.scenario()
    four = market.scenario(domain.by_traffic(one))
    assert sum(plan.budget_daily for plan in four.plans) == sum(plan.budget_daily for plan in one.plans)
    assert {plan.placements for plan in four.plans} == {(place,) for place in domain.PLACES}
    assert {(plan.id // 10, plan.target) for plan in four.plans} == {(plan.id // 10, plan.target) for plan in one.plans}


def test_the_study_of_full_domain_compares_the_same_shops_and_days(tmp_path: Path) -> None:
    out = tmp_path / "domain.json"
    domain.main(["--thin", "--seeds", "1", "--regimes", "targets bind", "--json", str(out)])
    told = json.loads(out.read_text("utf-8"))
    assert list(told["targets bind"]) == [domain.BY_TRAFFIC, domain.IN_HINDSIGHT]
    assert all(set(gains) == set(domain.GAINS) for gains in told["targets bind"].values())
    assert "<svg" in out.with_suffix(".svg").read_text("utf-8")


def test_the_study_of_goals_sets_both_beside_what_was_published(tmp_path: Path) -> None:
    out = tmp_path / "goals.json"
    goals.main(["--thin", "--seeds", "1", "--json", str(out)])
    told = json.loads(out.read_text("utf-8"))
    assert set(told) == {
        "net over payment, each alone",
        "net over payment, together",
        "target × 0.9",
        "target × 1.1",
    }
    assert all(set(found) == set(goals.MEASURES) for found in told.values())


def test_a_duel_is_scaled_as_a_whole() -> None:
    whole, tenth = load("duel"), goals.scenario_of([goals.A], 1.1, thin=False)
    assert [plan.id for plan in tenth.plans] == [goals.A]
    assert float(tenth.plans[0].target or 0) == pytest.approx(2.8 * 1.1)
    for name in (
        "opportunities_per_day",
        "plans.0.budget_daily",
        "rivals.0.budget_daily",
        "shops.0.products.0.organic",
    ):
        assert value_at(tenth, name) == pytest.approx(goals.SIZE * value_at(whole, name))


def value_at(scenario: Scenario, path: str) -> float:
    """A number of a scenario by its path."""
    found: object = scenario
    for part in path.split("."):
        found = found[int(part)] if part.isdigit() else getattr(found, part)  # type: ignore[index]
    return float(found)  # type: ignore[arg-type]


def test_many_plans_spend_within_their_budgets_under_any_bidder(tmp_path: Path) -> None:
    out = tmp_path / "many.json"
    bidders = ["fixed", "pid", "min-pacing"]
    many.main(["--thin", "--json", str(out), "--bidders", *bidders])
    told = json.loads(out.read_text("utf-8"))
    assert list(told["bidders"]) == bidders
    for found in told["bidders"].values():
        assert 0 < found["budget"]["value"] <= 1
        assert found["revenue"]["value"] > 0
    assert told["bidders"]["fixed"]["calm"]["value"] == 0
    assert "<svg" in out.with_suffix(".svg").read_text("utf-8")


def test_ours_bids_for_many_plans_too() -> None:
    crowd = many.Crowd(plans=16, requests=1500, seed=1)
    ((day, path),) = many.live(crowd, BIDDERS["qianheng"], 1)
    assert path.shape == (many.STEPS, 16)
    assert day.welfare > 0
    assert day.revenue <= crowd.budget.sum()
