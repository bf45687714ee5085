"""How soon and how rightly findings see what goes wrong: shops lived through the production engine, faults seeded.

    python -m benchmarks.incidents [--shops 3] [--weeks 16] [--processes 2] [--seed 1] [--kept shops.jsonl]

Every shop lives a clean fortnight. From there it goes on many times: once well, for weeks, with changes of its plans,
for the false alarms; and once into each incident, for three days, with the same people and draws. What is found is
found by `diagnosis.watching` on the same sums that a history of a run is made of, hour by hour. Rules and factors were
chosen on the shops of `TRAINING`; the shops of `HELD_OUT` are of other kinds and seeds, and are the result.

Beside what was found stands what could have been: the power of the likelihood-ratio test that is told the kind, the
hour and the size of the one incident there is, and may cry wolf as often as all findings of the shop together. No test
does better (Neyman and Pearson 1933). With `--kept` each shop is written down as it is done, and a run that was stopped
goes on.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import NamedTuple

import duckdb
import numpy as np
import scipy.stats

from benchmarks.lived import Life, State
from qianheng.actions.histories import KnownPlan, KnownShop, counted, dated, figured, hour_of
from qianheng.core.days import midnight
from qianheng.diagnosis.causes import Rules, finding_rules
from qianheng.diagnosis.watching import watched
from qianheng.facts.batch import FactBatch, join
from qianheng.facts.schema import Kind
from qianheng.incentives.terms import Terms
from qianheng.measures.days import Days
from qianheng.measures.history import About, History, PlanHistory, Setting, ShopHistory, Subject
from qianheng.measures.query import subjects
from qianheng.measures.reports import Figures
from qianheng.plans.plan import apply, change
from qianheng.simulator.faults import PlannedFault
from qianheng.simulator.loading import load
from qianheng.simulator.scenario import Scenario
from qianheng.store.incentives import Rules as Incentives

RESULTS = Path(__file__).parent / "results" / "incidents.json"
CALM, ILL = 14, 3  # days
HORIZON = timedelta(days=ILL)
LEVEL = 10.0  # the logarithm that the statistic must reach, of a shop as these are
MOST_REFUNDS = 2.7  # factor: no buyer sends back more than a market lets them
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an incident: hours and orders of its subject until its cause was told, and what was told first.

    `knowable`: more events of the kind it shows in are usual in the horizon than its evidence takes on average, with no
    scatter beyond chance. `bound`: how likely the best possible test, told of kind, hour and size, would have found it,
    by chance alone; `bound_of_any`: if it is not told which of the shop's possible incidents it is. `None` where that
    is not a matter of events.
    """

    shop: str
    seed: int
    kind: str
    size: str
    together: bool
    hours: float | None
    orders: float | None
    first: str | None
    first_is_right: bool
    knowable: bool | None = None
    bound: float | None = None
    bound_of_any: float | None = None


