"""Daily, weekly and fortnightly reviews as documents: one function makes one section, in the order of their weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from qianheng.actions.reviews import Kind, Review
from qianheng.core.money import Micros, ratio
from qianheng.core.words import known, say
from qianheng.diagnosis.evidence import Severity
from qianheng.diagnosis.troubles import Trouble
from qianheng.diagnosis.verdicts import Verdict
from qianheng.guarantee.reasons import Status
from qianheng.measures.history import About
from qianheng.measures.reports import summed
from qianheng.pages.document import (
    Block,
    Cell,
    Decision,
    Document,
    Figure,
    KeyFigures,
    Paragraph,
    Section,
    Sources,
    Table,
    Unit,
    amount,
    columns,
    number_text,
)
from qianheng.pages.incrementality import verdict_blocks
from qianheng.pages.review_advice import (
    alerts_section,
    band_section,
    open_with,
    proposal_decision,
    proposals_section,
    targets_section,
    tiers_section,
    top_proposal,
    troubles_section,
    what_if_section,
    why_section,
)
from qianheng.pages.review_blocks import (
    badge,
    command_line,
    commands,
    days_chart,
    days_of,
    held_against,
    hours_chart,
    label,
    look_of,
    name_of,
    named_days,
    plans_table,
    ranked_tables,
    ripening_chart,
)
from qianheng.strategy.targets import TargetAdvice

USUAL_DAYS = 7  # a day is held against so many before it
BALANCE_DAYS = 3  # SPEC 4.5: less than so many days' mean spend is a low balance

ASKS_FOR_TARGET = ("lower_target", "spend_low")  # verdicts, where the band of SPEC 7.3 says how far

Part: TypeAlias = Callable[[Review], Section | None]


def review_document(review: Review) -> Document:
    """The document of a review; a part that has nothing to tell is left out."""
    history, span = review.history, review.span
    days = str(span.first) if span.days == 1 else f"{span.first} – {span.last}"
    shop = history.shop.name or say("reviews.shop", id=history.shop.id or "–")
    facts = (
        Figure("shop", say("reviews.figure.shop"), shop),
        Figure("days", say("reviews.figure.days"), days),
        Figure("source", say("reviews.figure.source"), say(f"reviews.source.{history.source}")),
    )
    parts = (part(review) for part in PARTS[review.kind])
    kind = say(f"reviews.kind.{review.kind}")
    sections = tuple(part for part in parts if part is not None)
    return Document(review.kind, kind, f"{kind} · {days}", history.now, sections, facts)


def _decision(review: Review) -> Section:
    """The one thing to decide: what is urgent, else the proposal that is to bring most, else the costliest trouble that
    calls for it, else the gravest verdict, else none.
    """
    trouble = next((one for one in review.troubles if one.severity.rank >= Severity.ACT.rank), None)
    proposal = top_proposal(review)
    if proposal is not None and (trouble is None or trouble.severity is not Severity.URGENT):
        block: Block = proposal_decision(review, proposal)
    elif trouble is not None:
        title = say("reviews.decision.trouble", where=name_of(trouble.subject), what=trouble.text)
        block = Decision(title, _advice(trouble), trouble.severity.value, _open(review, trouble))
    elif (worst := _worst(review)) is not None:
        measure = say(f"diagnosis.measure.{worst.verdict.measure}")
        block = Decision(
            say("reviews.decision.verdict", where=worst.where, measure=measure),
            f"{number_text(worst.verdict.value, Unit.SHARE)} · {worst.meaning}",
            look_of(worst.verdict),
        )
    elif any(one.to_target is not None for one in review.plans):
        block = Decision(say("reviews.decision.none"), say("reviews.decision.none_why"), "normal")
    else:
        block = Decision(
            say("reviews.decision.unheld"), say("reviews.decision.unheld_why"), "watch", "qianheng shop set --help"
        )
    return Section("decision", say("reviews.decision.title"), (block,))


def _advice(trouble: Trouble) -> str:
    """What to do, and what another day of it costs where that is known."""
    if trouble.costs is None:
        return trouble.advice
    low, high = (number_text(end, Unit.MONEY) for end in (trouble.costs.low, trouble.costs.high))
    cost = number_text(trouble.costs.expected, Unit.MONEY)
    return " ".join(filter(None, (trouble.advice, say("reviews.costs", cost=cost, low=low, high=high))))


def _open(review: Review, trouble: Trouble) -> str:
    """The command line that shows a trouble in full."""
    plan = f" --plan {trouble.subject.id}" if trouble.subject.about is About.PLAN else ""
    return open_with(review, f"diagnose loss{plan}" if trouble.kind == "loss" else "diagnose")


class _Line(NamedTuple):
    """A verdict on a plan, with what is advised for its target, or on the whole shop."""

    where: str
    verdict: Verdict
    target: TargetAdvice | None
    spend: Micros

    @property
    def meaning(self) -> str:
        """What it means; where another target is asked for, what that is to be is told by the advice alone."""
        target = self.target
        if self.verdict.verdict not in ASKS_FOR_TARGET or target is None or target.current is None:
            return say(f"diagnosis.verdict.{self.verdict.verdict}")
        found, why = say(f"reviews.found.{self.verdict.verdict}"), say(f"advice.move.{target.move}")
        current = f"{target.current:.2f}"
        if target.suggested in (None, target.current):
            return say("reviews.target_stays", found=found, target=current, why=why)
        return say("reviews.target_moves", found=found, target=current, suggested=f"{target.suggested:.2f}", why=why)


def _lines(review: Review) -> Iterator[_Line]:
    """All verdicts of a review."""
    advised = {one.plan.id: one for one in review.targets}
    for one in review.plans:
        subject, spend = one.plan.subject, one.summary.figures.spend or 0
        yield from (_Line(name_of(subject), verdict, advised.get(subject.id), spend) for verdict in one.verdicts)
    yield from (_Line(say("reviews.whole_shop"), verdict, None, 0) for verdict in review.verdicts)


def _worst(review: Review) -> _Line | None:
    """The gravest verdict, of the plan that spent most of those that have it."""
    order = ("urgent", "act")
    told = [one for one in _lines(review) if one.verdict.severity in order]
    return min(told, key=lambda one: (order.index(one.verdict.severity), -one.spend), default=None)


def _yesterday(review: Review) -> Section:
    """Yesterday against the week before it."""
    day = review.span.first
    before = review.span.before(USUAL_DAYS)
    figures = held_against("yesterday", review.summary(), review.summary(before), (1, review.known_days(before)))
    sources = commands(review, f"figures --by hour {named_days(day, day)}", f"figures --by plan {named_days(day, day)}")
    blocks: tuple[Block, ...] = (
        figures,
        Paragraph(_counting(review, say("reviews.against_week")), hint=True),
        hours_chart(review, day),
        *sources,
    )
    return Section("yesterday", say("reviews.yesterday", day=day), blocks)


def _today(review: Review) -> Section | None:
    """Today so far against the same hours of the days before; nothing on the stroke of midnight."""
    history = review.history
    hours = history.hours.get(history.whole_shop, {})
    until = history.now.hour
    now = [figures for at, figures in hours.items() if at.date() == history.today and at.hour < until]
    if not now:
        return None
    days = [history.today - timedelta(days=back) for back in range(1, USUAL_DAYS + 1)]
    before = [figures for at, figures in hours.items() if at.date() in days and at.hour < until]
    count = len({at.date() for at in hours if at.date() in days})
    figures = held_against("today", summed(now), summed(before), (1, count))
    title = say("reviews.today", until=f"{until:02d}:00")
    hint = Paragraph(say("reviews.against_same_hours", days=count), hint=True)
    return Section("today", title, (figures, hint, hours_chart(review, history.today)))


def _plans(review: Review) -> Section:
    """The plans, and what the figures mean."""
    kept = tuple(_verdict_row(one) for one in _lines(review) if one.verdict.severity != "normal")
    heads = columns(
        "reviews", "where", "measure", "value", "verdict", "advice", text=("where", "measure", "verdict", "advice")
    )
    told = Table(
        "verdicts", say("reviews.verdicts"), heads, kept, say("reviews.verdicts_hint"), say("reviews.all_normal")
    )
    sources = commands(review, f"figures --by plan {days_of(review)}", "plan list")
    return Section("plans", say("reviews.plans"), (plans_table(review.plans), told, *sources))


def _verdict_row(one: _Line) -> tuple[Cell, ...]:
    measure = say(f"diagnosis.measure.{one.verdict.measure}")
    return one.where, measure, number_text(one.verdict.value, Unit.SHARE), badge([one.verdict]), one.meaning


def _counting(review: Review, hint: str) -> str:
    """A hint with what counts, where the figures that it opens tell more."""
    return f"{hint} {say('reviews.counting')}" if review.history.source == "run" else hint


def _against_before(review: Review) -> Section:
    """The days in view against as many before them."""
    before = review.span.before()
    known = review.known_days(before)
    figures = held_against("sums", review.summary(), review.summary(before), (review.known_days(review.span), known))
    told = say("reviews.against_before", first=before.first, last=before.last, days=known)
    hint = Paragraph(_counting(review, told), hint=True)
    sources = commands(review, f"figures --by day {days_of(review)}")
    return Section("sums", say("reviews.sums"), (figures, hint, days_chart(review), *sources))


def _ranked(review: Review) -> Section:
    """The best and worst products and creatives."""
    tables = tuple(table for ranked in review.ranked if ranked.of for table in ranked_tables(ranked))
    blocks: tuple[Block, ...] = tables or (Paragraph(say("reviews.nothing_ranked")),)
    sources = commands(review, f"figures --by product {days_of(review)}")
    return Section("ranked", say("reviews.ranked"), (*blocks, *(sources if tables else ())))


def _incremental(review: Review) -> Section | None:
    """What promotion adds, where users are held out."""
    if review.books is None or review.books.added is None:
        return None
    sources = Sources((command_line(review, "incrementality"),))
    return Section("incremental", say("incrementality.kind"), (*verdict_blocks(review.books.added), sources))


def _maturity(review: Review) -> Section | None:
    """How refunds have ripened."""
    if review.books is None:
        return None
    sources = Sources((command_line(review, "maturity"),))
    return Section("maturity", say("reviews.maturity"), (ripening_chart(review.books.ripening), sources))


def _guarantee(review: Review) -> Section | None:
    """What the guarantee has said, paid and may still owe."""
    if review.books is None:
        return None
    owed, units = review.books.liability.total, review.books.units
    paid = sum(one.paid for one in units)
    figures = KeyFigures(
        "guarantee",
        (
            Figure(
                "expected",
                label("owed"),
                amount(owed.mean),
                say("reviews.between_of", low=_yuan(owed.low), high=_yuan(owed.high)),
            ),
            Figure("paid", label("paid"), amount(paid), say("reviews.of_units", count=len(units))),
        ),
    )
    rows = tuple(
        (
            f"{one.judged.day:%m-%d}",
            one.judged.plan.name,
            _status(one.judged.status, one.answer["reason"]),
            amount(one.compensation),
            amount(one.paid),
            str(one.due_by) if one.due_by and not one.paid else None,
        )
        for one in units
        if one.compensation or one.judged.status in (Status.VOID, Status.COMPENSATED)
    )
    heads = columns(
        "reviews", "day", "plan", "status", "compensation", "paid", "due_by", text=("day", "plan", "status", "due_by")
    )
    table = Table("units", say("reviews.units"), heads, rows, say("reviews.units_hint"), say("reviews.no_units"))
    sources = commands(review, "guarantee status", "guarantee liability")
    return Section("guarantee", say("reviews.guarantee"), (figures, table, *_claims(review), *sources))


def _yuan(value: int) -> str:
    return number_text(value, Unit.MONEY)


def _status(status: Status, reason: str | None) -> str:
    told = say(f"guarantee.status.{status}")
    return f"{told} · {say(f'guarantee.reason.{reason}')}" if reason else told


def _claims(review: Review) -> Iterator[Block]:
    """The refund claims that were filed, if any."""
    rows = tuple(
        (
            str(one.claim.id),
            f"{one.claim.at:%m-%d %H:%M}",
            say(f"claims.status.{one.status}"),
            amount(one.claim.asked),
            amount(one.granted),
        )
        for one in (review.books.claims if review.books else ())
    )
    if rows:
        heads = columns("reviews", "claim", "at", "status", "amount", "granted", text=("claim", "at", "status"))
        yield Table("claims", say("reviews.claims"), heads, rows)


def _balance(review: Review) -> Section | None:
    """What may still be spent, and for how many days that lasts."""
    balance = review.history.shop.balance
    if balance is None:
        return None
    spend = review.history.last(USUAL_DAYS).spend
    mean = None if not spend else Fraction(spend, USUAL_DAYS)
    lasts = None if mean is None else ratio(balance, mean)
    low = lasts is not None and lasts < BALANCE_DAYS
    figures = (
        Figure("balance", label("balance"), amount(balance, "act" if low else "")),
        Figure("lasts", label("lasts"), None if lasts is None else say("reviews.lasts", days=f"{float(lasts):.1f}")),
    )
    told = Paragraph(say("reviews.low_balance" if low else "reviews.enough_balance", days=BALANCE_DAYS))
    return Section("balance", say("reviews.balance"), (KeyFigures("balance", figures), told))


def _missing(review: Review) -> Section | None:
    """What could not be told, and what is needed for it."""
    told = [say(key) for name in sorted(review.history.missing) if known(key := f"histories.missing.{name}")]
    if review.books is None:
        told += [say("reviews.missing.guarantee"), say("reviews.missing.changes")]
    if not told:
        return None
    return Section("missing", say("reviews.missing.title"), tuple(Paragraph(f"· {one}") for one in told))


PARTS: dict[Kind, tuple[Part, ...]] = {
    Kind.DAILY: (
        _decision,
        _yesterday,
        _today,
        troubles_section,
        proposals_section,
        alerts_section,
        _plans,
        _guarantee,
        _balance,
        _missing,
    ),
    Kind.WEEKLY: (
        _decision,
        _against_before,
        _incremental,
        troubles_section,
        proposals_section,
        alerts_section,
        _plans,
        _ranked,
        band_section,
        targets_section,
        _maturity,
        _guarantee,
        _balance,
        _missing,
    ),
    Kind.FORTNIGHTLY: (
        _decision,
        _against_before,
        why_section,
        _plans,
        band_section,
        what_if_section,
        tiers_section,
        targets_section,
        _maturity,
        _guarantee,
        _missing,
    ),
}
"""What each review tells, the weightiest first; a new part is one function here."""
