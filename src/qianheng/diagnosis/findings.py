"""Findings: what has gone wrong and since when, by the shop's own facts alone (SPEC 7.7, 11).

One definition for alerts, triage, proposals and reviews. What is usual is learnt from the days before; causes are
weighed by the figures they would have moved; the one that the facts speak for most strongly is told, and what it
explains is not told again as something else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from qianheng.core.days import midnight
from qianheng.core.money import micros
from qianheng.diagnosis.causes import Rules
from qianheng.diagnosis.evidence import Evidence, Severity
from qianheng.diagnosis.watching import Moved, Seen, watched
from qianheng.measures.history import History, PlanHistory, Subject
from qianheng.plans.plan import PlanStatus

_RULE = "SPEC 11"
_MONEY = {"order_value": 1, "cpm": 1000}  # of how many it is told
_COUNTED = {  # what is counted of each rate; of what has no rate, the count alone
    "ctr": "clicks",
    "cvr": "promoted_orders",
    "refund_rate_1h": "refunded_orders_1h",
    "off_hours": "off_hours_orders",
}


class Anomaly(StrEnum):
    """What can be wrong beyond figures that miss their targets."""

    REFUND_WAVE = "refund_wave"
    TIRED_CREATIVE = "tired_creative"
    RIVAL_ENTERED = "rival_entered"
    WRONG_PRICE = "wrong_price"
    TRACKING_BROKEN = "tracking_broken"
    STOCK_OUT = "stock_out"
    OFF_AIR_SPEND = "off_air_spend"
    LEARNING_FAILED = "learning_failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a subject. `since`: the hour (of daily reports: the day) it most likely began with;
    `seen_at`: when the facts first said so, and have said so ever since. `likelihood`: how likely this cause is among
    those that could have moved the same figures, from 0 to 1.
    """

    anomaly: Anomaly
    subject: Subject
    since: datetime
    seen_at: datetime
    severity: Severity
    evidence: tuple[Evidence, ...]
    likelihood: float

    @property
    def key(self) -> tuple[str, ...]:
        """What is wrong with what: the same as long as it lasts."""
        return (self.anomaly, self.subject.about, self.subject.id, self.subject.within)


def findings(history: History, rules: Rules) -> tuple[Finding, ...]:
    """What is wrong at the history's `now`, the gravest first, of the same gravity the surest first."""
    now = deque(watched(history, rules), maxlen=1)
    told = [finding_of(seen) for look in now for seen in look.seen]
    told += [*_off_air(history, rules), *_not_learnt(history, rules)]
    surest = {finding.key: finding for finding in sorted(told, key=lambda one: one.likelihood)}
    return tuple(sorted(surest.values(), key=lambda one: (-one.severity.rank, -one.likelihood, one.key)))


def finding_of(seen: Seen) -> Finding:
    """What was seen, as it is told."""
    evidence = tuple(proof for moved in seen.moved for proof in _proofs(moved))
    cause = seen.suspicion.cause
    times = seen.began, seen.seen_at
    anomaly, severity = Anomaly(cause.anomaly), Severity(cause.severity)
    return Finding(anomaly, seen.suspicion.subject, *times, severity, evidence, seen.likelihood)


def _proofs(moved: Moved) -> Iterator[Evidence]:
    """A figure since it moved against what is usual, and by how many events that is known."""
    if moved.measure in _MONEY:
        each = _MONEY[moved.measure] / max(moved.exposed, 1.0)
        yield Evidence(moved.measure, round(moved.counted * each), round(moved.expected * each), "yuan", _RULE)
        return
    if moved.measure in _COUNTED and moved.exposed:
        told, usual = (_exact(number / moved.exposed) for number in (moved.counted, moved.expected))
        yield Evidence(moved.measure, told, usual, "share", _RULE)
    name = _COUNTED.get(moved.measure, moved.measure)
    yield Evidence(name, round(moved.counted), round(moved.expected), "count", _RULE)


def _exact(value: float) -> Fraction:
    return Fraction(value).limit_denominator(10**6)


def _off_air(history: History, rules: Rules) -> Iterator[Finding]:
    """Plans that are known to have spent while their room was off air, lately."""
    least, share = micros(rules.watch.off_air_spend_at_least), Fraction(str(rules.watch.off_air_share_at_least))
    first = history.today - timedelta(days=rules.watch.fresh_days - 1)
    for plan in history.plans.values():
        told = history.each(plan.subject, first, history.today)
        known = {day: (one.off_air_spend or 0, one.spend or 0) for day, one in told.items()}
        spent = {day: off for day, (off, whole) in known.items() if off >= max(least, 1) and off >= share * whole}
        if spent:
            since = _morning(min(spent), history)
            proof = Evidence("off_air_spend", sum(spent.values()), least, "yuan", "SPEC 4.3")
            seen = min(_morning(min(spent) + timedelta(days=1), history), history.now)
            yield Finding(Anomaly.OFF_AIR_SPEND, plan.subject, since, seen, Severity.URGENT, (proof,), 1.0)


def _not_learnt(history: History, rules: Rules) -> Iterator[Finding]:
    """Plans whose learning has failed: they spent, and after some days still have too few orders."""
    rule = rules.learning
    for plan in history.plans.values():
        if plan.began is None or not _serves(plan):
            continue
        days = (history.today - plan.began).days
        told = history.whole(plan.subject, plan.began, history.today - timedelta(days=1))
        orders = told.orders if told.promoted_orders is None else told.promoted_orders
        budget = None if plan.setting is None else plan.setting.budget_daily
        spent = budget and told.spend is not None and told.spend >= budget * days * Fraction(rule.spend_share)
        if rule.days <= days <= rule.until_days and spent and orders is not None and orders < rule.orders:
            due = _morning(plan.began + timedelta(days=rule.days), history)
            proof = Evidence("learning_orders", orders, rule.orders, "count", "SPEC 7.3")
            lasted = Evidence("learning_days", days, rule.days, "days", "SPEC 7.3")
            since = _morning(plan.began, history)
            yield Finding(Anomaly.LEARNING_FAILED, plan.subject, since, due, Severity.ACT, (proof, lasted), 1.0)


def _serves(plan: PlanHistory) -> bool:
    return plan.setting is not None and plan.setting.status is PlanStatus.ACTIVE


def _morning(day: date, history: History) -> datetime:
    return midnight(day, history.timezone)
