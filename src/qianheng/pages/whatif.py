"""A what-if as a page: what was asked beside what is set, the frontier as a picture, and the table behind it."""

from __future__ import annotations

from collections.abc import Iterator

from qianheng.actions.whatif import Answer, remarks
from qianheng.core.interval import Interval
from qianheng.core.money import yuan_number
from qianheng.core.words import say
from qianheng.pages.charts import Chart, Option, draw, frame, series
from qianheng.pages.parts import UNKNOWN, Cell, Html, element, export, join, panel, percent, section, table
from qianheng.pages.shell import whole_main, whole_page
from qianheng.strategy.choice import Aim
from qianheng.strategy.whatif import Outlook

COLUMNS = ("target", "budget", "spend", "gmv", "net_gmv", "orders", "profit", "roi", "met", "guarantee")
MONEY = ("spend", "gmv", "net_gmv", "profit")


def page(answer: Answer) -> str:
    """The answer as one self-contained HTML page in the language spoken."""
    name, goal = answer.plan.subject.name or answer.plan.subject.id, say(f"pages.goal.{answer.setting.goal}")
    title = say("whatif.title", plan=name, goal=goal, days=answer.asked.trial.days)
    brand = element("p", f"Qianheng 千衡 · {say('whatif.page')}", class_="brand")
    header = element("header", brand, element("h1", name))
    charts = element("div", *map(draw, _charts(answer)), class_="panels")
    sections = (
        section("asked", title, _asked(answer)),
        section("frontier", say("whatif.frontier"), charts, _points(answer)),
    )
    return whole_page(f"{name} · {say('whatif.page')}", header, whole_main(*sections))


def told(answer: Answer) -> dict[str, Outlook]:
    """The outlooks that have a name: as it is set, as asked, and what is suggested instead or nearest."""
    named = {
        "now": answer.now,
        "asked": answer.asked if answer.asked != answer.now else None,
        "suggested": answer.suggested.best,
        "nearest": answer.nearest,
    }
    return {name: one for name, one in named.items() if one is not None}


def _asked(answer: Answer) -> Html:
    rows = [[say(f"whatif.row.{name}"), *_cells(one)] for name, one in told(answer).items()]
    title = say("whatif.compared")
    lines = (element("p", sentence) for sentence in remarks(answer))
    return panel(title, say("whatif.page_hint"), table(["", *_heads()], rows, title), *lines)


def _points(answer: Answer) -> Html:
    title = say("whatif.table")
    plain = [[text for text, *_ in map(_text, _cells(one))] for one in answer.points]
    rows = [_cells(one) for one in answer.points]
    link = export("what-if", [name for name, _ in _heads()], plain)
    return panel(title, None, join([table(_heads(), rows, title), link]))


def _text(cell: Cell) -> tuple[str, ...]:
    return (cell,) if isinstance(cell, str) else cell


def _heads() -> list[tuple[str, str]]:
    return [(say(f"whatif.column.{name}"), "number") for name in COLUMNS]


def _cells(one: Outlook) -> list[Cell]:
    risk = one.guarantee_risk
    figures = {name: _between(getattr(one, name), 1e6, ",.0f") for name in MONEY}
    cells = {
        **figures,
        "target": UNKNOWN if one.trial.target is None else f"{one.trial.target:.2f}",
        "budget": f"{one.trial.budget / 1e6:,.0f}" + (say("whatif.mark") if one.extrapolated else ""),
        "orders": _between(one.orders, 1.0, ",.0f"),
        "roi": _between(one.roi, 1.0, ".2f"),
        "met": percent(one.chance_of_target, 0),
        "guarantee": UNKNOWN if risk is None else f"{percent(risk.chance, 0)} · {risk.expected / 1e6:,.2f}",
    }
    return [(cells[name], "number") for name in COLUMNS]


def _between(interval: Interval | None, unit: float, form: str) -> str:
    """The expected value with its ends: "300 (250–340)"; the command line writes it the same way."""
    if interval is None:
        return UNKNOWN
    low, expected, high = (format(float(end) / unit, form) for end in (interval.low, interval.expected, interval.high))
    return f"{expected} ({low}–{high})"


