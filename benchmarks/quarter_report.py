"""What many shops' quarters say of an arm: against the fixed settings, by kind of shop, and where it lost and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from benchmarks.paired import difference
from benchmarks.picture import Axis, Dot, dots
from benchmarks.shop_quarter import Followed, Outcome

FIXED, ADVISED, HINDSIGHT = "fixed", "advised", "hindsight"
MEASURES: Mapping[str, Callable[[Outcome], float]] = {
    "profit": lambda one: one.profit,
    "profit without compensation": lambda one: one.profit - one.compensation,
    "net GMV": lambda one: one.net_gmv,
    "spend": lambda one: one.spend,
    "compensation received": lambda one: one.compensation,
    "platform income": lambda one: one.spend - one.compensation,
}
WORST, CHANGES_TOLD = 8, 3

Results = dict[str, Any]
Kinds = Mapping[int, Mapping[str, str]]


def results(found: Sequence[Outcome], kinds: Kinds) -> Results:
    """Everything that is told, as plain values; money in 元 a shop and day."""
    by_arm = _by_arm([*found, *_hindsight(found)])
    arms = [arm for arm in by_arm if arm != FIXED and not arm.startswith("breakeven x")]
    days = found[0].days
    return {
        "set": found[0].set,
        "shops": len(by_arm[FIXED]),
        "days": days,
        "arms": {arm: _totals(list(by_arm[arm].values())) for arm in (FIXED, *arms)},
        "against fixed": {arm: _against(by_arm[arm], by_arm[FIXED]) for arm in arms},
        "by kind": _by_kind(by_arm, kinds) if ADVISED in by_arm else {},
        "regret": _regret(by_arm),
        "by week": {arm: _weekly(by_arm[arm], by_arm[FIXED]) for arm in arms if arm != HINDSIGHT},
        "changes": _changes(by_arm.get(ADVISED, {}).values()),
        "lost": list(_lost(by_arm, kinds)) if ADVISED in by_arm else [],
        "outcomes": [asdict(one) | {"followed": len(one.followed)} for one in found],
    }


def _by_arm(found: Sequence[Outcome]) -> dict[str, dict[int, Outcome]]:
    arms: dict[str, dict[int, Outcome]] = {}
    for one in sorted(found, key=lambda one: one.shop):
        arms.setdefault(one.arm, {})[one.shop] = one
    return arms


def _hindsight(found: Sequence[Outcome]) -> list[Outcome]:
    """Of each shop that lived other fixed targets too, the most profitable of them all."""
    fixed = [one for one in found if one.arm == FIXED or one.arm.startswith("breakeven x")]
    tried = {one.shop for one in fixed if one.arm != FIXED}
    best = (max((one for one in fixed if one.shop == shop), key=lambda one: one.profit) for shop in sorted(tried))
    return [replace(one, arm=HINDSIGHT) for one in best]


def _totals(of: Sequence[Outcome]) -> dict[str, float]:
    days = sum(one.days for one in of)
    told = {name: sum(map(measure, of)) / days for name, measure in MEASURES.items()}
    spend, gmv = sum(one.spend for one in of), sum(one.gmv for one in of)
    counted = {name: sum(getattr(one, name) for one in of) for name in ("changes", "voided", "days_compensated")}
    return told | {"payment ROI": gmv / spend if spend else float("nan")} | counted


def _against(mine: Mapping[int, Outcome], fixed: Mapping[int, Outcome]) -> dict[str, dict[str, float]]:
    """Each measure's difference a day of the shops that lived both."""
    both = [(mine[shop], fixed[shop]) for shop in mine if shop in fixed]
    found = {}
    for name, measure in MEASURES.items():
        pairs = [(measure(one) / one.days, measure(other) / other.days) for one, other in both]
        found[name] = asdict(difference(pairs, [abs(other) for _, other in pairs]))
    return found


