"""What is wrong in the shop, the most costly first: losses, findings, verdicts, playbooks that open (SPEC 7.7, 11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from qianheng.core.interval import Interval
from qianheng.core.words import say
from qianheng.diagnosis.evidence import Severity
from qianheng.diagnosis.ground import Ground
from qianheng.diagnosis.playbook import Playbook, opens
from qianheng.diagnosis.standing import Span, standing
from qianheng.diagnosis.triage import Kind, Known, Rules, Stance, Triage, triage
from qianheng.diagnosis.verdicts import Thresholds
from qianheng.measures.history import About, History, Subject

OF_LOSS = {Stance.WAIT: Severity.WATCH, Stance.FIX: Severity.ACT, Stance.STOP: Severity.URGENT}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong with a subject: what kind of thing, its name, what to call it and what to do, in words.
    costs: what another day of it costs, micro-yuan; `None` where that cannot be told.
    """

    subject: Subject
    kind: Literal["loss", "finding", "verdict", "playbook"]
    name: str
    severity: Severity
    text: str
    advice: str
    costs: Interval | None = None


@dataclass(frozen=True, slots=True)
class Troubles:
    """All that is wrong, and the subjects of which nobody can tell for want of a margin or a target."""

    found: tuple[Trouble, ...]
    unheld: tuple[Subject, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that troubles are told by."""

    rules: Rules
    thresholds: Thresholds
    playbooks: Mapping[str, Playbook]
    known: Known


def troubles(history: History, by: Judgement) -> Troubles:
    """What is wrong: what costs most a day first, then what is most severe."""
    sorted_out = triage(history, by.rules, by.known, history.of(About.PLAN))
    found = [*_losses(sorted_out), *_findings(by), *_verdicts(history, by), *_playbooks(history, by)]
    found.sort(key=lambda one: (-(one.costs.expected if one.costs else 0), -one.severity.rank))
    return Troubles(tuple(found), sorted_out.unheld)


def _losses(sorted_out: Triage) -> Iterator[Trouble]:
    for loss in sorted_out.losses:
        text = say(f"triage.trouble.{loss.kind}")
        name = loss.kind if loss.kind is not Kind.WASTE else loss.reasons[0].rule.name
        advice = say(f"triage.stance.{loss.stance}")
        yield Trouble(loss.subject, "loss", name, OF_LOSS[loss.stance], text, advice, loss.tomorrow)


def _findings(by: Judgement) -> Iterator[Trouble]:
    for one in by.known.findings or ():
        text, advice = say(f"findings.anomaly.{one.anomaly}"), say(f"findings.advice.{one.anomaly}")
        yield Trouble(one.subject, "finding", one.anomaly, one.severity, text, advice)


def _verdicts(history: History, by: Judgement) -> Iterator[Trouble]:
    span = Span(*history.back(by.rules.windows.days))
    for plan in history.plans.values():
        for one in standing(history, plan, span, by.thresholds).verdicts:
            severity = Severity(one.severity)
            if severity is not Severity.NORMAL:
                text = f"{say(f'diagnosis.measure.{one.measure}')} {float(one.value):.2f}"
                advice = say(f"diagnosis.verdict.{one.verdict}")
                yield Trouble(plan.subject, "verdict", one.verdict, severity, text, advice)


def _playbooks(history: History, by: Judgement) -> Iterator[Trouble]:
    subjects = [history.whole_shop, *(plan.subject for plan in history.plans.values())]
    for subject in subjects:
        ground = Ground(history, subject, by.rules.windows, by.known.findings, by.known.peers)
        for name, playbook in by.playbooks.items():
            if opens(playbook, ground):
                asked = f" --plan {subject.id}" if subject.about is About.PLAN else ""
                advice = f"qianheng diagnose playbook {name}{asked}"
                yield Trouble(subject, "playbook", name, Severity.WATCH, str(playbook.title), advice)
