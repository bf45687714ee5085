"""A document as a page: one self-contained HTML file, for wide and narrow screens, by day, by night and on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from qianheng.core.money import yuan_number
from qianheng.core.words import say
from qianheng.pages.charts import Option, axis, embedded, frame, mark_lines
from qianheng.pages.document import (
    Badge,
    Block,
    Cell,
    Chart,
    Decision,
    Document,
    Figure,
    KeyFigures,
    Number,
    Paragraph,
    Section,
    Series,
    Sources,
    Table,
    Unit,
    numeric,
    text_of,
)
from qianheng.pages.drawing import colour_names, step_texts, steps
from qianheng.pages.parts import Cell as HtmlCell
from qianheng.pages.parts import Html, element, empty, export, join, panel, section, table
from qianheng.pages.shell import whole_main, whole_page

FORMATS = {Unit.MONEY: "@yuan", Unit.ROI: "@roi", Unit.SHARE: "@percent", Unit.COUNT: "@decimal"}
WIDE, LONG, ACROSS = 6, 30, 72  # a table of more columns, longer words or wider rows takes the whole width
Link = tuple[str, str]


def web_page(document: Document, links: Sequence[Link] = ()) -> str:
    """The page of a document. `links`: (text, address) of the pages around it, where it is served beside them."""
    parts = (_section(one) for one in document.sections)
    return whole_page(document.title, _header(document, links), _contents(document), whole_main(*parts))


def strip(links: Iterable[Link]) -> Html:
    """Links to the pages around a page."""
    return element("p", *(element("a", text, href=address) for text, address in links), class_="around")


def _header(document: Document, links: Sequence[Link]) -> Html:
    made = Figure("made_at", say("reviews.known_at"), f"{document.made_at:%Y-%m-%d %H:%M}")
    brand = element("p", f"Qianheng 千衡 · {document.kind}", class_="brand")
    facts = element("dl", *map(_pair, (made, *document.facts)), class_="facts")
    return element("header", strip(links) if links else None, brand, element("h1", document.title), facts)


def _contents(document: Document) -> Html:
    links = (element("a", one.title, href=f"#{one.name}") for one in document.sections)
    return element("nav", *links, aria_label=say("pages.contents"))


def _section(told: Section) -> Html:
    blocks = groupby(told.shown, lambda block: isinstance(block, Table | Chart))
    children: Iterator[Html] = (
        element("div", *map(_block, group), class_="panels") if panels else join(map(_block, group))
        for panels, group in blocks
    )
    return section(told.name, told.title, *children)


def _block(block: Block) -> Html:
    match block:
        case Paragraph():
            return element("p", block.text, class_="hint" if block.hint else "told")
        case Decision():
            return _decision(block)
        case KeyFigures():
            boxes = element("dl", *map(_pair, block.figures), class_="large key")
            return element("div", boxes, class_="card")
        case Table():
            return _table(block)
        case Chart():
            return _chart(block)
        case Sources():
            lines = (element("li", element("code", command)) for command in block.commands)
            told = element("summary", say("reviews.sources"))
            return element("details", told, element("ul", *lines), class_="sources")


def _decision(told: Decision) -> Html:
    command = element("p", element("code", told.command)) if told.command else None
    why = element("p", told.why)
    return element("article", element("h3", told.title), why, command, class_=f"card decision {told.look}".rstrip())


def _pair(figure: Figure) -> Html:
    against = element("small", figure.against) if figure.against else None
    return element("div", element("dt", figure.label), element("dd", _shown(figure.value), against))


def _shown(cell: Cell) -> Html | str:
    look = getattr(cell, "look", "")
    if isinstance(cell, Badge):
        return element("span", cell.text, class_=f"chip {look}".rstrip())
    return element("span", text_of(cell), class_=look) if look else text_of(cell)


def _table(told: Table) -> Html:
    widths = [max(_width(text_of(cell)) for cell in cells) for cells in zip(*told.rows, strict=True)]
    look = "wide" if len(widths) > WIDE or max(widths, default=0) > LONG or sum(widths) > ACROSS else ""
    if not told.rows:
        return panel(told.title, None, empty(told.empty or say("cli.nothing")), class_=look)
    heads: list[HtmlCell] = [one.label if one.text else (one.label, "number") for one in told.columns]
    rows = [[_html_cell(cell) for cell in row] for row in told.rows]
    plain = export(told.name, (one.label for one in told.columns), ([*map(text_of, row)] for row in told.rows))
    return panel(told.title, told.hint, table(heads, rows, told.title or told.hint), plain, class_=look)


def _width(text: str) -> int:
    """How wide a text is, in letters; a Chinese one is as wide as two."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def _html_cell(cell: Cell) -> HtmlCell:
    return (_shown(cell), "number") if numeric(cell) else _shown(cell)


