"""What charts on a page and on paper have in common: their colours, ticks, and the steps of a waterfall."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import accumulate, pairwise
from math import ceil, floor, log10

from qianheng.pages.document import Chart, Series, number_text
from qianheng.pages.shell import STATIC

SPARE = ("spend", "gmv", "payment_roi", "net_roi", "settled_roi", "target", "cap")  # for series of other names


@cache
def palette() -> dict[str, tuple[int, int, int]]:
    """The colours of the page by day, by name, as red, green and blue."""
    style = (STATIC / "page.css").read_text(encoding="utf-8")
    named = re.findall(r"--(\w[\w-]*): #(\w\w)(\w\w)(\w\w)", style[: style.index("}")])
    return {name: (int(red, 16), int(green, 16), int(blue, 16)) for name, red, green, blue in named}


def colour_names(series: Sequence[Series]) -> list[str]:
    """The name of each series' colour: its own, or the next that none of them has."""
    own = {one.name for one in series}
    spare = iter([name for name in SPARE if name not in own] * len(series))
    return [one.name if one.name in palette() else next(spare) for one in series]


def steps(chart: Chart) -> tuple[Fraction, list[tuple[Fraction, Fraction]]]:
    """Of a waterfall: where its ground is, and from where to where each of its steps goes."""
    values = [Fraction(value or 0) for value in chart.series[0].values]
    levels = [*accumulate(values[:-1]), values[-1]]
    low, high = min(levels), max(levels)
    ground = max(low - (high - low) / 3, Fraction(0)) if low > 0 else low
    return ground, [(ground, levels[0]), *pairwise(levels[:-1]), (ground, levels[-1])]


def step_texts(chart: Chart) -> list[str]:
    """The levels and changes of a waterfall in figures."""
    (one,) = chart.series
    last = len(one.values) - 1
    return [number_text(value, one.unit, signed=i not in (0, last)) for i, value in enumerate(one.values)]


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from at most `low` to at least `high`, no more than about `most`."""
    width = max(high - low, abs(high) * 1e-9, 1e-9)
    size = 10.0 ** floor(log10(width / most))
    size = next(size * times for times in (1, 2, 5, 10) if width / (size * times) <= most)
    first, last = floor(low / size), ceil(high / size - 1e-9)
    return [number * size for number in range(first, last + 1)]
