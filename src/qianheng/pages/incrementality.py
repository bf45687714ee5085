"""What promotion adds as a document: the verdict first, a picture, then the figures and how they are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from qianheng.actions.incrementality import MEASURES, Added, Incrementality
from qianheng.actions.summary import RunSummary
from qianheng.core.interval import Interval
from qianheng.core.words import say
from qianheng.experiments.hold_out import Told
from qianheng.pages.document import (
    Amount,
    Badge,
    Block,
    Cell,
    Chart,
    Document,
    Figure,
    KeyFigures,
    Look,
    Paragraph,
    Section,
    Series,
    Table,
    Unit,
    amount,
    columns,
    number_text,
    ratio_cell,
    share,
    text_of,
)
from qianheng.pages.parts import Cell as HtmlCell
from qianheng.pages.parts import Html, element, panel, section, table

WIDEST = 4  # times the reported ROI: a wider interval would hide everything else in the picture
LOOKS: dict[Told, Look] = {
    Told.NOT_YET: "watch",
    Told.ADDS: "normal",
    Told.MORE: "normal",
    Told.ADDS_LESS: "watch",
    Told.LESS: "act",
}


def incrementality_document(found: Incrementality) -> Document:
    """The document of what a hold-out tells."""
    days, out, (others, held) = found.days, found.hold_out, found.whole.buyers
    facts = (
        Figure("held_out", say("incrementality.held"), share(Fraction(out.share))),
        Figure("buyers", say("incrementality.buyers"), f"{held} / {others}"),
        Figure("spend", say("incrementality.spend"), amount(found.whole.spend)),
    )
    title = say("incrementality.title", days=f"{days.first} – {days.last}")
    sections = (_verdict(found), _picture(found), _figures(found), _products(found), _how())
    return Document("incrementality", say("incrementality.kind"), title, found.known_at, sections, facts)


def verdict_blocks(found: Incrementality) -> Iterator[Block]:
    """What the hold-out says, in sentences and key figures."""
    whole = found.whole
    yield Paragraph(sentence(whole))
    yield from (Paragraph(told) for told in remarks(whole))
    figures = {
        "reported_roi": ratio_cell(whole.reported_roi()),
        "incremental_roi": between(whole.roi(), Unit.ROI),
        "reported_net_roi": ratio_cell(whole.reported_roi("net_gmv")),
        "incremental_net_roi": between(whole.roi("net_gmv"), Unit.ROI),
        "everything_roi": ratio_cell(whole.reported_roi(everything=True)),
        "cost": between(found.cost, Unit.MONEY),
    }
    told = (Figure(name, say(f"incrementality.figure.{name}"), value) for name, value in figures.items())
    yield KeyFigures("incremental", tuple(told))


def sentence(one: Added) -> str:
    """What the hold-out says in one sentence."""
    roi, verdict = one.roi(), say(f"incrementality.told.{one.told}")
    if roi is None:
        return verdict
    ends = {end: number_text(getattr(roi, end), Unit.ROI) for end in ("low", "high")}
    expected, reported = (number_text(value, Unit.ROI) for value in (roi.expected, one.reported_roi()))
    key = "unknown" if one.told is Told.NOT_YET else "sentence"
    return say(f"incrementality.{key}", roi=expected, reported=reported, verdict=verdict, **ends)


def beside_text(found: Incrementality) -> str:
    """What stands beside reported figures: the sentence, and by which hold-out it is known."""
    share_held = number_text(Fraction(found.hold_out.share), Unit.SHARE)
    return say("incrementality.beside", sentence=sentence(found.whole), share=share_held)


def told_lines(found: Incrementality) -> list[str]:
    """The same with what there is to remark."""
    return [beside_text(found), *remarks(found.whole)]


def remarks(one: Added) -> Iterator[str]:
    """How many buyers are missing and how long to wait, or how much of what is reported would have been sold anyway."""
    if one.told is Told.NOT_YET:
        told = {"days": one.more, "buyers": one.missing}
        yield say("incrementality.never") if one.more is None else say("incrementality.more", **told)
    if one.told in (Told.LESS, Told.ADDS_LESS):
        low, high, whole = one.unearned.low, min(one.unearned.high, one.reported["gmv"]), one.reported["gmv"]
        sold = {"low": low, "high": high, "reported": whole}
        yield say("incrementality.unearned", **{name: number_text(value, Unit.MONEY) for name, value in sold.items()})


def between(interval: Interval | None, unit: Unit) -> Amount:
    """A number with its interval."""
    if interval is None:
        return Amount(None, unit)
    return Amount(interval.expected, unit, interval.low, interval.high)


def _verdict(found: Incrementality) -> Section:
    return Section("verdict", say("incrementality.verdict"), tuple(verdict_blocks(found)))


def _picture(found: Incrementality) -> Section:
    """Reported and incremental ROI as they could be told each evening."""
    drawn = [(day, one, one.roi()) for day, one in found.by_day]
    kept = [(day, one, roi) for day, one, roi in drawn if roi is not None and _narrow(one, roi)]
    lines: dict[str, tuple[Fraction | int | None, ...]] = {
        "reported_roi": tuple(one.reported_roi() for _, one, _ in kept),
        "incremental_roi": tuple(roi.expected for *_, roi in kept),
        "low": tuple(roi.low for *_, roi in kept),
        "high": tuple(roi.high for *_, roi in kept),
    }
    series = tuple(
        Series(name, say(f"incrementality.figure.{name}"), values, Unit.ROI, line=True)
        for name, values in lines.items()
    )
    title = say("incrementality.roi")
    labels = tuple(f"{day:%m-%d}" for day, *_ in kept)
    hint, empty = say("incrementality.roi_hint"), say("incrementality.not_drawn")
    chart = Chart("roi", title, labels, series if kept else (), hint, empty)
    return Section("roi", title, (chart,))


def _narrow(one: Added, roi: Interval) -> bool:
    reported = one.reported_roi()
    return reported is not None and roi.high - roi.low <= WIDEST * reported


def _figures(found: Incrementality) -> Section:
    whole = found.whole
    heads = columns("incrementality", "measure", "everything", "reported", "added", text=("measure",))
    rows = tuple(tuple(_measure_row(whole, measure)) for measure in MEASURES)
    title = say("incrementality.measures")
    return Section("measures", title, (Table("measures", title, heads, rows),))


def _measure_row(one: Added, measure: str) -> Iterator[Cell]:
    unit = Unit.COUNT if measure == "orders" else Unit.MONEY
    yield say(f"incrementality.measure.{measure}")
    yield Amount(one.everything[measure], unit)
    yield Amount(one.reported[measure], unit)
    yield between(one.added[measure], unit)


def _products(found: Incrementality) -> Section:
    names = ("product", "spend", "reported_roi", "incremental_roi", "added", "verdict")
    heads = columns("incrementality", *names, text=("product", "verdict"))
    rows = tuple(_product_row(one) for one in found.products)
    title = say("incrementality.products")
    hint = say("incrementality.placements")
    return Section("products", title, (Table("products", title, heads, rows, hint),))


def _product_row(one: Added) -> tuple[Cell, ...]:
    verdict = Badge(say(f"incrementality.told.{one.told}"), LOOKS[one.told])
    added, roi = between(one.added["gmv"], Unit.MONEY), between(one.roi(), Unit.ROI)
    return one.name, amount(one.spend), ratio_cell(one.reported_roi()), roi, added, verdict


def _how() -> Section:
    return Section("how", say("incrementality.how"), (Paragraph(say("incrementality.method"), hint=True),))


def added_section(summary: RunSummary) -> Html | None:
    """The section of a run's report; `None` where nobody is held out."""
    if not summary.added:
        return None
    names = ("product", "spend", "reported_roi", "incremental_roi", "added", "verdict")
    heads: list[HtmlCell] = [(text, "" if name in ("product", "verdict") else "number") for name, text in _heads(names)]
    panels = [
        panel(
            beside_text(one),
            say("incrementality.method"),
            table(heads, [*_report_rows(one)], say("incrementality.kind")),
        )
        for one in summary.added
    ]
    return section("added", say("incrementality.kind"), element("div", *panels, class_="panels"))


def _heads(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield from ((name, say(f"incrementality.column.{name}")) for name in names)


def _report_rows(found: Incrementality) -> Iterator[list[HtmlCell]]:
    for one in (*found.products, replace(found.whole, name=say("incrementality.whole"))):
        name, *numbers, verdict = map(text_of, _product_row(one))
        yield [name, *((number, "number") for number in numbers), verdict]
