"""Scenarios lived through the production engine without books, and what each plan's day came to under its guarantee."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy.typing as npt

from qianheng.actions.driver import DayRun, Driver, TimedPlan
from qianheng.actions.scoring import Score
from qianheng.actions.simulation import recorder_of, site_of, space_of
from qianheng.bidding.bidder import Bidder
from qianheng.bidding.protocol import MakeBidder
from qianheng.core.days import microseconds, midnight
from qianheng.core.money import YUAN
from qianheng.delivery.engine import Engine
from qianheng.facts.batch import FactBatch, join
from qianheng.facts.schema import Channel, Kind
from qianheng.guarantee.case import Case, Charge, Log, Order, Refund, Target, Unit
from qianheng.guarantee.figures import add_up, sift
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.verdict import judge
from qianheng.measures.days import date_of, day_numbers
from qianheng.measures.query import PlanDay as PlanDate
from qianheng.measures.query import grouped
from qianheng.plans.allowance import NOTHING, Lease
from qianheng.plans.plan import Counting, Plan, apply, change
from qianheng.simulator.market import Market
from qianheng.simulator.scenario import Scenario

State = Mapping[str, npt.NDArray[Any]]
_END = microseconds(datetime(9000, 1, 1, tzinfo=UTC))  # everything is known by then
MONEY = (Kind.CHARGE, Kind.ORDER, Kind.REFUND)


@dataclass(frozen=True, slots=True)
class Lived:
    """Some days of one run: the facts about money, and each plan's score by truth on each day (from 1)."""

    scenario: Scenario
    seed: int
    facts: FactBatch
    scores: Mapping[tuple[int, int], Score]
    leases: Mapping[tuple[int, int], int]  # what each plan could have spent, micro-yuan


@dataclass(frozen=True, slots=True)
class PlanDay:
    """A plan's day in yuan, as the guarantee counts it."""

    seed: int
    plan_id: int
    day: int
    spend: float
    budget: float
    orders: int
    promised: float  # Σ GMV / target: what might have been spent
    noise: float  # variance of `promised` if orders come by chance: Σ (GMV / target)² of its orders
    compensation: float
    truth: float  # true expected GMV / target of what was shown
    best: float  # of the hindsight optimum


class Life:
    """A scenario's market and the driver that lives in it, a day after the other."""

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        make_bidder: MakeBidder = Bidder,
        make_market: Callable[[Scenario, int], Market] = Market,
    ) -> None:
        self.scenario, self.seed = scenario, seed
        self.changes = _terms(scenario)
        plans, start = scenario.plan_records(), self.start(1)
        engine = Engine(plans, space_of(scenario), site_of(scenario), start, make_bidder)
        self.driver = Driver(make_market(scenario, seed), engine, recorder_of(scenario), seed, scenario.prediction)
        for plan in plans:
            self.driver.recorder.change(start, plan, 0)

    def start(self, day: int) -> int:
        """The first instant of a delivery day (from 1), UTC microseconds."""
        return microseconds(midnight(self.scenario.first_day + timedelta(days=day - 1), self.scenario.timezone))

    def resume(self, state: State) -> None:
        """Begin the day after the last one that another life of the same plans and buyers has lived."""
        self.driver.restore(state)

    def day(self, day: int) -> tuple[DayRun, dict[int, int]]:
        """Deliver one day; what each plan could have spent, micro-yuan."""
        start, end = self.start(day), self.start(day + 1)
        changes = [timed for timed in self.changes if start <= timed.at < end]
        budgets = [*self.driver.engine.plans, *(timed.plan for timed in changes)]
        highest = {plan.id: plan.budget_daily for plan in sorted(budgets, key=lambda plan: plan.budget_daily)}
        leases = {plan_id: Lease(budget, NOTHING) for plan_id, budget in highest.items()}
        return self.driver.run_day(start, end, changes, leases), highest

    def live(self, days: Sequence[int], settling: int = 0) -> Lived:
        """Deliver these days, then let orders and refunds come in for some days more."""
        scores: dict[tuple[int, int], Score] = {}
        lent: dict[tuple[int, int], int] = {}
        told = []
        for day in days:
            run, highest = self.day(day)
            scores |= {(plan_id, day): score for plan_id, score in run.scores.items()}
            lent |= {(plan_id, day): budget for plan_id, budget in highest.items()}
            told.append(FactBatch({kind: run.facts[kind] for kind in MONEY}))
        last = days[-1] + 1
        told += [self.driver.drain_day(self.start(day), self.start(day + 1)) for day in range(last, last + settling)]
        return Lived(self.scenario, self.seed, join(told), scores, lent)


