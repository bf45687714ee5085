"""How soon and how rightly findings see what goes wrong: shops lived through the production engine, faults seeded.

    python -m benchmarks.incidents [--shops 3] [--weeks 8] [--processes 2] [--seed 100] [--kept shops.jsonl]

Every shop lives three clean weeks. From there it goes on many times: once well, for weeks, with changes of its plans,
for the false alarms; and once into each incident, until its cause is told, seven days at most, with the same people and
draws. What is found is found by `diagnosis.watching` on the same sums that a history of a run is made of, hour by hour.
Rules and factors were chosen on the shops of `TRAINING`; the shops of `HELD_OUT` are of other kinds and seeds, and are
the result. Beside what was found stands what could have been (`benchmarks.bounds`). With `--kept` each shop is written
down as it is done, and a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean, median, quantiles

from benchmarks.bounds import bounds, knowable, poisson_interval, shown, suspected_of
from benchmarks.ill_shops import (
    CALM,
    DORMANT,
    HELD_OUT,
    ILL,
    TRAINING,
    Early,
    Incident,
    Past,
    Shop,
    incidents_of,
    scenario_of,
    week_before,
)
from qianheng.diagnosis.causes import Rules, finding_rules
from qianheng.diagnosis.watching import watched
from qianheng.measures.history import History, Subject

RESULTS = Path(__file__).parent / "results" / "incidents.json"
_SOON = 72  # hours


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


@dataclass(frozen=True, slots=True)
class Task:
    """A shop with a seed: its clean weeks and its incidents."""

    shop: Shop
    seed: int
    weeks: int


def live(task: Task) -> tuple[Clean, list[Outcome]]:
    """Live a shop's first weeks, its well weeks, and each of its incidents until it is told, seven days at most."""
    well = replace(scenario_of(task.shop, CALM + 7 * task.weeks), faults=(DORMANT,))
    rules, early = finding_rules(), Early(well, task.seed)
    outcomes = [_fall_ill(task, early, seeded, rules) for seeded in _plotted(task)]
    past = early.go_on(well)
    past.live(7 * task.weeks)
    weeks = past.day / 7 - 1  # in the first one nothing is usual yet
    return Clean(task.shop.name, task.seed, weeks, _alarms(past, rules)), outcomes


def _fall_ill(task: Task, early: Early, seeded: Sequence[Incident], rules: Rules) -> Outcome:
    faults = tuple(one.fault for one in seeded)
    if not any(fault.kind == "rival_entered" for fault in faults):  # whose rival takes the place of the dormant one
        faults = (DORMANT, *faults)
    past = early.go_on(replace(early.well, faults=faults))
    while True:
        past.live(1)
        outcome = _outcome(task, past, seeded, rules)
        if outcome.hours is not None or past.day == CALM + ILL:
            return outcome


def _plotted(task: Task) -> Iterator[tuple[Incident, ...]]:
    """Each incident alone, and a wave of refunds beside another product's empty stock."""
    found = incidents_of(task.shop)
    yield from ((one,) for one in found)
    by_kind = {(one.fault.kind, one.subject.id): one for one in found if one.size == "strong"}
    yield by_kind["refund_wave", "11"], by_kind["stock_out", str(10 + len(task.shop.prices))]


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
    shows = shown(history, incident, start)
    possible = bounds(shows, fault.kind, suspected_of(task.shop)) or (None, None)
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
        None if shows is None else knowable(shows, fault.kind),
        *possible,
    )


def _also(seeded: Sequence[Incident], shop: Shop) -> set[tuple[str, str]]:
    """A fault of all products is as rightly told of any of them."""
    everywhere = [one for one in seeded if one.fault.kind == "refund_wave" and not one.fault.products]
    return {("refund_wave", str(11 + n)) for _ in everywhere for n in range(len(shop.prices))}


def _orders_an_hour(history: History, subject: Subject, start: datetime) -> float:
    """How many orders an hour are usual of a subject, promoted or not."""
    return sum((told.orders or 0) + (told.unpromoted_orders or 0) for told in week_before(history, subject, start)) / (
        7 * 24
    )


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
        "found_in_3_days": sum(one <= _SOON for one in hours) / len(outcomes),
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
        "found_in_3_days",
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
    parser.add_argument("--weeks", type=int, default=8, help="well weeks after the first three")
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