def _by_kind(by_arm: Mapping[str, Mapping[int, Outcome]], kinds: Kinds) -> dict[str, dict[str, Any]]:
    """The profit that advice adds, in each way to tell shops apart."""
    groups: dict[str, dict[str, list[int]]] = {}
    for shop in by_arm[ADVISED]:
        for way, kind in kinds[shop].items():
            groups.setdefault(way, {}).setdefault(kind, []).append(shop)
    return {
        way: {
            kind: _against({shop: by_arm[ADVISED][shop] for shop in shops}, by_arm[FIXED])["profit"]
            for kind, shops in sorted(found.items())
        }
        for way, found in sorted(groups.items())
    }


def _regret(by_arm: Mapping[str, Mapping[int, Outcome]]) -> dict[str, float]:
    """Of the profit that the best fixed target would have added, the share that each arm did."""
    if HINDSIGHT not in by_arm:
        return {}
    shops = by_arm[HINDSIGHT].keys() & by_arm[FIXED].keys()
    possible = sum(by_arm[HINDSIGHT][shop].profit - by_arm[FIXED][shop].profit for shop in shops)
    return {
        arm: sum(lived[shop].profit - by_arm[FIXED][shop].profit for shop in shops & lived.keys()) / possible
        for arm, lived in by_arm.items()
        if possible and arm not in (FIXED, HINDSIGHT) and not arm.startswith("breakeven x")
    }


def _weekly(mine: Mapping[int, Outcome], fixed: Mapping[int, Outcome]) -> list[float]:
    """The mean difference of profit in each week, 元 a shop."""
    pairs = [(mine[shop].weekly, fixed[shop].weekly) for shop in mine if shop in fixed]
    weeks = min((len(one) for pair in pairs for one in pair), default=0)
    return [round(sum(one[week] - other[week] for one, other in pairs) / len(pairs), 2) for week in range(weeks)]


def _changes(of: Iterable[Outcome]) -> dict[str, dict[str, float]]:
    """What was changed, by action: how often, and of those followed up what was expected and measured, 元 a day."""
    groups: dict[str, list[Followed]] = {}
    for one in of:
        for change in one.followed:
            groups.setdefault(change.action, []).append(change)
    return {action: _action(made) for action, made in sorted(groups.items())}


def _action(made: Sequence[Followed]) -> dict[str, float]:
    known = [one for one in made if one.measured is not None and one.expected is not None]
    outcomes = [one.outcome for one in made]
    return {
        "made": len(made),
        "measured": len(known),
        "expected a day": sum(one.expected or 0.0 for one in known) / max(len(known), 1),
        "measured a day": sum(one.measured or 0.0 for one in known) / max(len(known), 1),
        "helped": outcomes.count("helped"),
        "hurt": outcomes.count("hurt"),
    }


def _lost(by_arm: Mapping[str, Mapping[int, Outcome]], kinds: Kinds) -> Iterator[dict[str, Any]]:
    """The shops that lost most by the advice, and the changes that were measured to hurt most."""
    fixed, advised = by_arm[FIXED], by_arm[ADVISED]
    added = {shop: (advised[shop].profit - fixed[shop].profit) / fixed[shop].days for shop in advised if shop in fixed}
    for shop in sorted(added, key=added.__getitem__)[:WORST]:
        if added[shop] < 0:
            measured = [one for one in advised[shop].followed if (one.measured or 0.0) < 0]
            worst = sorted(measured, key=lambda one: one.measured or 0.0)[:CHANGES_TOLD]
            told = {"shop": shop, "kinds": dict(kinds[shop]), "profit a day": fixed[shop].profit / fixed[shop].days}
            yield told | {"added a day": added[shop], "changes that hurt": [asdict(one) for one in worst]}


def draw(told: Results) -> str:
    """What the advice adds to profit by kind of shop, with its intervals."""
    drawn = [
        Dot(f"{way}: {kind}", "profit a shop and day", found["mean"], found["low"], found["high"])
        for way, kinds in told["by kind"].items()
        for kind, found in kinds.items()
    ]
    return dots("What advice adds to profit, yuan a shop and day", Axis("yuan"), drawn)