def _chart(told: Chart) -> Html:
    if not any(value is not None for one in told.series for value in one.values):
        return panel(told.title, None, empty(told.empty or say("cli.nothing")))
    option = (_waterfall if told.waterfall else _ranges if told.ranges else _lines)(told)
    place = element("div", class_="canvas", role="img", aria_label=told.title)
    options = element("script", embedded(option), type="application/json")
    return panel(told.title, told.hint, place, options, class_="chart")


def _lines(told: Chart) -> Option:
    units = [next((one.unit for one in told.series if one.right is right), None) for right in (False, True)]
    axes = [{**axis(_brief(unit)), "splitLine": {"show": not i}} for i, unit in enumerate(units) if unit]
    shift = units[0] is None  # a lone axis is the first
    drawn = [
        _drawn(one, f"@{colour}", int(one.right and not shift))
        for one, colour in zip(told.series, colour_names(told.series), strict=True)
    ]
    return {**frame(told.labels), "yAxis": axes, "series": drawn}


def _drawn(one: Series, colour: str, at: int) -> Option:
    drawn: Option = {
        "name": one.label,
        "type": "line" if one.line else "bar",
        "data": [_charted(value, one.unit) for value in one.values],
        "color": colour,
        "yAxisIndex": at,
        "tooltip": {"valueFormatter": FORMATS[one.unit]},
    }
    more: Option = {"showSymbol": len(one.values) < 15, "lineStyle": {"width": 2}} if one.line else {"barMaxWidth": 28}
    return drawn | more


def _waterfall(told: Chart) -> Option:
    """Bars that stand on unseen ones: the first and the last are levels, those between go from one to the next."""
    unit, last = told.series[0].unit, len(told.labels) - 1
    ground, each = steps(told)
    unseen, shown = [], []
    for i, (start, end) in enumerate(each):
        colour = "@accent" if i in (0, last) else "@good" if end > start else "@bad"
        unseen.append(_charted(min(start, end), unit))
        shown.append({"value": _charted(abs(end - start), unit), "itemStyle": {"color": colour}})
    stacked: Option = {"type": "bar", "stack": "steps", "stackStrategy": "all", "barMaxWidth": 56, "silent": True}
    drawn = [
        {**stacked, "data": unseen, "itemStyle": {"color": "transparent"}},
        {**stacked, "data": shown, "name": told.series[0].label},
    ]
    base = frame([f"{label}\n{text}" for label, text in zip(told.labels, step_texts(told), strict=True)])
    base["xAxis"]["axisLabel"] = {"interval": 0}
    scale = {**axis(_brief(unit)), "min": _charted(ground, unit)}
    return {**base, "legend": {"show": False}, "tooltip": {"show": False}, "yAxis": scale, "series": drawn}


def _ranges(told: Chart) -> Option:
    """Points, and through each a line from the low to the high end of what it may be; zero is drawn."""
    colour, unit = f"@{colour_names(told.series)[0]}", told.series[0].unit
    point, *ends = [_drawn(one, colour, 0) for one in told.series]
    unseen = [{**end, "type": "line", "symbol": "none", "lineStyle": {"opacity": 0}} for end in ends]
    reach = zip(*(end["data"] for end in ends), strict=True)
    look: Option = {"color": colour, "type": "solid", "width": 3}
    through = [
        [{"coord": [i, low], "lineStyle": look}, {"coord": [i, high]}]
        for i, (low, high) in enumerate(reach)
        if low is not None and high is not None
    ]
    zero = mark_lines([{"yAxis": 0}])
    marked = {**zero, "label": {"show": False}, "data": [*zero["data"], *through]}
    drawn = [{**point, "type": "scatter", "symbolSize": 11, "markLine": marked}, *unseen]
    return {**frame(told.labels), "legend": {"show": False}, "yAxis": axis(_brief(unit)), "series": drawn}


def _brief(unit: Unit) -> str:
    return "@yuan_short" if unit is Unit.MONEY else FORMATS[unit]


def _charted(value: Number | None, unit: Unit) -> float | None:
    """A number as a chart shows it: money in yuan."""
    if value is None:
        return None
    return yuan_number(value) if unit is Unit.MONEY else round(float(value), 4)
