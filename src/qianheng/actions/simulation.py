"""`run_simulation`: a market lived day by day through the production engine, every fact and every yuan kept.

A day ends with one SQL transaction: its facts become visible, its spend is captured, units whose window has closed are
judged and credited, and the state to go on from is stored. Killed anywhere, the run goes on at the last such day.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection
from sqlalchemy import Engine as Database
from sqlalchemy.exc import OperationalError

from qianheng.actions import alerts, books, close, pools, splits, subsidy
from qianheng.actions.changes import RefusedChange, make_changes, marketplace_of
from qianheng.actions.desk import locked
from qianheng.actions.driver import SERVED, DayRun, Driver, TimedPlan
from qianheng.actions.frontier import outlooks
from qianheng.actions.gap import Cause
from qianheng.actions.incentives import tell_limit
from qianheng.actions.incrementality import kept
from qianheng.actions.members import founders
from qianheng.actions.picks import recommended
from qianheng.actions.profit import goods_of
from qianheng.actions.responses import responses
from qianheng.actions.simulated_advice import Mornings, allow
from qianheng.actions.terms import goods_kept, rules_of
from qianheng.actions.trials import let_join
from qianheng.bidding.curves import GRID
from qianheng.core.days import MINUTE, microseconds, midnight
from qianheng.core.errors import BadInput, Refused
from qianheng.core.ids import stable_id
from qianheng.core.money import YUAN
from qianheng.delivery.engine import Engine
from qianheng.delivery.recorder import Recorder
from qianheng.delivery.site import Site
from qianheng.facts.schema import Kind
from qianheng.incentives.coupons import Wallet
from qianheng.plans.allowance import Lease
from qianheng.plans.plan import Plan
from qianheng.prediction.space import Space
from qianheng.simulator.loading import load
from qianheng.simulator.market import Market
from qianheng.simulator.scenario import Scenario
from qianheng.store import audit, boosts, incentives, members, plans, runs
from qianheng.store.database import connect, home, migrate, reading
from qianheng.store.lake import Lake

SETTLING_DAYS = 8  # after the last delivery day, before its refund windows have closed
PATIENCE_DAYS = 30  # a holiday is never longer than that


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run: a shipped scenario's name or a file, a seed (the scenario's own if `None`), and changes to it."""

    source: str
    seed: int | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False  # forget what an earlier, unfinished run of the same request has lived
    folder: Path | None = None  # where runs are kept; default: `runs` in the home folder
    until: date | None = None  # stop at the beginning of that day; asked again, the run goes on
    watch: bool = False  # raise alerts while it is lived


@dataclass(frozen=True, slots=True)
class DayTold:
    """A day that has been lived, for whoever watches: micro-yuan, and how fast it went."""

    day: date
    number: int
    days: int
    delivering: bool
    opportunities: int
    spend: int
    gmv: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run: where its database and lake are, what it was a run of, the next day to live and whether there is one."""

    path: Path
    run_id: int
    scenario: Scenario
    seed: int
    seconds: float
    next_day: date
    finished: bool

    def database(self) -> Database:
        """The run's own database."""
        return connect(f"sqlite:///{self.path / 'run.db'}")

    def lake(self) -> Lake:
        """The run's own lake of facts."""
        return Lake(self.path / "lake")


def run_simulation(request: RunRequest, watch: Callable[[DayTold], None] = lambda _: None) -> RunFolder:
    """Live a scenario to the last payment. The same request gives the same bytes; an unfinished run goes on.

    A scenario that cannot be used: BadInput or NotFound, nothing is written. A finished run that people have worked on
    is not forgotten unless it is to be `fresh`: Refused. A folder that cannot be written to, or is full: BadInput; the
    days lived so far are kept.
    """
    began = time.perf_counter()
    scenario = load(request.source, request.overrides)
    seed = scenario.seed if request.seed is None else request.seed
    folder = _folder(request, scenario, seed)
    run = _Run(folder, watch, request.watch)
    try:
        run.live(request.fresh, request.until)
    except BrokenPipeError:  # whoever watched has gone; the folder is well
        raise
    except (OSError, OperationalError) as error:
        why = getattr(error, "orig", error)
        raise BadInput("simulation.cannot_write", place=str(folder.path), why=why) from error
    seconds = time.perf_counter() - began
    return RunFolder(folder.path, folder.run_id, scenario, seed, seconds, run.day, run.finished)


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path
    run_id: int
    scenario: Scenario
    seed: int


