"""Shops that fall ill: kinds of shops, what goes wrong with them, and their days lived through the production engine.

A past is lived once and goes on many times: well, and into each of its incidents, with the same people and draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import duckdb
import numpy as np
import numpy.typing as npt

from benchmarks.lived import Life, State
from qianheng.actions.histories import KnownPlan, KnownShop, counted, dated, figured, hour_of
from qianheng.core.days import midnight
from qianheng.facts.batch import FactBatch, join
from qianheng.facts.opportunities import Decisions, Opportunities
from qianheng.facts.schema import Kind
from qianheng.incentives.terms import Terms
from qianheng.measures.days import Days
from qianheng.measures.history import About, History, PlanHistory, Setting, ShopHistory, Subject
from qianheng.measures.query import subjects
from qianheng.measures.reports import Figures
from qianheng.plans.plan import apply, change
from qianheng.simulator.faults import PlannedFault
from qianheng.simulator.loading import load
from qianheng.simulator.market import Market, Reaction
from qianheng.simulator.scenario import Scenario
from qianheng.store.incentives import Rules as Incentives

CALM, ILL = 21, 7  # days of every shop before it falls ill, and after
AHEAD = 7  # days that an order may come after its click
KINDS = (Kind.IMPRESSION, Kind.CLICK, Kind.CHARGE, Kind.ORDER, Kind.REFUND, Kind.LIVE)
CLICKS = {"feed": 0.055, "live_square": 0.085, "mall": 0.075, "search": 0.10}  # one request stands for some
DORMANT = PlannedFault("rival_entered", 3000, "00:00", size=1.0)  # so that every branch has as many rivals


@dataclass(frozen=True, slots=True)
class Shop:
    """A kind of shop: prices of its products, how readily they sell, whether it has a live room."""

    name: str
    category: str
    prices: tuple[int, ...]
    conversion: float
    organic: int  # orders a day of each product
    target: float
    budget: int
    live: bool = False
    requests: int = 8000


TRAINING = (
    Shop("wear", "womenswear", (129, 59, 99), 4.0, 15, 8, 350, live=True),
    Shop("food", "food", (39, 29, 59, 19), 5.0, 20, 5, 260),
)
HELD_OUT = (
    Shop("menswear", "menswear", (149, 89, 69, 119), 4.0, 14, 8, 300, live=True),
    Shop("beauty", "beauty", (199, 99, 139), 4.0, 15, 9, 300),
    Shop("home", "home", (79, 49, 109, 39, 59), 5.0, 14, 6, 300, live=True),
    Shop("electronics", "electronics", (299, 399), 4.5, 16, 14, 350),
)


@dataclass(frozen=True, slots=True)
class Incident:
    """A fault, how large ("strong" or "weak"), and what it is of."""

    fault: PlannedFault
    size: str
    subject: Subject


def incidents_of(shop: Shop) -> list[Incident]:
    """What goes wrong with a shop, strong and weak; the day's hour differs by kind."""
    first, last = Subject(About.PRODUCT, "11"), Subject(About.PRODUCT, str(10 + len(shop.prices)))
    whole, creative = Subject(About.SHOP, "1"), Subject(About.CREATIVE, "1101")
    ill = partial(PlannedFault, day=CALM + 1)
    found = [
        Incident(ill("refund_wave", time="09:00", size=5.0, products=(11,)), "strong", first),
        Incident(ill("refund_wave", time="13:00", size=3.0), "strong", whole),
        Incident(ill("refund_wave", time="10:00", size=2.0, products=(11,)), "weak", first),
        Incident(ill("wrong_price", time="11:00", size=0.3, products=(int(last.id),)), "strong", last),
        Incident(ill("wrong_price", time="15:00", size=2.0, products=(11,)), "strong", first),
        Incident(ill("wrong_price", time="09:00", size=0.75, products=(11,)), "weak", first),
        Incident(ill("stock_out", time="10:00", products=(11,)), "strong", first),
        Incident(ill("stock_out", time="18:00", products=(int(last.id),)), "strong", last),
        Incident(ill("stock_out", time="09:00", size=0.5, products=(11,)), "weak", first),
        Incident(ill("tracking_broken", time="12:00"), "strong", whole),
        Incident(ill("tracking_broken", time="09:00", lost="buyers"), "strong", whole),
        Incident(ill("tracking_broken", time="09:00", size=0.5), "weak", whole),
        Incident(ill("tired_creative", time="08:00", size=0.3, over=12, creatives=(1101,)), "strong", creative),
        Incident(ill("tired_creative", time="08:00", size=0.55, over=24, creatives=(1101,)), "weak", creative),
        Incident(ill("rival_entered", time="10:00", size=5.0), "strong", whole),
        Incident(ill("rival_entered", time="10:00", size=2.5), "weak", whole),
    ]
    if shop.live:
        off_air = ill("off_air_spend", time="21:00", hours=14.0, room=1)
        found.append(Incident(off_air, "strong", Subject(About.PLAN, "2")))
    return found