@dataclass(frozen=True, slots=True)
class Clean:
    """A shop's well weeks, and what was told in them all the same."""

    shop: str
    seed: int
    weeks: float
    alarms: tuple[str, ...]


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
    odd = '{ on = "08:59", off = "10:59", days = [24, 38, 52, 80] }'  # now and then a session at an odd hour
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
    for week in range(3, days // 7, 2):
        raised = week % 4 == 3
        now = f'day = {7 * week + 3}, time = "10:00"'
        made.append(f'{{ {now}, field = "target", value = "{target * (1.1 if raised else 1.0):.2f}" }}')
        made.append(f'{{ {now}, field = "budget_daily", value = "{shop.budget * (0.7 if raised else 1.0):.0f}" }}')
    return f"target = {target}, changes = [{', '.join(made)}]"


class Past:
    """A shop's days as facts, and the history that is made of them."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.life = Life(scenario, seed)
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


@dataclass(frozen=True, slots=True)
class Task:
    """A shop with a seed: its clean weeks and its incidents."""

    shop: Shop
    seed: int
    weeks: int


def live(task: Task) -> tuple[Clean, list[Outcome]]:
    """Live a shop's fortnight, its well weeks and all its incidents."""
    days = CALM + 7 * task.weeks
    well = replace(scenario_of(task.shop, days), faults=(DORMANT,))
    rules, past = finding_rules(), Past(well, task.seed)
    past.live(CALM)
    state = past.state()
    fortnight = past.branch(well, state)
    past.live(7 * task.weeks)
    outcomes = []
    for incident, beside in _plotted(task):
        faults = (DORMANT, *(one.fault for one in (incident, *beside)))
        if any(one.fault.kind == "rival_entered" for one in (incident, *beside)):
            faults = faults[1:]  # the rival takes the place of the one that stays away
        ill = fortnight.branch(replace(well, faults=faults), state)
        ill.live(ILL)
        outcomes.append(_outcome(task, ill, (incident, *beside), rules))
    return Clean(task.shop.name, task.seed, 1 + task.weeks, _alarms(past, rules)), outcomes


def _plotted(task: Task) -> Iterator[tuple[Incident, tuple[Incident, ...]]]:
    """Each incident alone, and a wave of refunds beside another product's empty stock."""
    found = incidents_of(task.shop)
    yield from ((one, ()) for one in found)
    by_kind = {(one.fault.kind, one.subject.id): one for one in found if one.size == "strong"}
    yield by_kind["refund_wave", "11"], (by_kind["stock_out", str(10 + len(task.shop.prices))],)


def _alarms(past: Past, rules: Rules) -> tuple[str, ...]:
    """What was newly told in the weeks after the first, in which nothing was wrong."""
    history = past.history(past.day)
    told, before = [], set[tuple[str, str]]()
    for look in watched(history, rules):
        now = {_name(one) for one in look.seen}
        told += [f"{look.at:%m-%d %H} {' '.join(new)}" for new in sorted(now - before)]
        before = now
    return tuple(told)


def _name(seen: object) -> tuple[str, str]:
    suspicion = seen.suspicion  # type: ignore[attr-defined]
    return suspicion.cause.anomaly, suspicion.subject.id


def _outcome(task: Task, past: Past, seeded: Sequence[Incident], rules: Rules) -> Outcome:
    incident, fault = seeded[0], seeded[0].fault
    start = past.life.scenario.at(fault.day, fault.time)
    history = past.history(past.day)
    looks = list(watched(history, rules))
    stale = {_name(one) for look in looks if look.at <= start for one in look.seen}
    news = [look for look in looks if look.at > start and {_name(one) for one in look.seen} - stale]
    right = {(one.fault.kind, one.subject.id) for one in seeded} | _also(seeded, task.shop)
    own = {(fault.kind, incident.subject.id)} | _also(seeded[:1], task.shop)
    found = next((look.at for look in looks if look.at > start and own & {_name(one) for one in look.seen}), None)
    first = next((_name(one) for look in news[:1] for one in look.seen if _name(one) not in stale), None)
    hours = None if found is None else (found - start) / timedelta(hours=1)
    shown = _shown(history, incident, start)
    bounds = _bounds(shown, fault.kind, _suspected(task.shop)) or (None, None)
    rate = _orders_an_hour(history, incident.subject, start)
    return Outcome(
        task.shop.name,
        task.seed,
        fault.kind,
        incident.size,
        len(seeded) > 1,
        hours,
        None if hours is None else hours * rate,
        None if first is None else first[0],
        first in right,
        None if shown is None else _knowable(shown, fault.kind),
        *bounds,
    )


def _also(seeded: Sequence[Incident], shop: Shop) -> set[tuple[str, str]]:
    """A fault of all products is as rightly told of any of them."""
    everywhere = [one for one in seeded if one.fault.kind == "refund_wave" and not one.fault.products]
    return {("refund_wave", str(11 + n)) for _ in everywhere for n in range(len(shop.prices))}


def _orders_an_hour(history: History, subject: Subject, start: datetime) -> float:
    """How many orders an hour are usual of a subject, promoted or not."""
    return sum((told.orders or 0) + (told.unpromoted_orders or 0) for told in _week(history, subject, start)) / (7 * 24)


def _week(history: History, subject: Subject, start: datetime) -> list[Figures]:
    told = history.hours.get(replace(subject, within=""), {})
    return [figures for at, figures in told.items() if start - timedelta(days=7) <= at < start]


class Shown(NamedTuple):
    """The events an incident shows in: how many are usual in the horizon, and by which factor it moves them."""

    usual: float
    factor: float


def _shown(history: History, incident: Incident, start: datetime) -> Shown | None:
    """`None` where it does not show in events."""
    fault, share = incident.fault, 1 - incident.fault.size
    week = _week(history, incident.subject, start)
    orders = sum((told.orders or 0) + (told.unpromoted_orders or 0) for told in week)
    refunded = sum((told.orders or 0) * (told.refunded_1h or 0) / told.gmv for told in week if told.gmv)
    usual, factor = {
        "stock_out": (orders, share),
        "tracking_broken": (orders, share),
        "wrong_price": (orders, fault.size),
        "tired_creative": (sum(told.clicks or 0 for told in week), fault.size),
        "refund_wave": (refunded, min(fault.size, MOST_REFUNDS)),
    }.get(fault.kind, (0.0, 1.0))
    days = HORIZON / timedelta(days=1) - fault.over / 48
    return None if factor == 1.0 else Shown(usual / 7 * days, factor)


def _knowable(shown: Shown, kind: str) -> bool:
    """Whether as many events are usual in the horizon as the evidence takes: the level over what one of them tells."""
    factor = shown.factor
    tells = factor * math.log(factor) - factor + 1 if factor else 1.0
    if kind == "wrong_price":
        tells = (factor - 1 - math.log(factor)) / finding_rules().watch.least_spread
    return shown.usual >= LEVEL / tells


def best_power(shown: Shown, alarms: float) -> float:
    """The power of the best test of a Poisson count with its mean against `factor` times it, at `alarms` false alarms:
    counts beyond a limit, and on the limit by lot, so that the level is kept exactly.
    """
    most = int(shown.usual * max(shown.factor, 1.0) + 20 * math.sqrt(shown.usual * max(shown.factor, 1.0) + 1) + 20)
    counts = np.arange(most) if shown.factor < 1 else np.arange(most)[::-1]
    well, ill = (scipy.stats.poisson.pmf(counts, shown.usual * factor) for factor in (1.0, shown.factor))
    before = np.concatenate([[0.0], np.cumsum(well)[:-1]])
    taken = np.clip((alarms - before) / np.maximum(well, 1e-300), 0.0, 1.0)
    return float(taken @ ill)


def _bounds(shown: Shown | None, kind: str, suspected: int) -> tuple[float, float] | None:
    """What could have been found at the false alarms allowed in the horizon, told which incident it is, and not told.
    Of a wrong price each order tells its amount, which is more than that it came: no bound by counts.
    """
    if shown is None or kind == "wrong_price":
        return None
    alarms = finding_rules().watch.false_alarms_per_week * (HORIZON / timedelta(days=7))
    return best_power(shown, alarms), best_power(shown, alarms / suspected)


def _suspected(shop: Shop) -> int:
    """How many incidents a shop may have: of each cause with each of what it can be of."""
    of = {"shop": 1, "plan": 1 + shop.live, "product": len(shop.prices), "creative": 2 * len(shop.prices)}
    return sum(of[cause.about] for cause in finding_rules().causes)


def poisson_interval(count: int, exposure: float) -> tuple[float, float]:
    """The exact 95 % interval of a rate (Garwood 1936), by bisection on the Poisson law."""

    def at_most(mean: float, most: int) -> float:
        terms = np.arange(most + 1)
        logs = (
            terms * np.log(max(mean, 1e-12))
            - mean
            - np.array([float(np.sum(np.log(np.arange(1, k + 1)))) for k in terms])
        )
        return float(np.exp(logs).sum())

    def solve(wanted: float, most: int) -> float:
        low, high = 0.0, 10.0 + 5 * (count + 1)
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if at_most(middle, most) > wanted else (low, middle)
        return low

    lower = 0.0 if count == 0 else solve(0.975, count - 1)
    return lower / exposure, solve(0.025, count) / exposure


def summary(clean: Sequence[Clean], outcomes: Sequence[Outcome]) -> dict[str, object]:
    """The figures of some shops: all incidents, and by kind and size."""
    strata = {"all": list(outcomes), "strong": [one for one in outcomes if one.size == "strong"]}
    strata |= {"weak": [one for one in outcomes if one.size == "weak"], "together": [o for o in outcomes if o.together]}
    strata |= {"knowable": [one for one in outcomes if one.knowable is not False]}
    for kind in sorted({one.kind for one in outcomes}):
        for size in ("strong", "weak"):
            strata[f"{kind} {size}"] = [one for one in outcomes if (one.kind, one.size) == (kind, size)]
    alarms, weeks = sum(len(one.alarms) for one in clean), sum(one.weeks for one in clean)
    confusion = Counter((one.kind, one.first or "nothing") for one in outcomes)
    return {
        "clean": {
            "shop_weeks": weeks,
            "false_alarms": alarms,
            "per_shop_week": alarms / weeks,
            "between": poisson_interval(alarms, weeks),
            "of": Counter(alarm.split()[2] for one in clean for alarm in one.alarms),
        },
        "incidents": {name: _figures(ones) for name, ones in strata.items() if ones},
        "told_first": {f"{kind} as {first}": count for (kind, first), count in sorted(confusion.items())},
    }


def _figures(outcomes: Sequence[Outcome]) -> dict[str, float | int | None]:
    hours = sorted(one.hours for one in outcomes if one.hours is not None)
    orders = sorted(one.orders for one in outcomes if one.orders is not None)
    told = [one for one in outcomes if one.first is not None]
    return {
        "incidents": len(outcomes),
        "found": len(hours) / len(outcomes),
        "at_most": _mean([one.bound for one in outcomes]),
        "at_most_of_any": _mean([one.bound_of_any for one in outcomes]),
        "hours_median": median(hours) if hours else None,
        "hours_90": quantiles(hours, n=10)[-1] if len(hours) > 1 else None,
        "orders_median": median(orders) if orders else None,
        "right_cause_first": sum(one.first_is_right for one in told) / len(told) if told else None,
    }


def _mean(bounds: Sequence[float | None]) -> float | None:
    """The share that could have been found; what has no bound could have been."""
    return fmean(1.0 if one is None else one for one in bounds) if any(one is not None for one in bounds) else None


def show(name: str, found: dict[str, object]) -> None:
    """Print a summary for a person."""
    clean, incidents = found["clean"], found["incidents"]
    assert isinstance(clean, dict)
    assert isinstance(incidents, dict)
    low, high = clean["between"]
    print(f"\n{name}: {clean['false_alarms']} false alarms in {clean['shop_weeks']:.0f} shop-weeks:", end=" ")
    print(f"{clean['per_shop_week']:.3f} a week ({low:.3f} to {high:.3f})", dict(clean["of"]))
    columns = (
        "incidents",
        "found",
        "at_most",
        "at_most_of_any",
        "hours_median",
        "hours_90",
        "orders_median",
        "right_cause_first",
    )
    print(f"{'':26}" + "".join(f"{column:>18}" for column in columns))
    for stratum, figures in incidents.items():
        cells = ("–" if figures[column] is None else f"{figures[column]:.3g}" for column in columns)
        print(f"{stratum:26}" + "".join(f"{cell:>18}" for cell in cells))
    print("told first:", found["told_first"])


def _told(lived: tuple[Clean, list[Outcome]]) -> tuple[Clean, list[Outcome]]:
    clean, outcomes = lived
    missed = [f"{one.kind} {one.size}" for one in outcomes if one.hours is None]
    print(
        f"{clean.shop} {clean.seed}: {len(outcomes)} incidents, not found {missed}, alarms {clean.alarms}", flush=True
    )
    return lived


class Kept:
    """The shops that were lived so far, a line each, so that a run that was stopped goes on."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path and path.exists() else []
        self._told = {(one["shop"], one["seed"], one["weeks"]): one for one in map(json.loads, lines)}

    def of(self, task: Task) -> tuple[Clean, list[Outcome]] | None:
        """What came of a shop, if it was lived."""
        one = self._told.get((task.shop.name, task.seed, task.weeks))
        if one is None:
            return None
        clean = Clean(**{**one["clean"], "alarms": tuple(one["clean"]["alarms"])})
        return clean, [Outcome(**told) for told in one["incidents"]]

    def keep(self, task: Task, lived: tuple[Clean, list[Outcome]]) -> None:
        """Write down what came of a shop."""
        if self._path is not None:
            named = {"shop": task.shop.name, "seed": task.seed, "weeks": task.weeks}
            line = {**named, "clean": asdict(lived[0]), "incidents": list(map(asdict, lived[1]))}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _all(pool: ProcessPoolExecutor, tasks: Sequence[Task], kept: Kept) -> Iterator[tuple[Clean, list[Outcome]]]:
    """What comes of each shop, in order; those that are kept are not lived again."""
    going_on = {task: pool.submit(live, task) for task in tasks if kept.of(task) is None}
    for task in tasks:
        lived = kept.of(task)
        if lived is None:
            lived = going_on[task].result()
            kept.keep(task, lived)
        yield _told(lived)


def main() -> None:
    """Run, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=3, help="seeds of each kind of shop that is held out")
    parser.add_argument("--weeks", type=int, default=16, help="well weeks after the fortnight")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--kept", type=Path, help="a file in which each shop is kept as it is done")
    parser.add_argument("--training", action="store_true", help="only the shops that rules are chosen on")
    asked = parser.parse_args()
    began, results = time.perf_counter(), dict[str, object]()
    sets = {"training": [Task(shop, asked.seed - 90 + n, 3) for shop in TRAINING for n in range(2)]}
    if not asked.training:
        sets["held_out"] = [Task(shop, asked.seed + n, asked.weeks) for shop in HELD_OUT for n in range(asked.shops)]
    with ProcessPoolExecutor(asked.processes) as pool:
        for name, tasks in sets.items():
            lived = list(_all(pool, tasks, Kept(asked.kept)))
            clean, outcomes = [one for one, _ in lived], [one for _, many in lived for one in many]
            results[name] = found = summary(clean, outcomes)
            show(name, found)
            results[f"{name}_detail"] = {"clean": list(map(asdict, clean)), "incidents": list(map(asdict, outcomes))}
    results["seconds"] = round(time.perf_counter() - began)
    print(f"\n{results['seconds']} seconds")
    if not asked.training:
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
