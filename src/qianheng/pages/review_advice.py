"""The parts of a review that advise: alerts, why the ROI moved, the band of targets, tiers, what else to try."""

from __future__ import annotations

from fractions import Fraction

from qianheng.actions import alert_text
from qianheng.actions.planning import from_to
from qianheng.actions.reviews import Review
from qianheng.actions.whatif import Answer
from qianheng.core.days import moment
from qianheng.core.interval import Interval
from qianheng.core.words import say
from qianheng.diagnosis.changes import Change, effect_name, headline
from qianheng.measures.history import About
from qianheng.pages.document import (
    Amount,
    Badge,
    Block,
    Cell,
    Chart,
    Decision,
    Paragraph,
    Section,
    Series,
    Sources,
    Table,
    Unit,
    amount,
    columns,
    ratio_cell,
    text_of,
)
from qianheng.pages.review_blocks import command_line, commands, days_of, name_of
from qianheng.strategy.decisions import Standing, Status
from qianheng.strategy.proposal import Measure
from qianheng.strategy.whatif import Outlook


def troubles_section(review: Review) -> Section:
    """What is wrong, the costliest first; verdicts stand with the plans."""
    rows = tuple(
        (
            name_of(one.subject),
            Badge(say(f"diagnosis.severity.{one.severity}"), one.severity.value),
            one.text,
            _between(one.costs),
            one.advice,
        )
        for one in review.troubles
        if one.kind != "verdict"
    )
    heads = columns(
        "reviews", "where", "verdict", "title", "costs", "advice", text=("where", "verdict", "title", "advice")
    )
    table = Table(
        "troubles", say("reviews.troubles"), heads, rows, say("reviews.troubles_hint"), say("reviews.no_troubles")
    )
    return Section("troubles", say("reviews.troubles"), (table, _advise(review, "diagnose")))


def proposals_section(review: Review) -> Section:
    """What is proposed and waits for a yes or no, and what became of what was carried out."""
    rows: list[tuple[Cell, ...]] = []
    for one in review.proposals:
        effect = (one.found.of(Measure.PROFIT) if one.found else None), one.proposal.effect(Measure.PROFIT)
        measured = effect[0].measured if effect[0] else None
        if one.status in _SHOWN and not _lapsed(one, review):
            action = say(f"proposals.action.{one.proposal.action}")
            status, why = say(f"proposals.status.{one.status}"), one.proposal.reason.text()
            expected = effect[1].change if effect[1] else None
            rows.append((one.name, one.proposal.plan_id, action, status, _between(expected), _between(measured), why))
    heads = columns("reviews", *_PROPOSAL, text=("proposal", "plan", "action", "status", "why"))
    hint, none = say("reviews.proposals_hint"), say("reviews.no_proposals")
    table = Table("proposals", say("reviews.proposals"), heads, tuple(rows), hint, none)
    opened = (open_with(review, command) for command in ("proposals", "proposals follow-up"))
    return Section("proposals", say("reviews.proposals"), (table, Sources(tuple(opened))))


def top_proposal(review: Review) -> Standing | None:
    """The proposal that waits for a yes or no and is expected to bring most."""
    waiting = (one for one in review.proposals if one.status is Status.OPEN and not _lapsed(one, review))
    return next(waiting, None)


def _lapsed(one: Standing, review: Review) -> bool:
    """Whether a proposal has had its time without being decided."""
    return one.status is Status.OPEN and one.proposal.good_until <= review.history.now


def proposal_decision(review: Review, one: Standing) -> Decision:
    """A proposal as the one thing to decide: what becomes what, why, and what is expected of it."""
    plan = review.history.plans.get(one.proposal.plan_id or "")
    where = name_of(plan.subject) if plan else say("reviews.whole_shop")
    what = (say(f"proposals.action.{one.proposal.action}"), from_to(one.proposal.before, one.after))
    told = say("proposals.semicolon").join(filter(None, what))
    gain = one.proposal.effect(Measure.PROFIT)
    gained = (
        say("reviews.decision.gain", gain=text_of(_between(gain.change))) if gain else say("reviews.decision.no_gain")
    )
    return Decision(
        say("reviews.decision.proposal", id=one.name, where=where, what=told),
        say("reviews.decision.why", reason=one.proposal.reason.text(), gain=gained),
        "watch",
        open_with(review, f"proposals show {one.name}"),
    )


