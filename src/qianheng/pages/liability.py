"""What the guarantee may cost, on the report page: each close's forecast with its interval, beside what was paid."""

from __future__ import annotations

from collections.abc import Sequence

from qianheng.actions.liability import Held
from qianheng.actions.summary import RunSummary
from qianheng.core.money import yuan, yuan_number
from qianheng.core.words import say
from qianheng.pages.charts import Chart, Option, draw, frame, series
from qianheng.pages.parts import UNKNOWN, Cell, Html, element, export, join, money, panel, section, table

FIGURES = ("mean", "low", "high")


def liability_section(summary: RunSummary) -> Html:
    """The section on what may be owed: a chart, and the table behind it to take away."""
    told = [one for one in summary.liability if one.expected.high or one.paid]
    parts = [draw(Chart("liability", _option(told) if told else None))]
    if told:
        parts.append(_table(told))
    return section("liability", say("liability.page.title"), element("div", *parts, class_="panels"))


def _option(held: Sequence[Held]) -> Option:
    """The mean as a line in the shade of its interval, and bars of what was paid since."""
    low = [yuan_number(one.expected.low) for one in held]
    width = [yuan_number(one.expected.high - one.expected.low) for one in held]
    clear = {
        "name": say("liability.page.between"),
        "stack": "between",
        "lineStyle": {"opacity": 0},
        "symbol": "none",
        "silent": True,
        "tooltip": {"show": False},
    }
    mean = [yuan_number(one.expected.mean) for one in held]
    paid = [yuan_number(one.paid) for one in held]
    lines = [
        series("figure.spend", "bar", paid, itemStyle={"opacity": 0.45}) | {"name": say("liability.column.paid")},
        series("figure.target", "line", mean) | {"name": say("liability.column.mean")},
        series("figure.target", "line", low) | clear,
        series("figure.target", "line", width, areaStyle={"opacity": 0.18}) | clear,
    ]
    return {**frame([f"{one.at:%m-%d}" for one in held]), "series": lines}


def _table(held: Sequence[Held]) -> Html:
    title = say("liability.page.table")
    names = [say(f"liability.column.{name}") for name in ("at", *FIGURES, "paid", "inside")]
    columns: list[Cell] = [names[0], *((name, "number") for name in names[1:5]), names[5]]
    final = [one.inside for one in held if one.final]
    hint = say("liability.coverage", inside=sum(final), final=len(final))
    rows: list[list[Cell]] = [
        [_at(one), *((amount, "number") for amount in _amounts(one)), _inside(one)] for one in held
    ]
    plain = [[_at(one), *map(yuan, _numbers(one)), _inside(one)] for one in held]
    return panel(title, hint, join([table(columns, rows, title), export("liability", names, plain)]))


def _at(one: Held) -> str:
    return f"{one.at:%Y-%m-%d %H:%M}"


def _numbers(one: Held) -> list[int]:
    return [*(getattr(one.expected, name) for name in FIGURES), one.paid]


def _amounts(one: Held) -> list[str]:
    return [money(amount) for amount in _numbers(one)]


def _inside(one: Held) -> str:
    return say(f"liability.inside.{'yes' if one.inside else 'no'}") if one.final else UNKNOWN
