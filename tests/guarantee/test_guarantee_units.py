"""Boosts, weeks, rapid boost and fraud: a book of cases, a second plain reading with fractions, and laws."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.days import DAY, HOUR
from qianheng.core.errors import BadInput
from qianheng.core.money import YUAN
from qianheng.core.proof import checked
from qianheng.guarantee.case import (
    BoostUnit,
    Budget,
    Case,
    Charge,
    DaySpend,
    Event,
    Log,
    Order,
    PlanEvent,
    Price,
    Target,
    Unit,
    WeekUnit,
    week_of,
)
from qianheng.guarantee.explain import explain
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.proof import compensation_proof
from qianheng.guarantee.reading import parse_case
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.timeline import compensation_id
from qianheng.guarantee.verdict import answer, evaluate
from qianheng.plans.plan import BidMode, Goal, PlanKind

BOOK = tomllib.loads((Path(__file__).parents[1] / "books" / "guarantee_units.toml").read_text(encoding="utf-8"))
ROWS = [{"type": kind, **row} for kind, rows in BOOK.items() for row in rows]
NAMES = [row["name"] for row in ROWS]
DEFAULTS: dict[str, dict[str, Any]] = {
    "boost": {"policy": "qianchuan-creative-boost", "day": "2026-09-01", "now": "+2 00:00", "goal": "payment 7.5"},
    "week": {"policy": "qianchuan-max-delivery", "day": "2026-06-01", "now": "+14 00:00", "goal": "payment 2"},
    "plan_day": {"policy": "shopee-gmv-max", "day": "2026-09-01", "now": "+1 00:00", "goal": "payment 5"},
}


def case_of(row: dict[str, Any]) -> dict[str, Any]:
    """The JSON case that a row of the book stands for."""
    given = DEFAULTS[row["type"]] | row
    first, ids = date.fromisoformat(given["day"]), count(1)

    def at(told: str) -> str:
        days, clock = told.split(" ")
        return f"{first + timedelta(days=int(days))}T{clock}+08:00"

    def fact(when: str, amount: str) -> dict[str, Any]:
        return {"id": f"f{next(ids)}", "at": at(when), "amount": amount}

    unit = {"type": row["type"], "plan_id": "p1", "day": given["day"], "kind": given.get("kind", "product")}
    own: dict[str, str] = {"boost_id": "b1"} if row["type"] == "boost" else {}
    optional: dict[str, Any] = {
        name: given[name] for name in ("bid_mode", "first_spend_day", "rapid_boost") if name in given
    }
    targets = given.get("targets", [["0 00:00" if row["type"] != "plan_day" else "-3 10:00", *given["goal"].split()]])
    case = {
        "policy": given["policy"],
        "unit": {**unit, **own, **optional},
        "targets": [{"at": at(when), "goal": goal, "value": value or None} for when, goal, value in targets],
        "charges": [fact(*told) for told in given.get("charges", [])],
        "orders": [fact(when, amount) for when, amount, times in given.get("orders", []) for _ in range(times)],
        "events": [{"at": at(when), "type": kind} for when, kind in given.get("events", [])],
        "now": at(given["now"]),
    }
    if row["type"] == "week":
        budgets = given.get("budgets", [["0 00:00", "300", "300"]])
        case["budgets"] = [{"at": at(when), "amount": amount, "suggested": told} for when, amount, *told in budgets]
        case["account_spend"] = [
            {"day": (first + timedelta(days=int(start) + later)).isoformat(), "amount": amount}
            for start, days, amount in given.get("account", [])
            for later in range(days)
        ]
    return case


def policy_of(case: Case) -> Policy:
    return shipped().in_force(case.policy, case.unit.day)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_the_book_of_units_holds(row: dict[str, Any]) -> None:
    case = parse_case(json.dumps(case_of(row)), "book")
    told = answer(evaluate(policy_of(case), case), case.unit.timezone)
    told["checks"] = [check["name"] for check in told["checks"] if not check["passed"]]  # type: ignore[attr-defined]
    assert {name: told.get(name) for name in row["expect"]} == row["expect"]


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_every_unit_of_the_book_can_be_explained(row: dict[str, Any]) -> None:
    case = parse_case(json.dumps(case_of(row)), "book")
    explanation = explain(policy_of(case), case)
    told = explanation["verdict"]
    counted = [charge for charge in explanation["charges"] if charge["left_out"] is None]
    assert sum(Fraction(charge["amount"]) for charge in counted) == Fraction(told["spend"])
    assert len([order for order in explanation["orders"] if order["left_out"] is None]) == told["orders"]
    assert (explanation["would_have_kept"] is None) == all(check["passed"] for check in told["checks"])


@pytest.mark.parametrize("row", [row for row in ROWS if row["type"] == "plan_day"], ids=lambda row: row["name"])
def test_every_plan_day_of_the_book_adds_up_from_its_facts_whatever_share_its_policy_pays(row: dict[str, Any]) -> None:
    case = parse_case(json.dumps(case_of(row)), "book")
    parts = list(checked(compensation_proof(policy_of(case), case)))
    assert parts[0].amount == evaluate(policy_of(case), case).compensation
    reduced = case.unit.rapid_boost and case.policy == "shopee-gmv-max"
    assert any(part.kind == "rapid_boost" for part in parts) is reduced


def test_names_in_the_book_are_unique() -> None:
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"unit": {"type": "month"}}, "unit.type: expected one of plan_day, boost, week"),
        ({"unit": {"type": "boost", "boost_id": "b", "plan_id": "p", "day": "2026-09-02"}}, "unit.day: 2026-09-02 is"),
        ({"unit": {"type": "boost", "plan_id": "p", "day": "2026-09-01"}}, "unit.boost_id: missing"),
        ({"unit": {"type": "week", "plan_id": "p", "day": "2026-09-01"}}, "unit: 2026-09-01 begins no week"),
        ({"unit": {"plan_id": "p", "day": "2026-09-01"}, "budgets": []}, "budgets: unknown key"),
        ({"events": [{"at": "2026-09-01T00:00:00+08:00", "type": "fraud"}]}, "events[0].type: expected one of pause"),
        (
            {"unit": {"plan_id": "p", "day": "2026-09-01"}, "targets": [{"goal": "conversion"}]},
            "targets[0].goal: expected one of payment, net, settled, overall, profit",
        ),
    ],
)
def test_faults_of_other_units_are_told_with_their_place(change: dict[str, Any], told: str) -> None:
    case = case_of({"type": "boost", "charges": [["0 09:00", "1.00"]]}) | change
    with pytest.raises(BadInput) as refusal:
        parse_case(json.dumps(case), "case.json")
    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("day", "first_spend_day", "week"),
    [
        ("2026-06-03", None, ("2026-06-01", "2026-06-07")),
        ("2026-06-07", None, ("2026-06-01", "2026-06-07")),
        ("2026-06-03", "2026-06-03", ("2026-06-03", "2026-06-14")),
        ("2026-06-14", "2026-06-03", ("2026-06-03", "2026-06-14")),
        ("2026-06-15", "2026-06-03", ("2026-06-15", "2026-06-21")),
        ("2026-06-08", "2026-06-01", ("2026-06-01", "2026-06-14")),
        ("2026-06-08", "2026-06-07", ("2026-06-07", "2026-06-14")),
    ],
)
def test_weeks_follow_the_first_spend_day(day: str, first_spend_day: str | None, week: tuple[str, str]) -> None:
    first = None if first_spend_day is None else date.fromisoformat(first_spend_day)
    assert tuple(map(str, week_of(date.fromisoformat(day), first))) == week


def test_units_of_one_plan_and_day_are_paid_apart() -> None:
    day = date(2026, 6, 1)
    units = [Unit("p", day), BoostUnit("p", day, boost_id="b"), BoostUnit("p", day, boost_id="c"), WeekUnit("p", day)]
    policy = shipped().in_force("seed", day)
    assert len({compensation_id(policy, unit) for unit in units}) == 4


# The rules read a second time, as plainly as they can be written.
MONDAY = date(2026, 6, 1)
BOOST = BoostUnit("p", MONDAY, boost_id="b")
WEEK = WeekUnit("p", MONDAY, PlanKind.PRODUCT, BidMode.MAX_DELIVERY)
START = BOOST.window[0]
amounts = st.integers(0, 300).map(lambda yuan: yuan * YUAN)


def times(days: int) -> st.SearchStrategy[int]:
    hours = st.integers(-1, 24 * days).map(lambda hour: START + hour * HOUR)
    return st.one_of(hours, st.integers(START, START + days * DAY))


@st.composite
def boosts(draw: st.DrawFn) -> Case:
    prices = draw(st.booleans())
    goals: st.SearchStrategy[Any] = st.just(Price.CONVERSION) if prices else st.sampled_from([Goal.PAYMENT, Goal.NET])
    values = st.sampled_from([Fraction(2), Fraction(15, 2), Fraction(40)])
    saved = st.builds(Target, times(2), goals, values)
    targets = (Target(START - DAY, draw(goals), draw(values)), *draw(st.lists(saved, max_size=4)))
    kinds = st.sampled_from([Event.TARGETING_CHANGE, Event.PLAN_TARGET_CHANGE, Event.DELETE])
    events = draw(st.lists(st.builds(PlanEvent, times(2), kinds), max_size=5))
    charges = [Charge(f"c{i}", max(at, START), a) for i, (at, a) in enumerate(draw(facts(2, 6)))]
    orders = [Order(f"o{i}", at, a) for i, (at, a) in enumerate(draw(facts(2, 24)))]
    now = START + draw(st.sampled_from([DAY, 2 * DAY, 9 * DAY]))
    return Case("qianchuan-creative-boost", BOOST, Log(targets, tuple(events)), tuple(charges), tuple(orders), now)


@st.composite
def weeks(draw: st.DrawFn) -> Case:
    minimums = st.builds(
        Target, times(7), st.just(Goal.PAYMENT), st.sampled_from([None, Fraction(2), Fraction(2), Fraction(7, 3)])
    )
    targets = (Target(START - DAY, Goal.PAYMENT, Fraction(2)), *draw(st.lists(minimums, max_size=2)))
    suggestions = st.sampled_from([(300,), (300, 500), (500,)])
    saved = st.builds(Budget, times(7), st.sampled_from([300, 300, 500]), suggestions)
    budgets = (Budget(START - DAY, 300, draw(suggestions)), *draw(st.lists(saved, max_size=3)))
    spent = st.builds(
        DaySpend, st.integers(-70, 3).map(lambda n: MONDAY + timedelta(days=n)), amounts.map(lambda a: 9 * a)
    )
    log = Log(targets, (), budgets, tuple(draw(st.lists(spent, max_size=4))))
    charges = [Charge(f"c{i}", at, a) for i, (at, a) in enumerate(draw(facts(7, 14)))]
    orders = [Order(f"o{i}", at, a) for i, (at, a) in enumerate(draw(facts(7, 3)))]
    return Case(
        "qianchuan-max-delivery",
        WEEK,
        log,
        tuple(charges),
        tuple(orders),
        START + draw(st.sampled_from([3, 7, 30])) * DAY,
    )


def facts(days: int, most: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    return st.lists(st.tuples(times(days), amounts), min_size=most // 2, max_size=most)


def latest(saved: Any, now: int) -> Callable[[int], Any]:
    """What was in force at a time, of what was saved by `now`; of two at once the later told."""
    known = sorted((one for one in saved if one.at <= now), key=lambda one: one.at)
    return lambda at: next((one for one in reversed(known) if one.at <= at), None)


def counted(case: Case, days: int) -> tuple[list[Charge], list[Order]]:
    def within(at: int) -> bool:
        return START <= at < START + days * DAY and at <= case.now

    return [c for c in case.charges if within(c.at)], [o for o in case.orders if within(o.at) and o.amount]


def changes_of_day(case: Case, day: int) -> tuple[int, int]:
    """How often the target (the boost's and its plan's) and the targeting were changed on a day."""
    start, end = START + day * DAY, START + (day + 1) * DAY
    by_time = {target.at: (target.goal, target.value) for target in case.log.targets if target.at <= case.now}
    own = [at for before, at in pairwise(sorted(by_time)) if by_time[before] != by_time[at]]
    told = {(event.at, event.type) for event in case.log.events if event.at <= case.now}
    of_plan = [at for at, kind in told if kind is Event.PLAN_TARGET_CHANGE]
    targeting = [at for at, kind in told if kind is Event.TARGETING_CHANGE]
    return sum(start <= at < end for at in own + of_plan), sum(start <= at < end for at in targeting)


def boost_by_hand(case: Case) -> tuple[str | None, Fraction]:
    charges, orders = counted(case, 2)
    target = latest(case.log.targets, case.now)
    spend, promised = Fraction(sum(c.amount for c in charges)), Fraction(0)
    for order in orders:
        held = target(order.at)
        promised += held.value * YUAN if held.goal is Price.CONVERSION else order.amount / held.value
    edits, targeting = zip(*(changes_of_day(case, day) for day in (0, 1)), strict=True)
    per_conversion = any(target(order.at).goal is Price.CONVERSION for order in orders)
    limit = Fraction(12, 10) * promised if per_conversion else promised / Fraction(8, 10)
    why_not = (
        ("too_many_changes" if max(edits) > 2 else None)
        or ("too_many_targeting_changes" if max(targeting) > 2 else None)
        or ("nothing_spent" if spend == 0 else None)
        or ("too_few_orders" if len(orders) < 10 else None)
        or ("roi_met" if spend <= limit else None)
    )
    return why_not, spend - promised


def effective(case: Case, charges: list[Charge], day: int) -> bool:
    start, end = START + day * DAY, START + (day + 1) * DAY
    budget, minimum = latest(case.log.budgets, case.now), latest(case.log.targets, case.now)
    saved = {told.at for told in case.log.budgets if told.at <= case.now}
    instants = [start, *sorted(at for at in saved if start < at < end)]
    states = [budget(at) for at in instants]
    switches = sum(budget(at - 1).amount != budget(at).amount for at in instants if at in saved)
    several = all(len(set(state.suggested)) > 1 for state in states)
    happened = [at for at in (*(c.at for c in charges), *(o.at for o in counted(case, 7)[1])) if start <= at < end]
    return (
        sum(c.amount for c in charges if start <= c.at < end) > 0
        and all(minimum(at).value is not None for at in happened)
        and all(state.amount in state.suggested for state in states)
        and switches <= (1 if several else 0)
    )


def week_by_hand(case: Case) -> tuple[str | None, Fraction]:
    charges, orders = counted(case, 7)
    minimum = latest(case.log.targets, case.now)
    days = [day for day in range(7) if effective(case, charges, day)]
    spent = [(c.amount, minimum(c.at).value) for c in charges if (c.at - START) // DAY in days]
    spend, gmv = sum(a for a, _ in spent), sum(o.amount for o in orders if (o.at - START) // DAY in days)
    mean = Fraction(sum(a * least for a, least in spent), spend) if spend else None
    first = {told.day: told.amount for told in reversed(case.log.account_spend)}
    by_day = {day: amount for day, amount in first.items() if date(2026, 4, 10) <= day < MONDAY}
    most = max((sum(a for d, a in by_day.items() if 0 <= (end - d).days < 30) for end in by_day), default=0)
    owed = spend - gmv / mean if mean else Fraction(spend)
    inside = [target.at for target in case.log.targets if START < target.at < min(START + 7 * DAY, case.now + 1)]
    why_not = (
        ("no_target" if all(minimum(at).value is None for at in (START, *inside)) else None)
        or ("account_too_large" if most > 5000 * YUAN else None)
        or ("too_few_effective_days" if len(days) < 3 else None)
        or ("spent_too_little" if spend < 80 * YUAN else None)
        or ("roi_met" if owed <= 0 else None)
    )
    return why_not, owed


@given(st.one_of(boosts(), weeks()))
def test_a_second_reading_agrees(case: Case) -> None:
    why_not, owed = boost_by_hand(case) if isinstance(case.unit, BoostUnit) else week_by_hand(case)
    verdict = evaluate(policy_of(case), case)
    at_once = why_not in ("too_many_changes", "too_many_targeting_changes", "no_target", "account_too_large")
    judged = case.now >= START + (2 if isinstance(case.unit, BoostUnit) else 7) * DAY
    assert verdict.compensation == (0 if why_not else round(owed / 10_000) * 10_000)
    assert verdict.reason == (why_not if judged or at_once else None)
    assert any(not check.passed and check.reason == why_not for check in verdict.checks) == (why_not is not None)


@given(st.one_of(boosts(), weeks()), st.randoms(use_true_random=False))
def test_neither_the_order_of_facts_nor_telling_them_twice_matters(case: Case, random: Any) -> None:
    def twice(told: Any) -> Any:
        return tuple(random.sample(told + told, 2 * len(told)))

    by_time = {target.at: target for target in case.log.targets}
    budgets = {budget.at: budget for budget in case.log.budgets}
    by_day = {told.day: told for told in reversed(case.log.account_spend)}
    saved = Log(tuple(by_time.values()), case.log.events, tuple(budgets.values()), tuple(by_day.values()))
    again = replace(
        case, log=Log(*map(twice, saved)), charges=twice(case.charges), orders=twice(case.orders)
    )  # of two saved at once the later in the file wins, so these are made one first
    assert evaluate(policy_of(case), again) == evaluate(policy_of(case), case)


@given(weeks())
def test_a_day_of_a_week_counts_whole_or_not_at_all(case: Case) -> None:
    explanation = explain(policy_of(case), case)
    skipped = {day["day"] for day in explanation["days"] if day["ineffective"]}
    for fact in (*explanation["charges"], *explanation["orders"]):
        if fact["left_out"] is None:
            assert datetime.fromisoformat(fact["at"]).date().isoformat() not in skipped