_SHOWN = (Status.OPEN, Status.SCHEDULED, Status.CARRIED_OUT, Status.MEASURED)
_PROPOSAL = ("proposal", "plan", "action", "status", "expected", "measured", "why")


def band_section(review: Review) -> Section:
    """The band that each plan's target may lie in, made anew from its last days, and the next step."""
    rows = tuple(
        (
            name_of(one.plan),
            say(f"advice.phase.{one.phase}"),
            ratio_cell(None if one.current is None else Fraction(one.current)),
            ratio_cell(one.base),
            ratio_cell(one.low),
            ratio_cell(one.high),
            ratio_cell(None if one.suggested is None else Fraction(one.suggested)),
            say(f"advice.move.{one.move}"),
        )
        for one in review.targets
    )
    heads = columns("reviews", *_BAND, text=("plan", "phase", "advice"))
    table = Table("band", say("reviews.band"), heads, rows, say("reviews.band_hint"), say("reviews.no_plans"))
    return Section("band", say("reviews.band"), (table, _advise(review, "advise target")))


_BAND = ("plan", "phase", "target", "base", "band_low", "band_high", "suggested", "advice")


def tiers_section(review: Review) -> Section | None:
    """What each product is to the shop, and what to begin with."""
    if review.tiers is None:
        return None
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            name_of(one.product),
            say(f"advice.tier.{one.tier}"),
            ratio_cell(None if one.target is None else Fraction(one.target)),
            amount(one.budget),
        )
        for one in review.tiers.products
    )
    heads = columns("reviews", "name", "tier", "target", "budget", text=("name", "tier"))
    table = Table("tiers", say("reviews.tiers"), heads, rows, say("reviews.tiers_hint"), say("reviews.nothing_ranked"))
    return Section("tiers", say("reviews.tiers"), (table, _advise(review, "advise products")))


def what_if_section(review: Review) -> Section | None:
    """What other targets and budgets are expected to bring a day: as set now, and the best that was looked at."""
    rows: list[tuple[Cell, ...]] = []
    for answer in review.what_ifs:
        rows.append(_outlook_row(answer, say("reviews.as_set"), answer.now))
        if answer.suggested.best is not None:
            rows.append(_outlook_row(answer, say("reviews.best_setting"), answer.suggested.best))
    if not rows:
        return None
    heads = columns(
        "reviews", "plan", "setting", "target", "budget", "spend", "gmv", "profit", text=("plan", "setting")
    )
    table = Table("what_if", say("reviews.what_if"), heads, tuple(rows), say("reviews.what_if_hint"))
    sources = (_advise(review, f"what-if --plan {answer.plan.subject.id}") for answer in review.what_ifs)
    return Section("what_if", say("reviews.what_if"), (table, *sources))


def _outlook_row(answer: Answer, setting: str, one: Outlook) -> tuple[Cell, ...]:
    target = None if one.trial.target is None else Fraction(one.trial.target).limit_denominator(1000)
    told = (_between(one.spend), _between(one.gmv), _between(one.profit))
    return (name_of(answer.plan.subject), setting, ratio_cell(target), amount(round(one.trial.budget)), *told)


def _between(interval: Interval | None) -> Amount:
    if interval is None:
        return amount(None)
    return Amount(interval.expected, Unit.MONEY, interval.low, interval.high)


def _advise(review: Review, command: str) -> Sources:
    return Sources((open_with(review, command),))


def open_with(review: Review, command: str) -> str:
    """The command line of a piece of advice, of a run as known then or of reports."""
    return f"qianheng {command} --reports" if review.history.source == "reports" else command_line(review, command)