def _folder(request: RunRequest, scenario: Scenario, seed: int) -> _Folder:
    """The folder of this very run: another scenario, seed or change to it has another."""
    run_id = stable_id("run", repr(scenario), seed, *map(repr, scenario.extras))
    runs_folder = request.folder or home() / "runs"
    return _Folder(runs_folder / f"{scenario.name}-{seed}-{run_id % 16**6:06x}", run_id, scenario, seed)


class _Run:
    """One run on its way: the market and engine in memory, the books on disk."""

    def __init__(self, folder: _Folder, watch: Callable[[DayTold], None], alerting: bool) -> None:
        self.folder, self.scenario, self.watch = folder, folder.scenario, watch
        self.alerting = alerting
        self.first, self.timezone = self.scenario.first_day, self.scenario.timezone
        self.last = self.first + timedelta(days=self.scenario.days - 1)

    def live(self, fresh: bool, until: date | None) -> None:
        """Live every day that has not been lived yet, to the last payment or up to a day."""
        with locked(self.folder.path, alone=True):
            self._open(fresh)
            while not self.finished and (until is None or self.day < until):
                self._live_day(self.day)
            self.database.dispose()

    def _open(self, fresh: bool) -> None:
        """Begin, or go on from the last whole day."""
        path = self.folder.path
        known = None if fresh else self._known(path)
        if known is None or known.finished:
            _clear(path)
        self.database, self.lake = connect(f"sqlite:///{path / 'run.db'}"), Lake(path / "lake")
        migrate(self.database)
        with self.database.begin() as connection:
            self._begin(connection)
            self.lake.sweep(connection)
            progress = runs.progress(connection, self.folder.run_id)
            assert progress is not None  # begun just above
            self.day, self.finished = progress.next_day, progress.finished
            self._build(connection, progress.state)
        if progress.state:
            self.driver.restore(progress.state)

    def _known(self, path: Path) -> runs.Progress | None:
        if not (path / "run.db").exists():
            return None
        database = connect(f"sqlite:///{path / 'run.db'}")
        migrate(database)
        with reading(database) as connection:
            progress, worked_on = runs.progress(connection, self.folder.run_id), audit.by_people(connection)
        database.dispose()
        if progress is not None and progress.finished and worked_on:
            raise Refused("simulation.worked_on", place=str(path))
        return progress

    def _begin(self, connection: Connection) -> None:
        """Enter the run, its accounts and its plans, unless that was done before."""
        at = midnight(self.first, self.timezone)
        request = {"scenario": self.scenario.name, "seed": self.folder.seed, "days": self.scenario.days}
        request |= {"journal": self.scenario.journal, "timezone": self.timezone}
        request |= {"marketplace": marketplace_of(self.scenario).kept()}
        request |= kept(self.scenario.hold_outs())
        runs.begin(connection, self.folder.run_id, request, self.first)
        books.open_accounts(connection, self.scenario.ad_account.id, self.scenario.top_up(), at)
        for plan in self.scenario.plan_records():
            plans.create(connection, plan)
            tell_limit(connection, plan, rules_of(self.scenario).terms, at)
        for boost in self.scenario.boost_records():
            boosts.create(connection, boost)
        for member in founders({shop.id: shop.owner for shop in self.scenario.shops}):
            members.found(connection, member, at)
        incentives.enter(connection, goods_kept(self.scenario), rules_of(self.scenario))
        allow(connection, self.scenario, at)
        subsidy.fund(connection, self.scenario.incentives.programme, at)

    def _build(self, connection: Connection, state: runs.State) -> None:
        """The market and the engine as they stand at the beginning of `self.day`, with the plans that `state` is of."""
        start = self._start(self.day)
        served = state.get(f"driver/{SERVED}")
        terms = [term for term in self._all_terms(connection, start) if served is None or term.plan.id in served]
        engine = Engine(list(_as_begun(terms)), space_of(self.scenario), site_of(self.scenario), start)
        engine.run_beside(campaigns := self.scenario.campaign_records())
        engine.run_boosts(self.scenario.boost_records())
        market, recorder, seed = Market(self.scenario, self.folder.seed), recorder_of(self.scenario), self.folder.seed
        self.driver = Driver(market, engine, recorder, seed, self.scenario.prediction)
        self.mornings = Mornings(self.database, self.lake, self.scenario)
        for term in terms:
            self.driver.recorder.change(term.at, term.plan, term.version)
        for campaign in campaigns:
            self.driver.recorder.change(self._start(self.first), campaign, 0)
        if self.alerting:
            self.driver.watcher = alerts.caught_up(connection, self.lake, midnight(self.first, self.timezone), start)

    def _all_terms(self, connection: Connection, start: int) -> list[TimedPlan]:
        """Every plan as it was from time to time before a day."""
        return [term for kept in plans.load_all(connection) for term in self._terms(connection, kept.plan.id, start)]

    def _terms(self, connection: Connection, plan_id: int, start: int) -> list[TimedPlan]:
        """A plan as it was from time to time before a day. Changes of that day, written down already by a person or
        because the run was killed in it, are still to come."""
        history = plans.history(connection, plan_id)
        since = [self._start(self.first), *(microseconds(made.at) for made in plans.log(connection, plan_id))]
        terms = [TimedPlan(at, plan, version) for version, (at, plan) in enumerate(zip(since, history, strict=True))]
        return [term for term in terms if term.version == 0 or term.at < start]

    def _live_day(self, day: date) -> None:
        began = time.perf_counter()
        start, end = self._start(day), self._start(day + timedelta(days=1))
        delivering, self.refused = day <= self.last, list[RefusedChange]()
        with self.database.begin() as connection:
            subsidy.lease(connection, self.driver.recorder.wallet, midnight(day, self.timezone))
        if delivering:
            self.mornings.advise(day)
            changes, leases = self._prepare(day)
            lived = self.driver.run_day(start, end, changes, leases)
        else:
            lived = DayRun(self.driver.drain_day(start, end), {}, (), 0)
        self._close(day, lived)
        spend = self.driver.engine.spend if delivering else 0
        gmv = int(np.sum(lived.facts[Kind.ORDER]["amount"].to_numpy()))
        number = (day - self.first).days + 1
        seconds = time.perf_counter() - began
        told = DayTold(day, number, self.scenario.days, delivering, lived.opportunities, spend, gmv, seconds)
        self.watch(told)

    def _prepare(self, day: date) -> tuple[list[TimedPlan], dict[int, Lease]]:
        """Write down the day's changes of plans and hold the money it may spend, before any of it is lived."""
        with self.database.begin() as connection:
            begun = list(_as_begun(self._all_terms(connection, self._start(day))))
            let_join(connection, self.driver, begun)
            changes, self.refused = make_changes(connection, self.lake, self.scenario, day)
            leases = {}
            for plan in begun:
                versions = [plan, *(timed.plan for timed in changes if timed.plan.id == plan.id)]
                leases[plan.id] = books.lease(connection, versions, day)
            for campaign in self.driver.engine.campaigns.campaigns:
                leases[campaign.id] = books.lease_campaign(connection, campaign, day, midnight(day, self.timezone))
            if self.driver.watcher is not None:
                alerts.begin_day(connection, self.lake, self.driver.watcher, self.driver.today)
            plan_of = {plan.id: plan for plan in begun}
            for boost in self.driver.engine.boosts.boosts:
                leases[boost.id] = books.lease_boost(connection, boost, plan_of[boost.plan_id], day)
        return changes, leases

    def _close(self, day: date, lived: DayRun) -> None:
        """One transaction: the day's facts, its spend, what became due, and the state to go on from."""
        now = midnight(day + timedelta(days=1), self.timezone)
        with self.database.begin() as connection:
            self.lake.add(connection, lived.facts)
            if day <= self.last:
                self._capture(connection, day, books.last_instant(day, self.timezone))
            close.close_day(connection, self.lake, day, now)
            runs.tell(connection, self.folder.run_id, day, self._told(day, lived))
            self.finished = self._is_over(connection, day)
            self.day = day + timedelta(days=1)
            if self.driver.watcher is not None and day <= self.last:
                alerts.record(connection, self.driver.happened)
                alerts.keep(connection, self.driver.watcher)
            state = {} if self.finished else self.driver.snapshot()
            runs.advance(connection, self.folder.run_id, runs.Progress(self.day, self.finished, state))

    def _capture(self, connection: Connection, day: date, at: datetime) -> None:
        engine = self.driver.engine
        for row, plan in enumerate(engine.plans):
            if engine.leased[row]:
                books.capture(connection, plan, day, at, int(engine.spent_today[row]))
        standard = engine.campaigns
        for row, campaign in enumerate(standard.campaigns):
            if standard.leased[row]:
                books.capture(connection, campaign, day, at, int(standard.spent_today[row]))
        boosts = engine.boosts
        for row, boost in enumerate(boosts.boosts):
            if boosts.leased[row]:
                books.capture(connection, boost, day, at, int(boosts.spent_today[row]))

    def _is_over(self, connection: Connection, day: date) -> bool:
        """Whether every window has closed and nothing promised is unpaid."""
        if day < self.last + timedelta(days=SETTLING_DAYS):
            return False
        return not close.unpaid(connection) or day > self.last + timedelta(days=PATIENCE_DAYS)

    def _told(self, day: date, lived: DayRun) -> dict[str, Any]:
        """What of a day no fact tells, as JSON: scores by truth, hourly readings, at last the landscape."""
        scores = {str(id_): [score.worth, score.best, score.opportunities] for id_, score in lived.scores.items()}
        gaps = {str(id_): {cause: round(gap[cause]) for cause in Cause} for id_, gap in lived.gaps.items()}
        told: dict[str, Any] = {"gaps": gaps, "opportunities": lived.opportunities, "scores": scores}
        told |= {"beats": [beat.told() for beat in lived.beats], "refused": [asdict(one) for one in self.refused]}
        told["states"] = [{str(id_): state for id_, state in hour.items()} for hour in lived.states]
        if lived.split:
            told["split"] = splits.told(lived.split)
        if day <= self.last:
            told["outlook"] = outlooks(self.driver.engine)
            told["responses"] = responses(self.driver)
            told["recommended"] = recommended(self.driver.engine.plans, self.driver.predictor)
        if lived.experience is not None:
            told["experience"] = pools.told(lived.experience)
        told["corrections"] = {str(id_): asdict(made) for id_, made in lived.corrections.items()}
        told["lessons"] = {str(id_): asdict(lesson) for id_, lesson in lived.lessons.items()}
        return told | ({"landscape": self._landscape()} if day == self.last else {})

    def _landscape(self) -> dict[str, list[list[float]]]:
        """What each multiplier would bring each plan in a whole day: the columns of a `Prospect`."""
        engine, curves = self.driver.engine, {}
        for row, plan in enumerate(engine.plans):
            told = engine.bidder.forecast(row, 0)
            ends = (told.spend.low, told.spend.high, told.worth.low, told.worth.high)
            points = np.column_stack([GRID, *engine.bidder.rest(row, 0), *ends])
            curves[str(plan.id)] = np.round(points, 4).tolist()
        return curves

    def _start(self, day: date) -> int:
        return microseconds(midnight(day, self.timezone))