def scenario_of(shop: Shop, days: int) -> Scenario:
    """A shop's market."""
    products = [
        f'{{ id = {11 + n}, name = "{shop.name} {n}", category = "{shop.category}", price = {price}, '
        f"organic = {shop.organic}, product_cost = {price // 3}, conversion = {shop.conversion}, creatives = ["
        + ", ".join(f'{{ id = {100 * (11 + n) + k}, name = "c", appeal = {1.1 if k == 1 else 1.0} }}' for k in (1, 2))
        + "] }"
        for n, price in enumerate(shop.prices)
    ]
    ids = list(range(11, 11 + len(shop.prices)))
    odd = '{ on = "08:59", off = "10:59", days = [31, 45, 59, 73] }'  # now and then a session at an odd hour
    room = f'[{{ id = 1, name = "r", products = {ids}, sessions = [{{ on = "13:59", off = "21:59" }}, {odd}] }}]'
    of_plan = f'shop = 1, budget_daily = {shop.budget}, products = {ids}, policy = "none"'
    plans = [f'{{ id = 1, name = "p", kind = "product", goal = "net", {_target(shop, shop.target, days)}, {of_plan} }}']
    if shop.live:
        live = f'kind = "live", goal = "payment", {_target(shop, shop.target + 1, days)}, room = 1, counting = "all"'
        plans.append(f'{{ id = 2, name = "l", {live}, {of_plan} }}')
    return load(
        "tiny",
        {
            "days": str(days),
            "opportunities_per_day": str(shop.requests),
            "step_minutes": "60",
            "journal": "0",
            "buyers.population": "12000",
            "ad_account.top_up": "100000000",
            "shops.0.products": f"[{', '.join(products)}]",
            "rooms": room,
            "plans": f"[{', '.join(plans)}]",
            "rivals.0.count": "5",
            "rivals.0.budget_daily": "1000",
            **{f"placements.{place}.click": str(click) for place, click in CLICKS.items()},
        },
    )


