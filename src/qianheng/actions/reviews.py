"""Reviews: everything a daily, weekly or fortnightly look at a shop needs, as one value (SPEC 11).

Of a run as known at a desk, or of imported reports as far as their columns reach; what neither tells is missing, and
named so on the page. `pages.reviews` makes the document of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from sqlalchemy import Connection

from qianheng.actions.advising import rulebook
from qianheng.actions.alerts import rules_in_force, waiting_or_of
from qianheng.actions.desk import Desk
from qianheng.actions.diagnosing import troubles_of
from qianheng.actions.histories import Asked, history_of
from qianheng.actions.incrementality import Incrementality, told_of
from qianheng.actions.liability import Liability, liability
from qianheng.actions.maturity import Cohort, aged_days
from qianheng.actions.proposals import list_proposals
from qianheng.actions.standing import Standing as UnitStanding
from qianheng.actions.standing import standings
from qianheng.actions.whatif import Answer, Wish, whatif_of_reports, whatif_of_run
from qianheng.core.days import microseconds, midnight
from qianheng.core.errors import Refused
from qianheng.core.money import Micros
from qianheng.diagnosis.changes import Change, Comparison, compare
from qianheng.diagnosis.decomposition import Measure
from qianheng.diagnosis.ranking import Contender, best_and_worst
from qianheng.diagnosis.rules import Rule
from qianheng.diagnosis.standing import Span, Standing, shop_verdicts, standing
from qianheng.diagnosis.troubles import Trouble
from qianheng.diagnosis.verdicts import Thresholds, Verdict
from qianheng.guarantee.claims import Standing as ClaimStanding
from qianheng.measures.days import Days
from qianheng.measures.history import About, History, Subject
from qianheng.measures.maturity import Seen, closed_for, cohort
from qianheng.measures.reports import Summary, summed
from qianheng.store import claims, runs
from qianheng.store.alerts import Numbered
from qianheng.store.database import reading
from qianheng.strategy.decisions import Standing as ProposalStanding
from qianheng.strategy.split import advise_split
from qianheng.strategy.targets import TargetAdvice, advise_target
from qianheng.strategy.tiers import TierAdvice, advise_products

DAYS_KEPT = 35  # enough for a fortnight and the one before it
RIPE_AFTER = 7  # days: so long most refunds take
HOURS_KEPT = 9  # days by the hour: today, yesterday and the week before it
TOP = 5


class Kind(StrEnum):
    """Which review, and how many days it looks back on."""

    DAILY = "daily"
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"

    @property
    def days(self) -> int:
        """How many whole days before today it is about."""
        return {Kind.DAILY: 1, Kind.WEEKLY: 7, Kind.FORTNIGHTLY: 14}[self]


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best and the worst of a kind by ROI, each with its sums; `of` of them spent anything."""

    about: About
    best: tuple[tuple[Subject, Summary], ...]
    worst: tuple[tuple[Subject, Summary], ...]
    of: int


@dataclass(frozen=True, slots=True)
class Books:
    """What only a run knows: what the guarantee said of the days in view and may still cost, the claims, how the days
    of the fortnight before the last week ripened, by age in days, the alerts that wait and those told since the last
    day in view began, and what promotion has added since the beginning, where users are held out.
    """

    units: Sequence[UnitStanding]
    liability: Liability
    claims: Sequence[ClaimStanding]
    ripening: Sequence[Seen | None]
    alerts: Sequence[Numbered]
    alert_rules: Mapping[str, Rule]
    added: Incrementality | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """One look at a shop: the days it is about, what is known of them, and what that means. `changes`: what the ROIs of
    the shop and its plans did since as many days before, taken apart; those that could not be are left out. `troubles`:
    what is wrong now, the costliest first. `proposals`: what was proposed until then, the most profitable first.
    """

    kind: Kind
    span: Span
    history: History
    plans: tuple[Standing, ...]
    verdicts: tuple[Verdict, ...]
    ranked: tuple[Ranked, ...]
    changes: tuple[Change, ...]
    targets: tuple[TargetAdvice, ...]
    troubles: tuple[Trouble, ...]
    proposals: tuple[ProposalStanding, ...] = ()
    tiers: TierAdvice | None = None
    what_ifs: tuple[Answer, ...] = ()
    books: Books | None = None

    def known_days(self, span: Span) -> int:
        """How many of some days anything is known of."""
        return len(self.history.each(self.history.whole_shop, span.first, span.last))

    def summary(self, span: Span | None = None) -> Summary:
        """The shop's sums and ratios of some days (default: those it is about)."""
        wanted = span or self.span
        return summed(self.history.each(self.history.whole_shop, wanted.first, wanted.last).values())


def asked_of(kind: Kind, shop_id: str = "") -> Asked:
    """What of the past a review needs."""
    return Asked(shop_id, DAYS_KEPT, HOURS_KEPT if kind is Kind.DAILY else 0)


def review_of(desk: Desk, kind: Kind, rules: Thresholds, shop_id: str = "") -> Review:
    """A review of a shop of a kept run, as known at the desk's time. No such shop: NotFound."""
    history = history_of(desk, asked_of(kind, shop_id))
    review = replace(_review(kind, history, rules, desk), books=_books(desk, history, _span(kind, history)))
    return _looked_ahead(review, lambda wish: whatif_of_run(desk, history, wish))