def markdown(told: Results) -> str:
    """The report to read."""
    parts = [f"# A quarter of {told['shops']} shops ({told['set']}), {told['days']} days", ""]
    parts += ["Yuan a shop and day; compensation is in the profit.", "", *_table_of_arms(told), ""]
    parts += ["## Against fixed settings", "", *_table_against(told), ""]
    if told["regret"]:
        parts += ["Of what the best of some fixed targets would have added: "]
        parts += [", ".join(f"{arm} {share:.0%}" for arm, share in told["regret"].items()) + ".", ""]
    parts += ["## By kind of shop: what the advice adds to profit", "", *_table_of_kinds(told), ""]
    parts += ["## By week: profit added, yuan a shop", "", *_table_of_weeks(told), ""]
    parts += ["## What was changed", "", *_table_of_changes(told), ""]
    return "\n".join([*parts, "## Where it lost most", "", *_losses(told)]) + "\n"


def _table_of_arms(told: Results) -> Iterator[str]:
    names = [*MEASURES, "payment ROI", "changes", "voided", "days_compensated"]
    yield from _header(["arm", *names])
    for arm, totals in told["arms"].items():
        yield _row(
            [arm, *(f"{totals[name]:,.2f}" if name == "payment ROI" else f"{totals[name]:,.0f}" for name in names)]
        )


def _table_against(told: Results) -> Iterator[str]:
    yield from _header(["arm", "measure", "a shop and day [95 %]", "share [95 %]", "gained : lost", "sign test"])
    for arm, measures in told["against fixed"].items():
        for name, found in measures.items():
            yield _row([arm, name, *_difference(found)])


def _difference(found: Mapping[str, float]) -> list[str]:
    return [
        f"{found['mean']:+,.1f} [{found['low']:+,.1f}, {found['high']:+,.1f}]",
        f"{found['share']:+.1%} [{found['share_low']:+.1%}, {found['share_high']:+.1%}]",
        f"{found['gained']:.0f} : {found['lost']:.0f}",
        f"{found['chance']:.4f}",
    ]


def _table_of_kinds(told: Results) -> Iterator[str]:
    yield from _header(["shops", "number", "a shop and day [95 %]", "share [95 %]", "gained : lost", "sign test"])
    for way, kinds in told["by kind"].items():
        for kind, found in kinds.items():
            yield _row([f"{way}: {kind}", f"{found['shops']:.0f}", *_difference(found)])


def _table_of_weeks(told: Results) -> Iterator[str]:
    weeks = max((len(one) for one in told["by week"].values()), default=0)
    yield from _header(["arm", *map(str, range(1, weeks + 1))])
    for arm, added in told["by week"].items():
        yield _row([arm, *(f"{one:+,.0f}" for one in added)])


def _table_of_changes(told: Results) -> Iterator[str]:
    names = ["made", "measured", "expected a day", "measured a day", "helped", "hurt"]
    yield from _header(["action", *names])
    for action, found in told["changes"].items():
        yield _row([action, *(f"{found[name]:,.1f}" if "a day" in name else f"{found[name]:.0f}" for name in names)])


def _losses(told: Results) -> Iterator[str]:
    for lost in told["lost"]:
        kinds = ", ".join(f"{way} {kind}" for way, kind in lost["kinds"].items())
        yield f"- shop {lost['shop']} ({kinds}): {lost['added a day']:+,.1f} of {lost['profit a day']:,.1f} a day"
        for one in lost["changes that hurt"]:
            expected = "?" if one["expected"] is None else f"{one['expected']:+,.1f}"
            yield f"  - day {one['day']}, plan {one['plan_id']}: {one['change']} ({one['rule']}), "
            yield f"    expected {expected}, measured {one['measured']:+,.1f} a day"


def _header(names: Sequence[str]) -> Iterator[str]:
    yield _row(names)
    yield _row(["---"] * len(names))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
