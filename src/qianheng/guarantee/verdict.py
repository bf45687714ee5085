"""The verdict: a policy, a unit, what was done to the plan and the figures give one answer, with every check behind it.

Source: CONTRACTS 2, SPEC 5.1 to 5.4. Exact throughout; money is rounded once, to fen, where it is paid or shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from qianheng.core.days import moment
from qianheng.core.money import Micros, quotient_text, ratio_text, to_fen, yuan
from qianheng.guarantee.case import Case, Log, Price, Unit, WeekUnit, start_of
from qianheng.guarantee.conditions import checks, due
from qianheng.guarantee.figures import Figures, figures
from qianheng.guarantee.policy import Policy, Rules
from qianheng.guarantee.reasons import NOT_COVERED, NOTHING, PRECEDENCE, VOIDS, Check, Reason, Status, Sums, exact
from qianheng.guarantee.weeks import add_week


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
    rules = policy.rules
    if rules is None:
        return Verdict(Status.NONE, Reason.NO_POLICY, True, add_periods(None, found), 0, None, None, ())
    if rules.week is not None and isinstance(unit, WeekUnit):
        sums = add_week(rules, unit, log, found, now)
    else:
        sums = add_periods(rules, found)
    conditions = tuple(checks(rules, unit, log, sums, now))
    failed = sorted({check.reason for check in conditions if not check.passed}, key=PRECEDENCE.__getitem__)
    first = failed[0] if failed else None
    judged_at = None if first in NOT_COVERED else judgement(rules, unit)
    final = judged_at is None or first in VOIDS or now >= judged_at
    amount = to_fen(due(rules, unit, sums)) if VOIDS.issuperset(failed) and judged_at is not None else 0
    return Verdict(
        status=_status(first, final, unit, now),
        reason=first if final else None,
        final=final,
        sums=sums,
        compensation=0 if failed else amount,
        forgone=amount if first in VOIDS else None,
        judged_at=judged_at,
        checks=conditions,
    )


def add_periods(rules: Rules | None, found: Figures) -> Sums:
    """The periods added up, each under its own goal and target."""
    parts = [period.promised for period in found.periods if period.gmv]
    promised = sum(parts[1:], parts[0]) if parts else NOTHING
    return Sums(
        spend=found.spend,
        orders=sum(period.orders for period in found.periods),
        gmv=sum(period.gmv for period in found.periods),
        promised=promised,
        expected_spend=promised / exact(rules.pay_ratio) if rules and rules.pay_ratio != 1 else promised,
        per_conversion=any(period.goal is Price.CONVERSION for period in found.periods),
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
    return start_of(unit.last_day, unit.timezone, 1 + rules.data_days)


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