def _target(shop: Shop, target: float, days: int) -> str:
    """A plan's target, and what the owner of a well shop changes: every other week target and budget, and back."""
    made = []
    for week in range(4, days // 7, 2):
        raised = week % 4 == 0
        now = f'day = {7 * week + 3}, time = "10:00"'
        made.append(f'{{ {now}, field = "target", value = "{target * (1.1 if raised else 1.0):.2f}" }}')
        made.append(f'{{ {now}, field = "budget_daily", value = "{shop.budget * (0.7 if raised else 1.0):.0f}" }}')
    return f"target = {target}, changes = [{', '.join(made)}]"


class Witness(Market):
    """A market that remembers what it was told and asked, so that another one can be told and asked the same."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        super().__init__(scenario, seed)
        self.asked: list[Callable[[Market], object]] = []

    def react(self, batch: Opportunities, decisions: Decisions) -> Reaction:
        """As it does."""
        self.asked.append(lambda market: market.react(batch, decisions))
        return super().react(batch, decisions)

    def facts(self, start: int, end: int) -> FactBatch:
        """As it does."""
        self.asked.append(lambda market: market.facts(start, end))
        return super().facts(start, end)


class Past:
    """A shop's days as facts, and the history that is made of them."""

    def __init__(self, scenario: Scenario, seed: int, make_market: Callable[[Scenario, int], Market] = Market) -> None:
        self.life = Life(scenario, seed, make_market=make_market)
        self.facts: list[FactBatch] = []
        self.day = 0

    def live(self, days: int) -> None:
        """Live on."""
        for _ in range(days):
            self.day += 1
            run, _ = self.life.day(self.day)
            self.facts.append(FactBatch({kind: run.facts[kind] for kind in KINDS}))

    def state(self) -> State:
        """To go on from."""
        return {name: held.copy() for name, held in self.life.driver.snapshot().items()}

    def branch(self, scenario: Scenario, state: State) -> Past:
        """The same past, going on in another scenario."""
        other = Past(scenario, self.life.seed)
        other.life.resume(state)
        other.facts, other.day = list(self.facts), self.day
        return other

    def history(self, days: int) -> History:
        """The last days by the hour, as told at the end of the last."""
        scenario, zone = self.life.scenario, self.life.scenario.timezone
        last = scenario.first_day + timedelta(days=self.day)
        now = midnight(last, zone)
        told = join(self.facts).received_before(self.life.start(self.day + 1))
        with duckdb.connect() as connection:
            for kind in KINDS:
                connection.register(f"{kind}s", told[kind])
            asked = Days(last - timedelta(days=days), last, zone)
            answer = connection.sql(subjects(asked, hourly=True)).to_arrow_table()
        mine = [known(scenario, plan.id, now) for plan in scenario.plans]
        shop = KnownShop(1, mine, {}, Incentives(Terms({})))
        hours = dated(figured(counted(answer, shop), shop, now, True), lambda number: hour_of(number, zone))
        plans = {str(one.plan.id): _plan(one) for one in mine}
        return History("run", ShopHistory("1"), zone, now, {}, hours, plans)


class Early:
    """A shop's first weeks, lived once, from which it goes on many times.

    Buyers decide up to a week ahead when they order, and by what is wrong at that hour. A market in which something
    will go wrong is therefore asked once more for the last week, with the same looks: from there it has its own orders
    to come, and all else is as it was.
    """

    def __init__(self, well: Scenario, seed: int) -> None:
        self.well = well
        self._past = Past(well, seed, Witness)
        self._past.live(CALM - AHEAD)
        self._before = self._market_state()
        witness = self._past.life.driver.market
        assert isinstance(witness, Witness)
        witness.asked.clear()
        self._past.live(AHEAD)
        self._asked, self._state = witness.asked, self._past.state()

    def go_on(self, scenario: Scenario) -> Past:
        """The day after is the next to be lived, in this scenario."""
        market = Market(scenario, self._past.life.seed)
        market.restore(self._before)
        for ask in self._asked:
            ask(market)
        told = market.snapshot()
        booked = {f"market/{name}": told[name] for name in ("orders", "refunds")}
        return self._past.branch(scenario, {**self._state, **booked})

    def _market_state(self) -> dict[str, npt.NDArray[np.generic]]:
        return {
            name.removeprefix("market/"): held
            for name, held in self._past.state().items()
            if name.startswith("market/")
        }


def known(scenario: Scenario, plan_id: int, now: datetime) -> KnownPlan:
    """A plan of a scenario and its settings up to a time."""
    (planned,) = (plan for plan in scenario.plans if plan.id == plan_id)
    plan = scenario.plan_record(planned)
    began = midnight(scenario.first_day, scenario.timezone)
    settings = [Setting(began, plan.goal, plan.bid_mode, plan.target, plan.budget_daily, plan.status)]
    for version, made in enumerate((made for made in scenario.changes_of(planned) if made.at <= now), 1):
        plan = apply(plan, change(plan, version, made.at, "owner", "", **made.after))
        settings.append(Setting(made.at, plan.goal, plan.bid_mode, plan.target, plan.budget_daily, plan.status))
    return KnownPlan(plan, tuple(settings), scenario.first_day)


def _plan(one: KnownPlan) -> PlanHistory:
    plan = one.plan
    room = None if plan.room_id is None else str(plan.room_id)
    subject = Subject(About.PLAN, str(plan.id), plan.name)
    return PlanHistory(
        subject, plan.kind, plan.policy, one.settings, tuple(map(str, plan.product_ids)), room, one.began
    )


def week_before(history: History, subject: Subject, start: datetime) -> list[Figures]:
    """The hours of a subject in the week before a time."""
    told = history.hours.get(replace(subject, within=""), {})
    return [figures for at, figures in told.items() if start - timedelta(days=7) <= at < start]
