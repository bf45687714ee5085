"""An alert in words: what is wrong, with what, the figures that say so, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from qianheng.core.days import moment, parse_time
from qianheng.core.words import known, language, say
from qianheng.diagnosis.alert_measures import FINDING, MEASURES
from qianheng.diagnosis.alerts import AlertEvent, Happened, Key
from qianheng.diagnosis.rules import Rule
from qianheng.measures.history import About

Rules = Mapping[str, Rule]


def title(rule: str, rules: Rules) -> str:
    """What a rule says is wrong: in the words of its finding, the catalogue's, the owner's, or its own name."""
    if rule in rules and rules[rule].anomaly:
        return say("alerts.found", what=say(f"findings.anomaly.{rules[rule].anomaly}"))
    if known(f"alerts.rule.{rule}"):
        return say(f"alerts.rule.{rule}")
    written = rules.get(rule)
    own = getattr(written, language()) if written else ""
    return own or rule


def advice(rule: str, rules: Rules) -> str:
    """What to do; "" where the rule does not say."""
    written = rules.get(rule)
    if written and written.verdict:
        return say(f"diagnosis.verdict.{written.verdict}")
    if written and written.anomaly:
        return say(f"findings.advice.{written.anomaly}")
    return say(f"alerts.advice.{rule}") if known(f"alerts.advice.{rule}") else ""


def subject(key: Key) -> str:
    """What an alert is about: "plan 7 (name)"; a part is told with its plan."""
    one = key.subject
    told = say(f"alerts.about.{one.about}", id=one.id)
    if one.name and one.name != one.id:
        told = say("alerts.named", about=told, name=one.name)
    return say("alerts.within", about=told, plan=one.within) if one.within and one.about is not About.PLAN else told


def value(rule: str, detail: Mapping[str, Any], rules: Rules) -> str | None:
    """The figure as people read it, in the measure's unit."""
    told = detail.get("value")
    return None if told is None else _in_unit(Decimal(told), _unit(rule, rules))


def limit(rule: str, detail: Mapping[str, Any], rules: Rules) -> str | None:
    """The limit as people read it: "< 30%"."""
    comparison, _, bound = str(detail.get("limit", "")).partition(" ")
    return f"{comparison} {_in_unit(Decimal(bound), _unit(rule, rules))}" if bound else None


def _unit(rule: str, rules: Rules) -> str:
    written = rules.get(rule)
    if written and written.measure == FINDING:
        return "share"
    return MEASURES[written.measure].unit if written else ""


def _in_unit(number: Decimal, unit: str) -> str:
    if unit == "share":
        return f"{number:.1%}"
    return f"{number:.0f}" if unit == "count" and number == number.to_integral_value() else f"{number.normalize():.2f}"


def figures(rule: str, detail: Mapping[str, Any], rules: Rules) -> str:
    """The figure against its limit, between what it lies, and on how much it rests."""
    written = rules.get(rule)
    name = say(f"alerts.measure.{written.measure}") if written else ""
    parts = [say("alerts.figure", name=name, value=value(rule, detail, rules), limit=limit(rule, detail, rules))]
    if "between" in detail:
        low, high = (_in_unit(Decimal(end), _unit(rule, rules)) for end in detail["between"])
        parts.append(say("alerts.between", low=low, high=high))
    rests = (name for name in ("orders", "clicks", "impressions", "spend", "balance") if detail.get(name))
    parts += [say(f"alerts.rests.{one}", value=detail[one]) for one in rests]
    parts += [_proof(proof) for proof in detail.get("evidence", ())]
    if "since" in detail:
        parts.append(say("alerts.since", time=f"{parse_time(detail['since']):%Y-%m-%d %H:%M}"))
    if "ends_at" in detail:
        parts.append(say("alerts.ends_at", time=f"{parse_time(detail['ends_at']):%H:%M}"))
    return say("alerts.and").join(parts)


def _proof(proof: Mapping[str, Any]) -> str:
    """A figure of a finding beside what is usual."""
    unit = proof["unit"]
    told, usual = (
        _in_unit(Decimal(of), unit) if unit in ("share", "ratio") and of is not None else of
        for of in (proof["value"], proof["against"])
    )
    return say("findings.against", name=say(f"evidence.{proof['name']}"), value=told, against=usual)


def sentence(event: AlertEvent, rules: Rules, timezone: str) -> tuple[str, tuple[str, ...]]:
    """What happened to an alert as a title and the lines under it, for a message."""
    at = moment(event.at, timezone)
    head = {
        "happened": say(f"alerts.happened.{event.happened}"),
        "severity": say(f"diagnosis.severity.{event.severity}"),
    }
    lines = [subject(event.key), figures(event.key.rule, event.detail, rules)]
    if event.happened is not Happened.RESOLVED:
        lines.append(advice(event.key.rule, rules))
    lines.append(f"{at:%Y-%m-%d %H:%M}")
    return say("alerts.head", title=title(event.key.rule, rules), **head), tuple(line for line in lines if line)
