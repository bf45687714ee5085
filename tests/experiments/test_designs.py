"""Tests as they are planned: templates, the division of money and days, and what may happen to one after what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.errors import BadInput, Refused
from qianheng.experiments.designs import (
    AFTER,
    Event,
    Experiment,
    Ground,
    Happened,
    Standing,
    Template,
    Unit,
    arms_of,
    divided,
    running,
    templates,
)
from qianheng.measures.goals import Rates
from qianheng.plans.plan import Goal, Plan, PlanKind

NOW = datetime(2025, 10, 4, tzinfo=UTC)
PLAN = Plan(1, 1, 1, "p", PlanKind.PRODUCT, Goal.PAYMENT, Decimal("3.00"), 600_000_000, (11,))
RATES = Rates(Fraction(9, 10), Fraction(8, 10))
GROUND = Ground(PLAN, RATES, 77)


def planned(template: str, **changed: Any) -> Experiment:
    known = templates()[template]
    made = Experiment(
        id=5,
        template=template,
        shop_id=1,
        plan_id=1,
        unit=Unit(known.unit),
        arms=arms_of(GROUND, known, {"B": {"target": "2.5"}}),
        phases=known.phases,
        primary=known.primary,
        guard_rails=tuple(known.guard_rails.items()),
        effect=known.effect,
        settles=known.settles,
        alpha=known.alpha,
        power=known.power,
        salt=77,
        planned_at=NOW,
        looks=known.looks,
    )
    return replace(made, **changed)


def event(happened: Happened, at: datetime = NOW, **body: Any) -> Event:
    return Event(hash((happened, at)), 5, happened, at, "ann", body)


def test_the_templates_shipped_say_what_the_books_say() -> None:
    known = templates()
    days = {name: sum(phase.days for phase in one.phases) for name, one in known.items()}
    assert days == {
        "goal-test": 14,
        "budget-test": 21,
        "target-test": 14,
        "switchback": 14,
        "hold-out": 14,
        "ab-test": 14,
        "creative-test": 14,
    }
    assert [phase.budget for phase in known["budget-test"].phases] == [(80, 20), (50, 50), (30, 70)]
    assert len(known["target-test"].arms) == 3


def test_the_owners_templates_add_to_those_shipped(tmp_path: Path) -> None:
    own = tmp_path / "experiments.toml"
    own.write_text(
        '[mine]\ntitle = { en = "a", zh = "b" }\nabout = { en = "a", zh = "b" }\narms = [{}, {}]\n'
        'phases = [{ days = 3, budget = [1, 1] }]\nprimary = "gmv"\n',
        "utf-8",
    )
    assert templates(own).keys() == {*templates(), "mine"}
    own.write_text(own.read_text("utf-8") + "surprise = 1\n", "utf-8")
    with pytest.raises(BadInput, match="surprise"):
        templates(own)


@pytest.mark.parametrize(
    "wrong", [{"phases": ()}, {"arms": ()}, {"settles": 14}, {"settles": -1}], ids=["no days", "no arms", "all", "none"]
)
def test_a_template_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    known = templates()["ab-test"]
    with pytest.raises(BadInput):
        replace(known, **wrong)


@given(st.integers(0, 10**12), st.lists(st.integers(0, 100), min_size=1, max_size=6).filter(sum))
def test_money_divided_adds_up_to_the_whole(total: int, parts: list[int]) -> None:
    found = divided(total, parts)
    assert sum(found) == total
    assert min(found) >= 0
    assert all(abs(one - total * part / sum(parts)) <= 20_000 for one, part in zip(found, parts, strict=True))


@given(st.integers(0, 400))
def test_of_every_so_many_days_each_arm_has_one(block: int) -> None:
    experiment = planned("target-test")
    assert sorted(experiment.arm_of_day(3 * block + place).name for place in range(3)) == ["A", "B", "C"]


def test_days_are_drawn_and_do_not_merely_alternate() -> None:
    experiment = planned("switchback")
    first = {experiment.arm_of_day(2 * block).name for block in range(12)}
    assert first == {"A", "B"}


@pytest.mark.parametrize(
    ("template", "changed", "settings"),
    [
        pytest.param("goal-test", {}, {"goal": "net", "target": Decimal("2.70")}, id="the target follows its goal"),
        pytest.param("goal-test", {"B": {"target": "2"}}, {"goal": "net", "target": Decimal(2)}, id="or as said"),
        pytest.param("target-test", {}, {"target": Decimal("2.70")}, id="a factor on the target"),
        pytest.param("ab-test", {"B": {"schedule": "8-10"}}, {"schedule": (8, 9, 10)}, id="any field"),
    ],
)
def test_what_arm_b_changes(template: str, changed: dict[str, dict[str, str]], settings: dict[str, object]) -> None:
    a, b, *_ = arms_of(GROUND, templates()[template], changed)
    assert a.settings == ()
    assert dict(b.settings) == settings
    assert a.users is not None
    assert b.users is not None
    assert a.users.end == b.users.first


@pytest.mark.parametrize(
    ("template", "changed", "key"),
    [
        ("ab-test", {}, "designs.alike"),
        ("ab-test", {"B": {"target": "3.0"}}, "designs.alike"),
        ("ab-test", {"C": {"target": "2"}}, "designs.no_arm"),
        ("ab-test", {"B": {"target": "low"}}, "core.not_a_number"),
        ("ab-test", {"B": {"tarjet": "2.8"}}, "plans.unchangeable"),
    ],
)
def test_arms_that_cannot_be_are_refused(template: str, changed: dict[str, dict[str, str]], key: str) -> None:
    with pytest.raises(BadInput) as refusal:
        arms_of(GROUND, templates()[template], changed)
    assert refusal.value.key == key


def test_without_a_rate_a_target_is_not_guessed() -> None:
    with pytest.raises(BadInput) as refusal:
        arms_of(Ground(PLAN, Rates(None, None), 1), templates()["goal-test"], {})
    assert refusal.value.key == "designs.no_rate"


def test_the_budget_of_each_phase() -> None:
    experiment = planned("budget-test")
    found = [experiment.budgets(600_000_000, day) for day in (0, 6, 7, 14, 20, 40)]
    yuan = [(a // 1_000_000, b // 1_000_000) for a, b in found]
    assert yuan == [(480, 120), (480, 120), (300, 300), (180, 420), (180, 420), (180, 420)]


@pytest.mark.parametrize("before", [*AFTER])
@pytest.mark.parametrize("happened", [*Happened])
def test_what_may_happen_after_what(before: Happened, happened: Happened) -> None:
    standing = Standing(1, planned("ab-test"), (event(before),))
    if happened is Happened.LOOKED or happened in AFTER[before]:
        assert standing.follow(event(happened)).events[-1].happened is happened
    elif before is not Happened.LOOKED:
        with pytest.raises(Refused):
            standing.follow(event(happened))


def test_the_days_of_a_test_and_whose_plans_it_has() -> None:
    started = event(Happened.STARTED, plans={"A": 1, "B": 1001}, before={"users": [], "budget_daily": 5})
    standing = Standing(3, planned("ab-test"), (event(Happened.PLANNED), started))
    assert (standing.name, standing.first_day.day, standing.last_day.day) == ("e3", 4, 17)
    assert standing.before() == {"users": (), "budget_daily": 5}
    assert running([standing], 1001) is standing
    assert running([standing], 2) is None
    over = standing.follow(event(Happened.STOPPED, NOW + timedelta(days=5)))
    assert over.last_day.day == 8
    assert running([over], 1) is None


def test_a_test_that_begins_within_a_day_is_measured_from_the_next() -> None:
    started = event(Happened.STARTED, NOW + timedelta(hours=9), plans={})
    assert Standing(1, planned("ab-test"), (started,)).first_day.day == 5


def test_every_template_is_said_in_both_languages() -> None:
    assert all(isinstance(one, Template) and one.title.zh and one.about.en for one in templates().values())
