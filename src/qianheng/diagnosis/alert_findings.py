"""What findings say to alert rules: each finding is a condition that holds until a later look no longer finds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from qianheng.core.days import microseconds
from qianheng.core.money import ratio_text, yuan
from qianheng.diagnosis.alert_measures import Reading
from qianheng.diagnosis.alerts import Key, Observed
from qianheng.diagnosis.evidence import Evidence
from qianheng.diagnosis.findings import Finding
from qianheng.diagnosis.rules import ActiveRule, AlertRules
from qianheng.measures.history import About, History, Subject

_OF = 1000  # parts in which a likelihood is told


def observed(
    rules: AlertRules, found: Sequence[Finding], history: History, of: tuple[str, Iterable[Key]]
) -> dict[Key, Observed]:
    """What the rules of findings say once a history was looked at. `of`: the shop, and all conditions that stood.

    What stood of the shop's findings and is not found any more holds no longer.
    """
    shop_id, stood = of
    told = {
        key: Observed(False)
        for key in stood
        if key.shop_id == shop_id and key.rule in rules.rules and rules.rules[key.rule].rule.anomaly
    }
    for finding in found:
        for active in rules.of_finding(finding.anomaly):
            told[Key(active.name, shop_id, finding.subject)] = _observed(active, finding, history)
    return told


def _observed(active: ActiveRule, finding: Finding, history: History) -> Observed:
    likely = Reading(round(finding.likelihood * _OF), _OF)
    if not active.holds(likely):
        return Observed(False)
    detail: dict[str, Any] = {"value": ratio_text(likely.value, 4), "window": active.rule.window}
    detail |= {"limit": f"{active.rule.comparison} {active.rule.limit}", "since": finding.since.isoformat()}
    detail |= {"evidence": [proof_json(one) for one in finding.evidence], "plans": [*_plans(finding.subject, history)]}
    return Observed(True, detail, microseconds(finding.seen_at))


def _plans(subject: Subject, history: History) -> Iterator[str]:
    """The plans that a part of no one plan is a part of: what is wrong with it explains what they show."""
    if subject.about in (About.SHOP, About.PLAN) or subject.within:
        return
    parts = {(one.within, one.about, one.id) for one in history.days}
    yield from (plan_id for plan_id in history.plans if (plan_id, subject.about, subject.id) in parts)


def proof_json(proof: Evidence) -> dict[str, Any]:
    """Evidence as JSON: money in yuan, ratios as decimals."""
    return {
        "name": proof.name,
        "value": _told(proof, proof.value),
        "against": _told(proof, proof.against),
        "unit": proof.unit,
        "source": proof.source,
    }


def _told(proof: Evidence, value: object) -> object:
    if isinstance(value, Fraction):
        return ratio_text(value)
    return yuan(value) if proof.unit == "yuan" and isinstance(value, int) else value