def _as_begun(terms: Iterable[TimedPlan]) -> Iterable[Plan]:
    """Each plan as the last of its terms has it."""
    return {term.plan.id: term.plan for term in terms}.values()


def space_of(scenario: Scenario) -> Space:
    """What prediction tells apart in a scenario: what a shop states of its products, nothing that is only true."""
    products = sorted(scenario.products(), key=lambda product: product.id)
    categories = {name: number for number, name in enumerate(scenario.categories)}
    return Space(
        product_ids=np.array([product.id for product in products], np.int64),
        category_of=np.array([categories[product.category] for product in products], np.int64),
        price=np.array([float(product.price) * YUAN for product in products]),
        placements=len(scenario.placements),
        categories=len(categories),
        audiences=scenario.buyers.cells,
        creatives=scenario.creatives(),
    )


def site_of(scenario: Scenario) -> Site:
    """The pages of a scenario's marketplace."""
    reserves, step = np.array(scenario.reserves(), float), scenario.step_minutes * MINUTE
    return Site(
        scenario.seen(),
        reserves,
        step,
        goods=goods_of(scenario),
        keywords=scenario.searched(),
        pricing=scenario.pricing(),
        pools=pools.pools_of(scenario),
        held_out={one.shop_id: one.users for one in scenario.hold_outs()},
        exploration=scenario.exploration,
    )


def recorder_of(scenario: Scenario) -> Recorder:
    """The recorder of a scenario's marketplace, which knows what is taken of an order and what is given with it."""
    rules = rules_of(scenario)
    return Recorder(rules.terms, wallet=Wallet(rules.coupons))


def _clear(path: Path) -> None:
    """Forget an earlier run of the same folder: first the database itself, so that it never misses its facts."""
    for file in sorted(path.glob("run.db*")):
        file.unlink()
    for folder in ("lake", "evidence"):
        shutil.rmtree(path / folder, ignore_errors=True)