def alerts_section(review: Review) -> Section | None:
    """The alerts that wait for somebody, and those of the last day that are handled or over."""
    if review.books is None:
        return None
    rules = review.books.alert_rules
    rows = tuple(
        (
            f"a{one.number}",
            Badge(say(f"diagnosis.severity.{one.alert.severity}"), one.alert.severity.value),
            say(f"alerts.state.{one.alert.state}"),
            f"{moment(one.alert.fired_at, review.history.timezone):%m-%d %H:%M}",
            alert_text.title(one.alert.key.rule, rules),
            alert_text.subject(one.alert.key),
            alert_text.advice(one.alert.key.rule, rules),
        )
        for one in review.books.alerts
    )
    heads = columns("reviews", *_ALERT, text=_ALERT)
    table = Table("alerts", say("reviews.alerts"), heads, rows, say("reviews.alerts_hint"), say("reviews.no_alerts"))
    return Section("alerts", say("reviews.alerts"), (table, *commands(review, "alerts check", "alerts inbox")))


_ALERT = ("alert", "verdict", "status", "at", "title", "where", "advice")


def why_section(review: Review) -> Section:
    """Why the ROIs moved, taken apart."""
    blocks = [block for change in review.changes for block in (Paragraph(_headline(change)), _waterfall(change))]
    hint = Paragraph(say("reviews.why_hint"), hint=True)
    told: tuple[Block, ...] = (*blocks, hint) if blocks else (Paragraph(say("reviews.why_unknown")),)
    command = "diagnose roi" if review.history.source == "run" else "diagnose roi --reports"
    sources = Sources((f"qianheng {command} {days_of(review)}",))
    return Section("why", say("reviews.why"), (*told, sources))


def _headline(change: Change) -> str:
    return f"{_subject(change)}: {headline(change)}"


def _subject(change: Change) -> str:
    return say("reviews.whole_shop") if change.subject.about is About.SHOP else name_of(change.subject)


def _waterfall(change: Change) -> Chart:
    """From the ROI before to the ROI after; what moved it by less than a hundredth of that is told together."""
    found = change.found
    least = abs(found.before) / 100
    shown = [one for one in found.effects if abs(one.amount) >= least]
    rest = found.change - sum(one.amount for one in shown)
    steps = [(effect_name(one), one.amount) for one in shown]
    steps += [(say("reviews.other_effects"), rest)] if rest else []
    labels = (say("reviews.before"), *(name for name, _ in steps), say("reviews.after"))
    values = (found.before, *(amount for _, amount in steps), found.after)
    unit = Unit.ROI if found.measure.is_ratio else Unit.MONEY
    series = Series("roi", say(f"triage.measure.{found.measure}"), values, unit)
    title = f"{_subject(change)} · {say(f'triage.measure.{found.measure}')}"
    return Chart(f"why_{change.subject.about}_{change.subject.id}", title, labels, (series,), waterfall=True)


def targets_section(review: Review) -> Section | None:
    """What targets, goals and budgets were changed to in these days."""
    rows: list[tuple[Cell, ...]] = []
    for plan in review.history.plans.values():
        for before, after in zip(plan.settings, plan.settings[1:], strict=False):
            if review.span.first <= after.at.date() <= review.history.today:
                targets = (ratio_cell(None if one.target is None else Fraction(one.target)) for one in (before, after))
                budgets = (amount(one.budget_daily) for one in (before, after))
                goal = say(f"pages.goal.{after.goal}")
                rows.append((f"{after.at:%m-%d %H:%M}", name_of(plan.subject), goal, *targets, *budgets))
    heads = columns(
        "reviews",
        "at",
        "plan",
        "goal",
        "target_before",
        "target",
        "budget_before",
        "budget",
        text=("at", "plan", "goal"),
    )
    if review.history.source == "reports":
        return None
    table = Table("changes", say("reviews.changes"), heads, tuple(rows), "", say("reviews.no_changes"))
    return Section("targets", say("reviews.targets"), (table,))