def plan_days(lived: Lived) -> list[PlanDay]:
    """What every plan's day came to, on all facts that are known."""
    spend, orders = _spend(lived), _orders(lived)
    found = []
    for plan in lived.scenario.plan_records():
        changed = [timed for timed in _terms(lived.scenario) if timed.plan.id == plan.id]
        log = Log((_target(0, plan), *(_target(timed.at, timed.plan) for timed in changed)))
        for plan_id, day in lived.scores:
            if plan_id == plan.id:
                key = plan.id, lived.scenario.first_day + timedelta(days=day - 1)
                unit = Unit(str(plan.id), key[1], plan.kind, plan.bid_mode, plan.timezone)
                charge = Charge("all", unit.window[0], spend.get(key, 0))
                case = Case(plan.policy, unit, log, (charge,), tuple(orders.get(key, ())), _END)
                found.append(_judged(lived, (plan, day), case))
    return found


def _judged(lived: Lived, of: tuple[Plan, int], case: Case) -> PlanDay:
    """The verdict on a plan's day, and how much of its ROI chance alone may move."""
    plan, day = of
    sifted = sift(case)
    figures = add_up(case, sifted)
    verdict = judge(shipped().in_force(plan.policy, case.unit.day), case.unit, case.log, figures, case.now)
    worths = [float(counted.gmv / (sifted.targets[counted.period].value or 1)) / YUAN for counted in sifted.orders]
    score = lived.scores[plan.id, day]
    return PlanDay(
        seed=lived.seed,
        plan_id=plan.id,
        day=day,
        spend=verdict.sums.spend / YUAN,
        budget=lived.leases[plan.id, day] / YUAN,
        orders=verdict.sums.orders,
        promised=float(verdict.sums.promised) / YUAN,
        noise=sum(worth**2 for worth in worths),
        compensation=verdict.compensation / YUAN,
        truth=score.worth / YUAN,
        best=score.best / YUAN,
    )


def _terms(scenario: Scenario) -> list[TimedPlan]:
    """The plans as the scenario changes them, in order of time."""
    plans = {plan.id: (plan, 0) for plan in scenario.plan_records()}
    made = []
    for timed in scenario.timed_changes():
        plan, version = plans[timed.plan_id]
        entry = change(plan, version + 1, timed.at, "scenario", "", **timed.after)
        plans[plan.id] = apply(plan, entry), version + 1
        made.append(TimedPlan(microseconds(timed.at), *plans[plan.id]))
    return made


def _target(at: int, plan: Plan) -> Target:
    return Target(at, plan.goal, None if plan.target is None else Fraction(plan.target))


def _spend(lived: Lived) -> dict[PlanDate, int]:
    charges = lived.facts[Kind.CHARGE]
    days = day_numbers(charges["at"].to_numpy(), lived.scenario.timezone)
    sums = grouped(charges["plan_id"].to_numpy(), days, {"spend": charges["amount"].to_numpy()})
    return {key: found.spend for key, found in sums.items()}


def _orders(lived: Lived) -> dict[PlanDate, list[Order]]:
    """The orders that count for each plan and day, with their refunds."""
    refunds: dict[int, list[Refund]] = {}
    for row in lived.facts[Kind.REFUND].to_pylist():
        refunds.setdefault(row["order_id"], []).append(Refund(str(row["id"]), row["at"], row["amount"]))
    all_count = {plan.id for plan in lived.scenario.plan_records() if plan.counting is Counting.ALL}
    table = lived.facts[Kind.ORDER]
    dates = map(date_of, day_numbers(table["at"].to_numpy(), lived.scenario.timezone).tolist())
    orders: dict[PlanDate, list[Order]] = {}
    for date, row in zip(dates, table.to_pylist(), strict=True):
        if row["channel"] == Channel.PROMOTED or row["plan_id"] in all_count:
            sold = Order(str(row["id"]), row["at"], row["amount"], refunds=tuple(refunds.get(row["id"], ())))
            orders.setdefault((row["plan_id"], date), []).append(sold)
    return orders
