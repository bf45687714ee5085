"""Pictures of results as SVG, without a plotting library: curves over a number, and dots with intervals by name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, TOP, RIGHT, BOTTOM = 760, 56, 24, 48
CURVES_LEFT, CURVES_HEIGHT = 72, 380
DOTS_LEFT, ROW, LANE = 220, 14, 11  # a row of dots is so much higher than the lanes of its series
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")  # Okabe and Ito 2008
TICKS = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """What a direction means; `mark` is a value worth a dashed line."""

    label: str
    logarithmic: bool = False
    mark: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """Points joined by a line."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Dot:
    """A value of a series in a named row, with its interval if it has one."""

    row: str
    series: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class _Scale:
    """Values to places: `first` lies at pixel `start`, `last` at pixel `end`."""

    axis: Axis
    values: tuple[float, float]
    pixels: tuple[float, float]

    def __call__(self, value: float) -> float:
        low, high, at = (self._bent(number) for number in (*self.values, value))
        start, end = self.pixels
        return round(start + (end - start) * (at - low) / (high - low), 1)

    def _bent(self, value: float) -> float:
        return math.log(value) if self.axis.logarithmic else value

    def ticks(self) -> list[float]:
        """Round values inside the scale, some five of them; powers of ten on a logarithmic one."""
        low, high = self.values
        if self.axis.logarithmic:
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            return [10.0**power for power in powers if low * 0.999 <= 10.0**power <= high * 1.001]
        step = _round_step((high - low) / TICKS)
        return [step * number for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def curves(title: str, axes: tuple[Axis, Axis], drawn: Sequence[Curve]) -> str:
    """Lines over a number; `axes` are those of x and y."""
    right, bottom = WIDTH - RIGHT, CURVES_HEIGHT - BOTTOM
    x = _scale(axes[0], [value for curve in drawn for value in curve.x], (CURVES_LEFT, right))
    y = _scale(axes[1], [value for curve in drawn for value in curve.y], (bottom, TOP))
    parts = [*_grid_across(y), *_grid_down(x, bottom)]
    for number, curve in enumerate(drawn):
        points = " ".join(f"{x(a)},{y(b)}" for a, b in zip(curve.x, curve.y, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{_colour(number)}" stroke-width="2"/>')
    return _page(title, CURVES_HEIGHT, [*parts, *_legend([curve.name for curve in drawn], CURVES_LEFT)])


def dots(title: str, axis: Axis, drawn: Sequence[Dot]) -> str:
    """Values with intervals, rows and series in the order of their first dot."""
    rows, series = (list(dict.fromkeys(names)) for names in zip(*((dot.row, dot.series) for dot in drawn), strict=True))
    pitch = ROW + LANE * len(series)
    bottom = TOP + pitch * len(rows)
    ends = [end for dot in drawn for end in (dot.value, dot.low, dot.high) if end is not None]
    x = _scale(axis, ends, (DOTS_LEFT, WIDTH - RIGHT))
    parts = list(_grid_down(x, bottom))
    for number, row in enumerate(rows):
        parts.append(_text(DOTS_LEFT - 10, TOP + pitch * (number + 0.5) + 4, row, "end"))
    for dot in drawn:
        lane = series.index(dot.series)
        y = TOP + pitch * rows.index(dot.row) + (ROW + LANE) / 2 + LANE * lane
        parts += _dot(x, y, dot, _colour(lane))
    return _page(title, bottom + BOTTOM, [*parts, *(_legend(series, DOTS_LEFT) if len(series) > 1 else ())])


def write(path: Path, picture: str) -> None:
    """Keep a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(picture, encoding="utf-8")


def _scale(axis: Axis, values: Sequence[float], pixels: tuple[float, float]) -> _Scale:
    found = [*values, *([] if axis.mark is None else [axis.mark])]
    low, high = min(found), max(found)
    if axis.logarithmic:
        return _Scale(axis, (low / 1.1, high * 1.1), pixels)
    margin = 0.05 * (high - low) or 0.5 * abs(high) or 1.0
    return _Scale(axis, (0.0 if low >= 0 and low - margin < 0.3 * high else low - margin, high + margin), pixels)


def _round_step(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * 0.999)


def _grid_down(x: _Scale, bottom: float) -> Iterator[str]:
    for tick in x.ticks():
        yield f'<line x1="{x(tick)}" y1="{TOP}" x2="{x(tick)}" y2="{bottom}" class="grid"/>'
        yield _text(x(tick), bottom + 16, f"{tick:g}", "middle")
    if x.axis.mark is not None:
        yield f'<line x1="{x(x.axis.mark)}" y1="{TOP}" x2="{x(x.axis.mark)}" y2="{bottom}" class="mark"/>'
    yield _text(sum(x.pixels) / 2, bottom + 36, x.axis.label, "middle")


def _grid_across(y: _Scale) -> Iterator[str]:
    for tick in y.ticks():
        yield f'<line x1="{CURVES_LEFT}" y1="{y(tick)}" x2="{WIDTH - RIGHT}" y2="{y(tick)}" class="grid"/>'
        yield _text(CURVES_LEFT - 8, y(tick) + 4, f"{tick:g}", "end")
    if y.axis.mark is not None:
        mark = y(y.axis.mark)
        yield f'<line x1="{CURVES_LEFT}" y1="{mark}" x2="{WIDTH - RIGHT}" y2="{mark}" class="mark"/>'
    yield _text(8, TOP - 8, y.axis.label, "start")


def _dot(x: _Scale, y: float, dot: Dot, colour: str) -> Iterator[str]:
    if dot.low is not None and dot.high is not None:
        yield f'<line x1="{x(dot.low)}" y1="{y}" x2="{x(dot.high)}" y2="{y}" stroke="{colour}" stroke-width="2"/>'
    yield f'<circle cx="{x(dot.value)}" cy="{y}" r="4" fill="{colour}"/>'


def _legend(names: Sequence[str], left: float) -> Iterator[str]:
    for number, name in enumerate(names):
        yield f'<rect x="{left}" y="{TOP - 22}" width="10" height="10" fill="{_colour(number)}"/>'
        yield _text(left + 15, TOP - 13, name, "start")
        left += 35 + 7 * len(name)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def _page(title: str, height: float, parts: Sequence[str]) -> str:
    style = (
        "text{font:12px system-ui,sans-serif;fill:#333}.title{font-size:15px;font-weight:600}"
        ".grid{stroke:#ddd}.mark{stroke:#333;stroke-dasharray:5 4}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img">'
    named = f'<title>{escape(title)}</title><style>{style}</style><rect width="100%" height="100%" fill="#fff"/>'
    shown = f'<text class="title" x="8" y="22">{escape(title)}</text>'
    return "\n".join([head, named, shown, *parts, "</svg>", ""])