def review_of_reports(desk: Desk, history: History, kind: Kind, rules: Thresholds) -> Review:
    """A review of imported reports, as far as they reach; `desk`: the one where they lie."""
    return _looked_ahead(_review(kind, history, rules, desk), lambda wish: whatif_of_reports(history, wish))


def _looked_ahead(review: Review, what_if: Callable[[Wish], Answer]) -> Review:
    """A fortnightly review with product tiers, and what else each plan could be set to where enough is known."""
    if review.kind is not Kind.FORTNIGHTLY:
        return review
    book, history = rulebook(), review.history
    budget = advise_split(history, book.advice.split).budget
    answers = []
    for plan_id in history.plans:
        with suppress(Refused):
            answers.append(what_if(Wish(plan_id)))
    tiers = advise_products(history, book.advice.tiers, book.industries, budget)
    return replace(review, tiers=tiers, what_ifs=tuple(answers))


def _span(kind: Kind, history: History) -> Span:
    return Span(*history.back(kind.days))


def _review(kind: Kind, history: History, rules: Thresholds, desk: Desk) -> Review:
    span, wanted = _span(kind, history), rulebook().advice.target
    return Review(
        kind=kind,
        span=span,
        history=history,
        plans=tuple(standing(history, plan, span, rules) for plan in history.plans.values()),
        verdicts=shop_verdicts(history, span, rules),
        ranked=tuple(_ranked(history, about, span, rules) for about in (About.PRODUCT, About.CREATIVE)),
        changes=tuple(_changes(history, span)),
        targets=tuple(advise_target(history, plan_id, wanted) for plan_id in history.plans),
        troubles=troubles_of(history).found,
        proposals=_proposed(desk, history),
    )


def _proposed(desk: Desk, history: History) -> tuple[ProposalStanding, ...]:
    known = [one for one in list_proposals(desk, history.shop.id) if one.proposal.made_at <= desk.now]
    return tuple(sorted(known, key=lambda one: one.weight))


def _changes(history: History, span: Span) -> Iterator[Change]:
    """The change of the shop's net ROI and of what each plan bids to; of payment ROI where that is all we know."""
    now, before = ((one.first, one.last) for one in (span, span.before()))
    for plan_id in ("", *history.plans):
        for measure in (None, Measure.PAYMENT_ROI):
            with suppress(Refused):
                yield compare(history, Comparison(plan_id, measure, after=now, before=before))
                break


def _ranked(history: History, about: About, span: Span, rules: Thresholds) -> Ranked:
    """By net ROI, else payment ROI, of all plans together."""
    told = {one: summed(history.each(one, span.first, span.last).values()) for one in history.of(about)}
    whole = sum(sums.figures.spend or 0 for sums in told.values())
    contenders = [
        Contender((one, sums), sums.figures.spend, _share(sums.figures.spend, whole), sums.roi)
        for one, sums in told.items()
    ]
    best, worst = best_and_worst(contenders, rules.ranking, TOP)
    return Ranked(about, best, worst, sum(bool(sums.figures.spend) for sums in told.values()))


def _share(spend: Micros | None, whole: Micros) -> Fraction | None:
    return None if spend is None or not whole else Fraction(spend, whole)


def _books(desk: Desk, history: History, span: Span) -> Books:
    shop_id, zone = int(history.shop.id), history.timezone
    oldest = span.first - timedelta(days=max(14 - span.days, 0))
    units = [one for one in standings(desk) if one.judged.plan.shop_id == shop_id]
    with reading(desk.database) as connection:
        return Books(
            units=[one for one in units if oldest <= one.judged.day and midnight(one.judged.day, zone) < history.now],
            liability=liability(connection, desk.lake, desk.now, shop_id),
            claims=[one for one in claims.claims(connection, shop_id) if one.claim.at <= desk.now],
            ripening=_ripening(desk, connection, history),
            alerts=waiting_or_of(desk, midnight(span.last, zone)),
            alert_rules=rules_in_force().written,
            added=told_of(
                Cohort(connection, desk.lake, _since_beginning(connection, history, span), desk.now), shop_id
            ),
        )


def _since_beginning(connection: Connection, history: History, span: Span) -> Days:
    """All days of the run up to those in view: a hold-out tells the more the longer it lasts."""
    return Days(min(runs.span(connection).first, span.last), span.last, history.timezone)


def _ripening(desk: Desk, connection: Connection, history: History) -> Sequence[Seen | None]:
    """How the days of the fortnight that is a week over ripened, all plans together."""
    last = history.today - timedelta(days=RIPE_AFTER + 1)
    first = last - timedelta(days=13)
    asked = Cohort(connection, desk.lake, Days(first, last, history.timezone), desk.now)
    rows = [seen for (plan, _), seen in aged_days(asked).items() if str(plan) in history.plans and seen[-1].spend]
    if not rows:
        return []
    return cohort(rows, closed_for(last, microseconds(desk.now), history.timezone))
