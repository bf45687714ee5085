"""The verdict: a policy, a unit, what was done to the plan and the figures give one answer, with every check behind it.

Source: CONTRACTS 2, SPEC 5.1 to 5.4. Exact throughout; money is rounded once, to fen, where it is paid or shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from qianheng.core.days import MINUTE, moment
from qianheng.core.money import YUAN, Micros, quotient_text, ratio, ratio_text, to_fen, yuan
from qianheng.guarantee.case import Case, Event, Log, Target, Unit, start_of
from qianheng.guarantee.figures import Figures, figures
from qianheng.guarantee.policy import ChangeRule, Policy, Rules
from qianheng.guarantee.targets import changes, in_force, known_targets, smallest_gap, within


class Status(StrEnum):
    """Where a unit stands (SPEC 5.4)."""

    NONE = "none"
    IN_EFFECT = "in_effect"
    CONFIRMING = "confirming"
    COMPENSATED = "compensated"
    ENDED = "ended"
    VOID = "void"


class Reason(StrEnum):
    """Why nothing is due, in precedence: the first that holds is the answer's."""

    NO_POLICY = "no_policy"
    NO_TARGET = "no_target"
    GOAL_NOT_COVERED = "goal_not_covered"
    CHANGES_TOO_CLOSE = "changes_too_close"
    TOO_MANY_CHANGES = "too_many_changes"
    CHANGED_THAT_DAY = "changed_that_day"
    PAUSED_THAT_DAY = "paused_that_day"
    DELETED = "deleted"
    COMMISSION_TOO_HIGH = "commission_too_high"
    NOTHING_SPENT = "nothing_spent"
    TOO_FEW_ORDERS = "too_few_orders"
    ROI_MET = "roi_met"
    BELOW_MINIMUM = "below_minimum"


NOTHING = Fraction(0)
exact = lru_cache(Fraction)
"""A policy's decimal as an exact fraction; there are few, and every verdict asks for them."""

PRECEDENCE = {reason: place for place, reason in enumerate(Reason)}
NOT_COVERED = frozenset({Reason.NO_POLICY, Reason.NO_TARGET, Reason.GOAL_NOT_COVERED})
VOIDS = frozenset(
    {
        Reason.CHANGES_TOO_CLOSE,
        Reason.TOO_MANY_CHANGES,
        Reason.CHANGED_THAT_DAY,
        Reason.PAUSED_THAT_DAY,
        Reason.DELETED,
    }
)


class Check(NamedTuple):
    """A condition of the policy: the value found, the limit it had to keep, and the reason it gives when it fails."""

    name: str
    passed: bool
    value: str | None
    limit: str
    reason: Reason


