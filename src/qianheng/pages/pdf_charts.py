"""Small charts on paper, drawn as lines and boxes: bars and lines over labels, points with ranges, and waterfalls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fpdf import FPDF
from fpdf.enums import Align

from qianheng.core.money import yuan_number
from qianheng.pages.document import Chart, Number, Series, Unit
from qianheng.pages.drawing import colour_names, palette, step_texts, steps, ticks

HEIGHT, AXIS, LABELS = 46.0, 16.0, 7.0  # millimetres: of the whole, beside an axis, below
LETTERS = 7.0  # points


@dataclass(frozen=True, slots=True)
class Plot:
    """Where a chart is drawn on paper, and where a value stands in it."""

    left: float
    right: float
    top: float
    bottom: float
    marks: tuple[float, ...]

    def y(self, value: float) -> float:
        """How far down the page a value stands."""
        low, high = self.marks[0], self.marks[-1]
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)

    def scaled(self, marks: Sequence[float]) -> Plot:
        """The same place with another scale."""
        return Plot(self.left, self.right, self.top, self.bottom, tuple(marks))


def draw_chart(paper: FPDF, told: Chart) -> None:
    """Draw a chart at the height reached, over the whole width, and go below it."""
    paper.set_font_size(LETTERS)
    top = paper.y
    if told.waterfall:
        _waterfall(paper, told, _place(paper, top))
    elif told.ranges:
        _ranges(paper, told, _place(paper, top + 5))
    else:
        _legend(paper, told.series)
        _series(paper, told, _place(paper, top + 5))
    paper.set_y(top + HEIGHT + (0 if told.waterfall else 5))


def _place(paper: FPDF, top: float) -> Plot:
    right = paper.w - paper.r_margin - AXIS
    return Plot(paper.l_margin + AXIS, right, top + 2, top + HEIGHT - LABELS, (0.0, 1.0))


def _legend(paper: FPDF, series: Sequence[Series]) -> None:
    x, y = paper.l_margin + AXIS, paper.y
    for one, colour in zip(series, colour_names(series), strict=True):
        paper.set_fill_color(palette()[colour])
        paper.rect(x, y + 1.4, 3.2, 1.4, style="F")
        _write(paper, (x + 4, y), one.label, Align.L)
        x += paper.get_string_width(one.label) + 9


def _series(paper: FPDF, told: Chart, place: Plot) -> None:
    plots = {right: _scale(paper, place, [one for one in told.series if one.right is right]) for right in (False, True)}
    bars = [one for one in told.series if not one.line]
    for one, colour in zip(told.series, colour_names(told.series), strict=True):
        plot = plots[one.right]
        if plot is None:
            continue
        if one.line:
            _line(paper, plot, one, colour)
        else:
            _bars(paper, plot, one, (colour, bars.index(one), len(bars)))
    _labels(paper, place, told.labels)


def _scale(paper: FPDF, place: Plot, series: Sequence[Series]) -> Plot | None:
    """The scale of the series of one axis, with its lines and figures drawn; nothing without any."""
    values = [_float(value, one.unit) for one in series for value in one.values if value is not None]
    if not values:
        return None
    right, unit = series[0].right, series[0].unit
    plot = place.scaled(ticks(min(0.0, *values), max(0.0, *values, 1e-9)))
    for mark in plot.marks:
        if not right:
            paper.set_draw_color(palette()["line"])
            paper.set_line_width(0.15)
            paper.line(plot.left, plot.y(mark), plot.right, plot.y(mark))
        x, align = (plot.right + 1.5, Align.L) if right else (plot.left - 1.5, Align.R)
        _write(paper, (x, plot.y(mark) - 2), _mark(mark, unit, plot.marks), align)
    return plot


def _mark(mark: float, unit: Unit, marks: Sequence[float]) -> str:
    """A value on an axis, with no more decimals than its steps need."""
    step = marks[1] - marks[0]
    if unit is Unit.SHARE:
        return f"{100 * mark:.{0 if step >= 0.01 else 1}f}%"
    decimals = 0 if step >= 1 else 1 if step >= 0.1 else 2
    return f"¥{mark:,.{decimals}f}" if unit is Unit.MONEY else f"{mark:,.{decimals}f}"


def _middle(plot: Plot, count: int) -> Callable[[int], float]:
    width = (plot.right - plot.left) / max(count, 1)
    return lambda i: plot.left + (i + 0.5) * width


def _bars(paper: FPDF, plot: Plot, one: Series, look: tuple[str, int, int]) -> None:
    colour, which, of = look
    middle = _middle(plot, len(one.values))
    width = min((plot.right - plot.left) / max(len(one.values), 1) * 0.7 / of, 9.0)
    paper.set_fill_color(palette()[colour])
    for i, value in enumerate(one.values):
        if value is not None:
            _box(paper, plot, middle(i) + (which - of / 2) * width, (width, 0.0, _float(value, one.unit)))


def _box(paper: FPDF, plot: Plot, x: float, size: tuple[float, float, float]) -> None:
    width, start, end = size
    top, bottom = sorted((plot.y(start), plot.y(end)))
    paper.rect(x, top, width, max(bottom - top, 0.1), style="F")


def _line(paper: FPDF, plot: Plot, one: Series, colour: str) -> None:
    """A line that is broken where nothing is known; a point that stands alone is a dot."""
    paper.set_draw_color(palette()[colour])
    paper.set_fill_color(palette()[colour])
    paper.set_line_width(0.5)
    middle, before = _middle(plot, len(one.values)), None
    for i, value in enumerate(one.values):
        point = None if value is None else (middle(i), plot.y(_float(value, one.unit)))
        if before and point:
            paper.line(*before, *point)
        if point:
            paper.circle(point[0], point[1], 0.5, style="F")
        before = point


def _ranges(paper: FPDF, told: Chart, place: Plot) -> None:
    """Points, and through each a line from the low to the high end of what it may be; zero is drawn."""
    plot = _scale(paper, place, told.series)
    if plot is None:
        return
    colour, middle = palette()[colour_names(told.series)[0]], _middle(plot, len(told.labels))
    paper.set_draw_color(palette()["muted"])
    paper.set_line_width(0.3)
    paper.line(plot.left, plot.y(0.0), plot.right, plot.y(0.0))
    paper.set_draw_color(colour)
    paper.set_fill_color(colour)
    paper.set_line_width(0.5)
    each = zip(*(one.values for one in told.series), strict=True)
    for x, ends in ((middle(i), ends) for i, ends in enumerate(each)):
        if None not in ends:
            value, low, high = (plot.y(_float(end or 0, told.series[0].unit)) for end in ends)
            paper.line(x, low, x, high)
            for end in (low, high):
                paper.line(x - 1.5, end, x + 1.5, end)
            paper.circle(x, value, 0.9, style="F")
    _labels(paper, place, told.labels)


def _labels(paper: FPDF, plot: Plot, labels: Sequence[str]) -> None:
    """The labels below, every second, third … where they would touch."""
    middle = _middle(plot, len(labels))
    widest = max((paper.get_string_width(label) for label in labels), default=0.0) + 3
    each = max(1, -(-int(widest * len(labels)) // int(plot.right - plot.left)))
    for i in range(0, len(labels), each):
        _write(paper, (middle(i), plot.bottom + 1.5), labels[i], Align.C)


def _waterfall(paper: FPDF, told: Chart, place: Plot) -> None:
    (one,) = told.series
    ground, each = steps(told)
    values = [_float(end, one.unit) for ends in each for end in ends]
    plot = place.scaled(ticks(min(values), max(values)))
    plot = plot.scaled([_float(ground, one.unit), *plot.marks[1:]])
    middle, last = _middle(plot, len(each)), len(each) - 1
    width = min((plot.right - plot.left) / len(each) * 0.6, 16.0)
    for i, (start, end) in enumerate(each):
        colour = "accent" if i in (0, last) else "good" if end > start else "bad"
        paper.set_fill_color(palette()[colour])
        _box(paper, plot, middle(i) - width / 2, (width, _float(start, one.unit), _float(end, one.unit)))
        _write(paper, (middle(i), plot.bottom + 0.5), told.labels[i], Align.C)
        _write(paper, (middle(i), plot.bottom + 3.7), step_texts(told)[i], Align.C)


def _write(paper: FPDF, at: tuple[float, float], text: str, align: Align) -> None:
    """A short text beside a point, above it or below."""
    width = paper.get_string_width(text) + 1
    shift = {Align.L: 0.0, Align.R: width, Align.C: width / 2}[align]
    paper.set_text_color(palette()["muted"])
    paper.set_xy(at[0] - shift, at[1])
    paper.cell(width, 4, text, align=align)


def _float(value: Number, unit: Unit) -> float:
    return yuan_number(value) if unit is Unit.MONEY else float(value)
