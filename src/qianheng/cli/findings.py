"""`qianheng diagnose findings`: what has gone wrong, since when, and by what that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from qianheng.cli.options import minute
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.cli.sources import OfPlan, ShopId, Source, history_asked
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.diagnosis.evidence import Evidence
    from qianheng.diagnosis.findings import Finding
    from qianheng.measures.history import History


def add_to(app: typer.Typer) -> None:
    """Add the command to the group `diagnose`."""
    app.command("findings", help=say("findings.command.findings"))(_findings)


def _findings(source: Source, plan: OfPlan = "", shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.actions.findings import rules_kept, to_look_at
    from qianheng.diagnosis.findings import findings
    from qianheng.diagnosis.streams import clock_of

    rules = rules_kept()
    history = history_asked(source, to_look_at(rules, shop))
    if plan and plan not in history.plans:
        from qianheng.core.errors import NotFound

        known = ", ".join(history.plans) or "–"
        raise NotFound("histories.no_plan", place="--plan", value=plan, known=known)
    found = [one for one in findings(history, rules) if _concerns(one, plan, history)]
    clock = clock_of(history, rules.watch)
    needed = rules.watch.least_days + rules.watch.fresh_days + 1
    watched = clock is not None and clock.days >= needed
    if as_json:
        print_json(
            {"at": history.now.isoformat(), "watched": watched, "findings": [finding_json(one) for one in found]}
        )
        return
    if not watched:
        typer.echo(say("findings.too_short", days=needed))
    _print(found, history)


def _concerns(finding: Finding, plan: str, history: History) -> bool:
    """Whether a finding is of a plan, of the shop, or of something that the plan promotes."""
    subject = finding.subject
    if not plan or subject.about == "shop":
        return True
    told = history.hours or history.days
    parts = {(one.about, one.id) for one in told if one.within == plan}
    return subject.id == plan if subject.about == "plan" else (subject.about, subject.id) in parts


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as JSON: money in yuan, ratios as decimals."""
    from qianheng.diagnosis.alert_findings import proof_json

    subject = finding.subject
    return {
        "anomaly": finding.anomaly.value,
        "subject": {"about": subject.about.value, "id": subject.id, "name": subject.name, "within": subject.within},
        "since": finding.since.isoformat(),
        "seen_at": finding.seen_at.isoformat(),
        "severity": finding.severity.value,
        "likelihood": f"{finding.likelihood:.3f}",
        "evidence": [proof_json(one) for one in finding.evidence],
        "advice": say(f"findings.advice.{finding.anomaly}"),
    }


def _print(found: list[Finding], history: History) -> None:
    rows = [
        [
            say(f"diagnosis.severity.{one.severity}"),
            say(f"findings.anomaly.{one.anomaly}"),
            _name(one),
            minute(one.since, history.now),
            minute(one.seen_at, history.now),
            f"{one.likelihood:.0%}",
            say("findings.list").join(map(_sentence, one.evidence)),
        ]
        for one in found
    ]
    columns = headings("findings", "severity", "anomaly", "subject", "since", "seen_at", "likelihood", "evidence")
    print_table(say("findings.title", at=minute(history.now, history.now)), columns, rows)
    for anomaly in dict.fromkeys(one.anomaly for one in found):
        typer.echo(f"{say(f'findings.anomaly.{anomaly}')}: {say(f'findings.advice.{anomaly}')}")


def _name(finding: Finding) -> str:
    subject = finding.subject
    return subject.name or f"{say(f'findings.about.{subject.about}')} {subject.id}".strip()


def _sentence(proof: Evidence) -> str:
    value, against = (_shown(proof, one) for one in (proof.value, proof.against))
    return say("findings.against", name=say(f"evidence.{proof.name}"), value=value, against=against)


def _shown(proof: Evidence, value: object) -> str:
    from qianheng.cli.output import money_text

    if value is None or isinstance(value, str):
        return value or "–"
    if proof.unit == "share":
        return f"{float(value):.2%}"  # type: ignore[arg-type]
    return money_text(int(value)) if proof.unit == "yuan" else str(value)  # type: ignore[call-overload]
