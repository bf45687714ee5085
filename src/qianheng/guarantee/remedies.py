"""What would have kept a compensation, found by judging the same case again with one thing different (SPEC 5.6).

Nothing is guessed: each remedy comes with the verdict there would have been on the same facts. What traffic would have
done otherwise nobody knows, so facts stay as they are, but where orders or spend themselves are what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import Any, NamedTuple

from qianheng.core.days import MINUTE, moment
from qianheng.core.money import FEN, Micros, ratio_text, to_fen, yuan
from qianheng.guarantee.case import Case, Log, Target, Unit
from qianheng.guarantee.figures import Figures, figures
from qianheng.guarantee.policy import Policy, Rules
from qianheng.guarantee.reasons import PRECEDENCE, Reason, exact
from qianheng.guarantee.targets import changes, known_targets, within
from qianheng.guarantee.verdict import Verdict, judge

Told = dict[str, Any]
_CENT = 100  # a target is set in hundredths


class Remedy(NamedTuple):
    """One thing that would have been otherwise (`kind`, `told` as JSON) and the verdict then; of several of one `step`
    each would do. A later step stands upon the first remedy of the one before. `after` is `None` where what the
    missing orders are worth cannot be told.
    """

    step: int
    kind: str
    told: Told
    after: Verdict | None


@dataclass(frozen=True, slots=True)
class _World:
    """A case, and how its figures would differ."""

    case: Case
    orders: int = 0
    gmv: Micros = 0
    spend: Micros = 0

    def judged(self, policy: Policy) -> Verdict:
        found = figures(self.case)
        if found.periods:
            last = found.periods[-1]
            more = last._replace(orders=last.orders + self.orders, gmv=last.gmv + self.gmv)
            found = Figures(found.spend + self.spend, (*found.periods[:-1], more))
        return judge(policy, self.case.unit, self.case.log, found, self.case.now)

    def with_log(self, log: Log) -> _World:
        return replace(self, case=replace(self.case, log=log))


_Other = tuple[str, Told, _World]
_Find = Callable[[Rules, _World, Verdict], Iterator[_Other]]


def remedies(policy: Policy, case: Case) -> list[Remedy]:
    """What would have made a compensation due, condition by condition, the first that fails first.

    Empty when one is due, and for what nothing in a day could have changed (no policy, nothing spent). Of a plan's day
    only: boosts and weeks have none.
    """
    found: list[Remedy] = []
    world = _World(case)
    if policy.rules is None or type(case.unit) is not Unit:
        return found
    for step in range(1, len(Reason)):
        verdict = world.judged(policy)
        reason = _first(verdict)
        if reason is None or reason not in _FINDERS:
            break
        others = list(_helping(policy, reason, _FINDERS[reason](policy.rules, world, verdict)))
        found += [Remedy(step, kind, told, after) for kind, told, _, after in others]
        if not others or others[0][3] is None:
            break
        world = others[0][2]
    return found


def _first(verdict: Verdict) -> Reason | None:
    failed = (check.reason for check in verdict.checks if not check.passed)
    return min(failed, key=PRECEDENCE.__getitem__, default=None)


def _helping(
    policy: Policy, reason: Reason, others: Iterator[_Other]
) -> Iterator[tuple[str, Told, _World, Verdict | None]]:
    """Those that do away with the reason."""
    for kind, told, world in others:
        if kind == "more_orders" and told["gmv"] is None:
            yield kind, told, world, None
            continue
        after = world.judged(policy)
        if _first(after) is not reason:
            yield kind, told, world, after


def _fewer_changes(rules: Rules, world: _World, _: Verdict) -> Iterator[_Other]:
    """Without the last changes of the day, as few of them as will do."""
    log, dropped = world.case.log, set[int]()
    known = known_targets(log.targets, world.case.now)
    for rule in rules.changes:
        if rule.most_a_day is not None and rule.of != "targeting":
            made = within(changes(known, rule.of), world.case.unit.window)
            dropped.update(change.at for change in made[rule.most_a_day :])
    targets = tuple(target for target in log.targets if target.at not in dropped)
    told = {"times": [_clock(world, at) for at in sorted(dropped)]}
    yield "fewer_changes", told, world.with_log(log._replace(targets=targets))


def _apart(rules: Rules, world: _World, _: Verdict) -> Iterator[_Other]:
    """The changes that came too soon made later, each as late as the policy asks and no later; or not made at all."""
    known = known_targets(world.case.log.targets, world.case.now)
    later = _spread(rules, known, world.case.unit.window)
    moved = [(before.at, after.at) for before, after in zip(known, later, strict=True) if before.at != after.at]
    told = {
        "changes": [
            {"at": _clock(world, at), "to": _clock(world, to), "minutes": ratio_text(Fraction(to - at, MINUTE), 2)}
            for at, to in moved
        ]
    }
    if moved:
        yield "later_changes", told, world.with_log(world.case.log._replace(targets=tuple(later)))
    for at, _to in moved:
        targets = tuple(target for target in world.case.log.targets if target.at != at)
        yield "fewer_changes", {"times": [_clock(world, at)]}, world.with_log(world.case.log._replace(targets=targets))


def _spread(rules: Rules, known: Sequence[Target], window: tuple[int, int]) -> list[Target]:
    """The targets with the changes of a day put off until the gaps before them are wide enough; their order stays."""
    spread = list(known[:1])
    since: dict[str, int] = {}
    for before, target in pairwise(known):
        kinds = {"value": target.value != before.value, "goal": target.goal != before.goal}
        kinds["any"] = any(kinds.values())
        made = [kind for kind, changed in kinds.items() if changed]
        gaps = [(rule.of, rule.gap_minutes) for rule in rules.changes if rule.gap_minutes and rule.of in made]
        at = max(target.at, spread[-1].at + 1)
        if window[0] <= target.at < window[1]:
            at = max([at, *(since[kind] + minutes * MINUTE for kind, minutes in gaps if kind in since)])
        since |= dict.fromkeys(made, at)
        spread.append(target._replace(at=at))
    return spread


def _no_event(rules: Rules, world: _World, _: Verdict) -> Iterator[_Other]:
    """Without the pauses, restarts or the deletion that void the day."""
    (start, end), log = world.case.unit.window, world.case.log
    voiding = [event for event in log.events if event.type in rules.void_events and start <= event.at < end]
    told = {"events": [{"at": _clock(world, event.at), "type": event.type} for event in voiding]}
    kept = tuple(event for event in log.events if event not in voiding)
    yield "no_event", told, world.with_log(log._replace(events=kept))


def _lower_target(_: Rules, world: _World, __: Verdict) -> Iterator[_Other]:
    """Targets just below what the commission allows."""
    unit, log = world.case.unit, world.case.log
    if not unit.commission_rate:
        return
    limit = 1 / Fraction(unit.commission_rate)
    highest = Fraction(ceil(limit * _CENT) - 1, _CENT)
    targets = tuple(
        target._replace(value=highest) if target.value is not None and target.value >= limit else target
        for target in log.targets
    )
    yield "lower_target", {"target": ratio_text(highest)}, world.with_log(log._replace(targets=targets))


def _more_orders(rules: Rules, world: _World, verdict: Verdict) -> Iterator[_Other]:
    """As many orders more as are missing, worth what the others are on average."""
    missing = rules.orders.fewest - verdict.sums.orders
    each = verdict.sums.gmv // verdict.sums.orders if verdict.sums.orders else None
    gmv = None if each is None else yuan(to_fen(each))
    more = replace(world, orders=world.orders + missing, gmv=world.gmv + missing * (each or 0))
    yield "more_orders", {"orders": missing, "gmv": gmv}, more


def _worse_roi(rules: Rules, world: _World, verdict: Verdict) -> Iterator[_Other]:
    """The promise was kept: the least spend at which the same sales would not have kept it."""
    sums, trigger = verdict.sums, exact(rules.trigger_ratio)
    spend = floor(sums.promised / trigger) + 1
    told = {"roi": ratio_text(sums.actual_roi, 2), "spend": yuan(-(-spend // FEN) * FEN)}
    told["limit"] = ratio_text(trigger * sums.weighted_target, 2) if sums.weighted_target else None
    yield "worse_roi", told, replace(world, spend=world.spend + spend - sums.spend)


def _clock(world: _World, at: int) -> str:
    return moment(at, world.case.unit.timezone).isoformat()


_FINDERS: dict[Reason, _Find] = {
    Reason.CHANGES_TOO_CLOSE: _apart,
    Reason.TOO_MANY_CHANGES: _fewer_changes,
    Reason.CHANGED_THAT_DAY: _fewer_changes,
    Reason.PAUSED_THAT_DAY: _no_event,
    Reason.DELETED: _no_event,
    Reason.COMMISSION_TOO_HIGH: _lower_target,
    Reason.TOO_FEW_ORDERS: _more_orders,
    Reason.ROI_MET: _worse_roi,
}