class Sums(NamedTuple):
    """The figures of a day added up. `promised` is Σ GMV/target and `expected_spend` Σ GMV/(pay ratio × target)."""

    spend: Micros
    orders: int
    gmv: Micros
    promised: Fraction
    expected_spend: Fraction

    @property
    def weighted_target(self) -> Fraction | None:
        """Σ GMV / Σ (GMV/target); `None` without GMV."""
        return ratio(self.gmv, self.promised)

    @property
    def actual_roi(self) -> Fraction | None:
        """GMV / spend; `None` without spend."""
        return ratio(self.gmv, self.spend)

    @property
    def shortfall(self) -> Fraction:
        """What was spent beyond the expected, exactly; negative when less was spent."""
        return self.spend - self.expected_spend


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for a unit on the facts known at a time. `forgone` is what a void day would have been due.

    `judged_at` (UTC microseconds) is `None` where nothing is covered and so nothing will be judged.
    """

    status: Status
    reason: Reason | None
    final: bool
    sums: Sums
    compensation: Micros
    forgone: Micros | None
    judged_at: int | None
    checks: tuple[Check, ...]


def evaluate(policy: Policy, case: Case) -> Verdict:
    """The verdict on a case, at its own `now`."""
    return judge(policy, case.unit, case.log, figures(case), case.now)


def judge(policy: Policy, unit: Unit, log: Log, found: Figures, now: int) -> Verdict:
    """The verdict on a unit from its figures, however they were summed, its log and the time (UTC microseconds)."""
    sums = add_periods(policy.rules, found)
    checks = tuple(_checks(policy.rules, unit, log, sums, now)) if policy.rules else ()
    failed = sorted({check.reason for check in checks if not check.passed}, key=PRECEDENCE.__getitem__)
    first = Reason.NO_POLICY if policy.rules is None else failed[0] if failed else None
    judged_at = None if policy.rules is None or first in NOT_COVERED else judgement(policy.rules, unit)
    final = judged_at is None or first in VOIDS or now >= judged_at
    due = to_fen(sums.shortfall) if VOIDS.issuperset(failed) and judged_at is not None else 0
    return Verdict(
        status=_status(first, final, unit, now),
        reason=first if final else None,
        final=final,
        sums=sums,
        compensation=0 if failed else due,
        forgone=due if first in VOIDS else None,
        judged_at=judged_at,
        checks=checks,
    )


def add_periods(rules: Rules | None, found: Figures) -> Sums:
    """The periods added up, each under its own goal and target."""
    parts = [gmv / target for _, target, _, gmv in found.periods if target and gmv]
    promised = sum(parts[1:], parts[0]) if parts else NOTHING
    return Sums(
        spend=found.spend,
        orders=sum(period.orders for period in found.periods),
        gmv=sum(period.gmv for period in found.periods),
        promised=promised,
        expected_spend=promised / exact(rules.pay_ratio) if rules and rules.pay_ratio != 1 else promised,
    )


def _status(first: Reason | None, final: bool, unit: Unit, now: int) -> Status:
    if first in NOT_COVERED:
        return Status.NONE
    if first in VOIDS:
        return Status.VOID
    if now < unit.window[1]:
        return Status.IN_EFFECT
    return Status.ENDED if final and first else Status.CONFIRMING


def judgement(rules: Rules, unit: Unit) -> int:
    """The instant (UTC microseconds) at which the data window closes and the unit is judged: a local midnight."""
    return start_of(unit.day, unit.timezone, 1 + rules.data_days)


def _checks(rules: Rules, unit: Unit, log: Log, sums: Sums, now: int) -> Iterator[Check]:
    known = known_targets(log.targets, now)
    targets = in_force(known, unit.window)
    yield Check("targets", bool(targets), str(len(targets)), ">= 1", Reason.NO_TARGET)
    yield from _coverage(rules, unit, targets)
    for rule in rules.changes:
        yield from _change_checks(rule, known, unit.window)
    yield from _event_checks(rules, unit.window, log, now)
    yield from _commission(rules, unit, targets)
    yield from _outcome(rules, sums)


def _coverage(rules: Rules, unit: Unit, targets: Sequence[Target]) -> Iterator[Check]:
    goals = sorted({target.goal for target in targets})
    covered = all(goal in rules.goals for goal in goals)
    yield Check("goals", covered, ", ".join(goals) or None, " | ".join(rules.goals), Reason.GOAL_NOT_COVERED)
    mode_covered = unit.bid_mode in rules.bid_modes
    yield Check("bid_mode", mode_covered, unit.bid_mode, " | ".join(rules.bid_modes), Reason.GOAL_NOT_COVERED)


def _change_checks(rule: ChangeRule, known: Sequence[Target], window: tuple[int, int]) -> Iterator[Check]:
    made = changes(known, rule.of)
    kind = "" if rule.of == "any" else f"{rule.of}_"
    if rule.gap_minutes is not None:
        gap = smallest_gap(made, window)
        kept = gap is None or gap >= rule.gap_minutes * MINUTE
        value = None if gap is None else ratio_text(Fraction(gap, MINUTE))
        yield Check(f"{kind}change_gap_minutes", kept, value, f">= {rule.gap_minutes}", Reason.CHANGES_TOO_CLOSE)
    if rule.most_a_day is not None:
        count = len(within(made, window))
        reason = Reason.TOO_MANY_CHANGES if rule.most_a_day else Reason.CHANGED_THAT_DAY
        yield Check(f"{kind}changes", count <= rule.most_a_day, str(count), f"<= {rule.most_a_day}", reason)


def _event_checks(rules: Rules, window: tuple[int, int], log: Log, now: int) -> Iterator[Check]:
    seen = [event.type for event in log.events if window[0] <= event.at < window[1] and event.at <= now]
    for kind in rules.void_events:
        count = seen.count(Event(kind))
        reason = Reason.DELETED if kind == "delete" else Reason.PAUSED_THAT_DAY
        yield Check(f"{kind}s", count == 0, str(count), "<= 0", reason)


def _commission(rules: Rules, unit: Unit, targets: Sequence[Target]) -> Iterator[Check]:
    if not rules.commission_limits_target or not unit.commission_rate:
        return
    limit = 1 / Fraction(unit.commission_rate)
    highest = max((target.value for target in targets if target.value is not None), default=None)
    kept = highest is None or highest < limit
    yield Check("highest_target", kept, ratio_text(highest), f"< {ratio_text(limit)}", Reason.COMMISSION_TOO_HIGH)


def _outcome(rules: Rules, sums: Sums) -> Iterator[Check]:
    spend, promised = sums.spend, sums.promised
    yield Check("spend", spend > 0, yuan(to_fen(spend)), "> 0", Reason.NOTHING_SPENT)
    enough = sums.orders >= rules.orders.fewest
    yield Check("orders", enough, str(sums.orders), str(rules.orders), Reason.TOO_FEW_ORDERS)
    trigger = exact(rules.trigger_ratio)
    # ROI < trigger × weighted target, multiplied out: it holds without GMV too, where there is no weighted target.
    missed = promised.numerator * trigger.denominator < trigger.numerator * spend * promised.denominator
    actual = quotient_text(sums.gmv, spend) if spend else None
    yield Check("roi", missed, actual, f"< {_least_roi(rules, trigger, sums)}", Reason.ROI_MET)
    shortfall = sums.shortfall
    worth = shortfall >= exact(rules.minimum) * YUAN
    yield Check("shortfall", worth, yuan(to_fen(shortfall)), f">= {rules.minimum}", Reason.BELOW_MINIMUM)


def _least_roi(rules: Rules, trigger: Fraction, sums: Sums) -> str:
    """The ROI below which compensation is due: trigger × weighted target, in words while there is none."""
    promised = sums.promised
    if not (promised and sums.gmv):
        return f"{rules.trigger_ratio} x weighted_target"
    least = trigger.numerator * sums.gmv * promised.denominator
    return quotient_text(least, trigger.denominator * promised.numerator)


@lru_cache(maxsize=4096)
def _clock(at: int, timezone: str) -> str:
    return moment(at, timezone).isoformat()


def answer(verdict: Verdict, timezone: str) -> dict[str, object]:
    """The verdict as JSON: money in yuan to fen, ratios with at most six places, times in the unit's zone."""
    sums = verdict.sums
    forgone = {} if verdict.forgone is None else {"forgone": yuan(verdict.forgone)}
    return {
        "status": verdict.status,
        "reason": verdict.reason,
        "final": verdict.final,
        "orders": sums.orders,
        "spend": yuan(to_fen(sums.spend)),
        "gmv": yuan(to_fen(sums.gmv)),
        "weighted_target": ratio_text(sums.weighted_target),
        "actual_roi": quotient_text(sums.gmv, sums.spend) if sums.spend else None,
        "expected_spend": yuan(to_fen(sums.expected_spend)),
        "compensation": yuan(verdict.compensation),
        **forgone,
        "judged_at": None if verdict.judged_at is None else _clock(verdict.judged_at, timezone),
        "checks": [
            {"name": name, "passed": passed, "value": value, "limit": limit}
            for name, passed, value, limit, _ in verdict.checks
        ],
    }