def _charts(answer: Answer) -> Iterator[Chart]:
    aimed = answer.aim if answer.now.profit is not None or answer.aim is not Aim.PROFIT else Aim.GMV
    yield Chart("whatif_frontier", _frontier(answer, aimed))
    if answer.now.trial.target is not None:
        yield Chart("whatif_targets", _targets(answer))


def _frontier(answer: Answer, aim: Aim) -> Option:
    """What is aimed at over spend, in its interval, and a mark for each setting that has a name."""
    base, form = frame(), "@decimal" if aim is Aim.ORDERS else "@yuan_short"
    by_spend = {
        one.spend.expected: _ends(one, aim) for one in sorted(answer.points, key=lambda one: one.spend.expected)
    }
    places = [(yuan_number(float(spend)), ends) for spend, ends in by_spend.items()]
    tip = {"tooltip": {"valueFormatter": form}}
    name = say(f"whatif.aim.{aim}")
    lines = [
        series("figure.worth", "line", [[at, ends[1]] for at, ends in places]) | {"name": name} | tip,
        series("figure.worth", "line", [[at, ends[0]] for at, ends in places]) | _clear(),
        series("figure.worth", "line", [[at, round(ends[2] - ends[0], 2)] for at, ends in places])
        | _shade()
        | _clear(),
    ]
    marks = [
        {"name": say(f"whatif.row.{row}"), "type": "scatter", "symbol": symbol, "symbolSize": 13, **tip}
        | {"data": [[yuan_number(float(one.spend.expected)), _ends(one, aim)[1]]], "z": 5}
        for (row, one), symbol in zip(told(answer).items(), ("circle", "diamond", "triangle", "rect"), strict=False)
    ]
    names = {"name": say("whatif.column.spend"), "nameLocation": "middle", "nameGap": 26}
    across = {"type": "value", "scale": True, "axisLabel": {"formatter": "@yuan_short", "hideOverlap": True}, **names}
    upright = {"type": "value", "scale": True, "axisLabel": {"formatter": form}}
    grid = {**base["grid"], "bottom": 30}
    return {**base, "grid": grid, "xAxis": across, "yAxis": upright, "series": [*lines, *marks]}


def _ends(one: Outlook, aim: Aim) -> tuple[float, float, float]:
    """The interval of what is aimed at, as a chart shows it."""
    found = {Aim.PROFIT: one.profit, Aim.GMV: one.gmv, Aim.ORDERS: one.orders}[aim]
    assert found is not None  # `_charts` aims at nothing unknown
    unit = 1.0 if aim is Aim.ORDERS else 1e6
    low, expected, high = (round(float(end) / unit, 2) for end in (found.low, found.expected, found.high))
    return low, expected, high


def _clear() -> Option:
    """The look of the lines whose area is an interval."""
    return {
        "name": say("whatif.between"),
        "stack": "between",
        "stackStrategy": "all",
        "lineStyle": {"opacity": 0},
        "symbol": "none",
        "silent": True,
        "tooltip": {"show": False},
    }


def _shade() -> Option:
    return {"areaStyle": {"opacity": 0.18}}


def _targets(answer: Answer) -> Option:
    """The ROI that is expected of each target at the budget it is set to, in its interval, beside the target itself."""
    budget = answer.now.trial.budget
    here = [one for one in answer.points if one.trial.budget == budget and one.roi is not None]
    low = [round(float(one.roi.low), 4) for one in here if one.roi]
    high = [round(float(one.roi.high - one.roi.low), 4) for one in here if one.roi]
    mean = [round(float(one.roi.expected), 4) for one in here if one.roi]
    lines = [
        series("figure.target", "line", [round(one.trial.target or 0.0, 4) for one in here], "@roi"),
        series("figure.worth", "line", mean, "@roi") | {"name": say("whatif.column.roi")},
        series("figure.worth", "line", low) | _clear(),
        series("figure.worth", "line", high) | _shade() | _clear(),
    ]
    base = frame([f"{one.trial.target:.2f}" for one in here])
    return {**base, "yAxis": {"type": "value", "scale": True, "axisLabel": {"formatter": "@roi"}}, "series": lines}
