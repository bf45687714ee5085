"""The blocks that reviews are made of: figures held against earlier ones, tables of plans, products and days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction

from qianheng.actions.reviews import Ranked, Review
from qianheng.core.money import ratio
from qianheng.core.words import known, say
from qianheng.diagnosis.standing import Standing
from qianheng.diagnosis.verdicts import Verdict
from qianheng.measures.history import Subject
from qianheng.measures.maturity import Seen
from qianheng.measures.reports import Figures, Summary
from qianheng.pages.document import (
    Amount,
    Badge,
    Cell,
    Chart,
    Figure,
    KeyFigures,
    Look,
    Series,
    Sources,
    Table,
    Unit,
    amount,
    columns,
    number,
    number_text,
    ratio_cell,
    share,
)

SUMS = {"spend": Unit.MONEY, "gmv": Unit.MONEY, "orders": Unit.COUNT}
RATIOS = {"payment_roi": Unit.ROI, "net_roi": Unit.ROI, "settled_roi": Unit.ROI, "refund_rate_1h": Unit.SHARE}
ROIS = ("payment_roi", "net_roi", "settled_roi")


def held_against(name: str, now: Summary, before: Summary, days: tuple[int, int]) -> KeyFigures:
    """The shop's figures with what they were before; sums are compared by the day (`days`: of now, of before)."""
    figures = []
    for one, unit in (SUMS | RATIOS).items():
        told, past = _of(now, one), _of(before, one)
        if one in SUMS and told is not None and past is not None:
            change = ratio(told * days[1] - past * days[0], past * days[0])
            against = say("reviews.against_share", share=number_text(change, Unit.SHARE, signed=True))
        else:
            against = say("reviews.against_value", value=number_text(past, unit))
        figures.append(Figure(one, label(one), Amount(told, unit), "" if past is None else against))
    return KeyFigures(name, tuple(figures))


def _of(sums: Summary, name: str) -> int | Fraction | None:
    found: int | Fraction | None = getattr(sums, name) if name in RATIOS else getattr(sums.figures, name)
    return found


def label(name: str) -> str:
    """A figure in words."""
    return say(f"reviews.figure.{name}")


def badge(verdicts: Iterable[Verdict]) -> Badge:
    """The worst of some verdicts in a word; a dash where nothing could be judged."""
    order: tuple[Look, ...] = ("normal", "watch", "act", "urgent")
    looks = [look for look in order if any(one.severity == look for one in verdicts)]
    return Badge(say(f"diagnosis.severity.{looks[-1]}"), looks[-1]) if looks else Badge("–", "")


def look_of(verdict: Verdict) -> Look:
    """How a verdict looks: as bad as it is."""
    looks: dict[str, Look] = {"normal": "normal", "watch": "watch", "act": "act", "urgent": "urgent"}
    return looks[verdict.severity]


def name_of(subject: Subject) -> str:
    """What a subject is called; by its number where it has no name."""
    if known(f"pages.placement.{subject.name}"):
        return say(f"pages.placement.{subject.name}")
    return subject.name or say(f"reviews.about.{subject.about}", id=subject.id)


def plans_table(standings: Sequence[Standing]) -> Table:
    """How each plan stands against its target and budget."""
    names = ("target", "budget", "spend", "of_budget", "gmv", "payment_roi", "net_roi", "to_target", "refund_rate_1h")
    rows = tuple(_plan_row(one) for one in standings)
    heads = columns("reviews", "plan", "goal", *names, "verdict", text=("plan", "goal", "verdict"))
    return Table("plans", say("reviews.plans"), heads, rows, say("reviews.plans_hint"), say("reviews.no_plans"))


def _plan_row(one: Standing) -> tuple[Cell, ...]:
    sums, setting = one.summary, one.setting
    spend = sums.figures.spend
    return (
        name_of(one.plan.subject),
        say(f"pages.goal.{setting.goal}") if setting else None,
        ratio_cell(Fraction(setting.target) if setting and setting.target is not None else None),
        amount(setting.budget_daily if setting else None),
        amount(spend),
        share(None if spend is None or not one.budget else ratio(spend, one.budget)),
        amount(sums.figures.gmv),
        ratio_cell(sums.payment_roi),
        ratio_cell(sums.net_roi),
        share(one.to_target),
        share(sums.refund_rate_1h),
        badge(one.verdicts),
    )


