"""Advice on setting a shop up, of a run at the desk or of imported reports: everything looked at once (SPEC 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.histories import Asked, history_of
from qianheng.actions.incrementality import Incrementality, beside
from qianheng.actions.policies import policies
from qianheng.bidding.frontier import Curve, Deal, peak
from qianheng.core.errors import NotFound
from qianheng.guarantee.policy import Rules as GuaranteeRules
from qianheng.measures.days import Days
from qianheng.measures.history import About, History, Subject
from qianheng.measures.query import plan_product
from qianheng.store import incentives, runs
from qianheng.store.database import own_file, reading
from qianheng.strategy.breakeven import Best, Breakeven, breakeven_of, breakevens
from qianheng.strategy.creators import CreatorAdvice, CreatorSales, rank
from qianheng.strategy.goals import GoalAdvice, advise_goal
from qianheng.strategy.industries import Industries, industries
from qianheng.strategy.promotions import Calendar, PromotionAdvice, Terms, advise_promotion, calendar
from qianheng.strategy.rules import AdviceRules, advice_rules
from qianheng.strategy.split import SplitAdvice, advise_split
from qianheng.strategy.targets import TargetAdvice, advise_target
from qianheng.strategy.tiers import TierAdvice, advise_products

MONTH = 30
LOOKED_BACK = MONTH + 1  # days, so that thirty whole ones are among them


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules in force: the owner's copies in the home folder, or those shipped."""

    advice: AdviceRules
    calendar: Calendar
    industries: Industries


@dataclass(frozen=True, slots=True)
class Looked:
    """What advice is given on: a history, the most profitable point of each plan that has one, the creators, and what
    promotion adds where users are held out.
    """

    history: History
    best: Mapping[str, Best] = field(default_factory=dict)
    creators: CreatorAdvice = field(default_factory=lambda: rank(()))
    added: Incrementality | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """All advice on a shop at once."""

    breakevens: tuple[Breakeven, ...]
    targets: tuple[TargetAdvice, ...]
    goal: GoalAdvice
    split: SplitAdvice
    promotion: PromotionAdvice
    products: TierAdvice
    creators: CreatorAdvice


def rulebook() -> Rulebook:
    """The rules in force now. A broken copy of the owner's: BadInput with its file and keys."""
    return Rulebook(
        advice_rules(own_file("advice.toml")),
        calendar(own_file("promotions.toml")),
        industries(own_file("industries.toml")),
    )


def look_at_run(desk: Desk, shop_id: str = "") -> Looked:
    """What is known of a shop of a run at the desk's time."""
    history = history_of(desk, Asked(shop_id, LOOKED_BACK))
    with reading(desk.database) as connection:
        best, creators = _best(desk, connection, history), _creators(desk, connection, history)
    return Looked(history, best, creators, beside(desk))


def advise(looked: Looked, rules: Rulebook) -> Advice:
    """All advice on what is known."""
    history = looked.history
    split = advise_split(history, rules.advice.split)
    return Advice(
        breakevens=breakevens(history, rules.advice.target.rate_days),
        targets=targets(looked, rules),
        goal=advise_goal(history, rules.advice.goal),
        split=split,
        promotion=promotion(looked, rules),
        products=advise_products(history, rules.advice.tiers, rules.industries, split.budget),
        creators=looked.creators,
    )


def targets(looked: Looked, rules: Rulebook, plan_id: str = "") -> tuple[TargetAdvice, ...]:
    """The advice on the target of one plan, or of all. No such plan: NotFound."""
    wanted = [plan_id] if plan_id else list(looked.history.plans)
    return tuple(advise_target(looked.history, one, rules.advice.target) for one in wanted)


def promotion(looked: Looked, rules: Rulebook, name: str = "") -> PromotionAdvice:
    """The schedules for the next promotion, or for the one of a name, under each plan's guarantee."""
    terms = Terms(rules.advice.promotion, rules.advice.target, _guarantees(looked.history))
    return advise_promotion(looked.history, rules.calendar, terms, name)


def _guarantees(history: History) -> dict[str, GuaranteeRules]:
    """What guarantees each plan, of those whose policy is known and promises something."""
    found = {}
    for plan_id, plan in history.plans.items():
        if plan.policy is None:
            continue
        try:
            rules = policies().in_force(plan.policy, history.today).rules
        except NotFound:  # a policy the owner named that is not installed here: nothing is known of its rules
            continue
        if rules is not None:
            found[plan_id] = rules
    return found


def _best(desk: Desk, connection: Connection, history: History) -> dict[str, Best]:
    """Where the profit of each plan is highest, as its landscape looked at the end of the last day lived."""
    (run_id, _), *_ = runs.begun(connection).items()
    told = [one for day, one in runs.told(connection, run_id).items() if day < history.today and "landscape" in one]
    if not told:
        return {}
    found = {plan_id: _peak(history, plan_id, told[-1]) for plan_id in history.plans}
    return {plan_id: best for plan_id, best in found.items() if best is not None}


def _peak(history: History, plan_id: str, told: Mapping[str, Any]) -> Best | None:
    plan = history.plans[plan_id]
    outlook, points = told.get("outlook", {}).get(plan_id), told["landscape"].get(plan_id, [])
    known, setting = breakeven_of(history, plan.subject), plan.set_at(history.now)
    if outlook is None or not points or known.payment is None or setting is None or not setting.budget_daily:
        return None
    curve = Curve(*np.array([point[:3] for point in points], float).T)
    found = peak(curve, Deal(*outlook["deal"]), float(1 / known.payment), float(setting.budget_daily))
    if found is None:
        return None
    roi, target = (Fraction(one).limit_denominator(10**6) for one in (found.payment_roi, found.target))
    return Best(roi, target, round(found.spend), round(found.profit))


def _creators(desk: Desk, connection: Connection, history: History) -> CreatorAdvice:
    """What was sold in the rooms of creators in the last thirty days, whatever brought the orders."""
    names = incentives.rules(connection).creators or {}
    first, last = history.back(MONTH)
    rows = desk.lake.query(connection, plan_product(Days(first, last, history.timezone)), as_of=desk.now).to_pylist()
    mine = {id_ for id_, one in incentives.products(connection).items() if str(one.shop_id) == history.shop.id}
    found = []
    for room_id, name in names.items():
        sold = [row for row in rows if row["room_id"] == room_id and row["product_id"] in mine]
        sums = {key: sum(row[key] for row in sold) for key in ("orders", "gmv", "refunded_1h", "commission")}
        spend = history.whole(Subject(About.ROOM, str(room_id)), first, last).spend or 0
        if sold or spend:
            found.append(CreatorSales(name, str(room_id), spend=spend, **sums))
    return rank(found)
