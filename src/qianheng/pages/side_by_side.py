"""The record of a test as a document: what both plans were set to, what they came to, and who wins what."""

from __future__ import annotations

from fractions import Fraction

from qianheng.actions.record_sheet import SIDES, kind_of, winner_text
from qianheng.actions.side_by_side import Result, SideBySide
from qianheng.core.words import say
from qianheng.pages.document import (
    Amount,
    Badge,
    Cell,
    Chart,
    Column,
    Document,
    Figure,
    Paragraph,
    Section,
    Series,
    Sources,
    Table,
    Unit,
    amount,
    ratio_cell,
    share,
)

UNITS = {"money": Unit.MONEY, "ratio": Unit.ROI, "share": Unit.SHARE, "count": Unit.COUNT}


def record_document(told: SideBySide, sources: tuple[str, ...]) -> Document:
    """The document of a test."""
    span = told.span
    days = f"{span.first} – {span.last}"
    names = (Figure(side, side.upper(), told.plans[side].subject.name or told.plans[side].subject.id) for side in SIDES)
    facts = (*names, Figure("days", say("reviews.figure.days"), days))
    results = (
        Section(f"day_{length}", say("reviews.record.after", days=length), (results_table(length, found),))
        for length, found in told.results.items()
    )
    notes = tuple(
        Paragraph(say(f"reviews.record.note.{one}"), hint=True) for one in ("interval", "winner", "settled", "tail")
    )
    how = Section("notes", say("reviews.record.sheet.notes"), (*notes, Sources(sources)))
    day_by_day = Section("days", say("reviews.days"), (_chart(told), _days(told)))
    title = f"{say('reviews.record.title')} · {days}"
    return Document(
        "test_record", say("reviews.record.title"), title, told.history.now, (*results, day_by_day, how), facts
    )


def results_table(length: int, results: tuple[Result, ...]) -> Table:
    """The measures of both after so many days, how they differ and who wins."""
    names = ("measure", "a", "b", "difference", "winner")
    heads = tuple(Column(name, say(f"reviews.record.head.{name}"), name in ("measure", "winner")) for name in names)
    return Table(
        "results",
        say("reviews.record.results"),
        heads,
        tuple(map(_result, results)),
        say("reviews.record.hint", days=length),
    )


def _result(result: Result) -> tuple[Cell, ...]:
    name, told = result.measure.name, result.told
    unit = UNITS[kind_of(name)]
    difference = Amount(
        _whole(told.difference, unit), unit, _whole(told.low, unit), _whole(told.high, unit), signed=True
    )
    sides = (Amount(_whole(value, unit), unit) for value in (told.a, told.b))
    winner = Badge(winner_text(result), "normal" if result.winner else "")
    return (say(f"reviews.record.column.{name}"), *sides, difference, winner)


def _whole(value: Fraction | None, unit: Unit) -> Fraction | int | None:
    """Things and money are whole numbers where they are."""
    return int(value) if value is not None and unit in (Unit.MONEY, Unit.COUNT) and value.denominator == 1 else value


def _chart(told: SideBySide) -> Chart:
    days = told.span.each()
    drawn = []
    for side, name in zip(SIDES, ("spend", "gmv"), strict=True):
        figures = [told.days[side][day].figures for day in days]
        rois = tuple(
            Fraction(one.net_gmv, one.spend) if one.net_gmv is not None and one.spend else None for one in figures
        )
        label = say("reviews.record.roi_of", side=side.upper())
        drawn.append(Series(name, label, rois, Unit.ROI, line=True))
    labels = tuple(f"{day:%m-%d}" for day in days)
    return Chart("days", say("reviews.record.rois"), labels, tuple(drawn))


def _days(told: SideBySide) -> Table:
    names = ("spend", "gmv", "payment_roi", "net_roi", "refund_rate_1h")
    labels = [Column("day", say("reviews.column.day"), text=True)]
    labels += [
        Column(f"{side}_{name}", f"{side.upper()} {say(f'reviews.column.{name}')}") for side in SIDES for name in names
    ]
    rows = []
    for day in told.span.each():
        cells: list[Cell] = [str(day)]
        for side in SIDES:
            one = told.days[side][day].figures
            cells += [
                amount(one.spend),
                amount(one.gmv),
                *_ratios(one.spend, (one.gmv, one.net_gmv)),
                _refunds(one.refunded_1h, one.gmv),
            ]
        rows.append(tuple(cells))
    return Table("by_day", say("reviews.days"), tuple(labels), tuple(rows))


def _ratios(spend: int | None, amounts: tuple[int | None, ...]) -> list[Cell]:
    return [ratio_cell(None if one is None or not spend else Fraction(one, spend)) for one in amounts]


def _refunds(refunded: int | None, gmv: int | None) -> Cell:
    return share(None if refunded is None or not gmv else Fraction(refunded, gmv))