def ranked_tables(ranked: Ranked) -> list[Table]:
    """The best and the worst of a kind, side by side."""
    heads = columns("reviews", "name", "spend", "gmv", "orders", "net_roi", "refund_rate_1h", text=("name",))
    what = say(f"reviews.kind_of.{ranked.about}")
    return [
        Table(
            f"{side}_{ranked.about}",
            say(f"reviews.{side}", what=what),
            heads,
            tuple(_ranked_row(*one) for one in rows),
            say("reviews.ranked_hint", of=ranked.of),
            say("reviews.too_few", what=what),
        )
        for side, rows in (("best", ranked.best), ("worst", ranked.worst))
    ]


def _ranked_row(subject: Subject, sums: Summary) -> tuple[Cell, ...]:
    told = sums.figures
    rois = (ratio_cell(sums.net_roi), share(sums.refund_rate_1h))
    return (name_of(subject), amount(told.spend), amount(told.gmv), number(told.orders), *rois)


def days_chart(review: Review) -> Chart:
    """Spend by day, and the ROIs over it."""
    days = review.span.each()
    told = {day: review.summary(type(review.span)(day, day)) for day in days}
    spend = Series("spend", label("spend"), tuple(told[day].figures.spend for day in days), Unit.MONEY)
    rois = [
        Series(name, label(name), tuple(getattr(told[day], name) for day in days), Unit.ROI, True, True)
        for name in ROIS
    ]
    shown = [one for one in rois if any(value is not None for value in one.values)]
    labels = tuple(f"{day:%m-%d}" for day in days)
    return Chart("days", say("reviews.days"), labels, (spend, *shown), say("reviews.days_hint"))


def hours_chart(review: Review, day: date) -> Chart:
    """A day hour by hour, beside the mean of the same hours of the week before."""
    told = review.history.hours.get(review.history.whole_shop, {})
    now = {at.hour: figures for at, figures in told.items() if at.date() == day}
    before = _mean_hours(told, day)
    hours = range(24)
    drawn = (
        Series("spend", label("spend"), tuple(_sum_of(now, hour, "spend") for hour in hours), Unit.MONEY),
        Series("gmv", label("gmv"), tuple(_sum_of(now, hour, "gmv") for hour in hours), Unit.MONEY, True),
        Series("multiplier", say("reviews.usual_gmv"), tuple(before.get(hour) for hour in hours), Unit.MONEY, True),
    )
    labels = tuple(f"{hour:02d}" for hour in hours)
    return Chart("hours", say("reviews.hours"), labels, drawn, say("reviews.hours_hint"), say("reviews.no_hours"))


def _sum_of(hours: Mapping[int, Figures], hour: int, name: str) -> int | None:
    return getattr(hours[hour], name) if hour in hours else None


def _mean_hours(told: Mapping[datetime, Figures], day: date) -> dict[int, Fraction]:
    """The mean GMV of each hour of the seven days before a day, of those that are known."""
    found: dict[int, list[int]] = {}
    for at, figures in told.items():
        if 1 <= (day - at.date()).days <= 7 and figures.gmv is not None:
            found.setdefault(at.hour, []).append(figures.gmv)
    return {hour: Fraction(sum(values), len(values)) for hour, values in found.items()}


def ripening_chart(seen: Sequence[Seen | None]) -> Chart:
    """What the ROIs of a fortnight's days looked like when each was one, two, … days over."""
    ages = [number for number, one in enumerate(seen, 1) if one is not None]
    told = [one for one in seen if one is not None]
    rois = {"payment_roi": "payment_roi", "net_roi": "net_roi", "settled_roi": "kept_roi"}
    drawn = tuple(
        Series(
            name,
            say("figures.maturity.kept_roi") if name == "settled_roi" else label(name),
            tuple(getattr(one, source) for one in told),
            Unit.ROI,
            True,
        )
        for name, source in rois.items()
    )
    labels = tuple(say("pages.days", value=age) for age in ages)
    return Chart("ripening", say("reviews.ripening"), labels, drawn, say("reviews.ripening_hint"), say("reviews.young"))


def named_days(first: date, last: date) -> str:
    """Days as options of a command line."""
    return f"--from {first} --to {last}"


def commands(review: Review, *commands: str) -> tuple[Sources, ...]:
    """The command lines that open figures of a run; of reports there is one."""
    if review.history.source == "reports":
        return (Sources((f"qianheng report --by day {days_of(review)}",)),)
    return (Sources(tuple(command_line(review, one) for one in commands)),)


def days_of(review: Review) -> str:
    """The days that a review is about, as options of a command line."""
    return named_days(review.span.first, review.span.last)


def command_line(review: Review, command: str) -> str:
    """A command line that tells what was known at the time of a review."""
    return f"qianheng {command} --now {review.history.now:%Y-%m-%dT%H:%M}"
